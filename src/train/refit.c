/* Refits: D models, each with its own λ and ω, trained from scratch as one batch. The baseline that
 * the generator is held against; model m of a batch gets the bits it would get alone. */
#include "train/train.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    backend *be;
    const refit_request *request;
    penalty_groups groups;
    network net;
    batch_buffers batch;
    int64_t params;
    dev_f32 *theta, *dtheta, *moment1, *moment2; /* (D, P) */
    dev_f32 *lambda, *omega, *rate_scale;        /* (D,G), (D,K), (D) */
    dev_u64 *step;
    dev_guard *guard;
    dev_f64 *loss; /* (D) */
} refit;

/* The ops of one step. */
static void refit_step(void *context)
{
    refit *r = context;
    const backend_ops *op = r->be->op;
    theta_view theta = {r->theta, r->params}, dtheta = {r->dtheta, r->params};
    minibatch batch = batch_next(&r->batch, r->lambda, r->omega, 1.0);
    objective_gradient(&r->net, &batch, r->groups, theta, dtheta, r->loss);
    guard_args guard = {.rows = r->request->models,
                        .columns = r->params,
                        .grad = r->dtheta,
                        .loss = r->loss,
                        .losses = r->request->models,
                        .step = r->step,
                        .guard = r->guard};
    op->guard(r->be, &guard);
    adam_args adam = {
        .rule = optimiser_rule(&r->request->adam, r->request->steps, r->step, r->guard),
        .rows = r->request->models,
        .columns = r->params,
        .rate_scale = r->rate_scale,
        .theta = r->theta,
        .grad = r->dtheta,
        .moment1 = r->moment1,
        .moment2 = r->moment2,
    };
    op->adam(r->be, &adam);
    op->advance(r->be, r->step);
}

static dev_f32 *rows_alloc(refit *r, int64_t columns, const char *what)
{
    size_t count = (size_t)r->request->models * (size_t)columns;
    return r->be->op->alloc(r->be, count * sizeof(float), what);
}

static am_status initial_theta(refit *r, am_error *err)
{
    const refit_request *q = r->request;
    size_t bytes = sizeof(float) * (size_t)r->params;
    float *theta = am_alloc((size_t)r->params, sizeof *theta, "initial weights", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    for (int m = 0; m < q->models; m++) {
        if (q->start != NULL)
            memcpy(theta, q->start + (size_t)m * (size_t)r->params, bytes);
        else
            target_init(q->t, q->seed, q->init ? q->init[m] : 0, theta);
        r->be->op->upload(r->be, f32_at(r->theta, m * r->params), theta, bytes);
    }
    am_status status = r->be->op->sync(r->be, err);
    free(theta);
    return status;
}

static am_status upload_draws(refit *r, am_error *err)
{
    const refit_request *q = r->request;
    size_t count = (size_t)q->models * (size_t)r->groups.count;
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
    r->groups = target_groups(q->t, q->per_layer);
    r->params = q->t->params;
    r->theta = rows_alloc(r, r->params, "weights of the refits");
    r->dtheta = rows_alloc(r, r->params, "gradients of the refits");
    r->moment1 = rows_alloc(r, r->params, "moments of the refits");
    r->moment2 = rows_alloc(r, r->params, "moments of the refits");
    r->lambda = rows_alloc(r, r->groups.count, "penalties");
    r->omega = q->omega != NULL ? rows_alloc(r, q->blocks, "block weights") : NULL;
    r->rate_scale = q->rate_scale != NULL ? rows_alloc(r, 1, "step sizes") : NULL;
    r->step = op->alloc(r->be, sizeof(uint64_t), "step counter");
    r->guard = op->alloc(r->be, sizeof(guard_state), "guard");
    r->loss = op->alloc(r->be, sizeof(double) * (size_t)q->models, "losses");
    AM_TRY(op->sync(r->be, err));
    AM_TRY(initial_theta(r, err));
    AM_TRY(upload_draws(r, err));
    AM_TRY(network_open(&r->net, r->be, q->t, q->models, q->rows, true, err));
    return batch_open(&r->batch, r->be, data, q->seed, q->models, q->rows,
                      q->separate ? q->models : 1, q->blocks, r->step, err);
}

static void refit_close(refit *r)
{
    void *owned[] = {r->theta, r->dtheta,     r->moment1, r->moment2, r->lambda,
                     r->omega, r->rate_scale, r->step,    r->guard,   r->loss};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        r->be->op->release(r->be, owned[i]);
    network_close(&r->net);
    batch_close(&r->batch);
}

am_status refit_run(backend *be, const refit_request *request, const device_rows *data,
                    const train_hooks *hooks, dev_f32 **theta, am_error *err)
{
    refit r = {.be = be, .request = request};
    am_status status = refit_open(&r, data, err);
    if (status == AM_OK) {
        train_loop loop = {.be = be,
                           .task = "refit",
                           .issue = refit_step,
                           .context = &r,
                           .guard = r.guard,
                           .loss = r.loss,
                           .models = request->models,
                           .total = request->steps};
        status = train_loop_run(&loop, hooks, err);
    }
    *theta = NULL;
    if (status == AM_OK) {
        *theta = r.theta;
        r.theta = NULL;
    }
    refit_close(&r);
    return status;
}
