/* tune — from a generator to answers: the tuning curve, the chosen λ, the posterior, the ledger. */
#ifndef AM_TUNE_H
#define AM_TUNE_H

#include "tune/evaluate.h"

/* ---- curve.c ------------------------------------------------------------------------------------- */

/* Validation metrics along λ at ω = 1, and over draws of ω when the generator depends on ω. With one
 * λ per layer the curve runs along the diagonal, all λ equal. */
typedef struct {
    int points, draws; /* draws 0: no band */
    double *lambda;    /* (points), log-spaced over the generator's range, both ends included */
    metrics *at;       /* (points), ω = 1 */
    metrics *draw;     /* (points, draws) */
} tuning_curve;
am_status curve_compute(generator *g, const device_rows *validation, int points, int draws,
                        tuning_curve *curve, am_error *err);
void curve_free(tuning_curve *curve); /* safe on a zeroed one */
/* count log-spaced values from low to high, both included. */
void log_grid(double low, double high, int count, double *lambda);
/* θ of the generator at `count` λ (each for all groups) and ω = 1, as a model set: c is fresh device
 * memory for the caller to release. */
am_status models_at(generator *g, const double *lambda, int count, model_set *set, am_error *err);

/* The q-quantile (0..1) of one metric over the draws at a point, by linear interpolation. */
typedef enum { METRIC_NLL, METRIC_ACCURACY } metric_kind;
double metric_of(const metrics *m, metric_kind kind);
double curve_quantile(const tuning_curve *curve, int point, metric_kind kind, double q,
                      am_error *err);

/* ---- select.c ------------------------------------------------------------------------------------ */

typedef enum { SELECT_GRID, SELECT_ONE_SE, SELECT_GRADIENT } select_kind;

typedef struct {
    int point; /* of the curve: the grid's best (ties: the larger λ) */
    int groups;
    double lambda[AM_MAX_GROUPS]; /* the choice: as the rule says, one per penalty group */
    double value;                 /* metric at the choice; its NLL after SELECT_GRADIENT */
    double derivative;            /* ‖∂J/∂u‖ there; NaN when not asked for */
    bool edge_alarm;              /* the choice lies on the end of the range */
    bool flat_alarm; /* more than half the grid is within one standard error of the best */
} selection;

/* grid: best point. one-SE: the largest λ whose NLL is within one standard error of the best.
 * gradient: from the best point, J (NLL) minimised in u by its exact derivative. */
am_status select_lambda(generator *g, const device_rows *validation, const tuning_curve *curve,
                        select_kind kind, metric_kind metric, selection *choice, am_error *err);
/* How often each point of the grid is the best over the draws of ω: count (points). */
void select_distribution(const tuning_curve *curve, metric_kind metric, int *count);
/* The smallest λ of the grid that at least a share q of the draws do not exceed; NaN without draws. */
double select_quantile(const tuning_curve *curve, const int *count, double q);

/* ---- posterior.c --------------------------------------------------------------------------------- */

typedef struct {
    int draws;
    bool from_generator;               /* θ = g(ω, λ); else short weighted refits from g(λ) */
    int64_t steps;                     /* of those refits */
    metrics mean;                      /* predictive mean over the draws; NaN in regression */
    metrics *draw;                     /* (draws) */
    double accuracy_mean, accuracy_sd; /* of the single draws */
    double nll_mean;
} posterior;
/* Draws at λ (G values). train and the fit's settings are used when the generator does not see ω. */
typedef struct {
    generator *g;
    const double *lambda;
    int draws;
    const device_rows *train;      /* with block map; may be NULL when the generator sees ω */
    const device_rows *evaluation; /* the rows to predict */
    int64_t blocks;                /* K of the short refits */
    omega_kind weights;
    double alpha;
    int rows;    /* B of the short refits */
    double rate; /* their peak step size */
    int64_t steps;
    uint64_t seed;
    float *theta; /* (D, P) out: the draws' parameters; NULL: not wanted */
} posterior_request;
am_status posterior_compute(const posterior_request *request, posterior *p, am_error *err);
/* The draws as models, for more questions than one. */
typedef struct {
    model_set set;
    bool from_generator;
    double *lambda; /* (D, G), owned like all below and the set's memory */
    float *omega;   /* (D, K), or what the generator was given: (D, W) */
} posterior_models;
am_status posterior_open(const posterior_request *request, posterior_models *m, am_error *err);
void posterior_close(posterior_models *m); /* safe on a zeroed one */
/* posterior_compute for draws that are open. */
am_status posterior_judge(const posterior_request *request, const posterior_models *m, posterior *p,
                          am_error *err);
void posterior_free(posterior *p); /* safe on a zeroed one */

/* ω (D,K) and, with omega0 not NULL, ω₀ (D), for posterior draws: streams of their own, apart from
 * those of training. Fresh memory. */
am_status posterior_omega(backend *be, omega_kind kind, double alpha, int64_t blocks, int draws,
                          uint64_t seed, float **omega, float **omega0, am_error *err);

/* posterior_draws.c — what a generator that sees ω is given for posterior draws: seen (D,W), and ω₀ (D),
 * fresh memory. ω itself, by posterior_omega; or, where its response is sampled, 1 + z. Draw d < S then
 * is the d-th drawn weight vector, z = e_d, whatever the seed; draws beyond are mixtures of the S, z
 * Gaussian in direction with Σ z_s² = 1: E z = 0 and E zzᵀ = I/S, they scatter round g(1, λ) as the S do. */
am_status posterior_seen(const generator *g, int draws, uint64_t seed, float **seen, float **omega0,
                         am_error *err);
/* The weights ω (D,K) that these stand for, fresh memory: `seen` itself, or 1 + Σ_s z_s (ω^s − 1), which
 * of a mixture may be negative. */
am_status posterior_behind(const generator *g, int draws, const float *seen, float **omega,
                           am_error *err);

/* ---- ledger.c ------------------------------------------------------------------------------------ */

/* METHOD §8; seconds, NaN where not measured. */
typedef struct {
    double fit, curve, posterior, refit, refits_batched;
    double response;           /* to ω, while fitting; not in fit */
    int points;                /* of the curve, and refits in refits_batched */
    double break_even;         /* (fit + curve)/refit, in refits */
    double speedup_one_by_one; /* points·refit/(fit + curve) */
    double speedup_batched;    /* refits_batched/(fit + curve) */
} ledger;
void ledger_close(ledger *l); /* computes the ratios */

#endif
