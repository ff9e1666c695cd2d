/* The stand-ins themselves: barriers, warps, shared memory; kernels with a defect are caught. */
#include "control.h"

#include <cuda_runtime.h>

#include <cmath>
#include <cstring>

#include <criterion/criterion.h>

enum { THREADS = 256, SIDE = 32 };

struct arrays {
    float *x, *y; /* THREADS·4 values; x holds 0, 1, 2, … */
    size_t bytes;

    arrays() : x(nullptr), y(nullptr), bytes(4 * THREADS * sizeof(float))
    {
        float host[4 * THREADS];
        for (int i = 0; i < 4 * THREADS; i++)
            host[i] = float(i);
        cr_assert_eq(cudaMalloc(reinterpret_cast<void **>(&x), bytes), cudaSuccess);
        cr_assert_eq(cudaMalloc(reinterpret_cast<void **>(&y), bytes), cudaSuccess);
        cr_assert_eq(cudaMemcpy(x, host, bytes, cudaMemcpyHostToDevice), cudaSuccess);
        cr_assert_eq(cudaMemset(y, 0, bytes), cudaSuccess);
    }
    ~arrays()
    {
        cudaFree(x);
        cudaFree(y);
    }
    arrays(const arrays &) = delete;

    float value(int i) const
    {
        float y_i = 0.0F;
        cr_assert_eq(cudaMemcpy(&y_i, y + i, sizeof y_i, cudaMemcpyDeviceToHost), cudaSuccess);
        return y_i;
    }
    int at(int i) const
    {
        return int(value(i));
    }
};

