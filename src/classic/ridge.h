/* ridge — ridge regression, where everything is known in closed form:
 *
 *   θ̂(λ) = (XᵀX + nλI)⁻¹Xᵀy        the minimiser of (1/n)‖y − Xθ‖² + λ‖θ‖²,  no intercept
 *
 * its choice of λ by generalised and by K-fold cross-validation, and generators λ → θ that replace
 * the refits of cross-validation. λ > 0 throughout, so that no design is singular: constant,
 * repeated and zero columns have their regularised answer. */
#ifndef AM_CLASSIC_RIDGE_H
#define AM_CLASSIC_RIDGE_H

#include "classic/design.h"

/* θ̂ (p) at λ; omega (n) weights of the rows, NULL: ones: (XᵀWX + nλI)⁻¹XᵀWy. */
am_status ridge_fit(const design *d, const double *omega, double lambda, double *theta,
                    am_error *err);
/* Mean squared error of Xθ on the rows of d. */
am_status ridge_error(const design *d, const double *theta, double *error, am_error *err);

/* ---- generalised cross-validation (ridge_spectrum.c) ------------------------------------------- */

/* X in the basis of its singular vectors, k = min(n, p): X = U·√diag(d)·Vᵀ. For p ≤ n by the thin
 * SVD of X; for p > n by the eigendecomposition of XXᵀ, n × n algebra only. */
typedef struct {
    int n, p, k;
    double *u;   /* (n × k), owned */
    double *d;   /* (k) squared singular values ≥ 0, owned */
    double *g;   /* (k) Uᵀy, owned */
    double rest; /* ‖y − UUᵀy‖² */
} ridge_spectrum;

am_status ridge_spectrum_open(const design *d, ridge_spectrum *s, am_error *err);
void ridge_spectrum_free(ridge_spectrum *s); /* safe on a zeroed one */
/* V(λ) = (‖y − Xθ̂‖²/n) / (1 − tr A(λ)/n)², A = X(XᵀX + nλI)⁻¹Xᵀ. λ = 0: the limit, least squares
 * or, for p > n, the interpolant of least norm; +∞ when n = k = p then. */
double ridge_gcv(const ridge_spectrum *s, double lambda);

/* Expected squared error on a fresh row x ~ N(0, I) of a model y = xᵀβ + σε whose β is known:
 * σ² + ‖θ̂(λ) − β‖², from the spectrum alone, with β only through its length and its fit
 * h = UᵀXβ (k). λ = 0: the limit. */
double ridge_risk(const ridge_spectrum *s, const double *h, double beta_squared, double sigma,
                  double lambda);

/* ---- K-fold cross-validation (ridge_cv.c) ------------------------------------------------------ */

typedef struct {
    const design *d;
    const int *fold; /* (n) labels 0..folds−1, each of which occurs */
    int folds;
    const double *lambda; /* (points) */
    int points;
} cv_problem;

/* What one fold is predicted from: the moments of the rows outside, and the rows inside. The penalty
 * is n·λ with n the size of the **whole** sample, as published, although fewer rows are fitted:
 * a λ then means the same strength of penalty in every fold and in the final fit. */
typedef struct {
    int n, p, held;
    const double *gram;   /* (p × p) XᵀX of the rows outside */
    const double *moment; /* (p) Xᵀy of the rows outside */
    const double *x;      /* (held × p) rows inside */
    int fold;             /* which one */
} cv_fold;

/* How the rows inside are predicted at every λ: prediction (held × points). */
typedef struct {
    am_status (*predict)(const void *context, const cv_fold *f, const double *lambda, int points,
                         double *prediction, am_error *err);
    const void *context;
} cv_method;

/* error[j] = (1/n) Σ_i (y_i − ŷ_i(λ_j))², row i predicted by the fit without its fold. */
am_status ridge_cv(const cv_problem *problem, const cv_method *method, double *error,
                   am_error *err);

extern const cv_method cv_exact;  /* one eigendecomposition a fold, then every λ is O(p·held) */
extern const cv_method cv_refits; /* one Cholesky factorisation a fold and λ */

/* Fits of one fold at some λ: theta (p × points). */
am_status cv_fold_fits(const cv_fold *f, const double *lambda, int points, double *theta,
                       am_error *err);

/* The λ of the smallest value: its index. */
int curve_argmin(const double *value, int points);
/* points values of λ from low to high, equally spaced in log λ. */
void lambda_grid(double low, double high, int points, double *lambda);

#endif
