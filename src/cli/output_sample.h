/* output_sample — posterior draws at one λ for people and machines: what they predict, how sure they
 * are, and how well that tells other data apart. */
#ifndef AM_OUTPUT_SAMPLE_H
#define AM_OUTPUT_SAMPLE_H

#include "cli/output.h"
#include "tune/ood.h"
#include "tune/uncertainty.h"

/* Other data, held against the rows that the draws are judged on. */
typedef struct {
    char *name;       /* "fashion-mnist"; owned */
    const char *part; /* "test" or "all": of its rows */
    int64_t n;
    row_uncertainty *row; /* (n), owned */
    uncertainty_summary summary;
    detection by[DOUBT_KINDS];
} other_data;

typedef struct {
    selection choice;        /* the λ */
    posterior p;             /* owned */
    const char *data, *rows; /* "mnist", "test": what the draws are judged on */
    bool classes;            /* all below is of classifiers only */
    int64_t n;
    row_uncertainty *row; /* (n), owned */
    uncertainty_summary summary;
    float *omega; /* (D, K) of the draws, or NULL; owned */
    int64_t blocks;
    float *theta; /* (D, P) their networks, or NULL; owned */
    int64_t params;
    bool has_other;
    other_data other;
} sample_result;

am_status output_sample_print(const sample_result *r, FILE *stream, am_error *err);
cJSON *output_sample_json(const sample_result *r);
/* Metrics of the draws, how sure they are of every row, and of ω and θ what there is (output_npz.c). */
am_status output_sample_npz(const sample_result *r, const char *path, am_error *err);
/* sample.json, draws.csv and draws.npz; of classifiers uncertainty.csv, reliability.csv and reliability.svg; with
 * other data ood.csv, ood_uncertainty.csv and ood.svg. */
am_status output_sample_files(const sample_result *r, const char *folder, am_error *err);

/* output_sample_figures.c */

/* Bins of the reliability diagram: where they begin and end, rows, mean confidence and accuracy of
 * these (NaN in an empty bin). */
typedef struct {
    double low[AM_ECE_BINS], high[AM_ECE_BINS];
    double rows[AM_ECE_BINS], confidence[AM_ECE_BINS], accuracy[AM_ECE_BINS];
} reliability;
reliability reliability_of(const metrics *m);
am_status output_reliability_svg(const sample_result *r, const char *path, am_error *err);
am_status output_ood_svg(const sample_result *r, const char *path, am_error *err);

#endif
