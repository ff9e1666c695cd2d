#include "classic/amortized.h"

#include "classic/block_weights.h"
#include "classic/piecewise_design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEGREE = 31 };
/* On the diagonal of the second stage: Σ_b (ω_b − 1) = 0 makes its features collinear. */
static const double RIDGE = 1e-8;
static const double ORDER_STEP = 0.01; /* in u */
static const double PI = 3.14159265358979323846;

static double logit(double q)
{
    return log(q / (1 - q));
}

static int feature_count(int degree_q, int degree_lambda)
{
    return (degree_q + 1) * (degree_lambda + 1);
}

/* T_0..T_degree(u); T_k = 2u·T_{k−1} − T_{k−2} */
static void chebyshev(double u, int degree, double *t)
{
    t[0] = 1;
    t[1] = u;
    for (int k = 2; k <= degree; k++)
        t[k] = 2 * u * t[k - 1] - t[k - 2];
}

/* u ∈ [−1, 1] */
static double unit_of_q(const amortized_options *o, double q)
{
    return 2 * (logit(q) - logit(o->q_low)) / (logit(o->q_high) - logit(o->q_low)) - 1;
}

static double q_of_unit(const amortized_options *o, double u)
{
    double low = logit(o->q_low), high = logit(o->q_high);
    return 1 / (1 + exp(-(low + 0.5 * (u + 1) * (high - low))));
}

/* c ((degree_q + 1)·(degree_λ + 1)), products of the two families */
static void features_at(const amortized_options *o, int degree_q, int degree_lambda,
                        amortized_point at, double *c)
{
    double tq[MOST_DEGREE + 1], tl[MOST_DEGREE + 1], u = 0;
    if (o->q_low < o->q_high)
        u = unit_of_q(o, at.q);
    chebyshev(u, degree_q, tq);
    chebyshev(2 * log(at.lambda / o->lambda_low) / log(o->lambda_high / o->lambda_low) - 1,
              degree_lambda, tl);
    for (int i = 0; i <= degree_q; i++)
        for (int j = 0; j <= degree_lambda; j++)
            *c++ = tq[i] * tl[j];
}

/* Draw m of M in a stage: stratified in the angle of Chebyshev's nodes, in q and in λ. */
static amortized_point point_of_draw(const amortized_options *o, uint32_t stage, int draws, int m)
{
    double u[2];
    for (uint32_t group = 0; group < 2; group++) {
        double v = lambda_stratified(o->seed, stage, (uint32_t)draws, (uint32_t)m, group);
        u[group] = cos(PI * 0.5 * (v + 1));
    }
    amortized_point at = {.q = 0.5,
                          .lambda = lambda_of_u(u[1], log(o->lambda_low), log(o->lambda_high))};
    if (o->q_low < o->q_high)
        at.q = q_of_unit(o, u[0]);
    return at;
}

/* A slightly larger q within the range; at its end a smaller one. */
static amortized_point beside(const amortized_options *o, amortized_point at)
{
    double u = unit_of_q(o, at.q);
    at.q = q_of_unit(o, u + (u + ORDER_STEP > 1 ? -ORDER_STEP : ORDER_STEP));
    return at;
}

/* The training problem of a stage. */
typedef struct {
    piecewise_problem problem;
    product_design design;
    double *z, *lambda, *b, *low, *high, *linear, *start, *memory; /* start (p × M): θ⁰ */
} training;

