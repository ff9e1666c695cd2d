/* The two ways to run M draws of a generator on shared rows (METHOD §3). */
#include "model/objective.h"

static theta_view view(dev_f32 *theta, int64_t stride)
{
    return (theta_view){.theta = theta, .stride = stride};
}

static int64_t params(const plan *p)
{
    return p->g->spec.target.params;
}

/* C = alpha·op(A)·op(B) + beta·C on the columns [begin, P) of the head or of θ. */
static void multiply(plan *p, matmul_args a)
{
    a.batch = 1;
    p->g->be->op->matmul(p->g->be, &a);
}

/* ---- direct: materialise θ_m --------------------------------------------------------------- */

static void direct_gradient(plan *p, const minibatch *batch, const dev_f32 *c, dev_f32 *dc,
                            dev_f64 *loss)
{
    generator *g = p->g;
    generator_theta(g, batch->models / g->networks, c, p->theta);
    objective_gradient(&p->net, batch, g->groups, view(p->theta, params(p)),
                       view(p->dtheta, params(p)), loss);
    if (dc != NULL) /* dc = dθ Θᵀ */
        multiply(p, (matmul_args){.transpose_b = true,
                                  .m = batch->models,
                                  .n = g->f.features,
                                  .k = params(p),
                                  .alpha = 1,
                                  .a = p->dtheta,
                                  .lda = params(p),
                                  .b = g->head,
                                  .ldb = params(p),
                                  .c = dc,
                                  .ldc = g->f.features});
}

/* ---- factored: Z_k = X W1_kᵀ + b1_k for all k, then mix by c --------------------------------- */

/* First parameter behind layer 1; layers 2.. are materialised as in the direct plan. */
static int64_t rest(const plan *p)
{
    const target_tensor *bias = target_bias(&p->g->spec.target, 0);
    return bias->offset + bias->count;
}

/* θ and dθ of the factored plan hold the columns [begin, P) only; the view puts them where the
 * target's offsets expect them. */
static theta_view rest_view(const plan *p, const dev_f32 *columns)
{
    return view(f32_at(columns, -rest(p)), params(p) - rest(p));
}

static void factored_products(plan *p, const dev_f32 *x, int rows)
{
    generator *g = p->g;
    const target *t = &g->spec.target;
    linear_forward_args a = {
        .models = g->f.features,
        .rows = rows,
        .in = t->size[0],
        .out = t->size[1],
        .act = ACT_NONE,
        .x = x,
        .ldx = t->size[0],
        .weight = g->head,
        .bias = f32_at(g->head, target_bias(t, 0)->offset),
        .weight_stride = t->params,
        .bias_stride = t->params,
        .y = p->z,
        .ldy = t->size[1],
        .y_stride = (int64_t)rows * t->size[1],
    };
    g->be->op->linear_forward(g->be, &a);
}

static activation first_act(const target *t)
{
    return t->layers > 1 ? t->act : ACT_NONE;
}

static void factored_forward(plan *p, const dev_f32 *x, int rows, int draws, const dev_f32 *c)
{
    generator *g = p->g;
    const target *t = &g->spec.target;
    int64_t begin = rest(p);
    mix_forward_args mix = {
        .models = draws,
        .features = g->f.features,
        .count = (int64_t)rows * t->size[1],
        .act = first_act(t),
        .c = c,
        .z = p->z,
        .a = p->net.output[0],
    };
    g->be->op->mix_forward(g->be, &mix);
    if (t->layers == 1)
        return;
    /* θ's layers 2.. = cΘ's columns [begin, P) */
    multiply(p, (matmul_args){.m = draws,
                              .n = params(p) - begin,
                              .k = g->f.features,
                              .alpha = 1,
                              .a = c,
                              .lda = g->f.features,
                              .b = f32_at(g->head, begin),
                              .ldb = params(p),
                              .c = p->theta,
                              .ldc = params(p) - begin});
    network_input in = {x, 1, rows, draws};
    network_forward(&p->net, &in, rest_view(p, p->theta), 1);
}

/* Layers 2..: dΘ = cᵀdθ, dc = dθ Θᵀ on the columns [begin, P). */
static void factored_rest(plan *p, const minibatch *batch, const dev_f32 *c, dev_f32 *dc)
{
    generator *g = p->g;
    int64_t begin = rest(p), count = params(p) - begin;
    network_input in = {batch->x, 1, batch->rows, batch->models};
    network_backward(&p->net, &in, rest_view(p, p->theta), rest_view(p, p->dtheta), 1, false);
    multiply(p, (matmul_args){.transpose_a = true,
                              .m = g->f.features,
                              .n = count,
                              .k = batch->models,
                              .alpha = 1,
                              .a = c,
                              .lda = g->f.features,
                              .b = p->dtheta,
                              .ldb = count,
                              .c = f32_at(p->dhead, begin),
                              .ldc = params(p)});
    if (dc != NULL)
        multiply(p, (matmul_args){.transpose_b = true,
                                  .m = batch->models,
                                  .n = g->f.features,
                                  .k = count,
                                  .alpha = 1,
                                  .beta = 1,
                                  .a = p->dtheta,
                                  .lda = count,
                                  .b = f32_at(g->head, begin),
                                  .ldb = params(p),
                                  .c = dc,
                                  .ldc = g->f.features});
}

