#include "response/block_gradients.h"

#include <stdlib.h>

enum { TILE = 512, CHUNK = 64 };

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

static am_status open_centring(block_gradients *b, am_error *err)
{
    backend *be = b->be;
    size_t blocks = (size_t)b->blocks, bytes = sizeof(float) * blocks * blocks;
    float *host = am_alloc(blocks * blocks, sizeof *host, "blocks", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < blocks * blocks; i++)
        host[i] = (float)((i / blocks == i % blocks ? 1.0 : 0.0) - 1.0 / (double)blocks);
    b->mixing = b->centring = be->op->alloc(be, bytes, "blocks");
    be->op->upload(be, b->centring, host, bytes);
    am_status status = be->op->sync(be, err);
    free(host);
    return status;
}

static am_status open_buffers(block_gradients *b, const target *t, int networks, am_error *err)
{
    backend *be = b->be;
    const device_data *d = &b->rows->data;
    size_t tile = (size_t)b->tile, f32 = sizeof(float);
    if (d->block == NULL)
        return am_fail(err, AM_ERR_INTERNAL, "response: training rows with blocks are needed");
    b->x = be->op->alloc(be, tile * (size_t)d->inputs * f32, "rows");
    if (d->label != NULL)
        b->label = be->op->alloc(be, tile * sizeof(int32_t), "labels");
    else
        b->target = be->op->alloc(be, tile * (size_t)d->outputs * f32, "targets");
    b->loss = be->op->alloc(be, sizeof(double) * (size_t)networks, "loss");
    b->raw = be->op->alloc(be, f32 * (size_t)networks * (size_t)b->chunk * (size_t)t->params,
                           "gradients of the blocks");
    AM_TRY(be->op->sync(be, err));
    AM_TRY(sort_rows(b, err));
    return network_open(&b->net, be, t, networks, b->tile, true, err);
}

am_status block_gradients_open(block_gradients *b, backend *be, const target *t, int networks,
                               const device_rows *rows, int64_t blocks, am_error *err)
{
    *b = (block_gradients){.be = be, .rows = rows, .blocks = blocks, .sums = blocks};
    b->chunk = blocks;
    b->tile = (int)AM_MIN((int64_t)TILE, rows->data.n);
    am_status status = open_buffers(b, t, networks, err);
    if (status == AM_OK)
        status = open_centring(b, err);
    if (status != AM_OK)
        block_gradients_close(b);
    return status;
}

am_status block_gradients_open_sums(block_gradients *b, backend *be, const target *t, int networks,
                                    const device_rows *rows, int64_t blocks, int64_t sums,
                                    const dev_f32 *mixing, am_error *err)
{
    *b =
        (block_gradients){.be = be, .rows = rows, .blocks = blocks, .sums = sums, .mixing = mixing};
    b->chunk = AM_MIN((int64_t)CHUNK, blocks);
    b->tile = (int)AM_MIN((int64_t)TILE, rows->data.n);
    am_status status = open_buffers(b, t, networks, err);
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

/* Adds the rows order[first .. first+count) to the gradient in `place` of raw. */
static void add_tile(block_gradients *b, int64_t place, int64_t first, int count, dev_f32 *theta)
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
    theta_view at = {theta, t->params},
               to = {f32_at(b->raw, place * t->params), b->chunk * t->params};
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
static void add_block(block_gradients *b, int64_t k, int64_t place, dev_f32 *theta)
{
    int64_t begin = b->begin[k], count = b->begin[k + 1] - begin;
    int64_t tiles = (count + b->tile - 1) / b->tile;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = count * i / tiles, last = count * (i + 1) / tiles;
        add_tile(b, place, begin + first, (int)(last - first), theta);
    }
}

void block_gradients_compute(block_gradients *b, dev_f32 *theta, dev_f32 *g)
{
    backend *be = b->be;
    int64_t params = b->net.t->params;
    size_t bytes = sizeof(float) * (size_t)(b->net.models * b->chunk * params);
    for (int64_t first = 0; first < b->blocks; first += b->chunk) {
        int64_t count = AM_MIN(b->chunk, b->blocks - first);
        be->op->zero(be, b->raw, bytes);
        for (int64_t k = 0; k < count; k++)
            add_block(b, first + k, k, theta);
        matmul_args a = {.batch = b->net.models, /* g (+)= mixing · raw */
                         .m = b->sums,
                         .n = params,
                         .k = count,
                         .alpha = 1,
                         .beta = first > 0 ? 1 : 0,
                         .a = f32_at(b->mixing, first),
                         .lda = b->blocks,
                         .b = b->raw,
                         .ldb = params,
                         .b_stride = b->chunk * params,
                         .c = g,
                         .ldc = params,
                         .c_stride = b->sums * params};
        be->op->matmul(be, &a);
    }
}
