/* select: the choice of λ on hand-made and known curves, alarms, the distribution over draws. */
#include "support/problem.h"
#include "tune/tune.h"

#include "data_files.h"

#include <math.h>

enum { POINTS = 5 };

/* A curve on 1e-4, 1e-3, …, 1 from losses and their common standard error. */
typedef struct {
    double lambda[POINTS];
    metrics at[POINTS];
    tuning_curve curve;
} hand_curve;

static void hand_curve_of(hand_curve *h, const double *nll, double se)
{
    *h = (hand_curve){.curve = {.points = POINTS}};
    h->curve.lambda = h->lambda;
    h->curve.at = h->at;
    log_grid(1e-4, 1.0, POINTS, h->lambda);
    for (int i = 0; i < POINTS; i++) {
        h->at[i].nll = nll[i];
        h->at[i].nll_se = se;
        h->at[i].accuracy = 1.0 - nll[i] / 10.0;
        h->at[i].accuracy_se = se / 10.0;
    }
}

/* A generator that knows the range only; θ has `outputs` biases on features of u. */
static generator range_generator(device *d, const char *features_text, bool per_layer)
{
    generator_spec spec =
        spec_of(per_layer ? "1-1-1" : "1-1", ACT_TANH, LOSS_SQUARED, features_text, OMEGA_ONES, 1);
    spec.lambda_low = 1e-4, spec.lambda_high = 1.0;
    spec.per_layer = per_layer;
    return generator_of(d, &spec, 1);
}

static selection choose(const hand_curve *h, select_kind kind, metric_kind metric)
{
    device d = device_open();
    generator g = range_generator(&d, "poly:1", false);
    selection choice;
    am_error err = {0};
    cr_assert_eq(select_lambda(&g, NULL, &h->curve, kind, metric, &choice, &err), AM_OK, "%s",
                 err.message);
    generator_close(&g);
    device_close(&d);
    return choice;
}

/* ---- grid and one standard error ------------------------------------------------------------- */

Test(select, the_grid_takes_the_best_point)
{
    hand_curve h;
    hand_curve_of(&h, (double[]){5, 3, 2, 4, 6}, 0.5);
    for (int metric = 0; metric < 2; metric++) {
        selection c = choose(&h, SELECT_GRID, metric ? METRIC_ACCURACY : METRIC_NLL);
        cr_expect(c.point == 2 && c.groups == 1 && c.lambda[0] == h.lambda[2]);
        cr_expect_float_eq(c.value, metric ? 0.8 : 2.0, 1e-15);
        cr_expect(isnan(c.derivative) && !c.edge_alarm && !c.flat_alarm);
    }
}

Test(select, of_equal_points_the_larger_lambda_wins)
{
    hand_curve h;
    hand_curve_of(&h, (double[]){2, 3, 2, 2, 6}, 0.0);
    cr_expect_eq(choose(&h, SELECT_GRID, METRIC_NLL).point, 3);
    cr_expect_eq(choose(&h, SELECT_GRID, METRIC_ACCURACY).point, 3);
}

Test(select, one_standard_error_takes_the_largest_lambda_within_it)
{
    hand_curve h;
    hand_curve_of(&h, (double[]){5, 2, 3, 2.5, 4}, 0.5);
    selection c = choose(&h, SELECT_ONE_SE, METRIC_NLL);
    cr_expect(c.point == 3 && c.lambda[0] == h.lambda[3] && c.value == 2.5);
    cr_expect_eq(choose(&h, SELECT_ONE_SE, METRIC_ACCURACY).point, 3);
    hand_curve_of(&h, (double[]){5, 2, 3, 2.51, 4}, 0.5);
    cr_expect_eq(choose(&h, SELECT_ONE_SE, METRIC_NLL).point, 1);
    hand_curve_of(&h, (double[]){2.1, 5, 2, 5, 5}, 0.5); /* never a smaller λ */
    cr_expect_eq(choose(&h, SELECT_ONE_SE, METRIC_NLL).point, 2);
}

Test(select, a_point_without_a_value_is_never_chosen)
{
    hand_curve h;
    hand_curve_of(&h, (double[]){NAN, 3, 2, INFINITY, NAN}, 0.5);
    cr_expect_eq(choose(&h, SELECT_GRID, METRIC_NLL).point, 2);
    cr_expect_eq(choose(&h, SELECT_GRID, METRIC_ACCURACY).point, 2);
    cr_expect_eq(choose(&h, SELECT_ONE_SE, METRIC_NLL).point, 2);
}

/* ---- alarms ---------------------------------------------------------------------------------- */

