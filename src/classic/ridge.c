#include "classic/ridge.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char WHAT[] = "ridge regression";

/* The rows times √ω: (XᵀWX + nλI)⁻¹XᵀWy is their unweighted fit with the same n. */
static am_status weigh_rows(const design *d, const double *omega, design *weighted, am_error *err)
{
    AM_TRY(design_alloc(d->n, d->p, weighted, err));
    for (int i = 0; i < d->n; i++) {
        double root = sqrt(omega[i]);
        for (int j = 0; j < d->p; j++)
            weighted->x[linalg_at(i, j, d->n)] = root * d->x[linalg_at(i, j, d->n)];
        weighted->y[i] = root * d->y[i];
    }
    return AM_OK;
}

am_status ridge_fit(const design *d, const double *omega, double lambda, double *theta,
                    am_error *err)
{
    design weighted = {0};
    const design *rows = d;
    if (omega != NULL) {
        AM_TRY(weigh_rows(d, omega, &weighted, err));
        rows = &weighted;
    }
    am_status status =
        linalg_ridge(WHAT, d->n, d->p, rows->x, 1, rows->y, d->n * lambda, theta, err);
    design_free(&weighted);
    return status;
}

am_status ridge_error(const design *d, const double *theta, double *error, am_error *err)
{
    double *fitted = am_alloc((size_t)d->n, sizeof *fitted, WHAT, err);
    if (fitted == NULL)
        return AM_ERR_MEMORY;
    linalg_apply('n', d->n, d->p, d->x, theta, fitted);
    *error = 0.0;
    for (int i = 0; i < d->n; i++)
        *error += (d->y[i] - fitted[i]) * (d->y[i] - fitted[i]) / d->n;
    free(fitted);
    return AM_OK;
}

int curve_argmin(const double *value, int points)
{
    int best = 0;
    for (int i = 1; i < points; i++)
        best = value[i] < value[best] ? i : best;
    return best;
}

void lambda_grid(double low, double high, int points, double *lambda)
{
    for (int i = 0; i < points; i++)
        lambda[i] = points == 1 ? low : exp(log(low) + i * (log(high) - log(low)) / (points - 1));
}
