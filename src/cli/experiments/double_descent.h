/* experiment double-descent — test risk and GCV across the interpolation threshold p = n (see
 * double_descent.c). */
#ifndef AM_EXPERIMENTS_DOUBLE_DESCENT_H
#define AM_EXPERIMENTS_DOUBLE_DESCENT_H

#include "classic/ridge.h"
#include "cli/experiments/estimate.h"
#include "cli/experiments/experiments.h"

enum { DESCENT_ROWS = 100, SIZES = 17, DESCENT_LAMBDAS = 100 };
static const double DESCENT_LOW = 1e-4, DESCENT_HIGH = 1e2;
static const double SIGNAL = 5.0, NOISE = 1.0; /* ‖β‖² and σ² */

/* One p, over the replications. Risks are expected squared errors on a fresh row. */
typedef struct {
    int p;
    mean_estimate ridgeless;     /* risk of least squares, of least norm for p > n */
    mean_estimate ridgeless_gcv; /* V(0), what GCV takes that risk for */
    mean_estimate tuned;         /* risk at the λ that GCV chooses */
    mean_estimate tuned_gcv;     /* V there */
    mean_estimate best;          /* least risk along λ */
    double log_lambda;           /* mean log of the chosen λ */
    double seconds;              /* of one spectrum with its GCV curve: the least */
    double *value;               /* (5 × replications) owned */
} descent_size;

typedef struct {
    int replications;
    double lambda[DESCENT_LAMBDAS];
    descent_size size[SIZES];
    double total_seconds;
} descent_result;

/* Exact E risk of the ridgeless fit for Gaussian X; +∞ for |p − n| ≤ 1. */
double descent_expected(int n, int p);
/* The limit of the least risk for n, p → ∞ at p/n = gamma. */
double descent_limit(double gamma);

/* double_descent_report.c — table, summary.json, CSV, figure. */
am_status descent_report(const settings *set, const descent_result *r, const char *folder,
                         am_error *err);

#endif
