/* The defaults of fits and refits: measured points, monotone between, user's values kept. */
#include "train/recipe.h"

#include <criterion/criterion.h>

static fit_settings recipe_of(descent_kind descent, int rank, int64_t steps)
{
    fit_settings fit = {.descent = descent, .steps = steps, .tilt = -1, .adam.warmup = -1};
    recipe_fit(&fit, rank);
    return fit;
}

Test(recipe, of_collocation_at_the_measured_lengths)
{
    fit_settings five = recipe_of(DESCENT_COLLOCATION, 6, 1953);
    cr_expect(five.draws == 8 && five.sets == 2);
    cr_expect_float_eq(five.stretch, 8 / 7.1, 1e-12);
    cr_expect(five.adam.rate == 5e-3 && five.adam.beta1 == 0.8 && five.adam.beta2 == 0.99);
    cr_expect(five.adam.warmup == 50 && five.tilt == 0.5);
    fit_settings twenty = recipe_of(DESCENT_COLLOCATION, 7, 7812);
    cr_expect_eq(twenty.draws, 10);
    cr_expect_float_eq(twenty.adam.rate, 3e-3, 2e-5);
    cr_expect_eq(twenty.tilt, 1.0);
}

Test(recipe, has_more_draws_than_features_and_smaller_steps_for_longer_runs)
{
    double rate = 1;
    for (int rank = 2; rank < 60; rank++)
        cr_expect_gt(recipe_of(DESCENT_COLLOCATION, rank, 100).draws, rank);
    for (int64_t steps = 1; steps < 1000000; steps *= 3) {
        fit_settings fit = recipe_of(DESCENT_COLLOCATION, 6, steps);
        cr_expect_leq(fit.adam.rate, rate);
        cr_expect(fit.tilt >= 0.5 && fit.tilt <= 1);
        cr_expect(fit.adam.warmup >= 0 && fit.adam.warmup <= AM_MAX(steps / 10, 0));
        rate = fit.adam.rate;
    }
}

Test(recipe, of_gradient_descent_shares_one_minibatch)
{
    fit_settings fit = recipe_of(DESCENT_GRADIENT, 25, 1953);
    cr_expect(fit.draws == 16 && fit.sets == 1 && fit.stretch == 1.0 && fit.tilt == 0.0);
    cr_expect(fit.adam.rate == 3e-3 && fit.adam.beta1 == 0.9 && fit.adam.beta2 == 0.999);
}

Test(recipe, keeps_what_the_user_gave)
{
    fit_settings fit = {.descent = DESCENT_COLLOCATION,
                        .steps = 1953,
                        .draws = 9,
                        .sets = 3,
                        .stretch = 1.5,
                        .tilt = 0,
                        .adam = {.rate = 1e-3, .beta1 = 0.5, .beta2 = 0.6, .warmup = 0}};
    recipe_fit(&fit, 6);
    cr_expect(fit.draws == 9 && fit.sets == 3 && fit.stretch == 1.5 && fit.tilt == 0);
    cr_expect(fit.adam.rate == 1e-3 && fit.adam.beta1 == 0.5 && fit.adam.beta2 == 0.6);
    cr_expect_eq(fit.adam.warmup, 0);
    optimiser adam = {.rate = 2e-3, .beta1 = 0.7, .beta2 = 0.8, .warmup = 7};
    recipe_refit(&adam, 1953);
    cr_expect(adam.rate == 2e-3 && adam.beta1 == 0.7 && adam.beta2 == 0.8 && adam.warmup == 7);
}

Test(recipe, of_refits_follows_the_same_rate)
{
    optimiser adam = {.warmup = -1};
    recipe_refit(&adam, 7812);
    cr_expect_float_eq(adam.rate, 3e-3, 2e-5);
    cr_expect(adam.beta1 == 0.9 && adam.beta2 == 0.99 && adam.warmup == 50);
}

Test(recipe, families_by_weights_and_groups)
{
    cr_expect_str_eq(recipe_features(false, 1), "cheb:5");
    cr_expect_str_eq(recipe_features(false, 2), "cheb:3");
    cr_expect_str_eq(recipe_features(false, 4), "cheb:2");
    cr_expect_str_eq(recipe_features(true, 1), "split:32,32,8");
}

static fit_settings labels_of(fit_mode mode, int rank, bool sees_omega, int64_t steps)
{
    fit_settings fit = {.mode = mode,
                        .descent = DESCENT_COLLOCATION,
                        .steps = steps,
                        .tilt = -1,
                        .label.warmup = -1,
                        .adam.warmup = -1};
    recipe_labels(&fit, rank, sees_omega);
    recipe_fit(&fit, rank);
    return fit;
}

Test(recipe, of_labels_costs_what_criterion_mode_does)
{
    fit_settings alone = labels_of(MODE_SUPERVISED, 6, false, 1953);
    cr_expect(alone.labels == 8 && alone.rounds == 2 && alone.warm == 0.3);
    cr_expect_eq(alone.labels, recipe_of(DESCENT_COLLOCATION, 6, 1953).draws);
    cr_expect(alone.label.rate == 5e-3 && alone.label.beta1 == 0.9 && alone.label.beta2 == 0.99);
    fit_settings hybrid = labels_of(MODE_HYBRID, 6, false, 1953);
    cr_expect(hybrid.labels == 8 && hybrid.rounds == 1 && hybrid.share == 0.8 &&
              hybrid.warm == 0.1);
    cr_expect(hybrid.draws == 8 && hybrid.sets == 2 && hybrid.adam.beta1 == 0.8);
}

Test(recipe, of_labels_is_for_more_of_them_where_omega_enters)
{
    cr_expect_eq(labels_of(MODE_SUPERVISED, 25, true, 1953).labels, 100);
    cr_expect_eq(labels_of(MODE_SUPERVISED, 25, false, 1953).labels, 34);
    cr_expect_eq(labels_of(MODE_HYBRID, 25, true, 1953).labels, 34);
    cr_expect_eq(labels_of(MODE_SUPERVISED, 129, true, 1953).labels, 256);
}

Test(recipe, of_labels_keeps_what_the_user_gave)
{
    fit_settings fit = {.mode = MODE_HYBRID,
                        .labels = 5,
                        .rounds = 3,
                        .share = 0.25,
                        .steps = 100,
                        .label = {.rate = 2e-3, .beta1 = 0.7, .beta2 = 0.8, .warmup = 7}};
    recipe_labels(&fit, 6, true);
    cr_expect(fit.labels == 5 && fit.rounds == 3 && fit.share == 0.25);
    cr_expect(fit.label.rate == 2e-3 && fit.label.beta1 == 0.7 && fit.label.beta2 == 0.8);
    cr_expect_eq(fit.label.warmup, 7);
}
