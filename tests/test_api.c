/* The public interface: fit, curve, tune, sample, weights, export, refit, on rows from memory. */
#include "base/safetensors.h"
#include "support/api_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static api_rows rows;
static am_device *device;
static am_dataset *data;
static char folder[] = "/tmp/amortune-api-XXXXXX";
static char path[256];

static void open_all(void)
{
    api_rows_fill(&rows, 7);
    device = api_device();
    data = api_dataset(&rows);
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/file.safetensors", folder);
}

static void close_all(void)
{
    am_device_close(device);
    am_dataset_free(data);
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "a file was left behind");
}

TestSuite(api, .init = open_all, .fini = close_all);

/* A model that sees ω, of few features. */
static am_model *fit_weighted(void)
{
    am_fit_options o = api_fit_options();
    o.weights = "dirichlet";
    o.features = "poly:2";
    return api_fit(device, data, &o);
}

static am_model *fit_plain(void)
{
    am_fit_options o = api_fit_options();
    return api_fit(device, data, &o);
}

/* ---- data ------------------------------------------------------------------------------------ */

Test(api, arrays_become_a_split_data_set)
{
    am_dataset_info info;
    int64_t order[API_ROWS];
    uint32_t block[API_TRAIN];
    int seen[API_ROWS] = {0}, count[API_BLOCKS] = {0};
    cr_assert_eq(am_dataset_describe(data, &info, NULL), AM_OK);
    cr_expect_str_eq(info.name, "arrays");
    cr_expect_eq(info.train_rows, API_TRAIN);
    cr_expect_eq(info.validation_rows, API_VALIDATION);
    cr_expect_eq(info.test_rows, 0);
    cr_expect_eq(info.inputs, API_INPUTS);
    cr_expect_eq(info.outputs, API_CLASSES);
    cr_expect_eq(info.classes, 1);
    cr_expect_null(am_dataset_class_name(data, 0));
    cr_assert_eq(am_dataset_order(data, order, NULL), AM_OK);
    for (int i = 0; i < API_ROWS; i++)
        cr_assert(order[i] >= 0 && order[i] < API_ROWS && seen[order[i]]++ == 0);
    cr_assert_eq(am_dataset_blocks(data, API_BLOCKS, block, NULL), AM_OK);
    for (int i = 0; i < API_TRAIN; i++)
        count[block[i]]++;
    for (int b = 0; b < API_BLOCKS; b++)
        cr_expect_eq(count[b], API_TRAIN / API_BLOCKS);
}

Test(api, regression_of_two_targets_with_test_rows)
{
    float target[API_ROWS][2];
    for (int i = 0; i < API_ROWS; i++) {
        target[i][0] = rows.target[i];
        target[i][1] = -2 * rows.target[i];
    }
    am_arrays a;
    am_arrays_default(&a, sizeof a);
    a.rows = 200;
    a.inputs = API_INPUTS;
    a.outputs = 2;
    a.x = &rows.x[0][0];
    a.target = &target[0][0];
    a.test_rows = 40;
    a.test_x = &rows.x[200][0];
    a.test_target = &target[200][0];
    am_dataset *reals;
    am_error err;
    cr_assert_eq(am_dataset_from_arrays(&a, &reals, &err), AM_OK, "%s", err.message);
    am_fit_options o = api_fit_options();
    am_model *model = api_fit(device, reals, &o);
    double lambda = 1e-4;
    am_posterior p;
    am_metrics draw[3];
    cr_assert_eq(am_sample(model, &lambda, 3, &p, draw, NULL, &err), AM_OK, "%s", err.message);
    cr_expect_eq(p.test_rows, 1);
    cr_expect(isnan(p.mean.nll) && isnan(draw[0].accuracy));
    /* var(target) = 5·var(distance), and distance has variance above 0.7 */
    cr_expect_lt(draw[0].nll, 1.0);
    am_choice choice;
    am_tune_options tune;
    am_tune_options_default(&tune, sizeof tune);
    tune.metric = "accuracy";
    api_expect(am_tune(model, &tune, &choice, NULL, &err), &err, AM_ERR_USAGE, "--metric nll");
    am_model_free(model);
    am_dataset_free(reals);
}

/* ---- fit and curve --------------------------------------------------------------------------- */

