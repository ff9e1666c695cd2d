/* ridge — the exact minimiser of the criterion for a target d–1 with squared loss. */
#ifndef AM_TEST_RIDGE_H
#define AM_TEST_RIDGE_H

#include "support/problem.h"

enum { RIDGE_MOST = 16 }; /* unknowns at most */

/* Solves A (n,n) x = b by elimination with pivoting; both are overwritten, x in b. */
void solve(double *a, double *b, int n);

/* S = (1/n) Σ ω_i x̃x̃ᵀ (d+1, d+1) and s = (1/n) Σ ω_i x̃ y (d+1), x̃ = (x, 1); omega (K) or NULL. */
void ridge_moments(const problem *p, const float *omega, double *s_xx, double *s_xy);
/* θ̂ (d+1) = (S + λI)⁻¹ s: the bias is penalised, like every weight. */
void ridge_solution(const problem *p, double lambda, const float *omega, double *theta);

#endif
