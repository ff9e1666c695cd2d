/* curvature — products with the derivatives of one network for many vectors: slope of the
 * activations, curvature of the loss, diagonal of the damping. All are bound by memory: the
 * products between them are cuBLAS's. */
#include "softmax_row.h"

/* t_k ← act'(Y)∘t_k: 8 bytes of t an element, Y (4 bytes) read once a vector and then in cache; one
 * operation. */
static __global__ void slope_kernel(slope_args a)
{
    int64_t i = thread_index();
    if (i < a.vectors * a.count)
        f32(a.t)[i] = activation_gradient(f32(a.t)[i], f32(a.y)[i % a.count], a.act);
}

void cuda_slope(backend *be, const slope_args *a)
{
    const char *op = "slope";
    CUDA_REQUIRE(be, op, a->vectors > 0 && a->count > 0 && a->y != NULL && a->t != NULL);
    if (a->act != ACT_NONE)
        CUDA_LAUNCH(be, op, slope_kernel, blocks_of(a->vectors * a->count), BLOCK, 0, *a);
}

/* t_c ← scale·p_c(t_c − Σ_j p_j t_j), a group of lanes a row of one vector: 8 bytes of t and two
 * exponentials an output, the logits in cache after the first vector. */
static __global__ void curvature_kernel(curvature_args a, int lanes)
{
    int64_t rows_per_block = blockDim.x / (unsigned)lanes;
    int64_t row = blockIdx.x * rows_per_block + (int)threadIdx.x / lanes;
    bool there = row < (int64_t)a.vectors * a.rows;
    int outputs = there ? a.outputs : 0; /* the lanes of a warp stay together */
    row_place p = row_place_of(lanes);
    const float *o = f32(a.logits) + row % a.rows * a.outputs;
    float *t = f32(a.t) + row * a.outputs;
    float max = row_maximum_of(p, o, outputs).max;
    double sum = row_exponentials(p, o, outputs, max), mean = 0.0;
    for (int c = p.lane; c < outputs; c += p.lanes)
        mean += (double)(float)((double)expf(o[c] - max) / sum) * (double)t[c];
    mean = row_sum(p, mean);
    for (int c = p.lane; c < outputs; c += p.lanes) {
        double probability = (double)(float)((double)expf(o[c] - max) / sum);
        t[c] = (float)(a.scale * probability * ((double)t[c] - mean));
    }
}

/* t ← 2·scale·t: 8 bytes an element */
static __global__ void squared_curvature_kernel(curvature_args a, int64_t values)
{
    int64_t i = thread_index();
    if (i < values)
        f32(a.t)[i] *= (float)(2.0 * a.scale);
}

void cuda_curvature(backend *be, const curvature_args *a)
{
    const char *op = "curvature";
    CUDA_REQUIRE(be, op, a->vectors > 0 && a->rows > 0 && a->outputs > 0 && a->t != NULL);
    int64_t rows = (int64_t)a->vectors * a->rows, values = rows * a->outputs;
    int lanes = row_lanes(a->outputs);
    if (a->kind == LOSS_SQUARED)
        CUDA_LAUNCH(be, op, squared_curvature_kernel, blocks_of(values), BLOCK, 0, *a, values);
    else
        CUDA_LAUNCH(be, op, curvature_kernel, (unsigned)divide_up(rows, BLOCK / lanes), BLOCK, 0,
                    *a, lanes);
}

/* y_k ← y_k + (shift + factor·d)∘x_k: 12 bytes and 4 operations an element, d in cache. */
static __global__ void add_diagonal_kernel(add_diagonal_args a)
{
    int64_t i = thread_index();
    if (i < a.vectors * a.count)
        f32(a.y)[i] += ((float)a.shift + (float)a.factor * f32(a.d)[i % a.count]) * f32(a.x)[i];
}

void cuda_add_diagonal(backend *be, const add_diagonal_args *a)
{
    const char *op = "add_diagonal";
    CUDA_REQUIRE(be, op, a->vectors > 0 && a->count > 0 && a->d != NULL);
    CUDA_LAUNCH(be, op, add_diagonal_kernel, blocks_of(a->vectors * a->count), BLOCK, 0, *a);
}
