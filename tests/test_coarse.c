/* Coarse to fine: what the first stage leaves to the second, the rows that both look at, and what the
 * whole reaches. That it stops and resumes like any other fit, gives the same bits with any number of
 * threads and goes the same way on CUDA is tested with the other recipes (support/fitting.c). */
#include "support/fitting.h"
#include "support/ridge.h"

#include "data_files.h"

#include <math.h>

enum { COARSE_MOMENT2 = 4, MOMENT2 = 3, MOMENT1 = 2 }; /* slots of the state */

/* 4–1 with squared loss, on 64 rows. */
enum { SIZE = 5, ROWS = 64 };

static fit_settings settings_for(int64_t steps)
{
    return (fit_settings){
        .descent = DESCENT_COLLOCATION,
        .nodes = LAMBDA_NODES,
        .draws = 3,
        .rows = ROWS,
        .sets = 1,
        .steps = steps,
        .ridge = 1e-3,
        .stretch = 1.0,
        .coarse = {.share = 0.5,
                   .degree = 1,
                   .draws = 2,
                   .rows = 48,
                   .sets = 2,
                   .stretch = 1.0,
                   .boost = 3.0},
        .adam = {.rate = 0.02,
                 .schedule = SCHEDULE_COSINE,
                 .beta1 = 0.9,
                 .beta2 = 0.99,
                 .epsilon = 1e-8},
    };
}

static generator_spec spec_for(const char *family)
{
    generator_spec spec = spec_of("4-1", ACT_RELU, LOSS_SQUARED, family, OMEGA_ONES, 4);
    spec.lambda_low = 1e-3;
    spec.lambda_high = 1.0;
    spec.knee = 0.01;
    return spec;
}

static void run_until(fitting *r, int64_t step)
{
    am_error err = {0};
    stop_point at = {.r = r, .step = step};
    train_hooks hooks = {.context = &at, .stop = stop_here};
    cr_assert_eq(fit_run(r->f, &hooks, &err), AM_ERR_INTERRUPT, "%s", err.message);
    cr_assert_eq(fit_step(r->f), step);
}

/* Nodes at cos(π/4), cos(3π/4) before and cos(π/6), 0, cos(5π/6) after: beyond the outer ones second
 * moments are constant, at 0 the mean. Moments of 4·10⁶ and 10⁶ drown the gradient of the one step, so
 * that they are β₂ times what was handed over; Θ and m of the first features go on, those of the later
 * begin at 0. */
Test(coarse, moments_are_handed_over)
{
    fitting r;
    generator_spec spec = spec_for("cheb:3");
    fit_settings settings = settings_for(8);
    fitting_open_with(&r, &spec, &settings, ROWS, 1);
    run_until(&r, 4);
    const arena *state = fit_state(r.f);
    float *head = read_floats(&r.d, r.g.head, 4 * SIZE);
    float *moment1 = read_floats(&r.d, arena_at(state, MOMENT1), 4 * SIZE);
    float given[2 * SIZE];
    for (int i = 0; i < SIZE; i++) {
        cr_expect(head[SIZE + i] != 0.0f && moment1[SIZE + i] != 0.0f);
        for (int k = 2; k < 4; k++)
            cr_expect(head[k * SIZE + i] == 0.0f && moment1[k * SIZE + i] == 0.0f);
        given[i] = 4e6f, given[SIZE + i] = 1e6f;
    }
    r.d.op->upload(r.d.be, arena_at(state, COARSE_MOMENT2), given, sizeof given);
    run_until(&r, 5);
    float *moment2 = read_floats(&r.d, arena_at(state, MOMENT2), 3 * SIZE);
    float *after = read_floats(&r.d, r.g.head, 4 * SIZE);
    static const float want[] = {4e6f, 2.5e6f, 1e6f};
    for (int i = 0; i < 3 * SIZE; i++)
        cr_expect_float_eq(moment2[i], 0.99f * want[i / SIZE], 1.0f, "%d: %g", i,
                           (double)moment2[i]);
    for (int i = 0; i < 4 * SIZE; i++)
        cr_expect_neq(after[i], head[i]);
    fitting_close(&r);
}

/* Positions 0..11 in steps of 3, then in steps of 5 from 12 on: each row of an epoch once. */
Test(coarse, no_row_is_skipped_or_seen_twice_where_the_batch_grows)
{
    enum { N = 7, BEFORE = 4, AFTER = 3, ALL = BEFORE * 3 + AFTER * 5 };
    device d = device_open();
    int32_t *got = (int32_t *)host_floats(&d, ALL), *want = (int32_t *)host_floats(&d, ALL);
    dev_u32 *index = (dev_u32 *)device_ints(&d, 5, NULL);
    am_error err = {0};
    for (int step = 0; step < BEFORE + AFTER; step++) {
        bool later = step >= BEFORE;
        draw_rows_args a = {.seed = 3,
                            .n = N,
                            .rows = later ? 5 : 3,
                            .sets = 1,
                            .shift = later ? BEFORE * (3 - 5) : 0,
                            .step = device_counter(&d, (uint64_t)step),
                            .index = index};
        int at = later ? BEFORE * 3 + (step - BEFORE) * 5 : step * 3;
        d.op->draw_rows(d.be, &a);
        cr_assert_eq(d.op->download(d.be, got + at, index, sizeof *got * (size_t)a.rows, &err),
                     AM_OK);
    }
    for (int i = 0; i < ALL; i++) {
        draw_rows_args a = {.seed = 3,
                            .n = N,
                            .rows = 1,
                            .sets = 1,
                            .step = device_counter(&d, (uint64_t)i),
                            .index = index};
        d.op->draw_rows(d.be, &a);
        cr_assert_eq(d.op->download(d.be, want + i, index, sizeof *want, &err), AM_OK);
    }
    cr_expect_arr_eq(got, want, sizeof *got * ALL);
    device_close(&d);
}

