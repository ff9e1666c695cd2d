/* The public interface: models on disk, checkpoints, progress, lifetimes of handles. */
#include "support/api_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static api_rows rows;
static am_device *device;
static am_dataset *data;
static char folder[] = "/tmp/amortune-api-XXXXXX";
static char model_path[256], checkpoint_path[300], csv_path[256];

static void open_all(void)
{
    api_rows_fill(&rows, 11);
    device = api_device();
    data = api_dataset(&rows);
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(model_path, sizeof model_path, "%s/model.safetensors", folder);
    snprintf(checkpoint_path, sizeof checkpoint_path, "%s.checkpoint", model_path);
    snprintf(csv_path, sizeof csv_path, "%s/table.csv", folder);
}

static void close_all(void)
{
    am_device_close(device);
    am_dataset_free(data);
    unlink(model_path);
    unlink(checkpoint_path);
    unlink(csv_path);
    cr_expect_eq(rmdir(folder), 0, "a file was left behind");
}

TestSuite(api_files, .init = open_all, .fini = close_all);

static void write_csv(void)
{
    FILE *f = fopen(csv_path, "w");
    cr_assert(f != NULL);
    fprintf(f, "a,b,c,class\n");
    for (int i = 0; i < API_ROWS; i++)
        fprintf(f, "%.9g,%.9g,%.9g,%s\n", (double)rows.x[i][0], (double)rows.x[i][1],
                (double)rows.x[i][2], rows.label[i] ? "yes" : "no");
    fclose(f);
}

static void weights_at(am_model *model, double lambda, float theta[API_PARAMS])
{
    am_error err;
    cr_assert_eq(am_weights(model, &lambda, NULL, theta, &err), AM_OK, "%s", err.message);
}

static void expect_same_weights(am_model *a, am_model *b)
{
    static const double lambda[] = {1e-4, 3e-3, 1e-1};
    for (int i = 0; i < 3; i++) {
        float one[API_PARAMS], other[API_PARAMS];
        weights_at(a, lambda[i], one);
        weights_at(b, lambda[i], other);
        cr_expect_eq(memcmp(one, other, sizeof one), 0, "at λ = %g", lambda[i]);
    }
}

/* ---- models ---------------------------------------------------------------------------------- */

