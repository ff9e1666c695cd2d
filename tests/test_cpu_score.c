/* score and softmax. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { COUNT = SCORE_BINS, CONFIDENCE = COUNT + AM_ECE_BINS, RIGHT = CONFIDENCE + AM_ECE_BINS };

/* Model 1: p = (¼, ¾), y = 1: right, confidence ¾ → bin ⌈11.25⌉−1 = 11, Brier 2/16
 *          p = (⅘, ⅕)·…: logits (ln 9, 0) → (0.9, 0.1), y = 1: wrong, bin ⌈13.5⌉−1 = 13, Brier 1.62
 * Model 2: p = (½, ½) twice: argmax is the first of equals, bin ⌈7.5⌉−1 = 7. */
Test(cpu_score, logits_worked_by_hand)
{
    device d = device_open();
    const float ln3 = 1.0986123F, ln9 = 2.1972246F;
    score_args a = {.kind = LOSS_CROSS_ENTROPY,
                    .models = 2,
                    .rows = 2,
                    .outputs = 2,
                    .output = device_floats(&d, 8, (float[]){0, ln3, ln9, 0, 5, 5, -9, -9}),
                    .label = device_ints(&d, 2, (int32_t[]){1, 1}),
                    .score = device_doubles(&d, 2 * AM_SCORE_COLUMNS, NULL)};
    d.op->score(d.be, &a);
    double want[2 * AM_SCORE_COLUMNS] = {0}, *w = want;
    double first = log(4.0 / 3.0), second = log(10.0);
    w[SCORE_NLL] = first + second;
    w[SCORE_NLL2] = first * first + second * second;
    w[SCORE_CORRECT] = 1;
    w[SCORE_BRIER] = 0.125 + 1.62;
    w[COUNT + 11] = w[RIGHT + 11] = 1;
    w[CONFIDENCE + 11] = 0.75;
    w[COUNT + 13] = 1;
    w[CONFIDENCE + 13] = 0.9;
    w += AM_SCORE_COLUMNS;
    w[SCORE_NLL] = 2 * log(2.0);
    w[SCORE_NLL2] = 2 * log(2.0) * log(2.0);
    w[SCORE_BRIER] = 1;
    w[COUNT + 7] = 2;
    w[CONFIDENCE + 7] = 1;
    expect_doubles(&d, a.score, 2 * AM_SCORE_COLUMNS, want, 5e-7);
    d.op->score(d.be, &a); /* a second tile is added to the first */
    for (int i = 0; i < 2 * AM_SCORE_COLUMNS; i++)
        want[i] *= 2;
    expect_doubles(&d, a.score, 2 * AM_SCORE_COLUMNS, want, 1e-6);
    device_close(&d);
}

/* Upper edges belong to their bin: 0.2 = 3/15 → bin 2, 1 → bin 14; p_y = 0 costs −log FLT_MIN. */
Test(cpu_score, probabilities_worked_by_hand)
{
    device d = device_open();
    const float p[16] = {0.2F, 0.2F, 0.2F, 0.2F, 1, 0, 0, 0, 1, 0, 0, 0, 0.25F, 0.5F, 0.25F, 0};
    score_args a = {.kind = LOSS_CROSS_ENTROPY,
                    .probabilities = true,
                    .models = 1,
                    .rows = 4,
                    .outputs = 4,
                    .output = device_floats(&d, 16, p),
                    .label = device_ints(&d, 4, (int32_t[]){0, 0, 1, 1}),
                    .score = device_doubles(&d, AM_SCORE_COLUMNS, NULL)};
    d.op->score(d.be, &a);
    double want[AM_SCORE_COLUMNS] = {0}, least = -log((double)FLT_MIN);
    want[SCORE_NLL] = log(5.0) + 0 + least + log(2.0);
    want[SCORE_NLL2] = log(5.0) * log(5.0) + least * least + log(2.0) * log(2.0);
    want[SCORE_CORRECT] = 3;
    want[SCORE_BRIER] = (0.64 + 3 * 0.04) + 0 + 2 + (0.0625 + 0.25 + 0.0625);
    want[COUNT + 2] = want[RIGHT + 2] = 1;
    want[CONFIDENCE + 2] = 0.2;
    want[COUNT + 14] = want[CONFIDENCE + 14] = 2;
    want[RIGHT + 14] = 1;
    want[COUNT + 7] = want[RIGHT + 7] = 1;
    want[CONFIDENCE + 7] = 0.5;
    expect_doubles(&d, a.score, AM_SCORE_COLUMNS, want, 1e-6);
    device_close(&d);
}

/* Errors (1 2) and (0 −1): 5 and 1; their squares 25 and 1. */
Test(cpu_score, squared_error_worked_by_hand)
{
    device d = device_open();
    score_args a = {.kind = LOSS_SQUARED,
                    .models = 1,
                    .rows = 2,
                    .outputs = 2,
                    .output = device_floats(&d, 4, (float[]){1, 2, 3, 4}),
                    .target = device_floats(&d, 4, (float[]){0, 0, 3, 5}),
                    .score = device_doubles(&d, AM_SCORE_COLUMNS, NULL)};
    d.op->score(d.be, &a);
    double want[AM_SCORE_COLUMNS] = {[SCORE_NLL] = 6, [SCORE_NLL2] = 26};
    expect_doubles(&d, a.score, AM_SCORE_COLUMNS, want, 0.0);
    device_close(&d);
}

static double naive_probability(const float *logits, int outputs, int which)
{
    double sum = 0.0;
    for (int c = 0; c < outputs; c++)
        sum += exp((double)logits[c] - (double)logits[which]);
    return 1.0 / sum;
}

