/* How generators of ridge regression answer to the weights ω, against exact solutions under the same
 * ω: the fitted values at the test rows, at three λ, over draws that built none of them.
 *
 *   linear    θ = Aᵀ(1, log λ, ω), least squares on labels drawn over the whole range of λ: the
 *             published form (experiment toy)
 *   tangent   θ̂(1, λ) + Σ_b (ω_b − 1)·O_b, O_b = S⁻¹(c_b − G_b θ̂), the implicit response at λ
 *   Krylov    the generator of this experiment under ω: its space is built from the weighted moments,
 *             and answers at every λ */
#include "classic/block_ridge.h"
#include "cli/experiments/ridge.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 16, DRAWS = 200, LABELS = 800 };

static const char WHAT[] = "answer to the weights";

typedef struct {
    const ridge_data *d;
    block_ridge b;
    block_draws draws;              /* fresh; λ at the place that is looked at */
    double *linear;                 /* A (K + 1 × p) */
    double *theta, *exact;          /* (p × D) */
    double *fitted, *fitted_exact;  /* (test rows × D) */
    double *gram, *moment, *factor; /* (p × p), (p), (p × p) scratch */
    double *answer;                 /* (p × K) the O_b */
    double *room;
} trial;

static void trial_close(trial *t)
{
    block_ridge_free(&t->b);
    block_draws_free(&t->draws);
    free(t->room);
}

static am_status trial_alloc(trial *t, am_error *err)
{
    size_t p = (size_t)t->b.p, k = (size_t)t->b.blocks, rows = (size_t)t->d->test.n;
    const struct {
        double **to;
        size_t count;
    } part[] = {{&t->linear, (k + 1) * p}, {&t->theta, p * DRAWS},
                {&t->exact, p * DRAWS},    {&t->fitted, rows * DRAWS},
                {&t->gram, p * p},         {&t->fitted_exact, rows * DRAWS},
                {&t->moment, p},           {&t->factor, p * p},
                {&t->answer, p * k}};
    enum { PARTS = sizeof part / sizeof *part };
    size_t count = 0;
    for (int i = 0; i < PARTS; i++)
        count += part[i].count;
    t->room = am_alloc(count, sizeof *t->room, WHAT, err);
    if (t->room == NULL)
        return AM_ERR_MEMORY;
    count = 0;
    for (int i = 0; i < PARTS; i++) {
        *part[i].to = t->room + count;
        count += part[i].count;
    }
    return AM_OK;
}

static am_status fit_linear(trial *t, uint64_t seed, am_error *err)
{
    block_draws labels;
    AM_TRY(block_draws_make(LABELS, t->b.blocks, LAMBDA_LOW, LAMBDA_HIGH, seed, STREAM_OMEGA, 0,
                            &labels, err));
    am_status status = block_ridge_supervised(&t->b, &labels, t->linear, err);
    block_draws_free(&labels);
    return status;
}

static am_status trial_open(trial *t, const ridge_data *d, uint64_t seed, am_error *err)
{
    int *label, blocks = AM_MIN(BLOCKS, d->train.n);
    *t = (trial){.d = d};
    AM_TRY(simulate_folds(WHAT, d->train.n, blocks, seed, 0, &label, err));
    am_status status = block_ridge_open(&d->train, label, blocks, &t->b, err);
    free(label);
    if (status == AM_OK)
        status = block_draws_make(DRAWS, blocks, LAMBDA_LOW, LAMBDA_HIGH, seed, STREAM_EVALUATION,
                                  0, &t->draws, err);
    if (status == AM_OK)
        status = trial_alloc(t, err);
    if (status == AM_OK)
        status = fit_linear(t, seed, err);
    return status;
}

/* ---- the generators: theta (p × D) at λ -------------------------------------------------------- */

static am_status answer_linear(trial *t, double lambda, am_error *err)
{
    (void)lambda; /* it is in the draws */
    double *z = block_draws_features(&t->draws, err);
    if (z == NULL)
        return AM_ERR_MEMORY;
    linalg_multiply('t', 'n', t->b.p, DRAWS, t->b.blocks + 1, t->linear, z, t->theta);
    free(z);
    return AM_OK;
}

