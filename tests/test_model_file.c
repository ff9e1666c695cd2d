/* model files: every field comes back, two runs differ by name. */
#include "support/fitting.h"

#include "data_files.h"

#include <math.h>

static feature_spec features_from(const char *text, bool with_omega)
{
    feature_spec spec;
    am_error err = {0};
    cr_assert_eq(feature_spec_parse(text, with_omega, &spec, &err), AM_OK);
    return spec;
}

static target target_from(const char *text, activation act, loss_kind loss)
{
    target t;
    am_error err = {0};
    cr_assert_eq(target_parse(text, act, loss, &t, &err), AM_OK);
    return t;
}

/* ---- one change of every field --------------------------------------------------------------- */

#define CHANGE(key, statement)                                                                     \
    static void change_##key(model_record *r)                                                      \
    {                                                                                              \
        statement;                                                                                 \
    }
CHANGE(target, r->spec.target = target_from("6-7-3", ACT_TANH, LOSS_CROSS_ENTROPY))
CHANGE(activation, r->spec.target.act = ACT_RELU)
CHANGE(loss, r->spec.target.loss = LOSS_SQUARED)
CHANGE(features, r->spec.features = features_from("mlp:6,4", true))
CHANGE(init, r->spec.features.paper_init = true)
CHANGE(penalty, r->spec.per_layer = true)
CHANGE(lambda_low, r->spec.lambda_low = 1.0 / 3e5)
CHANGE(lambda_high, r->spec.lambda_high = 2.0 / 3.0)
CHANGE(lambda_knee, r->spec.knee = 1.0 / 3e4)
CHANGE(weights, r->spec.weights = OMEGA_EXPONENTIAL)
CHANGE(alpha, r->spec.alpha = 0.3)
CHANGE(blocks, r->spec.blocks = 39)
CHANGE(omega0, r->spec.omega0 = true)
CHANGE(embedding, r->spec.embedding = 5)
CHANGE(seed, r->spec.seed = UINT64_MAX)
CHANGE(descent, r->fit.descent = DESCENT_COLLOCATION)
CHANGE(plan, r->fit.plan = PLAN_FACTORED)
CHANGE(nodes, r->fit.nodes = LAMBDA_NODES)
CHANGE(draws, r->fit.draws = INT32_MAX)
CHANGE(batch, r->fit.rows = 1)
CHANGE(minibatches, r->fit.sets = 2)
CHANGE(stretch, r->fit.stretch = 1.3)
CHANGE(tilt, r->fit.tilt = 0.75)
CHANGE(steps, r->fit.steps = INT64_MAX)
CHANGE(ridge, r->fit.ridge = 1e-300)
CHANGE(coarse_share, r->fit.coarse.share = 0.77)
CHANGE(coarse_degree, r->fit.coarse.degree = 2)
CHANGE(coarse_draws, r->fit.coarse.draws = 5)
CHANGE(coarse_batch, r->fit.coarse.rows = 96)
CHANGE(coarse_minibatches, r->fit.coarse.sets = 5)
CHANGE(coarse_stretch, r->fit.coarse.stretch = 1.29)
CHANGE(coarse_boost, r->fit.coarse.boost = 2.5)
CHANGE(rate, r->fit.adam.rate = 0.1)
CHANGE(schedule, r->fit.adam.schedule = SCHEDULE_CONSTANT)
CHANGE(warmup, r->fit.adam.warmup = 0)
CHANGE(beta1, r->fit.adam.beta1 = 0.8)
CHANGE(beta2, r->fit.adam.beta2 = 0.999)
CHANGE(epsilon, r->fit.adam.epsilon = 1e-7)
CHANGE(clip, r->fit.adam.clip = 0.7)
CHANGE(data_name, strcpy(r->data.name, "λ \"quoted\"\\ name"))
CHANGE(data_source, strcpy(r->data.source, "/somewhere/else"))
CHANGE(data_label, strcpy(r->data.label, "y,1"))
CHANGE(data_task, strcpy(r->data.task, "classification"))
CHANGE(data_validation, r->data.validation = 1.0 / 7.0)
CHANGE(data_rows, r->data.rows = (int64_t)1 << 40)
CHANGE(block_digest, strcpy(r->data.digest, "0123456789abcdef"))
CHANGE(inputs, r->data.norm.inputs = 7)
CHANGE(normalised_per_column, r->data.norm.per_column = true)
CHANGE(input_mean, r->data.norm.mean = 0.1307f)
CHANGE(input_sd, r->data.norm.sd = 0.3081f)
CHANGE(step, r->step = 4)

