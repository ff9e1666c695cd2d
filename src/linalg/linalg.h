/* linalg — dense linear algebra in double precision: thin wrappers over CBLAS and LAPACK.
 *
 * Conventions, also of classic/ (problems whose optimiser is a closed form or a convex solve):
 *
 *   - Double precision throughout; sizes are int, n rows × p columns, as BLAS counts them.
 *   - Matrices are **column-major** and dense: element (i, j) of an (n × p) matrix is a[i + j·n], so
 *     that a column (a covariate, a right-hand side) is contiguous. Every declaration says the shape.
 *   - Symmetric matrices are stored whole: results fill both triangles, arguments are read from the
 *     lower one only unless said otherwise.
 *   - Memory is the caller's; a function that needs workspace takes it as an argument or allocates
 *     it itself, and then returns am_status.
 *   - The objective is L(θ; ω, λ) = (1/n) Σ_i ω_i ℓ(y_i, x_iᵀθ) + λ·penalty, mean-1 weights ω: for
 *     squared loss and Σθ², θ̂ = (XᵀWX + nλI)⁻¹ XᵀWy. λ never carries a factor ½.
 *   - Inputs are checked once, where they enter (design.h): everything behind that may rely on
 *     finite numbers. A failure names `what` (the system that is solved, in the user's words), the
 *     fault and the remedy; no function returns NaN with AM_OK.
 *   - Random numbers come from draw/ alone, each use from a stream of its own.
 *
 * The BLAS library runs on one thread (linalg_one_thread): these problems are small, and results
 * must not depend on the number of threads. Parallel loops are ours, over folds and replications. */
#ifndef AM_LINALG_H
#define AM_LINALG_H

#include "base/base.h"

/* Place of element (i, j) of a column-major matrix with n rows. */
static inline size_t linalg_at(int i, int j, int n)
{
    return (size_t)i + (size_t)j * (size_t)n;
}

/* Sets the process's BLAS to one thread, as the CPU backend does. Call once before any work. */
void linalg_one_thread(void);

/* ---- products (products.c) --------------------------------------------------------------------- */

/* C = op(A)·op(B): op transposes for 't', keeps for 'n'. C (m × k), inner dimension l:
 * A is (m × l), or (l × m) when transposed; B is (l × k), or (k × l) when transposed. */
void linalg_multiply(char transpose_a, char transpose_b, int m, int k, int l, const double *a,
                     const double *b, double *c);
/* C += A·B, A (m × l), B (l × k), C (m × k). */
void linalg_add_product(int m, int k, int l, const double *a, const double *b, double *c);
/* y = op(A)·x, A (n × p): x (p) and y (n), the other way round for 't'. */
void linalg_apply(char transpose, int n, int p, const double *a, const double *x, double *y);
/* G = XᵀX, X (n × p), G (p × p). */
void linalg_gram(int n, int p, const double *x, double *g);
/* G = XᵀWX, W = diag(w), w (n) ≥ 0; scratch (n × p). */
void linalg_weighted_gram(int n, int p, const double *x, const double *w, double *scratch,
                          double *g);
/* Whether all `count` numbers are finite. */
bool linalg_finite(const double *x, size_t count);

/* ---- decompositions (lapack.c) ------------------------------------------------------------- */

/* A = V·diag(d)·Vᵀ, A symmetric (n × n): A becomes V, eigenvectors in columns; d (n) ascending.
 * Divide and conquer (dsyevd). AM_ERR_INPUT when A is not finite. */
am_status linalg_eigen(const char *what, int n, double *a, double *d, am_error *err);

/* A = U·diag(s)·Vᵀ, A (n × p), destroyed; k = min(n, p): U (n × k), s (k) descending,
 * Vᵀ (k × p). dgesdd. AM_ERR_INPUT when A is not finite. */
am_status linalg_svd(const char *what, int n, int p, double *a, double *u, double *s, double *vt,
                     am_error *err);

/* Solves A·X = B for A symmetric positive definite (n × n), B (n × m) → X. A and B are overwritten;
 * of A nothing is left to use. Cholesky of D·A·D, D = diag(a_ii)^(−½), so that units of the
 * variables do not matter. AM_ERR_INPUT: A is not finite, not positive definite, or singular to
 * working precision (reciprocal condition of D·A·D below n·2⁻⁵²). */
am_status linalg_solve(const char *what, int n, double *a, int m, double *b, am_error *err);

/* The same in two steps, for one matrix and many shifts, where shift > 0 makes A + shift·I safely
 * positive definite: factor (n × n) ← its Cholesky factor; then B (n × m) ← (A + shift·I)⁻¹B.
 * AM_ERR_INPUT when it is not positive definite. (cholesky.h factors in place and judges.) */
am_status linalg_factor(const char *what, int n, const double *a, double shift, double *factor,
                        am_error *err);
void linalg_factor_solve(int n, const double *factor, int m, double *b);

/* A (n × p), p ≤ n, becomes orthonormal columns that span its own (Householder QR). */
am_status linalg_orthonormal(const char *what, int n, int p, double *a, am_error *err);

/* argmin ‖A·X − B‖_F of least norm, by SVD (dgelsd): never singular. A (n × p) is destroyed; B
 * (max(n, p) × m), its first n rows given, becomes X in its first p rows. Singular values below
 * max(n, p)·2⁻⁵² of the largest count as 0; *rank is how many are left (NULL: not wanted). */
am_status linalg_least_squares(const char *what, int n, int p, double *a, int m, double *b,
                               int *rank, am_error *err);

/* B = (XᵀX + penalty·I)⁻¹ XᵀY, X (n × p), Y (n × m), B (p × m), penalty ≥ 0. p > n: by the n × n
 * system B = Xᵀ(XXᵀ + penalty·I)⁻¹Y. AM_ERR_INPUT when the system is singular (see linalg_solve),
 * which a penalty cures. */
am_status linalg_ridge(const char *what, int n, int p, const double *x, int m, const double *y,
                       double penalty, double *b, am_error *err);

#endif