template <typename Kernel> static void expect_caught(Kernel *kernel, const char *words)
{
    arrays a;
    cuda_on_cpu_expect_fault();
    AM_LAUNCH(kernel, 4, THREADS, 0, nullptr, a.x, a.y);
    const char *fault = cuda_on_cpu_take_fault();
    cr_expect(strstr(fault, words) != nullptr, "\"%s\" is not in \"%s\"", words, fault);
    cr_expect_eq(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
    cuda_on_cpu_forget_errors();
}

/* ---- barriers: y[block] = Σ x, with and without the barrier that each step needs ---- */

template <bool BARRIER> static __global__ void reduce(const float *x, float *y)
{
    __shared__ float part[THREADS];
    unsigned t = threadIdx.x;
    part[t] = x[blockIdx.x * THREADS + t];
    __syncthreads();
    for (unsigned width = THREADS / 2; width > 0; width /= 2) {
        if (t < width)
            part[t] += part[t + width];
        if (BARRIER)
            __syncthreads();
    }
    if (t == 0)
        y[blockIdx.x] = part[0];
}

Test(cuda_threads, a_reduction_adds_up)
{
    arrays a;
    AM_LAUNCH(reduce<true>, 4, THREADS, 0, nullptr, a.x, a.y);
    for (int b = 0; b < 4; b++)
        cr_expect_eq(a.at(b), 256 * (256 * b) + 255 * 128);
}

Test(cuda_threads, a_reduction_without_its_barrier_is_caught)
{
    expect_caught(reduce<false>, "depends on the order of threads");
}

/* y = xᵀ for a tile of 32 × 32, by 32 × 8 threads */
template <bool BARRIER> static __global__ void transpose(const float *x, float *y)
{
    __shared__ float tile[SIDE][SIDE + 1];
    unsigned column = threadIdx.x % SIDE, row = threadIdx.x / SIDE;
    for (unsigned i = row; i < SIDE; i += THREADS / SIDE)
        tile[i][column] = x[i * SIDE + column];
    if (BARRIER)
        __syncthreads();
    for (unsigned i = row; i < SIDE; i += THREADS / SIDE)
        y[i * SIDE + column] = tile[column][i];
}

Test(cuda_threads, a_transpose_transposes)
{
    arrays a;
    AM_LAUNCH(transpose<true>, 1, THREADS, 0, nullptr, a.x, a.y);
    for (int i = 0; i < SIDE * SIDE; i += 37)
        cr_expect_eq(a.at(i), i % SIDE * SIDE + i / SIDE);
}

Test(cuda_threads, a_transpose_without_its_barrier_is_caught)
{
    expect_caught(transpose<false>, "depends on the order of threads");
}

/* A barrier before the tile is filled again. */
template <bool BARRIER> static __global__ void rotate_twice(const float *x, float *y)
{
    __shared__ float ring[THREADS];
    unsigned t = threadIdx.x;
    float value = x[t];
    for (int turn = 0; turn < 2; turn++) {
        ring[t] = value;
        __syncthreads();
        value = ring[(t + 1) % THREADS];
        if (BARRIER)
            __syncthreads();
    }
    y[t] = value;
}

Test(cuda_threads, a_missing_barrier_before_reuse_is_caught)
{
    arrays a;
    AM_LAUNCH(rotate_twice<true>, 1, THREADS, 0, nullptr, a.x, a.y);
    for (int i = 0; i < THREADS; i++)
        cr_expect_eq(a.at(i), (i + 2) % THREADS);
    expect_caught(rotate_twice<false>, "depends on the order of threads");
}

/* Two sums over a block through the same places: a fast warp must not write the second sum's before a
 * slow one has read the first's. */
template <bool BARRIER> static __global__ void sum_twice(const float *x, float *y)
{
    __shared__ float warp_sum[THREADS / 32];
    float sum = x[threadIdx.x];
    for (int turn = 0; turn < 2; turn++) {
        float v = sum;
        for (int offset = 16; offset > 0; offset /= 2)
            v += __shfl_xor_sync(0xFFFFFFFFu, v, offset);
        if (threadIdx.x % 32 == 0)
            warp_sum[threadIdx.x / 32] = v;
        __syncthreads();
        sum = 0.0F;
        for (unsigned w = 0; w < THREADS / 32; w++)
            sum += warp_sum[w];
        if (BARRIER)
            __syncthreads();
    }
    y[threadIdx.x] = sum;
}

Test(cuda_threads, a_fast_warp_that_overtakes_a_slow_one_is_caught)
{
    arrays a;
    AM_LAUNCH(sum_twice<true>, 1, THREADS, 0, nullptr, a.x, a.y);
    for (int i = 0; i < THREADS; i++)
        cr_expect_eq(a.at(i), 255 * 128 * THREADS);
    expect_caught(sum_twice<false>, "depends on the order of threads");
}

static __global__ void blocks_race(const float *x, float *y)
{
    if (threadIdx.x == 0)
        y[0] = x[blockIdx.x];
}

Test(cuda_threads, blocks_that_depend_on_their_order_are_caught)
{
    expect_caught(blocks_race, "depends on the order");
}

static __global__ void half_return(const float *, float *)
{
    if (threadIdx.x >= THREADS / 2)
        return;
    __syncthreads();
}

static __global__ void two_places(const float *x, float *y)
{
    if (threadIdx.x < THREADS / 2)
        __syncthreads();
    else
        __syncthreads();
    y[blockIdx.x * THREADS + threadIdx.x] = x[0];
}

Test(cuda_threads, a_barrier_that_not_all_threads_reach_is_an_error)
{
    expect_caught(half_return, "kernel kernel, block (");
    expect_caught(half_return, "others have returned");
    expect_caught(two_places, "others wait in __syncthreads");
}

/* ---- shared memory ---- */

static __global__ void sum_shared(const float *x, float *y)
{
    AM_SHARED(float, tile);
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = tile[(threadIdx.x + 1) % blockDim.x];
}

Test(cuda_threads, dynamic_shared_memory_ends_where_the_launch_says)
{
    arrays a;
    AM_LAUNCH(sum_shared, 1, 64, 64 * sizeof(float), nullptr, a.x, a.y);
    cr_expect_eq(a.at(63), 0);
    cr_expect_eq(a.at(5), 6);
    cuda_on_cpu_expect_fault();
    AM_LAUNCH(sum_shared, 1, 64, 60 * sizeof(float), nullptr, a.x, a.y);
    cr_expect_not_null(strstr(cuda_on_cpu_take_fault(), "thread (60,0,0): illegal access"));
    cuda_on_cpu_forget_errors();
}

/* The second block finds nothing of the first. */
static __global__ void leave_behind(const float *, float *y)
{
    __shared__ float kept;
    if (blockIdx.x == 0)
        kept = 1.0F;
    y[blockIdx.x] = kept;
}

Test(cuda_threads, shared_memory_does_not_outlive_its_block)
{
    expect_caught(leave_behind, "shared memory that it has not written");
}

/* ---- warps ---- */

static __global__ void shuffles(const float *x, float *y)
{
    float v = x[threadIdx.x], sum = v, prefix = v;
    for (int offset = 16; offset > 0; offset /= 2)
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, offset);
    for (unsigned offset = 1; offset < 32; offset *= 2) {
        float below = __shfl_up_sync(0xFFFFFFFFu, prefix, offset);
        prefix += threadIdx.x % 32 >= offset ? below : 0.0F;
    }
    y[threadIdx.x] = sum;
    y[64 + threadIdx.x] = prefix;
    y[128 + threadIdx.x] = __shfl_down_sync(0xFFFFFFFFu, v, 3, 8);
    y[192 + threadIdx.x] = __shfl_sync(0xFFFFFFFFu, v, 5, 16);
}

