/* The public interface: predictions on rows from anywhere, the audit. */
#include "support/api_problem.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static api_rows rows;
static am_device *device;
static am_dataset *data;
static am_error err;

static void open_all(void)
{
    scratch_make();
    api_rows_fill(&rows, 7);
    device = api_device();
    data = api_dataset(&rows);
}

static void close_all(void)
{
    am_device_close(device);
    am_dataset_free(data);
    scratch_remove();
}

TestSuite(api_predict, .init = open_all, .fini = close_all);
TestSuite(api_audit, .init = open_all, .fini = close_all);

static am_model *model_of(const char *posterior, int networks)
{
    am_fit_options o = api_fit_options();
    o.posterior = posterior;
    o.networks = networks;
    return api_fit(device, data, &o);
}

/* ---- predictions ----------------------------------------------------------------------------- */

enum { D = 2 };

/* Predictions of the validation rows, as measured, have the loss that θ has there. */
Test(api_predict, rows_as_measured)
{
    am_model *model = model_of("none", 1);
    double lambda[D] = {1e-3, 1e-2};
    float theta[API_PARAMS], x[API_VALIDATION][API_INPUTS];
    float p[D][API_VALIDATION][API_CLASSES], logit[D][API_VALIDATION][API_CLASSES];
    int64_t order[API_ROWS];
    cr_assert_eq(am_dataset_order(data, order, &err), AM_OK);
    for (int i = 0; i < API_VALIDATION; i++)
        memcpy(x[i], rows.x[order[API_TRAIN + i]], sizeof x[i]);
    cr_assert_eq(
        am_predict(model, D, lambda, NULL, NULL, API_VALIDATION, x[0], p[0][0], logit[0][0], &err),
        AM_OK, "%s", err.message);
    for (int d = 0; d < D; d++) {
        double nll = 0;
        for (int i = 0; i < API_VALIDATION; i++) {
            nll -= log((double)p[d][i][rows.label[order[API_TRAIN + i]]]) / API_VALIDATION;
            double odds = (double)logit[d][i][1] - (double)logit[d][i][0];
            cr_expect_float_eq(p[d][i][1], 1 / (1 + exp(-odds)), 1e-6);
            cr_expect_float_eq(p[d][i][0] + p[d][i][1], 1, 1e-6);
        }
        cr_assert_eq(am_weights(model, &lambda[d], NULL, theta, &err), AM_OK);
        cr_expect_float_eq(nll, api_judge(&rows, data, theta).nll, 1e-5);
    }
    am_model_free(model);
}

/* θ of a draw predicts what the generator predicts there. */
Test(api_predict, by_weights_or_by_penalty)
{
    am_model *model = model_of("implicit", 1);
    double lambda = 1e-3;
    float omega[API_BLOCKS], theta[API_PARAMS], a[9][API_CLASSES], b[9][API_CLASSES];
    cr_assert_eq(am_draw_weights(device, NULL, 1, API_BLOCKS, 1, 3, omega, &err), AM_OK);
    cr_assert_eq(am_weights(model, &lambda, omega, theta, &err), AM_OK);
    cr_assert_eq(am_predict(model, 1, &lambda, omega, NULL, 9, rows.x[0], NULL, a[0], &err), AM_OK,
                 "%s", err.message);
    cr_assert_eq(am_predict(model, 1, NULL, NULL, theta, 9, rows.x[0], NULL, b[0], &err), AM_OK,
                 "%s", err.message);
    for (int i = 0; i < 9; i++)
        for (int c = 0; c < API_CLASSES; c++)
            cr_expect_float_eq(a[i][c], b[i][c], 1e-5);
    am_model_free(model);
}

