#include "classic/student_t.h"

#include "classic/variable_metric.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;

am_status student_t_check(const char *what, const blocked_sample *s, am_error *err)
{
    if (s->n < 3)
        return am_fail(err, AM_ERR_INPUT, "%s: %d observations; μ and σ need at least 3", what,
                       s->n);
    bool differ = false;
    for (int i = 1; i < s->n && !differ; i++)
        differ = s->y[i] != s->y[0];
    if (!differ)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: all %d values are equal, so σ would be 0; give values that differ",
                       what, s->n);
    bool *seen = am_alloc((size_t)s->blocks, sizeof *seen, what, err);
    if (seen == NULL)
        return AM_ERR_MEMORY;
    am_status status = AM_OK;
    for (int i = 0; i < s->n && status == AM_OK; i++) {
        if (s->block[i] >= (uint32_t)s->blocks)
            status = am_fail(err, AM_ERR_INPUT, "%s: block %lld of observation %d is none of 1..%d",
                             what, (long long)s->block[i] + 1, i + 1, s->blocks);
        else
            seen[s->block[i]] = true;
    }
    for (int b = 0; b < s->blocks && status == AM_OK; b++)
        if (!seen[b])
            status = am_fail(err, AM_ERR_INPUT, "%s: block %d of %d has no observation", what,
                             b + 1, s->blocks);
    free(seen);
    return status;
}

static double weight_at(const blocked_sample *s, const double *omega, int i)
{
    return omega != NULL ? omega[s->block[i]] : 1.0;
}

double student_t_nll(const blocked_sample *s, const double *omega, double nu, location_scale at)
{
    /* ℓ = ½ log(νπ) + log Γ(ν/2) − log Γ((ν+1)/2) + log σ + (ν+1)/2·log(1 + z²/ν) */
    double constant = 0.5 * log(nu * PI) + lgamma(0.5 * nu) - lgamma(0.5 * (nu + 1.0));
    double total = 0;
    for (int i = 0; i < s->n; i++) {
        double z = (s->y[i] - at.mu) / at.sigma;
        double loss = constant + log(at.sigma) + 0.5 * (nu + 1.0) * log1p(z * z / nu);
        total += weight_at(s, omega, i) * loss;
    }
    return total;
}

/* Weighted mean and standard deviation (divisor Σω). */
static location_scale moments_start(const blocked_sample *s, const double *omega)
{
    double sum = 0, mean = 0, square = 0;
    for (int i = 0; i < s->n; i++) {
        sum += weight_at(s, omega, i);
        mean += weight_at(s, omega, i) * s->y[i];
    }
    mean /= sum;
    for (int i = 0; i < s->n; i++)
        square += weight_at(s, omega, i) * (s->y[i] - mean) * (s->y[i] - mean);
    return (location_scale){mean, sqrt(square / sum)};
}

static am_status no_scale(double nu, am_error *err)
{
    return am_fail(
        err, AM_ERR_INPUT,
        "Student-t fit, ν = %g: σ falls to 0, as more than ν/(ν+1) of the weight lies on "
        "one value; take a larger ν or fewer blocks",
        nu);
}

/* One step of the EM. */
static location_scale em_step(const blocked_sample *s, const double *omega, double nu,
                              location_scale at)
{
    double sum = 0, first = 0, square = 0;
    for (int i = 0; i < s->n; i++) {
        double z = (s->y[i] - at.mu) / at.sigma;
        double u = weight_at(s, omega, i) * (nu + 1.0) / (nu + z * z), r = s->y[i] - at.mu;
        sum += u;
        first += u * r; /* about the last μ, where nothing cancels */
        square += u * r * r;
    }
    double shift = first / sum;
    return (location_scale){at.mu + shift, sqrt(fmax(0.0, square / sum - shift * shift))};
}

am_status student_t_fit(const blocked_sample *s, const double *omega, double nu,
                        location_scale *best, am_error *err)
{
    enum { MOST = 10000 };
    location_scale at = moments_start(s, omega);
    double start = at.sigma;
    for (int step = 0; step < MOST; step++) {
        if (!(at.sigma > 1e-9 * start))
            return no_scale(nu, err);
        location_scale next = em_step(s, omega, nu, at);
        double moved = fabs(next.mu - at.mu) + fabs(next.sigma - at.sigma);
        at = next;
        if (moved <= 4 * DBL_EPSILON * (fabs(at.mu) + at.sigma)) {
            *best = at;
            return AM_OK;
        }
    }
    return am_fail(err, AM_ERR_DIVERGED, "Student-t fit, ν = %g: not settled after %d steps of EM",
                   nu, MOST);
}

/* ---- as published ------------------------------------------------------------------------------ */

typedef struct {
    const blocked_sample *s;
    const double *omega;
    double nu;
} published_problem;

static double published_criterion(const void *context, const double *at)
{
    const published_problem *p = context;
    return student_t_nll(p->s, p->omega, p->nu, (location_scale){at[0], exp(at[1])});
}

am_status student_t_fit_published(const blocked_sample *s, const double *omega, double nu,
                                  location_scale *best, am_error *err)
{
    location_scale start = moments_start(s, omega);
    if (!(start.sigma > 0))
        return no_scale(nu, err);
    published_problem p = {s, omega, nu};
    double at[2] = {start.mu, log(start.sigma)};
    variable_metric_minimise(published_criterion, &p, 2, at);
    *best = (location_scale){at[0], exp(at[1])};
    return AM_OK;
}
