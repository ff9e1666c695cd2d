/* Copies and fills: each side must be where the call says it is, within one allocation. */
#include "harness.h"

#include <cstring>

using namespace cuda_on_cpu;

static bool side_is_right(const void *p, size_t bytes, bool on_device)
{
    if (on_device ? find_allocation(p, bytes) != nullptr : !in_device_range(p))
        return true;
    fault("a copy of %zu bytes %s the device names %s", bytes, on_device ? "on" : "off",
          describe_address(p));
    return false;
}

static cudaError_t check_copy(const void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    if (kind == cudaMemcpyDefault)
        kind = static_cast<cudaMemcpyKind>(in_device_range(to) + 2 * in_device_range(from));
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (!side_is_right(to, bytes, to_device) || !side_is_right(from, bytes, from_device))
        return cudaErrorInvalidValue;
    return cudaSuccess;
}

static void move_bytes(void *to, const void *from, size_t bytes)
{
    copy_access access(to, from);
    memmove(to, from, bytes);
}

static cudaError_t fill(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    if (bytes == 0)
        return cudaSuccess;
    if (!side_is_right(memory, bytes, true))
        return cudaErrorInvalidValue;
    return submit(stream, "cudaMemset", [=] {
        copy_access access(memory, nullptr);
        memset(memory, value, bytes);
    });
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    return call(during_capture::forbidden, [=] {
        cudaError_t error = bytes == 0 ? cudaSuccess : check_copy(to, from, bytes, kind);
        if (error == cudaSuccess)
            error = wait_for_device();
        if (error == cudaSuccess && bytes > 0)
            move_bytes(to, from, bytes);
        return error;
    });
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    return call(during_capture::allowed, [=] {
        cudaError_t error = bytes == 0 ? cudaSuccess : check_copy(to, from, bytes, kind);
        if (error != cudaSuccess || bytes == 0)
            return error;
        return submit(stream, "cudaMemcpyAsync", [=] { move_bytes(to, from, bytes); });
    });
}

cudaError_t cudaMemset(void *memory, int value, size_t bytes)
{
    return call(during_capture::forbidden, [=] { return fill(memory, value, bytes, nullptr); });
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    return call(during_capture::allowed, [=] { return fill(memory, value, bytes, stream); });
}