/* Layer 1: E_k = Σ_m c_mk dA_m, dΘ1_k = E_kᵀX, both independent of M past the mix. */
static void factored_first(plan *p, const minibatch *batch, const dev_f32 *c, dev_f32 *dc)
{
    generator *g = p->g;
    const target *t = &g->spec.target;
    mix_backward_args mix = {
        .models = batch->models,
        .features = g->f.features,
        .count = (int64_t)batch->rows * t->size[1],
        .act = first_act(t),
        .c = c,
        .z = p->z,
        .a = p->net.output[0],
        .da = p->net.gradient[0],
        .e = p->e,
        .dc = dc,
    };
    g->be->op->mix_backward(g->be, &mix);
    linear_backward_args back = {
        .models = g->f.features,
        .rows = batch->rows,
        .in = t->size[0],
        .out = t->size[1],
        .act = ACT_NONE,
        .x = batch->x,
        .ldx = t->size[0],
        .ldy = t->size[1],
        .y_stride = (int64_t)batch->rows * t->size[1],
        .dy = p->e,
        .dweight = p->dhead,
        .dbias = f32_at(p->dhead, target_bias(t, 0)->offset),
        .dweight_stride = t->params,
        .dbias_stride = t->params,
    };
    g->be->op->linear_backward(g->be, &back);
}

/* Σ_m λ_mg‖θ_mg‖² through the head's Gram matrix of each group: dΘ_g += S_g Θ_g. */
static void factored_penalty(plan *p, const minibatch *batch, const dev_f32 *c, dev_f32 *dc,
                             dev_f64 *loss)
{
    generator *g = p->g;
    int r = g->f.features;
    for (int i = 0; i < g->groups.count; i++) {
        int64_t begin = g->groups.begin[i], count = g->groups.begin[i + 1] - begin;
        const dev_f32 *head = f32_at(g->head, begin);
        dev_f32 *gram = f32_at(p->gram, (int64_t)i * r * r), *s = f32_at(p->s, (int64_t)i * r * r);
        multiply(p, (matmul_args){.transpose_b = true,
                                  .m = r,
                                  .n = r,
                                  .k = count,
                                  .alpha = 1,
                                  .a = head,
                                  .lda = params(p),
                                  .b = head,
                                  .ldb = params(p),
                                  .c = gram,
                                  .ldc = r});
        gram_penalty_args a = {.models = batch->models,
                               .features = r,
                               .grad_scale = batch->grad_scale,
                               .c = c,
                               .lambda = f32_at(batch->lambda, i),
                               .lambda_stride = g->groups.count,
                               .gram = gram,
                               .s = s,
                               .dc = dc,
                               .loss = loss};
        g->be->op->gram_penalty(g->be, &a);
        multiply(p, (matmul_args){.m = r,
                                  .n = count,
                                  .k = r,
                                  .alpha = 1,
                                  .beta = 1,
                                  .a = s,
                                  .lda = r,
                                  .b = head,
                                  .ldb = params(p),
                                  .c = f32_at(p->dhead, begin),
                                  .ldc = params(p)});
    }
}

static void factored_gradient(plan *p, const minibatch *batch, const dev_f32 *c, dev_f32 *dc,
                              dev_f64 *loss)
{
    backend *be = p->g->be;
    if (dc != NULL)
        be->op->zero(be, dc, sizeof(float) * (size_t)batch->models * (size_t)p->g->f.features);
    factored_products(p, batch->x, batch->rows);
    factored_forward(p, batch->x, batch->rows, batch->models, c);
    objective_loss(&p->net, batch, loss);
    if (p->g->spec.target.layers > 1)
        factored_rest(p, batch, c, dc);
    factored_first(p, batch, c, dc);
    factored_penalty(p, batch, c, dc, loss);
}

/* ---- both ------------------------------------------------------------------------------------ */

void plan_gradient(plan *p, const minibatch *batch, const dev_f32 *c, dev_f32 *dc, dev_f64 *loss)
{
    if (p->kind == PLAN_DIRECT)
        direct_gradient(p, batch, c, dc, loss);
    else
        factored_gradient(p, batch, c, dc, loss);
}

void plan_prepare(plan *p, const dev_f32 *x, int rows)
{
    if (p->kind == PLAN_FACTORED)
        factored_products(p, x, rows);
}

void plan_logits(plan *p, const dev_f32 *x, int rows, int draws, const dev_f32 *c)
{
    if (p->kind == PLAN_FACTORED) {
        factored_forward(p, x, rows, draws, c);
        return;
    }
    generator_theta(p->g, draws, c, p->theta);
    network_input in = {x, 1, rows, p->g->networks * draws};
    network_forward(&p->net, &in, view(p->theta, params(p)), 0);
}
