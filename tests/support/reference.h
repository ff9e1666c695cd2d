/* reference — the generator and its criterion in double on the host, written naively from their
 * definitions (METHOD §1, §3): what the library is held against, in value and by differences. */
#ifndef AM_TEST_REFERENCE_H
#define AM_TEST_REFERENCE_H

#include "support/problem.h"

/* A copy of a generator's parameters; memory belongs to the device. */
typedef struct {
    const generator *g;
    double *head, *phi, *embed; /* (R,P), (φ), (K,I) or NULL */
} reference;

reference reference_of(device *d, const generator *g);

/* c (R) at u (G) and ω (K; NULL = 1). */
void reference_features(const reference *r, const double *u, const float *omega, double *c);
/* θ (P) = Σ_k c_k Θ_k */
void reference_theta(const reference *r, const double *c, double *theta);

/* f_θ(x): C outputs. */
void reference_forward(const target *t, const double *theta, const float *x, double *output);
/* ℓ of one row of `rows` at these outputs. */
double reference_loss(const target *t, const double *output, const am_rows *rows, int64_t i);
/* Σ_g λ_g‖θ_g‖², G = 1 or the number of layers. */
double reference_penalty(const target *t, const double *theta, const double *lambda, int groups);
/* (1/n) Σ_i ω_b(i) ℓ_i + penalty, over all rows; omega (K) or NULL. */
double reference_criterion(const target *t, const double *theta, const problem *p,
                           const double *lambda, int groups, const float *omega);

#endif
