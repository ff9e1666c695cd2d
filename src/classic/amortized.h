/* amortized — piecewise linear M-estimation as a function of its hyper-parameters and weights:
 *
 *   β̂(ω; q, λ) = argmin L,   L = (1/n) Σ_i ω_{b(i)} ℓ_q(r_i) + λ Σ_{j penalised} β_j²,   r = b − Xβ
 *
 *   check loss   ℓ_q(r) = max((q − 1)·r, q·r), b = y     (half of Polson and Scott's ρ_q)
 *   hinge loss   ℓ(r) = max(0, r), b = 1, rows of X times the label ±1
 *
 * Exact solvers, and one generator for all (ω, q, λ) of a range. Letters: n rows, p columns, K blocks
 * of rows that share a weight, M training draws. */
#ifndef AM_CLASSIC_AMORTIZED_H
#define AM_CLASSIC_AMORTIZED_H

#include "classic/piecewise.h"

typedef enum { CHECK_LOSS, HINGE_LOSS } amortized_loss;

typedef struct {
    amortized_loss loss;
    int n, p, blocks;
    const double *x;         /* (n × p), column-major */
    const double *b;         /* (n) */
    const double *penalised; /* (p) 0 or 1 */
    const uint32_t *block;   /* (n) in 0..K−1 */
} amortized_data;

typedef struct {
    double q; /* in (0, 1); the hinge loss has none */
    double lambda;
} amortized_point;

/* AM_ERR_USAGE for q outside (0, 1) or λ ≤ 0. */
am_status amortized_check(amortized_loss loss, amortized_point at, am_error *err);

/* L(β); omega (K), NULL: all 1. */
double amortized_criterion(const amortized_data *d, amortized_point at, const double *omega,
                           const double *beta);

/* The exact minimiser with its duality gap (piecewise_solve). beta (p). */
am_status amortized_exact(const amortized_data *d, amortized_point at, const double *omega,
                          double tolerance, double *beta, piecewise_certificate *certificate,
                          am_error *err);
/* The same through the variance–mean envelope, the EM of data augmentation, from beta. */
am_status amortized_envelope(const amortized_data *d, amortized_point at, const double *omega,
                             double precision, double *beta, piecewise_certificate *certificate,
                             am_error *err);

/* ---- generator (amortized_generator.c) --------------------------------------------------------- */

/* θ(ω; q, λ) = Θ·c(u, v) + Σ_b (ω_b − 1)·Θ_b·c'(u, v), u and v the logit of q and the log of λ,
 * normalised to [−1, 1]; c and c' are products of Chebyshev polynomials. It is trained on its
 * criterion: the mean of L over M draws is itself a piecewise problem in Θ, solved exactly or through
 * the envelope. First Θ at ω = 1, so that the tuning surface does not pay for the weights, then Θ_b
 * under ω = K·Dirichlet(1). */
typedef struct {
    double q_low, q_high; /* equal: no q */
    double lambda_low, lambda_high;
    int degree_q, degree_lambda;     /* of c */
    int response_q, response_lambda; /* of c'; −1: no weights */
    int draws, response_draws;       /* M of the two stages */
    bool envelope;                   /* train through the envelope */
    /* Quantile curves in order: places x (g × p) where the curve of q may not fall below that of a
     * slightly smaller one, at C drawn (ω, q, λ); violations are charged as max(0, −∂θᵀx/∂u) times
     * `order_weight`, which is exact once the weight exceeds the multipliers. 0: not asked for. */
    int order_places, order_draws;
    const double *order_x; /* borrowed */
    double order_weight;
    double tolerance; /* of either solver */
    uint64_t seed;
} amortized_options;

typedef struct {
    const amortized_data *data; /* borrowed */
    amortized_options o;
    double *base;                         /* (p × features of c), owned */
    double *response;                     /* (p × features of c'·K), owned, or NULL */
    piecewise_certificate certificate[2]; /* of the two stages */
    double seconds[2];
} amortized_generator;

am_status amortized_fit(amortized_generator *g, const amortized_data *d,
                        const amortized_options *options, am_error *err);
void amortized_free(amortized_generator *g); /* safe on a zeroed one */
/* theta (p); omega (K), NULL: all 1. */
void amortized_theta(const amortized_generator *g, amortized_point at, const double *omega,
                     double *theta);

/* ---- response (amortized_response.c) ----------------------------------------------------------- */

/* One Newton step under ω from the generator's θ(1), with gradient and curvature block by block of
 * the loss smoothed by a normal kernel of width h (Fernandes, Guerre, Horta 2021); the curvature is
 * the mean along the way from 1 to ω:
 *
 *   (Σ_b ½(1 + ω_b) H_b + 2λ·diag(penalised))·δ = −Σ_b (ω_b − 1) g_b
 *
 * It vanishes at ω = 1. h is the root mean square by which ω moves the predictions, found with
 * Silverman's width of the residuals, 1.06·min(sd, IQR/1.34)·n^(−1/5), which it does not exceed: the
 * kink is smoothed over as much as the step will cross. */
typedef struct {
    int p, blocks;
    double *centre;   /* (p) θ at ω = 1 */
    double *gradient; /* (p × K) */
    double *hessian;  /* (p × p × K) */
    double *penalty;  /* (p) 2λ·penalised */
    double *scratch;  /* (p × p) */
    double *one;      /* (p × 2) scratch */
    double *memory;   /* owned */
} amortized_response;

am_status amortized_response_open(amortized_response *r, const amortized_data *d,
                                  amortized_point at, const double *centre, am_error *err);
void amortized_response_free(amortized_response *r); /* safe on a zeroed one */
/* theta (p) under omega (K); where the weighted curvature is singular, the centre. */
void amortized_respond(amortized_response *r, const double *omega, double *theta);

#endif
