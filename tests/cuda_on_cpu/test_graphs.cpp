/* The stand-ins themselves: streams, capture and replay, matrix products. */
#include "control.h"

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <cstring>

#include <criterion/criterion.h>

static float *floats(size_t count, float value)
{
    void *memory = nullptr;
    cr_assert_eq(cudaMalloc(&memory, count * sizeof(float)), cudaSuccess);
    for (size_t i = 0; i < count; i++)
        cudaMemcpy(static_cast<float *>(memory) + i, &value, sizeof value, cudaMemcpyHostToDevice);
    return static_cast<float *>(memory);
}

static float read(const float *x)
{
    float value = 0.0F;
    cr_assert_eq(cudaMemcpy(&value, x, sizeof value, cudaMemcpyDeviceToHost), cudaSuccess);
    return value;
}

static __global__ void add(float *x, float value)
{
    *x += value;
}

static cudaStream_t open_stream(unsigned flags)
{
    cudaStream_t stream = nullptr;
    cr_assert_eq(cudaStreamCreateWithFlags(&stream, flags), cudaSuccess);
    return stream;
}

/* x ← 0·x + (value + 1·1): every kind of work in one graph, with arguments as they were when it was
 * recorded. */
Test(cuda_graphs, a_graph_replays_what_was_recorded)
{
    cudaStream_t stream = open_stream(cudaStreamNonBlocking);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    cublasHandle_t blas = nullptr;
    float *x = floats(1, 7), *total = floats(1, 0), *one = floats(1, 1), value = 2, scale = 1;
    cublasCreate(&blas);
    cublasSetStream(blas, stream);
    cr_assert_eq(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    cudaMemsetAsync(x, 0, sizeof *x, stream);
    AM_LAUNCH(add, 1, 1, 0, stream, x, value);
    cr_assert_eq(cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &scale, one, CUDA_R_32F, 1,
                              one, CUDA_R_32F, 1, &scale, x, CUDA_R_32F, 1, CUBLAS_COMPUTE_32F,
                              CUBLAS_GEMM_DEFAULT),
                 CUBLAS_STATUS_SUCCESS);
    cudaMemcpyAsync(total, x, sizeof *x, cudaMemcpyDeviceToDevice, stream);
    AM_LAUNCH(add, 1, 1, 0, stream, total, 10.0F);
    value = scale = 100;
    cr_assert_eq(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    cr_assert_eq(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    cr_assert_eq(cudaGraphDestroy(graph), cudaSuccess);
    cr_assert_eq(read(x), 7); /* recording runs nothing */
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(cudaGraphLaunch(exec, stream), cudaSuccess);
        cr_assert_eq(read(x), 3);
        cr_assert_eq(read(total), 13);
    }
    cudaGraphExecDestroy(exec);
    cublasDestroy(blas);
    cudaStreamDestroy(stream);
    cudaFree(x), cudaFree(total), cudaFree(one);
    cr_assert_eq(cuda_on_cpu_alive(), 0);
}

/* Calls that a recording cannot hold fail and spoil it, as the real ones do. */
Test(cuda_graphs, illegal_calls_end_a_capture)
{
    cudaStream_t stream = open_stream(cudaStreamNonBlocking);
    float *x = floats(1, 7), host = 0;
    void *memory = nullptr;
    for (int i = 0; i < 4; i++) {
        cudaGraph_t graph = nullptr;
        cr_assert_eq(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
        cudaError_t error = i == 0   ? cudaMalloc(&memory, 4)
                            : i == 1 ? cudaStreamSynchronize(stream)
                            : i == 2 ? cudaMemcpy(&host, x, 4, cudaMemcpyDeviceToHost)
                                     : cudaDeviceSynchronize();
        cr_expect_eq(error, cudaErrorStreamCaptureUnsupported);
        cudaGetLastError();
        AM_LAUNCH(add, 1, 1, 0, stream, x, 1.0F);
        cr_expect_eq(cudaGetLastError(), cudaErrorStreamCaptureInvalidated);
        cr_expect_eq(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
        cr_expect_null(graph);
        cudaGetLastError();
        AM_LAUNCH(add, 1, 1, 0, stream, x, 1.0F); /* the stream works again */
        cr_expect_eq(cudaGetLastError(), cudaSuccess);
    }
    cr_assert_eq(read(x), 11);
    cudaStreamDestroy(stream);
    cudaFree(x);
}

Test(cuda_graphs, the_legacy_stream_waits_for_streams_that_block)
{
    float *x = floats(1, 0);
    for (unsigned flags = cudaStreamDefault; flags <= cudaStreamNonBlocking; flags++) {
        cudaStream_t stream = open_stream(flags);
        cudaGraph_t graph = nullptr;
        cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
        AM_LAUNCH(add, 1, 1, 0, nullptr, x, 1.0F);
        cr_expect_eq(cudaGetLastError(),
                     flags == cudaStreamDefault ? cudaErrorStreamCaptureImplicit : cudaSuccess);
        cudaStreamEndCapture(stream, &graph);
        if (graph != nullptr)
            cudaGraphDestroy(graph);
        cudaGetLastError();
        cudaStreamDestroy(stream);
    }
    cudaFree(x);
}

Test(cuda_graphs, a_graph_that_outlives_its_memory_is_caught)
{
    cudaStream_t stream = open_stream(cudaStreamNonBlocking);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    float *x = floats(1, 0);
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    AM_LAUNCH(add, 1, 1, 0, stream, x, 1.0F);
    cudaStreamEndCapture(stream, &graph);
    cudaGraphInstantiate(&exec, graph, 0);
    cudaFree(x);
    cuda_on_cpu_expect_fault();
    cudaGraphLaunch(exec, stream);
    cr_expect_not_null(strstr(cuda_on_cpu_take_fault(), "kernel add, block (0,0,0)"));
    cuda_on_cpu_forget_errors();
    cudaGraphDestroy(graph);
    cudaGraphExecDestroy(exec);
    cudaStreamDestroy(stream);
}

/* ---- products ---- */

/* C (2,1) = 2·A (2,3)·B (3,1) + 3·C, column-major, twice */
Test(cuda_blas, products_of_a_batch)
{
    const float a[12] = {1, 4, 2, 5, 3, 6, 1, 0, 0, 1, 0, 0}, b[6] = {1, 0, 2, 7, 8, 9};
    float c[4] = {1, 1, 2, 2}, alpha = 2, beta = 3;
    float *da = floats(12, 0), *db = floats(6, 0), *dc = floats(4, 0);
    cublasHandle_t blas = nullptr;
    cublasCreate(&blas);
    cudaMemcpy(da, a, sizeof a, cudaMemcpyHostToDevice);
    cudaMemcpy(db, b, sizeof b, cudaMemcpyHostToDevice);
    cudaMemcpy(dc, c, sizeof c, cudaMemcpyHostToDevice);
    cr_assert_eq(cublasGemmStridedBatchedEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 1, 3, &alpha, da,
                                            CUDA_R_32F, 2, 6, db, CUDA_R_32F, 3, 3, &beta, dc,
                                            CUDA_R_32F, 2, 2, 2, CUBLAS_COMPUTE_32F,
                                            CUBLAS_GEMM_DEFAULT),
                 CUBLAS_STATUS_SUCCESS);
    cudaMemcpy(c, dc, sizeof c, cudaMemcpyDeviceToHost);
    const float want[4] = {17, 35, 20, 22};
    cr_expect_eq(memcmp(c, want, sizeof want), 0);

    cuda_on_cpu_expect_fault(); /* a batch of three is not there */
    cr_expect_eq(cublasGemmStridedBatchedEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 1, 3, &alpha, da,
                                            CUDA_R_32F, 2, 6, db, CUDA_R_32F, 3, 3, &beta, dc,
                                            CUDA_R_32F, 2, 2, 3, CUBLAS_COMPUTE_32F,
                                            CUBLAS_GEMM_DEFAULT),
                 CUBLAS_STATUS_INVALID_VALUE);
    cr_expect_not_null(strstr(cuda_on_cpu_take_fault(), "matrix A of a cuBLAS product"));
    cublasDestroy(blas);
    cudaFree(da), cudaFree(db), cudaFree(dc);
}

/* (1 + 2⁻¹⁰ + 2⁻¹¹)·1: TF32 keeps ten bits of mantissa, BF16 seven; ties go to even. */
Test(cuda_blas, short_formats_round_the_operands)
{
    const struct {
        cublasComputeType_t compute;
        float want;
    } cases[] = {{CUBLAS_COMPUTE_32F, 1 + 0x1.8p-10F},
                 {CUBLAS_COMPUTE_32F_FAST_TF32, 1 + 0x1p-9F},
                 {CUBLAS_COMPUTE_32F_FAST_16BF, 1}};
    float *a = floats(1, 1 + 0x1.8p-10F), *b = floats(1, 1), *c = floats(1, 0);
    float one = 1, zero = 0;
    cublasHandle_t blas = nullptr;
    cublasCreate(&blas);
    for (const auto &k : cases) {
        cublasGemmEx(blas, CUBLAS_OP_T, CUBLAS_OP_T, 1, 1, 1, &one, a, CUDA_R_32F, 1, b, CUDA_R_32F,
                     1, &zero, c, CUDA_R_32F, 1, k.compute, CUBLAS_GEMM_DEFAULT);
        cr_expect_eq(read(c), k.want);
    }
    cublasDestroy(blas);
    cudaFree(a), cudaFree(b), cudaFree(c);
}

Test(cuda_blas, failures_become_a_status_of_the_library)
{
    cublasHandle_t blas = nullptr;
    cuda_on_cpu_fail_call(1, cudaErrorMemoryAllocation);
    cr_expect_eq(cublasCreate(&blas), CUBLAS_STATUS_ALLOC_FAILED);
    cr_expect_str_eq(cublasGetStatusString(CUBLAS_STATUS_ALLOC_FAILED),
                     "the resource allocation failed");
    cuda_on_cpu_forget_errors();
}
