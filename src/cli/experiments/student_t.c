/* The Student-t experiment: profile the degrees of freedom ν by validation likelihood, with exact
 * weighted fits and with generators of (μ, σ) as a function of (ω, ν), then draw the posterior of
 * (μ, σ) at the chosen ν by the weighted Bayesian bootstrap.
 *
 * The published generator is (μ, σ) = A·(1, ν, ν², ω_1..ω_16), from 200 pairs. Two better ones stand
 * beside it (student_t_generator.h): Chebyshev features with interactions on the same pairs, and the
 * response from derivatives per block, which needs no pairs. */
#include "cli/experiments/student_t.h"

#include "classic/block_weights.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    const blocked_sample *sample;
    student_t_linear linear, chebyshev;
    student_t_response response;
    double *row; /* of the response at nu */
    double nu;   /* where the row holds; 0: nowhere */
} generators;

static void generators_free(generators *g)
{
    student_t_linear_free(&g->linear);
    student_t_linear_free(&g->chebyshev);
    student_t_response_free(&g->response);
    free(g->row);
}

/* seconds (METHODS) or NULL */
static am_status generators_fit(generators *g, const student_t_data *d, double *seconds,
                                am_error *err)
{
    double mark[4] = {am_seconds()};
    *g = (generators){.sample = &d->train};
    AM_TRY(student_t_linear_fit(&g->linear, STUDENT_T_LINEAR, &d->pairs, NU_LOW, NU_HIGH, err));
    mark[1] = am_seconds();
    AM_TRY(
        student_t_linear_fit(&g->chebyshev, STUDENT_T_CHEBYSHEV, &d->pairs, NU_LOW, NU_HIGH, err));
    mark[2] = am_seconds();
    AM_TRY(student_t_response_open(&g->response, &d->train, NU_LOW, NU_HIGH, err));
    mark[3] = am_seconds();
    size_t width = (size_t)student_t_response_width(&g->response);
    g->row = am_alloc(width, sizeof *g->row, "Student-t response", err);
    if (g->row == NULL)
        return AM_ERR_MEMORY;
    for (int m = BY_LINEAR; seconds != NULL && m < METHODS; m++)
        seconds[m] = mark[m] - mark[m - 1] + (m != BY_RESPONSE ? d->pair_seconds : 0);
    return AM_OK;
}

/* (μ, σ) at (ν, ω); omega NULL: all 1. */
static am_status estimate_by(generators *g, student_t_method method, double nu, const double *omega,
                             location_scale *at, am_error *err)
{
    switch (method) {
    case BY_FIT:
        return student_t_fit(g->sample, omega, nu, at, err);
    case BY_LINEAR:
        *at = student_t_linear_at(&g->linear, nu, omega);
        return AM_OK;
    case BY_CHEBYSHEV:
        *at = student_t_linear_at(&g->chebyshev, nu, omega);
        return AM_OK;
    default:
        if (g->nu != nu)
            student_t_response_row(&g->response, nu, g->row);
        g->nu = nu;
        *at = student_t_respond(g->sample->blocks, g->row, omega);
        return AM_OK;
    }
}

/* A scale that no generator should give, but a linear one can, is infinitely bad. */
static double validation_nll(const student_t_data *d, double nu, location_scale at)
{
    return at.sigma > 0 ? student_t_nll(&d->validation, NULL, nu, at) : INFINITY;
}

static void choose(nu_profile *p)
{
    p->choice = 0;
    for (int i = 1; i < NU_POINTS; i++)
        if (p->val_nll[i] < p->val_nll[p->choice])
            p->choice = i;
}

static am_status fill_profile(generators *g, const student_t_data *d, student_t_method method,
                              nu_profile *p, am_error *err)
{
    for (int i = 0; i < NU_POINTS; i++) {
        AM_TRY(estimate_by(g, method, nu_at(i), NULL, &p->at[i], err));
        p->val_nll[i] = validation_nll(d, nu_at(i), p->at[i]);
    }
    choose(p);
    return AM_OK;
}

/* What the optimiser behind the published profile finds. */
static am_status fill_published(student_t_result *r, am_error *err)
{
    for (int i = 0; i < NU_POINTS; i++) {
        location_scale *at = &r->published.at[i];
        AM_TRY(student_t_fit_published(&r->data.train, NULL, nu_at(i), at, err));
        r->published.val_nll[i] = validation_nll(&r->data, nu_at(i), *at);
    }
    choose(&r->published);
    return AM_OK;
}

/* ---- posterior --------------------------------------------------------------------------------- */

typedef struct {
    uint64_t seed;
    uint32_t replicate;
    int draws;
    double *omega; /* (K) scratch */
} bootstrap;

