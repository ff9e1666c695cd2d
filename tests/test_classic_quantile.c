/* classic/piecewise and classic/amortized for the check loss: exact solves with their certificate, the
 * envelope, the design of training, and the generator. */
#include "classic/amortized.h"
#include "classic/block_weights.h"
#include "classic/piecewise_design.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 90, P = 3, K = 6 };

/* y = x + (0.4 + 0.2x)·noise on x ∈ [−1, 1], design (1, x, x²). */
typedef struct {
    double x[N * P], y[N], penalised[P];
    uint32_t block[N];
    amortized_data data;
} problem;

static problem *curved_problem(void)
{
    static problem d;
    for (uint32_t i = 0; i < N; i++) {
        double x = -1 + 2 * uniform_open(philox(1, STREAM_TEST, 3, 0, i).x[0]);
        d.x[i] = 1;
        d.x[i + N] = x;
        d.x[i + 2 * N] = x * x;
        d.y[i] = x + (0.4 + 0.2 * x) * draw_normal(1, STREAM_TEST, 3, 1, i);
        d.block[i] = i % K;
    }
    d.penalised[0] = 0;
    d.penalised[1] = d.penalised[2] = 1;
    d.data = (amortized_data){CHECK_LOSS, N, P, K, d.x, d.y, d.penalised, d.block};
    return &d;
}

static void solve_well(const amortized_data *d, amortized_point at, const double *omega,
                       double *beta, piecewise_certificate *c)
{
    am_error err = {0};
    cr_assert_eq(amortized_exact(d, at, omega, 1e-9, beta, c, &err), AM_OK, "%s", err.message);
}

/* ---- exact solves ------------------------------------------------------------------------------ */

/* With an intercept alone the minimiser is the sample quantile. */
Test(classic_quantile, intercept_is_the_sample_quantile)
{
    static const double ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, free_of_penalty[1] = {0};
    static const double y[9] = {7, 1, 9, 3, 5, 2, 8, 4, 6};
    static const uint32_t block[9] = {0, 0, 1, 0, 0, 0, 0, 0, 0};
    const amortized_data d = {CHECK_LOSS, 9, 1, 2, ones, y, free_of_penalty, block};
    double beta;
    piecewise_certificate c;
    solve_well(&d, (amortized_point){0.5, 1}, NULL, &beta, &c);
    cr_expect_float_eq(beta, 5, 1e-6);
    cr_expect_float_eq(c.primal, (4 + 3 + 2 + 1) * 2 * 0.5 / 9, 1e-8);
    solve_well(&d, (amortized_point){0.25, 1}, NULL, &beta, &c); /* 9·0.25 = 2.25 lie below it */
    cr_expect_float_eq(beta, 3, 1e-6);
    const double omega[2] = {0.5, 10}; /* 9 holds 10 of 14 */
    solve_well(&d, (amortized_point){0.5, 1}, omega, &beta, &c);
    cr_expect_float_eq(beta, 9, 1e-6);
    const double without[2] = {1, 0}; /* the median of the other eight lies in [4, 5] */
    solve_well(&d, (amortized_point){0.5, 1}, without, &beta, &c);
    cr_expect(beta > 4 - 1e-6 && beta < 5 + 1e-6, "%g", beta);
}

/* The certificate: the criterion is what it says, nothing nearby is better, the dual lies below. */
Test(classic_quantile, certificate_holds)
{
    const amortized_data *d = &curved_problem()->data;
    for (uint32_t draw = 0; draw < 12; draw++) {
        double omega[K], beta[P], moved[P];
        amortized_point at = {0.05 + 0.08 * draw, pow(10, -4 + (int)(draw % 5))};
        piecewise_certificate c;
        block_weights(1, STREAM_TEST, 4, draw, K, omega);
        solve_well(d, at, omega, beta, &c);
        cr_expect_float_eq(amortized_criterion(d, at, omega, beta), c.primal, 1e-12);
        cr_expect_leq(c.dual, c.primal + 1e-12);
        cr_expect_leq(c.primal - c.dual, 1e-9 * c.primal);
        for (int j = 0; j < 2 * P; j++) {
            memcpy(moved, beta, sizeof beta);
            moved[j / 2] += j % 2 ? 1e-3 : -1e-3;
            cr_expect_geq(amortized_criterion(d, at, omega, moved), c.dual);
        }
    }
}

