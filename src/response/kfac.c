#include "response/kfac.h"

#include <stdlib.h>

/* ---- memory -------------------------------------------------------------------------------------- */

static dev_f32 *floats(const kfac *k, int64_t count, const char *what)
{
    return k->be->op->alloc(k->be, sizeof(float) * (size_t)count, what);
}

static am_status layer_open(kfac *k, int l, am_error *err)
{
    kfac_layer *y = &k->layer[l];
    int classes = k->t->size[k->t->layers], wide = k->t->size[l];
    *y = (kfac_layer){.in = wide + 1, .out = k->t->size[l + 1]};
    int64_t in = y->in, out = y->out, directions = (int64_t)classes * k->rows * out;
    y->a = floats(k, (int64_t)wide * wide, "moments");
    y->sum = floats(k, wide, "moments");
    y->s = floats(k, out * out, "moments");
    y->a_basis = floats(k, in * in, "eigenvectors");
    y->s_basis = floats(k, out * out, "eigenvectors");
    y->inverse = floats(k, in * out, "eigenvalues");
    y->back = floats(k, directions, "derivatives of the logits");
    y->front = floats(k, directions, "derivatives of the logits");
    y->a_value = am_alloc((size_t)in, sizeof(double), "eigenvalues", err);
    y->s_value = am_alloc((size_t)out, sizeof(double), "eigenvalues", err);
    return y->a_value && y->s_value ? AM_OK : AM_ERR_MEMORY;
}

