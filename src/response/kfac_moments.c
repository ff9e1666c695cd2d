/* Moments of a network and their eigenbases (kfac.h). */
#include "linalg/linalg.h"
#include "response/kfac.h"

#include <stdlib.h>

/* ---- moments ------------------------------------------------------------------------------------- */

void kfac_begin(kfac *k)
{
    for (int l = 0; l < k->t->layers; l++) {
        kfac_layer *y = &k->layer[l];
        size_t wide = (size_t)k->t->size[l], out = (size_t)y->out;
        k->be->op->zero(k->be, y->s, sizeof(float) * out * out);
        if (l == 0)
            continue;
        k->be->op->zero(k->be, y->a, sizeof(float) * wide * wide);
        k->be->op->zero(k->be, y->sum, sizeof(float) * wide);
    }
}

/* A += share·xᵀx/B, sum += share·1ᵀx/B */
static void add_input(kfac *k, int l, const dev_f32 *x, int rows, double share)
{
    int64_t wide = k->t->size[l];
    matmul_args a = {.batch = 1,
                     .transpose_a = true,
                     .m = wide,
                     .n = wide,
                     .k = rows,
                     .alpha = (float)(share / rows),
                     .beta = 1,
                     .a = x,
                     .lda = wide,
                     .b = x,
                     .ldb = wide,
                     .c = k->layer[l].a,
                     .ldc = wide};
    k->be->op->matmul(k->be, &a);
    a.transpose_a = false;
    a.m = 1;
    a.a = k->ones;
    a.lda = rows;
    a.c = k->layer[l].sum;
    k->be->op->matmul(k->be, &a);
}

/* S += (share/B) Σ_c front_cᵀ back_c, with front_c = ∂o_c/∂a and back_c = the same through H. */
static void add_output(kfac *k, int l, int rows, double share)
{
    kfac_layer *y = &k->layer[l];
    int64_t out = y->out;
    matmul_args a = {.batch = 1,
                     .transpose_a = true,
                     .m = out,
                     .n = out,
                     .k = (int64_t)k->t->size[k->t->layers] * rows,
                     .alpha = (float)(share / rows),
                     .beta = 1,
                     .a = y->front,
                     .lda = out,
                     .b = y->back,
                     .ldb = out,
                     .c = y->s,
                     .ldc = out};
    k->be->op->matmul(k->be, &a);
}

/* Derivatives at layer l's output → those at layer l−1's: act'(Y)∘(d W). */
static void step_down(kfac *k, int l, int rows, const dev_f32 *theta, const dev_f32 *from,
                      dev_f32 *to)
{
    const target *t = k->t;
    int classes = t->size[t->layers], in = t->size[l], out = t->size[l + 1];
    matmul_args a = {.batch = 1,
                     .m = (int64_t)classes * rows,
                     .n = in,
                     .k = out,
                     .alpha = 1,
                     .a = from,
                     .lda = out,
                     .b = f32_at(theta, target_weight(t, l)->offset),
                     .ldb = in,
                     .c = to,
                     .ldc = in};
    k->be->op->matmul(k->be, &a);
    slope_args slope = {.vectors = classes,
                        .count = (int64_t)rows * in,
                        .act = t->act,
                        .y = k->net.output[l - 1],
                        .t = to};
    k->be->op->slope(k->be, &slope);
}

void kfac_add(kfac *k, const dev_f32 *x, int rows, double share, dev_f32 *theta)
{
    const target *t = k->t;
    int last = t->layers - 1, classes = t->size[t->layers];
    network_input in = {x, 1, rows, 1};
    network_forward(&k->net, &in, (theta_view){theta, t->params}, 0);
    for (int l = 1; l <= last; l++)
        add_input(k, l, k->net.output[l - 1], rows, share);
    size_t row = sizeof(float) * (size_t)rows * (size_t)classes;
    for (int64_t c = 0; c < classes; c++) {
        const dev_f32 *unit = f32_at(k->unit, c * k->rows * classes);
        int64_t to = c * rows * classes;
        k->be->op->copy(k->be, f32_at(k->layer[last].front, to), unit, row);
        k->be->op->copy(k->be, f32_at(k->layer[last].back, to), unit, row);
    }
    curvature_args h = {.kind = t->loss,
                        .vectors = classes,
                        .rows = rows,
                        .outputs = classes,
                        .scale = 1,
                        .logits = network_logits(&k->net),
                        .t = k->layer[last].back};
    k->be->op->curvature(k->be, &h);
    for (int l = last; l >= 0; l--) {
        add_output(k, l, rows, share);
        if (l == 0)
            break;
        step_down(k, l, rows, theta, k->layer[l].front, k->layer[l - 1].front);
        step_down(k, l, rows, theta, k->layer[l].back, k->layer[l - 1].back);
    }
}

