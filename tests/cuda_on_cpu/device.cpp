/* The device: one small GPU, so that loops over its multiprocessors really loop. */
#include "harness.h"

#include <cstdio>

using namespace cuda_on_cpu;

static size_t memory_bytes = size_t(1) << 30;

enum { PROCESSORS = 4, THREADS_PER_PROCESSOR = 2048, THREADS_PER_BLOCK = 1024 };

size_t cuda_on_cpu::device_memory()
{
    return memory_bytes;
}

void cuda_on_cpu_set_memory(size_t bytes)
{
    memory_bytes = bytes;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    return call(during_capture::allowed, [&] {
        *count = 1;
        return cudaSuccess;
    });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int device)
{
    return call(during_capture::allowed, [&] {
        if (device != 0)
            return cudaErrorInvalidDevice;
        *p = {};
        snprintf(p->name, sizeof p->name, "CUDA on CPU");
        p->totalGlobalMem = memory_bytes;
        p->sharedMemPerBlock = SHARED_DEFAULT;
        p->sharedMemPerBlockOptin = SHARED_MOST;
        p->sharedMemPerMultiprocessor = SHARED_MOST + 1024;
        p->warpSize = warpSize;
        p->maxThreadsPerBlock = THREADS_PER_BLOCK;
        p->maxThreadsPerMultiProcessor = THREADS_PER_PROCESSOR;
        p->major = 9;
        p->multiProcessorCount = PROCESSORS;
        p->l2CacheSize = 1 << 20;
        return cudaSuccess;
    });
}

cudaError_t cudaSetDevice(int device)
{
    return call(during_capture::allowed,
                [&] { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; });
}

cudaError_t cudaDeviceSynchronize(void)
{
    return call(during_capture::forbidden, wait_for_device);
}
