/* fitting — fit a generator for a session, with checkpoints beside the model file. */
#ifndef AM_FITTING_H
#define AM_FITTING_H

#include "cli/session.h"

typedef struct {
    double loss;    /* mean criterion over the last steps */
    double seconds;
    plan_kind plan; /* that was used */
} fit_result;

/* Opens s->g by s->record, trains it, writes it to `path`. With --resume goes on from
 * "PATH.checkpoint", which is where a run that was stopped left its state. */
am_status fit_model(session *s, const settings *set, const char *path, fit_result *result,
                    am_error *err);

#endif