static am_status answer_tangent(trial *t, double lambda, am_error *err)
{
    int p = t->b.p, k = t->b.blocks;
    double one[BLOCKS], shift[BLOCKS];
    for (int b = 0; b < k; b++)
        one[b] = 1.0;
    linalg_apply('n', p * p, k, t->b.gram, one, t->gram);
    linalg_apply('n', p, k, t->b.moment, one, t->moment);
    AM_TRY(linalg_factor(WHAT, p, t->gram, lambda, t->factor, err));
    linalg_factor_solve(p, t->factor, 1, t->moment); /* θ̂(1, λ) */
    for (int b = 0; b < k; b++) {
        double *o = t->answer + linalg_at(0, b, p);
        linalg_apply('n', p, p, t->b.gram + (size_t)b * (size_t)p * (size_t)p, t->moment, o);
        for (int j = 0; j < p; j++)
            o[j] = t->b.moment[linalg_at(j, b, p)] - o[j];
    }
    linalg_factor_solve(p, t->factor, k, t->answer);
    for (int m = 0; m < DRAWS; m++) {
        double *theta = t->theta + linalg_at(0, m, p);
        for (int b = 0; b < k; b++)
            shift[b] = t->draws.omega[linalg_at(b, m, k)] - 1.0;
        linalg_apply('n', p, k, t->answer, shift, theta);
        for (int j = 0; j < p; j++)
            theta[j] += t->moment[j];
    }
    return AM_OK;
}

static am_status answer_krylov(trial *t, double lambda, am_error *err)
{
    int n = t->b.n, p = t->b.p, k = t->b.blocks;
    for (int m = 0; m < DRAWS; m++) {
        const double *omega = t->draws.omega + linalg_at(0, m, k);
        double c[LAMBDA_MAX_FEATURES];
        ridge_space s;
        linalg_apply('n', p * p, k, t->b.gram, omega, t->gram);
        linalg_apply('n', p, k, t->b.moment, omega, t->moment);
        for (int i = 0; i < p * p; i++) /* XᵀWX and XᵀWy; the penalty is nλ */
            t->gram[i] *= n;
        for (int j = 0; j < p; j++)
            t->moment[j] *= n;
        AM_TRY(ridge_space_open(n, p, t->gram, t->moment, &s, err));
        ridge_space_features(&s, &lambda, 1, c);
        linalg_apply('n', p, s.r, s.direction, c, t->theta + linalg_at(0, m, p));
        ridge_space_free(&s);
    }
    return AM_OK;
}

/* ---- against the exact solutions --------------------------------------------------------------- */

static void fitted_values(const trial *t, const double *theta, double *fitted)
{
    linalg_multiply('n', 'n', t->d->test.n, DRAWS, t->b.p, t->d->test.x, theta, fitted);
}

static am_status judge_place(trial *t, double lambda, exact_fidelity *row, am_error *err)
{
    static const struct {
        const char *name, *key;
        am_status (*answer)(trial *t, double lambda, am_error *err);
    } way[RIDGE_ANSWERS] = {{"linear in (1, log λ, ω), as published", "linear", answer_linear},
                            {"implicit response at ω = 1", "tangent", answer_tangent},
                            {"rational Krylov under ω", "krylov", answer_krylov}};
    for (int m = 0; m < DRAWS; m++)
        t->draws.lambda[m] = lambda;
    AM_TRY(block_ridge_labels(&t->b, &t->draws, t->exact, err));
    fitted_values(t, t->exact, t->fitted_exact);
    for (int g = 0; g < RIDGE_ANSWERS; g++) {
        row[g] = (exact_fidelity){way[g].name, way[g].key, lambda, {0}};
        AM_TRY(way[g].answer(t, lambda, err));
        fitted_values(t, t->theta, t->fitted);
        AM_TRY(fidelity_against_exact(t->fitted, t->fitted_exact, DRAWS, t->d->test.n, &row[g].f,
                                      err));
    }
    return AM_OK;
}

am_status ridge_run_fidelity(ridge_result *r, uint64_t seed, am_error *err)
{
    const double place[RIDGE_PLACES] = {1e-3, r->lambda[r->run.by[BY_CV].choice], 1.0};
    trial t;
    am_status status = trial_open(&t, &r->data, seed, err);
    for (int i = 0; i < RIDGE_PLACES && status == AM_OK; i++)
        status = judge_place(&t, place[i], r->fidelity + (size_t)i * RIDGE_ANSWERS, err);
    trial_close(&t);
    return status;
}

exact_fidelities ridge_fidelities(const ridge_result *r)
{
    return (exact_fidelities){.parameter = "λ",
                              .key = "lambda",
                              .what = "fitted values at the test rows",
                              .row = r->fidelity,
                              .count = RIDGE_PLACES * RIDGE_ANSWERS};
}
