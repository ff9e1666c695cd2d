#include "response/components.h"

#include "linalg/linalg.h"

#include <stdlib.h>

enum { TILE = 4096 };

/* ---- open ---------------------------------------------------------------------------------------- */

am_status components_target(const target *full, int kept, target *t, am_error *err)
{
    char text[16 * (AM_MAX_LAYERS + 1)];
    *t = *full;
    if (kept >= full->size[0])
        return AM_OK;
    t->size[0] = kept;
    target_text(t, text, sizeof text);
    return target_parse(text, full->act, full->loss, t, err);
}

static am_status open_basis(components *c, am_error *err)
{
    backend *be = c->be;
    size_t f32 = sizeof(float), inputs = (size_t)c->full->size[0], kept = (size_t)c->kept;
    c->tile = (int)AM_MIN((int64_t)TILE, c->data->n);
    c->basis = be->op->alloc(be, f32 * inputs * kept, "components of the inputs");
    c->square = be->op->alloc(be, f32 * inputs * kept, "components of the inputs");
    c->x = be->op->alloc(be, f32 * (size_t)c->data->n * kept, "components of the inputs");
    c->raw = be->op->alloc(be, f32 * (size_t)c->tile * inputs, "rows");
    c->rows.data.bytes = NULL;
    c->rows.data.floats = c->x;
    c->rows.data.inputs = c->kept;
    c->rows.data.scale = 1.0f;
    c->rows.data.shift = 0.0f;
    return be->op->sync(be, err);
}

am_status components_open(components *c, backend *be, const target *full, const device_rows *data,
                          int kept, am_error *err)
{
    *c = (components){.be = be, .full = full, .data = &data->data, .rows = *data};
    am_status status = components_target(full, kept, &c->t, err);
    if (status == AM_OK && kept < full->size[0]) {
        c->kept = kept;
        status = open_basis(c, err);
    }
    if (status != AM_OK)
        components_close(c);
    return status;
}

void components_close(components *c)
{
    if (c->be == NULL)
        return;
    void *owned[] = {c->basis, c->square, c->x, c->raw};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        c->be->op->release(c->be, owned[i]);
    *c = (components){0};
}

/* ---- the basis ----------------------------------------------------------------------------------- */

/* matrix (d,d) = Σ_rows xxᵀ */
static am_status moments(const components *c, const dev_u32 *index, int count, double *matrix,
                         am_error *err)
{
    backend *be = c->be;
    int64_t inputs = c->full->size[0];
    size_t values = (size_t)(inputs * inputs);
    float *host = am_alloc(values, sizeof *host, "moments", err);
    dev_f32 *sum = be->op->alloc(be, sizeof(float) * values, "moments");
    for (int first = 0; first < count; first += c->tile) {
        int rows = AM_MIN(c->tile, count - first);
        gather_args gather = {
            .data = c->data, .index = u32_at(index, first), .count = rows, .x = c->raw};
        be->op->gather(be, &gather);
        matmul_args a = {.batch = 1,
                         .transpose_a = true,
                         .m = inputs,
                         .n = inputs,
                         .k = rows,
                         .alpha = 1,
                         .beta = 1,
                         .a = c->raw,
                         .lda = inputs,
                         .b = c->raw,
                         .ldb = inputs,
                         .c = sum,
                         .ldc = inputs};
        be->op->matmul(be, &a);
    }
    am_status status = host == NULL ? AM_ERR_MEMORY : AM_OK;
    if (status == AM_OK)
        status = be->op->download(be, host, sum, sizeof *host * values, err);
    for (size_t i = 0; status == AM_OK && i < values; i++)
        matrix[i] = (double)host[i];
    be->op->release(be, sum);
    free(host);
    return status;
}

/* V and V∘V from the eigenvectors, which come in columns, the last leading. */
static am_status upload_basis(const components *c, const double *vectors, am_error *err)
{
    size_t inputs = (size_t)c->full->size[0], kept = (size_t)c->kept, values = inputs * kept;
    float *host = am_alloc(2 * values, sizeof *host, "components of the inputs", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < inputs; i++)
        for (size_t q = 0; q < kept; q++) {
            double v = vectors[i + (inputs - 1 - q) * inputs];
            host[i * kept + q] = (float)v;
            host[values + i * kept + q] = (float)(v * v);
        }
    c->be->op->upload(c->be, c->basis, host, sizeof *host * values);
    c->be->op->upload(c->be, c->square, host + values, sizeof *host * values);
    am_status status = c->be->op->sync(c->be, err);
    free(host);
    return status;
}

