/* mest — weighted M-estimation: exact solvers.
 *
 *     β̂(ω, λ) = argmin_β (1/n) Σ_i ω_i ℓ(y_i, x_iᵀβ) + λ·(l1·Σ_j |β_j| + l2·Σ_j β_j²)
 *
 * Letters: n rows · q columns, the intercept's included · K blocks · M draws. Matrices are
 * column-major (linalg.h). The intercept, column 0 where there is one, is not penalised.
 *
 * Every solve ends with a certificate that is computed from the problem, not from the iteration:
 *   KKT residual — the largest violation of 0 ∈ ∂L, relative to the size of the gradient's terms at
 *     β = 0 (smooth losses);
 *   duality gap — (primal − dual)/primal of the linear or quadratic program (LAD, quantile, hinge). */
#ifndef AM_CLASSIC_MEST_H
#define AM_CLASSIC_MEST_H

#include "classic/losses.h"

typedef struct {
    int n, q;
    bool intercept;  /* column 0 of x is all ones and is not penalised */
    const double *x; /* (n × q) */
    const double *y; /* (n), as the loss wants it */
    classic_loss loss;
    double l1,
        l2; /* shares of the penalty: (0, 0) none, (0, 1) L2, (1, 0) L1, (a, 1 − a) elastic net */
} mest_problem;

typedef struct {
    double residual; /* KKT residual or duality gap, relative */
    int iterations;
    bool converged; /* residual ≤ MEST_TOLERANCE */
} mest_certificate;

#define MEST_TOLERANCE 1e-9

/* Memory for the solves of one problem on one thread. The problem must outlive it. */
typedef struct mest_solver mest_solver;
mest_solver *mest_solver_new(const mest_problem *problem, am_error *err);
void mest_solver_free(mest_solver *solver);

/* β (q): where to start in, the minimiser out. ω (n) ≥ 0, or NULL for ones; λ ≥ 0. A solve that does
 * not converge returns AM_OK with converged false and a finite β. AM_ERR_INPUT when there is no
 * unique finite minimiser: a singular design, or classes that a hyperplane separates. */
am_status mest_solve(mest_solver *solver, const double *omega, double lambda, double *beta,
                     mest_certificate *certificate, am_error *err);

/* ---- pieces, for solvers and tests ------------------------------------------------------------- */

/* f (n) = Xβ. */
void mest_predict(const mest_problem *p, const double *beta, double *f);
/* The objective L. f (n) = Xβ; scratch (n). */
double mest_objective(const mest_problem *p, const double *omega, double lambda, const double *beta,
                      const double *f, double *scratch);
double mest_penalty(const mest_problem *p, double lambda, const double *beta);
/* g (q) = (1/n) Σ ω_i·score_i·x_i; weighted (n) is scratch. */
void mest_gradient(const mest_problem *p, const double *omega, const double *score,
                   double *weighted, double *g);
/* H (q × q) = (1/n) Σ ω_i·curvature_i·x_i x_iᵀ, curvatures ≥ 0; scratch (n × q + n). */
void mest_hessian(const mest_problem *p, const double *omega, const double *curvature,
                  double *scratch, double *h);
/* The same for curvatures of any sign. */
void mest_signed_hessian(const mest_problem *p, const double *omega, const double *curvature,
                         double *scratch, double *h);
/* The largest |component| of the subgradient of least size, g (q) the gradient of the loss. */
double mest_violation(const mest_problem *p, double lambda, const double *beta, const double *g);
/* max_j (1/n) Σ_i |∂ℓ/∂f(y_i, 0)|·|x_ij|, what a KKT residual is relative to; 1 when that is 0. */
double mest_gradient_scale(const mest_problem *p, double *scratch); /* (2n) */
/* The least λ at which all penalised coefficients are 0 under an L1 share; for pure L2 a λ at which
 * they are about a hundredth of their unpenalised size; 1 when that is 0. */
am_status mest_lambda_max(const mest_problem *p, double *lambda, am_error *err);
/* l1 or l2 of column j: 0 for the intercept. */
static inline double mest_share(const mest_problem *p, double share, int j)
{
    return p->intercept && j == 0 ? 0.0 : share;
}

#endif
