/* fit: the same seed gives the same bits, a stop and a resume change nothing, a diverging run is
 * frozen at its last good state. */
#include "support/fitting.h"

#include "data_files.h"
#include "draw/draw.h"

#include <math.h>

static void run(fitting *r)
{
    am_error err = {0};
    cr_assert_eq(fit_run(r->f, NULL, &err), AM_OK, "%s", err.message);
}

/* ---- replay ---------------------------------------------------------------------------------- */

Test(fit, the_same_seed_gives_the_same_bits)
{
    for (int i = 0; i < recipe_count; i++) {
        fitting a, b, other;
        fitting_open(&a, &recipes[i], 12, 1);
        fitting_open(&b, &recipes[i], 12, 1);
        run(&a);
        run(&b);
        cr_expect(fitting_same(&a, &b), "%s", recipes[i].name);
        cr_expect_eq(fit_step(a.f), 12);

        generator_spec spec = a.record.spec;
        spec.seed++;
        fitting_open_with(&other, &spec, &a.record.fit, 40, 1);
        run(&other);
        cr_expect_not(fitting_same_params(&a, &other), "%s", recipes[i].name);
        fitting_close(&a), fitting_close(&b), fitting_close(&other);
    }
}

/* Shapes past the sizes from which the ops use threads. */
Test(fit, the_number_of_threads_does_not_change_the_bits)
{
    for (int i = 0; i < recipe_count; i++) {
        generator_spec spec = spec_of("70-48-10", ACT_RELU, LOSS_CROSS_ENTROPY, recipes[i].features,
                                      recipes[i].weights, 6);
        fit_settings settings = settings_of(&recipes[i], 4);
        fitting r[3];
        settings.draws = 12, settings.rows = 64;
        spec.omega0 = recipes[i].omega0;
        spec.per_layer = recipes[i].per_layer;
        spec.networks = recipes[i].networks;
        for (int threads = 1; threads <= 3; threads++) {
            fitting_open_with(&r[threads - 1], &spec, &settings, 300, threads);
            run(&r[threads - 1]);
        }
        cr_expect(fitting_same(&r[0], &r[1]), "%s: 2 threads differ from 1", recipes[i].name);
        cr_expect(fitting_same(&r[0], &r[2]), "%s: 3 threads differ from 1", recipes[i].name);
        for (int k = 0; k < 3; k++)
            fitting_close(&r[k]);
    }
}

/* Three networks train at once; the first gets the bits it gets alone, the others start elsewhere. */
Test(fit, the_first_of_several_networks_is_the_network_alone)
{
    fitting one, three;
    const recipe *k = &recipes[recipe_count - 3]; /* hybrid */
    generator_spec spec =
        spec_of("70-48-10", ACT_RELU, LOSS_CROSS_ENTROPY, k->features, k->weights, 6);
    fit_settings settings = settings_of(k, 20);
    settings.adam.clip = 0; /* one norm over all networks would couple them */
    fitting_open_with(&one, &spec, &settings, 300, 2);
    spec.networks = 3;
    fitting_open_with(&three, &spec, &settings, 300, 2);
    run(&one);
    run(&three);
    int64_t params = spec.target.params, head = one.g.f.features * params;
    const float *alone = read_floats(&one.d, one.g.head, head);
    const float *together = read_floats(&three.d, three.g.head, 3 * head);
    cr_expect_arr_eq(alone, together, sizeof(float) * (size_t)head);
    double distance = 0.0, norm = 0.0;
    for (int64_t i = 0; i < params; i++) {
        distance += pow((double)together[head + i] - (double)together[2 * head + i], 2.0);
        norm += pow((double)together[i], 2.0);
    }
    cr_expect_gt(distance, 0.1 * norm, "networks 1 and 2 are alike: %g of %g", distance, norm);
    fitting_close(&one), fitting_close(&three);
}

