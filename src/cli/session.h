/* session — what a command opens: a device, data, a model, as the settings say. */
#ifndef AM_CLI_SESSION_H
#define AM_CLI_SESSION_H

#include "api/fit_options.h"
#include "api/session.h"
#include "cli/cli.h"

am_status session_device(session *s, const settings *set, am_error *err);
/* Opens the model file, checks it against its data (or --data) and makes both ready. */
am_status session_model(session *s, const settings *set, const char *path, int draws,
                        bool with_data, am_error *err);

/* ---- request.c: settings → requests ---------------------------------------------------------- */

data_request request_data(const settings *set);
/* The options of a fit or refit. Texts are borrowed from the settings. rows: of training. */
am_fit_options request_options(const settings *set, int64_t rows);
/* Fills s->record (spec, fit, data) from the settings and the loaded data. */
am_status request_record(session *s, const settings *set, am_error *err);
/* K: --blocks; 0 ("n") is one block per training row; the default never exceeds the rows. */
int64_t request_blocks(const settings *set, int64_t rows);

#endif
