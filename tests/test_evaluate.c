/* evaluate: metrics and criteria against a naive evaluation in double, over many tiles. */
#include "support/reference.h"
#include "tune/evaluate.h"

#include "data_files.h"

#include <math.h>

enum { CLASSES = 4, MODELS = 3, ROWS = 2600 }; /* 1024 + 1024 + 552 rows to a tile */

/* ---- naive ----------------------------------------------------------------------------------- */

static void probabilities(const target *t, const double *theta, const float *x, double *p)
{
    double sum = 0.0;
    reference_forward(t, theta, x, p);
    for (int c = 0; c < CLASSES; c++)
        sum += p[c] = exp(p[c]);
    for (int c = 0; c < CLASSES; c++)
        p[c] /= sum;
}

static void add_row(double *score, const double *p, int label)
{
    double brier = 0.0, nll = -log(p[label]);
    int best = 0;
    for (int c = 0; c < CLASSES; c++) {
        best = p[c] > p[best] ? c : best;
        brier += pow(p[c] - (c == label), 2.0);
    }
    int bin = (int)ceil(p[best] * 15.0) - 1;
    score[SCORE_NLL] += nll;
    score[SCORE_NLL2] += nll * nll;
    score[SCORE_CORRECT] += best == label;
    score[SCORE_BRIER] += brier;
    score[SCORE_BINS + bin] += 1.0;
    score[SCORE_BINS + 15 + bin] += p[best];
    score[SCORE_BINS + 30 + bin] += best == label;
}

/* Metrics of the average of the `count` models' probabilities. */
static metrics naive(const target *t, const double *const *theta, int count, const problem *p)
{
    double score[AM_SCORE_COLUMNS] = {0}, one[CLASSES], mean[CLASSES];
    for (int64_t i = 0; i < p->rows.n; i++) {
        memset(mean, 0, sizeof mean);
        for (int m = 0; m < count; m++) {
            probabilities(t, theta[m], p->rows.floats + i * p->rows.inputs, one);
            for (int c = 0; c < CLASSES; c++)
                mean[c] += one[c] / count;
        }
        add_row(score, mean, p->rows.label[i]);
    }
    return metrics_of(score, p->rows.n, LOSS_CROSS_ENTROPY);
}

static void expect_metrics(const metrics *got, const metrics *want, const char *what)
{
    cr_expect_float_eq(got->nll, want->nll, 1e-6, "%s: nll %.9g, %.9g", what, got->nll, want->nll);
    cr_expect_float_eq(got->nll_se, want->nll_se, 1e-6, "%s", what);
    cr_expect_float_eq(got->accuracy, want->accuracy, 1e-12, "%s", what);
    cr_expect_float_eq(got->accuracy_se, want->accuracy_se, 1e-12, "%s", what);
    cr_expect_float_eq(got->brier, want->brier, 1e-6, "%s", what);
    cr_expect_float_eq(got->ece, want->ece, 1e-6, "%s: ece %g, %g", what, got->ece, want->ece);
    for (int b = 0; b < AM_ECE_BINS; b++) {
        cr_expect_eq(got->bin_count[b], want->bin_count[b], "%s, bin %d", what, b);
        cr_expect_float_eq(got->bin_confidence[b], want->bin_confidence[b], 1e-3);
        cr_expect_eq(got->bin_correct[b], want->bin_correct[b]);
    }
}

/* ---- scenes ---------------------------------------------------------------------------------- */

/* Three networks: as explicit θ, and as a generator at three λ with the same weights. */
typedef struct {
    device d;
    problem p;
    generator g;
    double lambda[MODELS];
    model_set from_generator, explicit_theta;
    const double *theta[MODELS];
} scene;

