/* The exact derivative of the validation loss in log λ, against differences of the reference. */
#include "support/reference.h"
#include "tune/evaluate.h"

#include <criterion/criterion.h>
#include <math.h>

enum { ROWS = 1100 }; /* three tiles */

typedef struct {
    const char *target, *features;
    activation act;
    loss_kind loss;
    bool per_layer;
    omega_kind weights;
} gradient_case;

static const gradient_case cases[] = {
    {"4-6-3", "poly:3", ACT_TANH, LOSS_CROSS_ENTROPY, false, OMEGA_ONES},
    {"4-6-3", "cheb:6", ACT_RELU, LOSS_CROSS_ENTROPY, false, OMEGA_ONES},
    {"4-3", "cheb:4", ACT_TANH, LOSS_SQUARED, false, OMEGA_DIRICHLET},
    {"4-6-3", "mlp:9,5", ACT_TANH, LOSS_CROSS_ENTROPY, false, OMEGA_DIRICHLET},
    {"4-6-3", "split:9,5", ACT_TANH, LOSS_SQUARED, false, OMEGA_DIRICHLET},
    {"4-6-3", "paper", ACT_RELU, LOSS_CROSS_ENTROPY, false, OMEGA_DIRICHLET},
    {"4-6-3", "poly:2", ACT_TANH, LOSS_CROSS_ENTROPY, true, OMEGA_ONES},
    {"4-6-5-3", "cheb:3", ACT_TANH, LOSS_SQUARED, true, OMEGA_DIRICHLET},
    {"4-6-5-3", "mlp:9,5", ACT_RELU, LOSS_CROSS_ENTROPY, true, OMEGA_ONES},
};

/* J(u) = (1/n) Σ ℓ at θ(u, ω = 1), in double. */
static double outer_value(const reference *r, const problem *p, const double *u)
{
    const target *t = &r->g->spec.target;
    double c[AM_MAX_FEATURES], theta[512], output[16], sum = 0.0;
    reference_features(r, u, NULL, c);
    reference_theta(r, c, theta);
    for (int64_t i = 0; i < p->rows.n; i++) {
        reference_forward(t, theta, p->rows.floats + i * p->rows.inputs, output);
        sum += reference_loss(t, output, &p->rows, i);
    }
    return sum / (double)p->rows.n;
}

static void check_case(const gradient_case *k)
{
    device d = device_open();
    generator_spec spec = spec_of(k->target, k->act, k->loss, k->features, k->weights, 4);
    spec.per_layer = k->per_layer;
    problem p = problem_open(&d, k->loss, ROWS, 4, 3, 4, 61);
    generator g = generator_of(&d, &spec, 3);
    generator_fill(&d, &g, 62, 0.4f);
    reference r = reference_of(&d, &g);
    int groups = g.groups.count;
    for (uint32_t trial = 0; trial < 3; trial++) {
        double lambda[AM_MAX_GROUPS], u[AM_MAX_GROUPS], du[AM_MAX_GROUPS], j;
        float normalised[AM_MAX_GROUPS];
        am_error err = {0};
        const double h = 1e-7; /* small: few rows cross a kink of relu within it */
        for (int i = 0; i < groups; i++)
            lambda[i] = exp(random_at(63, trial * 8 + (uint32_t)i, log(1.1e-3), log(9e-2)));
        generator_normalise(&spec, groups, lambda, normalised);
        for (int i = 0; i < groups; i++)
            u[i] = (double)normalised[i];
        cr_assert_eq(evaluate_gradient(&g, &p.data, lambda, &j, du, &err), AM_OK, "%s",
                     err.message);
        double want = outer_value(&r, &p, u);
        cr_expect_float_eq(j, want, 1e-6 * want, "%s: J %.9g, expected %.9g", k->features, j, want);
        for (int i = 0; i < groups; i++) {
            u[i] += h;
            double high = outer_value(&r, &p, u);
            u[i] -= 2.0 * h;
            double slope = (high - outer_value(&r, &p, u)) / (2.0 * h);
            u[i] += h;
            cr_expect(fabs(du[i] - slope) <= 1e-5 * (fabs(slope) + want),
                      "%s, %s: dJ/du[%d] is %.9g, differences give %.9g", k->target, k->features, i,
                      du[i], slope);
        }
    }
    problem_close(&p);
    generator_close(&g);
    device_close(&d);
}

