/* The ridge experiment (section 3.1, figure 2, table 2): λ by GCV, by exact 5-fold cross-validation,
 * and by cross-validation through a generator λ → θ, each judged by the test error of the exact refit
 * at its λ.
 *
 * The published generator, a quadratic in log λ, is reproduced. Beside it stand Chebyshev features
 * and a generator that minimises the criterion over a rational Krylov space (ridge_generator.h).
 * Exact cross-validation takes one eigendecomposition a fold; the seconds of a factorisation for
 * every fold and λ, as in refits, are given too. */
#include "cli/experiments/ridge.h"

#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

enum { REPEATS = 7, CHEBYSHEV_NODES = 12 };

/* ---- one curve --------------------------------------------------------------------------------- */

static am_status gcv_curve(const ridge_data *d, const double *lambda, double *curve, am_error *err)
{
    ridge_spectrum s;
    AM_TRY(ridge_spectrum_open(&d->train, &s, err));
    for (int i = 0; i < POINTS; i++)
        curve[i] = ridge_gcv(&s, lambda[i]);
    ridge_spectrum_free(&s);
    return AM_OK;
}

/* The curve up to `repeats` times over, for a tenth of a second; *seconds the least, since what else
 * the machine does only adds to it. method NULL: GCV. */
static am_status timed_curve(const ridge_data *d, const double *lambda, const cv_method *method,
                             int repeats, double *curve, double *seconds, am_error *err)
{
    cv_problem problem = {&d->train, d->fold, d->folds, lambda, POINTS};
    double start = am_seconds();
    *seconds = INFINITY;
    for (int i = 0; i < repeats && (i == 0 || am_seconds() < start + 0.1); i++) {
        double begin = am_seconds();
        AM_TRY(method != NULL ? ridge_cv(&problem, method, curve, err)
                              : gcv_curve(d, lambda, curve, err));
        *seconds = fmin(*seconds, am_seconds() - begin);
    }
    return AM_OK;
}

static am_status judge(const ridge_data *d, const double *lambda, ridge_choice *c, am_error *err)
{
    double *theta = am_alloc((size_t)d->train.p, sizeof *theta, "ridge refit", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    c->choice = curve_argmin(c->curve, POINTS);
    am_status status = ridge_fit(&d->train, NULL, lambda[c->choice], theta, err);
    if (status == AM_OK)
        status = ridge_error(&d->test, theta, &c->test_mse, err);
    free(theta);
    return status;
}

/* ---- one data set ------------------------------------------------------------------------------ */

static am_status run_data(const ridge_data *d, const double *lambda, int repeats, ridge_run *run,
                          am_error *err)
{
    const double *at[MOST_FOLDS];
    double curve[POINTS];
    for (int f = 0; f < d->folds; f++)
        at[f] = d->lambda + linalg_at(0, f, d->nodes);
    const supervised_generator published = {
        .basis = LOG_POLYNOMIAL, .features = 3, .nodes = d->nodes, .lambda = at, .ridge = 1e-10};
    const supervised_generator chebyshev = {
        .basis = CHEBYSHEV, .features = CHEBYSHEV_NODES, .nodes = CHEBYSHEV_NODES};
    const cv_method amortized = cv_supervised(&published), nodes = cv_supervised(&chebyshev),
                    krylov = cv_rational_krylov();
    const cv_method *method[METHODS] = {NULL, &cv_exact, &amortized, &nodes, &krylov};
    for (int m = 0; m < METHODS; m++) {
        ridge_choice *c = &run->by[m];
        AM_TRY(timed_curve(d, lambda, method[m], repeats, c->curve, &c->seconds, err));
        AM_TRY(judge(d, lambda, c, err));
    }
    return timed_curve(d, lambda, &cv_refits, repeats, curve, &run->refit_seconds, err);
}

/* Replication 0 is the data set of the experiment itself; these are 1, 2, … */
static am_status run_simulated(ridge_result *r, uint64_t seed, am_error *err)
{
    r->simulated = am_alloc((size_t)r->replications, sizeof *r->simulated, "replications", err);
    am_status status = r->simulated != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int i = 0; status == AM_OK && i < r->replications; i++) {
        ridge_data d;
        status = ridge_simulate(&d, seed, (uint32_t)i + 1, err);
        if (status == AM_OK)
            status = run_data(&d, r->lambda, 1, &r->simulated[i], err);
        ridge_data_free(&d);
    }
    return status;
}

