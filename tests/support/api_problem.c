#include "support/api_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* In [−1, 1). */
static double next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) / 8388608.0 - 1.0;
}

void api_rows_fill(api_rows *rows, uint32_t seed)
{
    static const double scale[API_INPUTS] = {1.0, 10.0, 0.1}, shift[API_INPUTS] = {0.0, 5.0, -1.0};
    for (int i = 0; i < API_ROWS; i++) {
        double z[API_INPUTS];
        for (int c = 0; c < API_INPUTS; c++) {
            z[c] = next(&seed);
            rows->x[i][c] = (float)(scale[c] * z[c] + shift[c]);
        }
        double distance = z[0] + 0.5 * z[1] - z[2] + 0.2 * next(&seed);
        rows->label[i] = distance > 0;
        rows->target[i] = (float)distance;
    }
}

am_dataset *api_dataset(const api_rows *rows)
{
    am_error err;
    am_dataset *data;
    am_arrays a;
    am_arrays_default(&a, sizeof a);
    a.rows = API_ROWS;
    a.inputs = API_INPUTS;
    a.x = &rows->x[0][0];
    a.label = rows->label;
    a.validation = API_VALIDATION;
    cr_assert_eq(am_dataset_from_arrays(&a, &data, &err), AM_OK, "%s", err.message);
    return data;
}

am_device *api_device(void)
{
    am_error err;
    am_device *device;
    cr_assert_eq(am_device_open("cpu", 1, NULL, &device, &err), AM_OK, "%s", err.message);
    return device;
}

am_fit_options api_fit_options(void)
{
    am_fit_options o;
    am_fit_options_default(&o, sizeof o);
    o.target = "3-4-2";
    o.activation = "tanh";
    o.lambda_low = 1e-4;
    o.draws = 8;
    o.batch = 20;
    o.steps = 60;
    o.warmup = 5;
    o.rate = 0.05;
    o.blocks = API_BLOCKS;
    return o;
}

am_model *api_fit(am_device *device, am_dataset *data, const am_fit_options *options)
{
    am_error err;
    am_model *model;
    cr_assert_eq(am_fit(device, data, options, &model, &err), AM_OK, "%s", err.message);
    return model;
}

/* x normalised by the mean and the standard deviation (1/n) of the training rows. */
static void normalise(const api_rows *rows, const int64_t *order, int64_t row, double *z)
{
    for (int c = 0; c < API_INPUTS; c++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < API_TRAIN; i++)
            mean += (double)rows->x[order[i]][c] / API_TRAIN;
        for (int i = 0; i < API_TRAIN; i++)
            variance += pow((double)rows->x[order[i]][c] - mean, 2) / API_TRAIN;
        z[c] = ((double)rows->x[row][c] - mean) / sqrt(variance);
    }
}

/* logits = W2 tanh(W1 z + b1) + b2, θ = (W1, b1, W2, b2) */
static void forward(const float *theta, const double *z, double *logit)
{
    const float *w1 = theta, *b1 = w1 + API_HIDDEN * API_INPUTS, *w2 = b1 + API_HIDDEN,
                *b2 = w2 + API_CLASSES * API_HIDDEN;
    double hidden[API_HIDDEN];
    for (int h = 0; h < API_HIDDEN; h++) {
        double a = (double)b1[h];
        for (int c = 0; c < API_INPUTS; c++)
            a += (double)w1[h * API_INPUTS + c] * z[c];
        hidden[h] = tanh(a);
    }
    for (int k = 0; k < API_CLASSES; k++) {
        logit[k] = (double)b2[k];
        for (int h = 0; h < API_HIDDEN; h++)
            logit[k] += (double)w2[k * API_HIDDEN + h] * hidden[h];
    }
}

api_score api_judge(const api_rows *rows, const am_dataset *data, const float *theta)
{
    return api_judge_mean(rows, data, 1, &theta);
}

api_score api_judge_mean(const api_rows *rows, const am_dataset *data, int networks,
                         const float *const *theta)
{
    int64_t order[API_ROWS];
    api_score score = {0, 0};
    cr_assert_eq(am_dataset_order(data, order, NULL), AM_OK);
    for (int i = API_TRAIN; i < API_ROWS; i++) {
        double z[API_INPUTS], logit[API_CLASSES], p = 0.0;
        int32_t y = rows->label[order[i]];
        normalise(rows, order, order[i], z);
        for (int e = 0; e < networks; e++) {
            forward(theta[e], z, logit);
            p += 1.0 / (1.0 + exp(logit[1 - y] - logit[y])) / networks;
        }
        score.nll -= log(p);
        score.accuracy += p > 0.5;
    }
    score.nll /= API_VALIDATION;
    score.accuracy /= API_VALIDATION;
    return score;
}

void api_expect(am_status status, const am_error *err, am_status want, const char *text)
{
    cr_expect_eq(status, want, "%s instead of %s: %s", am_status_name(status), am_status_name(want),
                 err->message);
    cr_expect_eq(err->status, want);
    cr_expect(strstr(err->message, text) != NULL, "'%s' lacks '%s'", err->message, text);
    cr_expect(strchr(err->message, '\n') == NULL);
}
