/* curve: the grid of λ, metrics at ω = 1, the band over draws, quantiles. */
#include "support/problem.h"
#include "tune/tune.h"

#include "data_files.h"

#include <math.h>

Test(curve, the_grid_is_log_spaced_and_its_ends_are_exact)
{
    static const double ends[][2] = {{1e-5, 1e-1}, {3e-7, 0.7}, {1e-300, 1e300}, {0.1, 0.1000001}};
    for (int i = 0; i < 4; i++) {
        double low = ends[i][0], high = ends[i][1], lambda[21];
        log_grid(low, high, 21, lambda);
        cr_expect_eq(lambda[0], low);
        cr_expect_eq(lambda[20], high);
        for (int k = 1; k < 21; k++) {
            double want = log(low) + k / 20.0 * (log(high) - log(low));
            cr_expect_gt(lambda[k], lambda[k - 1]);
            cr_expect_float_eq(log(lambda[k]), want, 1e-12 * fabs(want) + 1e-12);
        }
    }
    double one[1], two[2];
    log_grid(1e-3, 1e-1, 1, one);
    log_grid(1e-3, 1e-1, 2, two);
    cr_expect(one[0] == 1e-3 && two[0] == 1e-3 && two[1] == 1e-1);
}

/* ---- from a generator ------------------------------------------------------------------------ */

typedef struct {
    device d;
    problem p;
    generator g;
} scene;

static void scene_open(scene *s, const char *features_text, omega_kind weights, bool omega0,
                       bool per_layer)
{
    *s = (scene){.d = device_open()};
    generator_spec spec = spec_of("5-6-3", ACT_TANH, LOSS_CROSS_ENTROPY, features_text, weights, 4);
    spec.omega0 = omega0;
    spec.per_layer = per_layer;
    s->p = problem_open(&s->d, LOSS_CROSS_ENTROPY, 500, 5, 3, 4, 31);
    s->g = generator_of(&s->d, &spec, 3);
    generator_fill(&s->d, &s->g, 32, 0.6f);
}

static void scene_close(scene *s)
{
    problem_close(&s->p);
    generator_close(&s->g);
    device_close(&s->d);
}

/* Metrics of one model at λ for every group and ω (NULL: 1). */
static metrics single(scene *s, double lambda, const float *omega)
{
    metrics m;
    am_error err = {0};
    double all[AM_MAX_GROUPS];
    for (int i = 0; i < s->g.groups.count; i++)
        all[i] = lambda;
    dev_f32 *c = device_floats(&s->d, s->g.f.features, NULL);
    cr_assert_eq(generator_features(&s->g, 1, all, omega, c, &err), AM_OK);
    model_set set = {.be = s->d.be, .t = &s->g.spec.target, .g = &s->g, .c = c, .models = 1};
    cr_assert_eq(evaluate(&set, &s->p.data, &m, NULL, &err), AM_OK);
    return m;
}

static tuning_curve curve_of(scene *s, int points, int draws)
{
    tuning_curve curve;
    am_error err = {0};
    cr_assert_eq(curve_compute(&s->g, &s->p.data, points, draws, &curve, &err), AM_OK, "%s",
                 err.message);
    return curve;
}

Test(curve, every_point_is_the_generator_at_its_lambda)
{
    for (int layered = 0; layered < 2; layered++) {
        scene s;
        scene_open(&s, "cheb:3", OMEGA_ONES, false, layered == 1);
        tuning_curve curve = curve_of(&s, 7, 50);
        cr_assert(curve.points == 7 && curve.draws == 0, "no ω, no band");
        cr_expect(curve.lambda[0] == 1e-3 && curve.lambda[6] == 1e-1);
        for (int i = 0; i < 7; i++) {
            metrics want = single(&s, curve.lambda[i], NULL);
            cr_expect_float_eq(curve.at[i].nll, want.nll, 1e-6);
            cr_expect_eq(curve.at[i].accuracy, want.accuracy);
        }
        am_error err = {0};
        cr_expect(isnan(curve_quantile(&curve, 0, METRIC_NLL, 0.5, &err)));
        curve_free(&curve);
        curve_free(&curve); /* safe on a freed one */
        scene_close(&s);
    }
}

