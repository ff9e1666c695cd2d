#include "response/block_gradients.h"

#include <stdlib.h>

enum { TILE = 512 };

/* Counting sort of the rows by block, stable. */
static am_status sort_rows(block_gradients *b, am_error *err)
{
    backend *be = b->be;
    int64_t n = b->rows->data.n;
    uint32_t *block = am_alloc((size_t)n, sizeof *block, "blocks", err);
    uint32_t *order = am_alloc((size_t)n, sizeof *order, "blocks", err);
    int64_t *next = am_alloc((size_t)b->blocks, sizeof *next, "blocks", err);
    b->begin = am_alloc((size_t)b->blocks + 1, sizeof *b->begin, "blocks", err);
    am_status status = block && order && next && b->begin ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = be->op->download(be, block, b->rows->data.block, sizeof *block * (size_t)n, err);
    if (status == AM_OK) {
        for (int64_t i = 0; i < n; i++)
            b->begin[block[i] + 1]++;
        for (int64_t k = 0; k < b->blocks; k++) {
            next[k] = b->begin[k];
            b->begin[k + 1] += b->begin[k];
        }
        for (int64_t i = 0; i < n; i++)
            order[next[block[i]]++] = (uint32_t)i;
        b->order = be->op->alloc(be, sizeof *order * (size_t)n, "order of the rows");
        be->op->upload(be, b->order, order, sizeof *order * (size_t)n);
        status = be->op->sync(be, err);
    }
    free(block);
    free(order);
    free(next);
    return status;
}

static am_status open_centring(block_gradients *b, int64_t params, am_error *err)
{
    backend *be = b->be;
    size_t blocks = (size_t)b->blocks, bytes = sizeof(float) * blocks * blocks;
    float *host = am_alloc(blocks * blocks, sizeof *host, "blocks", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < blocks * blocks; i++)
        host[i] = (float)((i / blocks == i % blocks ? 1.0 : 0.0) - 1.0 / (double)blocks);
    b->raw = be->op->alloc(be, sizeof(float) * (size_t)b->net.models * blocks * (size_t)params,
                           "gradients of the blocks");
    b->centring = be->op->alloc(be, bytes, "blocks");
    be->op->upload(be, b->centring, host, bytes);
    am_status status = be->op->sync(be, err);
    free(host);
    return status;
}

am_status block_gradients_open(block_gradients *b, backend *be, const target *t, int networks,
                               const device_rows *rows, int64_t blocks, am_error *err)
{
    const device_data *d = &rows->data;
    *b = (block_gradients){.be = be, .rows = rows, .blocks = blocks};
    b->tile = (int)AM_MIN((int64_t)TILE, d->n);
    size_t tile = (size_t)b->tile;
    if (d->block == NULL)
        return am_fail(err, AM_ERR_INTERNAL, "response: training rows with blocks are needed");
    b->x = be->op->alloc(be, tile * (size_t)d->inputs * sizeof(float), "rows");
    if (d->label != NULL)
        b->label = be->op->alloc(be, tile * sizeof(int32_t), "labels");
    else
        b->target = be->op->alloc(be, tile * (size_t)d->outputs * sizeof(float), "targets");
    b->loss = be->op->alloc(be, sizeof(double) * (size_t)networks, "loss");
    am_status status = be->op->sync(be, err);
    if (status == AM_OK)
        status = sort_rows(b, err);
    if (status == AM_OK)
        status = network_open(&b->net, be, t, networks, b->tile, true, err);
    if (status == AM_OK)
        status = open_centring(b, t->params, err);
    if (status != AM_OK)
        block_gradients_close(b);
    return status;
}

void block_gradients_close(block_gradients *b)
{
    if (b->be == NULL)
        return;
    void *owned[] = {b->order, b->x, b->label, b->target, b->loss, b->raw, b->centring};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        b->be->op->release(b->be, owned[i]);
    free(b->begin);
    network_close(&b->net);
    *b = (block_gradients){0};
}

/* Adds the rows order[first .. first+count), of block k, to raw. */
static void add_tile(block_gradients *b, int64_t k, int64_t first, int count, dev_f32 *theta)
{
    const target *t = b->net.t;
    gather_args gather = {.data = &b->rows->data,
                          .index = u32_at(b->order, first),
                          .count = count,
                          .x = b->x,
                          .label = b->label,
                          .target = b->target};
    b->be->op->gather(b->be, &gather);
    network_input in = {b->x, 1, count, b->net.models};
    theta_view at = {theta, t->params}, to = {f32_at(b->raw, k * t->params), b->blocks * t->params};
    network_forward(&b->net, &in, at, 0);
    loss_args loss = {.kind = t->loss,
                      .models = b->net.models,
                      .rows = count,
                      .outputs = t->size[t->layers],
                      .divisor = (double)b->rows->data.n,
                      .grad_scale = 1,
                      .logits = network_logits(&b->net),
                      .label = b->label,
                      .target = b->target,
                      .dlogits = network_dlogits(&b->net),
                      .loss = b->loss};
    b->be->op->loss(b->be, &loss);
    network_backward(&b->net, &in, at, to, 0, true);
}

/* In tiles of about the same size. */
static void add_block(block_gradients *b, int64_t k, dev_f32 *theta)
{
    int64_t begin = b->begin[k], count = b->begin[k + 1] - begin;
    int64_t tiles = (count + b->tile - 1) / b->tile;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = count * i / tiles, last = count * (i + 1) / tiles;
        add_tile(b, k, begin + first, (int)(last - first), theta);
    }
}

void block_gradients_compute(block_gradients *b, dev_f32 *theta, dev_f32 *g)
{
    backend *be = b->be;
    int64_t params = b->net.t->params, all = b->net.models * b->blocks * params;
    be->op->zero(be, b->raw, sizeof(float) * (size_t)all);
    for (int64_t k = 0; k < b->blocks; k++)
        add_block(b, k, theta);
    matmul_args a = {.batch = b->net.models, /* g = (I − 11ᵀ/K) raw */
                     .m = b->blocks,
                     .n = params,
                     .k = b->blocks,
                     .alpha = 1,
                     .a = b->centring,
                     .lda = b->blocks,
                     .b = b->raw,
                     .ldb = params,
                     .b_stride = b->blocks * params,
                     .c = g,
                     .ldc = params,
                     .c_stride = b->blocks * params};
    be->op->matmul(be, &a);
}
