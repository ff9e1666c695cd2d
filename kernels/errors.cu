/* errors — the first failure is kept with its op; what kernels find wrong is fetched on waiting. */
#include "gpu.h"

bool cuda_ready(backend *be, const char *op)
{
    return be->failure.status == AM_OK && cuda_check(be, op, cudaSetDevice(cuda_of(be)->index));
}

bool cuda_begin(backend *be, const char *op)
{
    if (!cuda_ready(be, op))
        return false;
    cuda_of(be)->last_op = op;
    return true;
}

/* Errors of earlier ops surface late: the message names what was issued last as well. */
static void fail_device(backend *be, am_status status, const char *op, const char *library,
                        const char *fault)
{
    const cuda_backend *gpu = cuda_of(be);
    backend_fail(be, status, op,
                 "%s: %s (last op issued: %s, step %lld of this run); the device must be opened "
                 "again, checkpoints on disk are good",
                 library, fault, gpu->last_op != NULL ? gpu->last_op : op, (long long)gpu->steps);
}

bool cuda_check(backend *be, const char *op, cudaError_t status)
{
    if (status == cudaSuccess)
        return true;
    fail_device(be, status == cudaErrorMemoryAllocation ? AM_ERR_MEMORY : AM_ERR_DEVICE, op, "CUDA",
                cudaGetErrorString(status));
    return false;
}

bool cuda_check_blas(backend *be, const char *op, cublasStatus_t status)
{
    if (status == CUBLAS_STATUS_SUCCESS)
        return true;
    fail_device(be, status == CUBLAS_STATUS_ALLOC_FAILED ? AM_ERR_MEMORY : AM_ERR_DEVICE, op,
                "cuBLAS", cublasGetStatusString(status));
    return false;
}

static void keep_fault(backend *be, fault_kind kind, long long value)
{
    switch (kind) {
    case FAULT_NONE:
        return;
    case FAULT_GATHER_ROW:
        backend_fail(be, AM_ERR_INTERNAL, "gather", "row %lld is not one of the rows of the data",
                     value);
        return;
    case FAULT_WEIGHT_ROW:
        backend_fail(be, AM_ERR_INTERNAL, "row_weights",
                     "row %lld is not one of the rows of the data", value);
        return;
    case FAULT_WEIGHT_BLOCK:
        backend_fail(be, AM_ERR_INTERNAL, "row_weights", "block %lld is not one of the blocks",
                     value);
        return;
    case FAULT_LOSS_LABEL:
        backend_fail(be, AM_ERR_INTERNAL, "loss", "label %lld is not one of the classes", value);
        return;
    case FAULT_SCORE_LABEL:
        backend_fail(be, AM_ERR_INTERNAL, "score", "label %lld is not one of the classes", value);
        return;
    case FAULT_BASIS_DEGREE:
        backend_fail(be, AM_ERR_INTERNAL, "basis", "degree %lld is negative", value);
        return;
    case FAULT_NOT_POSITIVE_DEFINITE:
        backend_fail(be, AM_ERR_INTERNAL, "collocation",
                     "cᵀc/M + ridge·I is not positive definite; use a ridge above 0");
        return;
    }
}

void cuda_wait(backend *be)
{
    cuda_backend *gpu = cuda_of(be);
    unsigned long long word = 0;
    if (!cuda_check(
            be, "sync",
            cudaMemcpyAsync(&word, gpu->fault, sizeof word, cudaMemcpyDeviceToHost, gpu->stream)) ||
        !cuda_check(be, "sync", cudaStreamSynchronize(gpu->stream)))
        return;
    /* the value keeps its sign */
    long long value = (long long)(word << (64 - FAULT_VALUE_BITS)) >> (64 - FAULT_VALUE_BITS);
    keep_fault(be, (fault_kind)(word >> FAULT_VALUE_BITS), value);
}
