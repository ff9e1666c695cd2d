#include "response/gauss_newton.h"

am_status gauss_newton_open(gauss_newton *g, backend *be, const target *t, int vectors, int rows,
                            int kept, am_error *err)
{
    *g = (gauss_newton){.be = be, .t = t, .vectors = vectors, .rows = rows, .kept = kept};
    size_t first = sizeof(float) * (size_t)vectors * (size_t)t->size[1] * (size_t)kept;
    if (kept > 0) {
        g->in = be->op->alloc(be, first, "components");
        g->out = be->op->alloc(be, first, "components");
    }
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
    g->be->op->release(g->be, g->in);
    g->be->op->release(g->be, g->out);
    network_close(&g->net);
    *g = (gauss_newton){0};
}

/* ---- the first layer in components ---------------------------------------------------------------- */

/* The leading columns of the basis, from this row on. */
static const dev_f32 *leading(const gauss_newton *g, int64_t row)
{
    int64_t size = g->t->size[0] + 1;
    return f32_at(g->basis, row * size + size - g->kept);
}

void gauss_newton_project(const gauss_newton *g, const dev_f32 *x, const dev_f32 *ones, int rows,
                          dev_f32 *components)
{
    int64_t inputs = g->t->size[0];
    matmul_args a = {.batch = 1,
                     .m = rows,
                     .n = g->kept,
                     .k = inputs,
                     .alpha = 1,
                     .a = x,
                     .lda = inputs,
                     .b = leading(g, 0),
                     .ldb = inputs + 1,
                     .c = components,
                     .ldc = g->kept};
    g->be->op->matmul(g->be, &a);
    matmul_args constant = {.batch = 1,
                            .m = rows,
                            .n = g->kept,
                            .k = 1,
                            .alpha = 1,
                            .beta = 1,
                            .a = ones,
                            .lda = 1,
                            .b = leading(g, inputs),
                            .ldb = inputs + 1,
                            .c = components,
                            .ldc = g->kept};
    g->be->op->matmul(g->be, &constant);
}

/* in_k (size[1],Q) = [W_k b_k]·basis, of the vectors' first layer */
static void project_vectors(const gauss_newton *g, int vectors, const dev_f32 *v)
{
    const target *t = g->t;
    int64_t inputs = t->size[0], wide = t->size[1];
    matmul_args a = {.batch = vectors,
                     .m = wide,
                     .n = g->kept,
                     .k = inputs,
                     .alpha = 1,
                     .a = f32_at(v, target_weight(t, 0)->offset),
                     .lda = inputs,
                     .a_stride = t->params,
                     .b = leading(g, 0),
                     .ldb = inputs + 1,
                     .c = g->in,
                     .ldc = g->kept,
                     .c_stride = wide * g->kept};
    g->be->op->matmul(g->be, &a);
    a.k = 1;
    a.beta = 1;
    a.a = f32_at(v, target_bias(t, 0)->offset);
    a.lda = 1;
    a.b = leading(g, inputs);
    g->be->op->matmul(g->be, &a);
}

/* [W_k b_k] of y += out_k·basisᵀ */
static void embed_products(const gauss_newton *g, int vectors, dev_f32 *y)
{
    const target *t = g->t;
    int64_t inputs = t->size[0], wide = t->size[1];
    matmul_args a = {.batch = vectors,
                     .transpose_b = true,
                     .m = wide,
                     .n = inputs,
                     .k = g->kept,
                     .alpha = 1,
                     .beta = 1,
                     .a = g->out,
                     .lda = g->kept,
                     .a_stride = wide * g->kept,
                     .b = leading(g, 0),
                     .ldb = inputs + 1,
                     .c = f32_at(y, target_weight(t, 0)->offset),
                     .ldc = inputs,
                     .c_stride = t->params};
    g->be->op->matmul(g->be, &a);
    a.n = 1;
    a.b = leading(g, inputs);
    a.c = f32_at(y, target_bias(t, 0)->offset);
    a.ldc = 1;
    g->be->op->matmul(g->be, &a);
}

/* ---- a tile of rows ------------------------------------------------------------------------------- */

