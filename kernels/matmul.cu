/* matmul — batched matrix products, cuBLAS underneath.
 *
 * 2·m·n·k operations over 4·(m·k + k·n + m·n) bytes an item. Training shapes (128 × 64 × 784, ten
 * models) are 12.8 MFLOP of 5 MB together, 10 operations a byte: on an H200 bound by memory and,
 * as there is so little of it, by latency. */
#include "gpu.h"

/* A long k with a small C (Gram matrices, dθ·Θᵀ) is cut into spans, one item of a batch each, whose
 * partial products are added in double: that fills the device, keeps the error of a dot product of
 * 50 000 terms near that of one of 1 024, and fixes the shape of the sum. */
enum {
    SPAN = 1024, /* k of one partial product, at least */
    MAX_SPANS = 64,
    SPLIT_K = 4 * SPAN,      /* smallest k that is cut */
    SPLIT_OUTPUTS = 1 << 18, /* largest C that is cut: 64 MiB of partial products */
    BLAS_INT_MAX = 2147483647
};

/* Row-major C (m,n) = op(A)·op(B) is column-major Cᵀ (n,m) = op(B)ᵀ·op(A)ᵀ: the operands change
 * places and nothing is transposed. */
static void multiply(backend *be, const char *op, const matmul_args *a)
{
    cuda_backend *gpu = cuda_of(be);
    cublasOperation_t left = a->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasOperation_t right = a->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    int m = (int)a->m, n = (int)a->n, k = (int)a->k;
    int lda = (int)a->lda, ldb = (int)a->ldb, ldc = (int)a->ldc;
    cublasStatus_t status;
    if (a->batch == 1)
        status = cublasGemmEx(gpu->blas, left, right, n, m, k, &a->alpha, a->b, CUDA_R_32F, ldb,
                              a->a, CUDA_R_32F, lda, &a->beta, a->c, CUDA_R_32F, ldc, gpu->compute,
                              CUBLAS_GEMM_DEFAULT);
    else
        status = cublasGemmStridedBatchedEx(
            gpu->blas, left, right, n, m, k, &a->alpha, a->b, CUDA_R_32F, ldb, a->b_stride, a->a,
            CUDA_R_32F, lda, a->a_stride, &a->beta, a->c, CUDA_R_32F, ldc, a->c_stride, a->batch,
            gpu->compute, CUBLAS_GEMM_DEFAULT);
    cuda_check_blas(be, op, status);
}

/* C = Σ_spans partial + beta·C: 4·spans bytes read, 4 written an element; bound by memory */
static __global__ void add_spans_kernel(const float *partial, int64_t spans, int64_t m, int64_t n,
                                        float beta, float *c, int64_t ldc)
{
    int64_t i = thread_index();
    if (i >= m * n)
        return;
    float *out = c + i / n * ldc + i % n;
    double sum = beta == 0.0f ? 0.0 : (double)beta * (double)*out;
    for (int64_t s = 0; s < spans; s++)
        sum += (double)partial[s * m * n + i];
    *out = (float)sum;
}

/* The span of k that begins at `from`, as a product of its own into partial (m,n). */
static matmul_args span_product(const matmul_args *a, int64_t from, int64_t k, float *partial)
{
    matmul_args p = *a;
    p.k = k;
    p.beta = 0.0f;
    p.a = f32_at(a->a, from * (a->transpose_a ? a->lda : 1));
    p.b = f32_at(a->b, from * (a->transpose_b ? 1 : a->ldb));
    p.c = (dev_f32 *)partial;
    p.ldc = a->n;
    return p;
}

static void multiply_split(backend *be, const char *op, const matmul_args *a)
{
    int64_t outputs = a->m * a->n;
    /* whole vectors of 16 bytes, so that every span is aligned as the first is */
    int64_t span = divide_up(divide_up(a->k, MAX_SPANS), SPAN) * SPAN;
    int64_t whole = a->k / span, rest = a->k % span, spans = whole + (rest > 0);
    float *partial =
        (float *)cuda_scratch(be, SCRATCH_GEMM, (size_t)(spans * outputs) * sizeof(float));
    if (partial == NULL)
        return;
    matmul_args p = span_product(a, 0, span, partial);
    p.batch = (int)whole;
    p.a_stride = span * (a->transpose_a ? a->lda : 1);
    p.b_stride = span * (a->transpose_b ? 1 : a->ldb);
    p.c_stride = outputs;
    multiply(be, op, &p);
    if (rest > 0) {
        p = span_product(a, whole * span, rest, partial + whole * outputs);
        multiply(be, op, &p);
    }
    CUDA_LAUNCH(be, op, add_spans_kernel, blocks_of(outputs), BLOCK, 0, partial, spans, a->m, a->n,
                a->beta, f32(a->c), a->ldc);
}

void cuda_gemm(backend *be, const char *op, const matmul_args *a)
{
    CUDA_REQUIRE(be, op, a->batch > 0 && a->m > 0 && a->n > 0 && a->k > 0);
    CUDA_REQUIRE(be, op, a->m <= BLAS_INT_MAX && a->n <= BLAS_INT_MAX && a->k <= BLAS_INT_MAX);
    CUDA_REQUIRE(be, op, a->lda >= (a->transpose_a ? a->m : a->k) && a->lda <= BLAS_INT_MAX);
    CUDA_REQUIRE(be, op, a->ldb >= (a->transpose_b ? a->k : a->n) && a->ldb <= BLAS_INT_MAX);
    CUDA_REQUIRE(be, op, a->ldc >= a->n && a->ldc <= BLAS_INT_MAX);
    CUDA_REQUIRE(be, op, a->batch == 1 || a->c_stride != 0);
    if (a->batch == 1 && a->k >= SPLIT_K && a->m <= SPLIT_OUTPUTS / a->n)
        multiply_split(be, op, a);
    else
        multiply(be, op, a);
}

void cuda_matmul(backend *be, const matmul_args *a)
{
    cuda_gemm(be, "matmul", a);
}
