/* block_ridge — weighted ridge regression with one weight per block of rows, and linear generators
 * (ω, λ) → θ for it, trained in two ways.
 *
 *   θ̂(ω, λ) = (XᵀWX + nλI)⁻¹XᵀWy,   W_ii = ω_block(i)
 *           = argmin L(θ; ω, λ),   L = (1/n) Σ_i ω_block(i) (y_i − x_iᵀθ)² + λ‖θ‖²
 *           = S⁻¹s,   S(ω, λ) = Σ_k ω_k G_k + λI,   s(ω) = Σ_k ω_k c_k
 * with the blocks' moments G_k = X_kᵀX_k/n and c_k = X_kᵀy_k/n.
 *
 * The generator is θ = Aᵀz with the r = K + 1 features
 *     z(ω, λ) = (1, √3·u, ω_1 − 1, …, ω_{K−1} − 1),   u ∈ [−1, 1] the normalised log λ,
 * centred, and without ω_K: the weights sum to K, so that 1, ω_1, …, ω_K are linearly dependent and
 * (1, log λ, ω_1, …, ω_K), the published features, span the same functions. */
#ifndef AM_CLASSIC_BLOCK_RIDGE_H
#define AM_CLASSIC_BLOCK_RIDGE_H

#include "classic/design.h"
#include "draw/draw.h"

typedef struct {
    int n, p, blocks;
    double *gram;   /* (p·p × K) the G_k, owned */
    double *moment; /* (p × K) the c_k, owned */
} block_ridge;

/* label (n) in 0..blocks−1. */
am_status block_ridge_open(const design *d, const int *label, int blocks, block_ridge *b,
                           am_error *err);
void block_ridge_free(block_ridge *b); /* safe on a zeroed one */

/* ---- draws (block_draws.c) --------------------------------------------------------------------- */

typedef struct {
    int count, blocks;
    double low, high; /* range of λ */
    double *lambda;   /* (count) log-uniform, owned */
    double *omega;    /* (K × count) K·Dirichlet(1, …, 1), owned */
} block_draws;

/* A pure function of (seed, stream, step); stream: STREAM_OMEGA to train on, STREAM_EVALUATION to
 * judge by. */
am_status block_draws_make(int count, int blocks, double low, double high, uint64_t seed,
                           draw_stream stream, uint32_t step, block_draws *draws, am_error *err);
void block_draws_free(block_draws *draws); /* safe on a zeroed one */
/* z (r × count), r = K + 1, fresh; NULL without memory. */
double *block_draws_features(const block_draws *draws, am_error *err);
/* theta (p × count) ← the exact θ̂ of every draw: one factorisation each. */
am_status block_ridge_labels(const block_ridge *b, const block_draws *draws, double *theta,
                             am_error *err);

/* ---- generators: A (r × p) --------------------------------------------------------------------- */

/* Supervised (block_ridge.c): least squares of the labels θ̂ on the features. Fewer draws than
 * features leave A undetermined; of least norm then. */
am_status block_ridge_supervised(const block_ridge *b, const block_draws *draws, double *a,
                                 am_error *err);

/* By the criterion (block_criterion.c): the exact minimiser of E(A) = mean_m L(Aᵀz_m; ω_m, λ_m) over
 * the draws, without a single θ̂. AM_ERR_INPUT when there are too few draws to determine A. */
am_status block_ridge_criterion(const block_ridge *b, const block_draws *draws, double *a,
                                am_error *err);
/* The same over **all** (ω, λ), log λ uniform on [low, high] and ω = K·Dirichlet(1, …, 1): the
 * expectation is taken in closed form, not one draw is needed. blocks ≥ 2. */
am_status block_ridge_expected(const block_ridge *b, double low, double high, double *a,
                               am_error *err);

/* By descent on the same E (block_descent.c): preconditioned conjugate gradients from A = 0, until
 * the preconditioned gradient has fallen by `tolerance`. *steps: passes over the draws taken. */
am_status block_ridge_descent(const block_ridge *b, const block_draws *draws, double tolerance,
                              int most_steps, double *a, int *steps, am_error *err);

/* IPL = mean_m ‖Aᵀz_m − θ̂_m‖² on other draws, theta (p × count) their labels. */
am_status block_ridge_loss(const block_ridge *b, const block_draws *draws, const double *theta,
                           const double *a, double *loss, am_error *err);

#endif
