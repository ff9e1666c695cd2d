/* The quantile generator against exact solves at fresh (ω, q, λ), and how often its curves cross. */
#include "classic/block_weights.h"
#include "cli/experiments/quantile.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double vector[Q_COLUMNS];

static double uniform_at(uint64_t seed, int draw, uint32_t which)
{
    return uniform_open(philox(seed, STREAM_EVALUATION, 1, (uint32_t)draw, which).x[0]);
}

/* q uniform, λ log-uniform. */
static amortized_point point_of_audit(const amortized_options *o, uint64_t seed, int draw)
{
    return (amortized_point){o->q_low + (o->q_high - o->q_low) * uniform_at(seed, draw, 0),
                             o->lambda_low *
                                 pow(o->lambda_high / o->lambda_low, uniform_at(seed, draw, 1))};
}

/* θ under ω by a method; *even its value at ω = 1. */
static am_status evaluate_method(const quantile_result *r, quantile_method method,
                                 amortized_point at, const double *omega, vector even, vector theta,
                                 am_error *err)
{
    const amortized_generator *g = &r->generator[method == BY_ENVELOPE];
    amortized_response one;
    amortized_theta(g, at, NULL, even);
    if (method != BY_ONE_STEP) {
        amortized_theta(g, at, omega, theta);
        return AM_OK;
    }
    am_status status = amortized_response_open(&one, &r->data, at, even, err);
    if (status == AM_OK)
        amortized_respond(&one, omega, theta);
    amortized_response_free(&one);
    return status;
}

/* Sums over audits and grid of δ_g·δ, δ_g², δ², δ = f(ω) − f(1). */
typedef struct {
    double cross, own, exact;
} response_sums;

static void add_response(const quantile_result *r, response_sums *s, const vector theta,
                         const vector even, const vector exact, const vector exact_even)
{
    for (int i = 0; i < Q_GRID; i++) {
        double own = 0, other = 0;
        for (int j = 0; j < Q_COLUMNS; j++) {
            double x = r->grid[linalg_at(i, j, Q_GRID)];
            own += x * (theta[j] - even[j]);
            other += x * (exact[j] - exact_even[j]);
        }
        s->cross += own * other;
        s->own += own * own;
        s->exact += other * other;
    }
}

static void add_excess(double excess, double *mean, double *worst)
{
    *mean += excess / Q_AUDITED;
    *worst = fmax(*worst, excess);
}

/* One audited point: exact at ω = 1 and under ω, then every method. */
static am_status audit_point(quantile_result *r, amortized_point at, const double *omega,
                             response_sums *sums, am_error *err)
{
    vector exact, exact_even, theta, even, by_envelope = {0};
    piecewise_certificate c[2], ignored;
    double begin = am_seconds();
    AM_TRY(amortized_exact(&r->data, at, NULL, 1e-8, exact_even, &c[0], err));
    AM_TRY(amortized_exact(&r->data, at, omega, 1e-8, exact, &c[1], err));
    r->exact_seconds += (am_seconds() - begin) / (2 * Q_AUDITED);
    begin = am_seconds();
    AM_TRY(amortized_envelope(&r->data, at, omega, 1e-6, by_envelope, &ignored, err));
    r->envelope_seconds += (am_seconds() - begin) / Q_AUDITED;
    for (int i = 0; i < 2; i++)
        r->exact_gap = fmax(r->exact_gap, (c[i].primal - c[i].dual) / c[i].primal);
    double least_even = amortized_criterion(&r->data, at, NULL, exact_even);
    double least = amortized_criterion(&r->data, at, omega, exact);
    r->envelope_excess =
        fmax(r->envelope_excess, amortized_criterion(&r->data, at, omega, by_envelope) / least - 1);
    for (int m = 0; m < Q_METHODS; m++) {
        quantile_audit *a = &r->audit[m];
        begin = am_seconds();
        AM_TRY(evaluate_method(r, (quantile_method)m, at, omega, even, theta, err));
        a->seconds += (am_seconds() - begin) / Q_AUDITED;
        add_excess(amortized_criterion(&r->data, at, NULL, even) / least_even - 1, &a->excess_mean,
                   &a->excess_worst);
        add_excess(amortized_criterion(&r->data, at, omega, theta) / least - 1, &a->weighted_mean,
                   &a->weighted_worst);
        add_response(r, &sums[m], theta, even, exact, exact_even);
        if (m == BY_CHECK)
            r->no_response +=
                (amortized_criterion(&r->data, at, omega, even) / least - 1) / Q_AUDITED;
    }
    return AM_OK;
}