static void scene_open(scene *s, loss_kind loss, int64_t rows, int outputs)
{
    char text[32];
    am_error err = {0};
    *s = (scene){.d = device_open(), .lambda = {1e-3, 8e-3, 1e-1}};
    snprintf(text, sizeof text, "5-9-%d", outputs);
    generator_spec spec = spec_of(text, ACT_TANH, loss, "cheb:4", OMEGA_ONES, 4);
    int64_t params = spec.target.params;
    s->p = problem_open(&s->d, loss, rows, 5, outputs, 4, 91);
    s->g = generator_of(&s->d, &spec, 2);
    generator_fill(&s->d, &s->g, 92, 1.0f);
    dev_f32 *c = device_floats(&s->d, MODELS * 5, NULL);
    dev_f32 *theta = device_floats(&s->d, MODELS * params, NULL);
    cr_assert_eq(generator_features(&s->g, MODELS, s->lambda, NULL, c, &err), AM_OK);
    generator_theta(&s->g, MODELS, c, theta);
    double *host = to_doubles(&s->d, read_floats(&s->d, theta, MODELS * params), MODELS * params);
    for (int m = 0; m < MODELS; m++)
        s->theta[m] = host + m * params;
    s->from_generator =
        (model_set){.be = s->d.be, .t = &s->g.spec.target, .g = &s->g, .c = c, .models = MODELS};
    s->explicit_theta =
        (model_set){.be = s->d.be, .t = &s->g.spec.target, .theta = theta, .models = MODELS};
}

static void scene_close(scene *s)
{
    problem_close(&s->p);
    generator_close(&s->g);
    device_close(&s->d);
}

static void check_evaluation(scene *s, const model_set *set, const char *what)
{
    metrics each[MODELS], mean, want;
    am_error err = {0};
    cr_assert_eq(evaluate(set, &s->p.data, each, &mean, &err), AM_OK, "%s", err.message);
    for (int m = 0; m < MODELS; m++) {
        want = naive(set->t, s->theta + m, 1, &s->p);
        expect_metrics(&each[m], &want, what);
        cr_expect(want.accuracy > 0.05 && want.accuracy < 0.95 && want.ece > 0.01);
    }
    want = naive(set->t, s->theta, MODELS, &s->p);
    expect_metrics(&mean, &want, what);
    cr_expect_lt(mean.nll, (each[0].nll + each[1].nll + each[2].nll) / 3.0); /* Jensen */
}

Test(evaluate, metrics_agree_with_a_naive_evaluation)
{
    scene s;
    scene_open(&s, LOSS_CROSS_ENTROPY, ROWS, CLASSES);
    check_evaluation(&s, &s.from_generator, "generator");
    check_evaluation(&s, &s.explicit_theta, "explicit");
    scene_close(&s);
}

Test(evaluate, few_rows_are_evaluated_as_well_as_many)
{
    static const int64_t rows[] = {1, 15, 1023, 1024, 1025};
    for (int i = 0; i < 5; i++) {
        scene s;
        metrics each[MODELS], mean;
        am_error err = {0};
        scene_open(&s, LOSS_CROSS_ENTROPY, rows[i], CLASSES);
        cr_assert_eq(evaluate(&s.from_generator, &s.p.data, each, &mean, &err), AM_OK);
        metrics want = naive(&s.g.spec.target, s.theta, MODELS, &s.p);
        cr_expect_float_eq(mean.nll, want.nll, 1e-6);
        cr_expect(rows[i] > 1 || (isnan(mean.nll_se) && isnan(mean.accuracy_se)));
        cr_expect(rows[i] == 1 || mean.nll_se > 0.0);
        cr_assert_eq(evaluate(&s.from_generator, &s.p.data, each, NULL, &err), AM_OK);
        cr_assert_eq(evaluate(&s.from_generator, &s.p.data, NULL, &mean, &err), AM_OK);
        cr_expect_float_eq(mean.nll, want.nll, 1e-6);
        scene_close(&s);
    }
}

