/* losses — the losses of M-estimation: value, score, curvature and majorising weight of ℓ(y, f) in
 * the linear predictor f. r = y − f is the residual, m = 1 − y·f the margin that is missing.
 *
 * No factor ½ in the squared loss, as everywhere in this project; Huber's keeps the ½ by which his
 * δ and efficiency tables are known. The quantile loss is the usual pinball loss (half of
 * Polson and Scott's ρ_q). LAD, quantile and hinge have a kink; a bandwidth h > 0 smooths it:
 * (r)₊ becomes h·log(1 + e^{r/h}), the convolution of the kink with a logistic kernel (Fernandes,
 * Guerre and Horta 2021), which differs by at most h·log 2. */
#ifndef AM_CLASSIC_LOSSES_H
#define AM_CLASSIC_LOSSES_H

#include "base/base.h"

typedef enum {
    CLASSIC_SQUARED,  /* r² */
    CLASSIC_LOGISTIC, /* log(1 + e^f) − y·f, y ∈ {0, 1}, in nats */
    CLASSIC_LAD,      /* |r| */
    CLASSIC_HUBER,    /* r²/2 for |r| ≤ δ, δ|r| − δ²/2 beyond */
    CLASSIC_QUANTILE, /* q·r for r ≥ 0, (q − 1)·r below */
    CLASSIC_STUDENT,  /* (ν + 1)/2 · log(1 + r²/(νσ²)) */
    CLASSIC_HINGE,    /* max(0, m), y ∈ {−1, 1} */
    CLASSIC_LOSSES
} classic_loss_kind;

typedef struct {
    classic_loss_kind kind;
    double quantile;  /* q in (0, 1) */
    double delta;     /* δ > 0, in the units of y */
    double nu, scale; /* ν, σ > 0 */
    double bandwidth; /* h ≥ 0; 0: the loss itself */
} classic_loss;

/* "squared", "logistic", "lad", "huber", "quantile", "student-t", "hinge" */
extern const char *const classic_loss_names[CLASSIC_LOSSES];

/* AM_ERR_USAGE for parameters outside their range, by the name of the command line's option. */
am_status loss_check(const classic_loss *loss, am_error *err);
/* Has a second derivative almost everywhere that tells its shape: all but LAD, quantile and hinge
 * without bandwidth, which are piecewise linear. */
bool loss_is_smooth(const classic_loss *loss);
/* y is one of two classes: logistic and hinge. */
bool loss_is_binary(const classic_loss *loss);
/* The loss is Σ of |·|₊ parts: LAD, quantile, hinge, whatever their bandwidth. */
bool loss_is_piecewise(const classic_loss *loss);

/* value_i = ℓ(y_i, f_i), i < n. */
void loss_values(const classic_loss *loss, int64_t n, const double *y, const double *f,
                 double *value);
/* score_i = ∂ℓ/∂f, curvature_i = ∂²ℓ/∂f² (NULL: not wanted). At a kink the score is 0 and the
 * curvature everywhere 0; Student's curvature is negative for r² > νσ². */
void loss_derivatives(const classic_loss *loss, int64_t n, const double *y, const double *f,
                      double *score, double *curvature);
/* weight_i = w of the quadratic that touches the loss at f and lies above it everywhere:
 * ℓ(f + d) ≤ ℓ + ℓ'·d + ½·w·d², the weight of iteratively reweighted least squares (logistic:
 * Jaakkola and Jordan 2000; quantile: Hunter and Lange 2000). Residuals below LOSS_LEAST_RESIDUAL
 * count as that. */
#define LOSS_LEAST_RESIDUAL 1e-8
void loss_weights(const classic_loss *loss, int64_t n, const double *y, const double *f,
                  double *weight);

#endif