Test(select, a_choice_on_the_end_of_the_range_raises_the_edge_alarm)
{
    hand_curve h;
    hand_curve_of(&h, (double[]){1, 2, 3, 4, 5}, 0.1);
    cr_expect(choose(&h, SELECT_GRID, METRIC_NLL).edge_alarm);
    hand_curve_of(&h, (double[]){5, 4, 3, 2, 1}, 0.1);
    cr_expect(choose(&h, SELECT_GRID, METRIC_NLL).edge_alarm);
    hand_curve_of(&h, (double[]){5, 4, 3, 1, 1.05}, 0.1);
    cr_expect_not(choose(&h, SELECT_GRID, METRIC_NLL).edge_alarm);
    cr_expect(choose(&h, SELECT_ONE_SE, METRIC_NLL).edge_alarm); /* moved to the end */
}

Test(select, more_than_half_the_grid_within_one_error_raises_the_flat_alarm)
{
    hand_curve h;
    hand_curve_of(&h, (double[]){5, 2, 2.1, 4, 4}, 0.2);
    cr_expect_not(choose(&h, SELECT_GRID, METRIC_NLL).flat_alarm); /* two of five */
    hand_curve_of(&h, (double[]){5, 2, 2.1, 2.1, 4}, 0.2);
    cr_expect(choose(&h, SELECT_GRID, METRIC_NLL).flat_alarm); /* three of five */
    cr_expect(choose(&h, SELECT_GRID, METRIC_ACCURACY).flat_alarm);
    hand_curve_of(&h, (double[]){2, 2, 2, 2, 2}, 0.0);
    selection c = choose(&h, SELECT_GRID, METRIC_NLL);
    cr_expect(c.flat_alarm && c.edge_alarm && c.point == 4);
}

/* ---- refinement on known curves -------------------------------------------------------------- */

/* x = 0 and one target value: J(u) = (b(u) − t)², b the bias as a polynomial in u. */
typedef struct {
    device d;
    problem p;
    generator g;
} known;

static void known_open(known *k, const char *features_text, const float *head, float value)
{
    *k = (known){.d = device_open()};
    k->g = range_generator(&k->d, features_text, false);
    generator_set_head(&k->g, head);
    k->p = problem_open(&k->d, LOSS_SQUARED, 20, 1, 1, 1, 1);
    for (int i = 0; i < 20; i++) {
        k->p.rows.floats[i] = 0.0f;
        k->p.rows.target[i] = value;
    }
    problem_upload(&k->d, &k->p);
}

static void known_close(known *k)
{
    problem_close(&k->p);
    generator_close(&k->g);
    device_close(&k->d);
}

static selection refined(known *k, int points)
{
    tuning_curve curve;
    selection choice;
    am_error err = {0};
    cr_assert_eq(curve_compute(&k->g, &k->p.data, points, 0, &curve, &err), AM_OK, "%s",
                 err.message);
    cr_assert_eq(
        select_lambda(&k->g, &k->p.data, &curve, SELECT_GRADIENT, METRIC_NLL, &choice, &err), AM_OK,
        "%s", err.message);
    cr_expect_leq(choice.value, curve.at[choice.point].nll + 1e-12, "worse than the grid");
    curve_free(&curve);
    return choice;
}

static double u_of(double lambda)
{
    return 2.0 * log(lambda / 1e-4) / log(1e4) - 1.0;
}

Test(select, refinement_finds_the_minimum_between_the_points_of_the_grid)
{
    static const float targets[] = {-0.83f, -0.31f, 0.0f, 0.123f, 0.77f};
    for (int i = 0; i < 5; i++) {
        known k;
        known_open(&k, "poly:1", (float[]){0, 0, 0, 1}, targets[i]); /* b = u */
        for (int points = 4; points <= 20; points += 8) {
            selection c = refined(&k, points);
            cr_expect_float_eq(u_of(c.lambda[0]), (double)targets[i], 2e-4, "%g: u %g",
                               (double)targets[i], u_of(c.lambda[0]));
            cr_expect_float_eq(c.value, 0.0, 1e-7);
            cr_expect(c.derivative >= 0.0 && c.derivative < 1e-3);
            cr_expect_not(c.edge_alarm);
        }
        known_close(&k);
    }
}

/* Minima outside the range: the nearer end, its slope, and the alarm. */
Test(select, refinement_stays_within_the_range)
{
    static const float targets[] = {-1.5f, 1.5f};
    for (int i = 0; i < 2; i++) {
        known k;
        known_open(&k, "poly:1", (float[]){0, 0, 0, 1}, targets[i]);
        selection c = refined(&k, 6);
        cr_expect(c.lambda[0] >= 1e-4 && c.lambda[0] <= 1.0);
        cr_expect_float_eq(u_of(c.lambda[0]), i == 0 ? -1.0 : 1.0, 1e-12);
        cr_expect_float_eq(c.value, 0.25, 1e-6);
        cr_expect_float_eq(c.derivative, 1.0, 1e-5);
        cr_expect(c.edge_alarm);
        known_close(&k);
    }
}

