/* classic/student_t: the weighted fit, its derivatives, and generators that stand in for it. */
#include "classic/block_weights.h"
#include "classic/student_t_generator.h"
#include "classic/variable_metric.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

enum { N = 160, K = 8 };

/* A heavy-tailed sample, y = 2 + 1.5·Cauchy-like quantiles, in blocks by turns. */
typedef struct {
    double y[N];
    uint32_t block[N];
    blocked_sample s;
} sample;

static sample *heavy_sample(void)
{
    static sample d;
    for (int i = 0; i < N; i++) {
        double u = (i * 37 % N + 0.5) / N - 0.5; /* a spread-out order */
        d.y[i] = 2 + 1.5 * u / sqrt(0.26 - u * u) + 0.1 * (i % 3);
        d.block[i] = (uint32_t)(i % K);
    }
    d.s = (blocked_sample){N, K, d.y, d.block};
    return &d;
}

static location_scale fit_well(const blocked_sample *s, const double *omega, double nu)
{
    am_error err = {0};
    location_scale best = {NAN, NAN};
    cr_assert_eq(student_t_fit(s, omega, nu, &best, &err), AM_OK, "%s", err.message);
    return best;
}

/* ---- the criterion ----------------------------------------------------------------------------- */

/* ν = 1 is the Cauchy density 1/(πσ(1 + z²)). */
Test(classic_student_t, negative_log_likelihood)
{
    const double y[2] = {3, 5};
    const uint32_t block[2] = {0, 1};
    const blocked_sample s = {2, 2, y, block};
    const location_scale at = {3, 2};
    double first = log(PI * 2), second = log(PI * 2 * (1 + 1));
    cr_expect_float_eq(student_t_nll(&s, NULL, 1, at), first + second, 1e-12);
    const double omega[2] = {0.25, 3};
    cr_expect_float_eq(student_t_nll(&s, omega, 1, at), 0.25 * first + 3 * second, 1e-12);
}

/* Moments of all blocks are the derivatives of the criterion, by differences. */
Test(classic_student_t, block_moments_are_derivatives)
{
    const blocked_sample *s = &heavy_sample()->s;
    const location_scale at = {1.7, 1.3};
    const double nu = 3.5, h = 1e-3;
    student_t_moments block[K];
    student_t_block_moments(s, nu, at, block);
    double g[2] = {0}, hessian[3] = {0}, third[4] = {0}, f[5][5];
    for (int b = 0; b < K; b++) {
        const student_t_moments *m = &block[b];
        g[0] += m->mu, g[1] += m->tau;
        hessian[0] += m->mu2, hessian[1] += m->mutau, hessian[2] += m->tau2;
        third[0] += m->mu3, third[1] += m->mu2tau, third[2] += m->mutau2, third[3] += m->tau3;
    }
    for (int i = -2; i <= 2; i++)
        for (int j = -2; j <= 2; j++)
            f[i + 2][j + 2] =
                student_t_nll(s, NULL, nu, (location_scale){at.mu + h * i, at.sigma * exp(h * j)});
    cr_expect_float_eq(g[0], (f[3][2] - f[1][2]) / (2 * h), 1e-3);
    cr_expect_float_eq(g[1], (f[2][3] - f[2][1]) / (2 * h), 1e-3);
    cr_expect_float_eq(hessian[0], (f[3][2] - 2 * f[2][2] + f[1][2]) / (h * h), 1e-3);
    cr_expect_float_eq(hessian[1], (f[3][3] - f[3][1] - f[1][3] + f[1][1]) / (4 * h * h), 1e-3);
    cr_expect_float_eq(hessian[2], (f[2][3] - 2 * f[2][2] + f[2][1]) / (h * h), 1e-3);
    double cube = h * h * h;
    cr_expect_float_eq(third[0], (f[4][2] - 2 * f[3][2] + 2 * f[1][2] - f[0][2]) / (2 * cube),
                       0.02);
    cr_expect_float_eq(third[3], (f[2][4] - 2 * f[2][3] + 2 * f[2][1] - f[2][0]) / (2 * cube),
                       0.02);
    cr_expect_float_eq(
        third[1], (f[3][3] - 2 * f[2][3] + f[1][3] - f[3][1] + 2 * f[2][1] - f[1][1]) / (2 * cube),
        0.02);
    cr_expect_float_eq(
        third[2], (f[3][3] - 2 * f[3][2] + f[3][1] - f[1][3] + 2 * f[1][2] - f[1][1]) / (2 * cube),
        0.02);
}

/* ---- the fit ----------------------------------------------------------------------------------- */

