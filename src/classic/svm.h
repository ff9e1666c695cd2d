/* svm — how much to penalise a support vector machine, by data augmentation.
 *
 * Polson and Scott (2011) read 2 Σ_i ω_i (1 − y_i x_iᵀβ)₊ + ν^(−α) Σ_j |β_j|^α as a negative log
 * posterior; the hinge is a variance–mean mixture, whose EM is piecewise_envelope, and ν^(−α) gets the
 * prior Gamma(a, b). Here α = 2 and τ = ν^(−2), over the k penalised coefficients:
 *
 *   F(β, τ) = 2 Σ_i ω_i (1 − y_i x_iᵀβ)₊ + τ Σ_j β_j² − (k/2 + a − 1) log τ + b·τ,   λ = τ/(2n)
 *
 * The ECME algorithm alternates the EM step for β with the maximiser in τ,
 *
 *   τ = (a − 1 + k/2) / (b + Σ_j β_j²),
 *
 * so that F never rises. (The paper prints this fraction upside down: as printed it is ν^α, and F
 * would rise.) b > 0 keeps the mode proper: with b = 0 it lies at β = 0, τ = ∞. */
#ifndef AM_CLASSIC_SVM_H
#define AM_CLASSIC_SVM_H

#include "classic/amortized.h"

typedef struct {
    double a, b; /* a ≥ 1, b > 0 */
} svm_prior;

typedef struct {
    double tau, lambda;
    double objective; /* F */
    int iterations;
} svm_choice;

/* τ given Σβ² over the k penalised coefficients. */
double svm_tau(svm_prior prior, int k, double square);
/* F at (β, τ). */
double svm_objective(const amortized_data *d, svm_prior prior, const double *omega,
                     const double *beta, double tau);

/* ECME from β = 0; data of the hinge loss. beta (p): the mode. AM_ERR_USAGE for an improper prior. */
am_status svm_ecme(const amortized_data *d, svm_prior prior, const double *omega, double precision,
                   double *beta, svm_choice *choice, am_error *err);
/* The same fixed point along a generator, without a fit: λ ← τ(‖θ(ω, λ)‖²)/(2n), within its range. */
am_status svm_ecme_amortized(const amortized_generator *g, svm_prior prior, const double *omega,
                             svm_choice *choice, am_error *err);

#endif
