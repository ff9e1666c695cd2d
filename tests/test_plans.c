/* The two execution plans against each other; logits; which plan is chosen. */
#include "support/reference.h"
#include "support/scene.h"

#include <criterion/criterion.h>
#include <string.h>

/* ---- direct = factored ----------------------------------------------------------------------- */

/* Equal to the rounding of floats, for fewer draws than features, more, and a single one, on shapes
 * that no vector width divides. */
Test(plans, direct_and_factored_are_equal_to_rounding)
{
    static const setting cases[] = {
        {"31-17-5", "cheb:6", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_ONES, false, 4, 0, 3, 33},
        {"31-17-5", "cheb:6", ACT_TANH, LOSS_CROSS_ENTROPY, OMEGA_ONES, true, 4, 0, 40, 33},
        {"31-17-5", "cheb:6", ACT_RELU, LOSS_SQUARED, OMEGA_DIRICHLET, false, 4, 0, 1, 1},
        {"67-5", "mlp:20,40", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_DIRICHLET, false, 7, 0, 9, 65},
        {"31-17-9-5", "mlp:3,2", ACT_TANH, LOSS_SQUARED, OMEGA_DIRICHLET, true, 7, 0, 33, 20},
        {"5-3-2", "paper", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_DIRICHLET, false, 16, 0, 2, 7},
        {"5-3-2", "poly:0", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_ONES, false, 3, 0, 6, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene s;
        scene_open(&s, &cases[i]);
        int64_t head = (int64_t)s.g.f.features * s.g.spec.target.params;
        int dc = s.k->draws * s.g.f.features;
        plan_result a = run_plan(&s, PLAN_DIRECT), b = run_plan(&s, PLAN_FACTORED);
        for (int m = 0; m < s.k->draws; m++)
            cr_expect_float_eq(a.loss[m], b.loss[m], 1e-6 * a.loss[m]);
        cr_expect_lt(normalised_error(a.head, to_doubles(&s.d, b.head, head), head), 2e-6);
        cr_expect_lt(normalised_error(a.dc, to_doubles(&s.d, b.dc, dc), dc), 2e-6);
        scene_close(&s);
    }
}

/* grad_scale 1 asks for every draw's own gradient, 1/M for their mean. */
Test(plans, the_gradient_scale_multiplies_every_gradient)
{
    static const setting k = {
        "5-4-3", "mlp:6,4", ACT_TANH, LOSS_CROSS_ENTROPY, OMEGA_DIRICHLET, true, 4, 0, 4, 11};
    for (int i = 0; i < 2; i++) {
        scene s;
        scene_open(&s, &k);
        int64_t head = (int64_t)s.g.f.features * s.g.spec.target.params;
        plan_kind kind = i == 0 ? PLAN_DIRECT : PLAN_FACTORED;
        plan_result mean = run_plan(&s, kind);
        s.batch.grad_scale = 1.0;
        plan_result own = run_plan(&s, kind);
        for (int64_t j = 0; j < head; j++)
            mean.head[j] *= 4;
        for (int64_t j = 0; j < s.g.phi_size; j++)
            mean.phi[j] *= 4;
        cr_expect_eq(memcmp(mean.loss, own.loss, sizeof(double) * 4), 0);
        cr_expect_lt(normalised_error(own.head, to_doubles(&s.d, mean.head, head), head), 1e-6);
        cr_expect_lt(
            normalised_error(own.phi, to_doubles(&s.d, mean.phi, s.g.phi_size), s.g.phi_size),
            1e-6);
        scene_close(&s);
    }
}

/* ---- logits and choice ----------------------------------------------------------------------- */

/* One preparation serves any number of draws, on fewer rows than the plan has room for. */
Test(plans, logits_agree_with_the_reference)
{
    static const setting k = {"5-4-3", "cheb:4", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_ONES, false, 4,
                              0,       6,        11};
    scene s;
    scene_open(&s, &k);
    reference r = reference_of(&s.d, &s.g);
    dev_f32 *c = device_floats(&s.d, 6 * 5, NULL);
    features_forward(&s.g.f, 6, NULL, s.u_device, NULL, c);
    for (int i = 0; i < 2; i++) {
        plan p;
        am_error err = {0};
        cr_assert_eq(plan_open(&p, &s.g, i ? PLAN_FACTORED : PLAN_DIRECT, 4, 16, false, &err),
                     AM_OK);
        plan_prepare(&p, s.batch.x, 11);
        for (int first = 0; first < 6; first += 2) {
            plan_logits(&p, s.batch.x, 11, 2, f32_at(c, first * 5));
            float *got = read_floats(&s.d, network_logits(&p.net), 2 * 11 * 3);
            double theta[64], own[8], want[2 * 11 * 3];
            for (int m = 0; m < 2; m++) {
                reference_features(&r, s.u + first + m, NULL, own);
                reference_theta(&r, own, theta);
                for (int b = 0; b < 11; b++)
                    reference_forward(&s.g.spec.target, theta, s.p.rows.floats + b * 5,
                                      want + (m * 11 + b) * 3);
            }
            cr_expect_lt(normalised_error(got, want, 2 * 11 * 3), 1e-6);
        }
        plan_close(&p);
    }
    scene_close(&s);
}

Test(plans, the_cheaper_plan_is_chosen)
{
    device d = device_open();
    generator_spec spec =
        spec_of("784-64-10", ACT_RELU, LOSS_CROSS_ENTROPY, "cheb:6", OMEGA_ONES, 5);
    generator g = generator_of(&d, &spec, 1);
    cr_expect_eq(plan_choose(&g, 2, 128), PLAN_DIRECT);
    cr_expect_eq(plan_choose(&g, 64, 128), PLAN_FACTORED);
    generator_close(&g);
    spec = spec_of("784-64-10", ACT_RELU, LOSS_CROSS_ENTROPY, "paper", OMEGA_ONES, 5);
    g = generator_of(&d, &spec, 1);
    cr_expect_eq(plan_choose(&g, 16, 128), PLAN_DIRECT); /* R = 129 products for 16 draws */
    generator_close(&g);
    device_close(&d);
}

Test(plans, plans_go_by_name)
{
    static const char *const text[] = {"auto", "direct", "factored"};
    static const plan_kind kind[] = {PLAN_AUTO, PLAN_DIRECT, PLAN_FACTORED};
    am_error err = {0};
    plan_kind got;
    for (int i = 0; i < 3; i++) {
        cr_expect(plan_parse(text[i], &got, &err) == AM_OK && got == kind[i]);
        cr_expect_str_eq(plan_name(kind[i]), text[i]);
    }
    cr_expect_eq(plan_parse("fast", &got, &err), AM_ERR_USAGE);
    cr_expect_str_eq(err.message, "plan 'fast': give auto, direct or factored");
}