/* A stream that would begin before its first row is refused. */
Test(coarse, a_shift_before_the_first_row_is_refused)
{
    device d = device_open();
    draw_rows_args a = {.seed = 3,
                        .n = 7,
                        .rows = 5,
                        .sets = 1,
                        .shift = -6,
                        .step = device_counter(&d, 1),
                        .index = (dev_u32 *)device_ints(&d, 5, NULL)};
    d.op->draw_rows(d.be, &a);
    cr_expect_eq(d.be->failure.status, AM_ERR_INTERNAL);
    cr_expect_not_null(strstr(d.be->failure.message, "from row -1"));
    device_close(&d);
}

/* Worst error of θ(λ) over the range. */
static double worst_error(fitting *r)
{
    double worst = 0.0, want[SIZE];
    am_error err = {0};
    for (int i = 0; i <= 20; i++) {
        double lambda = r->record.spec.lambda_low *
                        pow(r->record.spec.lambda_high / r->record.spec.lambda_low, i / 20.0);
        float got[SIZE];
        cr_assert_eq(generator_weights(&r->g, 1, &lambda, NULL, got, &err), AM_OK);
        ridge_solution(&r->p, lambda, NULL, want);
        for (int j = 0; j < SIZE; j++)
            worst = fmax(worst, fabs((double)got[j] - want[j]));
    }
    return worst;
}

/* Over a third of a decade degree 6 is exact to 10⁻⁶, with a knee too, and the second stage, in full
 * batches with a rate that ends at 0, gets there: nothing of the first one's bias is left. */
Test(coarse, the_ridge_path_is_reached)
{
    fitting r;
    am_error err = {0};
    generator_spec spec = spec_for("cheb:6");
    fit_settings settings = settings_for(2000);
    spec.lambda_low = 0.05, spec.lambda_high = 0.1, spec.knee = 0.02;
    settings.draws = 8;
    settings.coarse.rows = ROWS;
    fitting_open_with(&r, &spec, &settings, ROWS, 1);
    cr_assert_eq(fit_run(r.f, NULL, &err), AM_OK, "%s", err.message);
    double error = worst_error(&r);
    cr_expect_lt(error, 2e-6, "%g", error);
    fitting_close(&r);
}

/* The second stage counts its steps from where the first ends, and claims no checkpoint of it. */
Test(coarse, a_diverging_second_stage_names_its_step_and_no_file)
{
    fitting r;
    am_error err = {0};
    generator_spec spec = spec_for("cheb:3");
    fit_settings settings = settings_for(8);
    fitting_open_with(&r, &spec, &settings, ROWS, 1);
    run_until(&r, 4);
    float *head = host_floats(&r.d, 4 * SIZE);
    head[0] = NAN;
    r.d.op->upload(r.d.be, r.g.head, head, sizeof *head * 4 * SIZE);
    train_hooks hooks = {.checkpoint = "none.checkpoint"};
    cr_expect_eq(fit_run(r.f, &hooks, &err), AM_ERR_DIVERGED);
    expect_message(&err, "fit diverged at step 4 of 8");
    cr_expect_null(strstr(err.message, "none.checkpoint"), "%s", err.message);
    fitting_close(&r);
}

/* ---- settings that cannot be ----------------------------------------------------------------- */

static void expect_refused(const generator_spec *spec, const fit_settings *settings,
                           const char *message)
{
    device d = device_open();
    am_error err = {0};
    generator_fit *f;
    problem p = problem_open(&d, LOSS_SQUARED, ROWS, 4, 1, 4, 1);
    generator g = generator_of(&d, spec, 4);
    cr_expect_eq(fit_open(&f, &g, settings, &p.data, &err), AM_ERR_USAGE, "%s", message);
    cr_expect_null(f);
    expect_message(&err, message);
    problem_close(&p);
    generator_close(&g);
    device_close(&d);
}

#define REFUSE(statement, message)                                                                 \
    do {                                                                                           \
        generator_spec spec = spec_for("cheb:3");                                                  \
        fit_settings s = settings_for(8);                                                          \
        statement;                                                                                 \
        expect_refused(&spec, &s, message);                                                        \
    } while (0)

Test(coarse, settings_that_cannot_be_are_refused)
{
    REFUSE(s.mode = MODE_HYBRID; s.rounds = 1, "give --mode criterion");
    REFUSE(s.descent = DESCENT_GRADIENT, "--descent collocation");
    REFUSE(s.nodes = LAMBDA_STRATIFIED, "--nodes nodes");
    REFUSE(spec = spec_for("cheb:1"), "features cheb:1 have no degree above the first stage's 1");
    REFUSE(s.coarse.degree = 3, "features cheb:3 have no degree above the first stage's 3");
    REFUSE(s.coarse.sets = 3, "3 minibatches must divide the 2 draws");
    REFUSE(s.coarse.rows = 0, "must divide");
    REFUSE(s.steps = 1, "--steps 1: too few for two stages");
    REFUSE(spec.per_layer = true; spec.target = (target){0}; am_error none = {0};
           target_parse("4-3-1", ACT_RELU, LOSS_SQUARED, &spec.target, &none),
           "give --penalty scalar");
    REFUSE(spec.weights = OMEGA_DIRICHLET, "--posterior implicit");
}
