/* adam — Adam on gradients that lie in memory, and on a head whose gradient never does. */
#include "adam_step.h"

/* ---- adam ------------------------------------------------------------------------------------ */

/* 28 bytes a parameter (θ, m, v read and written, g read) and some 15 operations: bound by memory,
 * 6.5 ns a thousand parameters at 4.3 TB/s. Four parameters a thread, 16 bytes an access, where
 * every row is aligned; the tail, and rows that are not, one at a time. grid: row tiles within
 * rows. */
enum { ADAM_QUADS = 4 }; /* float4 a thread */

static __device__ void adam_quad(const adam_step &s, float rate, int64_t i, const float *grad,
                                 float *theta, float *moment1, float *moment2)
{
    float4 g = ((const float4 *)grad)[i], t = ((float4 *)theta)[i], m = ((float4 *)moment1)[i],
           v = ((float4 *)moment2)[i];
    adam_update(s, rate, g.x, &t.x, &m.x, &v.x);
    adam_update(s, rate, g.y, &t.y, &m.y, &v.y);
    adam_update(s, rate, g.z, &t.z, &m.z, &v.z);
    adam_update(s, rate, g.w, &t.w, &m.w, &v.w);
    ((float4 *)theta)[i] = t;
    ((float4 *)moment1)[i] = m;
    ((float4 *)moment2)[i] = v;
}

static __global__ void adam_kernel(adam_args a, int64_t quads, unsigned blocks_per_row)
{
    if (run_halted(a.rule))
        return;
    adam_step s = block_adam_step(a.rule);
    int64_t row = blockIdx.x / blocks_per_row, at = row * a.columns;
    int64_t thread = (int64_t)(blockIdx.x % blocks_per_row) * BLOCK + threadIdx.x;
    int64_t threads = (int64_t)blocks_per_row * BLOCK;
    float rate = a.rate_scale != NULL ? s.rate * f32(a.rate_scale)[row] : s.rate;
    const float *grad = f32(a.grad) + at;
    float *theta = f32(a.theta) + at, *m = f32(a.moment1) + at, *v = f32(a.moment2) + at;
    for (int64_t i = thread; i < quads; i += threads)
        adam_quad(s, rate, i, grad, theta, m, v);
    for (int64_t i = 4 * quads + thread; i < a.columns; i += threads)
        adam_update(s, rate, grad[i], theta + i, m + i, v + i);
}

void cuda_adam(backend *be, const adam_args *a)
{
    const char *op = "adam";
    CUDA_REQUIRE(be, op, a->rows > 0 && a->columns > 0);
    adam_args flat = *a;
    if (a->rate_scale == NULL) { /* rows do not matter then */
        flat.columns = a->rows * a->columns;
        flat.rows = 1;
    }
    bool aligned = aligned16(a->theta) && aligned16(a->grad) && aligned16(a->moment1) &&
                   aligned16(a->moment2) && (flat.rows == 1 || flat.columns % 4 == 0);
    int64_t quads = aligned ? flat.columns / 4 : 0;
    int64_t work = quads > 0 ? divide_up(quads, ADAM_QUADS) : divide_up(flat.columns, 4);
    unsigned blocks_per_row = blocks_of(work);
    CUDA_LAUNCH(be, op, adam_kernel, (unsigned)(flat.rows * blocks_per_row), BLOCK, 0, flat, quads,
                blocks_per_row);
}

/* ---- adam_outer ------------------------------------------------------------------------------ */

/* One column of Θ a thread, OUTER_FEATURES features: the gradient Σ_m c_mk g_m is formed in
 * registers and used up. Floor: 24R + 4M bytes a parameter of the target (θ, m, v of every feature
 * read and written, G read; G comes again from cache for every further tile of features) and 2MR
 * operations; bound by memory while M < 60 on an H200 in fp32. Rows begin P floats apart, at any
 * alignment: 4 bytes a thread, 128 a warp, OUTER_BATCH features' loads in flight together. */