Test(api, model_describes_itself)
{
    am_model *model = fit_weighted();
    am_model_info info;
    cr_assert_eq(am_model_describe(model, &info, NULL), AM_OK);
    cr_expect_str_eq(info.target, "3-4-2");
    cr_expect_str_eq(info.activation, "tanh");
    cr_expect_str_eq(info.features, "poly:2");
    cr_expect_str_eq(info.weights, "dirichlet");
    cr_expect_str_eq(info.data_name, "arrays");
    cr_expect(info.classes && info.sees_omega && info.has_data);
    cr_expect_eq(info.groups, 1);
    cr_expect_eq(info.params, API_PARAMS);
    cr_expect_eq(info.blocks, API_BLOCKS);
    cr_expect_eq(info.step, 60);
    cr_expect_eq(info.steps, 60);
    cr_expect_eq(info.train_rows, API_TRAIN);
    cr_expect_float_eq(info.lambda_low, 1e-4, 0);
    cr_expect(info.fit_loss > 0 && info.fit_loss < 1 && info.fit_seconds > 0);
    cr_expect(strcmp(info.plan, "direct") == 0 || strcmp(info.plan, "factored") == 0);
    am_model_free(model);
}

Test(api, curve_is_the_networks_own_validation_loss)
{
    enum { N = 5 };
    am_model *model = fit_plain();
    am_curve_options o;
    am_curve_options_default(&o, sizeof o);
    o.points = N;
    double lambda[N];
    am_metrics at[N];
    am_error err;
    cr_assert_eq(am_curve(model, &o, lambda, at, NULL, NULL, &err), AM_OK, "%s", err.message);
    cr_expect_float_eq(lambda[0], 1e-4, 0);
    cr_expect_float_eq(lambda[N - 1], 1e-1, 0);
    cr_expect_float_eq(lambda[2] / sqrt(1e-4 * 1e-1), 1, 1e-12); /* the middle in log λ */
    for (int i = 0; i < N; i++) {
        float theta[API_PARAMS];
        cr_assert_eq(am_weights(model, &lambda[i], NULL, theta, NULL), AM_OK);
        api_score score = api_judge(&rows, data, theta);
        cr_expect_float_eq(at[i].nll, score.nll, 1e-5, "%g, not %g", at[i].nll, score.nll);
        cr_expect_float_eq(at[i].accuracy, score.accuracy, 1e-12);
        cr_expect_float_eq(at[i].accuracy_se,
                           sqrt(score.accuracy * (1 - score.accuracy) / (API_VALIDATION - 1)),
                           1e-9);
    }
    cr_expect_gt(at[0].accuracy, 0.85);
    cr_expect_gt(at[N - 1].nll, at[0].nll, "a strong penalty costs");
    am_model_free(model);
}

Test(api, band_is_ordered_or_absent)
{
    enum { N = 3, Q = 3 };
    static const double quantile[Q] = {0.05, 0.5, 0.95};
    double nll[N][Q], accuracy[N][Q];
    am_curve_options o;
    am_curve_options_default(&o, sizeof o);
    o.points = N;
    o.draws = 20;
    o.quantiles = Q;
    o.quantile = quantile;
    am_model *plain = fit_plain(), *weighted = fit_weighted();
    cr_assert_eq(am_curve(weighted, &o, NULL, NULL, &nll[0][0], &accuracy[0][0], NULL), AM_OK);
    for (int i = 0; i < N; i++) {
        cr_expect(nll[i][0] < nll[i][1] && nll[i][1] < nll[i][2]);
        cr_expect(accuracy[i][0] <= accuracy[i][1] && accuracy[i][1] <= accuracy[i][2]);
    }
    cr_assert_eq(am_curve(plain, &o, NULL, NULL, &nll[0][0], NULL, NULL), AM_OK);
    for (int i = 0; i < N * Q; i++)
        cr_expect(isnan((&nll[0][0])[i]));
    am_model_free(plain);
    am_model_free(weighted);
}

