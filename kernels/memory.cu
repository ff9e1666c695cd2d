/* memory — device memory, transfers and scratch. */
#include "gpu.h"

enum { CHECKED_BYTES = 1 << 20 }; /* smaller requests are not worth a question to the driver */

struct retired_block {
    void *memory;
    retired_block *next;
};

/* These wait for the device or move addresses: a recorded step cannot hold them. */
static bool outside_recording(backend *be, const char *op)
{
    if (!cuda_ready(be, op))
        return false;
    if (cuda_of(be)->recording)
        backend_fail(be, AM_ERR_INTERNAL, op, "cannot be part of a repeated step");
    return be->failure.status == AM_OK;
}

static void *out_of_memory(backend *be, size_t bytes, const char *what)
{
    size_t available = 0, total = 0;
    cudaGetLastError(); /* a refused allocation leaves no lasting error */
    if (cuda_check(be, "alloc", cudaMemGetInfo(&available, &total)))
        backend_fail(be, AM_ERR_MEMORY, "alloc",
                     "no device memory for %s: %.1f MiB asked, %.1f of %.1f MiB free; use fewer "
                     "draws, a smaller batch or a smaller model",
                     what, (double)bytes / (1 << 20), (double)available / (1 << 20),
                     (double)total / (1 << 20));
    return NULL;
}

static void *allocate(backend *be, size_t bytes, const char *what)
{
    void *memory = NULL;
    size_t available = bytes, total = 0;
    if (bytes >= CHECKED_BYTES && !cuda_check(be, "alloc", cudaMemGetInfo(&available, &total)))
        return NULL;
    cudaError_t status =
        bytes > available ? cudaErrorMemoryAllocation : cudaMalloc(&memory, bytes > 0 ? bytes : 1);
    if (status == cudaErrorMemoryAllocation)
        return out_of_memory(be, bytes, what);
    return cuda_check(be, "alloc", status) ? memory : NULL;
}

void *cuda_alloc(backend *be, size_t bytes, const char *what)
{
    if (!outside_recording(be, "alloc"))
        return NULL;
    void *memory = allocate(be, bytes, what);
    if (memory != NULL)
        cuda_zero(be, memory, bytes);
    return memory;
}

/* Memory is given back even after a failure. */
void cuda_release(backend *be, void *memory)
{
    if (memory == NULL)
        return;
    cudaSetDevice(cuda_of(be)->index);
    cudaError_t status = cudaFree(memory); /* waits for the device */
    if (be->failure.status == AM_OK)
        cuda_check(be, "release", status);
}

am_status cuda_free_memory(backend *be, size_t *available, size_t *total, am_error *err)
{
    if (outside_recording(be, "free_memory"))
        cuda_check(be, "free_memory", cudaMemGetInfo(available, total));
    if (be->failure.status != AM_OK)
        *err = be->failure;
    return be->failure.status;
}

void cuda_upload(backend *be, void *device, const void *host, size_t bytes)
{
    cuda_backend *gpu = cuda_of(be);
    if (!outside_recording(be, "upload") || bytes == 0)
        return;
    if (cuda_check(be, "upload",
                   cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, gpu->stream)))
        cuda_check(be, "upload", cudaStreamSynchronize(gpu->stream)); /* `host` is the caller's */
}

am_status cuda_download(backend *be, void *host, const void *device, size_t bytes, am_error *err)
{
    cuda_backend *gpu = cuda_of(be);
    if (outside_recording(be, "download") && bytes > 0)
        cuda_check(be, "download",
                   cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, gpu->stream));
    return cuda_sync(be, err);
}

am_status cuda_sync(backend *be, am_error *err)
{
    if (outside_recording(be, "sync"))
        cuda_wait(be);
    if (be->failure.status != AM_OK)
        *err = be->failure;
    return be->failure.status;
}

void cuda_copy(backend *be, void *to, const void *from, size_t bytes)
{
    if (cuda_begin(be, "copy") && bytes > 0)
        cuda_check(be, "copy",
                   cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, cuda_of(be)->stream));
}

void cuda_zero(backend *be, void *memory, size_t bytes)
{
    if (cuda_begin(be, "zero") && bytes > 0)
        cuda_check(be, "zero", cudaMemsetAsync(memory, 0, bytes, cuda_of(be)->stream));
}

/* ---- scratch --------------------------------------------------------------------------------- */

/* Recorded steps hold the addresses of scratch, so an outgrown block lives as long as the backend;
 * growth at least doubles, so all of them together are no larger than the last. */
static bool retire(backend *be, void *memory)
{
    cuda_backend *gpu = cuda_of(be);
    if (memory == NULL)
        return true;
    retired_block *block = (retired_block *)malloc(sizeof *block);
    if (block == NULL) {
        backend_fail(be, AM_ERR_MEMORY, "scratch", "out of memory; close other programs");
        return false;
    }
    block->memory = memory;
    block->next = gpu->retired;
    gpu->retired = block;
    return true;
}

void *cuda_scratch(backend *be, scratch_slot slot, size_t bytes)
{
    cuda_backend *gpu = cuda_of(be);
    if (be->failure.status != AM_OK)
        return NULL;
    if (gpu->scratch_bytes[slot] >= bytes)
        return gpu->scratch[slot];
    if (!outside_recording(be, "scratch") || !retire(be, gpu->scratch[slot]))
        return NULL;
    size_t twice = 2 * gpu->scratch_bytes[slot], size = twice > bytes ? twice : bytes;
    gpu->scratch[slot] = allocate(be, size, "scratch");
    gpu->scratch_bytes[slot] = gpu->scratch[slot] != NULL ? size : 0;
    return gpu->scratch[slot];
}

void cuda_free_scratch(cuda_backend *gpu)
{
    for (int slot = 0; slot < SCRATCH_SLOTS; slot++)
        cudaFree(gpu->scratch[slot]);
    while (gpu->retired != NULL) {
        retired_block *block = gpu->retired;
        gpu->retired = block->next;
        cudaFree(block->memory);
        free(block);
    }
}