Test(fit, training_lowers_the_criterion)
{
    for (int i = 0; i < recipe_count; i++) {
        fitting r;
        fit_settings settings = settings_of(&recipes[i], 300);
        generator_spec spec = spec_of("6-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, recipes[i].features,
                                      recipes[i].weights, 4);
        spec.per_layer = recipes[i].per_layer;
        fitting_open_with(&r, &spec, &settings, 40, 1);
        run(&r);
        am_error err = {0};
        double lambda[2] = {1e-3, 1e-3}, before = log(3.0); /* of a guess at three classes */
        dev_f32 *c = device_floats(&r.d, r.g.f.features, NULL);
        dev_f32 *theta = device_floats(&r.d, spec.target.params, NULL);
        cr_assert_eq(generator_features(&r.g, 1, lambda, NULL, c, &err), AM_OK);
        generator_theta(&r.g, 1, c, theta);
        network net;
        cr_assert_eq(network_open(&net, r.d.be, &spec.target, 1, 40, true, &err), AM_OK);
        minibatch all = {.models = 1,
                         .rows = 40,
                         .sets = 1,
                         .x = r.p.data.data.floats,
                         .label = r.p.data.data.label,
                         .lambda = device_floats(&r.d, 1, (float[]){0}),
                         .divisor = 40,
                         .grad_scale = 1};
        dev_f64 *loss = device_doubles(&r.d, 1, NULL);
        theta_view view = {theta, spec.target.params};
        objective_gradient(
            &net, &all, target_groups(&spec.target, false), view,
            (theta_view){device_floats(&r.d, spec.target.params, NULL), spec.target.params}, loss);
        double after = read_doubles(&r.d, loss, 1)[0];
        cr_expect_lt(after, 0.5 * before, "%s: %g", recipes[i].name, after);
        network_close(&net);
        fitting_close(&r);
    }
}

/* ---- settings that cannot be ----------------------------------------------------------------- */

