/* mest_generator — the generator of weighted M-estimation: (ω, λ) → β̂(ω, λ) for thousands of weights
 * at the price of a few exact solves.
 *
 * Nodes in log λ hold exact solutions β̂(1, λ_j), warm-started along the path. Round the nearest one
 * the objective's second-order expansion is **linear in the block weights**,
 *
 *     g(ω) = Σ_b ω_b g_b,   H(ω) = Σ_b ω_b H_b,   g_b, H_b gradient and Hessian of block b at β̂_j,
 *
 * so that the T = q + q(q + 1)/2 statistics of M draws are one matrix product, S (T × K) · Ω (K × M),
 * whose cost does not depend on n; each draw then minimises its own penalised quadratic, without an L1
 * part sixteen side by side (batch.h), with one by coordinate descent (mest_quadratic.h); fold masks
 * are weights like any other. Unlike the infinitesimal jackknife, which keeps H at ω = 1, this is exact
 * in ω: for squared loss it is the answer, for other losses it errs by third derivatives alone. Two
 * things take those away:
 *   training — with many draws, the first sixteen are polished to the end, and every row's score is
 *     replaced by the line that fits it over them (mest_train.c);
 *   polishing — true gradients of all draws by two matrix products, and a secant step with each draw's
 *     own factor, until the estimated remaining error is below MEST_ERROR standard deviations of the
 *     coefficient.
 * A draw that does not get there is refitted exactly, and counted: no draw is left without one of the
 * two.
 *
 * LAD, quantile and hinge have no second order. Their generator runs on the smoothed loss (losses.h)
 * with h = ¼·s·((q + log n)/n)^0.4, s a robust scale of the residuals, and is anchored, unless there is
 * an L1 part: β(ω, λ) = β_h(ω, λ) + [β̂(1, λ_j) − β_h(1, λ_j)].
 *
 * With more statistics than memory should hold, K·T > 2^25, a draw's H(ω) is summed over the rows. */
#ifndef AM_CLASSIC_MEST_GENERATOR_H
#define AM_CLASSIC_MEST_GENERATOR_H

#include "classic/mest.h"

/* Of the coefficient's standard deviation over ω: 2.5 % of the width of a 95 % interval. */
#define MEST_ERROR 0.1

typedef struct {
    const mest_problem *problem; /* outlives the generator */
    int blocks;                  /* K */
    const uint32_t *block;       /* (n) block of every row; outlives the generator */
    int nodes;
    const double *lambda; /* (nodes), copied */
    int threads;          /* ≥ 1; results do not depend on it */
} mest_generator_request;

typedef struct mest_generator mest_generator;

/* What drawing did; sums over calls. */
typedef struct {
    int64_t draws, refits, failed; /* refitted exactly; of these: no convergence, last point kept */
    double worst; /* largest estimated error of a kept draw, in standard deviations */
} mest_account;

typedef enum {
    MEST_GENERATE, /* as described above */
    MEST_SKETCH,   /* at most two polishing steps, no refits: for draws inside draws */
    MEST_REFIT     /* every draw exactly, started from the nearest node: the audit */
} mest_effort;

/* AM_ERR_INPUT when the data have no finite minimiser at a node. */
am_status mest_generator_new(const mest_generator_request *request, mest_generator **generator,
                             am_error *err);
void mest_generator_free(mest_generator *generator);

/* β (q × M) for ω (K × M) ≥ 0 at λ; always finite. */
am_status mest_generator_draw(mest_generator *g, mest_effort effort, double lambda, int draws,
                              const double *omega, double *beta, mest_account *account,
                              am_error *err);
/* β̂(1, λ_j) (q), exact, and its certificate. */
const double *mest_generator_node(const mest_generator *g, int node, mest_certificate *certificate);
/* The node nearest to λ in log λ. */
int mest_generator_nearest(const mest_generator *g, double lambda);
/* U (q × K): dβ/dω_b at ω = 1, centred over b — the empirical influence of the blocks; 0 for
 * coefficients that are 0 under an L1 part. */
am_status mest_generator_influence(mest_generator *g, double lambda, double *u, am_error *err);

#endif
