/* gather and row_weights: from row numbers to the inputs, labels and weights of a minibatch. */
#include "backend/cpu/cpu.h"

#include <string.h>

/* Rows of a minibatch lie anywhere in memory: asked for this many ahead of their turn. */
enum { ROWS_AHEAD = 8, CACHE_LINE = 64 };

/* x = scale·raw + shift over one row of d inputs */
static AM_CLONES void row_of_bytes(float *restrict x, const uint8_t *restrict raw, int inputs,
                                   float scale, float shift)
{
#pragma omp simd
    for (int j = 0; j < inputs; j++)
        x[j] = scale * (float)raw[j] + shift;
}

static AM_CLONES void row_of_floats(float *restrict x, const float *restrict raw, int inputs,
                                    float scale, float shift)
{
#pragma omp simd
    for (int j = 0; j < inputs; j++)
        x[j] = scale * raw[j] + shift;
}

static void ask_for_row(const device_data *data, int64_t row)
{
    const int64_t d = data->inputs;
    const char *at = data->bytes != NULL ? (const char *)(u8(data->bytes) + row * d)
                                         : (const char *)(f32(data->floats) + row * d);
    int64_t bytes = d * (data->bytes != NULL ? 1 : (int64_t)sizeof(float));
    for (int64_t i = 0; i < bytes; i += CACHE_LINE)
        __builtin_prefetch(at + i);
}

/* True when index[0..count), or first..first+count without an index, lie within n rows. */
static bool rows_in_range(backend *be, const char *op, const uint32_t *index, int64_t first,
                          int64_t count, int64_t n)
{
    int64_t low = first, high = first + count - 1;
    if (index != NULL) {
        low = 0;
        high = -1;
        for (int64_t i = 0; i < count; i++)
            high = AM_MAX(high, (int64_t)index[i]);
    }
    if (low >= 0 && high < n)
        return true;
    backend_fail(be, AM_ERR_INTERNAL, op, "row %lld is not one of the %lld rows of the data",
                 (long long)(low < 0 ? low : high), (long long)n);
    return false;
}

void cpu_gather(backend *be, const gather_args *a)
{
    const device_data *data = a->data;
    const uint32_t *index = u32(a->index);
    if (be->failure.status != AM_OK ||
        !rows_in_range(be, "gather", index, a->first, a->count, data->n))
        return;
    if ((data->bytes == NULL) == (data->floats == NULL) || (a->label && !data->label) ||
        (a->target && !data->target)) {
        backend_fail(be, AM_ERR_INTERNAL, "gather",
                     "the data lack the inputs, labels or targets that are asked for");
        return;
    }
    const int64_t d = data->inputs, c = data->outputs;
#pragma omp parallel for schedule(static)                                                          \
    num_threads(be->threads) if (a->count * d > CPU_PARALLEL_WORK)
    for (int64_t i = 0; i < a->count; i++) {
        if (index != NULL && i + ROWS_AHEAD < a->count)
            ask_for_row(data, (int64_t)index[i + ROWS_AHEAD]);
        int64_t row = index != NULL ? (int64_t)index[i] : a->first + i;
        float *x = f32(a->x) + i * d;
        if (data->bytes != NULL)
            row_of_bytes(x, u8(data->bytes) + row * d, data->inputs, data->scale, data->shift);
        else
            row_of_floats(x, f32(data->floats) + row * d, data->inputs, data->scale, data->shift);
        if (a->label != NULL)
            i32(a->label)[i] = i32(data->label)[row];
        if (a->target != NULL)
            memcpy(f32(a->target) + i * c, f32(data->target) + row * c, (size_t)c * sizeof(float));
    }
}

void cpu_row_weights(backend *be, const row_weights_args *a)
{
    const uint32_t *index = u32(a->index); /* (S, B) or NULL */
    const int64_t sets = index != NULL ? a->sets : 1;
    if (be->failure.status != AM_OK ||
        !rows_in_range(be, "row_weights", index, a->first, sets * a->rows, a->data->n))
        return;
    const uint32_t *block = u32(a->data->block);
    if (block == NULL || (a->sets != 1 && a->sets != a->models)) {
        backend_fail(be, AM_ERR_INTERNAL, "row_weights", "the rows have no blocks, or sets is %d",
                     a->sets);
        return;
    }
    for (int64_t m = 0; m < a->models; m++) {
        const float *omega = f32(a->omega) + m * a->blocks;
        float *weight = f32(a->weight) + m * a->rows;
        for (int64_t b = 0; b < a->rows; b++) {
            int64_t at = (sets > 1 ? m * a->rows : 0) + b;
            uint32_t k = block[index != NULL ? (int64_t)index[at] : a->first + b];
            if (k >= a->blocks) {
                backend_fail(be, AM_ERR_INTERNAL, "row_weights", "block %u is not one of %lld", k,
                             (long long)a->blocks);
                return;
            }
            weight[b] = omega[k]; /* weight[m][b] = ω[m][block of row b] */
        }
    }
}
