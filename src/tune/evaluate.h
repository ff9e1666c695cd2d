/* evaluate — many models on many rows: loss, accuracy, calibration, predictive means, criteria. */
#ifndef AM_EVALUATE_H
#define AM_EVALUATE_H

#include "model/device_rows.h"
#include "model/objective.h"

/* M models: a generator at c (M,R), or explicit θ (E,M,P) when g is NULL. Each of E networks' models
 * predicts the mean of their probabilities (of their outputs in regression). */
typedef struct {
    backend *be;
    const target *t;
    generator *g;
    const dev_f32 *c;
    dev_f32 *theta;
    int models;
    int networks; /* E of explicit θ; 0 stands for 1 */
} model_set;

/* What one model, or a predictive mean, does on n rows. Regression: nll is the mean squared error
 * summed over outputs; accuracy, brier and ece are NaN. */
typedef struct {
    double nll, nll_se; /* mean and its standard error over the rows, nats */
    double accuracy, accuracy_se;
    double brier; /* summed over classes, 0..2 */
    double ece;   /* top label, 15 equal-width bins, L1 */
    double bin_count[AM_ECE_BINS], bin_confidence[AM_ECE_BINS], bin_correct[AM_ECE_BINS]; /* sums */
} metrics;

/* From the sums of one model (AM_SCORE_COLUMNS) over n rows. */
metrics metrics_of(const double *score, int64_t n, loss_kind kind);

/* each (M), if not NULL, gets every model's metrics; mean, if not NULL, those of the average of the
 * models' predicted probabilities (classification only). */
am_status evaluate(const model_set *set, const device_rows *rows, metrics *each, metrics *mean,
                   am_error *err);

/* prediction (M, n, C) on the host: every model's probabilities, or outputs in regression. */
am_status evaluate_predictions(const model_set *set, const device_rows *rows, float *prediction,
                               am_error *err);
/* The same before the softmax; of several networks the mean of their logits. */
am_status evaluate_logits(const model_set *set, const device_rows *rows, float *logit,
                          am_error *err);

/* value (M) = L(θ_m; ω_m, λ_m) over all rows: (1/n) Σ ω ℓ + Σ_g λ_g‖θ_g‖², the mean over the networks
 * where there are several. lambda (M,G) host; omega
 * (M,K) host or NULL for ω = 1. */
am_status evaluate_criterion(const model_set *set, const device_rows *rows, penalty_groups groups,
                             const double *lambda, const float *omega, int64_t blocks,
                             double *value, am_error *err);

/* J = mean NLL over the rows (and over the networks) at one λ (G values) and ω = 1, and du (G) = ∂J
 * by the normalised log λ, exactly, by the chain rule through the generator and its axis. */
am_status evaluate_gradient(generator *g, const device_rows *rows, const double *lambda, double *j,
                            double *du, am_error *err);

#endif
