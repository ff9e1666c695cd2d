/* Errors and the device. */
#include "harness.h"

#include <cstdio>
#include <cstdlib>

namespace cuda_on_cpu
{

size_t alive;

static struct {
    cudaError_t last = cudaSuccess;
    cudaError_t pending = cudaSuccess; /* a kernel has failed and nobody has waited yet */
    cudaError_t sticky = cudaSuccess;
    int64_t calls = 0, fail_at = 0;
    cudaError_t fail_with = cudaSuccess;
} state;

bool injected(cudaError_t *error)
{
    bool now = ++state.calls == state.fail_at;
    if (now)
        *error = state.fail_with;
    return now;
}

cudaError_t sticky_error()
{
    return state.sticky;
}

void kernel_failed(cudaError_t error)
{
    if (state.pending == cudaSuccess)
        state.pending = error;
}

cudaError_t wait_for_device()
{
    if (state.pending != cudaSuccess)
        state.sticky = state.pending;
    return state.sticky;
}

static bool comes_from_a_kernel(cudaError_t error)
{
    return error == cudaErrorLaunchFailure || error == cudaErrorIllegalAddress;
}

/* What is wrong before the call has done anything. */
static cudaError_t check_call(during_capture rule)
{
    cudaError_t error = state.sticky;
    if (error == cudaSuccess && injected(&error) && comes_from_a_kernel(error)) {
        kernel_failed(error);
        error = cudaSuccess;
    }
    if (error == cudaSuccess && rule == during_capture::forbidden && capture_broken())
        error = cudaErrorStreamCaptureUnsupported;
    return error;
}

static cudaError_t keep_error(cudaError_t error)
{
    if (error != cudaSuccess)
        state.last = error;
    return error;
}

cudaError_t call(during_capture rule, const std::function<cudaError_t()> &body)
{
    cudaError_t error = check_call(rule);
    return keep_error(error == cudaSuccess ? body() : error);
}

cudaError_t give_back(during_capture rule, const std::function<cudaError_t()> &body)
{
    cudaError_t error = check_call(rule), own = body();
    return keep_error(error == cudaSuccess ? own : error);
}

static struct leaks {
    ~leaks()
    {
        if (alive == 0)
            return;
        fprintf(stderr, "cuda_on_cpu: %zu allocations, streams, graphs, events or handles leaked\n",
                alive);
        fflush(stderr);
        abort();
    }
} report_leaks_at_exit;

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

void cuda_on_cpu_fail_call(int64_t n, int error)
{
    state.calls = 0;
    state.fail_at = n;
    state.fail_with = static_cast<cudaError_t>(error);
}

int64_t cuda_on_cpu_calls(void)
{
    return state.calls;
}

void cuda_on_cpu_forget_errors(void)
{
    state = {};
}

size_t cuda_on_cpu_alive(void)
{
    return alive;
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t error = cudaPeekAtLastError();
    state.last = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    return state.sticky != cudaSuccess ? state.sticky : state.last;
}

static const struct {
    cudaError_t error;
    const char *text;
} errors[] = {
    {cudaSuccess, "no error"},
    {cudaErrorInvalidValue, "invalid argument"},
    {cudaErrorMemoryAllocation, "out of memory"},
    {cudaErrorInvalidConfiguration, "invalid configuration argument"},
    {cudaErrorInvalidDevice, "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "invalid resource handle"},
    {cudaErrorIllegalAddress, "an illegal memory access was encountered"},
    {cudaErrorLaunchFailure, "unspecified launch failure"},
    {cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureImplicit,
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {cudaErrorUnknown, "unknown error"}};

const char *cudaGetErrorString(cudaError_t error)
{
    for (const auto &e : errors)
        if (e.error == error)
            return e.text;
    return "unrecognized error code";
}