/* Means and standard deviations (divisor draws − 1) of (μ, σ) over draws of ω at ν. */
static am_status draw_posterior(generators *g, student_t_method method, double nu,
                                const bootstrap *b, wbb_posterior *post, am_error *err)
{
    double first[2] = {0}, square[2] = {0};
    location_scale centre;
    AM_TRY(estimate_by(g, method, nu, NULL, &centre, err));
    for (int d = 0; d < b->draws; d++) {
        location_scale at;
        block_weights(b->seed, STREAM_POSTERIOR, b->replicate, (uint32_t)d, g->sample->blocks,
                      b->omega);
        AM_TRY(estimate_by(g, method, nu, b->omega, &at, err));
        const double gap[2] = {at.mu - centre.mu, at.sigma - centre.sigma};
        for (int c = 0; c < 2; c++) {
            first[c] += gap[c] / b->draws;
            square[c] += gap[c] * gap[c];
        }
        if (post->draw != NULL)
            post->draw[d] = at;
    }
    post->mu_mean = centre.mu + first[0];
    post->sigma_mean = centre.sigma + first[1];
    double share = 1.0 / (b->draws - 1);
    post->mu_sd = sqrt(fmax(0, square[0] - b->draws * first[0] * first[0]) * share);
    post->sigma_sd = sqrt(fmax(0, square[1] - b->draws * first[1] * first[1]) * share);
    return AM_OK;
}

/* Every method at the ν that the exact profile chooses. */
static am_status draw_posteriors(generators *g, student_t_result *r, const bootstrap *b,
                                 am_error *err)
{
    double nu = nu_at(r->profile[BY_FIT].choice);
    for (int m = 0; m < METHODS; m++) {
        wbb_posterior *post = &r->posterior[m];
        post->draw = am_alloc((size_t)b->draws, sizeof *post->draw, "posterior", err);
        if (post->draw == NULL)
            return AM_ERR_MEMORY;
        AM_TRY(draw_posterior(g, (student_t_method)m, nu, b, post, err));
    }
    return AM_OK;
}

/* ---- audit ------------------------------------------------------------------------------------- */

/* ν log-uniform on the range: not only the grid's. */
static double audit_nu(uint64_t seed, int draw)
{
    double u = uniform_open(philox(seed, STREAM_EVALUATION, 0, (uint32_t)draw, UINT32_MAX).x[0]);
    return NU_LOW * pow(NU_HIGH / NU_LOW, u);
}

static am_status audit_method(generators *g, student_t_method method, const bootstrap *b,
                              location_scale *at, double *seconds, am_error *err)
{
    double begin = am_seconds();
    for (int d = 0; d < AUDITED; d++) {
        block_weights(b->seed, STREAM_EVALUATION, 0, (uint32_t)d, g->sample->blocks, b->omega);
        AM_TRY(estimate_by(g, method, audit_nu(b->seed, d), b->omega, &at[d], err));
    }
    *seconds = am_seconds() - begin;
    return AM_OK;
}

/* Root mean squares of a − b. */
static void distance(const location_scale *a, const location_scale *b, double *mu, double *sigma)
{
    double square[2] = {0};
    for (int d = 0; d < AUDITED; d++) {
        square[0] += (a[d].mu - b[d].mu) * (a[d].mu - b[d].mu);
        square[1] += (a[d].sigma - b[d].sigma) * (a[d].sigma - b[d].sigma);
    }
    *mu = sqrt(square[0] / AUDITED);
    *sigma = sqrt(square[1] / AUDITED);
}

static am_status audit(generators *g, student_t_result *r, const bootstrap *b, am_error *err)
{
    location_scale *at = am_alloc((METHODS + 1) * AUDITED, sizeof *at, "audit", err);
    if (at == NULL)
        return AM_ERR_MEMORY;
    location_scale *even = at + METHODS * AUDITED; /* fits at ω = 1 */
    am_status status = AM_OK;
    for (int d = 0; d < AUDITED && status == AM_OK; d++)
        status = student_t_fit(g->sample, NULL, audit_nu(b->seed, d), &even[d], err);
    for (int m = 0; m < METHODS && status == AM_OK; m++) {
        student_t_audit *a = &r->audit[m];
        status = audit_method(g, (student_t_method)m, b, at + m * AUDITED, &a->seconds, err);
        distance(at + m * AUDITED, at, &a->mu, &a->sigma);
    }
    distance(at, even, &r->spread_mu, &r->spread_sigma);
    free(at);
    return status;
}

/* ---- fidelity ---------------------------------------------------------------------------------- */

/* Draws of their own: step 1 of the stream whose step 0 is the audit. */
static am_status run_fidelity(generators *g, student_t_result *r, const bootstrap *b, am_error *err)
{
    const double nu[STUDENT_T_PLACES] = {2.0, nu_at(r->profile[BY_FIT].choice), 12.0};
    const size_t count = (size_t)STUDENT_T_PLACES * METHODS * FIDELITY_DRAWS;
    location_scale *at = am_alloc(count, sizeof *at, "answer to the weights", err), *to = at;
    am_status status = at != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int i = 0; i < STUDENT_T_PLACES; i++)
        for (int m = 0; m < METHODS; m++)
            for (uint32_t d = 0; d < FIDELITY_DRAWS && status == AM_OK; d++) {
                block_weights(b->seed, STREAM_EVALUATION, 1, d, g->sample->blocks, b->omega);
                status = estimate_by(g, (student_t_method)m, nu[i], b->omega, to++, err);
            }
    if (status == AM_OK)
        status = student_t_judge(r, nu, at, err);
    free(at);
    return status;
}

