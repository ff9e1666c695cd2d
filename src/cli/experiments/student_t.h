/* experiment student-t — degrees of freedom ν by validation likelihood, location and scale at it, and
 * their weighted-bootstrap posterior: exact fits beside three generators (see student_t.c). */
#ifndef AM_EXPERIMENTS_STUDENT_T_H
#define AM_EXPERIMENTS_STUDENT_T_H

#include "classic/student_t_generator.h"
#include "cli/experiments/experiments.h"
#include "cli/output_fidelity.h"

enum { NU_POINTS = 28, PAIRS = 200, TRAIN = 350, VALIDATION = 150, BLOCKS = 16, AUDITED = 500 };
static const double NU_LOW = 1.5, NU_HIGH = 15.0, NU_STEP = 0.5;

static inline double nu_at(int point)
{
    return NU_LOW + NU_STEP * point;
}

/* ---- data (student_t_data.c) ------------------------------------------------------------------- */

/* A row of expected_profile.csv. */
typedef struct {
    location_scale mle, generator;
    double train_nll, val_nll, val_nll_generator;
} expected_point;

typedef struct {
    blocked_sample train, validation;
    student_t_pairs pairs;    /* the generators' training pairs */
    location_scale *target;   /* of the pairs */
    double *y, *nu, *omega;   /* y: training rows, then validation rows */
    uint32_t *block;          /* of the training rows, then zeros */
    expected_point *expected; /* (NU_POINTS), or NULL */
    double pair_seconds;      /* of the fits behind the pairs; 0 when they were read */
    bool pairs_given;
} student_t_data;

/* Data set `replicate` simulated from the seed: y = 2 + 1.5·t₄, pairs fitted exactly. */
am_status student_t_simulate(student_t_data *d, uint64_t seed, int replicate, am_error *err);
/* The layout of the published data: y_train.csv, y_val.csv, block_id.csv and, where they are,
 * expected_profile.csv and generator_training_pairs.csv. */
am_status student_t_read(student_t_data *d, const char *folder, uint64_t seed, am_error *err);
void student_t_data_free(student_t_data *d);

/* ---- results (student_t.c) --------------------------------------------------------------------- */

typedef enum { BY_FIT, BY_LINEAR, BY_CHEBYSHEV, BY_RESPONSE, METHODS } student_t_method;

typedef struct {
    location_scale at[NU_POINTS];
    double val_nll[NU_POINTS];
    int choice; /* point of the least validation NLL */
} nu_profile;

typedef struct {
    double mu_mean, mu_sd, sigma_mean, sigma_sd;
    location_scale *draw; /* (draws), owned; NULL: not kept */
} wbb_posterior;

/* Root mean square distance from exact fits at fresh (ν, ω). */
typedef struct {
    double mu, sigma;
    double seconds; /* of all AUDITED evaluations */
} student_t_audit;

/* What is kept of a simulated data set: ν, μ and σ by every method, then the posterior's sds. */
enum {
    REPLICATE_NU = 0,
    REPLICATE_MU = METHODS,
    REPLICATE_SIGMA = 2 * METHODS,
    REPLICATE_MU_SD = 3 * METHODS,
    REPLICATE_SIGMA_SD,
    REPLICATE_FIELDS
};
typedef struct {
    double field[REPLICATE_FIELDS];
} replicate_row;

/* The answer to ω at a few ν, of every generator. */
enum { STUDENT_T_PLACES = 3 };

typedef struct {
    student_t_data data;
    nu_profile profile[METHODS];
    nu_profile published;        /* the fit that stops early; only with expected values */
    double train_nll[NU_POINTS]; /* of the exact fit */
    wbb_posterior posterior[METHODS];
    int draws, replicates;
    student_t_audit audit[METHODS];
    exact_fidelity fidelity[STUDENT_T_PLACES * (METHODS - 1)];
    double spread_mu, spread_sigma; /* root mean square of fit(ω) − fit(1) in the audit */
    double make_seconds[METHODS];   /* of the generators, their pairs included */
    replicate_row *replicate;       /* (replicates), owned */
    double total_seconds;
} student_t_result;

/* student_t_fidelity.c — fills r->fidelity from (μ, σ) at the places, (place, method, draw). */
enum { FIDELITY_DRAWS = 200 };
am_status student_t_judge(student_t_result *r, const double nu[STUDENT_T_PLACES],
                          const location_scale *at, am_error *err);
exact_fidelities student_t_fidelities(const student_t_result *r);

/* student_t_report.c — table, summary.json, CSV, figures. */
am_status student_t_report(const settings *set, const student_t_result *r, const char *folder,
                           am_error *err);
/* student_t_files.c — the CSV files and figures among them. */
am_status student_t_files(const student_t_result *r, const char *folder, am_error *err);

#endif
