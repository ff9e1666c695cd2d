#include "classic/variable_metric.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = VARIABLE_METRIC_MOST, GRADIENTS = 100 };
static const double DIFFERENCE = 1e-3, SHRINK = 0.2, ARMIJO = 1e-4, OFFSET = 10.0;
static const double TOLERANCE = 0x1p-26; /* √(2⁻⁵²) */

typedef struct {
    variable_metric_criterion criterion;
    const void *context;
    int count;
    double inverse[MOST][MOST]; /* of the Hessian */
    double at[MOST], gradient[MOST], step[MOST];
    double value;
} descent;

static void differentiate(const descent *d, double *gradient)
{
    double at[MOST];
    memcpy(at, d->at, sizeof at);
    for (int i = 0; i < d->count; i++) {
        at[i] = d->at[i] + DIFFERENCE;
        double above = d->criterion(d->context, at);
        at[i] = d->at[i] - DIFFERENCE;
        gradient[i] = (above - d->criterion(d->context, at)) / (2 * DIFFERENCE);
        at[i] = d->at[i];
    }
}

static void forget(descent *d)
{
    for (int i = 0; i < d->count; i++)
        for (int j = 0; j < d->count; j++)
            d->inverse[i][j] = i == j;
}

/* step = −B·gradient; returns its slope. */
static double direction(descent *d)
{
    double slope = 0;
    for (int i = 0; i < d->count; i++) {
        d->step[i] = 0;
        for (int j = 0; j < d->count; j++)
            d->step[i] -= d->inverse[i][j] * d->gradient[j];
        slope += d->step[i] * d->gradient[i];
    }
    return slope;
}

/* Moves along the step and leaves what was moved in it. false: the step is lost in rounding, or the
 * criterion hardly fell. */
static bool search(descent *d, double slope)
{
    double from[MOST], before = d->value, length = 1, value = before;
    memcpy(from, d->at, sizeof from);
    bool moves = true, accepted = false;
    while (moves && !accepted) {
        moves = false;
        for (int i = 0; i < d->count; i++) {
            d->at[i] = from[i] + length * d->step[i];
            moves |= OFFSET + from[i] != OFFSET + d->at[i];
        }
        if (!moves)
            break;
        value = d->criterion(d->context, d->at);
        accepted = isfinite(value) && value <= before + ARMIJO * length * slope;
        length *= accepted ? 1 : SHRINK;
    }
    for (int i = 0; i < d->count; i++)
        d->step[i] *= length;
    if (accepted)
        d->value = value;
    return accepted && fabs(value - before) > TOLERANCE * (fabs(before) + TOLERANCE);
}

/* B ← B + ((1 + yᵀBy/sᵀy)·ssᵀ − s(By)ᵀ − (By)sᵀ)/sᵀy, s the step, y the gradient's change. false:
 * the curvature along s is not positive. */
static bool update(descent *d, const double *before)
{
    double y[MOST], by[MOST], sy = 0, yby = 0;
    for (int i = 0; i < d->count; i++) {
        y[i] = d->gradient[i] - before[i];
        sy += d->step[i] * y[i];
    }
    if (!(sy > 0))
        return false;
    for (int i = 0; i < d->count; i++) {
        by[i] = 0;
        for (int j = 0; j < d->count; j++)
            by[i] += d->inverse[i][j] * y[j];
        yby += by[i] * y[i];
    }
    for (int i = 0; i < d->count; i++)
        for (int j = 0; j < d->count; j++)
            d->inverse[i][j] += ((1 + yby / sy) * d->step[i] * d->step[j] - d->step[i] * by[j] -
                                 by[i] * d->step[j]) /
                                sy;
    return true;
}

double variable_metric_minimise(variable_metric_criterion criterion, const void *context, int count,
                                double *at)
{
    descent d = {.criterion = criterion, .context = context, .count = count};
    memcpy(d.at, at, (size_t)count * sizeof *at);
    d.value = criterion(context, d.at);
    differentiate(&d, d.gradient);
    bool fresh = true; /* the metric is the identity, along the gradient */
    forget(&d);
    for (int gradients = 1, since = 0; gradients < GRADIENTS;) {
        double slope = direction(&d), before[MOST];
        if (slope < 0 && search(&d, slope)) {
            memcpy(before, d.gradient, sizeof before);
            differentiate(&d, d.gradient);
            gradients++;
            fresh = !update(&d, before) || ++since > 2 * count;
        } else if (fresh) {
            break;
        } else {
            fresh = true;
        }
        if (fresh) {
            forget(&d);
            since = 0;
        }
    }
    memcpy(at, d.at, (size_t)count * sizeof *at);
    return d.value;
}
