/* regression — a generator's head, and its feature network, from labels: the θ̂ that B draws (ω, λ)
 * should give (METHOD §4, supervised).
 *
 * The loss is Σ_b ‖g(ω_b, λ_b) − θ̂_b‖² (Lopes, Polson, Sokolov 2025, mode A). Any other metric common
 * to the labels has the same minimiser in the head, so that plain distance is no choice there. */
#ifndef AM_REGRESSION_H
#define AM_REGRESSION_H

#include "train/train.h"

typedef struct {
    backend *be;
    int labels, features; /* B, R */
    dev_f32 *solver;      /* (R, B): (CᵀC + ridge)⁻¹Cᵀ */
    /* of the features' regression; NULL without */
    dev_f32 *target;            /* (B, B): the labels' coordinates in their own span */
    dev_f32 *output;            /* (B, B): CA, then dL/d(CA) */
    dev_f32 *head, *dhead, *dc; /* A (R, B), dL/dA, dL/dC (B, R) */
    dev_f32 *dphi;              /* (φ) */
    dev_f32 *moment1, *moment2; /* of A, */
    dev_f32 *phi_m1, *phi_m2;   /* of φ */
    dev_u64 *step;
    dev_guard *guard;
    dev_f64 *loss; /* (1) */
} regression;

/* phi: values of the feature network, 0 when the features are not regressed. */
am_status regression_open(regression *r, backend *be, int labels, int features, int64_t phi,
                          am_error *err);
void regression_close(regression *r); /* safe on a zeroed one */

/* What one regression takes; all on the device. */
typedef struct {
    generator *g;             /* one network: its head is moved by the closed form */
    const dev_f32 *u, *omega; /* (B, G), (B, K): for the features' regression */
    dev_f32 *c;               /* (B, R): features of the draws; new ones where φ moves */
    dev_f32 *label;           /* (B, P): θ̂; used up */
} regression_data;

/* Θ ← Θ + (CᵀC + ridge)⁻¹Cᵀ(θ̂ − CΘ): the least-squares fit of what the labels add to the generator,
 * so that directions the labels say nothing about stay as they are. */
am_status regression_head(regression *r, const regression_data *d, am_error *err);
/* First φ by Adam, then the head anew, but for Θ_0, in closed form. */
am_status regression_features(regression *r, const regression_data *d, am_error *err);

#endif
