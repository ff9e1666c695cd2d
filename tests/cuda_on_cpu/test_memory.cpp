/* The stand-ins themselves: memory that notices what is done to it, copies, failures to order. */
#include "control.h"

#include <cuda_runtime.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <criterion/criterion.h>

static float *floats(size_t count)
{
    void *memory = nullptr;
    cr_assert_eq(cudaMalloc(&memory, count * sizeof(float)), cudaSuccess);
    return static_cast<float *>(memory);
}

static void expect_fault_with(const char *words)
{
    const char *fault = cuda_on_cpu_take_fault();
    cr_expect(strstr(fault, words) != nullptr, "\"%s\" is not in \"%s\"", words, fault);
    cuda_on_cpu_forget_errors();
}

static __global__ void set_at(float *x, long at)
{
    x[at] = 1.0F;
}

static __global__ void copy_at(float *to, const float *from, long at)
{
    *to = from[at];
}

/* Before a message that a test is sure to print. */
static void be_quiet()
{
    cr_assert_not_null(freopen("/dev/null", "w", stderr));
}

/* ---- guard zones, poison, freed memory ---- */

Test(cuda_memory, writes_beyond_an_allocation_are_named)
{
    /* next to it: found by its pattern; far away: no access at all */
    const struct {
        long at;
        const char *words;
    } cases[] = {{100, "kernel set_at: wrote 0 bytes beyond the end of 400 bytes"},
                 {-1, "kernel set_at: wrote 4 bytes before 400 bytes"},
                 {1000, "thread (0,0,0): illegal access to 3600 bytes beyond the end of 400"},
                 {-9000, "thread (0,0,0): illegal access to 36000 bytes before 400"}};
    for (const auto &c : cases) {
        float *x = floats(100);
        cuda_on_cpu_expect_fault();
        AM_LAUNCH(set_at, 1, 1, 0, nullptr, x, c.at);
        expect_fault_with(c.words);
        cuda_on_cpu_expect_fault(); /* the guard zone stays damaged */
        cr_assert_eq(cudaFree(x), cudaSuccess);
        cuda_on_cpu_take_fault();
    }
}

Test(cuda_memory, fresh_memory_and_what_lies_beyond_are_not_a_number)
{
    float *x = floats(3), *y = floats(1), value = 0.0F;
    for (long at = -1; at < 5; at++) {
        AM_LAUNCH(copy_at, 1, 1, 0, nullptr, y, x, at);
        cr_assert_eq(cudaMemcpy(&value, y, sizeof value, cudaMemcpyDeviceToHost), cudaSuccess);
        cr_expect(std::isnan(value), "[%ld]", at);
    }
    cudaFree(x), cudaFree(y);
}

Test(cuda_memory, freed_memory_is_known_for_ever)
{
    float *old = floats(100), *y = floats(1);
    cr_assert_eq(cudaFree(old), cudaSuccess);
    for (int i = 0; i < 50; i++) {
        float *other = floats(100);
        cr_assert_neq(other, old);
        cudaFree(other);
    }
    cuda_on_cpu_expect_fault();
    AM_LAUNCH(set_at, 1, 1, 0, nullptr, old, 7);
    expect_fault_with("argument 1 points to byte 0 of 400 bytes of memory that has been freed");
    cuda_on_cpu_expect_fault();
    AM_LAUNCH(copy_at, 1, 1, 0, nullptr, y, y, old - y);
    expect_fault_with("illegal access to byte 0 of 400 bytes of memory that has been freed");
    cuda_on_cpu_expect_fault();
    cr_assert_eq(cudaFree(old), cudaErrorInvalidValue);
    expect_fault_with("cudaFree of byte 0 of 400 bytes of memory that has been freed");
    cudaFree(y);
}

Test(cuda_memory, kernels_get_no_pointers_to_the_host)
{
    float host = 0.0F;
    cuda_on_cpu_expect_fault();
    AM_LAUNCH(set_at, 1, 1, 0, nullptr, &host, 0);
    expect_fault_with("kernel set_at: argument 1 points to memory of the host");
}

Test(cuda_memory, the_host_cannot_read_device_memory, .signal = SIGABRT)
{
    const volatile float *x = floats(1);
    be_quiet();
    cr_assert_fail("read %g", static_cast<double>(*x));
}

Test(cuda_memory, leaks_end_the_process, .signal = SIGABRT)
{
    floats(1);
    be_quiet();
    exit(0);
}

/* ---- copies ---- */

