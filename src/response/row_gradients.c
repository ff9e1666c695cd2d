#include "response/row_gradients.h"

#include <stdlib.h>

/* Every tile goes over all sums in memory once for each row of them that it adds. */
enum { TILE = 2048 };

static am_status open_ones(row_gradients *r, int networks, am_error *err)
{
    size_t bytes = sizeof(float) * (size_t)networks;
    float *ones = am_alloc((size_t)networks, sizeof *ones, "weights of the rows", err);
    if (ones == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i < networks; i++)
        ones[i] = 1.0f;
    r->ones = r->be->op->alloc(r->be, bytes, "weights of the rows");
    r->be->op->upload(r->be, r->ones, ones, bytes);
    am_status status = r->be->op->sync(r->be, err);
    free(ones);
    return status;
}

static am_status open_buffers(row_gradients *r, const target *t, int networks,
                              const device_rows *rows, am_error *err)
{
    backend *be = r->be;
    AM_TRY(row_pass_open(&r->pass, be, t, networks, rows, TILE, err));
    size_t weights = sizeof(float) * (size_t)r->sums * (size_t)r->pass.tile;
    r->weight = be->op->alloc(be, weights, "weights of the rows");
    r->shared = be->op->alloc(be, weights * (size_t)networks, "weights of the rows");
    return open_ones(r, networks, err);
}

am_status row_gradients_open(row_gradients *r, backend *be, const target *t, int networks,
                             const device_rows *rows, int64_t blocks, int sums,
                             const dev_f32 *weight, am_error *err)
{
    *r = (row_gradients){.be = be, .blocks = blocks, .sums = sums, .of_blocks = weight};
    am_status status = open_buffers(r, t, networks, rows, err);
    if (status != AM_OK)
        row_gradients_close(r);
    return status;
}

void row_gradients_close(row_gradients *r)
{
    if (r->be == NULL)
        return;
    void *owned[] = {r->weight, r->shared, r->ones};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        r->be->op->release(r->be, owned[i]);
    row_pass_close(&r->pass);
    *r = (row_gradients){0};
}

/* The weights of rows first .. first + count, for every network. */
static void weigh_rows(row_gradients *r, int64_t first, int count)
{
    backend *be = r->be;
    int networks = r->pass.net.models;
    row_weights_args of_rows = {.data = &r->pass.rows->data,
                                .first = first,
                                .models = r->sums,
                                .rows = count,
                                .sets = 1,
                                .blocks = r->blocks,
                                .omega = r->of_blocks,
                                .weight = r->weight};
    be->op->row_weights(be, &of_rows);
    matmul_args repeat = {.batch = r->sums, /* shared_s = 1 · weight_s */
                          .m = networks,
                          .n = count,
                          .k = 1,
                          .alpha = 1,
                          .a = r->ones,
                          .lda = 1,
                          .b = r->weight,
                          .ldb = count,
                          .b_stride = count,
                          .c = r->shared,
                          .ldc = count,
                          .c_stride = (int64_t)networks * count};
    be->op->matmul(be, &repeat);
}

static void add_tile(row_gradients *r, int64_t first, int count, dev_f32 *theta, dev_f32 *g)
{
    int64_t params = r->pass.net.t->params, networks = r->pass.net.models;
    row_pass_forward(&r->pass, NULL, first, count, theta);
    weigh_rows(r, first, count);
    for (int64_t s = 0; s < r->sums; s++)
        row_pass_backward(&r->pass, f32_at(r->shared, s * networks * count), theta,
                          (theta_view){f32_at(g, s * params), r->sums * params});
}

void row_gradients_compute(row_gradients *r, dev_f32 *theta, dev_f32 *g)
{
    const row_pass *p = &r->pass;
    int64_t n = p->rows->data.n, values = p->net.models * r->sums * p->net.t->params;
    r->be->op->zero(r->be, g, sizeof(float) * (size_t)values);
    for (int64_t first = 0; first < n; first += p->tile)
        add_tile(r, first, (int)AM_MIN((int64_t)p->tile, n - first), theta, g);
}
