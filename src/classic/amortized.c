#include "classic/amortized.h"

#include "classic/piecewise_design.h"

#include <math.h>
#include <stdlib.h>

am_status amortized_check(amortized_loss loss, amortized_point at, am_error *err)
{
    if (loss == CHECK_LOSS && !(at.q > 0 && at.q < 1))
        return am_fail(err, AM_ERR_USAGE, "quantile q = %g: give a number between 0 and 1", at.q);
    if (!(at.lambda > 0) || !isfinite(at.lambda))
        return am_fail(err, AM_ERR_USAGE, "λ = %g: give a number above 0", at.lambda);
    return AM_OK;
}

double amortized_criterion(const amortized_data *d, amortized_point at, const double *omega,
                           const double *beta)
{
    double low = d->loss == CHECK_LOSS ? at.q - 1 : 0, high = d->loss == CHECK_LOSS ? at.q : 1;
    double loss = 0, penalty = 0;
    for (int i = 0; i < d->n; i++) {
        double r = d->b[i];
        for (int j = 0; j < d->p; j++)
            r -= d->x[(size_t)i + (size_t)j * (size_t)d->n] * beta[j];
        loss += (omega != NULL ? omega[d->block[i]] : 1) * fmax(low * r, high * r);
    }
    for (int j = 0; j < d->p; j++)
        penalty += d->penalised[j] * beta[j] * beta[j];
    return loss / d->n + at.lambda * penalty;
}

/* ---- one fit ----------------------------------------------------------------------------------- */

typedef struct {
    piecewise_problem problem;
    matrix_design design;
    double *low, *memory; /* low (n), high (n), scratch (n × p) */
} single_fit;

static am_status open_single(single_fit *f, const amortized_data *d, amortized_point at,
                             const double *omega, am_error *err)
{
    size_t n = (size_t)d->n;
    *f = (single_fit){0};
    AM_TRY(amortized_check(d->loss, at, err));
    f->memory = am_alloc(n * (2 + (size_t)d->p), sizeof *f->memory, "fit", err);
    if (f->memory == NULL)
        return AM_ERR_MEMORY;
    double *low = f->memory, *high = low + n;
    for (size_t i = 0; i < n; i++) {
        double share = (omega != NULL ? omega[d->block[i]] : 1) / d->n;
        low[i] = d->loss == CHECK_LOSS ? share * (at.q - 1) : 0;
        high[i] = d->loss == CHECK_LOSS ? share * at.q : share;
    }
    f->design = (matrix_design){.n = d->n,
                                .p = d->p,
                                .x = d->x,
                                .penalised = d->penalised,
                                .lambda = at.lambda,
                                .scratch = high + n};
    f->problem = (piecewise_problem){.b = d->b, .low = low, .high = high};
    matrix_design_use(&f->design, &f->problem);
    return AM_OK;
}

am_status amortized_exact(const amortized_data *d, amortized_point at, const double *omega,
                          double tolerance, double *beta, piecewise_certificate *certificate,
                          am_error *err)
{
    single_fit f;
    am_status status = open_single(&f, d, at, omega, err);
    if (status == AM_OK)
        status = piecewise_solve(&f.problem, tolerance, beta, certificate, err);
    free(f.memory);
    return status;
}

am_status amortized_envelope(const amortized_data *d, amortized_point at, const double *omega,
                             double precision, double *beta, piecewise_certificate *certificate,
                             am_error *err)
{
    const piecewise_envelope_options options = {.precision = precision, .most = 1000};
    single_fit f;
    am_status status = open_single(&f, d, at, omega, err);
    if (status == AM_OK)
        status = piecewise_envelope(&f.problem, &options, beta, certificate, err);
    free(f.memory);
    return status;
}
