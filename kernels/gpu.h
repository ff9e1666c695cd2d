/* gpu — the CUDA backend: every op of backend.h on an NVIDIA GPU. Private to kernels/.
 *
 * One file a subject; in each, the kernels first and the ops that launch them last. Above a kernel
 * stand the bytes it must move through device memory and the arithmetic, per element, and what
 * limits it. Everything runs on one stream. A step is free of host decisions: counters, step sizes,
 * clip factor and the halted flag are read from device memory, launch shapes follow from the
 * arguments alone, so that `repeat` can record a step as a graph.
 *
 * Bits      sums have a shape that depends on the arguments alone, never on the device or on which
 *           block is first; no atomics on floats. Compiled with -fmad=false, so that a·b+c is
 * rounded twice as on the host; where nothing depends on it, fmaf says otherwise. Widths    a
 * thread moves 16 bytes where rows are aligned to them, else 4 or 8; a warp always moves whole
 * lines.
 *
 * The same sources compile with the host compiler when AM_CUDA_ON_CPU is defined: cuda_runtime.h
 * and its kin are stand-ins then, and bring their own AM_LAUNCH and AM_SHARED. */
#ifndef AM_GPU_H
#define AM_GPU_H

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern "C" {
#include "backend/abi.h"
#include "backend/backend.h"
#include "backend/schedule.h"
#include "draw/draw.h"
}

#ifndef AM_CUDA_ON_CPU
#define AM_LAUNCH(kernel, grid, block, shared, stream, ...)                                        \
    kernel<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__)
/* `name` points to the launch's dynamic shared memory. */
#define AM_SHARED(type, name)                                                                      \
    extern __shared__ __align__(16) unsigned char am_shared_bytes[];                               \
    type *name = (type *)am_shared_bytes
#endif

/* ---- the backend ----------------------------------------------------------------------------- */

typedef enum { SCRATCH_OP, SCRATCH_GEMM, SCRATCH_SLOTS } scratch_slot;
typedef struct retired_block retired_block;

typedef struct {
    backend base; /* first, so that a backend * is a cuda_backend * */
    backend_ops table;
    int index;        /* of the device */
    bool matrix_tf32; /* its tensor cores know tf32 and bf16 */
    cudaStream_t stream;
    cublasHandle_t blas;
    cublasComputeType_t compute;  /* of matrix products: fp32, tf32, bf16 */
    void *blas_workspace;         /* on the device */
    unsigned long long *fault;    /* on the device: 0, or the first fault a kernel met (fault.cu) */
    void *scratch[SCRATCH_SLOTS]; /* on the device */
    size_t scratch_bytes[SCRATCH_SLOTS];
    retired_block *retired; /* scratch that was outgrown; recorded steps may still use it */
    const char *last_op;    /* issued last, for errors that surface later */
    int64_t steps;          /* issued by the current `repeat` plan so far */
    bool recording;
} cuda_backend;

static inline cuda_backend *cuda_of(backend *be)
{
    return (cuda_backend *)be;
}

/* Typed views of device memory, for kernels and library calls. */
static inline AM_HD float *f32(const dev_f32 *p)
{
    return (float *)p;
}
static inline AM_HD double *f64(const dev_f64 *p)
{
    return (double *)p;
}
static inline AM_HD uint8_t *u8(const dev_u8 *p)
{
    return (uint8_t *)p;
}
static inline AM_HD int32_t *i32(const dev_i32 *p)
{
    return (int32_t *)p;
}
static inline AM_HD uint32_t *u32(const dev_u32 *p)
{
    return (uint32_t *)p;
}
static inline AM_HD uint64_t *u64(const dev_u64 *p)
{
    return (uint64_t *)p;
}
static inline AM_HD guard_state *guard_at(const dev_guard *p)
{
    return (guard_state *)p;
}

/* ---- errors (errors.cu) ---------------------------------------------------------------------- */

/* Keeps the first error with the op's name and the step; false when there is one. */
bool cuda_check(backend *be, const char *op, cudaError_t status);
bool cuda_check_blas(backend *be, const char *op, cublasStatus_t status);
/* False after a failure; else makes the backend's device current for this thread. */
bool cuda_ready(backend *be, const char *op);
/* Start of an op that launches work: the same, and keeps its name for errors that surface later. */
bool cuda_begin(backend *be, const char *op);

