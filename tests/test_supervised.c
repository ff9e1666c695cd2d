/* Supervised and hybrid mode reach known answers: on ridge problems the labels' exact minimisers, and
 * their exact projection on the features. */
#include "support/fitting.h"
#include "support/ridge.h"
#include "train/labels.h"
#include "train/supervised.h"

#include "data_files.h"

#include <math.h>

enum { INPUTS = 4, SIZE = INPUTS + 1, ROWS = 64, LABELS = 8, BLOCKS = 4 };

/* ---- how the steps are shared -------------------------------------------------------------------- */

Test(supervised, steps_are_shared_among_stages_and_rounds)
{
    static const struct {
        fit_settings s;
        int64_t criterion, round[4];
    } table[] = {
        {{.mode = MODE_CRITERION, .steps = 100}, 100, {0}},
        {{.mode = MODE_SUPERVISED, .steps = 100, .rounds = 1}, 0, {100}},
        {{.mode = MODE_SUPERVISED, .steps = 100, .rounds = 2}, 0, {80, 20}},
        {{.mode = MODE_SUPERVISED, .steps = 100, .rounds = 4}, 0, {80, 6, 7, 7}},
        {{.mode = MODE_HYBRID, .steps = 100, .rounds = 1, .share = 0.8}, 80, {20}},
        {{.mode = MODE_HYBRID, .steps = 101, .rounds = 3, .share = 0.5}, 51, {16, 17, 17}},
        {{.mode = MODE_HYBRID, .steps = 3, .rounds = 2, .share = 0.99}, 1, {1, 1}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const fit_settings *s = &table[i].s;
        am_error err = {0};
        cr_expect_eq(criterion_steps(s), table[i].criterion, "row %zu", i);
        for (int r = 0; r < s->rounds; r++)
            cr_expect_eq(round_steps(s, r), table[i].round[r], "row %zu, round %d: %lld", i, r,
                         (long long)round_steps(s, r));
        cr_expect_eq(supervised_check(s, &err), AM_OK, "row %zu: %s", i, err.message);
    }
}

Test(supervised, too_few_steps_for_the_rounds_are_refused)
{
    static const fit_settings table[] = {
        {.mode = MODE_SUPERVISED, .steps = 1, .rounds = 2},
        {.mode = MODE_SUPERVISED, .steps = 5, .rounds = 3},
        {.mode = MODE_HYBRID, .steps = 1, .rounds = 1, .share = 0.5},
        {.mode = MODE_HYBRID, .steps = 2, .rounds = 2, .share = 0.5},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        am_error err = {0};
        cr_expect_eq(supervised_check(&table[i], &err), AM_ERR_USAGE, "row %zu", i);
        expect_message(&err, "--steps");
        expect_message(&err, "fewer rounds");
    }
}

/* ---- ridge --------------------------------------------------------------------------------------- */

/* Full batches and a rate that ends at 0: a label ends within 2e-6 of its minimiser, as refits do
 * (test_refit.c). */
static fit_settings settings_for(fit_mode mode, int rounds, int64_t steps)
{
    optimiser adam = {.rate = 0.02,
                      .schedule = SCHEDULE_COSINE,
                      .warmup = 20,
                      .beta1 = 0.9,
                      .beta2 = 0.99,
                      .epsilon = 1e-8};
    return (fit_settings){.mode = mode,
                          .labels = LABELS,
                          .rounds = rounds,
                          .share = 0.5,
                          .warm = 1,
                          .label = adam,
                          .descent = DESCENT_GRADIENT,
                          .plan = PLAN_DIRECT,
                          .nodes = LAMBDA_NODES,
                          .draws = LABELS,
                          .rows = ROWS,
                          .sets = 1,
                          .steps = steps,
                          .ridge = 1e-3,
                          .stretch = 1.1,
                          .adam = adam};
}

static generator_spec spec_for(const char *features_text, omega_kind weights, double low,
                               double high)
{
    generator_spec spec = spec_of("4-1", ACT_RELU, LOSS_SQUARED, features_text, weights, BLOCKS);
    spec.lambda_low = low;
    spec.lambda_high = high;
    return spec;
}

static void fit(fitting *r, const generator_spec *spec, const fit_settings *settings)
{
    am_error err = {0};
    fitting_open_with(r, spec, settings, ROWS, 1);
    cr_assert_eq(fit_run(r->f, NULL, &err), AM_OK, "%s", err.message);
    cr_assert_eq(fit_step(r->f), settings->steps);
}

/* The draws (λ_b, ω_b) of a round, their features C, and the minimisers θ̂_b in closed form. */
typedef struct {
    float *c;
    double lambda[LABELS], theta[LABELS][SIZE];
} answers;

static void answers_of(fitting *r, int round, answers *a)
{
    arena state = {0};
    labels l;
    am_error err = {0};
    cr_assert_eq(labels_open(&l, &r->g, &r->record.fit, &r->p.data, &state, &err), AM_OK);
    cr_assert_eq(arena_open(&state, r->d.be, "test", &err), AM_OK);
    cr_assert_eq(labels_draw(&l, round, &err), AM_OK);
    a->c = read_floats(&r->d, l.c, LABELS * r->g.f.features);
    float *lambda = read_floats(&r->d, l.draws.lambda, LABELS);
    float *omega = l.draws.omega ? read_floats(&r->d, l.draws.omega, LABELS * BLOCKS) : NULL;
    for (int b = 0; b < LABELS; b++) {
        a->lambda[b] = (double)lambda[b];
        ridge_solution(&r->p, a->lambda[b], omega ? omega + b * BLOCKS : NULL, a->theta[b]);
    }
    labels_close(&l);
    arena_close(&state);
}

/* (CᵀC)⁻¹Cᵀθ̂ by elimination. */
static void project(const answers *a, int n, double *head)
{
    for (int p = 0; p < SIZE; p++) {
        double gram[RIDGE_MOST * RIDGE_MOST] = {0}, x[RIDGE_MOST] = {0};
        cr_assert_leq(n, RIDGE_MOST);
        for (int b = 0; b < LABELS; b++)
            for (int j = 0; j < n; j++) {
                x[j] += (double)a->c[b * n + j] * a->theta[b][p];
                for (int k = 0; k < n; k++)
                    gram[j * n + k] += (double)a->c[b * n + j] * (double)a->c[b * n + k];
            }
        solve(gram, x, n);
        for (int k = 0; k < n; k++)
            head[k * SIZE + p] = x[k];
    }
}

static void expect_projection(fitting *r, int round, double tolerance, const char *name)
{
    answers a;
    double want[RIDGE_MOST * SIZE];
    answers_of(r, round, &a);
    project(&a, r->g.f.features, want);
    float *head = generator_head(&r->d, &r->g);
    for (int i = 0; i < r->g.f.features * SIZE; i++)
        cr_expect(fabs((double)head[i] - want[i]) < tolerance, "%s: Θ[%d] is %.8g, expected %.8g",
                  name, i, (double)head[i], want[i]);
}

/* θ̂(λ, ω) moves by more than any line can follow; eight labels over three decades leave the line
 * that least squares draws through them, whatever came before. The labels' own 2e-6, amplified by the
 * solver's rows (their sums are below 2), and the rounding of floats stay below 1e-5. */
Test(supervised, the_line_is_the_projection_of_the_exact_labels)
{
    static const struct {
        const char *name;
        fit_mode mode;
        int rounds;
        omega_kind weights;
    } ways[] = {
        {"one round", MODE_SUPERVISED, 1, OMEGA_ONES},
        {"three rounds", MODE_SUPERVISED, 3, OMEGA_ONES},
        {"with weights", MODE_SUPERVISED, 2, OMEGA_EXPONENTIAL},
        {"hybrid", MODE_HYBRID, 1, OMEGA_ONES},
        {"hybrid with weights", MODE_HYBRID, 2, OMEGA_EXPONENTIAL},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        fitting r;
        generator_spec spec = spec_for("poly:1", ways[i].weights, 1e-3, 1.0);
        fit_settings settings = settings_for(ways[i].mode, ways[i].rounds, 8000);
        fit(&r, &spec, &settings);
        expect_projection(&r, ways[i].rounds - 1, 1e-5, ways[i].name);
        fitting_close(&r);
    }
}

/* Worst error of θ(λ) over the range at one ω (NULL: 1). */
static double worst_error(fitting *r, const float *omega)
{
    const generator_spec *spec = &r->record.spec;
    am_error err = {0};
    double worst = 0.0;
    for (int i = 0; i <= 20; i++) {
        double lambda = spec->lambda_low * pow(spec->lambda_high / spec->lambda_low, i / 20.0);
        double want[SIZE];
        float got[SIZE];
        cr_assert_eq(generator_weights(&r->g, 1, &lambda, omega, got, &err), AM_OK);
        ridge_solution(&r->p, lambda, omega, want);
        for (int j = 0; j < SIZE; j++)
            worst = fmax(worst, fabs((double)got[j] - want[j]));
    }
    return worst;
}

/* Over a third of a decade degree 6 is exact to 1e-6: all of the path is reached, to the labels' 2e-6
 * between which it interpolates. */
Test(supervised, a_path_that_the_features_can_follow_is_reached)
{
    static const fit_mode modes[] = {MODE_SUPERVISED, MODE_HYBRID};
    for (int i = 0; i < 2; i++) {
        fitting r;
        generator_spec spec = spec_for("cheb:6", OMEGA_ONES, 0.05, 0.1);
        fit_settings settings = settings_for(modes[i], 2, 5000);
        fit(&r, &spec, &settings);
        cr_expect_lt(worst_error(&r, NULL), 5e-6, "%d: %g", i, worst_error(&r, NULL));
        fitting_close(&r);
    }
}

/* Eight labels are the four folds twice: each gets the solution without its block. */
Test(supervised, every_fold_gets_the_solution_without_its_block)
{
    static const fit_mode modes[] = {MODE_SUPERVISED, MODE_HYBRID};
    for (int i = 0; i < 2; i++) {
        fitting r;
        generator_spec spec = spec_for("poly:0", OMEGA_FOLD, 0.02, 0.02 * (1 + 1e-9));
        fit_settings settings = settings_for(modes[i], 1, 5000);
        fit(&r, &spec, &settings);
        for (int fold = 0; fold < BLOCKS; fold++) {
            float omega[BLOCKS];
            for (int b = 0; b < BLOCKS; b++)
                omega[b] = b == fold ? 0.0f : 4.0f / 3.0f;
            cr_expect_lt(worst_error(&r, omega), 5e-6, "%d, fold %d: %g", i, fold,
                         worst_error(&r, omega));
        }
        fitting_close(&r);
    }
}

/* Worst distance over the range of θ̂(λ) from the nearest label: what needs no interpolation. */
static double nearest_error(fitting *r, const answers *a)
{
    const generator_spec *spec = &r->record.spec;
    double worst = 0.0, want[SIZE];
    for (int i = 0; i <= 20; i++) {
        double nearest = INFINITY;
        ridge_solution(&r->p,
                       spec->lambda_low * pow(spec->lambda_high / spec->lambda_low, i / 20.0), NULL,
                       want);
        for (int b = 0; b < LABELS; b++) {
            double distance = 0.0;
            for (int j = 0; j < SIZE; j++)
                distance = fmax(distance, fabs(a->theta[b][j] - want[j]));
            nearest = fmin(nearest, distance);
        }
        worst = fmax(worst, nearest);
    }
    return worst;
}

/* Seven learned features meet the eight labels, to what floats leave of sums of large terms, and between
 * them follow the path: three times closer than the nearest label. */
Test(supervised, a_feature_network_follows_the_path)
{
    fitting r;
    answers a;
    generator_spec spec = spec_for("mlp:16,7", OMEGA_ONES, 1e-2, 1.0);
    fit_settings settings = settings_for(MODE_SUPERVISED, 1, 4000);
    am_error err = {0};
    fit(&r, &spec, &settings);
    answers_of(&r, 0, &a);
    for (int b = 0; b < LABELS; b++) {
        float got[SIZE];
        cr_assert_eq(generator_weights(&r.g, 1, &a.lambda[b], NULL, got, &err), AM_OK);
        for (int j = 0; j < SIZE; j++)
            cr_expect_float_eq((double)got[j], a.theta[b][j], 2e-3, "label %d: %g, expected %g", b,
                               (double)got[j], a.theta[b][j]);
    }
    double worst = worst_error(&r, NULL), nearest = nearest_error(&r, &a);
    cr_expect_lt(3.0 * worst, nearest, "%g, the nearest label %g", worst, nearest);
    fitting_close(&r);
}

/* ---- structure ----------------------------------------------------------------------------------- */

static void recipe_run(fitting *r, int which, int part, int networks)
{
    am_error err = {0};
    const recipe *k = &recipes[which];
    generator_spec spec =
        spec_of("6-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, k->features, k->weights, 4);
    fit_settings settings = settings_of(k, 12);
    spec.omega0 = k->omega0;
    spec.per_layer = k->per_layer;
    spec.networks = networks > 0 ? networks : k->networks;
    settings.part = part;
    fitting_open_with(r, &spec, &settings, 40, 1);
    cr_assert_eq(fit_run(r->f, NULL, &err), AM_OK, "%s: %s", k->name, err.message);
}

/* Refitted one by one, in pairs, or all at once: a label does not know the others. */
Test(supervised, the_parts_of_the_labels_change_no_bit)
{
    for (int i = 0; i < recipe_count; i++) {
        fitting whole;
        if (recipes[i].mode == MODE_CRITERION)
            continue;
        recipe_run(&whole, i, 0, 0);
        for (int part = 1; part < 4; part++) {
            fitting parts;
            recipe_run(&parts, i, part, 0);
            cr_expect(fitting_same_params(&whole, &parts), "%s: parts of %d", recipes[i].name,
                      part);
            fitting_close(&parts);
        }
        fitting_close(&whole);
    }
}

/* Each network learns from labels of its own; the first as if it were alone. */
Test(supervised, several_networks_are_several_fits)
{
    for (int i = 0; i < recipe_count; i++) {
        fitting alone, three;
        if (recipes[i].mode != MODE_SUPERVISED || recipes[i].networks == 1)
            continue;
        recipe_run(&alone, i, 0, 1);
        recipe_run(&three, i, 0, 3);
        int64_t count = (int64_t)alone.g.f.features * alone.g.spec.target.params;
        float *one = generator_head(&alone.d, &alone.g);
        float *all = read_floats(&three.d, three.g.head, 3 * count);
        cr_expect_eq(memcmp(one, all, sizeof *one * (size_t)count), 0);
        cr_expect_neq(memcmp(all, all + count, sizeof *one * (size_t)count), 0);
        cr_expect_neq(memcmp(all + count, all + 2 * count, sizeof *one * (size_t)count), 0);
        fitting_close(&alone);
        fitting_close(&three);
    }
}

/* ---- reports ------------------------------------------------------------------------------------- */

enum { MOST_REPORTS = 400 };
typedef struct {
    int count;
    train_progress report[MOST_REPORTS];
} reports;

static void note(void *context, const train_progress *report)
{
    reports *r = context;
    if (r->count < MOST_REPORTS)
        r->report[r->count++] = *report;
}

/* One run from 0 to its steps, whatever stages and parts it has; the end is nearer at every report. */
Test(supervised, progress_is_that_of_the_whole_run)
{
    for (int i = 0; i < recipe_count; i++) {
        fitting r;
        reports seen = {0};
        am_error err = {0};
        train_hooks hooks = {.context = &seen, .progress = note};
        if (recipes[i].mode == MODE_CRITERION)
            continue;
        fitting_open(&r, &recipes[i], 60, 1);
        cr_assert_eq(fit_run(r.f, &hooks, &err), AM_OK, "%s", err.message);
        cr_assert(seen.count > 2 && seen.count < MOST_REPORTS);
        for (int k = 0; k < seen.count; k++) {
            cr_expect_eq(seen.report[k].total, 60);
            cr_expect_str_eq(seen.report[k].task, "fit");
            cr_expect(k == 0 || seen.report[k].step >= seen.report[k - 1].step);
            cr_expect(k == 0 || seen.report[k].seconds >= seen.report[k - 1].seconds);
            cr_expect((seen.report[k].seconds_left > 0) == (k + 1 < seen.count),
                      "%s: %g seconds left at report %d of %d", recipes[i].name,
                      seen.report[k].seconds_left, k, seen.count);
        }
        cr_expect_eq(seen.report[seen.count - 1].step, 60);
        fitting_close(&r);
    }
}

Test(supervised, labels_that_diverge_name_the_step_of_the_run)
{
    fitting r;
    am_error err = {0};
    generator_spec spec = spec_for("poly:1", OMEGA_ONES, 1e-3, 1.0);
    fit_settings settings = settings_for(MODE_HYBRID, 1, 100);
    settings.label.rate = 1e9;
    fitting_open_with(&r, &spec, &settings, ROWS, 1);
    cr_expect_eq(fit_run(r.f, NULL, &err), AM_ERR_DIVERGED);
    expect_message(&err, "fit diverged at step 5");
    expect_message(&err, " of 100");
    fitting_close(&r);
}