/* (rows,Q) = x·V for all rows of the data */
static void project_rows(const components *c)
{
    int64_t inputs = c->full->size[0];
    for (int64_t first = 0; first < c->data->n; first += c->tile) {
        int64_t rows = AM_MIN((int64_t)c->tile, c->data->n - first);
        gather_args gather = {.data = c->data, .first = first, .count = rows, .x = c->raw};
        c->be->op->gather(c->be, &gather);
        matmul_args a = {.batch = 1,
                         .m = rows,
                         .n = c->kept,
                         .k = inputs,
                         .alpha = 1,
                         .a = c->raw,
                         .lda = inputs,
                         .b = c->basis,
                         .ldb = c->kept,
                         .c = f32_at(c->x, first * c->kept),
                         .ldc = c->kept};
        c->be->op->matmul(c->be, &a);
    }
}

am_status components_find(components *c, const dev_u32 *index, int count, am_error *err)
{
    if (c->kept == 0)
        return AM_OK;
    size_t inputs = (size_t)c->full->size[0];
    double *matrix = am_alloc(inputs * inputs, sizeof *matrix, "moments", err);
    double *value = am_alloc(inputs, sizeof *value, "moments", err);
    am_status status = matrix && value ? moments(c, index, count, matrix, err) : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = linalg_eigen("moments of the inputs", (int)inputs, matrix, value, err);
    if (status == AM_OK)
        status = upload_basis(c, matrix, err);
    free(matrix);
    free(value);
    AM_TRY(status);
    project_rows(c);
    return c->be->op->sync(c->be, err);
}

/* ---- networks ------------------------------------------------------------------------------------ */

/* What both have in common: everything after the first layer's weights. */
static void copy_tail(const components *c, int count, const dev_f32 *from, int64_t from_params,
                      dev_f32 *to, int64_t to_params)
{
    int64_t tail = c->t.params - target_weight(&c->t, 0)->count;
    for (int64_t i = 1; i <= count; i++)
        c->be->op->copy(c->be, f32_at(to, i * to_params - tail),
                        f32_at(from, i * from_params - tail), sizeof(float) * (size_t)tail);
}

/* own_k = θ_k·basis, (h1,d) by (d,Q), with any matrix of the basis' shape */
static void restrict_with(const components *c, int count, const dev_f32 *basis,
                          const dev_f32 *theta, dev_f32 *own)
{
    int64_t inputs = c->full->size[0];
    if (c->kept == 0) {
        c->be->op->copy(c->be, own, theta, sizeof(float) * (size_t)count * (size_t)c->full->params);
        return;
    }
    matmul_args a = {.batch = count,
                     .m = c->t.size[1],
                     .n = c->kept,
                     .k = inputs,
                     .alpha = 1,
                     .a = theta,
                     .lda = inputs,
                     .a_stride = c->full->params,
                     .b = basis,
                     .ldb = c->kept,
                     .c = own,
                     .ldc = c->kept,
                     .c_stride = c->t.params};
    c->be->op->matmul(c->be, &a);
    copy_tail(c, count, theta, c->full->params, own, c->t.params);
}

void components_restrict(const components *c, int count, const dev_f32 *theta, dev_f32 *own)
{
    restrict_with(c, count, c->basis, theta, own);
}

/* (Vᵀdiag(m_h)V)_qq = Σ_j m_hj V_jq², for every unit h of the first layer */
void components_diagonal(const components *c, const dev_f32 *m, dev_f32 *own)
{
    restrict_with(c, 1, c->square, m, own);
}

void components_embed(const components *c, int count, const dev_f32 *own, dev_f32 *theta)
{
    int64_t inputs = c->full->size[0];
    if (c->kept == 0) {
        c->be->op->copy(c->be, theta, own, sizeof(float) * (size_t)count * (size_t)c->full->params);
        return;
    }
    matmul_args a = {.batch = count,
                     .transpose_b = true,
                     .m = c->t.size[1],
                     .n = inputs,
                     .k = c->kept,
                     .alpha = 1,
                     .a = own,
                     .lda = c->kept,
                     .a_stride = c->t.params,
                     .b = c->basis,
                     .ldb = c->kept,
                     .c = theta,
                     .ldc = inputs,
                     .c_stride = c->full->params};
    c->be->op->matmul(c->be, &a);
    copy_tail(c, count, own, c->t.params, theta, c->full->params);
}
