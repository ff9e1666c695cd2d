/* uncertainty — how sure many models are of each row, from the probabilities that they predict. */
#ifndef AM_UNCERTAINTY_H
#define AM_UNCERTAINTY_H

#include "tune/evaluate.h"

/* Of one row, with p_m (C) the probabilities of model m, p̄ their mean and H(p) = −Σ_c p_c ln p_c, nats.
 * What the models agree to be unsure of stays in `expected`; what they disagree on is `information`,
 * the mutual information of the prediction and the model (Houlsby et al. 2011; Gal 2016). */
typedef struct {
    double confidence;  /* max_c p̄_c */
    double entropy;     /* H(p̄) */
    double expected;    /* mean_m H(p_m) */
    double information; /* H(p̄) − mean_m H(p_m), at least 0 */
} row_uncertainty;

/* probability: p_m begins at probability + m·stride. */
row_uncertainty uncertainty_of(const float *probability, int models, int64_t stride, int classes);

/* row (n): of every row, from the set's predictions; classification only. at_once: rows whose
 * predictions are held at a time; 0: as many as 256 MiB hold. */
am_status uncertainty_measure(const model_set *set, const device_rows *rows, int64_t at_once,
                              row_uncertainty *row, am_error *err);

/* Scores of a row that rise with the doubt: what rows from elsewhere are told by. */
typedef enum {
    DOUBT_ENTROPY,     /* H(p̄) */
    DOUBT_INFORMATION, /* mutual information */
    DOUBT_CONFIDENCE,  /* 1 − max_c p̄_c */
    DOUBT_KINDS
} doubt_kind;
double doubt_of(const row_uncertainty *row, doubt_kind kind);
const char *doubt_name(doubt_kind kind);

/* Means over the rows, and their standard errors (NaN for one row). */
typedef struct {
    int64_t rows;
    double confidence, entropy, expected, information;
    double entropy_se, information_se;
} uncertainty_summary;
uncertainty_summary uncertainty_summarise(const row_uncertainty *row, int64_t n);

#endif
