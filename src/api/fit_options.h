/* fit_options — from a caller's options to what a fit or a refit does. */
#ifndef AM_FIT_OPTIONS_H
#define AM_FIT_OPTIONS_H

#include "api/options.h"
#include "api/session.h"

/* *o: `from` (NULL: defaults) with every text filled in, words and limits checked. */
am_status fit_options_take(const am_fit_options *from, am_fit_options *o, am_error *err);
/* The same for refits: *r as given, *o what a fit with these options would have. */
am_status refit_options_take(const am_refit_options *from, am_refit_options *r, am_fit_options *o,
                             am_error *err);

/* fit_request.c — all take options that were taken. */

/* The network for these data; layer sizes default to inputs-64-outputs. */
am_status options_target(const char *text, const char *activation_word, const am_data *data,
                         target *t, am_error *err);
optimiser options_optimiser(const am_fit_options *o);
int64_t options_blocks(const am_fit_options *o, int64_t rows);
int options_rows(const am_fit_options *o, int64_t rows); /* B */
int64_t options_steps(const am_fit_options *o, int64_t rows);
/* Fills s->record (spec, fit, data) from the options and the loaded data, whose blocks are
 * assigned. */
am_status options_record(session *s, const am_fit_options *o, am_error *err);

#endif