#define CUDA_REQUIRE(be, op, condition)                                                            \
    do {                                                                                           \
        if (!cuda_begin(be, op))                                                                   \
            return;                                                                                \
        if (!(condition)) {                                                                        \
            backend_fail(be, AM_ERR_INTERNAL, op, "the arguments violate %s", #condition);         \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Launches on the backend's stream with `shared` bytes of dynamic shared memory, and keeps a
 * refused launch as the failure of `op`. */
#define CUDA_LAUNCH(be, op, kernel, grid, block, shared, ...)                                      \
    do {                                                                                           \
        AM_LAUNCH(kernel, dim3(grid), dim3(block), shared, cuda_of(be)->stream, __VA_ARGS__);      \
        cuda_check(be, op, cudaGetLastError());                                                    \
    } while (0)

/* What a kernel can find wrong. It reports and goes on without the faulty item; the host learns of
 * it at the next download or sync. */
typedef enum {
    FAULT_NONE,
    FAULT_GATHER_ROW,
    FAULT_WEIGHT_ROW,
    FAULT_WEIGHT_BLOCK,
    FAULT_LOSS_LABEL,
    FAULT_SCORE_LABEL,
    FAULT_BASIS_DEGREE,
    FAULT_NOT_POSITIVE_DEFINITE
} fault_kind;
enum { FAULT_VALUE_BITS = 56 };

static inline __device__ void report_fault(unsigned long long *fault, fault_kind kind,
                                           int64_t value)
{
    unsigned long long mask = (1ull << FAULT_VALUE_BITS) - 1;
    atomicCAS(fault, 0ull,
              (unsigned long long)kind << FAULT_VALUE_BITS | ((unsigned long long)value & mask));
}
/* Waits for the stream, then keeps a fault that a kernel reported as a failure of its op. */
void cuda_wait(backend *be);

/* ---- memory (memory.cu) ---------------------------------------------------------------------- */

/* Device memory for the duration of one op, contents undefined; NULL after a failure. */
void *cuda_scratch(backend *be, scratch_slot slot, size_t bytes);
void cuda_free_scratch(cuda_backend *gpu);

/* ---- matrix products (matmul.cu) ------------------------------------------------------------- */

/* matmul on behalf of `op`. Uses SCRATCH_GEMM. */
void cuda_gemm(backend *be, const char *op, const matmul_args *a);

/* ---- launch shapes and device helpers -------------------------------------------------------- */

enum { BLOCK = 256, WARP = 32 };

static inline AM_HD int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}
/* Blocks of BLOCK threads, one thread an item. */
static inline unsigned blocks_of(int64_t items)
{
    return (unsigned)divide_up(items, BLOCK);
}
static inline __device__ int64_t thread_index(void)
{
    return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}
static inline AM_HD bool aligned16(const void *p)
{
    return (uintptr_t)p % 16 == 0;
}

/* Σ over the threads of a block (a multiple of 32), the same bits in every thread: a butterfly over
 * each warp, then the warps in order. Every thread must call it. */
static inline __device__ double block_sum(double x)
{
    __shared__ double warp_sum[WARP];
    for (int offset = WARP / 2; offset > 0; offset /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, offset);
    if (threadIdx.x % WARP == 0)
        warp_sum[threadIdx.x / WARP] = x;
    __syncthreads();
    double sum = 0.0;
    for (unsigned w = 0; w < blockDim.x / WARP; w++)
        sum += warp_sum[w];
    __syncthreads();
    return sum;
}

/* act and act', the latter from the output. relu keeps a NaN, for the guard to see. */
static inline __device__ float activated(float x, activation act)
{
    if (act == ACT_RELU)
        return x < 0.0f ? 0.0f : x;
    return act == ACT_TANH ? tanhf(x) : x;
}
static inline __device__ float activation_gradient(float dy, float y, activation act)
{
    if (act == ACT_RELU)
        return y > 0.0f ? dy : 0.0f;
    return act == ACT_TANH ? dy * (1.0f - y * y) : dy;
}

/* ---- the ops --------------------------------------------------------------------------------- */

/* memory.cu */
void *cuda_alloc(backend *be, size_t bytes, const char *what);
void cuda_release(backend *be, void *memory);
am_status cuda_free_memory(backend *be, size_t *available, size_t *total, am_error *err);
void cuda_upload(backend *be, void *device, const void *host, size_t bytes);
am_status cuda_download(backend *be, void *host, const void *device, size_t bytes, am_error *err);
void cuda_copy(backend *be, void *to, const void *from, size_t bytes);
void cuda_zero(backend *be, void *memory, size_t bytes);
am_status cuda_sync(backend *be, am_error *err);
/* repeat.cu */
void cuda_repeat(backend *be, void (*issue)(void *context), void *context, int64_t times,
                 void **plan);
void cuda_forget(backend *be, void **plan);
void cuda_advance(backend *be, dev_u64 *counter);
/* draws.cu, omega.cu */
void cuda_draw_lambda(backend *be, const draw_lambda_args *a);
void cuda_scale_lambda(backend *be, const scale_lambda_args *a);
/* curvature.cu */
void cuda_slope(backend *be, const slope_args *a);
void cuda_curvature(backend *be, const curvature_args *a);
void cuda_add_diagonal(backend *be, const add_diagonal_args *a);
void cuda_draw_rows(backend *be, const draw_rows_args *a);
void cuda_draw_omega(backend *be, const draw_omega_args *a);
/* rows.cu */
void cuda_gather(backend *be, const gather_args *a);
void cuda_row_weights(backend *be, const row_weights_args *a);
/* matmul.cu, linear.cu, mix.cu, basis.cu */
void cuda_matmul(backend *be, const matmul_args *a);
void cuda_linear_forward(backend *be, const linear_forward_args *a);
void cuda_linear_backward(backend *be, const linear_backward_args *a);
void cuda_mix_forward(backend *be, const mix_forward_args *a);
void cuda_mix_backward(backend *be, const mix_backward_args *a);
void cuda_basis_forward(backend *be, const basis_forward_args *a);
void cuda_basis_backward(backend *be, const basis_backward_args *a);
/* loss.cu, penalty.cu, gram_penalty.cu */
void cuda_loss(backend *be, const loss_args *a);
void cuda_l2_penalty(backend *be, const l2_penalty_args *a);
void cuda_gram_penalty(backend *be, const gram_penalty_args *a);
/* guard.cu, adam.cu, collocation.cu */
void cuda_guard(backend *be, const guard_args *a);
void cuda_adam(backend *be, const adam_args *a);
void cuda_adam_outer(backend *be, const adam_outer_args *a);
void cuda_collocation(backend *be, const collocation_args *a);
/* score.cu, softmax.cu */
void cuda_score(backend *be, const score_args *a);
void cuda_softmax(backend *be, const softmax_args *a);

#endif
