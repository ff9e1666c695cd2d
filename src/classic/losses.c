#include "classic/losses.h"

#include "backend/cpu/cpu.h"

#include <math.h>
#include <string.h>

const char *const classic_loss_names[CLASSIC_LOSSES] = {
    [CLASSIC_SQUARED] = "squared", [CLASSIC_LOGISTIC] = "logistic", [CLASSIC_LAD] = "lad",
    [CLASSIC_HUBER] = "huber",     [CLASSIC_QUANTILE] = "quantile", [CLASSIC_STUDENT] = "student-t",
    [CLASSIC_HINGE] = "hinge",
};

am_status loss_check(const classic_loss *l, am_error *err)
{
    if (l->kind == CLASSIC_QUANTILE && !(l->quantile > 0 && l->quantile < 1))
        return am_fail(err, AM_ERR_USAGE,
                       "--quantile %g: no quantile; give a number between 0 and 1", l->quantile);
    if (l->kind == CLASSIC_HUBER && !(l->delta > 0 && isfinite(l->delta)))
        return am_fail(err, AM_ERR_USAGE, "--delta %g: Huber's threshold must be positive",
                       l->delta);
    if (l->kind == CLASSIC_STUDENT && !(l->nu > 0 && isfinite(l->nu)))
        return am_fail(err, AM_ERR_USAGE, "--nu %g: degrees of freedom must be positive", l->nu);
    if (l->kind == CLASSIC_STUDENT && !(l->scale > 0 && isfinite(l->scale)))
        return am_fail(err, AM_ERR_USAGE, "--scale %g: the scale must be positive", l->scale);
    if (!(l->bandwidth >= 0 && isfinite(l->bandwidth)))
        return am_fail(err, AM_ERR_USAGE, "bandwidth %g: must not be negative", l->bandwidth);
    return AM_OK;
}

bool loss_is_piecewise(const classic_loss *l)
{
    return l->kind == CLASSIC_LAD || l->kind == CLASSIC_QUANTILE || l->kind == CLASSIC_HINGE;
}

bool loss_is_smooth(const classic_loss *l)
{
    return !loss_is_piecewise(l) || l->bandwidth > 0;
}

bool loss_is_binary(const classic_loss *l)
{
    return l->kind == CLASSIC_LOGISTIC || l->kind == CLASSIC_HINGE;
}

/* eᵗ for |t| ≤ 700, below 2 ulp, branch-free so that a loop over it becomes vector code.
 *   t = k·ln 2 + r, |r| ≤ ½ ln 2;   eʳ by Taylor to r¹³/13!, truncation below 5·10⁻¹⁸ */