Test(evaluate, predictions_are_the_probabilities_of_every_model_and_row)
{
    scene s;
    am_error err = {0};
    scene_open(&s, LOSS_CROSS_ENTROPY, ROWS, CLASSES);
    const model_set *sets[] = {&s.from_generator, &s.explicit_theta};
    float *got = calloc((size_t)MODELS * ROWS * CLASSES, sizeof *got);
    cr_assert_not_null(got);
    for (int k = 0; k < 2; k++) {
        cr_assert_eq(evaluate_predictions(sets[k], &s.p.data, got, &err), AM_OK, "%s", err.message);
        double worst = 0.0, want[CLASSES];
        for (int m = 0; m < MODELS; m++)
            for (int64_t i = 0; i < ROWS; i++) {
                probabilities(&s.g.spec.target, s.theta[m], s.p.rows.floats + i * 5, want);
                for (int c = 0; c < CLASSES; c++)
                    worst = fmax(worst, fabs((double)got[(m * ROWS + i) * CLASSES + c] - want[c]));
            }
        cr_expect_lt(worst, 1e-6);
    }
    free(got);
    scene_close(&s);
}

/* Two networks at three λ: every prediction is the mean of two, every criterion too. */
Test(evaluate, several_networks_predict_their_mean)
{
    enum { E = 2 };
    scene s;
    am_error err = {0};
    metrics each[MODELS], mean, want;
    double lambda[MODELS], value[MODELS], alone[MODELS], sum[MODELS] = {0};
    const double *all[E * MODELS];
    scene_open(&s, LOSS_CROSS_ENTROPY, ROWS, CLASSES);
    generator_spec spec = s.g.spec;
    spec.networks = E;
    generator g = generator_of(&s.d, &spec, 2);
    generator_fill(&s.d, &g, 93, 1.0f);
    dev_f32 *theta = device_floats(&s.d, E * MODELS * spec.target.params, NULL);
    generator_theta(&g, MODELS, s.from_generator.c, theta);
    int64_t values = E * MODELS * spec.target.params;
    double *host = to_doubles(&s.d, read_floats(&s.d, theta, values), values);
    for (int i = 0; i < E * MODELS; i++)
        all[i] = host + i * spec.target.params;
    model_set set = s.from_generator;
    set.g = &g;
    float *p = calloc((size_t)MODELS * ROWS * CLASSES, sizeof *p);
    cr_assert_not_null(p);
    cr_assert_eq(evaluate(&set, &s.p.data, each, &mean, &err), AM_OK, "%s", err.message);
    cr_assert_eq(evaluate_predictions(&set, &s.p.data, p, &err), AM_OK, "%s", err.message);
    for (int m = 0; m < MODELS; m++) {
        const double *pair[E] = {all[m], all[MODELS + m]};
        double first[CLASSES], second[CLASSES];
        want = naive(&spec.target, pair, E, &s.p);
        expect_metrics(&each[m], &want, "mean of two");
        probabilities(&spec.target, pair[0], s.p.rows.floats + 5 * 7, first);
        probabilities(&spec.target, pair[1], s.p.rows.floats + 5 * 7, second);
        cr_expect_float_eq(p[(m * ROWS + 7) * CLASSES + 1], (first[1] + second[1]) / 2, 1e-6);
        lambda[m] = s.lambda[m];
    }
    want = naive(&spec.target, all, E * MODELS, &s.p);
    expect_metrics(&mean, &want, "mean of six");
    penalty_groups groups = target_groups(&spec.target, false);
    cr_assert_eq(evaluate_criterion(&set, &s.p.data, groups, lambda, NULL, 0, value, &err), AM_OK);
    for (int e = 0; e < E; e++) {
        generator one = generator_network(&g, e);
        set.g = &one;
        cr_assert_eq(evaluate_criterion(&set, &s.p.data, groups, lambda, NULL, 0, alone, &err),
                     AM_OK);
        for (int m = 0; m < MODELS; m++)
            sum[m] += alone[m] / E;
    }
    metrics side_by_side[MODELS];
    set = (model_set){
        .be = s.d.be, .t = &spec.target, .theta = theta, .models = MODELS, .networks = E};
    cr_assert_eq(evaluate(&set, &s.p.data, side_by_side, NULL, &err), AM_OK, "%s", err.message);
    cr_assert_eq(evaluate_criterion(&set, &s.p.data, groups, lambda, NULL, 0, alone, &err), AM_OK);
    for (int m = 0; m < MODELS; m++) {
        cr_expect_float_eq(value[m], sum[m], 1e-12);
        cr_expect_float_eq(alone[m], value[m], 1e-6, "explicit θ: %g, %g", alone[m], value[m]);
        expect_metrics(&side_by_side[m], &each[m], "explicit θ");
    }
    free(p);
    generator_close(&g);
    scene_close(&s);
}

