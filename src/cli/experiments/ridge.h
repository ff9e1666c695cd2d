/* experiment ridge — choice of λ by GCV, exact K-fold cross-validation, and cross-validation through
 * generators (see ridge.c). */
#ifndef AM_EXPERIMENTS_RIDGE_H
#define AM_EXPERIMENTS_RIDGE_H

#include "classic/ridge_generator.h"
#include "cli/experiments/estimate.h"
#include "cli/experiments/experiments.h"
#include "cli/output_fidelity.h"

enum { POINTS = 80, FOLDS = 5, GENERATOR_LAMBDAS = 25, MOST_FOLDS = 1000 };
static const double LAMBDA_LOW = 1e-4, LAMBDA_HIGH = 5.0;

/* ---- data (ridge_data.c) ----------------------------------------------------------------------- */

typedef struct {
    design train, test;
    int *fold; /* (n) */
    int folds;
    int nodes;        /* λ at which the published generator is fitted, in every fold */
    double *lambda;   /* (nodes × folds) */
    double *expected; /* (POINTS × 4) λ, GCV, exact CV, amortized CV; or NULL */
} ridge_data;

/* The published design, as its data show it: y = Xβ + ε, 8 of 80 coefficients 1, neighbouring
 * columns correlated by 0.2, σ = 1, 300 rows to train and 300 to test, 5 folds. */
am_status ridge_simulate(ridge_data *d, uint64_t seed, uint32_t replication, am_error *err);
/* train_x_then_y.csv, test_x_then_y.csv, fold_id.csv and, where they are,
 * generator_lambdas_fold1.csv … and expected_curves.csv. */
am_status ridge_read(ridge_data *d, const char *folder, uint64_t seed, am_error *err);
void ridge_data_free(ridge_data *d); /* safe on a zeroed one */

/* ---- results (ridge.c) ------------------------------------------------------------------------- */

typedef enum {
    BY_GCV,
    BY_CV,        /* exact: one eigendecomposition a fold */
    BY_AMORTIZED, /* as published: θ = A·(1, log λ, log²λ), 25 refits a fold */
    BY_CHEBYSHEV, /* supervised: 12 Chebyshev features and nodes */
    BY_GENERATOR, /* by its criterion, in a rational Krylov space */
    METHODS
} ridge_method;

typedef struct {
    double curve[POINTS];
    int choice;      /* point of the least value */
    double test_mse; /* of the exact refit there, on all training rows */
    double seconds;  /* of the curve: the least of repeats */
} ridge_choice;

typedef struct {
    ridge_choice by[METHODS];
    double refit_seconds; /* of exact CV with a factorisation for every fold and λ */
} ridge_run;

/* Cost along p: n = 15/4·p rows as in the published design, 5 folds, 80 λ. */
enum { SPEEDS = 5 };
typedef struct {
    int n, p;
    double exact, refits, generator; /* seconds */
    double curve_error;              /* largest relative difference of the generator's CV curve */
} ridge_speed;

/* The answer to ω (ridge_fidelity.c): generators at a few λ. */
enum { RIDGE_PLACES = 3, RIDGE_ANSWERS = 3 };

typedef struct {
    ridge_data data;
    double lambda[POINTS];
    ridge_run run;
    exact_fidelity fidelity[RIDGE_PLACES * RIDGE_ANSWERS];
    int replications;
    ridge_run *simulated; /* (replications), owned */
    ridge_speed speed[SPEEDS];
    double total_seconds;
} ridge_result;

/* What differs between two choices on simulated data. */
typedef struct {
    mean_estimate mse; /* test error */
    double excess_mean,
        excess_most;   /* test error relative to exact CV's, minus 1; most: absolute */
    double steps_mean; /* grid steps from exact CV's choice, absolute */
    int steps_most;
} ridge_study;
ridge_study ridge_study_of(const ridge_result *r, ridge_method method);

/* Fills r->fidelity; r->run is done. */
am_status ridge_run_fidelity(ridge_result *r, uint64_t seed, am_error *err);
exact_fidelities ridge_fidelities(const ridge_result *r);

/* ridge_report.c — table, summary.json; ridge_files.c — CSV files and the figure. */
am_status ridge_report(const settings *set, const ridge_result *r, const char *folder,
                       am_error *err);
am_status ridge_files(const ridge_result *r, const char *folder, am_error *err);

#endif
