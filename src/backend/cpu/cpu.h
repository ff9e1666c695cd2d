/* cpu — the CPU backend: every op of backend.h on host memory.
 *
 * Dense products go through CBLAS, one thread each; the parallelism is OpenMP over batch items and
 * tiles whose boundaries depend on the shapes alone, so that the bits are the same for any number
 * of threads. Device pointers are host pointers: f32() and its kin give them back their type. */
#ifndef AM_CPU_H
#define AM_CPU_H

#include "backend/backend.h"

/* One body, compiled for several instruction sets, the best chosen when the program is loaded.
 * Where the compiler, the architecture or a sanitizer forbids this, the baseline body alone. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(AM_NO_CLONES)
#define AM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define AM_CLONES
#endif

/* Host view of device memory. */
static inline float *f32(const dev_f32 *p)
{
    return (float *)(uintptr_t)p;
}
static inline double *f64(const dev_f64 *p)
{
    return (double *)(uintptr_t)p;
}
static inline uint8_t *u8(const dev_u8 *p)
{
    return (uint8_t *)(uintptr_t)p;
}
static inline int32_t *i32(const dev_i32 *p)
{
    return (int32_t *)(uintptr_t)p;
}
static inline uint32_t *u32(const dev_u32 *p)
{
    return (uint32_t *)(uintptr_t)p;
}
static inline uint64_t *u64(const dev_u64 *p)
{
    return (uint64_t *)(uintptr_t)p;
}
static inline guard_state *guard_at(const dev_guard *p)
{
    return (guard_state *)(uintptr_t)p;
}

/* The backend with what only the CPU needs. */
typedef enum { SCRATCH_OP, SCRATCH_GEMM, SCRATCH_SLOTS } scratch_slot;
typedef struct {
    backend base;       /* first, so that a backend * is a cpu_backend * */
    bool small_kernels; /* of the BLAS, see blas.h and gemm.c */
    void *scratch[SCRATCH_SLOTS];
    size_t scratch_bytes[SCRATCH_SLOTS];
} cpu_backend;

/* Below this much work (elements touched) an op stays on one thread: waking the others costs more.
 */
enum { CPU_PARALLEL_WORK = 1 << 15 };

/* First line of an op: nothing runs after a failure, and a broken shape is a defect of the caller.
 */
#define CPU_REQUIRE(be, op, condition)                                                             \
    do {                                                                                           \
        if ((be)->failure.status != AM_OK)                                                         \
            return;                                                                                \
        if (!(condition)) {                                                                        \
            backend_fail(be, AM_ERR_INTERNAL, op, "the arguments violate %s", #condition);         \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* cpu.c — threads 0: all that the process may use. */
am_status cpu_backend_open(backend **be, int threads, am_error *err);
/* Memory for the duration of one op, contents undefined; every slot is one block that grows and is
 * kept. NULL after a failure. */
void *cpu_scratch(backend *be, scratch_slot slot, size_t bytes);

/* memory.c */
am_status cpu_free_memory(backend *be, size_t *available, size_t *total, am_error *err);
/* draws.c */
void cpu_draw_lambda(backend *be, const draw_lambda_args *a);
void cpu_draw_omega(backend *be, const draw_omega_args *a);
void cpu_scale_lambda(backend *be, const scale_lambda_args *a);
void cpu_draw_rows(backend *be, const draw_rows_args *a);
/* rows.c */
void cpu_gather(backend *be, const gather_args *a);
void cpu_row_weights(backend *be, const row_weights_args *a);
/* matmul.c */
void cpu_matmul(backend *be, const matmul_args *a);
/* linear.c */
void cpu_linear_forward(backend *be, const linear_forward_args *a);
void cpu_linear_backward(backend *be, const linear_backward_args *a);
void cpu_slope(backend *be, const slope_args *a);
void cpu_curvature(backend *be, const curvature_args *a);
void cpu_add_diagonal(backend *be, const add_diagonal_args *a);
/* mix.c */
void cpu_mix_forward(backend *be, const mix_forward_args *a);
void cpu_mix_backward(backend *be, const mix_backward_args *a);
/* basis.c */
void cpu_basis_forward(backend *be, const basis_forward_args *a);
void cpu_basis_backward(backend *be, const basis_backward_args *a);
/* loss.c */
void cpu_loss(backend *be, const loss_args *a);
/* penalty.c */
void cpu_l2_penalty(backend *be, const l2_penalty_args *a);
void cpu_gram_penalty(backend *be, const gram_penalty_args *a);
/* guard.c */
void cpu_guard(backend *be, const guard_args *a);
/* adam.c */
void cpu_adam(backend *be, const adam_args *a);
void cpu_adam_outer(backend *be, const adam_outer_args *a);
/* collocation.c */
void cpu_collocation(backend *be, const collocation_args *a);
/* score.c */
void cpu_score(backend *be, const score_args *a);
void cpu_softmax(backend *be, const softmax_args *a);

#endif
