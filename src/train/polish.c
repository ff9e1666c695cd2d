#include "train/polish.h"

#include <math.h>
#include <stdlib.h>

int64_t polish_steps(int64_t refit)
{
    return AM_MAX(refit / 20, (int64_t)1);
}

int polish_rows(int64_t steps, int batch, int64_t n)
{
    double rows = (double)n, times = 8.0 * batch * (double)steps / rows;
    double passes = fmax(1.0, floor(times + 0.5));
    return (int)fmin(rows, ceil(passes * rows / (double)AM_MAX(steps, (int64_t)1)));
}

optimiser polish_optimiser(int64_t steps, double rate)
{
    return (optimiser){
        .rate = rate > 0.0 ? rate : 1e-3,
        .schedule = SCHEDULE_COSINE,
        .warmup = steps / 5, /* the second moments are those of few steps at first */
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
    };
}

am_status polish_start(const polish_request *q, float *theta, am_error *err)
{
    const float *omega = features_use_omega(&q->g->f) ? q->omega : NULL;
    return generator_weights(q->g, q->models, q->lambda, omega, theta, err);
}

/* θ (D,P) from the host in fresh device memory. */
static am_status upload(backend *be, const float *host, size_t bytes, dev_f32 **theta,
                        am_error *err)
{
    *theta = be->op->alloc(be, bytes, "weights of the networks");
    be->op->upload(be, *theta, host, bytes);
    am_status status = be->op->sync(be, err);
    if (status != AM_OK) {
        be->op->release(be, *theta);
        *theta = NULL;
    }
    return status;
}

am_status polish_run(const polish_request *q, const device_rows *train, const train_hooks *hooks,
                     dev_f32 **theta, am_error *err)
{
    const generator_spec *spec = &q->g->spec;
    size_t values = (size_t)q->models * (size_t)spec->target.params;
    float *start = am_alloc(values, sizeof *start, "weights of the networks", err);
    *theta = NULL;
    if (start == NULL)
        return AM_ERR_MEMORY;
    refit_request refit = {
        .task = "polish",
        .t = &spec->target,
        .per_layer = spec->per_layer,
        .models = q->models,
        .lambda = q->lambda,
        .omega = q->omega,
        .blocks = q->blocks,
        .start = start,
        .seed = q->seed,
        .rows = q->rows,
        .steps = q->steps,
        .adam = q->adam,
    };
    am_status status = polish_start(q, start, err);
    if (status == AM_OK && q->steps > 0)
        status = refit_run(q->g->be, &refit, train, hooks, theta, err);
    else if (status == AM_OK)
        status = upload(q->g->be, start, values * sizeof *start, theta, err);
    free(start);
    return status;
}