enum { OUTER_FEATURES = 8, OUTER_BATCH = 4, OUTER_MODELS = 64 };

/* c[m][q] of models [first, first + OUTER_MODELS), features [k0, k0 + OUTER_FEATURES) */
static __device__ void load_outer(const adam_outer_args &a, int first, int k0,
                                  float c[OUTER_MODELS][OUTER_FEATURES])
{
    __syncthreads(); /* the last tile has been used */
    for (int i = (int)threadIdx.x; i < OUTER_MODELS * OUTER_FEATURES; i += BLOCK) {
        int m = first + i / OUTER_FEATURES, k = k0 + i % OUTER_FEATURES;
        bool inside = m < a.models && k < a.features;
        c[i / OUTER_FEATURES][i % OUTER_FEATURES] =
            inside ? f32(a.c)[(int64_t)m * a.features + k] : 0.0f;
    }
    __syncthreads();
}

/* OUTER_BATCH features of one column: all loads, the update, all stores */
static __device__ void outer_update(const adam_outer_args &a, const adam_step &s, int k0,
                                    int64_t column, const float *gradient)
{
    float theta[OUTER_BATCH], m[OUTER_BATCH], v[OUTER_BATCH];
    int64_t at = (int64_t)k0 * a.params + column;
#pragma unroll
    for (int q = 0; q < OUTER_BATCH; q++) {
        bool inside = k0 + q < a.features;
        theta[q] = inside ? f32(a.theta)[at + q * a.params] : 0.0f;
        m[q] = inside ? f32(a.moment1)[at + q * a.params] : 0.0f;
        v[q] = inside ? f32(a.moment2)[at + q * a.params] : 0.0f;
    }
#pragma unroll
    for (int q = 0; q < OUTER_BATCH; q++) {
        adam_update(s, s.rate, gradient[q], theta + q, m + q, v + q);
        if (k0 + q >= a.features)
            continue;
        f32(a.theta)[at + q * a.params] = theta[q];
        f32(a.moment1)[at + q * a.params] = m[q];
        f32(a.moment2)[at + q * a.params] = v[q];
    }
}

static __global__ void adam_outer_kernel(adam_outer_args a, int64_t column_tiles)
{
    __shared__ float c[OUTER_MODELS][OUTER_FEATURES];
    if (run_halted(a.rule))
        return;
    adam_step s = block_adam_step(a.rule);
    int k0 = (int)(blockIdx.x / column_tiles) * OUTER_FEATURES;
    int64_t column = blockIdx.x % column_tiles * BLOCK + threadIdx.x;
    float gradient[OUTER_FEATURES] = {};
    for (int first = 0; first < a.models; first += OUTER_MODELS) {
        load_outer(a, first, k0, c);
        int n = a.models - first < OUTER_MODELS ? a.models - first : OUTER_MODELS;
        for (int m = 0; column < a.params && m < n; m++) {
            float g = f32(a.grad)[(int64_t)(first + m) * a.params + column];
#pragma unroll
            for (int q = 0; q < OUTER_FEATURES; q++)
                gradient[q] = fmaf(c[m][q], g, gradient[q]);
        }
    }
    if (column >= a.params)
        return;
#pragma unroll
    for (int q = 0; q < OUTER_FEATURES; q += OUTER_BATCH)
        outer_update(a, s, k0 + q, column, gradient + q);
}

void cuda_adam_outer(backend *be, const adam_outer_args *a)
{
    const char *op = "adam_outer";
    CUDA_REQUIRE(be, op, a->models > 0 && a->features > 0 && a->params > 0);
    int64_t column_tiles = divide_up(a->params, BLOCK);
    unsigned grid = (unsigned)(column_tiles * divide_up(a->features, OUTER_FEATURES));
    CUDA_LAUNCH(be, op, adam_outer_kernel, grid, BLOCK, 0, *a, column_tiles);
}