/* Every class's unit vector in every row, and ones. */
static am_status open_constants(kfac *k, am_error *err)
{
    int64_t classes = k->t->size[k->t->layers], count = classes * k->rows * classes;
    float *host = am_alloc((size_t)(count + k->rows), sizeof *host, "unit vectors", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (int64_t i = 0; i < classes * k->rows; i++)
        host[i * classes + i / k->rows] = 1.0f;
    for (int64_t i = count; i < count + k->rows; i++)
        host[i] = 1.0f;
    k->unit = floats(k, count, "unit vectors");
    k->ones = floats(k, k->rows, "unit vectors");
    k->be->op->upload(k->be, k->unit, host, sizeof *host * (size_t)count);
    k->be->op->upload(k->be, k->ones, host + count, sizeof *host * (size_t)k->rows);
    am_status status = k->be->op->sync(k->be, err);
    free(host);
    return status;
}

am_status kfac_open(kfac *k, backend *be, const target *t, int vectors, int rows, am_error *err)
{
    *k = (kfac){.be = be, .t = t, .vectors = vectors, .rows = rows};
    int64_t largest = 0;
    am_status status = AM_OK;
    for (int l = 0; l < t->layers && status == AM_OK; l++) {
        status = layer_open(k, l, err);
        largest = AM_MAX(largest, (int64_t)k->layer[l].in * k->layer[l].out);
    }
    k->rotated = floats(k, vectors * largest, "rotated vectors");
    k->scaled = floats(k, vectors * largest, "rotated vectors");
    if (status == AM_OK)
        status = open_constants(k, err);
    if (status == AM_OK)
        status = network_open(&k->net, be, t, 1, rows, false, err);
    if (status != AM_OK)
        kfac_close(k);
    return status;
}

void kfac_close(kfac *k)
{
    if (k->be == NULL)
        return;
    for (int l = 0; l < k->t->layers; l++) {
        kfac_layer *y = &k->layer[l];
        void *owned[] = {y->a, y->sum, y->s, y->a_basis, y->s_basis, y->inverse, y->back, y->front};
        for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
            k->be->op->release(k->be, owned[i]);
        free(y->a_value);
        free(y->s_value);
    }
    void *owned[] = {k->unit, k->ones, k->rotated, k->scaled};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        k->be->op->release(k->be, owned[i]);
    network_close(&k->net);
    *k = (kfac){0};
}

/* ---- solves -------------------------------------------------------------------------------------- */

am_status kfac_shift(kfac *k, const double *shift, am_error *err)
{
    for (int l = 0; l < k->t->layers; l++) {
        kfac_layer *y = &k->layer[l];
        size_t in = (size_t)y->in, count = in * (size_t)y->out;
        float *host = am_alloc(count, sizeof *host, "eigenvalues", err);
        if (host == NULL)
            return AM_ERR_MEMORY;
        for (size_t i = 0; i < count; i++)
            host[i] = (float)(1.0 / (y->s_value[i / in] * y->a_value[i % in] + shift[l]));
        k->be->op->upload(k->be, y->inverse, host, sizeof *host * count);
        am_status status = k->be->op->sync(k->be, err);
        free(host);
        AM_TRY(status);
    }
    return AM_OK;
}

/* rotated_k = op(S_basis) scaled_k, op the transpose or nothing */
static void multiply_left(kfac *k, const kfac_layer *y, int vectors, bool transpose)
{
    int64_t in = y->in, out = y->out;
    matmul_args a = {.batch = vectors,
                     .transpose_a = transpose,
                     .m = out,
                     .n = in,
                     .k = out,
                     .alpha = 1,
                     .a = y->s_basis,
                     .lda = out,
                     .b = k->scaled,
                     .ldb = in,
                     .b_stride = out * in,
                     .c = k->rotated,
                     .ldc = in,
                     .c_stride = out * in};
    k->be->op->matmul(k->be, &a);
}

/* rotated_k = S_basisᵀ [W_k | b_k] A_basis, for the layer's slice of r */
static void rotate(kfac *k, int l, int vectors, const dev_f32 *r)
{
    kfac_layer *y = &k->layer[l];
    int64_t in = y->in, out = y->out, wide = in - 1, params = k->t->params;
    matmul_args weight = {.batch = vectors,
                          .m = out,
                          .n = in,
                          .k = wide,
                          .alpha = 1,
                          .a = f32_at(r, target_weight(k->t, l)->offset),
                          .lda = wide,
                          .a_stride = params,
                          .b = y->a_basis,
                          .ldb = in,
                          .c = k->scaled,
                          .ldc = in,
                          .c_stride = out * in};
    k->be->op->matmul(k->be, &weight);
    matmul_args bias = weight;
    bias.k = 1;
    bias.beta = 1;
    bias.a = f32_at(r, target_bias(k->t, l)->offset);
    bias.lda = 1;
    bias.b = f32_at(y->a_basis, wide * in);
    k->be->op->matmul(k->be, &bias);
    multiply_left(k, y, vectors, true);
}

/* [W_k | b_k] = S_basis scaled_k A_basisᵀ, into the layer's slice of z */
static void rotate_back(kfac *k, int l, int vectors, dev_f32 *z)
{
    kfac_layer *y = &k->layer[l];
    int64_t in = y->in, out = y->out, wide = in - 1, params = k->t->params;
    multiply_left(k, y, vectors, false);
    matmul_args weight = {.batch = vectors,
                          .transpose_b = true,
                          .m = out,
                          .n = wide,
                          .k = in,
                          .alpha = 1,
                          .a = k->rotated,
                          .lda = in,
                          .a_stride = out * in,
                          .b = y->a_basis,
                          .ldb = in,
                          .c = f32_at(z, target_weight(k->t, l)->offset),
                          .ldc = wide,
                          .c_stride = params};
    k->be->op->matmul(k->be, &weight);
    matmul_args bias = weight;
    bias.n = 1;
    bias.b = f32_at(y->a_basis, wide * in);
    bias.c = f32_at(z, target_bias(k->t, l)->offset);
    bias.ldc = 1;
    k->be->op->matmul(k->be, &bias);
}

void kfac_solve(kfac *k, int vectors, const dev_f32 *r, dev_f32 *z)
{
    for (int l = 0; l < k->t->layers; l++) {
        kfac_layer *y = &k->layer[l];
        int64_t count = (int64_t)y->in * y->out;
        rotate(k, l, vectors, r);
        k->be->op->zero(k->be, k->scaled, sizeof(float) * (size_t)(vectors * count));
        add_diagonal_args a = {.vectors = vectors,
                               .count = count,
                               .factor = 1,
                               .d = y->inverse,
                               .x = k->rotated,
                               .y = k->scaled};
        k->be->op->add_diagonal(k->be, &a);
        rotate_back(k, l, vectors, z);
    }
}
