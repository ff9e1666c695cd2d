#include "classic/svm.h"

#include "classic/piecewise_design.h"

#include <math.h>
#include <stdlib.h>

static const double START_LAMBDA = 1e-3;

static int penalised_count(const amortized_data *d)
{
    int k = 0;
    for (int j = 0; j < d->p; j++)
        k += d->penalised[j] > 0;
    return k;
}

static double penalised_square(const amortized_data *d, const double *beta)
{
    double square = 0;
    for (int j = 0; j < d->p; j++)
        square += d->penalised[j] * beta[j] * beta[j];
    return square;
}

static am_status check_prior(svm_prior prior, am_error *err)
{
    if (prior.a >= 1 && prior.b > 0)
        return AM_OK;
    return am_fail(err, AM_ERR_USAGE,
                   "prior Gamma(%g, %g) of the penalty: give a ≥ 1 and b > 0, else the mode lies "
                   "at β = 0",
                   prior.a, prior.b);
}

double svm_tau(svm_prior prior, int k, double square)
{
    return (prior.a - 1 + 0.5 * k) / (prior.b + square);
}

double svm_objective(const amortized_data *d, svm_prior prior, const double *omega,
                     const double *beta, double tau)
{
    /* 2 Σ ω_i (·)₊ + τΣβ² = 2n·L at λ = τ/(2n) */
    amortized_point at = {.lambda = tau / (2.0 * d->n)};
    return 2.0 * d->n * amortized_criterion(d, at, omega, beta) -
           (0.5 * penalised_count(d) + prior.a - 1) * log(tau) + prior.b * tau;
}

/* The design is the first member: the operators and the hook share the context. */
typedef struct {
    matrix_design design;
    const amortized_data *data;
    svm_prior prior;
    int k;
} ecme;

static void update_tau(void *context, const double *beta)
{
    ecme *e = context;
    double tau = svm_tau(e->prior, e->k, penalised_square(e->data, beta));
    e->design.lambda = tau / (2.0 * e->data->n);
}

am_status svm_ecme(const amortized_data *d, svm_prior prior, const double *omega, double precision,
                   double *beta, svm_choice *choice, am_error *err)
{
    size_t n = (size_t)d->n;
    AM_TRY(check_prior(prior, err));
    double *memory = am_alloc(n * (2 + (size_t)d->p), sizeof *memory, "ECME", err);
    if (memory == NULL)
        return AM_ERR_MEMORY;
    double *low = memory, *high = memory + n; /* low: 0 */
    for (size_t i = 0; i < n; i++)
        high[i] = (omega != NULL ? omega[d->block[i]] : 1) / d->n;
    ecme e = {.data = d, .prior = prior, .k = penalised_count(d)};
    e.design = (matrix_design){.n = d->n,
                               .p = d->p,
                               .x = d->x,
                               .penalised = d->penalised,
                               .lambda = START_LAMBDA,
                               .scratch = high + n};
    piecewise_problem problem = {.b = d->b, .low = low, .high = high};
    const piecewise_envelope_options options = {
        .precision = precision, .most = 2000, .after = update_tau};
    piecewise_certificate certificate;
    matrix_design_use(&e.design, &problem);
    for (int j = 0; j < d->p; j++)
        beta[j] = 0;
    am_status status = piecewise_envelope(&problem, &options, beta, &certificate, err);
    free(memory);
    *choice = (svm_choice){.tau = 2.0 * d->n * e.design.lambda,
                           .lambda = e.design.lambda,
                           .iterations = certificate.iterations};
    if (status == AM_OK)
        choice->objective = svm_objective(d, prior, omega, beta, choice->tau);
    return status;
}

am_status svm_ecme_amortized(const amortized_generator *g, svm_prior prior, const double *omega,
                             svm_choice *choice, am_error *err)
{
    enum { MOST = 500 };
    const amortized_data *d = g->data;
    AM_TRY(check_prior(prior, err));
    double *theta = am_alloc((size_t)d->p, sizeof *theta, "ECME", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    int k = penalised_count(d);
    *choice = (svm_choice){.lambda = sqrt(g->o.lambda_low * g->o.lambda_high)};
    for (int i = 0; i < MOST; i++) {
        amortized_theta(g, (amortized_point){.lambda = choice->lambda}, omega, theta);
        choice->tau = svm_tau(prior, k, penalised_square(d, theta));
        double next = choice->tau / (2.0 * d->n);
        next = fmin(g->o.lambda_high, fmax(g->o.lambda_low, next));
        bool still = fabs(log(next / choice->lambda)) < 1e-10;
        choice->lambda = next;
        choice->iterations = i + 1;
        if (still)
            break;
    }
    choice->objective = svm_objective(d, prior, omega, theta, choice->tau);
    free(theta);
    return AM_OK;
}
