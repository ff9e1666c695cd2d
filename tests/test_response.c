/* The response to ω: its steps against a naive evaluation in double, its fixed point against the exact
 * derivative of a ridge regression, and the generator that carries it. */
#include "response/response.h"
#include "support/fitting.h"
#include "support/must.h"
#include "support/reference.h"
#include "support/response_scene.h"
#include "support/ridge.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 3, MOST = 40 };

/* ---- naive --------------------------------------------------------------------------------------- */

/* At θ: G (P,P) = (1/n) Σ JᵀHJ and the centred block gradients g (K,P), J by central differences. */
static void naive_parts(const response_scene *s, const double *theta, double *gauss,
                        double *gradient)
{
    const target *t = &s->g.spec.target;
    const am_rows *rows = &s->p.rows;
    int64_t params = t->params;
    int outputs = t->size[t->layers];
    const double step = 1e-5;
    memset(gauss, 0, sizeof *gauss * (size_t)(params * params));
    memset(gradient, 0, sizeof *gradient * (size_t)(BLOCKS * params));
    for (int64_t i = 0; i < rows->n; i++) {
        double jacobian[4][MOST], up[4], down[4], h[4][4], sum = 0.0;
        double shifted[MOST];
        memcpy(shifted, theta, sizeof *theta * (size_t)params);
        for (int64_t j = 0; j < params; j++) {
            shifted[j] = theta[j] + step;
            reference_forward(t, shifted, rows->floats + i * rows->inputs, up);
            double above = reference_loss(t, up, rows, i);
            shifted[j] = theta[j] - step;
            reference_forward(t, shifted, rows->floats + i * rows->inputs, down);
            double below = reference_loss(t, down, rows, i);
            shifted[j] = theta[j];
            for (int c = 0; c < outputs; c++)
                jacobian[c][j] = (up[c] - down[c]) / (2 * step);
            gradient[s->p.block[i] * params + j] += (above - below) / (2 * step * (double)rows->n);
        }
        reference_forward(t, theta, rows->floats + i * rows->inputs, up);
        for (int c = 0; c < outputs; c++)
            sum += exp(up[c]);
        for (int a = 0; a < outputs; a++)
            for (int b = 0; b < outputs; b++)
                h[a][b] = t->loss == LOSS_SQUARED
                              ? 2.0 * (a == b)
                              : exp(up[a]) / sum * ((a == b) - exp(up[b]) / sum);
        for (int64_t j = 0; j < params; j++)
            for (int64_t k = 0; k < params; k++)
                for (int a = 0; a < outputs; a++)
                    for (int b = 0; b < outputs; b++)
                        gauss[j * params + k] +=
                            jacobian[a][j] * h[a][b] * jacobian[b][k] / (double)rows->n;
    }
    for (int64_t j = 0; j < params; j++) {
        double mean = 0.0;
        for (int b = 0; b < BLOCKS; b++)
            mean += gradient[b * params + j] / BLOCKS;
        for (int b = 0; b < BLOCKS; b++)
            gradient[b * params + j] -= mean;
    }
}

/* One step of implicit Euler for block b: (M/Δτ + G + 2λ)(O⁺ − O) = −(g + (G + 2λ)O). */
static void naive_step(const response_scene *s, const double *gauss, const double *gradient,
                       const float *moment2, double lambda, double *state)
{
    int64_t params = s->g.spec.target.params;
    double matrix[MOST * MOST], side[MOST];
    for (int64_t j = 0; j < params; j++) {
        side[j] = -gradient[j] - 2.0 * lambda * state[j];
        for (int64_t k = 0; k < params; k++) {
            matrix[j * params + k] = gauss[j * params + k];
            side[j] -= gauss[j * params + k] * state[k];
        }
        double metric = sqrt((double)moment2[j] / 0.5) + 1e-3;
        matrix[j * params + j] += metric / s->time + 2.0 * lambda;
    }
    solve(matrix, side, (int)params);
    for (int64_t j = 0; j < params; j++)
        state[j] += side[j];
}

static void check_steps(const char *text, loss_kind loss)
{
    response_scene s;
    response_scene_open(&s, text, loss, 25, BLOCKS, 0, 60); /* conjugate gradients to the end */
    const target *t = &s.g.spec.target;
    int64_t params = t->params;
    cr_assert_leq(params, MOST);
    double *gauss = host_doubles(&s.d, params * params);
    double *gradient = host_doubles(&s.d, BLOCKS * params);
    double *state = host_doubles(&s.d, SCENE_NODES * BLOCKS * params);
    const float *moment2 = read_floats(&s.d, s.moment2, params);
    reference ref = reference_of(&s.d, &s.g);
    for (int snapshot = 0; snapshot < 2; snapshot++) {
        s.time = 0.7 + 0.5 * snapshot;
        response_scene_advance(&s, snapshot);
        for (int node = 0; node < SCENE_NODES; node++) {
            double u = node == 0 ? -1.0 : 1.0, c[3], theta[MOST];
            double lambda = node == 0 ? s.g.spec.lambda_low : s.g.spec.lambda_high;
            reference_features(&ref, &u, NULL, c);
            reference_theta(&ref, c, theta);
            naive_parts(&s, theta, gauss, gradient);
            for (int b = 0; b < BLOCKS; b++)
                naive_step(&s, gauss, gradient + b * params, moment2, lambda,
                           state + (node * BLOCKS + b) * params);
        }
        expect_close(&s.d, s.state, SCENE_NODES * BLOCKS * params, state, 2e-4);
    }
    response_scene_close(&s);
}