Test(api_files, a_loaded_model_is_the_saved_one)
{
    am_fit_options o = api_fit_options();
    o.out = model_path;
    am_model *model = api_fit(device, data, &o), *loaded;
    am_error err;
    am_model_info info;
    am_choice was, is;
    cr_expect_neq(access(checkpoint_path, F_OK), 0);
    cr_assert_eq(am_model_load(device, model_path, &loaded, &err), AM_OK, "%s", err.message);
    expect_same_weights(model, loaded);
    cr_assert_eq(am_model_describe(loaded, &info, NULL), AM_OK);
    cr_expect(!info.has_data && isnan(info.fit_loss) && info.plan[0] == '\0');
    api_expect(am_tune(loaded, NULL, &is, NULL, &err), &err, AM_ERR_USAGE, "am_model_attach");
    api_expect(am_model_attach(loaded, NULL, &err), &err, AM_ERR_USAGE, "rows in memory");
    cr_assert_eq(am_model_attach(loaded, data, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_tune(model, NULL, &was, NULL, NULL), AM_OK);
    cr_assert_eq(am_tune(loaded, NULL, &is, NULL, NULL), AM_OK);
    cr_expect_float_eq(is.lambda[0], was.lambda[0], 0);
    cr_expect_float_eq(is.value, was.value, 0);
    unlink(model_path);
    cr_assert_eq(am_model_save(loaded, model_path, &err), AM_OK, "%s", err.message);
    cr_expect_eq(access(model_path, F_OK), 0);
    am_model_free(model);
    am_model_free(loaded);
}

Test(api_files, other_rows_are_refused)
{
    static api_rows others;
    api_rows_fill(&others, 99);
    am_dataset *wrong = api_dataset(&others);
    am_fit_options o = api_fit_options();
    am_model *model = api_fit(device, data, &o);
    am_choice choice;
    am_error err;
    api_expect(am_model_attach(model, wrong, &err), &err, AM_ERR_INPUT, "normalised otherwise");
    api_expect(am_tune(model, NULL, &choice, NULL, &err), &err, AM_ERR_USAGE, "am_model_attach");
    cr_expect_eq(am_model_attach(model, data, &err), AM_OK, "%s", err.message);
    am_dataset_free(wrong);
    am_model_free(model);
}

Test(api_files, a_model_finds_its_csv_again)
{
    write_csv();
    am_error err;
    am_data_options from;
    am_data_options_default(&from, sizeof from);
    from.source = csv_path;
    from.seed = 5; /* another than the fit's */
    am_dataset *table;
    cr_assert_eq(am_dataset_load(&from, &table, &err), AM_OK, "%s", err.message);
    cr_expect_str_eq(am_dataset_class_name(table, 1), "yes");
    cr_expect_null(am_dataset_class_name(table, 2));
    am_fit_options o = api_fit_options();
    o.out = model_path;
    o.weights = "dirichlet";
    o.features = "cheb:2";
    am_model *model = api_fit(device, table, &o), *loaded;
    am_metrics was[2], is[2];
    am_curve_options two;
    am_curve_options_default(&two, sizeof two);
    two.points = 2;
    cr_assert_eq(am_curve(model, &two, NULL, was, NULL, NULL, NULL), AM_OK);
    cr_assert_eq(am_model_load(device, model_path, &loaded, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_model_attach(loaded, NULL, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_curve(loaded, &two, NULL, is, NULL, NULL, NULL), AM_OK);
    cr_expect_eq(memcmp(was, is, sizeof was), 0);
    am_model_free(model);
    am_model_free(loaded);
    am_dataset_free(table);
}

Test(api_files, a_model_outlives_its_handles)
{
    am_fit_options o = api_fit_options();
    am_model *model = api_fit(device, data, &o);
    am_choice before, after;
    cr_assert_eq(am_tune(model, NULL, &before, NULL, NULL), AM_OK);
    am_device_close(device);
    am_dataset_free(data);
    device = NULL;
    data = NULL;
    cr_assert_eq(am_tune(model, NULL, &after, NULL, NULL), AM_OK);
    cr_expect_float_eq(after.value, before.value, 0);
    am_model_free(model);
}

/* ---- progress and checkpoints ---------------------------------------------------------------- */

typedef struct {
    int calls;
    int64_t stop_at, last; /* steps */
} watch;

static int look(void *context, const am_progress *p)
{
    watch *w = context;
    cr_expect(p->step > w->last && p->step <= p->total && p->total == 60);
    cr_expect(isfinite(p->loss) && p->norm >= 0 && p->seconds >= 0);
    cr_expect_str_eq(p->task, "fit");
    w->last = p->step;
    w->calls++;
    return w->stop_at > 0 && p->step >= w->stop_at;
}

Test(api_files, a_stopped_run_resumes_to_the_same_bits)
{
    am_fit_options o = api_fit_options();
    am_model *whole = api_fit(device, data, &o), *resumed;
    watch w = {.stop_at = 23};
    am_error err;
    o.out = model_path;
    o.progress = look;
    o.context = &w;
    api_expect(am_fit(device, data, &o, &resumed, &err), &err, AM_ERR_INTERRUPT,
               "stopped at step 23");
    cr_expect_null(resumed);
    cr_expect_eq(w.last, 23);
    cr_expect_eq(access(checkpoint_path, F_OK), 0);
    cr_expect_neq(access(model_path, F_OK), 0);

    w = (watch){.last = 23};
    o.resume = 1;
    o.seed = 2;
    api_expect(am_fit(device, data, &o, &resumed, &err), &err, AM_ERR_USAGE, "another run");
    o.seed = 1;
    resumed = api_fit(device, data, &o);
    cr_expect_eq(w.last, 60);
    cr_expect_neq(access(checkpoint_path, F_OK), 0, "the checkpoint is no longer needed");
    expect_same_weights(whole, resumed);
    am_model_free(whole);
    am_model_free(resumed);
}

Test(api_files, stopping_at_the_last_step_is_finishing)
{
    am_fit_options o = api_fit_options();
    watch w = {.stop_at = 60};
    o.progress = look;
    o.context = &w;
    am_model *model = api_fit(device, data, &o);
    cr_expect_eq(w.calls, 60, "60 steps are too few for chunks of more than one");
    am_model_free(model);
}

Test(api_files, a_checkpoint_of_its_own_stays_until_the_model_is_written)
{
    am_fit_options o = api_fit_options();
    watch w = {.stop_at = 10};
    am_model *model;
    o.checkpoint = checkpoint_path;
    o.progress = look;
    o.context = &w;
    cr_expect_eq(am_fit(device, data, &o, &model, NULL), AM_ERR_INTERRUPT);
    o.progress = NULL;
    o.resume = 1;
    model = api_fit(device, data, &o);
    cr_expect_eq(access(checkpoint_path, F_OK), 0);
    am_model_free(model);
}

Test(api_files, a_run_that_diverges_says_so)
{
    am_fit_options o = api_fit_options();
    am_model *model;
    am_error err;
    o.rate = 1e3;
    o.activation = "relu";
    o.lambda_high = 1e6;
    o.warmup = 0;
    api_expect(am_fit(device, data, &o, &model, &err), &err, AM_ERR_DIVERGED, "--rate");
    cr_expect_null(model);
}