Test(cuda_threads, shuffles_move_values_within_their_segments)
{
    arrays a;
    AM_LAUNCH(shuffles, 1, 64, 0, nullptr, a.x, a.y);
    for (int t = 0; t < 64; t++) {
        int w = t / 32, l = t % 32;
        cr_expect_eq(a.at(t), 1024 * w + 496);
        cr_expect_eq(a.at(64 + t), (l + 1) * 32 * w + l * (l + 1) / 2);
        cr_expect_eq(a.at(128 + t), t % 8 < 5 ? t + 3 : t);
        cr_expect_eq(a.at(192 + t), t / 16 * 16 + 5);
    }
}

/* Part of a warp, and a warp that the block does not fill. */
static __global__ void part_of_warp(const float *x, float *y)
{
    unsigned t = threadIdx.x;
    if (t % 2 == 0)
        y[t] = __shfl_sync(0x55555555u, x[t], 2);
    unsigned odd = __ballot_sync(0xFFFFFFFFu, t % 2);
    y[64 + t] = float(__popc(odd));
    y[128 + t] = __shfl_down_sync(0xFFFFFFFFu, x[t], 1); /* the last lane has no neighbour */
    y[192 + t] = float(__any_sync(0xFFFFFFFFu, t == 7) + 2 * __all_sync(0xFFFFFFFFu, t < 40));
}

Test(cuda_threads, masks_name_who_takes_part)
{
    arrays a;
    AM_LAUNCH(part_of_warp, 1, 40, 0, nullptr, a.x, a.y);
    for (int t = 0; t < 40; t++) {
        cr_expect_eq(a.at(t), t % 2 ? 0 : t / 32 * 32 + 2);
        cr_expect_eq(a.at(64 + t), t < 32 ? 16 : 4);
        cr_expect_eq(a.at(192 + t), t < 32 ? 3 : 2);
        if (t == 31)
            cr_expect_eq(a.at(128 + t), 31); /* the end of a segment keeps its own */
        else if (t == 39)
            cr_expect(std::isnan(a.value(128 + t))); /* lane 8 of that warp does not exist */
        else
            cr_expect_eq(a.at(128 + t), t + 1);
    }
}

static __global__ void not_in_mask(const float *x, float *y)
{
    y[threadIdx.x] = __shfl_sync(0x0000FFFFu, x[threadIdx.x], 0);
}

static __global__ void half_a_warp_waits(const float *x, float *y)
{
    if (threadIdx.x % 32 < 16)
        y[threadIdx.x] = __shfl_sync(0xFFFFFFFFu, x[threadIdx.x], 0);
    else
        __syncthreads();
}

static __global__ void different_masks(const float *x, float *y)
{
    unsigned mask = threadIdx.x % 32 < 16 ? 0xFFFFFFFFu : 0xFFFF0000u;
    y[threadIdx.x] = __shfl_sync(mask, x[threadIdx.x], 16);
}

/* No __syncwarp between writing and reading. */
static __global__ void exchange_unsynchronised(const float *x, float *y)
{
    __shared__ float part[THREADS];
    part[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = part[threadIdx.x ^ 1];
}

Test(cuda_threads, wrong_use_of_warps_is_caught)
{
    expect_caught(not_in_mask, "which does not name it");
    expect_caught(half_a_warp_waits, "waits for ever in __shfl_sync");
    expect_caught(different_masks, "with mask 0xffff0000");
    expect_caught(exchange_unsynchronised, "depends on the order of threads");
}

/* ---- indices and integer atomics ---- */

static __global__ void count_all(const float *, float *y)
{
    unsigned *count = reinterpret_cast<unsigned *>(y);
    unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    atomicAdd(&count[0], 1u);
    atomicAdd(&count[1], thread + 1000 * block);
    atomicMax(&count[2], thread);
}

Test(cuda_threads, every_thread_of_every_block_runs_once)
{
    arrays a;
    unsigned count[3];
    AM_LAUNCH(count_all, dim3(2, 3, 2), dim3(5, 2, 3), 0, nullptr, a.x, a.y);
    cr_assert_eq(cudaMemcpy(count, a.y, sizeof count, cudaMemcpyDeviceToHost), cudaSuccess);
    cr_expect_eq(count[0], 360);
    cr_expect_eq(count[1], 12 * 435 + 1000 * 66 * 30);
    cr_expect_eq(count[2], 29);
}