/* As ν grows the fit becomes the normal one: mean and standard deviation. */
Test(classic_student_t, normal_limit)
{
    const double y[3] = {-1, 0, 4};
    const uint32_t block[3] = {0, 0, 1};
    const blocked_sample s = {3, 2, y, block};
    location_scale at = fit_well(&s, NULL, 1e9);
    cr_expect_float_eq(at.mu, 1, 1e-6);
    cr_expect_float_eq(at.sigma, sqrt((4 + 1 + 9) / 3.0), 1e-6);
    const double omega[2] = {1, 2}; /* as if 4 had been seen twice */
    at = fit_well(&s, omega, 1e9);
    cr_expect_float_eq(at.mu, 7 / 4.0, 1e-6);
}

/* The gradient vanishes at the fit, for even and for random weights. */
Test(classic_student_t, fit_is_stationary)
{
    const blocked_sample *s = &heavy_sample()->s;
    for (uint32_t draw = 0; draw < 20; draw++) {
        double omega[K], nu = 1.5 + 0.5 * draw, g[2] = {0};
        block_weights(1, STREAM_TEST, 0, draw, K, omega);
        student_t_moments block[K];
        student_t_block_moments(s, nu, fit_well(s, omega, nu), block);
        for (int b = 0; b < K; b++) {
            g[0] += omega[b] * block[b].mu;
            g[1] += omega[b] * block[b].tau;
        }
        cr_expect(fabs(g[0]) < 1e-9 && fabs(g[1]) < 1e-9, "%g %g", g[0], g[1]);
    }
}

/* A whole weight is as good as so many copies. */
Test(classic_student_t, weights_count_copies)
{
    const double y[5] = {0, 1, 3, 4, 4};
    const uint32_t block[5] = {0, 1, 2, 3, 3};
    const double omega[4] = {1, 1, 1, 2};
    const blocked_sample whole = {5, 4, y, block}, weighted = {4, 4, y, block};
    location_scale a = fit_well(&whole, NULL, 3), b = fit_well(&weighted, omega, 3);
    cr_expect_float_eq(a.mu, b.mu, 1e-12);
    cr_expect_float_eq(a.sigma, b.sigma, 1e-12);
}

/* Four of five values equal and ν = 1.5: the likelihood rises without bound as σ falls to 0. */
Test(classic_student_t, refuses_a_scale_of_zero)
{
    const double y[5] = {2, 2, 2, 2, 7};
    const uint32_t block[5] = {0};
    const blocked_sample s = {5, 1, y, block};
    location_scale at;
    am_error err = {0};
    cr_expect_eq(student_t_fit(&s, NULL, 1.5, &at, &err), AM_ERR_INPUT);
    cr_expect(strstr(err.message, "σ falls to 0") != NULL, "%s", err.message);
    at = fit_well(&s, NULL, 15); /* 4/5 < 15/16 */
    cr_expect_gt(at.sigma, 0);
}

Test(classic_student_t, names_the_faults_of_a_sample)
{
    static const double flat[3] = {1, 1, 1}, good[3] = {1, 2, 3};
    static const uint32_t low[3] = {0, 0, 0}, high[3] = {0, 1, 4};
    static const struct {
        blocked_sample s;
        const char *fault;
    } bad[] = {{{2, 1, good, low}, "2 observations; μ and σ need at least 3"},
               {{3, 1, flat, low}, "all 3 values are equal"},
               {{3, 2, good, high}, "block 5 of observation 3 is none of 1..2"},
               {{3, 2, good, low}, "block 2 of 2 has no observation"}};
    for (size_t i = 0; i < 4; i++) {
        am_error err = {0};
        cr_expect_eq(student_t_check("y.csv", &bad[i].s, &err), AM_ERR_INPUT);
        cr_expect(strstr(err.message, bad[i].fault) != NULL, "%s", err.message);
    }
}

/* ---- the fit as published ---------------------------------------------------------------------- */

/* 2·(x − 3)² + 5·(y + 1)² + (x − 3)(y + 1): least at (3, −1). */
static double bowl(const void *context, const double *at)
{
    double x = at[0] - 3, y = at[1] + 1;
    ++*(int *)(uintptr_t)context;
    return 2 * x * x + 5 * y * y + x * y;
}

Test(classic_student_t, variable_metric_descends)
{
    double at[2] = {0, 0};
    int calls = 0;
    double value = variable_metric_minimise(bowl, &calls, 2, at);
    cr_expect_float_eq(at[0], 3, 1e-3);
    cr_expect_float_eq(at[1], -1, 1e-3);
    cr_expect_lt(value, 1e-6);
    cr_expect_lt(calls, 200);
}

/* It stops above the minimum, but within its own tolerance of it. */
Test(classic_student_t, published_fit_stops_early)
{
    const blocked_sample *s = &heavy_sample()->s;
    am_error err = {0};
    location_scale early, best = fit_well(s, NULL, 4);
    cr_assert_eq(student_t_fit_published(s, NULL, 4, &early, &err), AM_OK);
    double least = student_t_nll(s, NULL, 4, best), value = student_t_nll(s, NULL, 4, early);
    cr_expect_geq(value, least - 1e-10);
    cr_expect_lt(value - least, 1e-5 * least);
}