am_status quantile_run_audit(quantile_result *r, uint64_t seed, am_error *err)
{
    response_sums sums[Q_METHODS] = {{0}};
    double omega[Q_BLOCKS];
    for (int d = 0; d < Q_AUDITED; d++) {
        block_weights(seed, STREAM_EVALUATION, 0, (uint32_t)d, Q_BLOCKS, omega);
        AM_TRY(audit_point(r, point_of_audit(&r->generator[0].o, seed, d), omega, sums, err));
    }
    for (int m = 0; m < Q_METHODS; m++) {
        r->audit[m].captured = sums[m].cross / sums[m].exact;
        r->audit[m].spread = sums[m].own / sums[m].exact;
        r->audit[m].fidelity = sums[m].cross / sqrt(sums[m].own * sums[m].exact);
    }
    return AM_OK;
}

/* ---- crossing ---------------------------------------------------------------------------------- */

static double dense_q(int i)
{
    return 0.05 + 0.005 * i;
}

/* theta (Q_DENSE) → share of (x, neighbouring q) where the higher quantile lies below the lower. */
static void add_crossing(const quantile_result *r, vector *theta, double share, crossing *c)
{
    double pairs = (double)Q_GRID * (Q_DENSE - 1);
    for (int k = 1; k < Q_DENSE; k++)
        for (int i = 0; i < Q_GRID; i++) {
            double gap = 0;
            for (int j = 0; j < Q_COLUMNS; j++)
                gap += r->grid[linalg_at(i, j, Q_GRID)] * (theta[k][j] - theta[k - 1][j]);
            /* an exact solver's own tolerance does not count */
            c->rate += gap < -1e-6 ? share / pairs : 0;
            c->worst = fmax(c->worst, -gap);
        }
}

static void fill_curves(const quantile_result *r, int which, double lambda, const double *omega,
                        vector *theta)
{
    for (int k = 0; k < Q_DENSE; k++) {
        amortized_point at = {dense_q(k), lambda};
        amortized_theta(&r->generator[which], at, omega, theta[k]);
    }
}

/* Draws of ω at the chosen λ; the one-step responses are opened once for all draws. */
static am_status cross_weighted(quantile_result *r, uint64_t seed, double lambda, vector *theta,
                                am_error *err)
{
    double omega[Q_BLOCKS];
    amortized_response *one = am_alloc(Q_DENSE, sizeof *one, "crossing", err);
    am_status status = one != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int k = 0; k < Q_DENSE && status == AM_OK; k++) {
        amortized_point at = {dense_q(k), lambda};
        amortized_theta(&r->generator[BY_CHECK], at, NULL, theta[k]);
        status = amortized_response_open(&one[k], &r->data, at, theta[k], err);
    }
    for (int d = 0; d < Q_WEIGHTED && status == AM_OK; d++) {
        block_weights(seed, STREAM_POSTERIOR, 0, (uint32_t)d, Q_BLOCKS, omega);
        for (int g = 0; g < 2; g++) {
            fill_curves(r, g, lambda, omega, theta);
            add_crossing(r, theta, 1.0 / Q_WEIGHTED, &r->weighted[g]);
        }
        for (int k = 0; k < Q_DENSE; k++)
            amortized_respond(&one[k], omega, theta[k]);
        add_crossing(r, theta, 1.0 / Q_WEIGHTED, &r->weighted[BY_ONE_STEP]);
    }
    for (int k = 0; one != NULL && k < Q_DENSE; k++)
        amortized_response_free(&one[k]);
    free(one);
    return status;
}

am_status quantile_run_crossing(quantile_result *r, uint64_t seed, am_error *err)
{
    vector *theta = am_alloc(Q_DENSE, sizeof *theta, "crossing", err);
    double chosen = r->lambda[r->choice[1]];
    piecewise_certificate ignored;
    am_status status = theta != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int g = 0; g < 2 && status == AM_OK; g++) {
        for (int l = 0; l < Q_LAMBDAS; l++) {
            fill_curves(r, g, r->lambda[l], NULL, theta);
            add_crossing(r, theta, 1.0 / Q_LAMBDAS, &r->even[g]);
        }
        fill_curves(r, g, chosen, NULL, theta);
        add_crossing(r, theta, 1, &r->chosen[g]);
    }
    for (int k = 0; k < Q_DENSE && status == AM_OK; k++)
        status = amortized_exact(&r->data, (amortized_point){dense_q(k), chosen}, NULL, 1e-8,
                                 theta[k], &ignored, err);
    if (status == AM_OK)
        add_crossing(r, theta, 1, &r->even_exact);
    if (status == AM_OK)
        status = cross_weighted(r, seed, chosen, theta, err);
    free(theta);
    return status;
}
