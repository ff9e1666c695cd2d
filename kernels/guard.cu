/* guard — the gradient's norm, the clip factor, and the halt when something is not finite. */
#include "gpu.h"

/* Tiles of Σ g²; their number depends on the count alone. */
enum { GUARD_TILE = 4096, GUARD_BLOCKS = 1024 };

/* partial[block] = Σ g² over the block's tiles: 4 bytes read an element and one multiplication and
 * addition in double, bound by memory; a step's M·P = 508 900 gradients are 2 MB, in cache. */
static __global__ void square_kernel(const float *grad, int64_t count, double *partial)
{
    bool quads = aligned16(grad);
    double sum = 0.0;
    for (int64_t from = (int64_t)blockIdx.x * GUARD_TILE; from < count;
         from += (int64_t)gridDim.x * GUARD_TILE) {
        int n = (int)(count - from < GUARD_TILE ? count - from : (int64_t)GUARD_TILE);
        int whole = quads ? n / 4 : 0;
        const float *g = grad + from;
        for (int i = (int)threadIdx.x; i < whole; i += BLOCK) {
            float4 x = ((const float4 *)g)[i];
            sum +=
                ((double)x.x * x.x + (double)x.y * x.y) + ((double)x.z * x.z + (double)x.w * x.w);
        }
        for (int i = 4 * whole + (int)threadIdx.x; i < n; i += BLOCK)
            sum += (double)g[i] * g[i];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum;
}

/* Σ c² over a single row, in every thread */
static __device__ double row_square(const float *c, int n)
{
    double sum = 0.0;
    for (int k = (int)threadIdx.x; k < n; k += (int)blockDim.x)
        sum += (double)c[k] * c[k];
    return block_sum(sum);
}

/* ‖cᵀg‖² = Σ_ij (c cᵀ)_ij (g gᵀ)_ij: the outer product itself (R,P) is never formed */
static __device__ double outer_square(const guard_args &a, const float *gram)
{
    double sum = 0.0;
    for (int64_t at = threadIdx.x; at < a.rows * a.rows; at += blockDim.x) {
        const float *ci = f32(a.c) + at / a.rows * a.features;
        const float *cj = f32(a.c) + at % a.rows * a.features;
        double inner = 0.0;
        for (int k = 0; k < a.features; k++)
            inner += (double)ci[k] * cj[k];
        sum += inner * (double)gram[at];
    }
    sum = block_sum(sum);
    return sum < 0.0 ? 0.0 : sum; /* rounding may leave a small negative number; NaN stays */
}

/* One block: norm² from the partial sums or, with more than one outer factor, from the Gram matrix;
 * then the verdict. 8 bytes read a tile or loss, 4 an element of the Gram matrix, a few operations in
 * double: at most some 10 kB, bound by the launch and four block sums, some 3 µs. */
static __global__ void verdict_kernel(guard_args a, const double *partial, int partials,
                                      const float *gram)
{
    guard_state *state = guard_at(a.guard);
    if (state->halted != 0)
        return;
    double square = 0.0, bad = 0.0;
    for (int i = (int)threadIdx.x; i < partials; i += (int)blockDim.x)
        square += partial[i];
    for (int i = (int)threadIdx.x; i < a.losses; i += (int)blockDim.x)
        bad += isfinite(f64(a.loss)[i]) ? 0.0 : 1.0;
    square = block_sum(square);
    bad = block_sum(bad);
    if (gram != NULL)
        square = outer_square(a, gram);
    else if (a.c != NULL)
        square *= row_square(f32(a.c), a.features);
    if (threadIdx.x != 0)
        return;
    state->norm = sqrt(square);
    state->clip_factor = a.clip > 0.0 && state->norm > a.clip ? a.clip / state->norm : 1.0;
    if (bad > 0.0 || !isfinite(square))
        state->halted = 1 + *u64(a.step);
}

/* gram (rows,rows) = g·gᵀ */
static float *gram_of(backend *be, const char *op, const guard_args *a)
{
    float *gram =
        (float *)cuda_scratch(be, SCRATCH_OP, (size_t)(a->rows * a->rows) * sizeof(float));
    if (gram == NULL)
        return NULL;
    matmul_args product = {.batch = 1,
                           .transpose_a = false,
                           .transpose_b = true,
                           .m = a->rows,
                           .n = a->rows,
                           .k = a->columns,
                           .alpha = 1.0f,
                           .beta = 0.0f,
                           .a = a->grad,
                           .lda = a->columns,
                           .a_stride = 0,
                           .b = a->grad,
                           .ldb = a->columns,
                           .b_stride = 0,
                           .c = (dev_f32 *)gram,
                           .ldc = a->rows,
                           .c_stride = 0};
    cuda_gemm(be, op, &product);
    return gram;
}

void cuda_guard(backend *be, const guard_args *a)
{
    const char *op = "guard";
    CUDA_REQUIRE(be, op, a->rows > 0 && a->columns > 0 && a->losses >= 0);
    CUDA_REQUIRE(be, op, a->c == NULL || a->features > 0);
    double *partial = NULL;
    float *gram = NULL;
    int partials = 0;
    if (a->c != NULL && a->rows > 1) {
        gram = gram_of(be, op, a);
    } else {
        int64_t count = a->rows * a->columns, tiles = divide_up(count, GUARD_TILE);
        partials = tiles < GUARD_BLOCKS ? (int)tiles : GUARD_BLOCKS;
        partial = (double *)cuda_scratch(be, SCRATCH_OP, (size_t)partials * sizeof(double));
        if (partial != NULL)
            CUDA_LAUNCH(be, op, square_kernel, (unsigned)partials, BLOCK, 0, f32(a->grad), count,
                        partial);
    }
    if (be->failure.status == AM_OK)
        CUDA_LAUNCH(be, op, verdict_kernel, 1, BLOCK, 0, *a, partial, partials, gram);
}
