/* classic/svm and the hinge loss of classic/amortized: solutions by hand, EM, ECME, the generator. */
#include "classic/block_weights.h"
#include "classic/svm.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 80, P = 4, K = 8 };

/* Two overlapping classes; rows are multiplied by their label; column 0 is the intercept. */
typedef struct {
    double x[N * P], one[N], penalised[P];
    uint32_t block[N];
    amortized_data data;
} problem;

static problem *overlapping(double shift)
{
    static problem d;
    for (uint32_t i = 0; i < N; i++) {
        double label = i % 2 ? 1 : -1;
        d.x[i] = label;
        for (uint32_t j = 1; j < P; j++)
            d.x[i + j * N] = (j == 3 ? 0 : shift) + label * draw_normal(1, STREAM_TEST, 8, j, i);
        d.one[i] = 1;
        d.block[i] = i / 2 % K;
    }
    for (int j = 0; j < P; j++)
        d.penalised[j] = j > 0;
    d.data = (amortized_data){HINGE_LOSS, N, P, K, d.x, d.one, d.penalised, d.block};
    return &d;
}

static void solve_well(const amortized_data *d, double lambda, const double *omega, double *beta,
                       piecewise_certificate *c)
{
    am_error err = {0};
    cr_assert_eq(
        amortized_exact(d, (amortized_point){.lambda = lambda}, omega, 1e-9, beta, c, &err), AM_OK,
        "%s", err.message);
}

/* x = ±1 with labels ±1: max(0, 1 − β) + λβ², least at β = min(1, 1/(2λ)). */
Test(classic_svm, two_points_by_hand)
{
    static const double x[2] = {1, 1}, one[2] = {1, 1}, penalised[1] = {1};
    static const uint32_t block[2] = {0, 1};
    const amortized_data d = {HINGE_LOSS, 2, 1, 2, x, one, penalised, block};
    double beta;
    piecewise_certificate c;
    solve_well(&d, 1, NULL, &beta, &c);
    cr_expect_float_eq(beta, 0.5, 1e-6);
    cr_expect_float_eq(c.primal, 0.75, 1e-8);
    solve_well(&d, 0.1, NULL, &beta, &c);
    cr_expect_float_eq(beta, 1, 1e-6);
    cr_expect_float_eq(c.primal, 0.1, 1e-8);
}

/* Separable classes: the penalty keeps the solution finite, at margin 1 as λ → 0. */
Test(classic_svm, separable_classes_stay_finite)
{
    const problem *d = overlapping(6);
    double beta[P];
    piecewise_certificate c;
    solve_well(&d->data, 1e-7, NULL, beta, &c);
    double least = INFINITY;
    for (int i = 0; i < N; i++) {
        double margin = 0;
        for (int j = 0; j < P; j++)
            margin += d->x[i + j * N] * beta[j];
        least = fmin(least, margin);
    }
    cr_expect_float_eq(least, 1, 1e-3);
    cr_expect_lt(fabs(beta[1]) + fabs(beta[2]) + fabs(beta[3]), 10);
}

/* A constant column beside the intercept gets what the penalty leaves it, nothing undefined. */
Test(classic_svm, constant_column)
{
    problem *d = overlapping(0.5);
    double beta[P];
    piecewise_certificate c;
    for (int i = 0; i < N; i++)
        d->x[i + 3 * N] = d->x[i]; /* label times 1 */
    solve_well(&d->data, 1e-2, NULL, beta, &c);
    cr_expect_float_eq(beta[3], 0, 1e-4); /* the free intercept takes its place */
}

/* Data augmentation reaches the exact minimum, also under weights. */
Test(classic_svm, em_reaches_the_minimum)
{
    const amortized_data *d = &overlapping(0.5)->data;
    for (uint32_t draw = 0; draw < 10; draw++) {
        double omega[K], exact[P], beta[P] = {0};
        amortized_point at = {.lambda = pow(10, -4 + 0.4 * draw)};
        piecewise_certificate c, e;
        am_error err = {0};
        block_weights(1, STREAM_TEST, 9, draw, K, omega);
        solve_well(d, at.lambda, omega, exact, &c);
        cr_assert_eq(amortized_envelope(d, at, omega, 1e-6, beta, &e, &err), AM_OK, "%s",
                     err.message);
        cr_expect_geq(e.primal, c.dual);
        cr_expect_lt(e.primal / c.primal - 1, 1e-3);
    }
}

/* ---- ECME -------------------------------------------------------------------------------------- */

/* τ is the minimiser of F in τ, by hand: (a − 1 + k/2)/(b + Σβ²). */
Test(classic_svm, tau_minimises)
{
    const amortized_data *d = &overlapping(0.5)->data;
    const svm_prior prior = {2, 0.5};
    const double beta[P] = {0.3, 1, -2, 0.5}; /* Σβ² = 5.25 without the intercept */
    double tau = svm_tau(prior, 3, 5.25);
    cr_expect_float_eq(tau, 2.5 / 5.75, 1e-12);
    double least = svm_objective(d, prior, NULL, beta, tau);
    cr_expect_lt(least, svm_objective(d, prior, NULL, beta, 1.01 * tau));
    cr_expect_lt(least, svm_objective(d, prior, NULL, beta, 0.99 * tau));
    cr_expect_lt(least, svm_objective(d, prior, NULL, beta, 1 / tau)); /* upside down */
}