/* ---- replicates -------------------------------------------------------------------------------- */

static am_status replicate_methods(generators *g, const student_t_data *d, const bootstrap *b,
                                   replicate_row *row, am_error *err)
{
    wbb_posterior post = {0};
    AM_TRY(generators_fit(g, d, NULL, err));
    for (int m = 0; m < METHODS; m++) {
        nu_profile p;
        AM_TRY(fill_profile(g, d, (student_t_method)m, &p, err));
        row->field[REPLICATE_NU + m] = nu_at(p.choice);
        row->field[REPLICATE_MU + m] = p.at[p.choice].mu;
        row->field[REPLICATE_SIGMA + m] = p.at[p.choice].sigma;
    }
    AM_TRY(draw_posterior(g, BY_FIT, row->field[REPLICATE_NU], b, &post, err));
    row->field[REPLICATE_MU_SD] = post.mu_sd;
    row->field[REPLICATE_SIGMA_SD] = post.sigma_sd;
    return AM_OK;
}

/* Replicate 0 is the simulated data set of the experiment itself; these are 1, 2, … */
static am_status replicate(student_t_result *r, const bootstrap *b, am_error *err)
{
    r->replicate = am_alloc((size_t)r->replicates + 1, sizeof *r->replicate, "replicates", err);
    if (r->replicate == NULL)
        return AM_ERR_MEMORY;
    am_status status = AM_OK;
    for (int i = 0; i < r->replicates && status == AM_OK; i++) {
        student_t_data d;
        generators g = {0};
        bootstrap own = *b;
        own.replicate = (uint32_t)i + 1;
        status = student_t_simulate(&d, b->seed, i + 1, err);
        if (status == AM_OK)
            status = replicate_methods(&g, &d, &own, &r->replicate[i], err);
        generators_free(&g);
        student_t_data_free(&d);
    }
    return status;
}

/* ---- the experiment ---------------------------------------------------------------------------- */

static am_status run_all(const settings *set, student_t_result *r, am_error *err)
{
    generators g = {0};
    uint64_t seed = (uint64_t)set->seed;
    bootstrap b = {.seed = seed, .draws = r->draws};
    am_status status = set->reference != NULL ? student_t_read(&r->data, set->reference, seed, err)
                                              : student_t_simulate(&r->data, seed, 0, err);
    size_t blocks = (size_t)AM_MAX(r->data.train.blocks, BLOCKS);
    if (status == AM_OK && (b.omega = am_alloc(blocks, sizeof(double), "weights", err)) == NULL)
        status = AM_ERR_MEMORY;
    if (status == AM_OK)
        status = generators_fit(&g, &r->data, r->make_seconds, err);
    for (int m = 0; m < METHODS && status == AM_OK; m++)
        status = fill_profile(&g, &r->data, (student_t_method)m, &r->profile[m], err);
    for (int i = 0; i < NU_POINTS && status == AM_OK; i++)
        r->train_nll[i] = student_t_nll(&r->data.train, NULL, nu_at(i), r->profile[BY_FIT].at[i]);
    if (status == AM_OK && r->data.expected != NULL)
        status = fill_published(r, err);
    if (status == AM_OK)
        status = draw_posteriors(&g, r, &b, err);
    if (status == AM_OK)
        status = audit(&g, r, &b, err);
    if (status == AM_OK)
        status = run_fidelity(&g, r, &b, err);
    progress_note(set, "%d simulated data sets", r->replicates);
    if (status == AM_OK)
        status = replicate(r, &b, err);
    generators_free(&g);
    free(b.omega);
    return status;
}

am_status experiment_student_t(const settings *set, am_error *err)
{
    enum { DRAWS = 1000, REPLICATES = 20 };
    const char *folder = out_or(set, "results/student-t");
    double begin = am_seconds();
    linalg_one_thread();
    student_t_result *r = am_alloc(1, sizeof *r, "experiment student-t", err);
    if (r == NULL)
        return AM_ERR_MEMORY;
    r->draws = DRAWS;
    r->replicates = set->replications > 0 ? (int)set->replications : REPLICATES;
    am_status status = am_check_writable(folder, err);
    if (status == AM_OK)
        status = run_all(set, r, err);
    r->total_seconds = am_seconds() - begin;
    if (status == AM_OK)
        status = student_t_report(set, r, folder, err);
    for (int m = 0; m < METHODS; m++)
        free(r->posterior[m].draw);
    free(r->replicate);
    student_t_data_free(&r->data);
    free(r);
    return status;
}
