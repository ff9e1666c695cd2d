/* experiment svm — the support vector machine as a function of (ω, λ), held against exact solves, on
 * simulated data and on two classes of images (see svm.c). */
#ifndef AM_EXPERIMENTS_SVM_H
#define AM_EXPERIMENTS_SVM_H

#include "classic/svm.h"
#include "cli/experiments/experiments.h"

enum {
    SVM_LAMBDAS = 20,    /* of the tuning curve */
    SVM_BLOCKS = 16,     /* K */
    SVM_COMPONENTS = 30, /* principal components of the images */
    SVM_ROWS_EACH = 10,  /* training rows for every component, at least */
    SVM_COLUMNS = SVM_COMPONENTS + 1
};

/* ---- data (svm_data.c) ------------------------------------------------------------------------- */

/* Rows of a set, their features and an intercept as they are: not multiplied by the label. */
typedef struct {
    int n;
    double *x;     /* (n × p), column-major, owned */
    double *label; /* (n) ±1, owned */
} svm_rows;

typedef struct {
    char name[96];
    int p;
    svm_rows train, validation, test;
    double penalised[SVM_COLUMNS]; /* 0 for the intercept, column 0 */
    double *signed_x, *one;        /* (n × p) rows times label; (n) ones; owned */
    uint32_t *block;
    amortized_data data;
    const char *test_name; /* "test", or "validation" where the source has no test rows */
} svm_data;

/* n = 500 training, 500 validation and 10,000 test rows; 10 features N(±0.35, 1), two in five of them
 * noise, one label in twenty wrong. */
am_status svm_simulate(svm_data *d, uint64_t seed, am_error *err);
/* Two classes of a folder of images or of a known name, on their leading principal components. */
am_status svm_images(svm_data *d, const char *source, uint64_t seed, am_error *err);
void svm_data_free(svm_data *d);

/* ---- results ----------------------------------------------------------------------------------- */

typedef enum { BY_HINGE, BY_AUGMENTATION, BY_NEWTON, SVM_METHODS } svm_method;

typedef struct {
    double excess_mean, excess_worst;     /* L(g)/L(exact) − 1 at ω = 1 */
    double weighted_mean, weighted_worst; /* under ω */
    double captured, spread, fidelity;    /* of what ω does to the decision values of test rows */
    double seconds;                       /* of one evaluation at a new (ω, λ) */
} svm_audit;

typedef struct {
    svm_data data;
    int audited;
    amortized_generator generator[2]; /* BY_HINGE, BY_AUGMENTATION */
    double lambda[SVM_LAMBDAS];
    double loss[2][SVM_LAMBDAS],
        error[2][SVM_LAMBDAS]; /* validation hinge and error: exact, BY_HINGE */
    int choice[2];
    bool edge[2];
    double curve_seconds[2];
    double test_error[2]; /* at their choices */
    svm_choice ecme, ecme_amortized;
    double ecme_seconds, ecme_amortized_seconds, ecme_test_error[2];
    svm_audit audit[SVM_METHODS];
    double no_response, exact_seconds, exact_gap, em_seconds, em_excess;
    double separable; /* training error of the exact fit at the least λ */
} svm_result;

typedef struct {
    svm_result part[2]; /* simulated; images */
    int parts;
    double total_seconds;
} svm_experiment;

/* svm_audit.c — exact solves at fresh (ω, λ). */
am_status svm_run_audit(svm_result *r, uint64_t seed, am_error *err);

/* svm_report.c */
am_status svm_report(const settings *set, const svm_experiment *e, const char *folder,
                     am_error *err);
/* svm_files.c — CSV and figures. */
am_status svm_files(const svm_experiment *e, const char *folder, am_error *err);

#endif
