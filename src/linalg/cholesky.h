/* cholesky — factor once, solve often, without an allocation: the inner step of the solvers of
 * M-estimation. (linalg_solve is the careful one: it scales, estimates the condition and explains.) */
#ifndef AM_CHOLESKY_H
#define AM_CHOLESKY_H

#include <stdbool.h>

/* A = L·Lᵀ, A symmetric (n × n, column-major), read from and replaced in its lower triangle; the
 * upper one is scratch. false
 * when A is not positive definite to working precision (a pivot below n·2⁻⁵² of its diagonal
 * element) or not finite; then A holds nothing of use. */
bool cholesky_factor(int n, double *a);
/* B ← A⁻¹B, B (n × m), from the factor. */
void cholesky_solve(int n, const double *l, int m, double *b);
/* B ← L⁻¹B, B (n × m). */
void cholesky_forward(int n, const double *l, int m, double *b);

#endif