/* draws M, conditions C */
static am_status open_training(training *t, const amortized_generator *g, int draws, int conditions,
                               int features, am_error *err)
{
    const amortized_data *d = g->data;
    size_t p = (size_t)d->p, m = (size_t)draws, all = m + (size_t)conditions, r = (size_t)features;
    size_t rows = (size_t)d->n * m + (size_t)g->o.order_places * (size_t)conditions;
    *t = (training){0};
    t->memory = am_alloc(all * r + m + 3 * rows + m * p + p * r, sizeof(double), "generator", err);
    if (t->memory == NULL)
        return AM_ERR_MEMORY;
    t->z = t->memory; /* (M + C × R) */
    t->lambda = t->z + all * r;
    t->b = t->lambda + m;
    t->low = t->b + rows;
    t->high = t->low + rows;
    t->start = t->high + rows;
    t->linear = t->start + m * p;
    t->design = (product_design){.n = d->n,
                                 .p = d->p,
                                 .draws = draws,
                                 .features = features,
                                 .x = d->x,
                                 .penalised = d->penalised,
                                 .z = t->z,
                                 .lambda = t->lambda,
                                 .ridge = RIDGE,
                                 .grid = g->o.order_places,
                                 .conditions = conditions,
                                 .grid_x = g->o.order_x};
    t->problem =
        (piecewise_problem){.b = t->b, .low = t->low, .high = t->high, .linear = t->linear};
    return AM_OK;
}

static void close_training(training *t)
{
    product_design_free(&t->design);
    free(t->memory);
}

/* Row m of Z. */
static void fill_z(training *t, int m, const double *features)
{
    const product_design *d = &t->design;
    size_t all = (size_t)d->draws + (size_t)d->conditions;
    for (size_t k = 0; k < (size_t)d->features; k++)
        t->z[k * all + (size_t)m] = features[k];
}

/* Rows of draw m: losses and b − X·θ⁰. */
static void fill_rows(training *t, const amortized_data *d, int m, amortized_point at,
                      const double *omega, const double *start)
{
    size_t n = (size_t)d->n, first = (size_t)m * n;
    t->lambda[m] = at.lambda;
    memcpy(t->start + (size_t)m * (size_t)d->p, start, (size_t)d->p * sizeof *start);
    for (size_t i = 0; i < n; i++) {
        double r = d->b[i];
        for (size_t j = 0; j < (size_t)d->p; j++)
            r -= d->x[i + j * n] * start[j];
        double share = (omega != NULL ? omega[d->block[i]] : 1) / d->n / t->design.draws;
        t->b[first + i] = r;
        t->low[first + i] = d->loss == CHECK_LOSS ? share * (at.q - 1) : 0;
        t->high[first + i] = d->loss == CHECK_LOSS ? share * at.q : share;
    }
}

/* Rows of condition c: r = −∂(θ⁰ + A·z)ᵀx/∂u is charged where it is above 0; slope (p) = ∂θ⁰/∂u. */
static void fill_order(training *t, const amortized_generator *g, int c, const double *slope)
{
    const product_design *d = &t->design;
    size_t grid = (size_t)d->grid;
    size_t first = (size_t)d->n * (size_t)d->draws + (size_t)c * grid;
    for (size_t i = 0; i < grid; i++) {
        double r = 0;
        for (size_t j = 0; j < (size_t)d->p; j++)
            r -= d->grid_x[i + j * grid] * slope[j];
        t->b[first + i] = r;
        t->low[first + i] = 0;
        t->high[first + i] = g->o.order_weight / ((double)grid * d->conditions);
    }
}

/* k = −(2/M) Σ_m λ_m·(penalised∘θ⁰_m)·z_mᵀ, the penalty's cross term */
static void fill_linear(training *t)
{
    const product_design *d = &t->design;
    size_t all = (size_t)d->draws + (size_t)d->conditions, p = (size_t)d->p;
    for (size_t k = 0; k < (size_t)d->features; k++)
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t m = 0; m < (size_t)d->draws; m++)
                sum += t->lambda[m] * t->start[m * p + j] * t->z[k * all + m];
            t->linear[k * p + j] = -2.0 / d->draws * d->penalised[j] * sum;
        }
}