/* b = T_3: the grid's neighbours of the best point may lie over a hill. Never worse than the grid,
 * and a stationary point or an end. */
Test(select, refinement_of_a_curve_with_several_minima_never_loses_to_the_grid)
{
    static const float targets[] = {-0.9f, -0.4f, 0.3f, 0.95f, 2.0f};
    for (int i = 0; i < 5; i++) {
        known k;
        known_open(&k, "cheb:3", (float[]){0, 0, 0, 0, 0, 0, 0, 1}, targets[i]);
        for (int points = 2; points <= 9; points++) {
            selection c = refined(&k, points);
            double u = u_of(c.lambda[0]), b = cos(3.0 * acos(fmin(fmax(u, -1.0), 1.0)));
            cr_expect_float_eq(c.value, pow(b - (double)targets[i], 2.0), 1e-5);
        }
        known_close(&k);
    }
}

Test(select, a_flat_curve_is_left_where_the_grid_chose)
{
    known k;
    known_open(&k, "poly:1", (float[]){0, 0.5f, 0, 0}, 1.0f);
    selection c = refined(&k, 5);
    cr_expect_eq(c.lambda[0], 1.0); /* ties: the larger λ */
    cr_expect_eq(c.derivative, 0.0);
    cr_expect(c.edge_alarm && c.flat_alarm);
    known_close(&k);
}

/* 1-1-1 with W2 = 0 and a λ per layer: the output is b2 = u_1 + 2u_2, and J = (u_1 + 2u_2 − t)² a
 * valley in two dimensions. */
Test(select, refinement_with_a_lambda_per_layer_goes_down_the_valley)
{
    device d = device_open();
    generator g = range_generator(&d, "poly:1", true);
    cr_assert(g.f.features == 3 && g.spec.target.params == 4);
    generator_set_head(&g, (float[]){0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2});
    problem p = problem_open(&d, LOSS_SQUARED, 20, 1, 1, 1, 1);
    for (int i = 0; i < 20; i++)
        p.rows.target[i] = 0.7f;
    problem_upload(&d, &p);
    tuning_curve curve;
    selection c;
    am_error err = {0};
    cr_assert_eq(curve_compute(&g, &p.data, 6, 0, &curve, &err), AM_OK);
    cr_assert_eq(select_lambda(&g, &p.data, &curve, SELECT_GRADIENT, METRIC_NLL, &c, &err), AM_OK);
    double u[2] = {u_of(c.lambda[0]), u_of(c.lambda[1])};
    cr_expect_eq(c.groups, 2);
    cr_expect_float_eq(u[0] + 2.0 * u[1], 0.7, 1e-3, "u = (%g, %g)", u[0], u[1]);
    cr_expect_lt(c.value, 1e-6);
    cr_expect_lt(c.derivative, 5e-3);
    curve_free(&curve);
    problem_close(&p);
    generator_close(&g);
    device_close(&d);
}

/* ---- over draws ------------------------------------------------------------------------------ */

Test(select, the_distribution_counts_the_best_point_of_every_draw)
{
    enum { DRAWS = 4 };
    static const double nll[POINTS][DRAWS] = {
        {1, 5, 5, 2}, {2, 4, 5, 2}, {3, 3, 1, 9}, {4, 3, 2, 9}, {5, 9, 3, 9}};
    metrics draw[POINTS * DRAWS] = {{0}};
    tuning_curve curve = {.points = POINTS, .draws = DRAWS, .draw = draw};
    int count[POINTS];
    for (int i = 0; i < POINTS * DRAWS; i++) {
        draw[i].nll = nll[i / DRAWS][i % DRAWS];
        draw[i].accuracy = -draw[i].nll;
    }
    static const int want[] = {1, 1, 1, 1, 0}; /* ties: the larger λ */
    for (int metric = 0; metric < 2; metric++) {
        select_distribution(&curve, metric ? METRIC_ACCURACY : METRIC_NLL, count);
        for (int i = 0; i < POINTS; i++)
            cr_expect_eq(count[i], want[i], "point %d: %d", i, count[i]);
    }
    curve.draws = 0;
    select_distribution(&curve, METRIC_NLL, count);
    for (int i = 0; i < POINTS; i++)
        cr_expect_eq(count[i], 0);
}
