#include "response/gauss_newton.h"

am_status gauss_newton_open(gauss_newton *g, backend *be, const target *t, int vectors, int rows,
                            am_error *err)
{
    *g = (gauss_newton){.be = be, .t = t, .vectors = vectors, .rows = rows};
    size_t values = sizeof(float) * (size_t)vectors * (size_t)rows;
    for (int l = 0; l < t->layers; l++)
        g->tangent[l] = be->op->alloc(be, values * (size_t)t->size[l + 1], "tangents");
    am_status status = network_open(&g->net, be, t, 1, rows, false, err);
    if (status != AM_OK)
        gauss_newton_close(g);
    return status;
}

void gauss_newton_close(gauss_newton *g)
{
    if (g->be == NULL)
        return;
    for (int l = 0; l < g->t->layers; l++)
        g->be->op->release(g->be, g->tangent[l]);
    network_close(&g->net);
    *g = (gauss_newton){0};
}

/* One layer of one call: what both directions need. */
typedef struct {
    int l, rows, vectors, in, out;
    const dev_f32 *x; /* its input (rows,in) */
} layer_call;

static layer_call call_of(const gauss_newton *g, const dev_f32 *x, int rows, int vectors, int l)
{
    return (layer_call){
        l, rows, vectors, g->t->size[l], g->t->size[l + 1], l == 0 ? x : g->net.output[l - 1]};
}

/* t ← act'(Y)∘t for the vectors at layer l's output. */
static void apply_slope(const gauss_newton *g, layer_call c, int l)
{
    slope_args a = {.vectors = c.vectors,
                    .count = (int64_t)c.rows * g->t->size[l + 1],
                    .act = g->t->act,
                    .y = g->net.output[l],
                    .t = g->tangent[l]};
    g->be->op->slope(g->be, &a);
}

/* dY_k = act'(Y)∘(X V_kᵀ + 1 v_kᵀ + dX_k Wᵀ) */
static void layer_tangent(const gauss_newton *g, layer_call c, const dev_f32 *theta,
                          const dev_f32 *v)
{
    const target *t = g->t;
    int64_t in_stride = (int64_t)c.rows * c.in, out_stride = (int64_t)c.rows * c.out;
    linear_forward_args own = {.models = c.vectors,
                               .rows = c.rows,
                               .in = c.in,
                               .out = c.out,
                               .act = ACT_NONE,
                               .x = c.x,
                               .ldx = c.in,
                               .weight = f32_at(v, target_weight(t, c.l)->offset),
                               .bias = f32_at(v, target_bias(t, c.l)->offset),
                               .weight_stride = t->params,
                               .bias_stride = t->params,
                               .y = g->tangent[c.l],
                               .ldy = c.out,
                               .y_stride = out_stride};
    g->be->op->linear_forward(g->be, &own);
    if (c.l > 0) {
        matmul_args through = {.batch = c.vectors,
                               .transpose_b = true,
                               .m = c.rows,
                               .n = c.out,
                               .k = c.in,
                               .alpha = 1,
                               .beta = 1,
                               .a = g->tangent[c.l - 1],
                               .lda = c.in,
                               .a_stride = in_stride,
                               .b = f32_at(theta, target_weight(t, c.l)->offset),
                               .ldb = c.in,
                               .c = g->tangent[c.l],
                               .ldc = c.out,
                               .c_stride = out_stride};
        g->be->op->matmul(g->be, &through);
    }
    if (c.l + 1 < t->layers)
        apply_slope(g, c, c.l);
}

/* y_k's slice += dA_kᵀX, 1ᵀdA_k;  dX_k = act'(X)∘(dA_k W) in place of the tangents below. */
static void layer_transpose(const gauss_newton *g, layer_call c, const dev_f32 *theta, dev_f32 *y)
{
    const target *t = g->t;
    linear_backward_args a = {.models = c.vectors,
                              .rows = c.rows,
                              .in = c.in,
                              .out = c.out,
                              .act = ACT_NONE,
                              .x = c.x,
                              .ldx = c.in,
                              .weight = f32_at(theta, target_weight(t, c.l)->offset),
                              .ldy = c.out,
                              .y_stride = (int64_t)c.rows * c.out,
                              .dy = g->tangent[c.l],
                              .accumulate = true,
                              .dweight = f32_at(y, target_weight(t, c.l)->offset),
                              .dbias = f32_at(y, target_bias(t, c.l)->offset),
                              .dweight_stride = t->params,
                              .dbias_stride = t->params,
                              .dx = c.l > 0 ? g->tangent[c.l - 1] : NULL,
                              .lddx = c.in,
                              .dx_stride = (int64_t)c.rows * c.in};
    g->be->op->linear_backward(g->be, &a);
    if (c.l > 0)
        apply_slope(g, c, c.l - 1);
}

void gauss_newton_add(gauss_newton *g, const dev_f32 *x, int rows, dev_f32 *theta, int vectors,
                      double scale, const dev_f32 *v, dev_f32 *y)
{
    const target *t = g->t;
    int last = t->layers - 1;
    network_input in = {x, 1, rows, 1};
    network_forward(&g->net, &in, (theta_view){theta, t->params}, 0);
    for (int l = 0; l <= last; l++)
        layer_tangent(g, call_of(g, x, rows, vectors, l), theta, v);
    curvature_args curvature = {.kind = t->loss,
                                .vectors = vectors,
                                .rows = rows,
                                .outputs = t->size[t->layers],
                                .scale = scale,
                                .logits = network_logits(&g->net),
                                .t = g->tangent[last]};
    g->be->op->curvature(g->be, &curvature);
    for (int l = last; l >= 0; l--)
        layer_transpose(g, call_of(g, x, rows, vectors, l), theta, y);
}
