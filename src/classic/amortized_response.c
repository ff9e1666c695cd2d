#include "classic/amortized.h"

#include "linalg/cholesky.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Silverman's width; residuals are sorted. */
static double kernel_width(double *r, int n)
{
    double mean = 0, square = 0;
    for (int i = 0; i < n; i++)
        mean += r[i] / n;
    for (int i = 0; i < n; i++)
        square += (r[i] - mean) * (r[i] - mean) / n;
    qsort(r, (size_t)n, sizeof *r, ascending);
    double quartiles = (r[3 * (n - 1) / 4] - r[(n - 1) / 4]) / 1.34, sd = sqrt(square);
    double spread = quartiles > 0 ? fmin(sd, quartiles) : sd;
    return spread > 0 ? 1.06 * spread * pow(n, -0.2) : 1;
}

static void residuals(const amortized_data *d, const double *centre, double *r)
{
    for (int i = 0; i < d->n; i++)
        r[i] = d->b[i];
    for (int j = 0; j < d->p; j++)
        for (int i = 0; i < d->n; i++)
            r[i] -= d->x[(size_t)i + (size_t)j * (size_t)d->n] * centre[j];
}

/* Adds row i: ℓ'(r) = low + (high − low)·Φ(r/h), ℓ''(r) = (high − low)·φ(r/h)/h, and ∂r/∂β = −x. */
static void add_row(amortized_response *r, const amortized_data *d, amortized_point at, int i,
                    double residual, double h)
{
    size_t p = (size_t)d->p, n = (size_t)d->n, b = d->block[i];
    double z = residual / h, low = d->loss == CHECK_LOSS ? at.q - 1 : 0; /* high − low = 1 */
    double slope = (low + 0.5 * erfc(-z * sqrt(0.5))) / d->n;
    double bend = exp(-0.5 * z * z) / (sqrt(2 * PI) * h * d->n);
    double *gradient = r->gradient + b * p, *hessian = r->hessian + b * p * p;
    double *x = r->one; /* the row, contiguous */
    for (size_t j = 0; j < p; j++)
        x[j] = d->x[(size_t)i + j * n];
    for (size_t j = 0; j < p; j++) {
        gradient[j] -= slope * x[j];
        double scaled = bend * x[j];
        if (fabs(z) < 8)
            for (size_t k = j; k < p; k++)
                hessian[k + j * p] += scaled * x[k];
    }
}

static void add_rows(amortized_response *r, const amortized_data *d, amortized_point at,
                     const double *residual, double h)
{
    size_t p = (size_t)d->p, k = (size_t)d->blocks;
    memset(r->gradient, 0, p * k * sizeof *r->gradient);
    memset(r->hessian, 0, p * p * k * sizeof *r->hessian);
    for (int i = 0; i < d->n; i++)
        add_row(r, d, at, i, residual[i], h);
}

/* Root mean square of xᵀδ over rows and weights: δ = −H⁻¹ Σ_b (ω_b − 1) g_b with Var ω_b ≈ 1; f (n) is
 * scratch. 0 when H is singular. */
static double prediction_shift(amortized_response *r, const amortized_data *d, double *f)
{
    size_t p = (size_t)r->p, blocks = (size_t)r->blocks;
    double *mean = r->one;
    memset(r->scratch, 0, p * p * sizeof *r->scratch);
    memset(mean, 0, p * sizeof *mean);
    for (size_t b = 0; b < blocks; b++) {
        for (size_t j = 0; j < p * p; j++)
            r->scratch[j] += r->hessian[b * p * p + j];
        for (size_t j = 0; j < p; j++)
            mean[j] += r->gradient[b * p + j] / (double)blocks;
    }
    for (size_t j = 0; j < p; j++)
        r->scratch[j + j * p] += r->penalty[j];
    if (!cholesky_factor(r->p, r->scratch))
        return 0;
    double square = 0, *delta = r->one + p;
    for (size_t b = 0; b < blocks; b++) {
        for (size_t j = 0; j < p; j++)
            delta[j] = r->gradient[b * p + j] - mean[j];
        cholesky_solve(r->p, r->scratch, 1, delta);
        linalg_apply('n', d->n, d->p, d->x, delta, f);
        for (int i = 0; i < d->n; i++)
            square += f[i] * f[i] / d->n;
    }
    return sqrt(square);
}

am_status amortized_response_open(amortized_response *r, const amortized_data *d,
                                  amortized_point at, const double *centre, am_error *err)
{
    size_t p = (size_t)d->p, k = (size_t)d->blocks, n = (size_t)d->n;
    *r = (amortized_response){.p = d->p, .blocks = d->blocks};
    r->memory = am_alloc(p * (4 + k) + p * p * (k + 1) + 2 * n, sizeof(double), "response", err);
    if (r->memory == NULL)
        return AM_ERR_MEMORY;
    r->centre = r->memory;
    r->penalty = r->centre + p;
    r->one = r->penalty + p;
    r->gradient = r->one + 2 * p;
    r->hessian = r->gradient + p * k;
    r->scratch = r->hessian + p * p * k;
    double *residual = r->scratch + p * p, *sorted = residual + n;
    memcpy(r->centre, centre, p * sizeof *centre);
    for (size_t j = 0; j < p; j++)
        r->penalty[j] = 2 * at.lambda * d->penalised[j];
    residuals(d, centre, residual);
    memcpy(sorted, residual, n * sizeof *sorted);
    double pilot = kernel_width(sorted, d->n);
    add_rows(r, d, at, residual, pilot);
    double h = prediction_shift(r, d, sorted);
    if (h > 0 && h < pilot)
        add_rows(r, d, at, residual, h);
    return AM_OK;
}

void amortized_response_free(amortized_response *r)
{
    free(r->memory);
    *r = (amortized_response){0};
}

void amortized_respond(amortized_response *r, const double *omega, double *theta)
{
    size_t p = (size_t)r->p;
    memset(theta, 0, p * sizeof *theta);
    memset(r->scratch, 0, p * p * sizeof *r->scratch);
    for (size_t b = 0; b < (size_t)r->blocks; b++) {
        for (size_t j = 0; j < p; j++)
            theta[j] -= (omega[b] - 1) * r->gradient[b * p + j];
        for (size_t j = 0; j < p * p; j++)
            r->scratch[j] += 0.5 * (1 + omega[b]) * r->hessian[b * p * p + j];
    }
    for (size_t j = 0; j < p; j++)
        r->scratch[j + j * p] += r->penalty[j];
    if (cholesky_factor(r->p, r->scratch))
        cholesky_solve(r->p, r->scratch, 1, theta);
    else
        memset(theta, 0, p * sizeof *theta);
    for (size_t j = 0; j < p; j++)
        theta[j] += r->centre[j];
}