Test(outer_gradient, agrees_with_differences_for_every_family)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* Θ_0 = 0, Θ_1 = 1 on poly:1 with x = 0: the output is the bias u, and J = (u − t)² by hand. */
Test(outer_gradient, a_parabola_by_hand)
{
    device d = device_open();
    generator_spec spec = spec_of("1-1", ACT_TANH, LOSS_SQUARED, "poly:1", OMEGA_ONES, 1);
    spec.lambda_low = 1e-4, spec.lambda_high = 1.0;
    problem p = problem_open(&d, LOSS_SQUARED, 600, 1, 1, 1, 1);
    for (int i = 0; i < 600; i++)
        p.rows.floats[i] = 0.0f, p.rows.target[i] = 0.75f;
    problem_upload(&d, &p);
    generator g = generator_of(&d, &spec, 1);
    generator_set_head(&g, (float[]){0, 0, 0, 1});
    static const double lambda[] = {1e-4, 1e-3, 1e-2, 1e-1, 1.0};
    for (int i = 0; i < 5; i++) {
        double j, du, u = -1.0 + 0.5 * i;
        am_error err = {0};
        cr_assert_eq(evaluate_gradient(&g, &p.data, &lambda[i], &j, &du, &err), AM_OK);
        cr_expect_float_eq(j, (u - 0.75) * (u - 0.75), 1e-6);
        cr_expect_float_eq(du, 2.0 * (u - 0.75), 1e-4); /* 600 floats added: 600·2⁻²⁴·3.5 */
    }
    problem_close(&p);
    generator_close(&g);
    device_close(&d);
}

/* The same with a knee of 0.01 on 10⁻⁴..1: (1 + 0.01)/(10⁻⁴ + 0.01) = 100, so that
 * u = log((λ + 0.01)/0.0101)/log 10 − 1 and, in the normalised log λ, du/dv = 2λ/(λ + 0.01). */
Test(outer_gradient, a_parabola_by_hand_on_an_axis_with_a_knee)
{
    device d = device_open();
    generator_spec spec = spec_of("1-1", ACT_TANH, LOSS_SQUARED, "poly:1", OMEGA_ONES, 1);
    spec.lambda_low = 1e-4, spec.lambda_high = 1.0, spec.knee = 0.01;
    problem p = problem_open(&d, LOSS_SQUARED, 600, 1, 1, 1, 1);
    for (int i = 0; i < 600; i++)
        p.rows.floats[i] = 0.0f, p.rows.target[i] = 0.75f;
    problem_upload(&d, &p);
    generator g = generator_of(&d, &spec, 1);
    generator_set_head(&g, (float[]){0, 0, 0, 1});
    static const double lambda[] = {1e-4, 1e-2, 0.091, 1.0}; /* u = −1, …, 0 at 0.091, 1 */
    for (int i = 0; i < 4; i++) {
        double j, du, u = log10((lambda[i] + 0.01) / 0.0101) - 1.0;
        am_error err = {0};
        cr_assert_eq(evaluate_gradient(&g, &p.data, &lambda[i], &j, &du, &err), AM_OK);
        cr_expect_float_eq(j, (u - 0.75) * (u - 0.75), 1e-6);
        cr_expect_float_eq(du, 2.0 * (u - 0.75) * 2.0 * lambda[i] / (lambda[i] + 0.01), 1e-4);
    }
    problem_close(&p);
    generator_close(&g);
    device_close(&d);
}