Test(cpu_score, awkward_shapes_against_definition)
{
    const int shape[][3] = {{1, 1, 1}, {3, 257, 10}, {2, 31, 33}, {31, 33, 257}};
    for (int s = 0; s < 4; s++) {
        device d = device_open();
        int models = shape[s][0], rows = shape[s][1], outputs = shape[s][2];
        int64_t n = (int64_t)models * rows * outputs;
        const float *o = random_floats(&d, n, 1), *u = random_floats(&d, rows, 2);
        int32_t *label = (int32_t *)(void *)host_floats(&d, rows);
        for (int r = 0; r < rows; r++)
            label[r] = (int32_t)((double)(u[r] + 1) / 2.0 * outputs);
        score_args a = {.kind = LOSS_CROSS_ENTROPY,
                        .models = models,
                        .rows = rows,
                        .outputs = outputs,
                        .output = device_floats(&d, n, o),
                        .label = device_ints(&d, rows, label),
                        .score = device_doubles(&d, models * AM_SCORE_COLUMNS, NULL)};
        d.op->score(d.be, &a);
        const double *score = read_doubles(&d, a.score, models * AM_SCORE_COLUMNS);
        for (int m = 0; m < models; m++, score += AM_SCORE_COLUMNS) {
            double nll = 0.0, nll2 = 0.0, brier = 0.0, right = 0.0, confidence = 0.0, counted = 0.0;
            for (int r = 0; r < rows; r++) {
                const float *row = o + ((int64_t)m * rows + r) * outputs;
                double best = 0.0, own = naive_probability(row, outputs, label[r]);
                for (int c = 0; c < outputs; c++) {
                    double p = naive_probability(row, outputs, c);
                    best = fmax(best, p);
                    brier += (p - (c == label[r])) * (p - (c == label[r]));
                }
                nll -= log(own);
                nll2 += log(own) * log(own);
                right += own == best;
                confidence += best;
            }
            cr_assert_float_eq(score[SCORE_NLL], nll, 1e-6 * nll + 1e-12);
            cr_assert_float_eq(score[SCORE_NLL2], nll2, 1e-6 * nll2 + 1e-12);
            cr_assert_float_eq(score[SCORE_BRIER], brier, 1e-6 * brier + 1e-12);
            cr_assert_eq(score[SCORE_CORRECT], right);
            for (int b = 0; b < AM_ECE_BINS; b++) {
                counted += score[COUNT + b];
                confidence -= score[CONFIDENCE + b];
                right -= score[RIGHT + b];
            }
            cr_assert_eq(counted, rows);
            cr_assert_eq(right, 0.0);
            cr_assert_float_eq(confidence, 0.0, 1e-6 * rows);
        }
        device_close(&d);
    }
}

/* (0, ln 3) → (¼, ¾); (ln 3, 0) → (¾, ¼); their mean (½, ½). */
Test(cpu_score, softmax_and_its_mean_worked_by_hand)
{
    device d = device_open();
    const float ln3 = 1.0986123F, want[4] = {0.25F, 0.75F, 0.75F, 0.25F};
    dev_f32 *logits = device_floats(&d, 4, (float[]){0, ln3, ln3, 0});
    softmax_args a = {.models = 2,
                      .rows = 1,
                      .outputs = 2,
                      .logits = logits,
                      .probability = device_floats(&d, 4, NULL),
                      .mean = device_floats(&d, 2, NULL)};
    d.op->softmax(d.be, &a);
    expect_floats(&d, a.probability, 4, want, 1e-7);
    expect_floats(&d, a.mean, 2, (float[]){0.5F, 0.5F}, 1e-7);

    a.probability = NULL; /* the mean alone */
    a.mean = device_floats(&d, 2, NULL);
    d.op->softmax(d.be, &a);
    expect_floats(&d, a.mean, 2, (float[]){0.5F, 0.5F}, 1e-7);
    expect_floats(&d, logits, 4, (float[]){0, ln3, ln3, 0}, 0.0);

    a.mean = NULL; /* in place */
    a.probability = logits;
    d.op->softmax(d.be, &a);
    expect_floats(&d, logits, 4, want, 1e-7);
    device_close(&d);
}

Test(cpu_score, softmax_of_awkward_shapes_against_definition)
{
    const int shape[][3] = {{1, 1, 1}, {3, 257, 10}, {33, 31, 33}, {2, 33, 257}};
    for (int s = 0; s < 4; s++) {
        device d = device_open();
        int models = shape[s][0], rows = shape[s][1], outputs = shape[s][2];
        int64_t per_model = (int64_t)rows * outputs, n = models * per_model;
        float *o = random_floats(&d, n, 1);
        for (int64_t i = 0; i < n; i++)
            o[i] *= 30; /* some probabilities are far below FLT_EPSILON */
        softmax_args a = {.models = models,
                          .rows = rows,
                          .outputs = outputs,
                          .logits = device_floats(&d, n, o),
                          .probability = device_floats(&d, n, NULL),
                          .mean = device_floats(&d, per_model, NULL)};
        d.op->softmax(d.be, &a);
        double *want = host_doubles(&d, n), *mean = host_doubles(&d, per_model);
        const float *got = read_floats(&d, a.probability, n);
        for (int64_t i = 0; i < n; i++) {
            want[i] = naive_probability(o + i / outputs * outputs, outputs, (int)(i % outputs));
            mean[i % per_model] += want[i] / models;
            /* o − max is rounded to a float: half an ulp of some −log p in the exponent */
            double tolerance = want[i] * (3e-7 - 0x1p-24 * log(want[i]));
            cr_assert(fabs((double)got[i] - want[i]) <= tolerance, "[%lld] is %.9g, not %.9g",
                      (long long)i, (double)got[i], want[i]);
        }
        expect_close(&d, a.mean, per_model, mean, 1e-6);
        device_close(&d);
    }
}
