/* uncertainty: hand-worked entropies, and the same of models in one go or row by row. */
#include "support/problem.h"
#include "tune/tune.h"
#include "tune/uncertainty.h"

#include "data_files.h"

#include <math.h>

static const double LN2 = 0.69314718055994531;

/* ---- one row --------------------------------------------------------------------------------- */

/* Two models that are each sure of another class: all doubt is disagreement. */
Test(uncertainty, of_models_that_disagree)
{
    const float p[] = {1, 0, 0, 1};
    row_uncertainty u = uncertainty_of(p, 2, 2, 2);
    cr_expect_float_eq(u.confidence, 0.5, 1e-15);
    cr_expect_float_eq(u.entropy, LN2, 1e-15);
    cr_expect_float_eq(u.expected, 0.0, 1e-15);
    cr_expect_float_eq(u.information, LN2, 1e-15);
}

/* Two models that agree to be unsure: none of it is. */
Test(uncertainty, of_models_that_agree)
{
    const float p[] = {0.25f, 0.75f, 0.25f, 0.75f};
    row_uncertainty u = uncertainty_of(p, 2, 2, 2);
    double h = 0.25 * 2 * LN2 + 0.75 * log(4.0 / 3.0);
    cr_expect_float_eq(u.confidence, 0.75, 1e-15);
    cr_expect_float_eq(u.entropy, h, 1e-15);
    cr_expect_float_eq(u.expected, h, 1e-15);
    cr_expect(u.information >= 0 && u.information < 1e-15);
}

/* p = (½, ½, 0) and (0, ½, ½): p̄ = (¼, ½, ¼), H(p̄) = 1.5 ln 2, each H(p) = ln 2. The other rows' values
 * between the models are not looked at. */
Test(uncertainty, between_the_two)
{
    const float p[] = {0.5f, 0.5f, 0, 9, 9, 9, 0, 0.5f, 0.5f};
    row_uncertainty u = uncertainty_of(p, 2, 6, 3);
    cr_expect_float_eq(u.confidence, 0.5, 1e-15);
    cr_expect_float_eq(u.entropy, 1.5 * LN2, 1e-15);
    cr_expect_float_eq(u.expected, LN2, 1e-15);
    cr_expect_float_eq(u.information, 0.5 * LN2, 1e-15);
    cr_expect_float_eq(doubt_of(&u, DOUBT_ENTROPY), 1.5 * LN2, 1e-15);
    cr_expect_float_eq(doubt_of(&u, DOUBT_INFORMATION), 0.5 * LN2, 1e-15);
    cr_expect_float_eq(doubt_of(&u, DOUBT_CONFIDENCE), 0.5, 1e-15);
}

/* Means 2 and 1; deviations ∓1, so the variance is 2 and the standard error of the mean 1. */
Test(uncertainty, summaries_have_standard_errors)
{
    const row_uncertainty row[] = {
        {.confidence = 0.5, .entropy = 1, .expected = 0.5, .information = 1},
        {.confidence = 0.7, .entropy = 3, .expected = 1.5, .information = 1}};
    uncertainty_summary s = uncertainty_summarise(row, 2);
    cr_expect_eq(s.rows, 2);
    cr_expect_float_eq(s.confidence, 0.6, 1e-15);
    cr_expect_float_eq(s.entropy, 2.0, 1e-15);
    cr_expect_float_eq(s.expected, 1.0, 1e-15);
    cr_expect_float_eq(s.entropy_se, 1.0, 1e-15);
    cr_expect_float_eq(s.information_se, 0.0, 1e-15);
    cr_expect(isnan(uncertainty_summarise(row, 1).entropy_se));
}

/* ---- models on rows -------------------------------------------------------------------------- */

enum { MODELS = 3, ROWS = 50, CLASSES = 4 };

/* The rows' uncertainty is that of the predictions, whatever the models; and 1 − confidence of the
 * predictive mean is what `evaluate` bins its calibration by. */
Test(uncertainty, of_models_is_that_of_their_predictions)
{
    device d = device_open();
    problem p = problem_open(&d, LOSS_CROSS_ENTROPY, ROWS, 5, CLASSES, 1, 21);
    target t;
    am_error err = {0};
    cr_assert_eq(target_parse("5-6-4", ACT_TANH, LOSS_CROSS_ENTROPY, &t, &err), AM_OK);
    float *theta = random_floats(&d, MODELS * t.params, 22);
    model_set set = {.be = d.be,
                     .t = &t,
                     .theta = device_floats(&d, MODELS * t.params, theta),
                     .models = MODELS};
    float prediction[MODELS * ROWS * CLASSES];
    row_uncertainty row[ROWS];
    cr_assert_eq(evaluate_predictions(&set, &p.data, prediction, &err), AM_OK, "%s", err.message);
    cr_assert_eq(uncertainty_measure(&set, &p.data, 0, row, &err), AM_OK, "%s", err.message);
    row_uncertainty part[ROWS];
    cr_assert_eq(uncertainty_measure(&set, &p.data, 7, part, &err), AM_OK, "%s", err.message);
    double confidence = 0.0, doubt = 0.0;
    for (int i = 0; i < ROWS; i++) {
        row_uncertainty want =
            uncertainty_of(prediction + i * CLASSES, MODELS, ROWS * CLASSES, CLASSES);
        cr_expect_eq(row[i].entropy, want.entropy);
        cr_expect_eq(row[i].information, want.information);
        cr_expect_eq(row[i].confidence, want.confidence);
        cr_expect_float_eq(part[i].entropy, want.entropy, 1e-6, "row %d, in parts of 7", i);
        confidence += row[i].confidence;
        doubt += row[i].information;
    }
    metrics mean;
    double binned = 0.0;
    cr_assert_eq(evaluate(&set, &p.data, NULL, &mean, &err), AM_OK);
    for (int b = 0; b < AM_ECE_BINS; b++)
        binned += mean.bin_confidence[b];
    cr_expect_float_eq(confidence, binned, 1e-5);
    cr_expect_gt(doubt / ROWS, 0.01, "random networks disagree");
    problem_close(&p);
    device_close(&d);
}

/* ---- the choice over draws ------------------------------------------------------------------- */

/* Of ten draws 1, 0, 5 and 4 choose the four λ. */
Test(uncertainty, quantiles_of_the_choice)
{
    double lambda[] = {1, 2, 3, 4};
    const int count[] = {1, 0, 5, 4}, none[4] = {0};
    tuning_curve curve = {.points = 4, .draws = 10, .lambda = lambda}, no_draws = {.points = 4};
    cr_expect_eq(select_quantile(&curve, count, 0.05), 1);
    cr_expect_eq(select_quantile(&curve, count, 0.1), 1);
    cr_expect_eq(select_quantile(&curve, count, 0.5), 3);
    cr_expect_eq(select_quantile(&curve, count, 0.6), 3);
    cr_expect_eq(select_quantile(&curve, count, 0.95), 4);
    cr_expect_eq(select_quantile(&curve, count, 0), 1, "a λ that some draw chose");
    cr_expect(isnan(select_quantile(&no_draws, none, 0.5)));
}