Test(api, tune_takes_the_best_of_the_curve)
{
    enum { N = 20 };
    am_model *model = fit_weighted();
    double lambda[N], best[N], sum = 0;
    am_metrics at[N];
    am_choice grid, cautious, refined;
    am_tune_options o;
    am_tune_options_default(&o, sizeof o);
    int least = 0;
    cr_assert_eq(am_curve(model, NULL, lambda, at, NULL, NULL, NULL), AM_OK);
    cr_assert_eq(am_tune(model, NULL, &grid, best, NULL), AM_OK);
    for (int i = 0; i < N; i++) {
        least = at[i].nll <= at[least].nll ? i : least;
        sum += best[i];
    }
    cr_expect_eq(grid.groups, 1);
    cr_expect_float_eq(grid.lambda[0], lambda[least], 0);
    cr_expect_float_eq(grid.value, at[least].nll, 0);
    cr_expect_eq(grid.edge_alarm, least == 0 || least == N - 1);
    cr_expect(isnan(grid.derivative));
    cr_expect_float_eq(sum, 1, 1e-12);
    o.rule = "one-se";
    cr_assert_eq(am_tune(model, &o, &cautious, NULL, NULL), AM_OK);
    cr_expect_geq(cautious.lambda[0], grid.lambda[0]);
    cr_expect_leq(cautious.value, grid.value + at[least].nll_se);
    o.rule = "gradient";
    cr_assert_eq(am_tune(model, &o, &refined, NULL, NULL), AM_OK);
    cr_expect_leq(refined.value, grid.value + 1e-6);
    cr_expect(!isnan(refined.derivative));
    am_model_free(model);
}

/* ---- posterior ------------------------------------------------------------------------------- */

/* The summary agrees with the draws, and the draws with their own θ. */
static void check_posterior(am_model *model, int from_generator)
{
    enum { D = 6 };
    am_posterior p;
    am_metrics draw[D];
    static float theta[D][API_PARAMS];
    double lambda = 1e-3, nll = 0, accuracy = 0, squares = 0;
    am_error err;
    cr_assert_eq(am_sample(model, &lambda, D, &p, draw, &theta[0][0], &err), AM_OK, "%s",
                 err.message);
    for (int d = 0; d < D; d++) {
        api_score score = api_judge(&rows, data, theta[d]);
        cr_expect_float_eq(draw[d].nll, score.nll, 1e-5);
        cr_expect_float_eq(draw[d].accuracy, score.accuracy, 1e-12);
        nll += draw[d].nll / D;
        accuracy += draw[d].accuracy / D;
    }
    for (int d = 0; d < D; d++)
        squares += pow(draw[d].accuracy - accuracy, 2);
    cr_expect_eq(p.draws, D);
    cr_expect_eq(p.from_generator, from_generator);
    cr_expect_eq(p.steps > 0, !from_generator);
    cr_expect_eq(p.test_rows, 0);
    cr_expect_float_eq(p.nll_mean, nll, 1e-12);
    cr_expect_float_eq(p.accuracy_mean, accuracy, 1e-12);
    cr_expect_float_eq(p.accuracy_sd, sqrt(squares / (D - 1)), 1e-12);
    cr_expect_lt(p.mean.nll, p.nll_mean, "−log is convex: the averaged prediction loses less");
    cr_expect_neq(memcmp(theta[0], theta[1], sizeof theta[0]), 0);
}

Test(api, posterior_of_a_model_that_sees_omega)
{
    am_model *model = fit_weighted();
    check_posterior(model, 1);
    am_model_free(model);
}

Test(api, posterior_of_a_model_that_does_not)
{
    am_model *model = fit_plain();
    check_posterior(model, 0);
    am_model_free(model);
}

Test(api, drawn_weights_have_their_mean_and_move_the_network)
{
    float omega[4][API_BLOCKS], one[API_BLOCKS], plain[API_PARAMS], same[API_PARAMS],
        moved[API_PARAMS];
    double lambda = 1e-3;
    cr_assert_eq(am_draw_weights(device, "dirichlet", 1, API_BLOCKS, 4, 3, &omega[0][0], NULL),
                 AM_OK);
    for (int d = 0; d < 4; d++) {
        double sum = 0;
        for (int b = 0; b < API_BLOCKS; b++) {
            cr_expect_geq(omega[d][b], 0);
            sum += (double)omega[d][b];
        }
        cr_expect_float_eq(sum, API_BLOCKS, 1e-5); /* K·Dirichlet */
    }
    for (int b = 0; b < API_BLOCKS; b++)
        one[b] = 1;
    am_model *model = fit_weighted();
    cr_assert_eq(am_weights(model, &lambda, NULL, plain, NULL), AM_OK);
    cr_assert_eq(am_weights(model, &lambda, one, same, NULL), AM_OK);
    cr_assert_eq(am_weights(model, &lambda, omega[0], moved, NULL), AM_OK);
    cr_expect_eq(memcmp(plain, same, sizeof plain), 0, "NULL is ω = 1");
    cr_expect_neq(memcmp(plain, moved, sizeof plain), 0);
    am_model_free(model);
}