/* The result is a fixed point: β is least at its λ, and τ belongs to β. */
Test(classic_svm, ecme_is_a_fixed_point)
{
    const amortized_data *d = &overlapping(0.5)->data;
    const svm_prior prior = {1, 1};
    double beta[P], exact[P], square = 0;
    svm_choice choice;
    piecewise_certificate c;
    am_error err = {0};
    cr_assert_eq(svm_ecme(d, prior, NULL, 1e-8, beta, &choice, &err), AM_OK, "%s", err.message);
    for (int j = 1; j < P; j++)
        square += beta[j] * beta[j];
    cr_expect_float_eq(choice.tau, svm_tau(prior, P - 1, square), 1e-9);
    cr_expect_float_eq(choice.lambda, choice.tau / (2 * N), 1e-12);
    solve_well(d, choice.lambda, NULL, exact, &c);
    double value = amortized_criterion(d, (amortized_point){.lambda = choice.lambda}, NULL, beta);
    cr_expect_lt(value / c.primal - 1, 1e-4);
    /* no better by exact alternation from elsewhere */
    for (double start = 0.1; start <= 10; start *= 10) {
        double tau = start * choice.tau;
        solve_well(d, tau / (2 * N), NULL, exact, &c);
        cr_expect_geq(svm_objective(d, prior, NULL, exact, tau), choice.objective - 1e-3);
    }
}

Test(classic_svm, improper_prior)
{
    const amortized_data *d = &overlapping(0.5)->data;
    static const svm_prior bad[] = {{1, 0}, {0.5, 1}, {1, NAN}};
    for (int i = 0; i < 3; i++) {
        double beta[P];
        svm_choice choice;
        am_error err = {0};
        cr_expect_eq(svm_ecme(d, bad[i], NULL, 1e-6, beta, &choice, &err), AM_ERR_USAGE);
        cr_expect(strstr(err.message, "give a ≥ 1 and b > 0") != NULL, "%s", err.message);
    }
}

/* ---- the generator ----------------------------------------------------------------------------- */

static const amortized_options training = {.lambda_low = 1e-4,
                                           .lambda_high = 1,
                                           .degree_lambda = 8,
                                           .response_lambda = 1,
                                           .draws = 40,
                                           .response_draws = 80,
                                           .tolerance = 1e-5,
                                           .seed = 1};

Test(classic_svm, generator_is_near_exact_solves)
{
    const amortized_data *d = &overlapping(0.5)->data;
    for (int em = 0; em < 2; em++) {
        amortized_options o = training;
        amortized_generator g;
        am_error err = {0};
        double even = 0, weighted = 0, blind = 0;
        o.envelope = em;
        cr_assert_eq(amortized_fit(&g, d, &o, &err), AM_OK, "%s", err.message);
        for (uint32_t i = 0; i < 30; i++) {
            amortized_point at = {.lambda = 1e-4 * pow(1e4, (i + 0.5) / 30)};
            double omega[K], exact[P], theta[P], flat[P];
            piecewise_certificate c;
            block_weights(2, STREAM_TEST, 10, i, K, omega);
            solve_well(d, at.lambda, NULL, exact, &c);
            amortized_theta(&g, at, NULL, flat);
            even = fmax(even, amortized_criterion(d, at, NULL, flat) / c.primal - 1);
            solve_well(d, at.lambda, omega, exact, &c);
            amortized_theta(&g, at, omega, theta);
            weighted += amortized_criterion(d, at, omega, theta) / c.primal - 1;
            blind += amortized_criterion(d, at, omega, flat) / c.primal - 1;
        }
        cr_expect_lt(even, 0.01);
        cr_expect_lt(weighted, 0.7 * blind);
        amortized_free(&g);
    }
}

/* The fixed point along the generator is that of the fits. */
Test(classic_svm, ecme_along_the_generator)
{
    const amortized_data *d = &overlapping(0.5)->data;
    const svm_prior prior = {1, 1};
    amortized_options o = training;
    amortized_generator g;
    svm_choice exact, amortized;
    double beta[P];
    am_error err = {0};
    o.response_lambda = -1;
    cr_assert_eq(amortized_fit(&g, d, &o, &err), AM_OK, "%s", err.message);
    cr_assert_eq(svm_ecme(d, prior, NULL, 1e-8, beta, &exact, &err), AM_OK);
    cr_assert_eq(svm_ecme_amortized(&g, prior, NULL, &amortized, &err), AM_OK);
    cr_expect_float_eq(amortized.lambda / exact.lambda, 1, 0.1);
    cr_expect_float_eq(amortized.objective, exact.objective, 0.05);
    amortized_free(&g);
}