/* As λ grows the slopes vanish and the intercept becomes the quantile of y. */
Test(classic_quantile, large_penalty_leaves_the_intercept)
{
    const problem *d = curved_problem();
    int below = 0;
    double beta[P];
    piecewise_certificate c;
    solve_well(&d->data, (amortized_point){0.7, 1e6}, NULL, beta, &c);
    cr_expect(fabs(beta[1]) < 1e-5 && fabs(beta[2]) < 1e-5);
    for (int i = 0; i < N; i++)
        below += d->y[i] < beta[0] - 1e-4;
    cr_expect(below >= 62 && below <= 63, "%d", below); /* 0.7·90 */
}

Test(classic_quantile, bad_requests)
{
    problem *d = curved_problem();
    static const struct {
        amortized_point at;
        const char *fault;
    } bad[] = {{{0, 1}, "quantile q = 0: give a number between 0 and 1"},
               {{1, 1}, "quantile q = 1: give a number between 0 and 1"},
               {{NAN, 1}, "give a number between 0 and 1"},
               {{0.5, 0}, "λ = 0: give a number above 0"},
               {{0.5, INFINITY}, "give a number above 0"}};
    double beta[P], zero[K] = {0};
    piecewise_certificate c;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        am_error err = {0};
        cr_expect_eq(amortized_exact(&d->data, bad[i].at, NULL, 1e-8, beta, &c, &err),
                     AM_ERR_USAGE);
        cr_expect(strstr(err.message, bad[i].fault) != NULL, "%s", err.message);
    }
    am_error err = {0};
    const amortized_point median = {0.5, 1};
    cr_expect_eq(amortized_exact(&d->data, median, zero, 1e-8, beta, &c, &err), AM_ERR_INPUT);
    cr_expect(strstr(err.message, "no row has weight") != NULL, "%s", err.message);
}

/* Two equal columns without a penalty have no unique minimiser; with one they share the slope. */
Test(classic_quantile, repeated_columns)
{
    const problem *d = curved_problem();
    double x[N * 2], beta[2];
    const double free_columns[2] = {0, 0}, penalised[2] = {1, 1};
    memcpy(x, d->x + N, N * sizeof *x);
    memcpy(x + N, d->x + N, N * sizeof *x);
    amortized_data twice = {CHECK_LOSS, N, 2, K, x, d->y, free_columns, d->block};
    piecewise_certificate c;
    am_error err = {0};
    cr_expect_eq(amortized_exact(&twice, (amortized_point){0.5, 1}, NULL, 1e-8, beta, &c, &err),
                 AM_ERR_INPUT);
    cr_expect(strstr(err.message, "singular") != NULL, "%s", err.message);
    twice.penalised = penalised;
    solve_well(&twice, (amortized_point){0.5, 1e-3}, NULL, beta, &c);
    cr_expect_float_eq(beta[0], beta[1], 1e-4);
}

/* It comes down to the exact minimum from above. */
Test(classic_quantile, envelope_reaches_the_minimum)
{
    const amortized_data *d = &curved_problem()->data;
    for (int i = 1; i < 10; i++) {
        amortized_point at = {0.1 * i, 1e-3};
        double exact[P], beta[P] = {0};
        piecewise_certificate c, e;
        am_error err = {0};
        solve_well(d, at, NULL, exact, &c);
        cr_assert_eq(amortized_envelope(d, at, NULL, 1e-6, beta, &e, &err), AM_OK, "%s",
                     err.message);
        double value = amortized_criterion(d, at, NULL, beta);
        cr_expect_float_eq(value, e.primal, 1e-12);
        cr_expect_geq(value, c.dual);
        cr_expect_lt(value / c.primal - 1, 1e-3, "q = %g", at.q);
    }
}

/* One step on three points by hand: û = 1/|r|, w = û/(2n), z = y − (1 − 2q)/û, weighted mean of z. */
Test(classic_quantile, envelope_step_by_hand)
{
    static const double ones[3] = {1, 1, 1}, zero[1] = {0}, y[3] = {1, 2, 4};
    static const uint32_t block[3] = {0, 0, 0};
    const amortized_data d = {CHECK_LOSS, 3, 1, 1, ones, y, zero, block};
    const double q = 0.25;
    double weight = 0, sum = 0, low[3], high[3], scratch[3], beta = 0;
    for (int i = 0; i < 3; i++) { /* from β = 0: r = y */
        weight += 1 / y[i];
        sum += 1 / y[i] * (y[i] - (1 - 2 * q) * y[i]);
        low[i] = (q - 1) / 3;
        high[i] = q / 3;
    }
    matrix_design design = {3, 1, ones, zero, 0, scratch};
    piecewise_problem p = {.b = y, .low = low, .high = high};
    const piecewise_envelope_options once = {.precision = 1e-6, .most = 1};
    piecewise_certificate c;
    am_error err = {0};
    matrix_design_use(&design, &p);
    cr_assert_eq(piecewise_envelope(&p, &once, &beta, &c, &err), AM_OK);
    cr_expect_float_eq(beta, sum / weight, 1e-12);
    cr_expect_float_eq(amortized_criterion(&d, (amortized_point){q, 1}, NULL, &beta), c.primal,
                       1e-12);
}

