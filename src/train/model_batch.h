/* model_batch — D networks side by side, each with its own λ and ω, that Adam moves down their own
 * criteria on shared minibatches: a step of refits, and of the labels of supervised mode. Model m gets
 * the bits that it would get alone. */
#ifndef AM_MODEL_BATCH_H
#define AM_MODEL_BATCH_H

#include "train/train.h"

typedef struct {
    backend *be;
    penalty_groups groups;
    int models;     /* D, at most as many as it was opened for */
    int64_t steps;  /* of the run: the schedule's end */
    optimiser adam; /* its clip is not used: one norm over the batch would couple the models */
    int64_t params;
    /* owned */
    network net;
    batch_buffers batch; /* seed and step may be set anew before a run */
    dev_f32 *dtheta;     /* (D, P) */
    dev_f64 *loss;       /* (D) */
    /* the caller's */
    dev_f32 *theta, *moment1, *moment2; /* (D, P) */
    const dev_f32 *lambda;              /* (D, G) */
    const dev_f32 *omega;               /* (D, K), or NULL for ω = 1 */
    const dev_f32 *rate_scale;          /* (D) factor on the step size, or NULL */
    dev_u64 *step;
    dev_guard *guard;
    dev_f32 *sum; /* (D, P): every step adds its θ; NULL: not wanted */
} model_batch;

/* Room for `models`, the minibatches in `sets` orders. */
am_status model_batch_open(model_batch *m, backend *be, const target *t, penalty_groups groups,
                           int models, const device_rows *data, uint64_t seed, int rows, int sets,
                           int64_t blocks, am_error *err);
void model_batch_close(model_batch *m); /* safe on a zeroed one */
/* to += factor·from, θ (D,P) of all models. */
void model_batch_add(const model_batch *m, double factor, const dev_f32 *from, dev_f32 *to);
/* Issues the ops of one step: the context is a model_batch. */
void model_batch_step(void *context);

#endif