static am_status solve_training(training *t, amortized_generator *g, int stage, double *a,
                                am_error *err)
{
    const piecewise_envelope_options options = {.precision = g->o.tolerance, .most = 1000};
    AM_TRY(product_design_open(&t->design, &t->problem, err));
    fill_linear(t);
    if (g->o.envelope)
        return piecewise_envelope(&t->problem, &options, a, &g->certificate[stage], err);
    return piecewise_solve(&t->problem, g->o.tolerance, a, &g->certificate[stage], err);
}

/* What a stage needs for one draw. */
typedef struct {
    int count;          /* features of c or c' */
    double *c, *c_near; /* at u and u + STEP */
    double *z;          /* (R) */
    double *omega;      /* (K) */
    double *start, *near;
    double *memory;
} stage_scratch;

static am_status open_scratch(stage_scratch *s, const amortized_generator *g, int count,
                              size_t features, am_error *err)
{
    size_t n = (size_t)count, k = (size_t)g->data->blocks, p = (size_t)g->data->p;
    *s = (stage_scratch){.count = count};
    s->memory = am_alloc(2 * n + features + k + 2 * p, sizeof *s->memory, "generator", err);
    if (s->memory == NULL)
        return AM_ERR_MEMORY;
    s->c = s->memory;
    s->c_near = s->c + n;
    s->z = s->c_near + n;
    s->omega = s->z + features;
    s->start = s->omega + k;
    s->near = s->start + p;
    return AM_OK;
}

/* z = c (stage 0), or c ⊗ (ω − 1): feature k·K + b is c_k·(ω_b − 1). */
static void fill_features(stage_scratch *s, const amortized_generator *g, int stage)
{
    int blocks = g->data->blocks;
    for (int k = 0; k < s->count; k++) {
        if (stage == 0)
            s->z[k] = s->c[k];
        for (int b = 0; stage == 1 && b < blocks; b++)
            s->z[k * blocks + b] = s->c[k] * (s->omega[b] - 1);
    }
}

/* Draws of (ω, q, λ), their features and rows. Stage 0 has ω = 1 and starts at 0, stage 1 starts at
 * the generator's θ(1). */
static void fill_draws(training *t, amortized_generator *g, int stage, stage_scratch *s)
{
    const amortized_options *o = &g->o;
    int dq = stage == 0 ? o->degree_q : o->response_q;
    int dl = stage == 0 ? o->degree_lambda : o->response_lambda;
    for (int m = 0; m < t->design.draws; m++) {
        amortized_point at = point_of_draw(o, (uint32_t)stage, t->design.draws, m);
        features_at(o, dq, dl, at, s->c);
        if (stage == 1) {
            block_weights(o->seed, STREAM_OMEGA, 0, (uint32_t)m, g->data->blocks, s->omega);
            amortized_theta(g, at, NULL, s->start);
        }
        fill_features(s, g, stage);
        fill_z(t, m, s->z);
        fill_rows(t, g->data, m, at, stage == 1 ? s->omega : NULL, s->start);
    }
}

/* The conditions that keep quantiles in order: derivatives along u by differences. */
static void fill_conditions(training *t, amortized_generator *g, int stage, stage_scratch *s)
{
    const amortized_options *o = &g->o;
    int dq = stage == 0 ? o->degree_q : o->response_q;
    int dl = stage == 0 ? o->degree_lambda : o->response_lambda;
    for (int i = 0; i < t->design.conditions; i++) {
        amortized_point at = point_of_draw(o, 2 + (uint32_t)stage, t->design.conditions, i);
        amortized_point near = beside(o, at);
        double step = unit_of_q(o, near.q) - unit_of_q(o, at.q);
        features_at(o, dq, dl, at, s->c);
        features_at(o, dq, dl, near, s->c_near);
        for (int k = 0; k < s->count; k++)
            s->c[k] = (s->c_near[k] - s->c[k]) / step;
        if (stage == 1) {
            block_weights(o->seed, STREAM_OMEGA, 1, (uint32_t)i, g->data->blocks, s->omega);
            amortized_theta(g, at, NULL, s->start);
            amortized_theta(g, near, NULL, s->near);
            for (int j = 0; j < g->data->p; j++)
                s->start[j] = (s->near[j] - s->start[j]) / step;
        }
        fill_features(s, g, stage);
        fill_z(t, t->design.draws + i, s->z);
        fill_order(t, g, i, s->start);
    }
}