/* ---- eigenbases ---------------------------------------------------------------------------------- */

/* Eigenvectors of the symmetric (n, n) matrix to `basis` (row-major, vectors in columns), eigenvalues,
 * no less than 0, to value. */
static am_status decompose(kfac *k, int n, double *matrix, double *value, dev_f32 *basis,
                           am_error *err)
{
    size_t count = (size_t)n * (size_t)n;
    float *host = am_alloc(count, sizeof *host, "eigenvectors", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    am_status status = linalg_eigen("moments of the network", n, matrix, value, err);
    for (size_t i = 0; status == AM_OK && i < count; i++) /* column-major → row-major */
        host[i] = (float)matrix[i / (size_t)n + i % (size_t)n * (size_t)n];
    for (int i = 0; i < n; i++)
        value[i] = value[i] > 0.0 ? value[i] : 0.0;
    if (status == AM_OK) {
        k->be->op->upload(k->be, basis, host, sizeof *host * count);
        status = k->be->op->sync(k->be, err);
    }
    free(host);
    return status;
}

/* [xxᵀ x; xᵀ 1], symmetric. */
static am_status input_matrix(const kfac *k, int l, double *matrix, am_error *err)
{
    const kfac_layer *y = &k->layer[l];
    size_t in = (size_t)y->in, wide = in - 1;
    float *a = am_alloc(wide * wide, sizeof *a, "moments", err);
    float *sum = am_alloc(wide, sizeof *sum, "moments", err);
    am_status status = a && sum ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = k->be->op->download(k->be, a, y->a, sizeof *a * wide * wide, err);
    if (status == AM_OK)
        status = k->be->op->download(k->be, sum, y->sum, sizeof *sum * wide, err);
    for (size_t i = 0; status == AM_OK && i < wide; i++) {
        for (size_t j = 0; j < wide; j++)
            matrix[i * in + j] = 0.5 * ((double)a[i * wide + j] + (double)a[j * wide + i]);
        matrix[i * in + wide] = matrix[wide * in + i] = (double)sum[i];
    }
    matrix[in * in - 1] = 1.0;
    free(a);
    free(sum);
    return status;
}

static am_status output_matrix(const kfac *k, int l, double *matrix, am_error *err)
{
    size_t out = (size_t)k->layer[l].out;
    float *s = am_alloc(out * out, sizeof *s, "moments", err);
    if (s == NULL)
        return AM_ERR_MEMORY;
    am_status status = k->be->op->download(k->be, s, k->layer[l].s, sizeof *s * out * out, err);
    for (size_t i = 0; status == AM_OK && i < out; i++)
        for (size_t j = 0; j < out; j++)
            matrix[i * out + j] = 0.5 * ((double)s[i * out + j] + (double)s[j * out + i]);
    free(s);
    return status;
}

static am_status finish_layer(kfac *k, int l, double *matrix, am_error *err)
{
    kfac_layer *y = &k->layer[l];
    if (l > 0) {
        AM_TRY(input_matrix(k, l, matrix, err));
        AM_TRY(decompose(k, y->in, matrix, y->a_value, y->a_basis, err));
    }
    AM_TRY(output_matrix(k, l, matrix, err));
    return decompose(k, y->out, matrix, y->s_value, y->s_basis, err);
}

am_status kfac_finish(kfac *k, am_error *err)
{
    for (int l = 0; l < k->t->layers; l++) {
        size_t n = (size_t)AM_MAX(k->layer[l].in, k->layer[l].out);
        double *matrix = am_alloc(n * n, sizeof *matrix, "moments", err);
        if (matrix == NULL)
            return AM_ERR_MEMORY;
        am_status status = finish_layer(k, l, matrix, err);
        free(matrix);
        AM_TRY(status);
    }
    return AM_OK;
}

am_status kfac_set_input(kfac *k, const dev_f32 *x, int rows, am_error *err)
{
    kfac_layer *y = &k->layer[0];
    size_t wide = (size_t)y->in - 1;
    double *matrix = am_alloc((size_t)y->in * (size_t)y->in, sizeof *matrix, "moments", err);
    if (matrix == NULL)
        return AM_ERR_MEMORY;
    k->be->op->zero(k->be, y->a, sizeof(float) * wide * wide);
    k->be->op->zero(k->be, y->sum, sizeof(float) * wide);
    for (int first = 0; first < rows; first += k->rows) {
        int count = AM_MIN(k->rows, rows - first);
        add_input(k, 0, f32_at(x, (int64_t)first * (int64_t)wide), count, (double)count / rows);
    }
    am_status status = input_matrix(k, 0, matrix, err);
    if (status == AM_OK)
        status = decompose(k, y->in, matrix, y->a_value, y->a_basis, err);
    free(matrix);
    return status;
}
