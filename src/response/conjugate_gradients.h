/* conjugate_gradients — A x_k = b_k for K right-hand sides at once, preconditioned (Hestenes & Stiefel
 * 1952). The sides are solved as one system, with steps common to all. The last step needs A for its
 * length only: for many sides, ⟨p, Ap⟩ summed over them is estimated from a few sums of theirs with
 * random signs (Hutchinson 1989). */
#ifndef AM_CONJUGATE_GRADIENTS_H
#define AM_CONJUGATE_GRADIENTS_H

#include "backend/backend.h"

typedef struct {
    backend *be;
    int vectors, probes;                           /* K, S ≤ K */
    int64_t count;                                 /* P */
    dev_f32 *residual, *search, *product, *solved; /* (K, P) */
    dev_f32 *signs;                                /* (S, K) */
    dev_f32 *mixed[3];       /* (S, P) sums of residuals, searches; A of those */
    dev_f32 *dots, *factors; /* (K) */
} conjugate_gradients;

am_status conjugate_gradients_open(conjugate_gradients *c, backend *be, int vectors, int64_t count,
                                   am_error *err);
void conjugate_gradients_close(conjugate_gradients *c); /* safe on a zeroed one */

/* The linear maps of a problem, symmetric and positive definite: out (K,P) ← A·in, out ← M⁻¹·in.
 * Neither may write to `in`. */
typedef struct {
    void *context;
    void (*apply)(void *context, int vectors, const dev_f32 *in, dev_f32 *out);
    void (*precondition)(void *context, int vectors, const dev_f32 *in, dev_f32 *out);
} linear_problem;

/* x (K,P) += the solution of A y = c->residual (which is overwritten) after `iterations` ≥ 1. */
am_status conjugate_gradients_solve(conjugate_gradients *c, const linear_problem *problem,
                                    int iterations, dev_f32 *x, am_error *err);

#endif
