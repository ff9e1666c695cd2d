#include "response/block_gradients.h"

#include <stdlib.h>

enum { TILE = 512, CHUNK = 64 };

/* Counting sort of the rows by block, stable. */
static am_status sort_rows(block_gradients *b, am_error *err)
{
    backend *be = b->be;
    int64_t n = b->pass.rows->data.n;
    uint32_t *block = am_alloc((size_t)n, sizeof *block, "blocks", err);
    uint32_t *order = am_alloc((size_t)n, sizeof *order, "blocks", err);
    int64_t *next = am_alloc((size_t)b->blocks, sizeof *next, "blocks", err);
    b->begin = am_alloc((size_t)b->blocks + 1, sizeof *b->begin, "blocks", err);
    am_status status = block && order && next && b->begin ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status =
            be->op->download(be, block, b->pass.rows->data.block, sizeof *block * (size_t)n, err);
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

static am_status open_buffers(block_gradients *b, const target *t, int networks,
                              const device_rows *rows, am_error *err)
{
    backend *be = b->be;
    AM_TRY(row_pass_open(&b->pass, be, t, networks, rows, TILE, err));
    size_t values = (size_t)networks * (size_t)b->chunk * (size_t)t->params;
    b->raw = be->op->alloc(be, sizeof(float) * values, "gradients of the blocks");
    AM_TRY(be->op->sync(be, err));
    return sort_rows(b, err);
}

am_status block_gradients_open(block_gradients *b, backend *be, const target *t, int networks,
                               const device_rows *rows, int64_t blocks, am_error *err)
{
    *b = (block_gradients){.be = be, .blocks = blocks, .chunk = blocks, .sums = blocks};
    am_status status = open_buffers(b, t, networks, rows, err);
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
    *b = (block_gradients){.be = be, .blocks = blocks, .sums = sums, .mixing = mixing};
    b->chunk = AM_MIN((int64_t)CHUNK, blocks);
    am_status status = open_buffers(b, t, networks, rows, err);
    if (status != AM_OK)
        block_gradients_close(b);
    return status;
}

void block_gradients_close(block_gradients *b)
{
    if (b->be == NULL)
        return;
    void *owned[] = {b->order, b->raw, b->centring};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        b->be->op->release(b->be, owned[i]);
    free(b->begin);
    row_pass_close(&b->pass);
    *b = (block_gradients){0};
}

/* Adds the rows order[first .. first+count) to the gradient in `place` of raw. */
static void add_tile(block_gradients *b, int64_t place, int64_t first, int count, dev_f32 *theta)
{
    int64_t params = b->pass.net.t->params;
    row_pass_forward(&b->pass, u32_at(b->order, first), 0, count, theta);
    row_pass_backward(&b->pass, NULL, theta,
                      (theta_view){f32_at(b->raw, place * params), b->chunk * params});
}

/* In tiles of about the same size. */
static void add_block(block_gradients *b, int64_t k, int64_t place, dev_f32 *theta)
{
    int64_t begin = b->begin[k], count = b->begin[k + 1] - begin;
    int64_t tiles = (count + b->pass.tile - 1) / b->pass.tile;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = count * i / tiles, last = count * (i + 1) / tiles;
        add_tile(b, place, begin + first, (int)(last - first), theta);
    }
}

void block_gradients_compute(block_gradients *b, dev_f32 *theta, dev_f32 *g)
{
    backend *be = b->be;
    int networks = b->pass.net.models;
    int64_t params = b->pass.net.t->params;
    size_t bytes = sizeof(float) * (size_t)(networks * b->chunk * params);
    for (int64_t first = 0; first < b->blocks; first += b->chunk) {
        int64_t count = AM_MIN(b->chunk, b->blocks - first);
        be->op->zero(be, b->raw, bytes);
        for (int64_t k = 0; k < count; k++)
            add_block(b, first + k, k, theta);
        matmul_args a = {.batch = networks, /* g (+)= mixing · raw */
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
