/* The response to drawn weight vectors: its fixed point against exact solutions with a weight for every
 * observation, its steps against the response to the blocks, and the generator that carries it. */
#include "response/response.h"
#include "response/weighted_gradients.h"
#include "support/fitting.h"
#include "support/must.h"
#include "support/response_scene.h"
#include "support/ridge.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- the response ------------------------------------------------------------------------------- */

static void advance(response_scene *s, int snapshots)
{
    for (int i = 0; i < snapshots; i++)
        response_scene_advance(s, i);
}

/* Many long steps at a fixed θ, that of a ridge regression with a weight for every observation: O_s is
 * the derivative of its exact solution along ω^s − 1, here by central differences of the closed form. */
Test(sampled_response, its_fixed_point_is_the_derivative_along_drawn_weights)
{
    enum { ROWS = 31, DRAWS = 4, PARAMS = 5 };
    response_scene s;
    response_scene_open(&s, "4-1", LOSS_SQUARED, ROWS, ROWS, DRAWS, 20);
    const float *omega = drawn_weights(&s.d, &s.g.spec, DRAWS);
    float head[3 * PARAMS] = {0};
    double solution[PARAMS], up[PARAMS], down[PARAMS], want[DRAWS * PARAMS];
    s.time = 1e3;
    ridge_solution(&s.p, s.g.spec.lambda_high, NULL, solution);
    for (int i = 0; i < PARAMS; i++)
        head[i] = (float)solution[i];
    generator_set_head(&s.g, head);
    for (int k = 0; k < DRAWS; k++) {
        float more[ROWS], less[ROWS];
        for (int i = 0; i < ROWS; i++) {
            double move = 1e-2 * ((double)omega[k * ROWS + i] - 1.0);
            more[i] = (float)(1.0 + move);
            less[i] = (float)(1.0 - move);
        }
        ridge_solution(&s.p, s.g.spec.lambda_high, more, up);
        ridge_solution(&s.p, s.g.spec.lambda_high, less, down);
        for (int i = 0; i < PARAMS; i++)
            want[k * PARAMS + i] = (up[i] - down[i]) / 2e-2;
    }
    advance(&s, 2);
    expect_close(&s.d, f32_at(s.state, DRAWS * PARAMS), (int64_t)DRAWS * PARAMS, want, 1e-3);
    response_scene_close(&s);
}

/* All is linear in ω: O_s = Σ_b (ω_sb − 1) O_b, with conjugate gradients to the end. */
static void check_against_blocks(const char *text, loss_kind loss, int64_t rows, int64_t blocks)
{
    enum { DRAWS = 3 };
    response_scene one, all;
    response_scene_open(&one, text, loss, rows, blocks, DRAWS, 60);
    response_scene_open(&all, text, loss, rows, blocks, 0, 60);
    const float *omega = drawn_weights(&one.d, &one.g.spec, DRAWS);
    int64_t params = one.g.spec.target.params;
    advance(&one, 2);
    advance(&all, 2);
    const float *each = read_floats(&all.d, all.state, SCENE_NODES * blocks * params);
    double *want = host_doubles(&one.d, SCENE_NODES * DRAWS * params);
    for (int64_t i = 0; i < SCENE_NODES * DRAWS * params; i++) {
        int64_t j = i % params, s = i / params % DRAWS, node = i / params / DRAWS;
        for (int64_t b = 0; b < blocks; b++)
            want[i] += ((double)omega[s * blocks + b] - 1.0) *
                       (double)each[(node * blocks + b) * params + j];
    }
    expect_close(&one.d, one.state, SCENE_NODES * DRAWS * params, want, 1e-3);
    response_scene_close(&one);
    response_scene_close(&all);
}

Test(sampled_response, it_is_the_response_to_the_blocks_at_the_same_weights)
{
    check_against_blocks("3-4-2", LOSS_CROSS_ENTROPY, 25, 5); /* over rows */
    check_against_blocks("3-3-3-2", LOSS_SQUARED, 25, 25);
    check_against_blocks("3-4-2", LOSS_CROSS_ENTROPY, 50, 3); /* over blocks */
}

/* ---- the generator that carries it -------------------------------------------------------------- */

static recipe sampled_recipe(void)
{
    for (int i = 0; i < recipe_count; i++)
        if (recipes[i].response_draws > 0)
            return recipes[i];
    cr_assert_fail("no recipe has a sampled response");
    return recipes[0];
}

/* After a fit, from its file: θ = θ(1) + Σ_s z_s O_s where 1 + z is given. */
Test(sampled_response, the_generator_answers_to_mixtures_of_the_draws)
{
    enum { DRAWS = 3 };
    fitting r;
    am_error err = {0};
    generator full;
    recipe k = sampled_recipe();
    cr_assert_eq(k.response_draws, DRAWS);
    fitting_open(&r, &k, 12, 1);
    must(fit_run(r.f, NULL, &err), &err);
    must(fit_attach_response(r.f, &full, &err), &err);
    int64_t params = full.spec.target.params;
    cr_expect_str_eq(full.spec.features.text, "cheb:2+response:2");
    cr_expect_eq(full.spec.sampled, DRAWS);
    cr_expect_eq(generator_weights_count(&full.spec), DRAWS);
    cr_assert_eq(full.f.features, 3 + 2 * DRAWS);
    const float seen[DRAWS] = {1.6f, 1.0f, 0.2f};
    const double low = full.spec.lambda_low; /* the first node */
    float *at_one = host_floats(&r.d, params), *theta = host_floats(&r.d, params);
    must(generator_weights(&full, 1, &low, NULL, at_one, &err), &err);
    must(generator_weights(&full, 1, &low, seen, theta, &err), &err);
    const float *answer = read_floats(&r.d, full.head, full.f.features * params) + 3 * params;
    double size = 0.0;
    for (int64_t i = 0; i < params; i++) {
        double want = (double)at_one[i];
        for (int s = 0; s < DRAWS; s++)
            want += ((double)seen[s] - 1.0) * (double)answer[s * params + i];
        cr_expect_float_eq((double)theta[i], want, 1e-5);
        size += pow(want - (double)at_one[i], 2.0);
    }
    cr_expect_gt(size, 1e-8, "no response");
    generator_close(&full);
    fitting_close(&r);
}

Test(sampled_response, more_than_256_blocks_need_draws_of_them)
{
    am_error err = {0};
    recipe k = sampled_recipe();
    generator_fit *f = NULL;
    fitting r;
    fit_settings settings = settings_of(&k, 3);
    generator_spec spec = spec_of("3-2", ACT_TANH, LOSS_CROSS_ENTROPY, "cheb:2", OMEGA_ONES, 300);
    fitting_open_with(&r, &spec, &settings, 300, 1);
    must(fit_run(r.f, NULL, &err), &err);
    settings.response.draws = 0;
    refused(fit_open(&f, &r.g, &settings, &r.p.data, &err), &err, "give --response-draws 64");
    err = (am_error){0};
    settings.response.draws = 257;
    refused(fit_open(&f, &r.g, &settings, &r.p.data, &err), &err, "at most 256");
    fitting_close(&r);
}