Test(api_predict, needs_no_data_and_averages_networks)
{
    am_model *model = model_of("none", 2), *loaded;
    double lambda = 1e-3;
    float want[5][API_CLASSES], got[5][API_CLASSES];
    cr_assert_eq(am_model_save(model, scratch("m"), &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_model_load(device, scratch("m"), &loaded, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_predict(model, 1, &lambda, NULL, NULL, 5, rows.x[0], want[0], NULL, &err),
                 AM_OK);
    cr_assert_eq(am_predict(loaded, 1, &lambda, NULL, NULL, 5, rows.x[0], got[0], NULL, &err),
                 AM_OK);
    cr_expect_eq(memcmp(want, got, sizeof want), 0);
    api_expect(am_predict(model, 1, &lambda, NULL, NULL, 5, rows.x[0], NULL, got[0], &err), &err,
               AM_ERR_USAGE, "no logits in common");
    am_model_free(loaded);
    am_model_free(model);
}

Test(api_predict, says_what_is_wrong)
{
    am_model *model = model_of("none", 1);
    double lambda = 1e-3, outside = 7;
    float theta[API_PARAMS] = {0}, p[2][API_CLASSES], omega[API_BLOCKS] = {0};
    float x[2][API_INPUTS] = {{1, 2, 3}, {1, INFINITY, 3}};
    api_expect(am_predict(NULL, 1, &lambda, NULL, NULL, 1, x[0], p[0], NULL, &err), &err,
               AM_ERR_USAGE, "model is NULL");
    api_expect(am_predict(model, 1, &lambda, NULL, NULL, 1, NULL, p[0], NULL, &err), &err,
               AM_ERR_USAGE, "x is NULL");
    api_expect(am_predict(model, 1, NULL, NULL, NULL, 1, x[0], p[0], NULL, &err), &err,
               AM_ERR_USAGE, "neither lambda nor theta");
    api_expect(am_predict(model, 1, &lambda, NULL, theta, 1, x[0], p[0], NULL, &err), &err,
               AM_ERR_USAGE, "both lambda and theta");
    api_expect(am_predict(model, 1, NULL, omega, theta, 1, x[0], p[0], NULL, &err), &err,
               AM_ERR_USAGE, "omega with theta");
    api_expect(am_predict(model, 1, &lambda, omega, NULL, 1, x[0], p[0], NULL, &err), &err,
               AM_ERR_USAGE, "does not see ω");
    api_expect(am_predict(model, 1, &outside, NULL, NULL, 1, x[0], p[0], NULL, &err), &err,
               AM_ERR_USAGE, "outside the range");
    api_expect(am_predict(model, 1, &lambda, NULL, NULL, 0, x[0], p[0], NULL, &err), &err,
               AM_ERR_USAGE, "--rows 0");
    api_expect(am_predict(model, 1, &lambda, NULL, NULL, 2, x[0], p[0], NULL, &err), &err,
               AM_ERR_INPUT, "row 2, column 2 is infinite");
    cr_expect_eq(am_predict(model, 1, &lambda, NULL, NULL, 1, x[0], NULL, NULL, &err), AM_OK);
    am_model_free(model);
}

/* ---- audit ----------------------------------------------------------------------------------- */

enum { N = 3 };

static am_audit_options small_audit(const double *lambda)
{
    am_audit_options o;
    am_audit_options_default(&o, sizeof o);
    cr_expect(o.points == 20 && o.repeats == 3 && o.draws == 20 && o.seed == 1 && o.lambdas == 0);
    o.points = N;
    o.repeats = 1;
    o.draws = 3;
    o.lambdas = 1;
    o.lambda = lambda;
    return o;
}

Test(api_audit, holds_the_curve_against_refits_and_keeps_them)
{
    am_model *model = model_of("implicit", 1);
    double lambda = 1e-3, at[N];
    am_audit_summary s, again;
    am_audit_point point[N];
    am_metrics curve[N];
    am_audit_options o = small_audit(&lambda);
    am_curve_options c;
    am_curve_options_default(&c, sizeof c);
    c.points = N;
    o.cache = scratch_folder();
    cr_assert_eq(am_audit(model, &o, &s, point, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_curve(model, &c, at, curve, NULL, NULL, &err), AM_OK);
    for (int i = 0; i < N; i++) {
        cr_expect_eq(point[i].lambda, at[i]);
        cr_expect_eq(point[i].generator.nll, curve[i].nll);
        cr_expect(isfinite(point[i].refit_nll) && point[i].refit_accuracy <= 1);
        cr_expect(point[i].criterion > 0 && point[i].refit_criterion > 0);
    }
    cr_expect(s.lines > 5 && s.lines <= AM_AUDIT_LINES && s.rate > 0 && s.steps == 60);
    am_verdict worst = AM_PASS;
    for (int i = 0; i < s.lines; i++) {
        cr_expect(s.line[i].property[0] != '\0' && s.line[i].rule[0] != '\0');
        worst = s.line[i].verdict > worst ? s.line[i].verdict : worst;
    }
    cr_expect_eq(s.verdict, worst);
    cr_expect(s.lambdas == 1 && s.at[0].lambda == lambda && isfinite(s.at[0].signal));
    cr_expect_eq(s.cached, 0);
    cr_assert_eq(am_audit(model, &o, &again, NULL, &err), AM_OK);
    cr_expect_eq(again.cached, again.refits);
    cr_expect_eq(again.at[0].spread, s.at[0].spread);
    am_model_free(model);
}

static int stop_at_once(void *context, const am_progress *progress)
{
    cr_expect_str_eq(progress->task, "audit");
    ++*(int *)context;
    return 1;
}

Test(api_audit, says_what_is_wrong)
{
    am_model *model = model_of("none", 1), *loaded;
    double lambda = 1e-3, outside = 7;
    int calls = 0;
    am_audit_options o = small_audit(&lambda);
    o.progress = stop_at_once;
    o.context = &calls;
    api_expect(am_audit(model, &o, NULL, NULL, &err), &err, AM_ERR_INTERRUPT, "audit");
    cr_expect_eq(calls, 1);
    api_expect(am_audit(NULL, &o, NULL, NULL, &err), &err, AM_ERR_USAGE, "model is NULL");
    o.draws = 2;
    api_expect(am_audit(model, &o, NULL, NULL, &err), &err, AM_ERR_USAGE, "--draws 2");
    o = small_audit(&outside);
    api_expect(am_audit(model, &o, NULL, NULL, &err), &err, AM_ERR_USAGE, "outside the range");
    o.lambda = NULL;
    api_expect(am_audit(model, &o, NULL, NULL, &err), &err, AM_ERR_USAGE, "lambda is NULL");
    o.lambdas = AM_AUDIT_LAMBDAS + 1;
    api_expect(am_audit(model, &o, NULL, NULL, &err), &err, AM_ERR_USAGE, "--lambdas 17");
    cr_assert_eq(am_model_save(model, scratch("m"), &err), AM_OK);
    cr_assert_eq(am_model_load(device, scratch("m"), &loaded, &err), AM_OK);
    api_expect(am_audit(loaded, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE, "am_model_attach");
    am_model_free(loaded);
    am_model_free(model);
}
