/* The public interface: polish, the doubt of the draws, rows from elsewhere. */
#include "support/api_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
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

TestSuite(api_polish, .init = open_all, .fini = close_all);
TestSuite(api_uncertainty, .init = open_all, .fini = close_all);

static am_model *model_of(const char *weights)
{
    am_fit_options o = api_fit_options();
    o.weights = weights;
    return api_fit(device, data, &o);
}

/* ---- polish ---------------------------------------------------------------------------------- */

enum { D = 2 };

/* Without steps, g itself; with steps, a lower criterion, and the scores of these very networks. */
Test(api_polish, of_several_penalties_and_weights)
{
    am_model *model = model_of("dirichlet");
    double lambda[D] = {1e-3, 1e-2};
    float omega[D][API_BLOCKS], theta[D][API_PARAMS], want[API_PARAMS];
    am_polished score[D];
    am_polish_options o;
    am_polish_options_default(&o, sizeof o);
    cr_assert(o.steps == -1 && o.rate == 0 && o.size == sizeof o);
    cr_assert_eq(am_draw_weights(device, NULL, 1, API_BLOCKS, D, 3, omega[0], &err), AM_OK);
    o.steps = 0;
    cr_assert_eq(am_polish(model, &o, D, lambda, omega[0], theta[0], NULL, &err), AM_OK, "%s",
                 err.message);
    for (int d = 0; d < D; d++) {
        cr_assert_eq(am_weights(model, &lambda[d], omega[d], want, &err), AM_OK);
        cr_expect_eq(memcmp(theta[d], want, sizeof want), 0);
    }
    o.steps = 60;
    o.rate = 0.01;
    cr_assert_eq(am_polish(model, &o, D, lambda, omega[0], theta[0], score, &err), AM_OK, "%s",
                 err.message);
    for (int d = 0; d < D; d++) {
        api_score judged = api_judge(&rows, data, theta[d]);
        cr_expect_float_eq(score[d].after.nll, judged.nll, 1e-5);
        cr_expect_float_eq(score[d].after.accuracy, judged.accuracy, 1e-12);
        cr_expect_lt(score[d].criterion_after, score[d].criterion_before);
        cr_expect(isfinite(score[d].before.nll));
    }
    am_model_free(model);
}

/* A generator that does not see ω still leads to weighted networks. */
Test(api_polish, towards_weights_that_the_generator_does_not_see)
{
    am_model *model = model_of("ones");
    double lambda = 1e-3;
    float omega[API_BLOCKS], plain[API_PARAMS], weighted[API_PARAMS];
    cr_assert_eq(am_draw_weights(device, NULL, 1, API_BLOCKS, 1, 3, omega, &err), AM_OK);
    cr_assert_eq(am_polish(model, NULL, 1, &lambda, NULL, plain, NULL, &err), AM_OK);
    cr_assert_eq(am_polish(model, NULL, 1, &lambda, omega, weighted, NULL, &err), AM_OK, "%s",
                 err.message);
    cr_expect_neq(memcmp(plain, weighted, sizeof plain), 0);
    am_model_free(model);
}

/* Of a model of several networks all, and what their mean prediction reaches. */
Test(api_polish, of_all_networks)
{
    enum { E = 2 };
    am_fit_options fit = api_fit_options();
    fit.networks = E;
    am_model *model = api_fit(device, data, &fit);
    am_model_info info;
    cr_assert_eq(am_model_describe(model, &info, &err), AM_OK);
    cr_assert_eq(info.networks, E);
    double lambda[D] = {1e-3, 1e-2};
    float start[E][D][API_PARAMS], theta[E][D][API_PARAMS], first[API_PARAMS];
    am_polished score[D];
    am_polish_options o;
    am_polish_options_default(&o, sizeof o);
    o.steps = 0;
    cr_assert_eq(am_polish(model, &o, D, lambda, NULL, start[0][0], NULL, &err), AM_OK, "%s",
                 err.message);
    o.steps = 60;
    o.rate = 0.01;
    cr_assert_eq(am_polish(model, &o, D, lambda, NULL, theta[0][0], score, &err), AM_OK, "%s",
                 err.message);
    for (int d = 0; d < D; d++) {
        cr_assert_eq(am_weights(model, &lambda[d], NULL, first, &err), AM_OK);
        cr_expect_eq(memcmp(start[0][d], first, sizeof first), 0);
        cr_expect_neq(memcmp(start[0][d], start[1][d], sizeof first), 0);
        const float *const before[E] = {start[0][d], start[1][d]};
        const float *const after[E] = {theta[0][d], theta[1][d]};
        cr_expect_float_eq(score[d].before.nll, api_judge_mean(&rows, data, E, before).nll, 1e-5);
        cr_expect_float_eq(score[d].after.nll, api_judge_mean(&rows, data, E, after).nll, 1e-5);
        cr_expect_lt(score[d].criterion_after, score[d].criterion_before);
    }
    am_model_free(model);
}

static int stop_at_once(void *context, const am_progress *progress)
{
    cr_expect_str_eq(progress->task, "polish");
    ++*(int *)context;
    return 1;
}