static const struct {
    const char *key;
    void (*change)(model_record *r);
} changes[] = {
#define ROW(key)                                                                                   \
    {                                                                                              \
#key, change_##key                                                                         \
    }
    ROW(target),
    ROW(activation),
    ROW(loss),
    ROW(features),
    ROW(init),
    ROW(penalty),
    ROW(lambda_low),
    ROW(lambda_high),
    ROW(weights),
    ROW(alpha),
    ROW(blocks),
    ROW(omega0),
    ROW(embedding),
    ROW(seed),
    ROW(descent),
    ROW(plan),
    ROW(nodes),
    ROW(draws),
    ROW(batch),
    ROW(minibatches),
    ROW(stretch),
    ROW(tilt),
    ROW(steps),
    ROW(ridge),
    ROW(rate),
    ROW(schedule),
    ROW(warmup),
    ROW(beta1),
    ROW(beta2),
    ROW(epsilon),
    ROW(clip),
    ROW(data_name),
    ROW(data_source),
    ROW(data_label),
    ROW(data_task),
    ROW(data_validation),
    ROW(data_rows),
    ROW(block_digest),
    ROW(inputs),
    ROW(normalised_per_column),
    ROW(input_mean),
    ROW(input_sd),
    ROW(step),
    ROW(lambda_knee),
    ROW(coarse_share),
    ROW(coarse_degree),
    ROW(coarse_draws),
    ROW(coarse_batch),
    ROW(coarse_minibatches),
    ROW(coarse_stretch),
    ROW(coarse_boost),
};
enum { CHANGES = sizeof changes / sizeof *changes };

/* What two runs must share to be one; the rest may differ. */
static bool of_the_run(const char *key)
{
    return strcmp(key, "data_source") != 0 && strcmp(key, "step") != 0;
}

Test(model_file, the_first_difference_between_two_runs_is_named)
{
    fitting r;
    am_error err = {0};
    fitting_open(&r, &recipes[0], 12, 1);
    cr_expect_eq(model_same_run("m.checkpoint", &r.record, &r.record, &err), AM_OK);
    for (int i = 0; i < CHANGES; i++) {
        model_record now = r.record;
        char want[120];
        changes[i].change(&now);
        am_status status = model_same_run("m.checkpoint", &r.record, &now, &err);
        cr_expect_eq(status, of_the_run(changes[i].key) ? AM_ERR_USAGE : AM_OK, "%s",
                     changes[i].key);
        snprintf(want, sizeof want, "m.checkpoint: a checkpoint of another run: %s was ",
                 changes[i].key);
        if (status != AM_OK)
            cr_expect(strncmp(err.message, want, strlen(want)) == 0, "%s: %s", changes[i].key,
                      err.message);
    }
    model_record now = r.record; /* two differences: the first in the order of the file */
    now.spec.seed = 9;
    now.fit.adam.rate = 0.5;
    cr_expect_eq(model_same_run("m.checkpoint", &r.record, &now, &err), AM_ERR_USAGE);
    cr_expect_str_eq(err.message,
                     "m.checkpoint: a checkpoint of another run: seed was 3 and is now "
                     "9; give the same options, or start anew without --resume");
    fitting_close(&r);
}

/* ---- round trips ----------------------------------------------------------------------------- */

static model_record saved_and_loaded(const generator *g, const model_record *record,
                                     const char *path)
{
    am_error err = {0};
    model_record back;
    am_safetensors *file;
    cr_assert_eq(model_save(path, g, record, NULL, &err), AM_OK, "%s", err.message);
    cr_assert_eq(model_load(path, &back, &file, &err), AM_OK, "%s", err.message);
    am_safetensors_free(file);
    return back;
}

Test(model_file, every_field_comes_back)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "m.safetensors");
    fitting r;
    fitting_open(&r, &recipes[0], 12, 1);
    for (int i = 0; i < CHANGES; i++) {
        if (strcmp(changes[i].key, "inputs") == 0 ||
            strcmp(changes[i].key, "normalised_per_column") == 0)
            continue; /* these need a target and columns to match */
        model_record record = r.record;
        am_error err = {0};
        changes[i].change(&record);
        generator g = generator_of(&r.d, &record.spec, 1);
        model_record back = saved_and_loaded(&g, &record, path);
        generator_close(&g);
        cr_expect_eq(model_same_run(path, &record, &back, &err), AM_OK, "%s", err.message);
        cr_expect_eq(back.step, record.step);
        cr_expect_str_eq(back.data.source, record.data.source);
        model_record_free(&back);
    }
    fitting_close(&r);
    remove_folder(&folder);
}