/* 1 200 models leave room for tiles of 388 rows; a model's metrics do not depend on its company. */
Test(evaluate, the_size_of_tiles_does_not_change_the_result)
{
    enum { MANY = 1200, N = 900 };
    scene s;
    am_error err = {0};
    scene_open(&s, LOSS_CROSS_ENTROPY, N, CLASSES);
    double *lambda = host_doubles(&s.d, MANY);
    for (int m = 0; m < MANY; m++)
        lambda[m] = s.lambda[m % MODELS];
    dev_f32 *c = device_floats(&s.d, MANY * 5, NULL);
    cr_assert_eq(generator_features(&s.g, MANY, lambda, NULL, c, &err), AM_OK);
    model_set set = s.from_generator;
    set.c = c;
    set.models = MANY;
    metrics *all = calloc(MANY, sizeof *all), few[MODELS];
    cr_assert_not_null(all);
    cr_assert_eq(evaluate(&set, &s.p.data, all, NULL, &err), AM_OK, "%s", err.message);
    cr_assert_eq(evaluate(&s.from_generator, &s.p.data, few, NULL, &err), AM_OK);
    for (int m = 0; m < MANY; m++)
        expect_metrics(&all[m], &few[m % MODELS], "one of many");
    free(all);
    scene_close(&s);
}

Test(evaluate, regression_reports_the_squared_error_alone)
{
    scene s;
    metrics each[MODELS];
    am_error err = {0};
    scene_open(&s, LOSS_SQUARED, ROWS, 2);
    cr_assert_eq(evaluate(&s.from_generator, &s.p.data, each, NULL, &err), AM_OK);
    for (int m = 0; m < MODELS; m++) {
        double output[2], sum = 0.0, squares = 0.0, n = ROWS;
        for (int64_t i = 0; i < ROWS; i++) {
            reference_forward(&s.g.spec.target, s.theta[m], s.p.rows.floats + i * 5, output);
            double error = reference_loss(&s.g.spec.target, output, &s.p.rows, i);
            sum += error;
            squares += error * error;
        }
        double se = sqrt((squares / n - sum / n * sum / n) / (n - 1.0));
        cr_expect_float_eq(each[m].nll, sum / n, 1e-6 * sum / n);
        cr_expect_float_eq(each[m].nll_se, se, 1e-6 * se);
        cr_expect(isnan(each[m].accuracy) && isnan(each[m].accuracy_se));
        cr_expect(isnan(each[m].brier) && isnan(each[m].ece));
    }
    scene_close(&s);
}

/* Images stay bytes on the device: x = scale·byte + shift. */
Test(evaluate, bytes_are_evaluated_like_the_floats_they_stand_for)
{
    scene s;
    metrics bytes[MODELS], floats[MODELS];
    am_error err = {0};
    scene_open(&s, LOSS_CROSS_ENTROPY, 700, CLASSES);
    am_rows images = s.p.rows;
    images.floats = NULL;
    images.bytes = calloc(700 * 5, 1);
    images.scale = 1.0f / 128.0f, images.shift = -1.0f;
    cr_assert_not_null(images.bytes);
    for (int i = 0; i < 700 * 5; i++) {
        images.bytes[i] = (uint8_t)random_at(5, (uint32_t)i, 0.0, 256.0);
        s.p.rows.floats[i] = (float)images.bytes[i] / 128.0f - 1.0f;
    }
    problem_upload(&s.d, &s.p);
    device_rows on_device;
    cr_assert_eq(device_rows_open(&on_device, s.d.be, &images, NULL, &err), AM_OK);
    cr_assert_eq(evaluate(&s.from_generator, &on_device, bytes, NULL, &err), AM_OK);
    cr_assert_eq(evaluate(&s.from_generator, &s.p.data, floats, NULL, &err), AM_OK);
    for (int m = 0; m < MODELS; m++)
        expect_metrics(&bytes[m], &floats[m], "bytes");
    device_rows_close(&on_device);
    free(images.bytes);
    scene_close(&s);
}

