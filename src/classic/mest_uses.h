/* mest_uses — what a generator of weighted M-estimation is good for: intervals, cross-validation,
 * stability selection, paths with bands. Every use starts from a mest_setup; every coefficient is in
 * original units. */
#ifndef AM_CLASSIC_MEST_USES_H
#define AM_CLASSIC_MEST_USES_H

#include "classic/mest_data.h"
#include "classic/mest_generator.h"
#include "classic/mest_weights.h"
#include "tune/fidelity.h"

typedef struct {
    const mest_data *data;
    classic_loss loss;
    double l1, l2; /* shares of the penalty, as in mest_problem */
    int blocks;    /* K, 1..n */
    mest_weight_kind weights;
    double alpha; /* of the Dirichlet weights */
    uint64_t seed;
    int threads;
    int draws;    /* M */
    double level; /* of the intervals, in (0, 1) */
    bool refit;   /* every draw exactly, without the generator */
    int audit;    /* exact refits of the first draws, to hold the generator against */
} mest_setup;

/* Seconds that passed, and that the process computed: the fair measure of work on a shared machine. */
typedef struct {
    double wall, cpu;
} mest_time;

typedef struct {
    mest_time fit;    /* exact solutions at ω = 1 */
    mest_time draws;  /* all draws: statistics, training, polishing, refits where needed */
    mest_time refits; /* the audit's */
} mest_seconds;

mest_time mest_now(void);
mest_time mest_since(mest_time begin);

/* mest_setup.c — the problem and the generator of a setup; blocks by the seed (data/blocks.c). */
typedef struct {
    mest_problem problem;
    uint32_t *block; /* (n), owned */
    mest_generator *generator;
} mest_engine;
am_status mest_engine_open(const mest_setup *setup, int blocks, int nodes, const double *lambda,
                           mest_engine *engine, am_error *err);
void mest_engine_close(mest_engine *engine); /* safe on a zeroed one */
/* λ (points) from high to low, equally spaced in log λ; one point: high. */
void mest_lambda_grid(double low, double high, int points, double *lambda);
/* The range of λ for paths and cross-validation when the user names none: from mest_lambda_max down
 * to 1e-3 of it (1e-2 with more coefficients than rows; 1e-6 for pure L2). */
am_status mest_lambda_range(const mest_setup *setup, double *low, double *high, am_error *err);

/* ---- mest_bootstrap.c -------------------------------------------------------------------------- */

typedef struct {
    double estimate, se;
    double percentile[2], bca[2];
    double calibrated[2];      /* NAN without inner draws */
    double bias, acceleration; /* z0 and a of BCa */
} mest_interval;

typedef struct {
    int refits, failed;
    double worst_end,
        mean_end;    /* |end of the generator's percentile interval − refits' end|/width */
    double rms;      /* of the draws' differences, in standard deviations of the refits */
    fidelity answer; /* mest_fidelity; of fewer than 3 draws all NaN */
} mest_audit;

/* mest_fidelity.c — how the generator answers to ω (METHOD §6): its predictions against those of exact
 * refits under `draws` weights that it has not met, fitted probabilities for the logistic loss, else
 * fitted values. Of many rows every k-th, so that draws × rows stays below 2^22. */
am_status mest_fidelity(const mest_setup *setup, const mest_engine *engine, double lambda,
                        int draws, fidelity *answer, am_error *err);

typedef struct {
    int q, draws;
    double lambda;
    mest_certificate certificate; /* of the estimate */
    mest_interval *row;           /* (q), owned */
    double *draw;                 /* (q × draws), owned */
    mest_account account;
    mest_audit audit; /* refits 0: none was asked for */
    mest_seconds seconds;
} mest_bootstrap;

/* M draws of ω at λ. inner > 0: so many draws inside each draw (mest_weights_inner), by which the
 * interval's levels are calibrated (Beran 1987, Martin 1990): with p_m the share of draw m's inner draws below
 * the estimate, the lower end is the quantile of the draws whose order is the quantile of p_m. */
am_status mest_bootstrap_run(const mest_setup *setup, double lambda, int inner,
                             mest_bootstrap *result, am_error *err);
void mest_bootstrap_free(mest_bootstrap *result); /* safe on a zeroed one, as all below */

/* ---- mest_cv.c --------------------------------------------------------------------------------- */

typedef struct {
    int q, points, folds;
    double *lambda, *mean, *se; /* (points) held-out loss per row, and its standard error */
    double *fold;               /* (points × folds) */
    double *beta;               /* (q × points) exact fits to all rows */
    int best, one_se;           /* least mean; largest λ within one standard error of it */
    double *refit_mean;         /* (points) by exact refits, or NULL */
    int refit_best;
    mest_account account;
    mest_seconds seconds;
} mest_cv;

/* K folds are K blocks, fold masks are draws of ω. λ (points) falls. With setup->audit > 0 every fold
 * is refitted exactly too. */
am_status mest_cv_run(const mest_setup *setup, int folds, int points, const double *lambda,
                      mest_cv *result, am_error *err);
void mest_cv_free(mest_cv *result);

/* ---- mest_stability.c -------------------------------------------------------------------------- */

typedef struct {
    int q, points;     /* points: of λ that the path reached */
    double *lambda;    /* (points) */
    double *frequency; /* (q × points) share of the draws in which the coefficient is not 0 */
    double *most;      /* (q) its largest value over λ; NAN for the intercept */
    double selected;   /* mean number of columns selected anywhere on the path */
    double bound;      /* of the expected number of false selections; NAN for threshold ≤ ½ */
    mest_account account;
    mest_seconds seconds;
} mest_stability;

/* Selection frequencies over complementary halves of the blocks (Meinshausen and Bühlmann 2010; Shah
 * and Samworth 2013), bound selected²/((2·threshold − 1)·p). The path ends before the λ at which that
 * bound would pass most_false (INFINITY: never), but not before its second point. Needs an L1 share. */
am_status mest_stability_run(const mest_setup *setup, double threshold, double most_false,
                             int points, const double *lambda, mest_stability *result,
                             am_error *err);
void mest_stability_free(mest_stability *result);

/* ---- mest_path.c ------------------------------------------------------------------------------- */

typedef struct {
    int q, points;
    double *lambda;     /* (points) */
    double *beta;       /* (q × points) exact */
    double *low, *high; /* (q × points) percentile band of the draws; NULL without draws */
    double residual;    /* the worst certificate */
    mest_account account;
    mest_seconds seconds;
} mest_path;

am_status mest_path_run(const mest_setup *setup, int points, const double *lambda,
                        mest_path *result, am_error *err);
void mest_path_free(mest_path *result);

#endif