/* ---- generators -------------------------------------------------------------------------------- */

enum { PAIRS = 120 };

/* Pairs that are linear in the features are found again. */
Test(classic_student_t, linear_generator_is_least_squares)
{
    static double nu[PAIRS], omega[PAIRS * K];
    static location_scale target[PAIRS];
    for (uint32_t i = 0; i < PAIRS; i++) {
        nu[i] = 1.5 + 0.1 * i;
        block_weights(2, STREAM_TEST, 1, i, K, omega + i * K);
        target[i].mu = 1 + 0.2 * nu[i] - 0.01 * nu[i] * nu[i] + 0.3 * omega[i * K];
        target[i].sigma = 2 + 0.1 * nu[i] - 0.2 * omega[i * K + 3];
    }
    student_t_pairs pairs = {PAIRS, K, nu, omega, target};
    student_t_linear g;
    am_error err = {0};
    cr_assert_eq(student_t_linear_fit(&g, STUDENT_T_LINEAR, &pairs, 1.5, 15, &err), AM_OK, "%s",
                 err.message);
    location_scale at = student_t_linear_at(&g, 5, NULL);
    cr_expect_float_eq(at.mu, 1 + 1 - 0.25 + 0.3, 1e-6);
    cr_expect_float_eq(at.sigma, 2.5 - 0.2, 1e-6);
    student_t_linear_free(&g);
}

/* At ω = 1 it is the fit, at nodes and between them; NULL and ones agree. */
Test(classic_student_t, response_is_the_fit_at_even_weights)
{
    const blocked_sample *s = &heavy_sample()->s;
    student_t_response r;
    am_error err = {0};
    double ones[K], row[2 + 9 * K];
    for (int b = 0; b < K; b++)
        ones[b] = 1;
    cr_assert_eq(student_t_response_open(&r, s, 1.5, 15, &err), AM_OK, "%s", err.message);
    cr_assert_eq(student_t_response_width(&r), 2 + 9 * K);
    for (double nu = 1.5; nu <= 15; nu += 0.75) {
        location_scale fit = fit_well(s, NULL, nu), even, same;
        student_t_response_row(&r, nu, row);
        even = student_t_respond(K, row, NULL);
        same = student_t_respond(K, row, ones);
        cr_expect_float_eq(even.mu, fit.mu, 1e-5, "ν = %g", nu);
        cr_expect_float_eq(even.sigma, fit.sigma, 1e-5, "ν = %g", nu);
        cr_expect(even.mu == same.mu && even.sigma == same.sigma);
    }
    student_t_response_free(&r);
}

/* Under random weights its error is a small part of what the weights do. */
Test(classic_student_t, response_follows_the_weights)
{
    const blocked_sample *s = &heavy_sample()->s;
    student_t_response r;
    am_error err = {0};
    double row[2 + 9 * K], error[2] = {0}, moved[2] = {0};
    cr_assert_eq(student_t_response_open(&r, s, 1.5, 15, &err), AM_OK);
    for (uint32_t draw = 0; draw < 200; draw++) {
        double omega[K], nu = 1.5 * pow(10, (draw % 20) / 19.0);
        block_weights(3, STREAM_TEST, 2, draw, K, omega);
        location_scale fit = fit_well(s, omega, nu), even = fit_well(s, NULL, nu);
        student_t_response_row(&r, nu, row);
        location_scale at = student_t_respond(K, row, omega);
        error[0] += pow(at.mu - fit.mu, 2);
        error[1] += pow(at.sigma - fit.sigma, 2);
        moved[0] += pow(even.mu - fit.mu, 2);
        moved[1] += pow(even.sigma - fit.sigma, 2);
    }
    cr_expect_lt(sqrt(error[0] / moved[0]), 0.02);
    cr_expect_lt(sqrt(error[1] / moved[1]), 0.02);
    student_t_response_free(&r);
}

/* All weight on one block: far outside what it expands about, but a finite answer. */
Test(classic_student_t, response_stays_finite)
{
    const blocked_sample *s = &heavy_sample()->s;
    student_t_response r;
    am_error err = {0};
    double row[2 + 9 * K];
    cr_assert_eq(student_t_response_open(&r, s, 1.5, 15, &err), AM_OK);
    student_t_response_row(&r, 2, row);
    for (int b = 0; b < K; b++) {
        double omega[K] = {0};
        omega[b] = K;
        location_scale at = student_t_respond(K, row, omega);
        cr_expect(isfinite(at.mu) && isfinite(at.sigma) && at.sigma > 0);
    }
    student_t_response_free(&r);
}
