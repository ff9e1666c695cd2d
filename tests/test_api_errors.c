/* The public interface: what is wrong is said, with the option or argument and the remedy. */
#include "support/api_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static api_rows rows;
static am_device *device;
static am_dataset *data;
static am_error err;

static void open_all(void)
{
    api_rows_fill(&rows, 7);
    device = api_device();
    data = api_dataset(&rows);
}

static void close_all(void)
{
    am_device_close(device);
    am_dataset_free(data);
}

TestSuite(api_errors, .init = open_all, .fini = close_all);

/* ---- NULL ------------------------------------------------------------------------------------ */

Test(api_errors, null_handles_are_named)
{
    am_model *model = NULL;
    am_choice choice;
    am_model_info info;
    double lambda = 1e-3;
    float theta[API_PARAMS];
    api_expect(am_fit(NULL, data, NULL, &model, &err), &err, AM_ERR_USAGE,
               "am_fit: device is NULL");
    api_expect(am_fit(device, NULL, NULL, &model, &err), &err, AM_ERR_USAGE, "am_dataset_load");
    api_expect(am_fit(device, data, NULL, NULL, &err), &err, AM_ERR_USAGE, "model is NULL");
    api_expect(am_model_load(device, NULL, &model, &err), &err, AM_ERR_USAGE, "path is NULL");
    api_expect(am_model_load(NULL, "m", &model, &err), &err, AM_ERR_USAGE, "am_device_open");
    api_expect(am_model_describe(NULL, &info, &err), &err, AM_ERR_USAGE, "model is NULL");
    api_expect(am_model_save(NULL, "m", &err), &err, AM_ERR_USAGE, "model is NULL");
    api_expect(am_model_attach(NULL, data, &err), &err, AM_ERR_USAGE, "model is NULL");
    api_expect(am_curve(NULL, NULL, NULL, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE, "model");
    api_expect(am_tune(NULL, NULL, &choice, NULL, &err), &err, AM_ERR_USAGE, "model is NULL");
    api_expect(am_sample(NULL, &lambda, 2, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE, "model");
    api_expect(am_weights(NULL, &lambda, NULL, theta, &err), &err, AM_ERR_USAGE, "model");
    api_expect(am_export(NULL, &lambda, NULL, "f", &err), &err, AM_ERR_USAGE, "model is NULL");
    api_expect(am_refit(device, data, NULL, 1, NULL, NULL, NULL, NULL, NULL, &err), &err,
               AM_ERR_USAGE, "lambda is NULL");
    api_expect(am_dataset_describe(NULL, NULL, &err), &err, AM_ERR_USAGE, "data is NULL");
    api_expect(am_dataset_from_arrays(NULL, NULL, &err), &err, AM_ERR_USAGE, "data is NULL");
    api_expect(am_device_describe(device, NULL, &err), &err, AM_ERR_USAGE, "info is NULL");
    api_expect(am_param_table(NULL, NULL, 0, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "data is NULL");
    cr_expect_eq(am_model_load(NULL, NULL, NULL, NULL), AM_ERR_USAGE, "err may be NULL");
    am_model_free(NULL);
    am_dataset_free(NULL);
    am_device_close(NULL);
    am_fit_options_default(NULL, sizeof(am_fit_options));
}

Test(api_errors, success_clears_the_error)
{
    am_device_info info;
    err = (am_error){AM_ERR_IO, "old"};
    cr_expect_eq(am_device_describe(device, &info, &err), AM_OK);
    cr_expect_eq(err.status, AM_OK);
    cr_expect_str_eq(err.message, "");
    cr_expect_str_eq(info.name, "cpu");
    cr_expect_eq(info.threads, 1);
    cr_expect_neq(info.model[0], '\0');
    setenv("OPENBLAS_CORETYPE", "Haswell", 1); /* a choice of the user's stands */
    cr_expect_eq(am_device_describe(device, &info, &err), AM_OK);
    cr_expect_str_eq(info.openblas_coretype, "");
}

/* ---- device and data ------------------------------------------------------------------------- */

Test(api_errors, devices)
{
    am_device *none = device;
    api_expect(am_device_open("gpu", 0, NULL, &none, &err), &err, AM_ERR_USAGE, "--device gpu");
    cr_expect_null(none);
    api_expect(am_device_open("cpu", -1, NULL, &none, &err), &err, AM_ERR_USAGE, "--threads -1");
    api_expect(am_device_open("cpu", 1, "fp16", &none, &err), &err, AM_ERR_USAGE,
               "give fp32, tf32 or bf16");
    api_expect(am_device_open("cpu", 1, "bf16", &none, &err), &err, AM_ERR_USAGE, "--device cuda");
}

Test(api_errors, sources)
{
    am_dataset *none = data;
    am_data_options o;
    am_data_options_default(&o, sizeof o);
    api_expect(am_dataset_load(&o, &none, &err), &err, AM_ERR_USAGE, "source is missing");
    cr_expect_null(none);
    api_expect(am_dataset_load(NULL, &none, &err), &err, AM_ERR_USAGE, "source is missing");
    o.source = "/nonexistent/table.csv";
    api_expect(am_dataset_load(&o, &none, &err), &err, AM_ERR_INPUT, "/nonexistent/table.csv");
    o.seed = -1;
    api_expect(am_dataset_load(&o, &none, &err), &err, AM_ERR_USAGE, "--seed -1");
    o.seed = 1;
    o.validation = 0;
    api_expect(am_dataset_load(&o, &none, &err), &err, AM_ERR_USAGE, "validation");
    o.validation = 0.1;
    o.task = "ranking";
    api_expect(am_dataset_load(&o, &none, &err), &err, AM_ERR_USAGE,
               "classification or regression");
}

static am_arrays arrays(void)
{
    am_arrays a;
    am_arrays_default(&a, sizeof a);
    a.rows = API_ROWS;
    a.inputs = API_INPUTS;
    a.x = &rows.x[0][0];
    a.label = rows.label;
    return a;
}

static void expect_refused(const am_arrays *a, am_status want, const char *text)
{
    am_dataset *none = data;
    api_expect(am_dataset_from_arrays(a, &none, &err), &err, want, text);
    cr_expect_null(none);
}

Test(api_errors, arrays_of_wrong_shape)
{
    am_arrays a = arrays();
    a.rows = 0;
    expect_refused(&a, AM_ERR_USAGE, "0 rows");
    a = arrays();
    a.inputs = -3;
    expect_refused(&a, AM_ERR_USAGE, "-3 inputs");
    a = arrays();
    a.x = NULL;
    expect_refused(&a, AM_ERR_USAGE, "without values");
    a = arrays();
    a.target = rows.target;
    expect_refused(&a, AM_ERR_USAGE, "both labels and targets");
    a = arrays();
    a.label = NULL;
    expect_refused(&a, AM_ERR_USAGE, "neither labels nor targets");
    a = arrays();
    a.test_rows = 5;
    expect_refused(&a, AM_ERR_USAGE, "test rows without");
    a = arrays();
    a.outputs = 1;
    expect_refused(&a, AM_ERR_USAGE, "two at least");
    a = arrays();
    a.validation = API_ROWS;
    expect_refused(&a, AM_ERR_USAGE, "for validation");
    a = arrays();
    a.size = 3;
    expect_refused(&a, AM_ERR_USAGE, "am_arrays_default");
}

Test(api_errors, arrays_of_wrong_values)
{
    am_arrays a = arrays();
    rows.x[4][1] = NAN;
    expect_refused(&a, AM_ERR_INPUT, "row 5, column 2 is NaN");
    rows.x[4][1] = INFINITY;
    expect_refused(&a, AM_ERR_INPUT, "row 5, column 2 is infinite");
    rows.x[4][1] = 0;
    rows.label[9] = -1;
    expect_refused(&a, AM_ERR_INPUT, "row 10 has label -1");
    rows.label[9] = 2;
    a.outputs = 2;
    expect_refused(&a, AM_ERR_INPUT, "there are 2 classes");
}

/* ---- options --------------------------------------------------------------------------------- */

static void expect_bad_fit(const am_fit_options *o, const char *text)
{
    am_model *none;
    api_expect(am_fit(device, data, o, &none, &err), &err, AM_ERR_USAGE, text);
    cr_expect_null(none);
}

/* One word that is none, option by option. */
Test(api_errors, words_of_fit)
{
    static const struct {
        size_t field;
        const char *message;
    } word[] = {
        {offsetof(am_fit_options, activation),
         "--activation odd: no such choice; give one of relu"},
        {offsetof(am_fit_options, penalty),
         "--penalty odd: no such choice; give one of scalar, layer"},
        {offsetof(am_fit_options, init), "--init odd: no such choice; give one of residual, paper"},
        {offsetof(am_fit_options, weights),
         "--weights odd: no such choice; give one of ones, dirichlet"},
        {offsetof(am_fit_options, mode), "--mode odd: no such choice; give one of criterion"},
        {offsetof(am_fit_options, descent),
         "--descent odd: no such choice; give one of auto, gradient"},
        {offsetof(am_fit_options, plan), "--plan odd: no such choice; give one of auto, direct"},
        {offsetof(am_fit_options, nodes),
         "--nodes odd: no such choice; give one of auto, stratified"},
        {offsetof(am_fit_options, schedule),
         "--schedule odd: no such choice; give one of constant"},
        {offsetof(am_fit_options, features), "features 'odd': give poly:D"},
        {offsetof(am_fit_options, target), "target 'odd': not a network; give layer sizes"},
    };
    for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
        am_fit_options o = api_fit_options();
        const char *odd = "odd";
        memcpy((char *)&o + word[i].field, &odd, sizeof odd);
        expect_bad_fit(&o, word[i].message);
    }
}

#define REFUSE(member, value, text)                                                                \
    do {                                                                                           \
        am_fit_options o_ = api_fit_options();                                                     \
        o_.member = (value);                                                                       \
        expect_bad_fit(&o_, text);                                                                 \
    } while (0)

Test(api_errors, numbers_of_fit)
{
    REFUSE(draws, -1, "--draws -1: out of range; give a whole number in 0..4096");
    REFUSE(minibatches, 3, "--minibatches 3: must divide the 8 draws");
    REFUSE(batch, 0, "--batch 0");
    REFUSE(steps, -1, "--steps -1");
    REFUSE(warmup, -2, "--warmup -2");
    REFUSE(blocks, -2, "--blocks -2");
    REFUSE(blocks, API_TRAIN + 1, "201 blocks");
    REFUSE(embedding, -1, "--embedding -1");
    REFUSE(seed, -1, "--seed -1");
    REFUSE(alpha, 0, "--alpha 0: out of range; give a number of at least 0.05");
    REFUSE(epochs, 0, "--epochs 0: out of range; give a number above 0");
    REFUSE(rate, NAN, "--rate");
    REFUSE(beta1, 1, "--beta1 1");
    REFUSE(beta2, -0.1, "--beta2 -0.1");
    REFUSE(clip, -1, "--clip -1");
    REFUSE(ridge, 0, "--ridge 0");
    REFUSE(stretch, 3, "--stretch 3");
    REFUSE(tilt, -2, "--tilt -2");
    REFUSE(checkpoint_seconds, -1, "--checkpoint-seconds -1");
    REFUSE(lambda_low, 0, "--lambda 0");
    REFUSE(lambda_knee, -0.5, "--lambda-knee -0.5: negative; give 0 or more, or -1");
    REFUSE(lambda_knee, NAN, "--lambda-knee");
    REFUSE(lambda_knee, INFINITY, "--lambda-knee inf");
    REFUSE(lambda_knee, 1e9, "more than 1e+09 times the range's low end");
    REFUSE(path, "fine-to-coarse", "--path fine-to-coarse: no such choice; give one of full, ");
    REFUSE(lambda_low, 1, "the range is reversed; give LOW:HIGH");
    REFUSE(lambda_low, 0.1, "the range is empty");
    REFUSE(target, "4-2", "needs 3 inputs and 2 outputs");
}

Test(api_errors, files_of_fit)
{
    am_fit_options o = api_fit_options();
    o.out = "/tmp";
    expect_bad_fit(&o, "is a folder; give a file name");
    am_model *none;
    o.out = "/proc/nowhere/model.safetensors";
    api_expect(am_fit(device, data, &o, &none, &err), &err, AM_ERR_IO, "/proc/nowhere");
    api_expect(am_model_load(device, "/nonexistent", &none, &err), &err, AM_ERR_INPUT,
               "/nonexistent");
    o.out = NULL;
    o.resume = 1;
    api_expect(am_fit(device, data, &o, &none, &err), &err, AM_ERR_INPUT,
               "no checkpoint to resume");
}

Test(api_errors, results_of_a_model)
{
    am_fit_options f = api_fit_options();
    am_model *model = api_fit(device, data, &f);
    double lambda = 5, nan = NAN, low = 1e-3, quantile = 2;
    float theta[API_PARAMS], omega[API_BLOCKS] = {1, 1, 1, 1, 1, 1, 1, 1};
    am_choice choice;
    api_expect(am_weights(model, &lambda, NULL, theta, &err), &err, AM_ERR_USAGE,
               "--lambda 5: outside the range 0.0001:0.1");
    api_expect(am_weights(model, &nan, NULL, theta, &err), &err, AM_ERR_USAGE, "outside the range");
    api_expect(am_weights(model, &low, omega, theta, &err), &err, AM_ERR_USAGE, "does not see ω");
    api_expect(am_export(model, &lambda, NULL, "/tmp/x", &err), &err, AM_ERR_USAGE, "outside");
    api_expect(am_export(model, &low, NULL, "/proc/x", &err), &err, AM_ERR_IO, "/proc/x");
    api_expect(am_sample(model, &low, 1, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE, "--draws 1");
    api_expect(am_sample(model, &lambda, 2, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE, "outside");
    am_curve_options curve;
    am_curve_options_default(&curve, sizeof curve);
    curve.points = 1;
    api_expect(am_curve(model, &curve, NULL, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "--points 1");
    curve.points = 2;
    curve.quantiles = 1;
    api_expect(am_curve(model, &curve, NULL, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "no values");
    curve.quantile = &quantile;
    api_expect(am_curve(model, &curve, NULL, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "in 0..1");
    am_tune_options tune;
    am_tune_options_default(&tune, sizeof tune);
    tune.rule = "best";
    api_expect(am_tune(model, &tune, &choice, NULL, &err), &err, AM_ERR_USAGE,
               "--select best: no such choice; give one of grid, one-se, gradient");
    tune.rule = NULL;
    tune.metric = "f1";
    api_expect(am_tune(model, &tune, &choice, NULL, &err), &err, AM_ERR_USAGE, "nll, accuracy");
    am_model_free(model);
}

Test(api_errors, refits)
{
    double lambda = 0, fine = 1e-3;
    float omega[API_BLOCKS] = {1, 1, -1, 1, 1, 1, 1, 1};
    am_metrics test;
    am_refit_options o;
    am_refit_options_default(&o, sizeof o);
    o.blocks = API_BLOCKS;
    api_expect(am_refit(device, data, &o, 0, &fine, NULL, NULL, NULL, NULL, &err), &err,
               AM_ERR_USAGE, "--models 0");
    api_expect(am_refit(device, data, &o, 1, &lambda, NULL, NULL, NULL, NULL, &err), &err,
               AM_ERR_USAGE, "lambda[0] = 0");
    api_expect(am_refit(device, data, &o, 1, &fine, omega, NULL, NULL, NULL, &err), &err,
               AM_ERR_USAGE, "omega[2] = -1");
    api_expect(am_refit(device, data, &o, 1, &fine, NULL, NULL, NULL, &test, &err), &err,
               AM_ERR_USAGE, "no test rows");
    o.schedule = "odd";
    api_expect(am_refit(device, data, &o, 1, &fine, NULL, NULL, NULL, NULL, &err), &err,
               AM_ERR_USAGE, "--schedule odd");
    api_expect(am_draw_weights(device, "odd", 1, 4, 2, 1, omega, &err), &err, AM_ERR_USAGE,
               "--weights odd");
    api_expect(am_draw_weights(device, NULL, 1, 0, 2, 1, omega, &err), &err, AM_ERR_USAGE,
               "--blocks 0");
}

/* ---- structs that grow ----------------------------------------------------------------------- */

Test(api_errors, older_and_newer_structs)
{
    am_fit_options o = api_fit_options();
    o.progress = (am_progress_function)(uintptr_t)1; /* beyond the size: never looked at */
    o.size = offsetof(am_fit_options, progress);
    am_model *model = api_fit(device, data, &o);
    am_model_free(model);
    o.size = sizeof o + 8;
    expect_bad_fit(&o, "am_fit_options_default");
    o.size = 0;
    expect_bad_fit(&o, "am_fit_options_default");

    char guarded[64];
    memset(guarded, 0x55, sizeof guarded);
    am_fit_options_default((am_fit_options *)(void *)guarded, 24);
    size_t size;
    memcpy(&size, guarded, sizeof size);
    cr_expect_eq(size, 24);
    for (int i = 24; i < 64; i++)
        cr_expect_eq(guarded[i], 0x55);
}