Test(cuda_memory, copies_stay_within_one_allocation)
{
    float *x = floats(4), *y = floats(4), host[8] = {1, 2, 3, 4};
    cr_assert_eq(cudaMemcpy(x, host, 16, cudaMemcpyHostToDevice), cudaSuccess);
    cr_assert_eq(cudaMemcpyAsync(y, x + 2, 8, cudaMemcpyDeviceToDevice, nullptr), cudaSuccess);
    cr_assert_eq(cudaMemsetAsync(y + 2, 0, 8, nullptr), cudaSuccess);
    cr_assert_eq(cudaMemcpy(host + 4, y, 16, cudaMemcpyDeviceToHost), cudaSuccess);
    const float want[4] = {3, 4, 0, 0};
    cr_assert_eq(memcmp(host + 4, want, sizeof want), 0);

    cuda_on_cpu_expect_fault();
    cr_assert_eq(cudaMemcpy(x + 1, host, 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    expect_fault_with("byte 4 of 16 bytes");
    cuda_on_cpu_expect_fault();
    cr_assert_eq(cudaMemcpy(x, y, 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    expect_fault_with("a copy of 16 bytes off the device");
    cuda_on_cpu_expect_fault();
    cr_assert_eq(cudaMemcpy(host, host + 4, 16, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
    expect_fault_with("a copy of 16 bytes on the device names memory of the host");
    cuda_on_cpu_expect_fault();
    cr_assert_eq(cudaMemset(x, 0, 17), cudaErrorInvalidValue);
    expect_fault_with("a copy of 17 bytes");
    cudaFree(x), cudaFree(y);
}

Test(cuda_memory, the_device_has_an_end)
{
    void *memory = nullptr;
    size_t available = 0, total = 0;
    cuda_on_cpu_set_memory(1 << 20);
    cr_assert_eq(cudaMalloc(&memory, 1 << 19), cudaSuccess);
    cr_assert_eq(cudaMemGetInfo(&available, &total), cudaSuccess);
    cr_assert_eq(available, 1 << 19);
    cr_assert_eq(total, 1 << 20);
    void *more = nullptr;
    cr_assert_eq(cudaMalloc(&more, (1 << 19) + 1), cudaErrorMemoryAllocation);
    cr_assert_eq(cudaMalloc(&more, SIZE_MAX - 8), cudaErrorMemoryAllocation);
    cr_assert_null(more);
    cudaFree(memory);
}

/* ---- failures ---- */

Test(cuda_failures, the_nth_call_fails_and_the_last_error_is_kept_until_read)
{
    void *memory = nullptr;
    cuda_on_cpu_fail_call(2, cudaErrorMemoryAllocation);
    cr_assert_eq(cudaSetDevice(0), cudaSuccess);
    cr_assert_eq(cudaMalloc(&memory, 4), cudaErrorMemoryAllocation);
    cr_assert_eq(cudaSetDevice(0), cudaSuccess);
    cr_assert_eq(cuda_on_cpu_calls(), 3);
    cr_assert_eq(cudaPeekAtLastError(), cudaErrorMemoryAllocation);
    cr_assert_eq(cudaGetLastError(), cudaErrorMemoryAllocation);
    cr_assert_eq(cudaGetLastError(), cudaSuccess);
    cr_assert_str_eq(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
}

Test(cuda_failures, an_error_inside_a_kernel_surfaces_late_and_stays)
{
    float *x = floats(1), value = 0.0F;
    cuda_on_cpu_fail_call(1, cudaErrorLaunchFailure);
    AM_LAUNCH(set_at, 1, 1, 0, nullptr, x, 0);
    cr_assert_eq(cudaGetLastError(), cudaSuccess);
    cr_assert_eq(cudaMemsetAsync(x, 0, 4, nullptr), cudaSuccess);
    cr_assert_eq(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
    cr_assert_eq(cudaGetLastError(), cudaErrorLaunchFailure);
    cr_assert_eq(cudaGetLastError(), cudaErrorLaunchFailure);
    cr_assert_eq(cudaMemcpy(&value, x, 4, cudaMemcpyDeviceToHost), cudaErrorLaunchFailure);
    cr_assert_eq(cudaSetDevice(0), cudaErrorLaunchFailure);
    cuda_on_cpu_forget_errors();
    cudaFree(x);
}

Test(cuda_failures, impossible_launches_are_refused)
{
    float *x = floats(1);
    const struct {
        dim3 grid, block;
        size_t shared;
        cudaError_t error;
    } cases[] = {{0, 1, 0, cudaErrorInvalidConfiguration},
                 {1, 1025, 0, cudaErrorInvalidConfiguration},
                 {1, {1, 1, 65}, 0, cudaErrorInvalidConfiguration},
                 {{1, 65536}, 1, 0, cudaErrorInvalidConfiguration},
                 {1, 1, (48 << 10) + 1, cudaErrorInvalidValue}};
    for (const auto &c : cases) {
        AM_LAUNCH(set_at, c.grid, c.block, c.shared, nullptr, x, 5000); /* would be a fault */
        cr_expect_eq(cudaGetLastError(), c.error);
    }
    cr_assert_eq(
        cudaFuncSetAttribute(set_at, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 << 10),
        cudaSuccess);
    AM_LAUNCH(set_at, 1, 1, 64 << 10, nullptr, x, 0);
    cr_assert_eq(cudaGetLastError(), cudaSuccess);
    cudaFree(x);
}