/* ---- by hand --------------------------------------------------------------------------------- */

/* Four rows: losses 1, 2, 3, 6; three right; two in the bin (0.6, 0.6667], two in the last. */
Test(evaluate, metrics_by_hand)
{
    double score[AM_SCORE_COLUMNS] = {12.0, 50.0, 3.0, 1.0};
    score[SCORE_BINS + 9] = 2.0, score[SCORE_BINS + 14] = 2.0;
    score[SCORE_BINS + 15 + 9] = 1.25, score[SCORE_BINS + 15 + 14] = 1.9;
    score[SCORE_BINS + 30 + 9] = 1.0, score[SCORE_BINS + 30 + 14] = 2.0;
    metrics m = metrics_of(score, 4, LOSS_CROSS_ENTROPY);
    cr_expect_float_eq(m.nll, 3.0, 1e-15);
    cr_expect_float_eq(m.nll_se, sqrt(14.0 / 3.0 / 4.0), 1e-15); /* variance 14/3 */
    cr_expect_float_eq(m.accuracy, 0.75, 1e-15);
    cr_expect_float_eq(m.accuracy_se, sqrt(0.25 / 4.0), 1e-15); /* variance ¾·¼·4/3 */
    cr_expect_float_eq(m.brier, 0.25, 1e-15);
    cr_expect_float_eq(m.ece, 0.25 / 4.0 + 0.1 / 4.0, 1e-15);
    cr_expect(m.bin_count[9] == 2.0 && m.bin_confidence[14] == 1.9 && m.bin_correct[9] == 1.0);
    score[SCORE_NLL2] = 36.0; /* all losses 3: no spread, and rounding below it is none */
    cr_expect_eq(metrics_of(score, 4, LOSS_SQUARED).nll_se, 0.0);
    score[SCORE_NLL2] = nextafter(36.0, 0.0);
    cr_expect_eq(metrics_of(score, 4, LOSS_SQUARED).nll_se, 0.0);
}

/* ---- criterion ------------------------------------------------------------------------------- */

static void check_criterion(loss_kind loss, bool per_layer, bool weighted, bool from_generator)
{
    scene s;
    am_error err = {0};
    double lambda[2 * MODELS], value[MODELS];
    float omega[MODELS * 4];
    scene_open(&s, loss, ROWS, 3);
    int groups = per_layer ? 2 : 1;
    for (int i = 0; i < groups * MODELS; i++)
        lambda[i] = (double)(float)random_at(3, (uint32_t)i, 0.0, 0.2);
    for (int i = 0; i < MODELS * 4; i++)
        omega[i] = (float)random_at(4, (uint32_t)i, 0.0, 2.0);
    const model_set *set = from_generator ? &s.from_generator : &s.explicit_theta;
    cr_assert_eq(evaluate_criterion(set, &s.p.data, target_groups(set->t, per_layer), lambda,
                                    weighted ? omega : NULL, 4, value, &err),
                 AM_OK, "%s", err.message);
    for (int m = 0; m < MODELS; m++) {
        double want = reference_criterion(set->t, s.theta[m], &s.p, lambda + m * groups, groups,
                                          weighted ? omega + m * 4 : NULL);
        cr_expect_float_eq(value[m], want, 1e-6 * want, "loss %d, layers %d, ω %d: %.9g, %.9g",
                           (int)loss, per_layer, weighted, value[m], want);
    }
    scene_close(&s);
}

Test(evaluate, the_criterion_agrees_with_a_direct_sum)
{
    for (int i = 0; i < 16; i++)
        check_criterion(i % 2 ? LOSS_SQUARED : LOSS_CROSS_ENTROPY, i / 2 % 2, i / 4 % 2, i / 8);
}
