/* rows — from row numbers to the inputs, labels and weights of a minibatch. */
#include "gpu.h"

/* Row of the data that item i takes; −1, and a fault, when there is none. */
static __device__ int64_t row_of(const dev_u32 *index, int64_t first, int64_t i, int64_t n,
                                 unsigned long long *fault, fault_kind kind)
{
    int64_t row = index != NULL ? (int64_t)u32(index)[i] : first + i;
    if (row >= 0 && row < n)
        return row;
    report_fault(fault, kind, row);
    return -1;
}

static __device__ void copy_answers(const gather_args &a, const device_data &d, int64_t i,
                                    int64_t row)
{
    if (a.label != NULL)
        i32(a.label)[i] = i32(d.label)[row];
    for (int c = 0; a.target != NULL && c < d.outputs; c++)
        f32(a.target)[i * d.outputs + c] = f32(d.target)[row * d.outputs + c];
}

/* x = scale·raw + shift, four inputs a thread: a warp reads 128 bytes of an image, or 512 of
 * floats, and writes 512. Per input 1 or 4 bytes read, 4 written, 2 operations: bound by memory. A
 * step's 256 × 784 inputs are 1 MB, 0.25 µs at 4 TB/s: the launch is what costs. */
static __global__ void gather4_kernel(gather_args a, device_data d, unsigned long long *fault)
{
    int quads = d.inputs / 4;
    int64_t at = thread_index(), i = at / quads;
    int quad = (int)(at % quads);
    if (i >= a.count)
        return;
    int64_t row = row_of(a.index, a.first, i, d.n, fault, FAULT_GATHER_ROW);
    if (row < 0)
        return;
    float4 raw;
    if (d.bytes != NULL) {
        uchar4 b = ((const uchar4 *)u8(d.bytes))[row * quads + quad];
        raw = make_float4(b.x, b.y, b.z, b.w);
    } else {
        raw = ((const float4 *)f32(d.floats))[row * quads + quad];
    }
    ((float4 *)f32(a.x))[i * quads + quad] =
        make_float4(d.scale * raw.x + d.shift, d.scale * raw.y + d.shift, d.scale * raw.z + d.shift,
                    d.scale * raw.w + d.shift);
    if (quad == 0)
        copy_answers(a, d, i, row);
}

/* The same, one input a thread, for rows of any length and alignment. */
static __global__ void gather1_kernel(gather_args a, device_data d, unsigned long long *fault)
{
    int64_t at = thread_index(), i = at / d.inputs;
    int j = (int)(at % d.inputs);
    if (i >= a.count)
        return;
    int64_t row = row_of(a.index, a.first, i, d.n, fault, FAULT_GATHER_ROW);
    if (row < 0)
        return;
    float raw = d.bytes != NULL ? (float)u8(d.bytes)[row * d.inputs + j]
                                : f32(d.floats)[row * d.inputs + j];
    f32(a.x)[at] = d.scale * raw + d.shift;
    if (j == 0)
        copy_answers(a, d, i, row);
}

/* Rows first..first+count are checked here, an index by the kernel that reads it. */
static bool first_rows_exist(backend *be, const char *op, const dev_u32 *index, int64_t first,
                             int64_t count, int64_t n)
{
    int64_t last = first + count - 1;
    if (index != NULL || (first >= 0 && last < n))
        return true;
    backend_fail(be, AM_ERR_INTERNAL, op, "row %lld is not one of the %lld rows of the data",
                 (long long)(first < 0 ? first : last), (long long)n);
    return false;
}

void cuda_gather(backend *be, const gather_args *a)
{
    const char *op = "gather";
    const device_data *d = a->data;
    CUDA_REQUIRE(be, op, a->count >= 0 && d->inputs > 0);
    CUDA_REQUIRE(be, op, (d->bytes == NULL) != (d->floats == NULL));
    CUDA_REQUIRE(be, op, a->label == NULL || d->label != NULL);
    CUDA_REQUIRE(be, op, a->target == NULL || d->target != NULL);
    if (!first_rows_exist(be, op, a->index, a->first, a->count, d->n) || a->count == 0)
        return;
    unsigned long long *fault = cuda_of(be)->fault;
    bool quads = d->inputs % 4 == 0 && aligned16(a->x) &&
                 aligned16(d->bytes != NULL ? (const void *)d->bytes : d->floats);
    if (quads)
        CUDA_LAUNCH(be, op, gather4_kernel, blocks_of(a->count * (d->inputs / 4)), BLOCK, 0, *a, *d,
                    fault);
    else
        CUDA_LAUNCH(be, op, gather1_kernel, blocks_of(a->count * d->inputs), BLOCK, 0, *a, *d,
                    fault);
}

/* weight[m][b] = ω[m][block of row b]: 12 bytes read, 4 written, scattered; a step's M·B = 1 280
 * weights are nothing beside the launch. */
static __global__ void row_weights_kernel(row_weights_args a, device_data d, int sets,
                                          unsigned long long *fault)
{
    int64_t at = thread_index();
    if (at >= (int64_t)a.models * a.rows)
        return;
    int64_t i = sets > 1 ? at : at % a.rows;
    int64_t row = row_of(a.index, a.first, i, d.n, fault, FAULT_WEIGHT_ROW);
    if (row < 0)
        return;
    int64_t block = u32(d.block)[row];
    if (block >= a.blocks) {
        report_fault(fault, FAULT_WEIGHT_BLOCK, block);
        return;
    }
    f32(a.weight)[at] = f32(a.omega)[at / a.rows * a.blocks + block];
}

void cuda_row_weights(backend *be, const row_weights_args *a)
{
    const char *op = "row_weights";
    int sets = a->index != NULL ? a->sets : 1;
    CUDA_REQUIRE(be, op, a->models > 0 && a->rows > 0 && a->data->block != NULL);
    CUDA_REQUIRE(be, op, a->sets == 1 || a->sets == a->models);
    if (!first_rows_exist(be, op, a->index, a->first, (int64_t)sets * a->rows, a->data->n))
        return;
    CUDA_LAUNCH(be, op, row_weights_kernel, blocks_of((int64_t)a->models * a->rows), BLOCK, 0, *a,
                *a->data, sets, cuda_of(be)->fault);
}
