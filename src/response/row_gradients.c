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

static am_status open_buffers(row_gradients *r, const target *t, int networks, am_error *err)
{
    backend *be = r->be;
    const device_data *d = &r->rows->data;
    size_t tile = (size_t)r->tile, f32 = sizeof(float), weights = (size_t)r->sums * tile;
    if (d->block == NULL)
        return am_fail(err, AM_ERR_INTERNAL, "response: training rows with blocks are needed");
    r->x = be->op->alloc(be, tile * (size_t)d->inputs * f32, "rows");
    if (d->label != NULL)
        r->label = be->op->alloc(be, tile * sizeof(int32_t), "labels");
    else
        r->target = be->op->alloc(be, tile * (size_t)d->outputs * f32, "targets");
    r->loss = be->op->alloc(be, sizeof(double) * (size_t)networks, "loss");
    r->weight = be->op->alloc(be, f32 * weights, "weights of the rows");
    r->shared = be->op->alloc(be, f32 * weights * (size_t)networks, "weights of the rows");
    AM_TRY(open_ones(r, networks, err));
    return network_open(&r->net, be, t, networks, r->tile, true, err);
}

am_status row_gradients_open(row_gradients *r, backend *be, const target *t, int networks,
                             const device_rows *rows, int64_t blocks, int sums,
                             const dev_f32 *weight, am_error *err)
{
    *r = (row_gradients){
        .be = be, .rows = rows, .blocks = blocks, .sums = sums, .of_blocks = weight};
    r->tile = (int)AM_MIN((int64_t)TILE, rows->data.n);
    am_status status = open_buffers(r, t, networks, err);
    if (status != AM_OK)
        row_gradients_close(r);
    return status;
}

void row_gradients_close(row_gradients *r)
{
    if (r->be == NULL)
        return;
    void *owned[] = {r->x, r->target, r->label, r->loss, r->weight, r->shared, r->ones};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        r->be->op->release(r->be, owned[i]);
    network_close(&r->net);
    *r = (row_gradients){0};
}

/* The weights of rows first .. first + count, for every network. */
static void weigh_rows(row_gradients *r, int64_t first, int count)
{
    backend *be = r->be;
    row_weights_args of_rows = {.data = &r->rows->data,
                                .first = first,
                                .models = r->sums,
                                .rows = count,
                                .sets = 1,
                                .blocks = r->blocks,
                                .omega = r->of_blocks,
                                .weight = r->weight};
    be->op->row_weights(be, &of_rows);
    matmul_args repeat = {.batch = r->sums, /* shared_s = 1 · weight_s */
                          .m = r->net.models,
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
                          .c_stride = (int64_t)r->net.models * count};
    be->op->matmul(be, &repeat);
}

static void add_tile(row_gradients *r, int64_t first, int count, dev_f32 *theta, dev_f32 *g)
{
    backend *be = r->be;
    const target *t = r->net.t;
    gather_args gather = {.data = &r->rows->data,
                          .first = first,
                          .count = count,
                          .x = r->x,
                          .label = r->label,
                          .target = r->target};
    be->op->gather(be, &gather);
    network_input in = {r->x, 1, count, r->net.models};
    theta_view at = {theta, t->params};
    network_forward(&r->net, &in, at, 0);
    weigh_rows(r, first, count);
    loss_args loss = {.kind = t->loss,
                      .models = r->net.models,
                      .rows = count,
                      .outputs = t->size[t->layers],
                      .divisor = (double)r->rows->data.n,
                      .grad_scale = 1,
                      .logits = network_logits(&r->net),
                      .label = r->label,
                      .target = r->target,
                      .dlogits = network_dlogits(&r->net),
                      .loss = r->loss};
    for (int64_t s = 0; s < r->sums; s++) {
        theta_view to = {f32_at(g, s * t->params), r->sums * t->params};
        loss.weight = f32_at(r->shared, s * r->net.models * count);
        be->op->loss(be, &loss);
        network_backward(&r->net, &in, at, to, 0, true);
    }
}

void row_gradients_compute(row_gradients *r, dev_f32 *theta, dev_f32 *g)
{
    int64_t n = r->rows->data.n, values = r->net.models * r->sums * r->net.t->params;
    r->be->op->zero(r->be, g, sizeof(float) * (size_t)values);
    for (int64_t first = 0; first < n; first += r->tile)
        add_tile(r, first, (int)AM_MIN((int64_t)r->tile, n - first), theta, g);
}
