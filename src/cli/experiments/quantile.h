/* experiment quantile — q as a hyper-parameter: one generator over (ω, q, λ) for quantile regression,
 * held against exact solves (see quantile.c). */
#ifndef AM_EXPERIMENTS_QUANTILE_H
#define AM_EXPERIMENTS_QUANTILE_H

#include "classic/amortized.h"
#include "cli/experiments/experiments.h"

enum {
    Q_ROWS = 1000,   /* n, of training and of validation */
    Q_COLUMNS = 7,   /* p: Chebyshev polynomials in x to degree 6 */
    Q_BLOCKS = 16,   /* K */
    Q_AUDITED = 150, /* fresh (ω, q, λ) */
    Q_LAMBDAS = 20,  /* of the tuning curve */
    Q_LEVELS = 19,   /* q = 0.05, 0.10, …, 0.95, that the curve averages over */
    Q_GRID = 201,    /* x = 0, 0.005, …, 1 */
    Q_ORDER = 41,    /* of these places, every fifth: where training keeps the curves in order */
    Q_DENSE = 181,   /* q = 0.05, 0.055, …, 0.95 */
    Q_WEIGHTED = 50, /* draws of ω whose curves are looked at for crossing */
    Q_SHOWN = 5      /* curves in the figure */
};

/* Share of neighbouring quantile curves, a step of 0.005 in q apart, that may stand in the wrong order
 * at some x, over the whole range of λ at ω = 1. */
static const double Q_CROSSING_BOUND = 0.01;

typedef enum { BY_CHECK, BY_ENVELOPE, BY_ONE_STEP, Q_METHODS } quantile_method;

typedef struct {
    double excess_mean, excess_worst;     /* L(g)/L(exact) − 1 at ω = 1 */
    double weighted_mean, weighted_worst; /* under ω */
    /* what ω does to the curve, δ = f(ω) − f(1) on the grid of x, against exact refits:
     * Σδ_gδ/Σδ², Σδ_g²/Σδ², and their correlation (ideal: 1, 1, 1) */
    double captured, spread, fidelity;
    double seconds; /* of one evaluation at a new (ω, q, λ) */
} quantile_audit;

typedef struct {
    double rate, worst; /* share of neighbouring q whose curves cross, and by how much at most */
} crossing;

typedef struct {
    double *x, *y, *b_validation, *memory;           /* design (n × p), response; owned: memory */
    double *x_validation, *place, *place_validation; /* (n × p); (n) the covariate itself */
    double grid[Q_GRID * Q_COLUMNS];                 /* design at the grid of x */
    double order_x[Q_ORDER * Q_COLUMNS];
    double penalised[Q_COLUMNS];
    uint32_t *block;
    amortized_data data;
    amortized_generator generator[2]; /* BY_CHECK, BY_ENVELOPE */

    quantile_audit audit[Q_METHODS];
    double no_response; /* mean excess under ω of θ(1) */
    double exact_seconds, exact_gap, envelope_seconds, envelope_excess;
    crossing even[2], even_exact; /* ω = 1; all λ of the curve; exact: at the chosen λ */
    crossing chosen[2];           /* at the chosen λ */
    crossing weighted[Q_METHODS]; /* random ω at the chosen λ */
    double lambda[Q_LAMBDAS], validation[3][Q_LAMBDAS]; /* exact, check, envelope */
    int choice[3];
    double curve_seconds[2];          /* exact, check */
    double shown[3][Q_SHOWN][Q_GRID]; /* exact, generator, truth at the chosen λ */
    double truth[2]; /* root mean square distance from the true curves: same order */
    double total_seconds;
} quantile_result;

extern const double quantile_shown_q[Q_SHOWN];

/* quantile_data.c — y = sin 2πx + (0.1 + 0.6x)·e, e ~ Exp(1), x uniform: Q_q = sin 2πx − (0.1 +
 * 0.6x)·log(1 − q). */
am_status quantile_simulate(quantile_result *r, uint64_t seed, am_error *err);
double quantile_truth(double x, double q);
void quantile_design_row(double x, double *row, size_t stride);

/* quantile_audit.c */
am_status quantile_run_audit(quantile_result *r, uint64_t seed, am_error *err);
am_status quantile_run_crossing(quantile_result *r, uint64_t seed, am_error *err);

/* quantile_report.c — table, summary.json, CSV, figures. */
am_status quantile_report(const settings *set, const quantile_result *r, const char *folder,
                          am_error *err);
am_status quantile_files(const quantile_result *r, const char *folder, am_error *err);

#endif