static inline double bounded_exp(double t)
{
    static const double round = 6755399441055744.0; /* 1.5·2⁵²: the low bits are the integer */
    double shifted = t * 1.4426950408889634 + round, k = shifted - round;
    double r = (t - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double e = 1.0 / 6227020800.0; /* 1/13! */
    e = e * r + 1.0 / 479001600.0;
    e = e * r + 1.0 / 39916800.0;
    e = e * r + 1.0 / 3628800.0;
    e = e * r + 1.0 / 362880.0;
    e = e * r + 1.0 / 40320.0;
    e = e * r + 1.0 / 5040.0;
    e = e * r + 1.0 / 720.0;
    e = e * r + 1.0 / 120.0;
    e = e * r + 1.0 / 24.0;
    e = e * r + 1.0 / 6.0;
    e = e * r + 0.5;
    e = 1.0 + (r + r * r * e);
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52; /* 2ᵏ */
    double power;
    memcpy(&power, &bits, sizeof power);
    return e * power;
}

/* 1/(1 + e^{−t}) */
static inline double sigmoid(double t)
{
    double bounded = t < -700.0 ? -700.0 : t > 700.0 ? 700.0 : t;
    return 1.0 / (1.0 + bounded_exp(-bounded));
}

/* log(1 + e^t) without overflow. */
static double softplus(double t)
{
    return (t > 0 ? t : 0.0) + log1p(exp(-fabs(t)));
}

/* The three losses with a kink are above·(t)₊ + below·(−t)₊ in t = y − f, or 1 − y·f for hinge. */
typedef struct {
    double above, below;
} slopes;

static slopes slopes_of(const classic_loss *l)
{
    switch (l->kind) {
    case CLASSIC_LAD:
        return (slopes){1.0, 1.0};
    case CLASSIC_QUANTILE:
        return (slopes){l->quantile, 1.0 - l->quantile};
    default:
        return (slopes){1.0, 0.0};
    }
}

static double kink_of(const classic_loss *l, double y, double f)
{
    return l->kind == CLASSIC_HINGE ? 1.0 - y * f : y - f;
}

/* ∂t/∂f */
static double kink_slope(const classic_loss *l, double y)
{
    return l->kind == CLASSIC_HINGE ? -y : -1.0;
}

/* ---- value ------------------------------------------------------------------------------------ */

/* above·(t)₊ + below·(−t)₊ = (above + below)·(t)₊ − below·t; only (t)₊ is smoothed. */
static double piecewise_value(const classic_loss *l, slopes s, double t)
{
    double h = l->bandwidth;
    double positive = h > 0 ? h * softplus(t / h) : fmax(t, 0.0);
    return (s.above + s.below) * positive - s.below * t;
}

static double huber_value(double r, double delta)
{
    double a = fabs(r);
    return a <= delta ? 0.5 * r * r : delta * a - 0.5 * delta * delta;
}

void loss_values(const classic_loss *l, int64_t n, const double *y, const double *f, double *value)
{
    const slopes s = slopes_of(l);
    for (int64_t i = 0; i < n; i++) {
        double r = y[i] - f[i];
        switch (l->kind) {
        case CLASSIC_SQUARED:
            value[i] = r * r;
            break;
        case CLASSIC_LOGISTIC:
            value[i] = softplus(f[i]) - y[i] * f[i];
            break;
        case CLASSIC_HUBER:
            value[i] = huber_value(r, l->delta);
            break;
        case CLASSIC_STUDENT:
            value[i] = 0.5 * (l->nu + 1.0) * log1p(r * r / (l->nu * l->scale * l->scale));
            break;
        default:
            value[i] = piecewise_value(l, s, kink_of(l, y[i], f[i]));
        }
    }
}

/* ---- derivatives ------------------------------------------------------------------------------ */

AM_CLONES static void logistic_derivatives(int64_t n, const double *y, const double *f,
                                           double *score, double *curvature)
{
    for (int64_t i = 0; i < n; i++)
        score[i] = sigmoid(f[i]);
    for (int64_t i = 0; i < n && curvature != NULL; i++)
        curvature[i] = score[i] * (1.0 - score[i]);
    for (int64_t i = 0; i < n; i++)
        score[i] -= y[i];
}

/* d/dt of (above + below)·h·softplus(t/h) − below·t, then the chain rule. */
static void piecewise_derivatives(const classic_loss *l, int64_t n, const double *y,
                                  const double *f, double *score, double *curvature)
{
    const slopes s = slopes_of(l);
    const double both = s.above + s.below, h = l->bandwidth;
    for (int64_t i = 0; i < n; i++) {
        double t = kink_of(l, y[i], f[i]), dt = kink_slope(l, y[i]);
        double slope = t > 0 ? s.above : t < 0 ? -s.below : 0.0, bend = 0.0;
        if (h > 0) {
            double p = sigmoid(t / h);
            slope = both * p - s.below;
            bend = both * p * (1.0 - p) / h;
        }
        score[i] = slope * dt;
        if (curvature != NULL)
            curvature[i] = bend * dt * dt;
    }
}

static void student_derivatives(const classic_loss *l, double r, double *score, double *curvature)
{
    double c = l->nu * l->scale * l->scale, d = c + r * r; /* νσ² + r² */
    *score = -(l->nu + 1.0) * r / d;
    *curvature = (l->nu + 1.0) * (c - r * r) / (d * d);
}

void loss_derivatives(const classic_loss *l, int64_t n, const double *y, const double *f,
                      double *score, double *curvature)
{
    if (l->kind == CLASSIC_LOGISTIC) {
        logistic_derivatives(n, y, f, score, curvature);
        return;
    }
    if (loss_is_piecewise(l)) {
        piecewise_derivatives(l, n, y, f, score, curvature);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        double r = y[i] - f[i], bend = 2.0;
        if (l->kind == CLASSIC_SQUARED) {
            score[i] = -2.0 * r;
        } else if (l->kind == CLASSIC_HUBER) {
            score[i] = -fmax(-l->delta, fmin(l->delta, r));
            bend = fabs(r) <= l->delta ? 1.0 : 0.0;
        } else {
            student_derivatives(l, r, &score[i], &bend);
        }
        if (curvature != NULL)
            curvature[i] = bend;
    }
}

/* ---- majorising weights ----------------------------------------------------------------------- */

/* (above + below)/(2|t|): |t| ≤ t²/(2|t₀|) + |t₀|/2, and the rest of the loss is linear; smoothed,
 * that times tanh(|t|/(2h)), as for the logistic loss. */
static double piecewise_weight(slopes s, double t, double h)
{
    double a = fmax(fabs(t), LOSS_LEAST_RESIDUAL), w = 0.5 * (s.above + s.below) / a;
    return h > 0 ? w * tanh(0.5 * a / h) : w;
}

void loss_weights(const classic_loss *l, int64_t n, const double *y, const double *f,
                  double *weight)
{
    const slopes s = slopes_of(l);
    for (int64_t i = 0; i < n; i++) {
        double r = y[i] - f[i], a = fmax(fabs(r), LOSS_LEAST_RESIDUAL);
        switch (l->kind) {
        case CLASSIC_SQUARED:
            weight[i] = 2.0;
            break;
        case CLASSIC_LOGISTIC: /* tanh(f/2)/(2f), 1/4 at f = 0 */
            weight[i] = fabs(f[i]) < 1e-4 ? 0.25 : 0.5 * tanh(0.5 * f[i]) / f[i];
            break;
        case CLASSIC_HUBER:
            weight[i] = a <= l->delta ? 1.0 : l->delta / a;
            break;
        case CLASSIC_STUDENT:
            weight[i] = (l->nu + 1.0) / (l->nu * l->scale * l->scale + r * r);
            break;
        default:
            weight[i] = piecewise_weight(s, kink_of(l, y[i], f[i]), l->bandwidth);
        }
    }
}
