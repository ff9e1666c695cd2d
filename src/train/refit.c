/* Refits: D models, each with its own λ and ω, trained from scratch as one batch. The baseline that
 * the generator is held against; model m of a batch gets the bits it would get alone. */
#include "train/model_batch.h"

#include "backend/tally.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    backend *be;
    const refit_request *request;
    model_batch batch;
    dev_f32 *lambda, *omega, *rate_scale; /* (D,G), (D,K), (D) */
    train_loop loop;
} refit;

static const char *refit_task(const refit_request *request)
{
    return request->task != NULL ? request->task : "refit";
}

static dev_f32 *rows_alloc(refit *r, int64_t columns, const char *what)
{
    size_t count = (size_t)r->request->models * (size_t)columns;
    return r->be->op->alloc(r->be, count * sizeof(float), what);
}

static am_status initial_theta(refit *r, am_error *err)
{
    const refit_request *q = r->request;
    int64_t params = q->t->params;
    size_t bytes = sizeof(float) * (size_t)params;
    float *theta = am_alloc((size_t)params, sizeof *theta, "initial weights", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    for (int m = 0; m < q->models; m++) {
        if (q->start != NULL)
            memcpy(theta, q->start + (size_t)m * (size_t)params, bytes);
        else
            target_init(q->t, q->seed, q->init ? q->init[m] : 0, theta);
        r->be->op->upload(r->be, f32_at(r->batch.theta, m * params), theta, bytes);
    }
    am_status status = r->be->op->sync(r->be, err);
    free(theta);
    return status;
}

static am_status upload_draws(refit *r, am_error *err)
{
    const refit_request *q = r->request;
    size_t count = (size_t)q->models * (size_t)r->batch.groups.count;
    float *lambda = am_alloc(count, sizeof *lambda, "penalties", err);
    if (lambda == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        lambda[i] = (float)q->lambda[i];
    r->be->op->upload(r->be, r->lambda, lambda, count * sizeof *lambda);
    if (q->omega != NULL)
        r->be->op->upload(r->be, r->omega, q->omega,
                          sizeof(float) * (size_t)q->models * (size_t)q->blocks);
    if (q->rate_scale != NULL)
        r->be->op->upload(r->be, r->rate_scale, q->rate_scale, sizeof(float) * (size_t)q->models);
    am_status status = r->be->op->sync(r->be, err);
    free(lambda);
    return status;
}

static am_status refit_open(refit *r, const device_rows *data, am_error *err)
{
    const refit_request *q = r->request;
    const backend_ops *op = r->be->op;
    model_batch *m = &r->batch;
    penalty_groups groups = target_groups(q->t, q->per_layer);
    AM_TRY(model_batch_open(m, r->be, q->t, groups, q->models, data, q->seed, q->rows,
                            q->separate ? q->models : 1, q->blocks, err));
    m->theta = rows_alloc(r, q->t->params, "weights of the refits");
    m->moment1 = rows_alloc(r, q->t->params, "moments of the refits");
    m->moment2 = rows_alloc(r, q->t->params, "moments of the refits");
    m->sum = q->average ? rows_alloc(r, q->t->params, "means of the refits") : NULL;
    m->lambda = r->lambda = rows_alloc(r, groups.count, "penalties");
    m->omega = r->omega = q->omega != NULL ? rows_alloc(r, q->blocks, "block weights") : NULL;
    m->rate_scale = r->rate_scale = q->rate_scale != NULL ? rows_alloc(r, 1, "step sizes") : NULL;
    m->step = op->alloc(r->be, sizeof(uint64_t), "step counter");
    m->guard = op->alloc(r->be, sizeof(guard_state), "guard");
    m->adam = q->adam;
    m->steps = q->steps;
    return op->sync(r->be, err);
}

static void refit_close(refit *r)
{
    model_batch *m = &r->batch;
    void *owned[] = {m->theta, m->moment1, m->moment2, m->sum,       m->step,
                     m->guard, r->lambda,  r->omega,   r->rate_scale};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        r->be->op->release(r->be, owned[i]);
    model_batch_close(m);
}

/* Is there room? Opened on a tally first. */
static am_status refit_memory(backend *be, const refit_request *request, const device_rows *data,
                              am_error *err)
{
    refit r = {.request = request};
    AM_TRY(tally_open(&r.be, err));
    am_status status = refit_open(&r, data, err);
    if (status == AM_OK)
        status = tally_check(r.be, be, refit_task(request), err);
    refit_close(&r);
    backend_close(r.be);
    return status;
}

static void step(void *context)
{
    refit *r = context;
    model_batch_step(&r->batch);
}

/* Halfway: only the iterates that are still to come count. */
static am_status begin_sum(void *context, am_error *err)
{
    refit *r = context;
    const model_batch *m = &r->batch;
    m->be->op->zero(m->be, m->sum, sizeof(float) * (size_t)m->models * (size_t)m->params);
    r->loop.pause = 0;
    return m->be->op->sync(m->be, err);
}

/* θ ← the mean of the iterates that the sum holds. */
static am_status take_mean(const model_batch *m, int64_t iterates, am_error *err)
{
    size_t bytes = sizeof(float) * (size_t)m->models * (size_t)m->params;
    m->be->op->zero(m->be, m->theta, bytes);
    model_batch_add(m, 1.0 / (double)iterates, m->sum, m->theta);
    return m->be->op->sync(m->be, err);
}

am_status refit_run(backend *be, const refit_request *request, const device_rows *data,
                    const train_hooks *hooks, dev_f32 **theta, am_error *err)
{
    refit r = {.be = be, .request = request};
    *theta = NULL;
    AM_TRY(refit_memory(be, request, data, err));
    am_status status = refit_open(&r, data, err);
    if (status == AM_OK)
        status = initial_theta(&r, err);
    if (status == AM_OK)
        status = upload_draws(&r, err);
    if (status == AM_OK) {
        r.loop = (train_loop){.be = be,
                              .task = refit_task(request),
                              .issue = step,
                              .context = &r,
                              .guard = r.batch.guard,
                              .loss = r.batch.loss,
                              .models = request->models,
                              .total = request->steps,
                              .pause = request->average ? request->steps / 2 : 0,
                              .paused = begin_sum};
        status = train_loop_run(&r.loop, hooks, err);
    }
    if (status == AM_OK && request->average)
        status = take_mean(&r.batch, request->steps - request->steps / 2, err);
    if (status == AM_OK) {
        *theta = r.batch.theta;
        r.batch.theta = NULL;
    }
    refit_close(&r);
    return status;
}