/* Stage 0: Θ at ω = 1. Stage 1: Θ_b under random weights. *coefficients is fresh. */
static am_status fit_stage(amortized_generator *g, int stage, double **coefficients, am_error *err)
{
    const amortized_options *o = &g->o;
    int count = stage == 0 ? feature_count(o->degree_q, o->degree_lambda)
                           : feature_count(o->response_q, o->response_lambda);
    size_t features = (size_t)count * (stage == 0 ? 1 : (size_t)g->data->blocks);
    int draws = stage == 0 ? o->draws : o->response_draws;
    int conditions = o->order_places > 0 ? o->order_draws : 0;
    training t = {0};
    stage_scratch s = {0};
    double begin = am_seconds();
    double *a = am_alloc((size_t)g->data->p * features, sizeof *a, "generator", err);
    am_status status = a != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = open_training(&t, g, draws, conditions, (int)features, err);
    if (status == AM_OK)
        status = open_scratch(&s, g, count, features, err);
    if (status == AM_OK) {
        fill_draws(&t, g, stage, &s);
        fill_conditions(&t, g, stage, &s);
        status = solve_training(&t, g, stage, a, err);
    }
    close_training(&t);
    free(s.memory);
    *coefficients = a;
    g->seconds[stage] = am_seconds() - begin;
    return status;
}

am_status amortized_fit(amortized_generator *g, const amortized_data *d,
                        const amortized_options *options, am_error *err)
{
    *g = (amortized_generator){.data = d, .o = *options};
    bool quantile = d->loss == CHECK_LOSS;
    AM_TRY(amortized_check(d->loss, (amortized_point){options->q_low, options->lambda_low}, err));
    AM_TRY(amortized_check(d->loss, (amortized_point){options->q_high, options->lambda_high}, err));
    if (options->lambda_low >= options->lambda_high || options->degree_lambda > MOST_DEGREE ||
        options->degree_q > MOST_DEGREE || (quantile && options->q_low > options->q_high))
        return am_fail(err, AM_ERR_USAGE,
                       "generator: the ranges of q and λ must run upwards, degrees to %d",
                       MOST_DEGREE);
    AM_TRY(fit_stage(g, 0, &g->base, err));
    return options->response_lambda < 0 ? AM_OK : fit_stage(g, 1, &g->response, err);
}

void amortized_free(amortized_generator *g)
{
    free(g->base);
    free(g->response);
    g->base = g->response = NULL;
}

void amortized_theta(const amortized_generator *g, amortized_point at, const double *omega,
                     double *theta)
{
    double c[(MOST_DEGREE + 1) * (MOST_DEGREE + 1)] = {0};
    const amortized_options *o = &g->o;
    int p = g->data->p, blocks = g->data->blocks;
    int features = feature_count(o->degree_q, o->degree_lambda);
    memset(theta, 0, (size_t)p * sizeof *theta);
    features_at(o, o->degree_q, o->degree_lambda, at, c);
    for (int k = 0; k < features; k++)
        for (int j = 0; j < p; j++)
            theta[j] += c[k] * g->base[(size_t)k * (size_t)p + (size_t)j];
    if (omega == NULL || g->response == NULL)
        return;
    features = feature_count(o->response_q, o->response_lambda);
    features_at(o, o->response_q, o->response_lambda, at, c);
    for (int k = 0; k < features; k++)
        for (int b = 0; b < blocks; b++) {
            const double *column = g->response + (size_t)(k * blocks + b) * (size_t)p;
            for (int j = 0; j < p; j++)
                theta[j] += c[k] * (omega[b] - 1) * column[j];
        }
}