/* ---- the design of training -------------------------------------------------------------------- */

enum { M = 4, C = 3, R = 2, G = 5 };

static double some(uint32_t draw, uint32_t i)
{
    return draw_normal(9, STREAM_TEST, 5, draw, i);
}

/* Zᵀ is the transpose of Z, and the curvature is ZᵀWZ + Q, by products with unit vectors. */
Test(classic_quantile, product_design_is_consistent)
{
    enum { ROWS = N * M + G * C, COLUMNS = P * R };
    const problem *d = curved_problem();
    static double z[(M + C) * R], lambda[M], grid[G * P], w[ROWS], column[ROWS], image[ROWS];
    double h[COLUMNS * COLUMNS], out[COLUMNS], q[COLUMNS];
    for (uint32_t i = 0; i < (M + C) * R; i++)
        z[i] = some(0, i);
    for (uint32_t i = 0; i < M; i++)
        lambda[i] = fabs(some(1, i));
    for (uint32_t i = 0; i < G * P; i++)
        grid[i] = some(2, i);
    for (uint32_t i = 0; i < ROWS; i++)
        w[i] = fabs(some(3, i));
    product_design t = {.n = N,
                        .p = P,
                        .draws = M,
                        .features = R,
                        .x = d->x,
                        .penalised = d->penalised,
                        .z = z,
                        .lambda = lambda,
                        .ridge = 0.01,
                        .grid = G,
                        .conditions = C,
                        .grid_x = grid};
    piecewise_problem p = {0};
    am_error err = {0};
    cr_assert_eq(product_design_open(&t, &p, &err), AM_OK);
    cr_assert(p.rows == ROWS && p.columns == COLUMNS);
    p.curvature(p.context, w, h);
    for (int k = 0; k < COLUMNS; k++) {
        double unit[COLUMNS] = {0};
        unit[k] = 1;
        p.forward(p.context, unit, column);
        /* row (i = 7, m = 2): x_7j·z_2r with k = j + P·r */
        cr_expect_float_eq(column[7 + 2 * N], d->x[7 + (k % P) * N] * z[2 + (k / P) * (M + C)],
                           1e-12);
        for (int i = 0; i < ROWS; i++)
            image[i] = w[i] * column[i];
        p.backward(p.context, image, out);
        p.quadratic(p.context, unit, q);
        for (int j = k; j < COLUMNS; j++)
            cr_expect_float_eq(h[j + k * COLUMNS], out[j] + q[j], 1e-9, "%d %d", j, k);
    }
    product_design_free(&t);
}

static const amortized_options training = {.q_low = 0.1,
                                           .q_high = 0.9,
                                           .lambda_low = 1e-4,
                                           .lambda_high = 1e-1,
                                           .degree_q = 5,
                                           .degree_lambda = 4,
                                           .response_q = 1,
                                           .response_lambda = 0,
                                           .draws = 120,
                                           .response_draws = 80,
                                           .tolerance = 1e-5,
                                           .seed = 1};

/* Mean and worst of L(g)/L(exact) − 1 at fresh points; omega: random weights, or 1. */
static void excess_of(const amortized_generator *g, bool weights, double *mean, double *worst)
{
    enum { POINTS = 40 };
    *mean = *worst = 0;
    for (uint32_t i = 0; i < POINTS; i++) {
        double omega[K], exact[P], theta[P], u = (i + 0.5) / POINTS;
        amortized_point at = {0.1 + 0.8 * fmod(u * 7, 1), 1e-4 * pow(1e3, u)};
        piecewise_certificate c;
        block_weights(5, STREAM_TEST, 6, i, K, omega);
        solve_well(g->data, at, weights ? omega : NULL, exact, &c);
        amortized_theta(g, at, weights ? omega : NULL, theta);
        double excess =
            amortized_criterion(g->data, at, weights ? omega : NULL, theta) / c.primal - 1;
        *mean += excess / POINTS;
        *worst = fmax(*worst, excess);
    }
}

