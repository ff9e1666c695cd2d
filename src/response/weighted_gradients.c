#include "response/weighted_gradients.h"

#include "draw/philox.h"

#include <stdlib.h>

/* Blocks of fewer rows than this keep no matrix product busy, and their gradients are many. */
enum { ROWS_OF_A_BLOCK = 16 };

am_status weights_drawn(backend *be, const weight_source *from, int draws, dev_f32 *omega,
                        am_error *err)
{
    dev_u64 *step = be->op->alloc(be, sizeof(uint64_t), "step counter");
    draw_omega_args a = {.kind = from->kind,
                         .seed = seed_for(from->seed, STREAM_DRAWN),
                         .alpha = from->alpha,
                         .draws = draws,
                         .blocks = from->blocks,
                         .step = step,
                         .omega = omega};
    be->op->draw_omega(be, &a);
    am_status status = be->op->sync(be, err);
    be->op->release(be, step);
    return status;
}

/* ω_s ← ω_s − ω̄_s */
static void centre(float *omega, int64_t count)
{
    double sum = 0.0;
    for (int64_t b = 0; b < count; b++)
        sum += (double)omega[b];
    double mean = sum / (double)count;
    for (int64_t b = 0; b < count; b++)
        omega[b] = (float)((double)omega[b] - mean);
}

/* Each vector by way of the host: a mean over many blocks is to be exact. */
static am_status draw_deviation(weighted_gradients *w, am_error *err)
{
    backend *be = w->be;
    int64_t blocks = w->from.blocks;
    size_t row = sizeof(float) * (size_t)blocks;
    float *one = am_alloc((size_t)blocks, sizeof *one, "drawn weights", err);
    am_status status =
        one != NULL ? weights_drawn(be, &w->from, w->draws, w->deviation, err) : AM_ERR_MEMORY;
    for (int s = 0; status == AM_OK && s < w->draws; s++) {
        dev_f32 *at = f32_at(w->deviation, s * blocks);
        status = be->op->download(be, one, at, row, err);
        if (status == AM_OK) {
            centre(one, blocks);
            be->op->upload(be, at, one, row);
            status = be->op->sync(be, err);
        }
    }
    free(one);
    w->drawn = status == AM_OK;
    return status;
}

am_status weighted_gradients_open(weighted_gradients *w, backend *be, const target *t, int networks,
                                  const device_rows *rows, const weight_source *from, int draws,
                                  am_error *err)
{
    int64_t blocks = from->blocks;
    *w = (weighted_gradients){.be = be, .from = *from, .draws = draws};
    if (draws == 0)
        return block_gradients_open(&w->blocks, be, t, networks, rows, blocks, err);
    w->by_rows = rows->data.n / blocks < ROWS_OF_A_BLOCK;
    size_t bytes = sizeof(float) * (size_t)draws * (size_t)blocks;
    w->deviation = be->op->alloc(be, bytes, "drawn weights");
    am_status status = be->op->sync(be, err);
    if (status == AM_OK && w->by_rows)
        status =
            row_gradients_open(&w->rows, be, t, networks, rows, blocks, draws, w->deviation, err);
    else if (status == AM_OK)
        status = block_gradients_open_sums(&w->blocks, be, t, networks, rows, blocks, draws,
                                           w->deviation, err);
    if (status != AM_OK)
        weighted_gradients_close(w);
    return status;
}

void weighted_gradients_close(weighted_gradients *w)
{
    if (w->be == NULL)
        return;
    w->be->op->release(w->be, w->deviation);
    block_gradients_close(&w->blocks);
    row_gradients_close(&w->rows);
    *w = (weighted_gradients){0};
}

am_status weighted_gradients_compute(weighted_gradients *w, dev_f32 *theta, dev_f32 *g,
                                     am_error *err)
{
    if (w->draws > 0 && !w->drawn)
        AM_TRY(draw_deviation(w, err));
    if (w->by_rows)
        row_gradients_compute(&w->rows, theta, g);
    else
        block_gradients_compute(&w->blocks, theta, g);
    return AM_OK;
}
