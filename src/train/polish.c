#include "train/polish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        .rate = rate > 0.0 ? rate : 1.5e-3,
        .schedule = SCHEDULE_CONSTANT,
        .warmup = steps / 5, /* the second moments are those of few steps at first */
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
    };
}

int polish_networks(const polish_request *q)
{
    return q->networks > 0 ? q->networks : q->g->networks;
}

am_status polish_start(const polish_request *q, float *theta, am_error *err)
{
    const float *own = q->g->spec.sampled > 0 ? NULL : q->omega;
    const float *omega = !features_use_omega(&q->g->f) ? NULL : q->seen != NULL ? q->seen : own;
    generator *from = omega == NULL ? generator_at_one(q->g) : q->g;
    size_t values = (size_t)q->models * (size_t)q->g->spec.target.params;
    for (int e = 0; e < polish_networks(q); e++) {
        generator one = generator_network(from, e);
        one.curve = NULL; /* of the first network */
        AM_TRY(
            generator_weights(&one, q->models, q->lambda, omega, theta + (size_t)e * values, err));
    }
    return AM_OK;
}

/* ---- the steps --------------------------------------------------------------------------------- */

/* What every network of a draw shares, E times, and where each begins. */
typedef struct {
    int networks;
    double *lambda; /* (E·D, G) */
    float *omega;   /* (E·D, K), or NULL */
    float *start;   /* (E·D, P) */
} copies;

static void copies_close(copies *c)
{
    free(c->lambda);
    free(c->omega);
    free(c->start);
}

static void repeat(void *to, const void *from, size_t bytes, int times)
{
    for (int i = 0; i < times; i++)
        memcpy((char *)to + (size_t)i * bytes, from, bytes);
}

static am_status copies_open(copies *c, const polish_request *q, am_error *err)
{
    size_t models = (size_t)q->models, groups = (size_t)q->g->groups.count;
    size_t blocks = q->omega != NULL ? (size_t)q->blocks : 0;
    *c = (copies){.networks = polish_networks(q)};
    size_t all = (size_t)c->networks * models;
    c->start = am_alloc(all * (size_t)q->g->spec.target.params, sizeof *c->start,
                        "weights of the networks", err);
    c->lambda = am_alloc(all * groups, sizeof *c->lambda, "λ", err);
    if (blocks > 0)
        c->omega = am_alloc(all * blocks, sizeof *c->omega, "block weights", err);
    if (c->start == NULL || c->lambda == NULL || (blocks > 0 && c->omega == NULL))
        return AM_ERR_MEMORY;
    repeat(c->lambda, q->lambda, models * groups * sizeof *c->lambda, c->networks);
    if (blocks > 0)
        repeat(c->omega, q->omega, models * blocks * sizeof *c->omega, c->networks);
    return polish_start(q, c->start, err);
}

/* θ from the host in fresh device memory. */
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
    copies c;
    *theta = NULL;
    am_status status = copies_open(&c, q, err);
    refit_request refit = {
        .task = "polish",
        .t = &spec->target,
        .per_layer = spec->per_layer,
        .models = c.networks * q->models,
        .lambda = c.lambda,
        .omega = c.omega,
        .blocks = q->blocks,
        .start = c.start,
        .seed = q->seed,
        .average = true,
        .rows = q->rows,
        .steps = q->steps,
        .adam = q->adam,
    };
    size_t bytes = sizeof(float) * (size_t)refit.models * (size_t)spec->target.params;
    if (status == AM_OK && q->steps > 0)
        status = refit_run(q->g->be, &refit, train, hooks, theta, err);
    else if (status == AM_OK)
        status = upload(q->g->be, c.start, bytes, theta, err);
    copies_close(&c);
    return status;
}