/* Independently of the table that same_run goes by. */
Test(model_file, values_come_back_exactly)
{
    test_folder folder = make_folder();
    fitting r;
    fitting_open(&r, &recipes[2], 12, 1);
    model_record want = r.record, got;
    want.spec.seed = (1ULL << 63) + 12345;
    want.spec.lambda_low = nextafter(1e-5, 1.0);
    want.fit.adam.beta2 = nextafter(1.0, 0.0);
    want.data.norm.mean = nextafterf(0.1f, 1.0f);
    want.step = 5;
    got = saved_and_loaded(&r.g, &want, in_folder(&folder, "m.safetensors"));
    cr_expect_eq(got.spec.seed, want.spec.seed);
    cr_expect_eq(got.spec.lambda_low, want.spec.lambda_low);
    cr_expect_eq(got.spec.lambda_high, want.spec.lambda_high);
    cr_expect(got.spec.weights == OMEGA_DIRICHLET && got.spec.omega0 && got.spec.per_layer);
    cr_expect(got.spec.blocks == 4 && got.spec.embedding == 0 && got.spec.alpha == 1.0);
    cr_expect_eq(memcmp(&got.spec.target, &want.spec.target, sizeof want.spec.target), 0);
    cr_expect_eq(memcmp(&got.spec.features, &want.spec.features, sizeof want.spec.features), 0);
    cr_expect(got.fit.descent == DESCENT_GRADIENT && got.fit.plan == PLAN_FACTORED &&
              got.fit.nodes == LAMBDA_STRATIFIED);
    cr_expect(got.fit.draws == 4 && got.fit.rows == 8 && got.fit.sets == 1 && got.fit.steps == 12);
    cr_expect(got.fit.ridge == 1e-3 && got.fit.stretch == 1.1 && got.fit.adam.rate == 0.01);
    cr_expect(got.fit.adam.schedule == SCHEDULE_COSINE && got.fit.adam.warmup == 3);
    cr_expect(got.fit.adam.beta1 == 0.9 && got.fit.adam.beta2 == want.fit.adam.beta2 &&
              got.fit.adam.epsilon == 1e-8 && got.fit.adam.clip == 2.0);
    cr_expect_str_eq(got.data.name, "synthetic");
    cr_expect(got.data.rows == 40 && got.data.norm.inputs == 6 && !got.data.norm.per_column);
    cr_expect(got.data.norm.mean == want.data.norm.mean && got.data.norm.sd == 1.0f);
    cr_expect_eq(got.step, 5);
    model_record_free(&got);
    fitting_close(&r);
    remove_folder(&folder);
}

Test(model_file, the_normalisation_of_columns_comes_back)
{
    test_folder folder = make_folder();
    fitting r;
    fitting_open(&r, &recipes[0], 12, 1);
    model_record record = r.record;
    record.data.norm.per_column = true;
    record.data.norm.column_mean = random_floats(&r.d, 6, 1);
    record.data.norm.column_sd = random_floats(&r.d, 6, 2);
    for (int j = 0; j < 6; j++)
        record.data.norm.column_sd[j] += 2.0f;
    model_record back = saved_and_loaded(&r.g, &record, in_folder(&folder, "m.safetensors"));
    cr_assert(back.data.norm.per_column);
    cr_expect_eq(memcmp(back.data.norm.column_mean, record.data.norm.column_mean, 24), 0);
    cr_expect_eq(memcmp(back.data.norm.column_sd, record.data.norm.column_sd, 24), 0);
    model_record_free(&back);
    model_record_free(&back); /* safe on a freed one */
    fitting_close(&r);
    remove_folder(&folder);
}

Test(model_file, parameters_come_back_into_a_generator_of_the_same_kind)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "m.safetensors");
    for (int i = 0; i < recipe_count; i++) {
        fitting r;
        generator g;
        am_error err = {0};
        model_record record;
        am_safetensors *file;
        fitting_open(&r, &recipes[i], 5, 1);
        cr_assert_eq(fit_run(r.f, NULL, &err), AM_OK);
        cr_assert_eq(model_save(path, &r.g, &r.record, NULL, &err), AM_OK);
        cr_assert_eq(model_load(path, &record, &file, &err), AM_OK, "%s", err.message);
        cr_expect_null(am_safetensors_find(file, "step"), "a model holds no optimiser");
        cr_assert_eq(model_restore(file, &record, r.d.be, 7, &g, &err), AM_OK, "%s", err.message);
        int64_t head = (int64_t)r.g.f.features * r.record.spec.target.params;
        cr_expect(g.f.features == r.g.f.features && g.f.draws == 7 && g.phi_size == r.g.phi_size);
        cr_expect_eq(memcmp(generator_head(&r.d, &g), generator_head(&r.d, &r.g),
                            sizeof(float) * (size_t)head),
                     0);
        if (g.phi != NULL)
            cr_expect_eq(memcmp(generator_phi(&r.d, &g), generator_phi(&r.d, &r.g),
                                sizeof(float) * (size_t)g.phi_size),
                         0);
        generator_close(&g);
        model_record_free(&record);
        am_safetensors_free(file);
        fitting_close(&r);
    }
    remove_folder(&folder);
}

Test(model_file, saving_where_nothing_can_be_written_is_an_error_and_writes_nothing)
{
    fitting r;
    am_error err = {0};
    fitting_open(&r, &recipes[0], 12, 1);
    cr_expect_eq(model_save("/nowhere/at/all/m.safetensors", &r.g, &r.record, NULL, &err),
                 AM_ERR_IO);
    expect_message(&err, "/nowhere/at/all/m.safetensors");
    fitting_close(&r);
}