Test(response, its_steps_are_those_of_implicit_euler_in_adams_metric)
{
    check_steps("3-4-2", LOSS_CROSS_ENTROPY);
    check_steps("3-3-3-2", LOSS_SQUARED);
}

/* Many long steps at a fixed θ, that of a ridge regression: O_b is the derivative of its exact
 * solution by ω_b (among weights of mean 1), here by central differences of the closed form. */
Test(response, its_fixed_point_is_the_derivative_of_the_exact_solution)
{
    response_scene s;
    response_scene_open(&s, "4-1", LOSS_SQUARED, 31, BLOCKS, 0, 20);
    int64_t params = s.g.spec.target.params;
    float head[3 * 5] = {0};
    s.time = 1e3;
    double solution[5], up[5], down[5], *want = host_doubles(&s.d, BLOCKS * params);
    ridge_solution(&s.p, s.g.spec.lambda_high, NULL, solution);
    for (int i = 0; i < 5; i++)
        head[i] = (float)solution[i];
    generator_set_head(&s.g, head);
    for (int b = 0; b < BLOCKS; b++) {
        float more[BLOCKS], less[BLOCKS];
        for (int k = 0; k < BLOCKS; k++) { /* ω_b up, the mean kept */
            double move = 1e-2 * ((k == b) - 1.0 / BLOCKS);
            more[k] = (float)(1.0 + move);
            less[k] = (float)(1.0 - move);
        }
        ridge_solution(&s.p, s.g.spec.lambda_high, more, up);
        ridge_solution(&s.p, s.g.spec.lambda_high, less, down);
        for (int i = 0; i < 5; i++)
            want[b * 5 + i] = (up[i] - down[i]) / 2e-2;
    }
    for (int snapshot = 0; snapshot < 2; snapshot++)
        response_scene_advance(&s, snapshot);
    expect_close(&s.d, f32_at(s.state, BLOCKS * params), BLOCKS * params, want, 1e-3);
    response_scene_close(&s);
}

/* ---- the generator that carries it ----------------------------------------------------------------- */

/* After a fit: at ω = 1 the curve's networks, elsewhere what the state says, in every network. */
Test(response, the_generator_with_a_response_adds_it_to_the_curve)
{
    fitting r;
    am_error err = {0};
    generator full;
    recipe k = recipes[0];
    for (int i = 0; i < recipe_count; i++)
        if (recipes[i].response > 0 && !recipes[i].coarse)
            k = recipes[i];
    cr_assert_eq(k.response, 3);
    fitting_open(&r, &k, 12, 1);
    must(fit_run(r.f, NULL, &err), &err);
    must(fit_attach_response(r.f, &full, &err), &err);
    int64_t params = full.spec.target.params;
    cr_expect_str_eq(full.spec.features.text, "cheb:2+response:3");
    cr_assert_eq(full.f.features, 3 + 3 * 4);
    cr_assert_eq(full.networks, 2);
    const float omega[4] = {2, 0, 0.5f, 1.5f};
    const double low = full.spec.lambda_low; /* the first node */
    for (int e = 0; e < 2; e++) {
        generator one = generator_network(&full, e), base = generator_network(&r.g, e);
        generator *curve = generator_at_one(&full);
        generator seen = generator_network(curve, e);
        float *theta = host_floats(&r.d, params), *at_one = host_floats(&r.d, params);
        float *bare = host_floats(&r.d, params), *own = host_floats(&r.d, params);
        must(generator_weights(&base, 1, &low, NULL, bare, &err), &err);
        must(generator_weights(&seen, 1, &low, NULL, at_one, &err), &err);
        one.curve = NULL; /* through all features */
        must(generator_weights(&one, 1, &low, NULL, own, &err), &err);
        must(generator_weights(&one, 1, &low, omega, theta, &err), &err);
        const float *head = read_floats(&r.d, full.head, 2 * full.f.features * params);
        const float *answer = head + (e * full.f.features + 3) * params;
        double size = 0.0;
        for (int64_t i = 0; i < params; i++) {
            double want = (double)bare[i];
            for (int b = 0; b < 4; b++)
                want += ((double)omega[b] - 1.0) * (double)answer[b * params + i];
            cr_expect_float_eq((double)theta[i], want, 1e-5);
            cr_expect_eq(at_one[i], bare[i]);
            cr_expect_eq(own[i], bare[i]);
            size += pow(want - (double)bare[i], 2.0);
        }
        cr_expect_gt(size, 1e-8, "network %d has no response", e);
    }
    generator_close(&full);
    fitting_close(&r);
}
