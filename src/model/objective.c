#include "model/objective.h"

#include <string.h>

void objective_loss(const network *net, const minibatch *batch, dev_f64 *loss)
{
    int outputs = net->t->size[net->t->layers], models = batch->models / batch->sets;
    int64_t rows = batch->rows, logits = rows * outputs;
    for (int s = 0; s < batch->sets; s++) { /* a call for each set of rows */
        int64_t first = s * models;
        loss_args a = {
            .kind = net->t->loss,
            .models = models,
            .rows = batch->rows,
            .outputs = outputs,
            .divisor = batch->divisor,
            .grad_scale = batch->grad_scale,
            .logits = f32_at(network_logits(net), first * logits),
            .label = batch->label != NULL ? i32_at(batch->label, s * rows) : NULL,
            .target = batch->target != NULL ? f32_at(batch->target, s * logits) : NULL,
            .weight = batch->weight != NULL ? f32_at(batch->weight, first * rows) : NULL,
            .dlogits = f32_at(network_dlogits(net), first * logits),
            .loss = f64_at(loss, first),
        };
        net->be->op->loss(net->be, &a);
    }
}

void objective_gradient(const network *net, const minibatch *batch, penalty_groups groups,
                        theta_view theta, theta_view dtheta, dev_f64 *loss)
{
    network_input in = {batch->x, batch->sets, batch->rows, batch->models};
    network_forward(net, &in, theta, 0);
    objective_loss(net, batch, loss);
    network_backward(net, &in, theta, dtheta, 0, false);
    l2_penalty_args penalty = {
        .models = batch->models,
        .groups = groups,
        .grad_scale = batch->grad_scale,
        .lambda = batch->lambda,
        .theta = theta.theta,
        .theta_stride = theta.stride,
        .dtheta = dtheta.theta,
        .dtheta_stride = dtheta.stride,
        .loss = loss,
    };
    net->be->op->l2_penalty(net->be, &penalty);
}

am_status plan_parse(const char *text, plan_kind *kind, am_error *err)
{
    if (strcmp(text, "auto") == 0)
        *kind = PLAN_AUTO;
    else if (strcmp(text, "direct") == 0)
        *kind = PLAN_DIRECT;
    else if (strcmp(text, "factored") == 0)
        *kind = PLAN_FACTORED;
    else
        return am_fail(err, AM_ERR_USAGE, "plan '%s': give auto, direct or factored", text);
    return AM_OK;
}

const char *plan_name(plan_kind kind)
{
    return kind == PLAN_DIRECT ? "direct" : kind == PLAN_FACTORED ? "factored" : "auto";
}

plan_kind plan_choose(const generator *g, int draws, int rows)
{
    const target *t = &g->spec.target;
    double params = (double)t->params, first = (double)t->size[0] * t->size[1];
    double r1 = g->f.features, hidden = (double)rows * t->size[1];
    /* multiply-adds of one step; what both plans share is left out */
    double direct = 2.0 * draws * rows * first    /* forward, dW of the first layer */
                    + 3.0 * draws * r1 * first;   /* θ = cΘ, dc, dΘ of the first layer */
    double factored = 2.0 * r1 * rows * first     /* Z, dΘ */
                      + 3.0 * draws * r1 * hidden /* mix forward, E, dc */
                      + 2.0 * r1 * r1 * params;   /* Gram matrix, SΘ */
    return g->networks == 1 && factored < direct ? PLAN_FACTORED : PLAN_DIRECT;
}

static void open_factored(plan *p, int rows, bool backward)
{
    backend *be = p->g->be;
    const target *t = &p->g->spec.target;
    size_t r1 = (size_t)p->g->f.features, groups = (size_t)p->g->groups.count;
    size_t z = sizeof(float) * r1 * (size_t)rows * (size_t)t->size[1];
    size_t square = sizeof(float) * groups * r1 * r1;
    p->z = be->op->alloc(be, z, "first-layer products");
    if (!backward)
        return;
    p->e = be->op->alloc(be, z, "first-layer gradients");
    p->dhead = be->op->alloc(be, sizeof(float) * r1 * (size_t)t->params, "gradient of the head");
    p->gram = be->op->alloc(be, square, "Gram matrix");
    p->s = be->op->alloc(be, square, "penalty matrix");
}

am_status plan_open(plan *p, generator *g, plan_kind kind, int draws, int rows, bool backward,
                    am_error *err)
{
    backend *be = g->be;
    *p = (plan){.g = g, .kind = kind == PLAN_AUTO ? plan_choose(g, draws, rows) : kind};
    int models = g->networks * draws;
    am_status status = network_open(&p->net, be, &g->spec.target, models, rows, backward, err);
    if (status != AM_OK)
        return status;
    const target_tensor *bias = target_bias(&g->spec.target, 0);
    int64_t first = p->kind == PLAN_FACTORED ? bias->offset + bias->count : 0;
    size_t theta = sizeof(float) * (size_t)models * (size_t)(g->spec.target.params - first);
    p->theta = be->op->alloc(be, AM_MAX(theta, (size_t)1), "weights of the draws");
    if (backward)
        p->dtheta = be->op->alloc(be, AM_MAX(theta, (size_t)1), "gradients of the draws");
    if (p->kind == PLAN_FACTORED)
        open_factored(p, rows, backward);
    status = be->op->sync(be, err);
    if (status != AM_OK)
        plan_close(p);
    return status;
}

void plan_close(plan *p)
{
    if (p->g == NULL)
        return;
    backend *be = p->g->be;
    network_close(&p->net);
    void *owned[] = {p->theta, p->dtheta, p->z, p->e, p->dhead, p->gram, p->s};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        be->op->release(be, owned[i]);
    *p = (plan){0};
}
