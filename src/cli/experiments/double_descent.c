/* The double-descent experiment: n = 100 rows of p independent normal covariates, y = xᵀβ + ε with
 * ‖β‖² = 5 and σ = 1, p from n/10 to 10·n. The risk of least squares explodes at the interpolation
 * threshold p = n and falls again beyond it; ridge regression at the λ that GCV chooses does not see
 * the threshold.
 *
 * For p > n all of it, GCV, the fits and their risk, comes from the n × n matrix XXᵀ: with
 * XXᵀ = U·diag(d)·Uᵀ, y − Xθ̂ = nλ·U(D + nλ)⁻¹Uᵀy and n − tr A = nλ Σ 1/(d_i + nλ), so that
 *     V(λ) = n Σ (g_i/(d_i + nλ))² / (Σ 1/(d_i + nλ))²,   g = Uᵀy,
 * in which nλ has cancelled: V keeps its meaning for the interpolant, λ → 0.
 *
 * Held against theory (Hastie, Montanari, Rosset, Tibshirani 2022, Annals of Statistics 50(2)): with
 * Gaussian X the ridgeless risk has an exact expectation for every n and p, since the mean of the
 * inverse of a Wishart matrix is known,
 *     p < n − 1:  σ²·p/(n − p − 1),      p > n + 1:  ‖β‖²(1 − n/p) + σ²·n/(p − n − 1),
 * to which the noise σ² of the fresh row is added; and the least risk along λ tends to
 * σ² + σ²γ·m(−λ*), λ* = σ²γ/‖β‖², m the Stieltjes transform of the Marchenko–Pastur law. */
#include "cli/experiments/double_descent.h"

#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

static const int DESCENT_P[SIZES] = {10,  20,  30,  50,  70,  80,  90,  95,  100,
                                     105, 110, 120, 150, 200, 300, 500, 1000};
enum { VALUES = 5 };

double descent_expected(int n, int p)
{
    if (p < n - 1)
        return NOISE + NOISE * p / (n - p - 1);
    if (p > n + 1)
        return NOISE + SIGNAL * (1.0 - (double)n / p) + NOISE * n / (p - n - 1);
    return INFINITY;
}

/* m(−λ) = (−(1 − γ + λ) + √((1 − γ + λ)² + 4γλ)) / (2γλ) */
double descent_limit(double gamma)
{
    double lambda = NOISE * gamma / SIGNAL, b = 1.0 - gamma + lambda;
    double m = (sqrt(b * b + 4.0 * gamma * lambda) - b) / (2.0 * gamma * lambda);
    return NOISE + NOISE * gamma * m;
}

/* h = UᵀXβ with β = b·(1, …, 1); fitted (n) is scratch. */
static void project_signal(const design *d, const ridge_spectrum *s, double b, double *fitted,
                           double *h)
{
    for (int i = 0; i < d->n; i++) {
        fitted[i] = 0.0;
        for (int j = 0; j < d->p; j++)
            fitted[i] += b * d->x[linalg_at(i, j, d->n)];
    }
    linalg_apply('t', s->n, s->k, s->u, fitted, h);
}

/* Values of one data set: ridgeless risk and V(0), risk and V at the choice, least risk. */
static void judge(const ridge_spectrum *s, const double *h, const double *lambda,
                  const double *curve, descent_size *size, int replications, int replication)
{
    double best = INFINITY;
    int choice = curve_argmin(curve, DESCENT_LAMBDAS);
    for (int i = 0; i < DESCENT_LAMBDAS; i++)
        best = fmin(best, ridge_risk(s, h, SIGNAL, sqrt(NOISE), lambda[i]));
    const double value[VALUES] = {ridge_risk(s, h, SIGNAL, sqrt(NOISE), 0.0), ridge_gcv(s, 0.0),
                                  ridge_risk(s, h, SIGNAL, sqrt(NOISE), lambda[choice]),
                                  curve[choice], best};
    for (int v = 0; v < VALUES; v++)
        size->value[linalg_at(replication, v, replications)] = value[v];
    size->log_lambda += log(lambda[choice]) / replications;
}

static am_status run_data(const design *d, double b, descent_result *r, descent_size *size,
                          int replication, am_error *err)
{
    ridge_spectrum s;
    double curve[DESCENT_LAMBDAS], begin = am_seconds();
    AM_TRY(ridge_spectrum_open(d, &s, err));
    for (int i = 0; i < DESCENT_LAMBDAS; i++)
        curve[i] = ridge_gcv(&s, r->lambda[i]);
    size->seconds = fmin(size->seconds, am_seconds() - begin);
    double *scratch = am_alloc(2 * (size_t)d->n, sizeof *scratch, "risk", err);
    if (scratch != NULL) {
        project_signal(d, &s, b, scratch, scratch + d->n);
        judge(&s, scratch + d->n, r->lambda, curve, size, r->replications, replication);
    }
    free(scratch);
    ridge_spectrum_free(&s);
    return scratch != NULL ? AM_OK : AM_ERR_MEMORY;
}

/* The length of β is all that matters of it: X is invariant under rotations. */
static am_status run_size(uint64_t seed, int index, descent_result *r, am_error *err)
{
    int p = DESCENT_P[index], count = r->replications;
    descent_size *size = &r->size[index];
    *size = (descent_size){.p = p, .seconds = INFINITY};
    size->value = am_alloc(VALUES * (size_t)count, sizeof *size->value, "replications", err);
    if (size->value == NULL)
        return AM_ERR_MEMORY;
    const linear_model model = {
        .n = DESCENT_ROWS, .p = p, .active = p, .b = sqrt(SIGNAL / p), .sigma = sqrt(NOISE)};
    for (int i = 0; i < count; i++) {
        design d;
        AM_TRY(simulate_linear(&model, seed, (uint32_t)i, (uint32_t)index, &d, err));
        am_status status = run_data(&d, model.b, r, size, i, err);
        design_free(&d);
        AM_TRY(status);
    }
    size->ridgeless = estimate_of(size->value, count);
    size->ridgeless_gcv = estimate_of(size->value + count, count);
    size->tuned = estimate_of(size->value + 2 * count, count);
    size->tuned_gcv = estimate_of(size->value + 3 * count, count);
    size->best = estimate_of(size->value + 4 * count, count);
    return AM_OK;
}

static am_status run_all(const settings *set, descent_result *r, am_error *err)
{
    linalg_one_thread();
    lambda_grid(DESCENT_LOW, DESCENT_HIGH, DESCENT_LAMBDAS, r->lambda);
    for (int i = 0; i < SIZES; i++) {
        progress_note(set, "p = %d: %d data sets", DESCENT_P[i], r->replications);
        AM_TRY(run_size((uint64_t)set->seed, i, r, err));
    }
    return AM_OK;
}

am_status experiment_double_descent(const settings *set, am_error *err)
{
    enum { REPLICATIONS = 50 };
    const char *folder = out_or(set, "results/double-descent");
    double begin = am_seconds();
    descent_result r = {.replications =
                            set->replications > 0 ? (int)set->replications : REPLICATIONS};
    am_status status = am_check_writable(folder, err);
    if (status == AM_OK)
        status = run_all(set, &r, err);
    r.total_seconds = am_seconds() - begin;
    if (status == AM_OK)
        status = descent_report(set, &r, folder, err);
    for (int i = 0; i < SIZES; i++)
        free(r.size[i].value);
    return status;
}