/* ---- export ---------------------------------------------------------------------------------- */

Test(api, export_holds_the_weights_under_their_names)
{
    enum { T = 4 };
    static const char *const name[T] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};
    am_model *model = fit_plain();
    double lambda = 2e-3;
    float theta[API_PARAMS];
    am_param table[T];
    am_error err;
    am_safetensors *file;
    int count;
    int64_t params;
    cr_assert_eq(am_weights(model, &lambda, NULL, theta, NULL), AM_OK);
    cr_assert_eq(am_export(model, &lambda, NULL, path, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_param_table("3-4-2", data, T, table, &count, &params, &err), AM_OK);
    cr_assert_eq(count, T);
    cr_expect_eq(params, API_PARAMS);
    cr_assert_eq(am_safetensors_read(path, &file, &err), AM_OK, "%s", err.message);
    for (int i = 0; i < T; i++) {
        const am_tensor *t = am_safetensors_find(file, name[i]);
        cr_expect_str_eq(table[i].name, name[i]);
        cr_assert(t != NULL && t->rank == table[i].rank && t->shape[0] == table[i].shape[0]);
        cr_expect_eq(
            memcmp(t->data, theta + table[i].offset, sizeof(float) * (size_t)table[i].count), 0);
    }
    cr_expect_not_null(am_safetensors_find(file, "input.mean"));
    cr_expect_str_eq(am_safetensors_meta(file, "lambda"), "0.002");
    am_safetensors_free(file);
    am_model_free(model);
}

/* ---- refits ---------------------------------------------------------------------------------- */

Test(api, refits_of_a_batch_are_those_of_one)
{
    enum { D = 3 };
    static const double lambda[D] = {1e-4, 1e-2, 1};
    float omega[D][API_BLOCKS], theta[D][API_PARAMS], alone[API_PARAMS];
    am_metrics at[D];
    am_error err;
    am_refit_options o;
    am_refit_options_default(&o, sizeof o);
    o.target = "3-4-2";
    o.activation = "tanh";
    o.blocks = API_BLOCKS;
    o.batch = 20;
    o.steps = 60;
    o.rate = 0.05;
    cr_assert_eq(am_draw_weights(device, "exponential", 1, API_BLOCKS, D, 3, &omega[0][0], NULL),
                 AM_OK);
    cr_assert_eq(am_refit(device, data, &o, D, lambda, &omega[0][0], &theta[0][0], at, NULL, &err),
                 AM_OK, "%s", err.message);
    for (int d = 0; d < D; d++) {
        api_score score = api_judge(&rows, data, theta[d]);
        cr_expect_float_eq(at[d].nll, score.nll, 1e-5);
        cr_assert_eq(am_refit(device, data, &o, 1, &lambda[d], omega[d], alone, NULL, NULL, NULL),
                     AM_OK);
        cr_expect_eq(memcmp(theta[d], alone, sizeof alone), 0);
    }
    cr_expect_gt(at[0].accuracy, 0.85);
    cr_expect_float_eq(at[2].nll, log(2), 0.01, "λ = 1 leaves nothing of θ: %g", at[2].nll);
}

Test(api, refits_with_a_penalty_per_layer_and_their_own_starts)
{
    enum { D = 2 };
    static const double lambda[D][2] = {{1e-4, 10}, {10, 1e-4}};
    static const uint32_t init[D] = {0, 1};
    float theta[D][API_PARAMS];
    am_refit_options o;
    am_refit_options_default(&o, sizeof o);
    o.target = "3-4-2";
    o.penalty = "layer";
    o.steps = 100;
    o.rate = 0.05;
    o.separate = 1;
    o.init = init;
    am_error err;
    cr_assert_eq(am_refit(device, data, &o, D, &lambda[0][0], NULL, &theta[0][0], NULL, NULL, &err),
                 AM_OK, "%s", err.message);
    enum { FIRST = (API_INPUTS + 1) * API_HIDDEN };
    double norm[D][2] = {{0}};
    for (int d = 0; d < D; d++)
        for (int i = 0; i < API_PARAMS; i++)
            norm[d][i >= FIRST] += pow((double)theta[d][i], 2);
    cr_expect_lt(norm[0][1], 0.01 * norm[1][1] + 0.01);
    cr_expect_lt(norm[1][0], 0.01 * norm[0][0] + 0.01);
}
