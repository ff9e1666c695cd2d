/* mix — the factored plan's contraction over features (METHOD §3). */
#include "gpu.h"

/* A_m = act(Σ_k c_mk Z_k) for MIX_MODELS models and, a thread, WIDTH columns: 4·(R/MIX_MODELS + 1)
 * bytes an output, Z from the second-level cache when M > MIX_MODELS, and 2R operations. Bound by
 * memory, by the writing of A when M is large. c passes through shared memory in tiles
 * (MIX_FEATURES, MIX_MODELS). */
enum { MIX_MODELS = 8, MIX_COLUMNS = 4, MIX_FEATURES = 64 };

template <int WIDTH> struct mix_columns {
    float x[WIDTH];
};

static __device__ void load_columns(const float *from, mix_columns<4> &v)
{
    float4 x = *(const float4 *)from;
    v.x[0] = x.x, v.x[1] = x.y, v.x[2] = x.z, v.x[3] = x.w;
}

static __device__ void load_columns(const float *from, mix_columns<1> &v)
{
    v.x[0] = *from;
}

static __device__ void store_columns(float *to, const mix_columns<4> &v)
{
    *(float4 *)to = make_float4(v.x[0], v.x[1], v.x[2], v.x[3]);
}

static __device__ void store_columns(float *to, const mix_columns<1> &v)
{
    *to = v.x[0];
}

/* c[k][m] of features [from, from + MIX_FEATURES) and models [first, first + MIX_MODELS) */
static __device__ void load_mix(const mix_forward_args &a, int first, int from,
                                float c[MIX_FEATURES][MIX_MODELS])
{
    __syncthreads(); /* the last tile has been used */
    for (int i = (int)threadIdx.x; i < MIX_FEATURES * MIX_MODELS; i += (int)blockDim.x) {
        int m = first + i % MIX_MODELS, k = from + i / MIX_MODELS;
        bool inside = m < a.models && k < a.features;
        c[i / MIX_MODELS][i % MIX_MODELS] = inside ? f32(a.c)[(int64_t)m * a.features + k] : 0.0f;
    }
    __syncthreads();
}

template <int WIDTH> static __global__ void mix_forward_kernel(mix_forward_args a, int column_tiles)
{
    __shared__ float c[MIX_FEATURES][MIX_MODELS];
    int first = (int)(blockIdx.x / (unsigned)column_tiles) * MIX_MODELS;
    int64_t column = (int64_t)(blockIdx.x % (unsigned)column_tiles) * blockDim.x + threadIdx.x;
    column *= WIDTH;
    bool inside = column < a.count;
    float sum[MIX_MODELS][WIDTH] = {};
    for (int from = 0; from < a.features; from += MIX_FEATURES) {
        load_mix(a, first, from, c);
        int n = a.features - from < MIX_FEATURES ? a.features - from : MIX_FEATURES;
        for (int k = 0; inside && k < n; k++) {
            mix_columns<WIDTH> z;
            load_columns(f32(a.z) + (from + k) * a.count + column, z);
#pragma unroll
            for (int m = 0; m < MIX_MODELS; m++)
#pragma unroll
                for (int w = 0; w < WIDTH; w++)
                    sum[m][w] = fmaf(c[k][m], z.x[w], sum[m][w]);
        }
    }
#pragma unroll
    for (int m = 0; m < MIX_MODELS; m++) {
        if (!inside || first + m >= a.models)
            break;
        mix_columns<WIDTH> y;
#pragma unroll
        for (int w = 0; w < WIDTH; w++)
            y.x[w] = activated(sum[m][w], a.act);
        store_columns(f32(a.a) + (first + m) * a.count + column, y);
    }
}

void cuda_mix_forward(backend *be, const mix_forward_args *a)
{
    const char *op = "mix_forward";
    CUDA_REQUIRE(be, op, a->models > 0 && a->features > 0 && a->count > 0);
    bool wide = a->count % MIX_COLUMNS == 0 && aligned16(a->z) && aligned16(a->a);
    int column_tiles = (int)divide_up(a->count, (wide ? MIX_COLUMNS : 1) * BLOCK);
    unsigned grid = (unsigned)(column_tiles * divide_up(a->models, MIX_MODELS));
    if (wide)
        CUDA_LAUNCH(be, op, mix_forward_kernel<MIX_COLUMNS>, grid, BLOCK, 0, *a, column_tiles);
    else
        CUDA_LAUNCH(be, op, mix_forward_kernel<1>, grid, BLOCK, 0, *a, column_tiles);
}

/* dA ← act'(A)∘dA in place: 12 bytes and 3 operations an element, bound by memory */
static __global__ void mix_gradient_kernel(int64_t n, float *da, const float *y, activation act,
                                           int64_t quads)
{
    int64_t i = thread_index();
    if (i < quads) {
        float4 d = ((float4 *)da)[i], out = ((const float4 *)y)[i];
        d.x = activation_gradient(d.x, out.x, act);
        d.y = activation_gradient(d.y, out.y, act);
        d.z = activation_gradient(d.z, out.z, act);
        d.w = activation_gradient(d.w, out.w, act);
        ((float4 *)da)[i] = d;
    } else if (i - quads + 4 * quads < n) {
        i += 3 * quads;
        da[i] = activation_gradient(da[i], y[i], act);
    }
}

static void mix_gradient(backend *be, const char *op, const mix_backward_args *a)
{
    int64_t n = a->models * a->count, quads = aligned16(a->da) && aligned16(a->a) ? n / 4 : 0;
    CUDA_LAUNCH(be, op, mix_gradient_kernel, blocks_of(n - 3 * quads), BLOCK, 0, n, f32(a->da),
                f32(a->a), a->act, quads);
}

void cuda_mix_backward(backend *be, const mix_backward_args *a)
{
    const char *op = "mix_backward";
    CUDA_REQUIRE(be, op, a->models > 0 && a->features > 0 && a->count > 0);
    if (a->act != ACT_NONE)
        mix_gradient(be, op, a);
    /* E (R,count) = cᵀ (R,M) · dA (M,count) */
    matmul_args mixed = {.batch = 1,
                         .transpose_a = true,
                         .transpose_b = false,
                         .m = a->features,
                         .n = a->count,
                         .k = a->models,
                         .alpha = 1.0f,
                         .beta = 0.0f,
                         .a = a->c,
                         .lda = a->features,
                         .a_stride = 0,
                         .b = a->da,
                         .ldb = a->count,
                         .b_stride = 0,
                         .c = a->e,
                         .ldc = a->count,
                         .c_stride = 0};
    cuda_gemm(be, op, &mixed);
    if (a->dc == NULL)
        return;
    /* dc (M,R) += dA (M,count) · Zᵀ (count,R) */
    matmul_args weights = {.batch = 1,
                           .transpose_a = false,
                           .transpose_b = true,
                           .m = a->models,
                           .n = a->features,
                           .k = a->count,
                           .alpha = 1.0f,
                           .beta = 1.0f,
                           .a = a->da,
                           .lda = a->count,
                           .a_stride = 0,
                           .b = a->z,
                           .ldb = a->count,
                           .b_stride = 0,
                           .c = a->dc,
                           .ldc = a->features,
                           .c_stride = 0};
    cuda_gemm(be, op, &weights);
}
