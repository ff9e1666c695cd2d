/* reporting — from a folder of results, or a model file, to the page of `report` and am_report. */
#ifndef AM_REPORTING_H
#define AM_REPORTING_H

#include "api/session.h"
#include "report/html.h"
#include "tune/explore.h"

typedef struct {
    const char *results;    /* folder that an experiment or a command wrote, or a model file */
    const char *data;       /* the data set of the model, when it lies elsewhere now; or NULL */
    const char *test;       /* CSV: file with the test rows; or NULL */
    const char *candidates; /* file for the program's own logits (reporting_check.c); or NULL */
    am_device *device; /* held while it runs; NULL: one of the next three's, if there is a model */
    const char *device_name, *precision;
    int threads;
} report_request;
am_status report_run(const report_request *q, const char *path, am_error *err);

/* ---- reporting_files.c: what lies in the folder ---------------------------------------------------- */

enum { REPORT_FILES = 64, REPORT_FILE_BYTES = 300000, REPORT_ALL_BYTES = 600000 };

typedef struct {
    char *folder; /* or NULL: a model file alone */
    char *model;  /* path of the model file, or NULL */
    cJSON *summary, *choice, *curve, *audit, *sample, *polish, *run; /* or NULL */
    const cJSON *audited; /* the audit: a document of its own, or the summary's; not owned */
    html_file file[REPORT_FILES]; /* its *.svg and *.csv by name, as far as they are small */
    int files;
    char when[32]; /* of its results, UTC */
} report_results;
am_status results_open(const char *path, report_results *r, am_error *err);
void results_close(report_results *r); /* safe on a zeroed one */

/* ---- reporting_curve.c: the curve and the choice, as written or as computed ------------------------ */

typedef struct {
    int points; /* 0: there is no curve */
    bool classes;
    double *lambda, *nll, *accuracy;                           /* (points) */
    double *nll_low, *nll_high, *accuracy_low, *accuracy_high; /* (points) NaN without a band */
    double *refit_nll, *refit_accuracy;                        /* (points) NaN without refits */
    double *share;         /* (points) of the draws that would choose each; NaN without */
    int draws;             /* of the band and the shares; 0: not known */
    double chosen, one_se; /* λ; one_se NaN when not known */
    bool recorded;         /* the choice was made, not just the least loss of the curve taken */
    bool computed;         /* it was made here: both alarms are known */
    bool edge_alarm, flat_alarm;
    const char *metric, *rule; /* "nll", "grid"; NULL: not known */
    double *memory;            /* owned: the arrays above */
} report_curve;
/* From the documents. */
am_status report_curve_read(const report_results *r, report_curve *c, am_error *err);
/* From the model, when the documents hold none. */
am_status report_curve_compute(session *s, report_curve *c, am_error *err);
void report_curve_close(report_curve *c); /* safe on a zeroed one */

/* ---- reporting_explore.c: what the page's program is handed -------------------------------------- */

enum { REPORT_ARRAYS = 16, REPORT_DRAWS = 50, REPORT_BINS = 3 * AM_ECE_BINS };

typedef struct {
    exploration e;
    gallery v;
    compact c;
    posterior post;          /* at the chosen λ; draws 0: none */
    metrics plain;           /* of the network at the chosen λ, on the rows below */
    const char *rows;        /* "test" or "validation" */
    int64_t row_count;       /* of these; 0: nothing was computed, there were no data */
    int64_t validation_rows; /* n of the curve */
    int points;              /* of the λ that predictions and weights were precomputed at; or 0 */
    double *lambda;          /* (points) owned, as below */
    int units;               /* weights: of the first layer, precomputed */
    int8_t *weight;          /* (points, units, inputs) */
    float *weight_scale;     /* (points, units) */
    uint8_t *draw_bytes;     /* gallery's draws in 255ths */
    float *omega;            /* gallery's ω − 1 as the features scale it */
    html_array array[REPORT_ARRAYS];
    int arrays;
} report_explorer;
/* Computes all of it; without data what needs none. */
am_status report_explore(session *s, const report_curve *c, report_explorer *x, am_error *err);
void report_explorer_close(report_explorer *x); /* safe on a zeroed one */
/* reporting_json.c: the explorer element of the page. s NULL: there is no model, the curve alone. */
cJSON *report_explorer_json(const session *s, const report_results *r, const report_curve *c,
                            const report_explorer *x);

/* ---- reporting_verdict.c --------------------------------------------------------------------------- */

cJSON *report_verdict(const report_results *r, const report_curve *c, const report_explorer *x);
/* [{what, amount, unit}] of an experiment's summary, or NULL. */
cJSON *report_ledger(const report_results *r);

/* ---- reporting_check.c ------------------------------------------------------------------------------ */

/* Writes to `path`, as safetensors: "lambda" (L), the rows that the gallery was chosen from as "bytes"
 * (n, d) or "x" (n, d), "label" (n), the program's "logits" (L, n, C) at ω = 1, and for the gallery,
 * where it follows ω, "draw_logits" (L, D, rows, C). */
am_status report_check(session *s, const report_explorer *x, const char *path, am_error *err);

#endif
