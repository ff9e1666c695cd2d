/* refitting — models from scratch on a session's data, as refit and am_refit train them. */
#ifndef AM_REFITTING_H
#define AM_REFITTING_H

#include "api/fit_options.h"

/* What the models of the batch have of their own. */
typedef struct {
    int models;           /* D */
    const double *lambda; /* (D, G) */
    const float *omega;   /* (D, K), or NULL for ω = 1 */
    const uint32_t *init; /* (D), or NULL: all start alike */
    bool separate;        /* each its own order of the rows */
} refit_draws;

/* θ (D,P) in fresh device memory for the caller to release; t is for the session's data. */
am_status refit_models(session *s, const am_fit_options *o, const target *t,
                       const refit_draws *draws, const train_hooks *hooks, dev_f32 **theta,
                       am_error *err);

#endif