static void expect_refused(const recipe *k, const char *message)
{
    device d = device_open();
    am_error err = {0};
    generator_fit *f;
    generator_spec spec =
        spec_of("6-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, k->features, k->weights, 4);
    problem p = problem_open(&d, LOSS_CROSS_ENTROPY, 20, 6, 3, 4, 1);
    generator g = generator_of(&d, &spec, 4);
    fit_settings settings = settings_of(k, 10);
    cr_expect_eq(fit_open(&f, &g, &settings, &p.data, &err), AM_ERR_USAGE);
    cr_expect_null(f);
    expect_message(&err, message);
    fit_close(f);
    problem_close(&p);
    generator_close(&g);
    device_close(&d);
}

Test(fit, impossible_settings_are_usage_errors)
{
    recipe k = recipes[5];
    cr_assert_eq(k.descent, DESCENT_COLLOCATION);
    k.plan = PLAN_FACTORED;
    expect_refused(&k, "plan factored: collocation descent needs every draw's own gradient");
    k = recipes[5];
    k.features = "mlp:6,4";
    expect_refused(&k, "features mlp:6,4: collocation descent needs fixed features");
    k = recipes[5];
    k.sets = 3;
    expect_refused(&k, "3: must divide the 4 draws");
    k.sets = 0;
    expect_refused(&k, "0: must divide the 4 draws");
    k = recipes[2];
    k.sets = 2;
    expect_refused(&k, "plan factored: needs a minibatch that all draws share");
}

Test(fit, descents_and_schedules_go_by_name)
{
    descent_kind descent;
    schedule_kind kind;
    am_error err = {0};
    cr_expect(descent_parse("gradient", &descent, &err) == AM_OK && descent == DESCENT_GRADIENT);
    cr_expect(descent_parse("collocation", &descent, &err) == AM_OK &&
              descent == DESCENT_COLLOCATION);
    cr_expect_str_eq(descent_name(DESCENT_GRADIENT), "gradient");
    cr_expect_str_eq(descent_name(DESCENT_COLLOCATION), "collocation");
    cr_expect_eq(descent_parse("newton", &descent, &err), AM_ERR_USAGE);
    expect_message(&err, "descent 'newton': give gradient or collocation");
    cr_expect(schedule_parse("cosine", &kind, &err) == AM_OK && kind == SCHEDULE_COSINE);
    cr_expect(schedule_parse("constant", &kind, &err) == AM_OK && kind == SCHEDULE_CONSTANT);
    cr_expect_eq(schedule_parse("linear", &kind, &err), AM_ERR_USAGE);
    expect_message(&err, "schedule 'linear': give cosine or constant");
}

Test(fit, steps_are_whole_minibatches_at_least_one)
{
    cr_expect_eq(steps_for(5, 50000, 128), 1953); /* 250 000 rows / 128 */
    cr_expect_eq(steps_for(1, 100, 100), 1);
    cr_expect_eq(steps_for(0.5, 10, 100), 1);
    cr_expect_eq(steps_for(2.5, 100, 100), 2);
}

/* ---- progress -------------------------------------------------------------------------------- */

typedef struct {
    int reports, saves;
    train_progress last;
    const fitting *r;
} observer;

static void observe(void *context, const train_progress *report)
{
    observer *o = context;
    cr_expect_str_eq(report->task, "fit");
    cr_expect_gt(report->step, o->last.step);
    cr_expect_eq(report->step, fit_step(o->r->f));
    cr_expect_eq(report->total, 120);
    cr_expect(isfinite(report->loss) && report->loss > 0.0 && report->norm > 0.0);
    cr_expect(report->seconds >= o->last.seconds && report->seconds_left >= 0.0);
    o->last = *report;
    o->reports++;
}

Test(fit, progress_is_reported_in_chunks_to_the_end)
{
    fitting r;
    am_error err = {0};
    fitting_open(&r, &recipes[0], 120, 1);
    observer o = {.r = &r};
    train_hooks hooks = {.context = &o, .progress = observe};
    cr_assert_eq(fit_run(r.f, &hooks, &err), AM_OK);
    cr_expect_geq(o.reports, 50);
    cr_expect_eq(o.last.step, 120);
    cr_expect_eq(o.last.seconds_left, 0.0);
    fitting_close(&r);
}

static am_status count_save(void *context, const char *path, am_error *err)
{
    observer *o = context;
    (void)err;
    cr_expect_str_eq(path, "a-checkpoint");
    o->saves++;
    return AM_OK;
}

Test(fit, checkpoints_are_saved_now_and_then)
{
    static const double seconds[] = {1e-9, 1e9, 0};
    static const int least[] = {49, 0, 0}, most[] = {119, 0, 0}; /* after all chunks but the last */
    for (int i = 0; i < 3; i++) {
        fitting r;
        am_error err = {0};
        fitting_open(&r, &recipes[0], 120, 1);
        observer o = {.r = &r};
        train_hooks hooks = {.checkpoint = "a-checkpoint", .checkpoint_seconds = seconds[i]};
        fit_set_save(r.f, count_save, &o);
        cr_assert_eq(fit_run(r.f, &hooks, &err), AM_OK);
        cr_expect(o.saves >= least[i] && o.saves <= most[i], "%d saves", o.saves);
        fitting_close(&r);
    }
}

static am_status fail_save(void *context, const char *path, am_error *err)
{
    (void)context;
    return am_fail(err, AM_ERR_IO, "%s: the disk is full; free some space", path);
}

Test(fit, a_checkpoint_that_cannot_be_written_ends_the_run)
{
    fitting r;
    am_error err = {0};
    fitting_open(&r, &recipes[0], 120, 1);
    train_hooks hooks = {.checkpoint = "a-checkpoint", .checkpoint_seconds = 1e-9};
    fit_set_save(r.f, fail_save, NULL);
    cr_expect_eq(fit_run(r.f, &hooks, &err), AM_ERR_IO);
    expect_message(&err, "a-checkpoint: the disk is full");
    fitting_close(&r);
}

/* ---- divergence ------------------------------------------------------------------------------ */

static void expect_finite_params(fitting *r, const char *name)
{
    size_t size;
    const float *value = (const float *)(const void *)fitting_params(r, &size);
    for (size_t i = 0; i < size / sizeof *value; i++)
        cr_assert(isfinite(value[i]), "%s: parameter %zu is not finite", name, i);
}

Test(fit, an_absurd_step_size_is_reported_as_divergence)
{
    for (int i = 0; i < recipe_count; i++) {
        generator_spec spec =
            spec_of("6-5-3", ACT_RELU, LOSS_SQUARED, recipes[i].features, recipes[i].weights, 4);
        fit_settings settings = settings_of(&recipes[i], 3000);
        fitting r;
        am_error err = {0};
        settings.adam.rate = settings.label.rate = 1e6;
        spec.per_layer = recipes[i].per_layer;
        fitting_open_with(&r, &spec, &settings, 40, 1);
        cr_expect_eq(fit_run(r.f, NULL, &err), AM_ERR_DIVERGED, "%s", recipes[i].name);
        expect_message(&err, "fit diverged at step ");
        expect_message(&err, "lower --rate");
        cr_expect_null(strstr(err.message, "last good state"), "nothing was saved: %s",
                       err.message);
        expect_finite_params(&r, recipes[i].name);
        fitting_close(&r);
    }
}

Test(fit, divergence_names_the_checkpoint_that_was_saved_before_it)
{
    generator_spec spec = spec_of("6-5-3", ACT_RELU, LOSS_SQUARED, "cheb:3", OMEGA_ONES, 4);
    fit_settings settings = settings_of(&recipes[3], 3000);
    fitting r;
    observer o = {.r = &r};
    am_error err = {0};
    settings.adam.rate = 1e6;
    fitting_open_with(&r, &spec, &settings, 40, 1);
    fit_set_save(r.f, count_save, &o);
    train_hooks hooks = {.checkpoint = "a-checkpoint", .checkpoint_seconds = 1e-9};
    cr_expect_eq(fit_run(r.f, &hooks, &err), AM_ERR_DIVERGED);
    cr_expect_geq(o.saves, 1);
    expect_message(&err, "; the last good state is in a-checkpoint");
    fitting_close(&r);
}

/* The first step whose minibatch holds this row: position π⁻¹(row) of the first epoch. */
static int64_t step_of_row(const fitting *r, uint64_t row)
{
    const fit_settings *s = &r->record.fit;
    bool coarse = s->coarse.share > 0;
    int64_t first = INT64_MAX, rows = coarse ? s->coarse.rows : s->rows;
    for (int set = 0; set < (coarse ? s->coarse.sets : s->sets); set++) {
        permutation order =
            rows_order(r->record.spec.seed, 0, (uint32_t)set, (uint64_t)r->p.rows.n);
        for (int64_t i = 0; i < r->p.rows.n; i++)
            if (permutation_at(&order, (uint64_t)i) == row)
                first = AM_MIN(first, i / rows);
    }
    return first;
}

/* A run on 200 rows, 25 steps an epoch; its first steps do not depend on how many will follow. */
static void open_long(fitting *r, const recipe *k, int64_t steps)
{
    generator_spec spec =
        spec_of("6-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, k->features, k->weights, 4);
    fit_settings settings = settings_of(k, steps);
    settings.adam.schedule = SCHEDULE_CONSTANT;
    spec.omega0 = k->omega0;
    spec.per_layer = k->per_layer;
    fitting_open_with(r, &spec, &settings, 200, 1);
}

/* A row of NaN: the run stops at the step that meets it, and the steps behind it, before the next
 * look, change nothing: the parameters are those of a clean run stopped just there. */
Test(fit, data_that_are_not_finite_freeze_the_run_before_the_bad_step)
{
    for (int i = 0; i < recipe_count; i++) {
        fitting bad, clean;
        observer o = {.r = &bad};
        am_error err = {0};
        if (recipes[i].mode == MODE_SUPERVISED)
            continue;                       /* meets its rows in another order */
        open_long(&bad, &recipes[i], 5000); /* looks after 1, 101, … steps */
        open_long(&clean, &recipes[i], recipes[i].coarse ? 100 : 50); /* looks after every step */
        uint64_t row = 0;
        while (step_of_row(&bad, row) < 3)
            row++;
        int64_t step = step_of_row(&bad, row);
        bad.p.rows.floats[row * 6 + 2] = NAN;
        bad.d.op->upload(bad.d.be, (void *)(uintptr_t)bad.p.data.data.floats, bad.p.rows.floats,
                         sizeof(float) * 200 * 6);
        train_hooks hooks = {.checkpoint = "a-checkpoint"};
        fit_set_save(bad.f, count_save, &o);
        cr_expect_eq(fit_run(bad.f, &hooks, &err), AM_ERR_DIVERGED, "%s", recipes[i].name);
        char want[80];
        snprintf(want, sizeof want, "fit diverged at step %lld of 5000 ", (long long)step);
        expect_message(&err, want);
        expect_message(&err, "; the last good state is in a-checkpoint");
        cr_expect_eq(o.saves, 1);
        cr_expect_eq(fit_step(bad.f), step);

        stop_point at = {.r = &clean, .step = step};
        train_hooks stop = {.context = &at, .stop = stop_here};
        cr_assert_eq(fit_run(clean.f, &stop, &err), AM_ERR_INTERRUPT);
        cr_assert_eq(fit_step(clean.f), step);
        cr_expect(fitting_same_params(&bad, &clean), "%s", recipes[i].name);
        expect_finite_params(&bad, recipes[i].name);
        fitting_close(&bad), fitting_close(&clean);
    }
}