ridge_study ridge_study_of(const ridge_result *r, ridge_method method)
{
    ridge_study s = {0};
    double count = r->replications, square = 0.0;
    for (int i = 0; i < r->replications; i++) {
        const ridge_choice *own = &r->simulated[i].by[method], *exact = &r->simulated[i].by[BY_CV];
        double excess = own->test_mse / exact->test_mse - 1.0;
        int steps = abs(own->choice - exact->choice);
        s.mse.mean += own->test_mse / count;
        s.excess_mean += excess / count;
        s.excess_most = fmax(s.excess_most, fabs(excess));
        s.steps_mean += steps / count;
        s.steps_most = AM_MAX(s.steps_most, steps);
    }
    for (int i = 0; i < r->replications; i++) {
        double gap = r->simulated[i].by[method].test_mse - s.mse.mean;
        square += gap * gap;
    }
    s.mse.se = r->replications > 1 ? sqrt(square / (count - 1.0) / count) : NAN;
    return s;
}

/* ---- cost along p ------------------------------------------------------------------------------ */

static am_status measure_size(const double *lambda, uint64_t seed, int p, ridge_speed *s,
                              am_error *err)
{
    ridge_data d = {.folds = FOLDS};
    const linear_model model = {
        .n = 15 * p / 4, .p = p, .active = 8, .b = 1.0, .rho = 0.2, .sigma = 1.0};
    const cv_method krylov = cv_rational_krylov();
    double exact[POINTS] = {0}, other[POINTS] = {0};
    *s = (ridge_speed){.n = model.n, .p = p};
    am_status status = simulate_linear(&model, seed, 0, 0, &d.train, err);
    if (status == AM_OK)
        status = simulate_folds("--seed", model.n, FOLDS, seed, 0, &d.fold, err);
    if (status == AM_OK)
        status = timed_curve(&d, lambda, &cv_exact, REPEATS, exact, &s->exact, err);
    if (status == AM_OK)
        status = timed_curve(&d, lambda, &cv_refits, REPEATS, other, &s->refits, err);
    if (status == AM_OK)
        status = timed_curve(&d, lambda, &krylov, REPEATS, other, &s->generator, err);
    for (int i = 0; status == AM_OK && i < POINTS; i++)
        s->curve_error = fmax(s->curve_error, fabs(other[i] / exact[i] - 1.0));
    ridge_data_free(&d);
    return status;
}

static am_status measure_sizes(ridge_result *r, uint64_t seed, am_error *err)
{
    for (int i = 0; i < SPEEDS; i++) /* p = 20, 40, 80, 160, 320 */
        AM_TRY(measure_size(r->lambda, seed, 20 << i, &r->speed[i], err));
    return AM_OK;
}

/* ---- the experiment ---------------------------------------------------------------------------- */

static am_status run_all(const settings *set, ridge_result *r, am_error *err)
{
    uint64_t seed = (uint64_t)set->seed;
    linalg_one_thread();
    lambda_grid(LAMBDA_LOW, LAMBDA_HIGH, POINTS, r->lambda);
    AM_TRY(set->reference != NULL ? ridge_read(&r->data, set->reference, seed, err)
                                  : ridge_simulate(&r->data, seed, 0, err));
    progress_note(set, "data: %s, %d training rows, %d test rows, %d covariates, %d folds",
                  set->reference != NULL ? set->reference : "simulated", r->data.train.n,
                  r->data.test.n, r->data.train.p, r->data.folds);
    AM_TRY(run_data(&r->data, r->lambda, REPEATS, &r->run, err));
    progress_note(set, "answer to the weights");
    AM_TRY(ridge_run_fidelity(r, seed, err));
    progress_note(set, "%d simulated data sets", r->replications);
    AM_TRY(run_simulated(r, seed, err));
    progress_note(set, "cost along p");
    return measure_sizes(r, seed, err);
}

am_status experiment_ridge(const settings *set, am_error *err)
{
    enum { REPLICATIONS = 20 };
    const char *folder = out_or(set, "results/ridge");
    double begin = am_seconds();
    ridge_result *r = am_alloc(1, sizeof *r, "experiment ridge", err);
    if (r == NULL)
        return AM_ERR_MEMORY;
    r->replications = set->replications > 0 ? (int)set->replications : REPLICATIONS;
    am_status status = am_check_writable(folder, err);
    if (status == AM_OK)
        status = run_all(set, r, err);
    r->total_seconds = am_seconds() - begin;
    if (status == AM_OK)
        status = ridge_report(set, r, folder, err);
    ridge_data_free(&r->data);
    free(r->simulated);
    free(r);
    return status;
}
