/* backend — opening and closing the CUDA backend: what the plugin exports. */
#include "gpu.h"

enum { BLAS_WORKSPACE = 32 << 20, OLDEST_MAJOR = 7, OLDEST_MINOR = 5 };

static void cuda_close(backend *be)
{
    cuda_backend *gpu = cuda_of(be);
    cudaSetDevice(gpu->index);
    if (gpu->stream != NULL)
        cudaStreamSynchronize(gpu->stream);
    if (gpu->blas != NULL)
        cublasDestroy(gpu->blas);
    cuda_free_scratch(gpu);
    cudaFree(gpu->blas_workspace);
    cudaFree(gpu->fault);
    if (gpu->stream != NULL)
        cudaStreamDestroy(gpu->stream);
    free(gpu);
}

/* Of matrix products; everything else is fp32 with sums in double. "fp32": full precision.
 * "tf32", "bf16": operands rounded to 10 or 7 bits of mantissa on the way into the tensor cores,
 * sums in fp32; from Ampere on. */
static am_status set_precision(backend *be, const char *name, am_error *err)
{
    cuda_backend *gpu = cuda_of(be);
    if (strcmp(name, "fp32") == 0)
        gpu->compute = CUBLAS_COMPUTE_32F;
    else if (strcmp(name, "tf32") == 0)
        gpu->compute = CUBLAS_COMPUTE_32F_FAST_TF32;
    else if (strcmp(name, "bf16") == 0)
        gpu->compute = CUBLAS_COMPUTE_32F_FAST_16BF;
    else
        return am_fail(err, AM_ERR_USAGE, "--precision %s: no such choice; give fp32, tf32 or bf16",
                       name);
    if (gpu->compute == CUBLAS_COMPUTE_32F || gpu->matrix_tf32)
        return AM_OK;
    gpu->compute = CUBLAS_COMPUTE_32F;
    return am_fail(
        err, AM_ERR_USAGE,
        "--precision %s: %s is older than Ampere and has fp32 only; give --precision fp32", name,
        gpu->base.device);
}

static backend_ops op_table(void)
{
    backend_ops op = {};
    op.close = cuda_close;
    op.set_precision = set_precision;
    op.alloc = cuda_alloc;
    op.release = cuda_release;
    op.free_memory = cuda_free_memory;
    op.upload = cuda_upload;
    op.download = cuda_download;
    op.copy = cuda_copy;
    op.zero = cuda_zero;
    op.sync = cuda_sync;
    op.repeat = cuda_repeat;
    op.forget = cuda_forget;
    op.advance = cuda_advance;
    op.draw_lambda = cuda_draw_lambda;
    op.draw_omega = cuda_draw_omega;
    op.scale_lambda = cuda_scale_lambda;
    op.slope = cuda_slope;
    op.curvature = cuda_curvature;
    op.add_diagonal = cuda_add_diagonal;
    op.draw_rows = cuda_draw_rows;
    op.gather = cuda_gather;
    op.row_weights = cuda_row_weights;
    op.matmul = cuda_matmul;
    op.linear_forward = cuda_linear_forward;
    op.linear_backward = cuda_linear_backward;
    op.mix_forward = cuda_mix_forward;
    op.mix_backward = cuda_mix_backward;
    op.basis_forward = cuda_basis_forward;
    op.basis_backward = cuda_basis_backward;
    op.loss = cuda_loss;
    op.l2_penalty = cuda_l2_penalty;
    op.gram_penalty = cuda_gram_penalty;
    op.guard = cuda_guard;
    op.adam = cuda_adam;
    op.adam_outer = cuda_adam_outer;
    op.collocation = cuda_collocation;
    op.score = cuda_score;
    op.softmax = cuda_softmax;
    return op;
}

/* Is there such a device, and can it run the kernels? */
static am_status check_device(int index, cudaDeviceProp *properties, am_error *err)
{
    int count = 0;
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || count == 0)
        return am_fail(err, AM_ERR_DEVICE, "cuda: no usable GPU (%s); use --device cpu",
                       status != cudaSuccess ? cudaGetErrorString(status) : "none found");
    if (index < 0 || index >= count)
        return am_fail(err, AM_ERR_DEVICE, "cuda:%d: no such GPU; give cuda:0 to cuda:%d", index,
                       count - 1);
    status = cudaGetDeviceProperties(properties, index);
    if (status != cudaSuccess)
        return am_fail(err, AM_ERR_DEVICE, "cuda:%d: %s; use --device cpu", index,
                       cudaGetErrorString(status));
    if (properties->major * 10 + properties->minor < OLDEST_MAJOR * 10 + OLDEST_MINOR)
        return am_fail(err, AM_ERR_DEVICE,
                       "cuda:%d: %s has compute capability %d.%d, %d.%d is the oldest supported; "
                       "use --device cpu",
                       index, properties->name, properties->major, properties->minor, OLDEST_MAJOR,
                       OLDEST_MINOR);
    return AM_OK;
}

/* The workspace is given to cuBLAS once: what it would allocate by itself could not be recorded. */
static void open_handles(cuda_backend *gpu)
{
    backend *be = &gpu->base;
    const char *op = "open";
    if (!cuda_ready(be, op) ||
        !cuda_check(be, op, cudaStreamCreateWithFlags(&gpu->stream, cudaStreamNonBlocking)) ||
        !cuda_check(be, op, cudaMalloc((void **)&gpu->fault, sizeof *gpu->fault)) ||
        !cuda_check(be, op, cudaMalloc(&gpu->blas_workspace, BLAS_WORKSPACE)) ||
        !cuda_check(be, op, cudaMemsetAsync(gpu->fault, 0, sizeof *gpu->fault, gpu->stream)) ||
        !cuda_check_blas(be, op, cublasCreate(&gpu->blas)) ||
        !cuda_check_blas(be, op, cublasSetStream(gpu->blas, gpu->stream)) ||
        !cuda_check_blas(be, op,
                         cublasSetWorkspace(gpu->blas, gpu->blas_workspace, BLAS_WORKSPACE)))
        return;
    cuda_check(be, op, cudaStreamSynchronize(gpu->stream));
}

extern "C" AM_API const char *am_cuda_backend_abi(void);

const char *am_cuda_backend_abi(void)
{
    return backend_abi();
}

extern "C" AM_API am_status am_cuda_backend_open(backend **be, int index, am_error *err);

/* See src/backend/plugin.h. */
am_status am_cuda_backend_open(backend **be, int index, am_error *err)
{
    cudaDeviceProp properties;
    *be = NULL;
    AM_TRY(check_device(index, &properties, err));
    cuda_backend *gpu = (cuda_backend *)am_alloc(1, sizeof *gpu, "CUDA backend", err);
    if (gpu == NULL)
        return AM_ERR_MEMORY;
    gpu->table = op_table();
    gpu->index = index;
    gpu->matrix_tf32 = properties.major >= 8;
    gpu->compute = CUBLAS_COMPUTE_32F;
    gpu->base.op = &gpu->table;
    gpu->base.name = "cuda";
    gpu->base.threads = 1;
    snprintf(gpu->base.device, sizeof gpu->base.device, "%.127s", properties.name);
    open_handles(gpu);
    if (gpu->base.failure.status != AM_OK) {
        *err = gpu->base.failure;
        cuda_close(&gpu->base);
        return err->status;
    }
    *be = &gpu->base;
    return AM_OK;
}
