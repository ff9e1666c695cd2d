/* cuBLAS on CBLAS. Operands are rounded as the tensor cores do for TF32 and BF16. */
#include "harness.h"

#include <cublas_v2.h>

#include <cblas.h>
#include <cstring>

struct cublasContext {
    cudaStream_t stream;
};

namespace cuda_on_cpu
{

/* One matrix of the batch: rows × columns, column-major. */
struct operand {
    const float *start;
    int rows, columns, leading;
    long long stride;
};

struct product {
    bool transpose_a, transpose_b;
    int m, n, k, batch;
    float alpha, beta;
    operand a, b, c;
    int mantissa; /* bits that the operands keep */
};

static cublasStatus_t blas_call(const std::function<cublasStatus_t()> &body)
{
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    cudaError_t error = call(during_capture::allowed, [&] {
        status = body();
        return cudaSuccess;
    });
    if (error == cudaErrorMemoryAllocation)
        return CUBLAS_STATUS_ALLOC_FAILED;
    return error != cudaSuccess ? CUBLAS_STATUS_EXECUTION_FAILED : status;
}

static bool valid(const operand &o)
{
    return o.leading >= (o.rows > 1 ? o.rows : 1);
}

/* Every element of every item of the batch lies in one allocation. */
static bool in_memory(const char *name, const operand &o, int batch)
{
    for (int i = 0; i<batch; i += batch> 1 ? batch - 1 : 1) {
        const float *item = o.start + i * o.stride;
        size_t count = size_t(o.columns - 1) * size_t(o.leading) + size_t(o.rows);
        if (find_allocation(o.start, 0) == nullptr ||
            find_allocation(o.start, 0) != find_allocation(item, count * sizeof *item)) {
            fault("matrix %s of a cuBLAS product, %zu elements, is %s", name, count,
                  describe_address(item));
            return false;
        }
    }
    return true;
}

/* To nearest, ties to even; `bits` of 23. */
static float rounded(float x, int bits)
{
    uint32_t word;
    memcpy(&word, &x, sizeof word);
    if ((word & 0x7F800000u) == 0x7F800000u)
        return x;
    uint32_t unit = uint32_t(1) << (23 - bits);
    word += unit / 2 - 1 + (word / unit & 1);
    word &= ~(unit - 1);
    memcpy(&x, &word, sizeof x);
    return x;
}

static std::vector<float> rounded_item(const operand &o, long long item, int bits)
{
    std::vector<float> x(size_t(o.columns - 1) * size_t(o.leading) + size_t(o.rows));
    const float *from = o.start + item * o.stride;
    for (size_t i = 0; i < x.size(); i++)
        x[i] = rounded(from[i], bits);
    return x;
}

static void multiply(const product &p)
{
    for (long long i = 0; i < p.batch; i++) {
        const float *a = p.a.start + i * p.a.stride, *b = p.b.start + i * p.b.stride;
        std::vector<float> short_a, short_b;
        if (p.mantissa < 23) {
            short_a = rounded_item(p.a, i, p.mantissa);
            short_b = rounded_item(p.b, i, p.mantissa);
            a = short_a.data();
            b = short_b.data();
        }
        cblas_sgemm(CblasColMajor, p.transpose_a ? CblasTrans : CblasNoTrans,
                    p.transpose_b ? CblasTrans : CblasNoTrans, p.m, p.n, p.k, p.alpha, a,
                    p.a.leading, b, p.b.leading, p.beta,
                    const_cast<float *>(p.c.start) + i * p.c.stride, p.c.leading);
    }
}

static cublasStatus_t submit_product(cublasHandle_t handle, const product &p)
{
    if (p.m < 0 || p.n < 0 || p.k < 0 || p.batch < 0 || !valid(p.a) || !valid(p.b) || !valid(p.c))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (p.m == 0 || p.n == 0 || p.k == 0 || p.batch == 0)
        return CUBLAS_STATUS_SUCCESS;
    if (!in_memory("A", p.a, p.batch) || !in_memory("B", p.b, p.batch) ||
        !in_memory("C", p.c, p.batch))
        return CUBLAS_STATUS_INVALID_VALUE;
    cudaError_t error = submit(handle->stream, "cuBLAS", [=] {
        device_access access;
        multiply(p);
        check_guard_zones("a cuBLAS product");
    });
    return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cublasStatus_t cublasCreate(cublasHandle_t *handle)
{
    return blas_call([=] {
        *handle = new cublasContext{nullptr};
        alive++;
        return CUBLAS_STATUS_SUCCESS;
    });
}

cublasStatus_t cublasDestroy(cublasHandle_t handle)
{
    alive -= handle != nullptr; /* given back even after an error */
    delete handle;
    return blas_call([] { return CUBLAS_STATUS_SUCCESS; });
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream)
{
    return blas_call([=] {
        handle->stream = stream;
        return CUBLAS_STATUS_SUCCESS;
    });
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t, void *workspace, size_t bytes)
{
    return blas_call([=] {
        if (!lend_to_library(workspace, bytes)) {
            fault("the workspace of cuBLAS, %zu bytes, is %s", bytes, describe_address(workspace));
            return CUBLAS_STATUS_INVALID_VALUE;
        }
        return CUBLAS_STATUS_SUCCESS;
    });
}

const char *cublasGetStatusString(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_SUCCESS:
        return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED:
        return "the library was not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED:
        return "the resource allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "the function failed to launch on the GPU";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "the functionality requested is not supported";
    }
    return "unknown status";
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa,
                            cublasOperation_t transb, int m, int n, int k, const void *alpha,
                            const void *a, cudaDataType a_type, int lda, const void *b,
                            cudaDataType b_type, int ldb, const void *beta, void *c,
                            cudaDataType c_type, int ldc, cublasComputeType_t compute,
                            cublasGemmAlgo_t algorithm)
{
    return cublasGemmStridedBatchedEx(handle, transa, transb, m, n, k, alpha, a, a_type, lda, 0, b,
                                      b_type, ldb, 0, beta, c, c_type, ldc, 0, 1, compute,
                                      algorithm);
}

static int mantissa_of(cublasComputeType_t compute)
{
    if (compute == CUBLAS_COMPUTE_32F_FAST_TF32)
        return 10;
    return compute == CUBLAS_COMPUTE_32F_FAST_16BF ? 7 : 23;
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transa,
                                          cublasOperation_t transb, int m, int n, int k,
                                          const void *alpha, const void *a, cudaDataType, int lda,
                                          long long a_stride, const void *b, cudaDataType, int ldb,
                                          long long b_stride, const void *beta, void *c,
                                          cudaDataType, int ldc, long long c_stride, int batch,
                                          cublasComputeType_t compute, cublasGemmAlgo_t)
{
    return blas_call([=] {
        bool ta = transa == CUBLAS_OP_T, tb = transb == CUBLAS_OP_T;
        product p = {ta,
                     tb,
                     m,
                     n,
                     k,
                     batch,
                     *static_cast<const float *>(alpha),
                     *static_cast<const float *>(beta),
                     {static_cast<const float *>(a), ta ? k : m, ta ? m : k, lda, a_stride},
                     {static_cast<const float *>(b), tb ? n : k, tb ? k : n, ldb, b_stride},
                     {static_cast<const float *>(c), m, n, ldc, c_stride},
                     mantissa_of(compute)};
        return submit_product(handle, p);
    });
}