/* Both ways of training come near the exact solves, and to each other. */
Test(classic_quantile, generator_is_near_exact_solves)
{
    const amortized_data *d = &curved_problem()->data;
    double even[2], weighted[2], worst, blind;
    for (int envelope = 0; envelope < 2; envelope++) {
        amortized_options o = training;
        amortized_generator g;
        am_error err = {0};
        o.envelope = envelope;
        cr_assert_eq(amortized_fit(&g, d, &o, &err), AM_OK, "%s", err.message);
        excess_of(&g, false, &even[envelope], &worst);
        cr_expect_lt(even[envelope], 0.005);
        cr_expect_lt(worst, 0.03);
        excess_of(&g, true, &weighted[envelope], &worst);
        double *response = g.response;
        g.response = NULL; /* θ(1) under ω */
        excess_of(&g, true, &blind, &worst);
        g.response = response;
        cr_expect_lt(weighted[envelope], 0.6 * blind);
        amortized_free(&g);
    }
    cr_expect_float_eq(even[0], even[1], 1e-3);
}

/* Neighbouring curves in the wrong order, over q, λ and x. */
static int crossings_of(const amortized_generator *g)
{
    int crossings = 0;
    for (int l = 0; l < 10; l++)
        for (int k = 0; k < 80; k++) {
            double a[P], b[P], lambda = 1e-4 * pow(1e3, l / 9.0);
            amortized_theta(g, (amortized_point){0.1 + 0.01 * k, lambda}, NULL, a);
            amortized_theta(g, (amortized_point){0.11 + 0.01 * k, lambda}, NULL, b);
            for (int i = 0; i <= 40; i++) {
                double x = -1 + 0.05 * i;
                crossings += b[0] - a[0] + x * (b[1] - a[1]) + x * x * (b[2] - a[2]) < 0;
            }
        }
    return crossings;
}

/* Conditions on a grid of places keep the curves in order, at hardly any cost. */
Test(classic_quantile, conditions_keep_quantiles_in_order)
{
    enum { PLACES = 21 };
    const amortized_data *d = &curved_problem()->data;
    double place[PLACES * P], mean[2], worst;
    int crossings[2];
    for (int i = 0; i < PLACES; i++) {
        double x = -1 + 0.1 * i;
        place[i] = 1;
        place[i + PLACES] = x;
        place[i + 2 * PLACES] = x * x;
    }
    for (int ordered = 0; ordered < 2; ordered++) {
        amortized_options o = training;
        amortized_generator g;
        am_error err = {0};
        o.response_lambda = -1; /* no weights */
        if (ordered) {
            o.order_places = PLACES;
            o.order_x = place;
            o.order_draws = 200;
            o.order_weight = 0.1;
        }
        cr_assert_eq(amortized_fit(&g, d, &o, &err), AM_OK, "%s", err.message);
        cr_expect_null(g.response);
        crossings[ordered] = crossings_of(&g);
        excess_of(&g, false, &mean[ordered], &worst);
        amortized_free(&g);
    }
    cr_expect_gt(crossings[0], 0);
    cr_expect_lt(crossings[1], 0.01 * 10 * 80 * 41); /* of 32,800 */
    cr_expect_leq(4 * crossings[1], crossings[0], "%d of %d", crossings[1], crossings[0]);
    cr_expect_lt(mean[1], mean[0] + 0.002);
}

Test(classic_quantile, generator_refuses_a_wrong_range)
{
    amortized_options bad[2] = {training, training};
    bad[0].q_high = 1;
    bad[1].lambda_low = bad[1].lambda_high;
    for (int i = 0; i < 2; i++) {
        amortized_generator g;
        am_error err = {0};
        cr_expect_eq(amortized_fit(&g, &curved_problem()->data, &bad[i], &err), AM_ERR_USAGE);
        amortized_free(&g);
    }
}

/* The one-step response is θ(1) at ω = 1 and leads downhill under ω. */
Test(classic_quantile, one_step_response)
{
    const amortized_data *d = &curved_problem()->data;
    const amortized_point at = {0.4, 1e-3};
    double centre[P], theta[P], omega[K], ones[K];
    double stay = 0, step = 0;
    amortized_response r;
    piecewise_certificate c;
    am_error err = {0};
    for (int b = 0; b < K; b++)
        ones[b] = 1;
    solve_well(d, at, NULL, centre, &c);
    cr_assert_eq(amortized_response_open(&r, d, at, centre, &err), AM_OK);
    amortized_respond(&r, ones, theta);
    for (int j = 0; j < P; j++)
        cr_expect_float_eq(theta[j], centre[j], 1e-12);
    for (uint32_t draw = 0; draw < 50; draw++) {
        double exact[P];
        block_weights(6, STREAM_TEST, 7, draw, K, omega);
        solve_well(d, at, omega, exact, &c);
        amortized_respond(&r, omega, theta);
        stay += amortized_criterion(d, at, omega, centre) / c.primal - 1;
        step += amortized_criterion(d, at, omega, theta) / c.primal - 1;
    }
    cr_expect_lt(step, 0.6 * stay);
    amortized_response_free(&r);
}
