/* fitting — fit a generator for a session as the settings say, with progress on the terminal. */
#ifndef AM_CLI_FITTING_H
#define AM_CLI_FITTING_H

#include "api/fit_job.h"
#include "cli/session.h"

/* Opens s->g by s->record, trains it, writes it to `path`. With --resume goes on from
 * "PATH.checkpoint", which is where a run that was stopped left its state. */
am_status fit_model(session *s, const settings *set, const char *path, fit_result *result,
                    am_error *err);

#endif
