/* backend — the one interface between the trainer and the hardware.
 *
 * A backend is a table of ops on opaque device memory; every slot is mandatory. The trainer above is
 * written once and has no conditional on the backend. Device pointers have incomplete types: host
 * code cannot dereference them, only offset them (f32_at) and hand them to ops.
 *
 * Letters   n examples · d inputs · P target parameters · B minibatch rows · M models (draws) at once
 *           K weight blocks · R features including the constant (r + 1) · G penalty groups · C outputs
 * Layout    row-major; a batch item m of a tensor starts `*_stride` elements after item m−1; stride 0
 *           shares one item between all models.
 * Errors    ops return nothing; the backend keeps the first failure with its op's name, ignores the
 *           ops that follow, and `sync` (and `download`) return it.
 * Order     ops run in the order issued. No op synchronises with the host except download and sync.
 * Bits      no atomics on floats; the same calls on the same device give the same bits, whatever the
 *           number of threads.
 * Aliasing  outputs never overlap inputs unless the op says so. */
#ifndef AM_BACKEND_H
#define AM_BACKEND_H

#include "backend/derivative_args.h"

typedef struct backend backend;

typedef struct {
    void (*close)(backend *be);

    /* Arithmetic of matrix products: "fp32" (as opened), "tf32" or "bf16" operands with fp32 sums.
     * AM_ERR_USAGE where the device has no such arithmetic. Before any other op. */
    am_status (*set_precision)(backend *be, const char *precision, am_error *err);

    /* Device memory, zeroed; NULL after a failure (kept as the first error). */
    void *(*alloc)(backend *be, size_t bytes, const char *what);
    void (*release)(backend *be, void *memory); /* NULL is fine */
    /* Bytes that alloc could still give, and all that there are. */
    am_status (*free_memory)(backend *be, size_t *available, size_t *total, am_error *err);
    void (*upload)(backend *be, void *device, const void *host, size_t bytes);
    am_status (*download)(backend *be, void *host, const void *device, size_t bytes, am_error *err);
    void (*copy)(backend *be, void *to, const void *from, size_t bytes);
    void (*zero)(backend *be, void *memory, size_t bytes);
    am_status (*sync)(backend *be, am_error *err);

    /* Runs issue(context) `times` times. Every call must issue the same ops with the same arguments
     * (what varies lives in device memory, above all the step counter), so that a backend may record
     * the first and replay it. `plan` is the caller's handle: *plan NULL on first use, released by
     * forget. */
    void (*repeat)(backend *be, void (*issue)(void *context), void *context, int64_t times,
                   void **plan);
    void (*forget)(backend *be, void **plan);
    void (*advance)(backend *be, dev_u64 *counter); /* counter += 1 */

    void (*draw_lambda)(backend *be, const draw_lambda_args *a);
    void (*draw_omega)(backend *be, const draw_omega_args *a);
    void (*scale_lambda)(backend *be, const scale_lambda_args *a);
    void (*draw_rows)(backend *be, const draw_rows_args *a);
    void (*gather)(backend *be, const gather_args *a);
    void (*row_weights)(backend *be, const row_weights_args *a);

    void (*matmul)(backend *be, const matmul_args *a);
    void (*linear_forward)(backend *be, const linear_forward_args *a);
    void (*linear_backward)(backend *be, const linear_backward_args *a);
    void (*mix_forward)(backend *be, const mix_forward_args *a);
    void (*mix_backward)(backend *be, const mix_backward_args *a);
    void (*basis_forward)(backend *be, const basis_forward_args *a);
    void (*basis_backward)(backend *be, const basis_backward_args *a);

    void (*loss)(backend *be, const loss_args *a);
    void (*l2_penalty)(backend *be, const l2_penalty_args *a);
    void (*gram_penalty)(backend *be, const gram_penalty_args *a);

    void (*slope)(backend *be, const slope_args *a);
    void (*curvature)(backend *be, const curvature_args *a);
    void (*add_diagonal)(backend *be, const add_diagonal_args *a);

    void (*guard)(backend *be, const guard_args *a);
    void (*adam)(backend *be, const adam_args *a);
    void (*adam_outer)(backend *be, const adam_outer_args *a);
    void (*collocation)(backend *be, const collocation_args *a);

    void (*score)(backend *be, const score_args *a);
    void (*softmax)(backend *be, const softmax_args *a);
} backend_ops;

struct backend {
    const backend_ops *op;
    const char *name; /* "cpu", "cuda" */
    char device[128]; /* model of the processor, for reports */
    int threads;
    am_error failure; /* first failure of any op; AM_OK when none */
};

/* device: "auto", "cpu", "cuda", "cuda:1"; threads 0 = all that the process may use. */
am_status backend_open(backend **be, const char *device, int threads, am_error *err);
void backend_close(backend *be); /* NULL is fine */
/* Keeps the first failure: "op: cause". For backends. */
void backend_fail(backend *be, am_status status, const char *op, const char *format, ...)
    AM_PRINTF(4, 5);

#endif
