#include "train/model_batch.h"

am_status model_batch_open(model_batch *m, backend *be, const target *t, penalty_groups groups,
                           int models, const device_rows *data, uint64_t seed, int rows, int sets,
                           int64_t blocks, am_error *err)
{
    size_t values = (size_t)models * (size_t)t->params;
    *m = (model_batch){.be = be, .groups = groups, .models = models, .params = t->params};
    m->dtheta = be->op->alloc(be, values * sizeof(float), "gradients of the refits");
    m->loss = be->op->alloc(be, sizeof(double) * (size_t)models, "losses");
    AM_TRY(be->op->sync(be, err));
    AM_TRY(network_open(&m->net, be, t, models, rows, true, err));
    return batch_open(&m->batch, be, data, seed, models, rows, sets, blocks, NULL, err);
}

void model_batch_close(model_batch *m)
{
    if (m->be == NULL)
        return;
    m->be->op->release(m->be, m->dtheta);
    m->be->op->release(m->be, m->loss);
    network_close(&m->net);
    batch_close(&m->batch);
    *m = (model_batch){0};
}

void model_batch_add(const model_batch *m, double factor, const dev_f32 *from, dev_f32 *to)
{
    add_diagonal_args a = {.vectors = 1,
                           .count = m->models * m->params,
                           .shift = factor,
                           .d = from, /* times 0 */
                           .x = from,
                           .y = to};
    m->be->op->add_diagonal(m->be, &a);
}

void model_batch_step(void *context)
{
    model_batch *m = context;
    const backend_ops *op = m->be->op;
    theta_view theta = {m->theta, m->params}, dtheta = {m->dtheta, m->params};
    m->batch.models = m->models;
    m->batch.step = m->step;
    minibatch batch = batch_next(&m->batch, m->lambda, m->omega, 1.0);
    objective_gradient(&m->net, &batch, m->groups, theta, dtheta, m->loss);
    guard_args guard = {.rows = m->models,
                        .columns = m->params,
                        .grad = m->dtheta,
                        .loss = m->loss,
                        .losses = m->models,
                        .step = m->step,
                        .guard = m->guard};
    op->guard(m->be, &guard);
    adam_args adam = {.rule = optimiser_rule(&m->adam, m->steps, m->step, m->guard),
                      .rows = m->models,
                      .columns = m->params,
                      .rate_scale = m->rate_scale,
                      .theta = m->theta,
                      .grad = m->dtheta,
                      .moment1 = m->moment1,
                      .moment2 = m->moment2};
    op->adam(m->be, &adam);
    if (m->sum != NULL)
        model_batch_add(m, 1.0, m->theta, m->sum);
    op->advance(m->be, m->step);
}
