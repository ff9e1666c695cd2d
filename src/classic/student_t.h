/* student_t — location and scale of a Student-t sample with known degrees of freedom ν, weighted:
 *
 *   (μ̂, σ̂)(ω, ν) = argmin Σ_i ω_i ℓ(y_i),   ℓ(y) = −log t_ν((y − μ)/σ) + log σ      (nats)
 *
 * and generators that stand in for it as a function of (ω, ν). Letters: n observations, K blocks that
 * share a weight, z = (y − μ)/σ, τ = log σ. */
#ifndef AM_CLASSIC_STUDENT_T_H
#define AM_CLASSIC_STUDENT_T_H

#include "base/base.h"

typedef struct {
    double mu, sigma;
} location_scale;

/* A sample whose observation i has the weight omega[block[i]]. */
typedef struct {
    int n, blocks;
    const double *y;       /* (n), finite */
    const uint32_t *block; /* (n) in 0..K−1 */
} blocked_sample;

/* Reads off the faults of a sample: fewer than 3 values, values all equal, a block out of range or
 * without observations. `what` names the data in the message. */
am_status student_t_check(const char *what, const blocked_sample *s, am_error *err);

/* Σ_i ω_i ℓ(y_i); omega (K), NULL: all 1. */
double student_t_nll(const blocked_sample *s, const double *omega, double nu, location_scale at);

/* The minimiser, by the parameter-expanded EM of Meng and van Dyk (1997): with u_i = (ν+1)/(ν+z_i²)
 *   μ ← Σω_i u_i y_i / Σω_i u_i,   σ² ← Σω_i u_i (y_i − μ)² / Σω_i u_i
 * until both stand still to rounding. omega (K) ≥ 0, not all 0; NULL: all 1. AM_ERR_INPUT when σ
 * falls to 0: more than a share ν/(ν+1) of the weight lies on one value, and there is no minimiser. */
am_status student_t_fit(const blocked_sample *s, const double *omega, double nu,
                        location_scale *best, am_error *err);

/* The fit as it was published, which stops early: variable metric (Nash 1990, algorithm 21) in
 * (μ, log σ), from the weighted mean and standard deviation, gradient by central differences of
 * 1e-3, until the criterion falls by less than √(2⁻⁵²) of itself. Only for comparisons: its distance
 * from the minimiser reaches 6e-4. */
am_status student_t_fit_published(const blocked_sample *s, const double *omega, double nu,
                                  location_scale *best, am_error *err);

/* ---- derivatives per block (student_t_blocks.c) ------------------------------------------------ */

/* Σ_{i∈b} of the derivatives of ℓ in (μ, τ) up to the third, at one point. */
typedef struct {
    double mu, tau;                   /* first */
    double mu2, mutau, tau2;          /* second */
    double mu3, mu2tau, mutau2, tau3; /* third */
} student_t_moments;
/* moments (K), overwritten. */
void student_t_block_moments(const blocked_sample *s, double nu, location_scale at,
                             student_t_moments *moments);

#endif