/* One layer of one call: its shape, its input, and where the vectors and the products lie. */
typedef struct {
    int l, rows, vectors, in, out;
    const dev_f32 *x;             /* (rows, in) */
    const dev_f32 *weight, *bias; /* of the vectors; bias NULL in components */
    dev_f32 *dweight, *dbias;     /* of the products */
    int64_t weight_stride, bias_stride;
} layer_call;

static layer_call call_of(const gauss_newton *g, const gauss_newton_rows *tile, int vectors, int l,
                          const dev_f32 *v, dev_f32 *y)
{
    const target *t = g->t;
    layer_call c = {.l = l,
                    .rows = tile->rows,
                    .vectors = vectors,
                    .in = t->size[l],
                    .out = t->size[l + 1],
                    .x = l == 0 ? tile->x : g->net.output[l - 1],
                    .weight = f32_at(v, target_weight(t, l)->offset),
                    .bias = f32_at(v, target_bias(t, l)->offset),
                    .dweight = f32_at(y, target_weight(t, l)->offset),
                    .dbias = f32_at(y, target_bias(t, l)->offset),
                    .weight_stride = t->params,
                    .bias_stride = t->params};
    if (l > 0 || g->kept == 0)
        return c;
    c.in = g->kept;
    c.x = tile->components;
    c.weight = g->in;
    c.dweight = g->out;
    c.weight_stride = (int64_t)c.out * c.in;
    c.bias = NULL;
    c.dbias = NULL;
    return c;
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
static void layer_tangent(const gauss_newton *g, layer_call c, const dev_f32 *theta)
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
                               .weight = c.weight,
                               .bias = c.bias,
                               .weight_stride = c.weight_stride,
                               .bias_stride = c.bias_stride,
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
static void layer_transpose(const gauss_newton *g, layer_call c, const dev_f32 *theta)
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
                              .dweight = c.dweight,
                              .dbias = c.dbias,
                              .dweight_stride = c.weight_stride,
                              .dbias_stride = c.bias_stride,
                              .dx = c.l > 0 ? g->tangent[c.l - 1] : NULL,
                              .lddx = c.in,
                              .dx_stride = (int64_t)c.rows * c.in};
    g->be->op->linear_backward(g->be, &a);
    if (c.l > 0)
        apply_slope(g, c, c.l - 1);
}

static void add_tile(gauss_newton *g, const gauss_newton_rows *tile, dev_f32 *theta, int vectors,
                     double scale, const dev_f32 *v, dev_f32 *y)
{
    const target *t = g->t;
    int last = t->layers - 1;
    network_input in = {tile->x, 1, tile->rows, 1};
    network_forward(&g->net, &in, (theta_view){theta, t->params}, 0);
    for (int l = 0; l <= last; l++)
        layer_tangent(g, call_of(g, tile, vectors, l, v, y), theta);
    curvature_args curvature = {.kind = t->loss,
                                .vectors = vectors,
                                .rows = tile->rows,
                                .outputs = t->size[t->layers],
                                .scale = scale,
                                .logits = network_logits(&g->net),
                                .t = g->tangent[last]};
    g->be->op->curvature(g->be, &curvature);
    for (int l = last; l >= 0; l--)
        layer_transpose(g, call_of(g, tile, vectors, l, v, y), theta);
}

void gauss_newton_add(gauss_newton *g, const gauss_newton_rows *rows, dev_f32 *theta, int vectors,
                      double scale, const dev_f32 *v, dev_f32 *y)
{
    size_t first = sizeof(float) * (size_t)vectors * (size_t)g->t->size[1] * (size_t)g->kept;
    if (g->kept > 0) {
        project_vectors(g, vectors, v);
        g->be->op->zero(g->be, g->out, first);
    }
    for (int from = 0; from < rows->rows; from += g->rows) {
        gauss_newton_rows tile = {f32_at(rows->x, (int64_t)from * g->t->size[0]),
                                  f32_at(rows->components, (int64_t)from * g->kept),
                                  AM_MIN(g->rows, rows->rows - from)};
        add_tile(g, &tile, theta, vectors, scale, v, y);
    }
    if (g->kept > 0)
        embed_products(g, vectors, y);
}
