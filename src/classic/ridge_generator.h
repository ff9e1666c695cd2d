/* ridge_generator — maps λ → θ(λ) = Σ_k c_k(λ)·Θ_k in place of refits along λ.
 *
 * Supervised: refits at a few λ, least squares on features c of λ. The features:
 *
 *   LOG_POLYNOMIAL   1, log λ, log²λ, …                    (the published generator has three)
 *   CHEBYSHEV        T_0..T_{r−1}(u), u the normalised log λ
 *   RATIONAL         T_0..T_{r−1}(u), u normalised from λ/(λ + κ), κ the mean eigenvalue of XᵀX/n
 *
 * By its criterion: ridge_space. With an orthonormal basis Q of a few directions, the minimiser of
 *     (1/n)‖y − Xθ‖² + λ‖θ‖²     over θ = Qa
 * is a = (QᵀGQ + nλI)⁻¹Qᵀm for every λ at once (G = XᵀX, m = Xᵀy): with QᵀGQ = W·diag(μ)·Wᵀ,
 *     θ(λ) = Σ_k (w_kᵀQᵀm)·Qw_k / (μ_k + nλ),
 * rational features of λ whose poles the criterion itself chooses (Ritz values). The basis is a
 * rational Krylov space, m and (G + nκ_jI)^(−i) m, i = 1..3, at two poles κ_j: two factorisations in
 * place of one for every λ. No λ of the range is preferred, and since θ(λ) minimises the criterion
 * over the space, its error there is second order in the distance of θ̂(λ) from the space. */
#ifndef AM_CLASSIC_RIDGE_GENERATOR_H
#define AM_CLASSIC_RIDGE_GENERATOR_H

#include "classic/ridge.h"

/* ---- features of λ (lambda_features.c) --------------------------------------------------------- */

typedef enum { LOG_POLYNOMIAL, CHEBYSHEV, RATIONAL } lambda_basis;

typedef struct {
    lambda_basis basis;
    int r;            /* features */
    double low, high; /* range of λ */
    double kappa;     /* of RATIONAL */
} lambda_features;

enum { LAMBDA_MAX_FEATURES = 64 };

/* c (r) at λ. */
void lambda_features_at(const lambda_features *f, double lambda, double *c);
/* Chebyshev nodes in the features' coordinate (log λ for LOG_POLYNOMIAL): `count` values of λ. */
void lambda_features_nodes(const lambda_features *f, int count, double *lambda);

/* ---- cross-validation through a generator (ridge_generator.c) ---------------------------------- */

typedef struct {
    lambda_basis basis;
    int features, nodes;         /* refits in every fold; nodes ≥ features */
    const double *const *lambda; /* (folds) of (nodes): where; NULL: Chebyshev nodes */
    double ridge;                /* on the diagonal of the features' normal equations */
} supervised_generator;

/* Both return a method for ridge_cv; g must outlive it. */
cv_method cv_supervised(const supervised_generator *g);
cv_method cv_rational_krylov(void);

/* ---- the generator of one problem (ridge_space.c) ---------------------------------------------- */

typedef struct {
    int n, p, r;
    double *direction; /* (p × r) (w_kᵀQᵀm)·Qw_k, owned */
    double *ritz;      /* (r) μ_k ≥ 0, owned */
} ridge_space;

/* gram (p × p) = XᵀX, moment (p) = Xᵀy; the penalty is n·λ. */
am_status ridge_space_open(int n, int p, const double *gram, const double *moment, ridge_space *s,
                           am_error *err);
void ridge_space_free(ridge_space *s); /* safe on a zeroed one */
/* c (r × points): c_k(λ_j) = 1/(μ_k + nλ_j); θ(λ_j) = direction·c_j. */
void ridge_space_features(const ridge_space *s, const double *lambda, int points, double *c);

#endif