Test(api_polish, says_what_is_wrong)
{
    am_model *model = model_of("ones");
    double lambda = 1e-3, outside = 7;
    float omega[API_BLOCKS] = {1, 1, -1, 1, 1, 1, 1, 1};
    int calls = 0;
    am_polish_options o;
    am_polish_options_default(&o, sizeof o);
    api_expect(am_polish(NULL, NULL, 1, &lambda, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "model is NULL");
    api_expect(am_polish(model, NULL, 1, NULL, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "lambda is NULL");
    api_expect(am_polish(model, NULL, 0, &lambda, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "--models 0");
    api_expect(am_polish(model, NULL, 1, &outside, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "outside the range");
    api_expect(am_polish(model, NULL, 1, &lambda, omega, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "omega[2]");
    o.steps = -2;
    api_expect(am_polish(model, &o, 1, &lambda, NULL, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "--steps -2");
    o.steps = 200;
    o.progress = stop_at_once;
    o.context = &calls;
    api_expect(am_polish(model, &o, 1, &lambda, NULL, NULL, NULL, &err), &err, AM_ERR_INTERRUPT,
               "polish");
    cr_expect_eq(calls, 1);
    am_model_free(model);
}

/* ---- uncertainty ----------------------------------------------------------------------------- */

enum { OTHERS = 40, DRAWS = 4 };

/* Rows on the plane between the classes, where nobody can be sure, normalised as the data. */
static am_dataset *between(const am_dataset *like)
{
    static const double scale[API_INPUTS] = {1.0, 10.0, 0.1}, shift[API_INPUTS] = {0.0, 5.0, -1.0};
    float x[OTHERS][API_INPUTS];
    int32_t label[OTHERS];
    am_dataset *other;
    am_arrays a;
    am_arrays_default(&a, sizeof a);
    for (int i = 0; i < OTHERS; i++) {
        double u = i / 20.0 - 1.0, v = (i % 7) / 7.0 - 0.5, z[API_INPUTS] = {u, v, u + 0.5 * v};
        for (int c = 0; c < API_INPUTS; c++)
            x[i][c] = (float)(scale[c] * z[c] + shift[c]);
        label[i] = i % 2;
    }
    a.rows = OTHERS;
    a.inputs = API_INPUTS;
    a.x = &x[0][0];
    a.label = label;
    a.like = like;
    cr_assert_eq(am_dataset_from_arrays(&a, &other, &err), AM_OK, "%s", err.message);
    return other;
}

Test(api_uncertainty, rows_where_the_classes_meet_are_doubted)
{
    am_model *model = model_of("ones");
    am_dataset *other = between(data);
    double lambda = 1e-3, own[API_VALIDATION], ood[OTHERS], entropy = 0;
    am_row_uncertainty row[API_VALIDATION + OTHERS];
    am_detection d;
    int64_t n, m;
    cr_assert_eq(am_uncertainty(model, &lambda, DRAWS, NULL, API_VALIDATION, row, &n, &err), AM_OK,
                 "%s", err.message);
    cr_assert_eq(n, API_VALIDATION, "there are no test rows");
    cr_assert_eq(am_uncertainty(model, &lambda, DRAWS, other, OTHERS, row + n, &m, &err), AM_OK,
                 "%s", err.message);
    cr_assert_eq(m, OTHERS, "all rows, training and validation");
    for (int i = 0; i < n + m; i++) {
        cr_expect(row[i].confidence >= 0.5 && row[i].confidence <= 1 + 1e-6);
        cr_expect_float_eq(row[i].mutual_information, row[i].entropy - row[i].expected_entropy,
                           1e-12);
        *(i < n ? &own[i] : &ood[i - n]) = 1 - row[i].confidence;
        entropy += i < n ? row[i].entropy / API_VALIDATION : 0;
    }
    cr_expect(entropy > 0 && entropy < log(2.0));
    cr_assert_eq(am_detect(own, n, ood, m, &d, &err), AM_OK);
    cr_expect(d.auroc > 0.8 && d.aupr_ood > 0.6 && d.fpr95 < 0.6, "%g %g %g", d.auroc, d.aupr_ood,
              d.fpr95);
    am_dataset_free(other);
    am_model_free(model);
}

Test(api_uncertainty, says_what_is_wrong)
{
    am_model *model = model_of("ones");
    am_dataset *other = between(NULL);
    double lambda = 1e-3, score[1] = {0};
    am_detection d;
    api_expect(am_uncertainty(NULL, &lambda, 2, NULL, 0, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "model is NULL");
    api_expect(am_uncertainty(model, &lambda, 1, NULL, 0, NULL, NULL, &err), &err, AM_ERR_USAGE,
               "--draws 1");
    api_expect(am_uncertainty(model, &lambda, 2, other, 0, NULL, NULL, &err), &err, AM_ERR_INPUT,
               "normalised otherwise");
    api_expect(am_detect(score, 1, score, 0, &d, &err), &err, AM_ERR_USAGE, "at least one");
    api_expect(am_detect(NULL, 1, score, 1, &d, &err), &err, AM_ERR_USAGE, "NULL");
    am_dataset_free(other);
    am_model_free(model);
}