/* Draw d at every λ has the same ω_d; with ω₀ its λ is ω₀·λ. */
static void check_band(const char *features_text, omega_kind weights, bool omega0, bool per_layer)
{
    enum { POINTS = 4, DRAWS = 5 };
    scene s;
    scene_open(&s, features_text, weights, omega0, per_layer);
    tuning_curve curve = curve_of(&s, POINTS, DRAWS);
    float *omega, *scale;
    am_error err = {0};
    cr_assert_eq(
        posterior_omega(s.d.be, weights, 1.0, 4, DRAWS, s.g.spec.seed, &omega, &scale, &err),
        AM_OK);
    cr_assert_eq(curve.draws, DRAWS);
    double spread = 0.0;
    for (int i = 0; i < POINTS; i++) {
        metrics unit = single(&s, curve.lambda[i], NULL);
        cr_expect_float_eq(curve.at[i].nll, unit.nll, 1e-6);
        for (int k = 0; k < DRAWS; k++) {
            double factor = omega0 ? (double)scale[k] : 1.0;
            metrics want = single(&s, curve.lambda[i] * factor, omega + k * 4);
            cr_expect_float_eq(curve.draw[i * DRAWS + k].nll, want.nll, 1e-6,
                               "%s: point %d draw %d", features_text, i, k);
            cr_expect_eq(curve.draw[i * DRAWS + k].accuracy, want.accuracy);
            spread += fabs(want.nll - unit.nll);
        }
    }
    cr_expect_gt(spread, 0.01, "%s: the draws do not differ", features_text);
    free(omega);
    free(scale);
    curve_free(&curve);
    scene_close(&s);
}

Test(curve, the_band_has_the_same_draws_at_every_lambda)
{
    check_band("cheb:3", OMEGA_DIRICHLET, false, false);
    check_band("mlp:6,4", OMEGA_EXPONENTIAL, true, false);
    check_band("split:6,4", OMEGA_MULTINOMIAL, true, true);
}

Test(curve, without_draws_there_is_no_band)
{
    scene s;
    scene_open(&s, "cheb:3", OMEGA_DIRICHLET, false, false);
    tuning_curve curve = curve_of(&s, 1, 0);
    cr_expect(curve.draws == 0 && curve.lambda[0] == 1e-3);
    curve_free(&curve);
    scene_close(&s);
}

Test(curve, models_at_gives_the_grid_as_a_model_set)
{
    scene s;
    model_set set;
    metrics each[2];
    am_error err = {0};
    static const double lambda[] = {2e-3, 5e-2};
    scene_open(&s, "mlp:6,4", OMEGA_DIRICHLET, false, true);
    cr_assert_eq(models_at(&s.g, lambda, 2, &set, &err), AM_OK, "%s", err.message);
    cr_assert_eq(set.models, 2);
    cr_assert_eq(evaluate(&set, &s.p.data, each, NULL, &err), AM_OK);
    for (int i = 0; i < 2; i++)
        cr_expect_float_eq(each[i].nll, single(&s, lambda[i], NULL).nll, 1e-6);
    s.d.op->release(s.d.be, (void *)(uintptr_t)set.c);
    scene_close(&s);
}

/* ---- quantiles ------------------------------------------------------------------------------- */

Test(curve, quantiles_interpolate_between_the_sorted_draws)
{
    metrics draw[10] = {{0}};
    static const double nll[] = {9, 1, 7, 3, 5}; /* sorted 1 3 5 7 9 */
    tuning_curve curve = {.points = 2, .draws = 5, .draw = draw};
    am_error err = {0};
    for (int k = 0; k < 5; k++) {
        draw[5 + k].nll = nll[k];
        draw[5 + k].accuracy = 1.0 - nll[k] / 10.0;
    }
    static const double q[] = {0, 0.25, 0.5, 1, 0.05, 0.9};
    static const double want[] = {1, 3, 5, 9, 1.4, 8.2};
    for (int i = 0; i < 6; i++) {
        cr_expect_float_eq(curve_quantile(&curve, 1, METRIC_NLL, q[i], &err), want[i], 1e-12);
        cr_expect_float_eq(curve_quantile(&curve, 1, METRIC_ACCURACY, 1.0 - q[i], &err),
                           1.0 - want[i] / 10.0, 1e-12);
    }
    curve.draws = 1;
    cr_expect_eq(curve_quantile(&curve, 5, METRIC_NLL, 0.9, &err), 9.0); /* the only draw */
}
