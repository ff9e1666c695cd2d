/* audit: generators of which the right verdict is known. The target is a ridge regression whose exact
 * solution is linear in ω, so that a generator can be exact, ignore ω, or answer to the wrong block. */
#include "support/problem.h"
#include "support/ridge.h"
#include "support/scratch.h"
#include "tune/audit.h"

#include "data_files.h"

#include <math.h>

TestSuite(audit, .init = scratch_make, .fini = scratch_remove);

enum {
    BLOCKS = 4,
    INPUTS = 3,
    PARAMS = INPUTS + 1,
    BLOCK_ROWS = 12,
    ROWS = BLOCKS * BLOCK_ROWS,
    DRAWS = 12
};
static const double LOW = 2e-3, HIGH = 3e-3;

typedef struct {
    device d;
    problem train, held_out;
    generator g;
    char digest[17];
    refit_cache cache;
    posterior_request sample;
    double lambda[2];
    audit_request request;
    audit_result r;
} scene;

/* Every block holds the same inputs: then Σ ω_i x_i x_iᵀ is the same at every ω with mean 1, and
 * θ̂(ω,λ) = (S + λI)⁻¹ (1/n) Σ ω_i x_i y_i is linear in ω. */
static void share_inputs(scene *s)
{
    am_rows *rows = &s->train.rows;
    for (int64_t i = ROWS - 1; i >= 0; i--) /* blocks are i mod K */
        for (int j = 0; j < INPUTS; j++)
            rows->floats[i * INPUTS + j] = rows->floats[i / BLOCKS * INPUTS + j];
    for (int64_t i = 0; i < ROWS;
         i++) /* small weights, within reach; each block leans its own way */
        rows->target[i] = 0.2f * rows->target[i] +
                          0.1f * (float)s->train.block[i] * rows->floats[i * INPUTS] +
                          0.1f * (float)random_at(77, (uint32_t)i, -1.0, 1.0);
    problem_upload(&s->d, &s->train);
}

/* Held-out rows of the same regression: y = θ̂ᵀx̃ and noise. */
static void teach_held_out(scene *s)
{
    const am_rows *rows = &s->held_out.rows;
    double theta[PARAMS];
    ridge_solution(&s->train, LOW, NULL, theta);
    for (int64_t i = 0; i < rows->n; i++) {
        double y = theta[INPUTS] + random_at(78, (uint32_t)i, -0.02, 0.02);
        for (int j = 0; j < INPUTS; j++)
            y += theta[j] * (double)rows->floats[i * INPUTS + j];
        rows->target[i] = (float)y;
    }
    problem_upload(&s->d, &s->held_out);
}

static generator_spec ridge_spec(omega_kind weights)
{
    generator_spec spec = spec_of("3-1", ACT_RELU, LOSS_SQUARED, "poly:1", weights, BLOCKS);
    spec.lambda_low = LOW;
    spec.lambda_high = HIGH;
    return spec;
}

static void scene_open(scene *s, omega_kind weights)
{
    *s = (scene){.d = device_open_threads(1), .lambda = {LOW, HIGH}};
    s->train = problem_open(&s->d, LOSS_SQUARED, ROWS, INPUTS, 1, BLOCKS, 21);
    s->held_out = problem_open(&s->d, LOSS_SQUARED, 40, INPUTS, 1, 1, 22);
    share_inputs(s);
    teach_held_out(s);
    generator_spec spec = ridge_spec(weights);
    s->g = generator_of(&s->d, &spec, 8);
    refit_cache_digest(&s->train.rows, s->train.block, s->digest);
    s->cache = (refit_cache){.data = s->digest, .precision = "fp32"};
    s->sample = (posterior_request){.g = &s->g,
                                    .train = &s->train.data,
                                    .blocks = BLOCKS,
                                    .weights = OMEGA_DIRICHLET,
                                    .alpha = 1.0,
                                    .rows = ROWS,
                                    .rate = 1e-3,
                                    .steps = 20};
    s->request = (audit_request){.sample = &s->sample,
                                 .validation = &s->held_out.data,
                                 .rows = ROWS,
                                 .steps = 1200,
                                 .points = 2,
                                 .repeats = 2,
                                 .draws = DRAWS,
                                 .lambdas = 2,
                                 .lambda = s->lambda,
                                 .seed = 5,
                                 .cache = &s->cache};
}

static void scene_close(scene *s)
{
    audit_free(&s->r);
    problem_close(&s->train);
    problem_close(&s->held_out);
    generator_close(&s->g);
    device_close(&s->d);
}

static void run(scene *s)
{
    am_error err = {0};
    audit_free(&s->r);
    cr_assert_eq(audit_run(&s->request, &s->r, &err), AM_OK, "%s", err.message);
}

/* ---- generators ------------------------------------------------------------------------------ */

/* Which block a generator takes for block b. */
typedef int (*block_map)(int b);
static int own_block(int b)
{
    return b;
}
static int next_block(int b)
{
    return (b + 1) % BLOCKS;
}

/* Fills Θ so that g(1, λ) is exact at both ends of the range, and the response to block b is that of
 * map(b) at their geometric mean, times `size`. */
static void make_generator(scene *s, block_map map, double size)
{
    enum { FEATURES = 2 + BLOCKS };
    int count = s->g.f.features;
    cr_assert_leq(count, FEATURES);
    double at[FEATURES * FEATURES], lambda[FEATURES], theta[FEATURES][PARAMS];
    float omega[FEATURES * BLOCKS], map_omega[BLOCKS], head[FEATURES * PARAMS];
    for (int i = 0; i < count; i++) {
        lambda[i] = i == 1 ? HIGH : LOW;
        ridge_solution(&s->train, lambda[i], NULL, theta[i]);
        for (int b = 0; b < BLOCKS; b++)
            omega[i * BLOCKS + b] = i == b + 2 ? 2.0f : 1.0f;
    }
    for (int i = 2; i < count; i++) { /* + size·(θ̂ with one more of a block − θ̂) */
        double s_xx[PARAMS * PARAMS], s_xy[PARAMS], answer[PARAMS];
        for (int b = 0; b < BLOCKS; b++)
            map_omega[b] = b == map(i - 2) ? 1.0f : 0.0f;
        ridge_moments(&s->train, map_omega, s_xx, answer);
        ridge_moments(&s->train, NULL, s_xx, s_xy);
        for (int j = 0; j < PARAMS; j++)
            s_xx[j * PARAMS + j] += sqrt(LOW * HIGH);
        solve(s_xx, answer, PARAMS);
        for (int j = 0; j < PARAMS; j++)
            theta[i][j] += size * answer[j];
    }
    am_error err = {0};
    dev_f32 *c = device_floats(&s->d, (int64_t)count * count, NULL);
    cr_assert_eq(generator_features(&s->g, count, lambda, count > 2 ? omega : NULL, c, &err),
                 AM_OK);
    float *rows = read_floats(&s->d, c, (int64_t)count * count);
    for (int j = 0; j < PARAMS; j++) { /* C Θ = θ, one column at a time */
        double column[FEATURES];
        for (int i = 0; i < count; i++) {
            column[i] = theta[i][j];
            for (int k = 0; k < count; k++)
                at[i * count + k] = (double)rows[i * count + k];
        }
        solve(at, column, count);
        for (int k = 0; k < count; k++)
            head[k * PARAMS + j] = (float)column[k];
    }
    generator_set_head(&s->g, head);
}

static const audit_line *line_of(const scene *s, const char *property)
{
    for (int i = 0; i < s->r.lines; i++)
        if (strcmp(s->r.line[i].property, property) == 0)
            return &s->r.line[i];
    cr_assert_fail("no verdict on %s", property);
    return NULL;
}

static void expect_verdict(const scene *s, const char *property, audit_verdict verdict)
{
    const audit_line *line = line_of(s, property);
    cr_expect_eq(line->verdict, verdict, "%s: %s at %g ± %g", property,
                 audit_verdict_name(line->verdict), line->value, line->se);
}

static void expect_good_curve(const scene *s)
{
    const audit_curve *c = &s->r.curve;
    cr_expect(fabs(c->criterion_gap_worst.value) < 1e-3, "%g", c->criterion_gap_worst.value);
    cr_expect(fabs(c->nll_gap_worst.value) < 1e-5, "%g", c->nll_gap_worst.value);
    expect_verdict(s, "training criterion, worst λ", VERDICT_PASS);
    expect_verdict(s, "squared error, worst λ", VERDICT_PASS);
}

Test(audit, an_exact_generator_passes_with_ratio_one)
{
    scene s;
    scene_open(&s, OMEGA_DIRICHLET);
    make_generator(&s, own_block, 1.0);
    run(&s);
    expect_good_curve(&s);
    cr_expect(s.r.from_generator);
    for (int i = 0; i < 2; i++) {
        const fidelity *f = &s.r.at[i].f;
        cr_expect_eq(s.r.at[i].lambda, s.lambda[i]);
        cr_expect(f->reproducible.value > 0.999, "full batches leave no noise: %g",
                  f->reproducible.value);
        cr_expect_float_eq(f->spread.value, 1.0, 0.05, "%g", f->spread.value);
        cr_expect_float_eq(f->captured.value, 1.0, 0.025, "%g", f->captured.value);
        cr_expect(f->fidelity.value > 0.9999, "%g", f->fidelity.value);
    }
    expect_verdict(&s, "posterior spread ratio", VERDICT_PASS);
    expect_verdict(&s, "posterior captured signal", VERDICT_PASS);
    expect_verdict(&s, "posterior fidelity", VERDICT_PASS);
    scene_close(&s);
}

Test(audit, one_that_ignores_omega_fails)
{
    scene s;
    scene_open(&s, OMEGA_DIRICHLET);
    make_generator(&s, own_block, 0.0);
    run(&s);
    expect_good_curve(&s); /* nothing in the curve tells */
    for (int i = 0; i < 2; i++) {
        cr_expect(s.r.at[i].f.spread.value < 1e-9);
        cr_expect(fabs(s.r.at[i].f.captured.value) < 1e-4);
    }
    expect_verdict(&s, "posterior spread ratio", VERDICT_FAIL);
    expect_verdict(&s, "posterior captured signal", VERDICT_FAIL);
    expect_verdict(&s, "posterior fidelity", VERDICT_FAIL);
    cr_expect_eq(s.r.verdict, VERDICT_FAIL);
    scene_close(&s);
}

/* As much spread as there should be, in answer to the wrong blocks. */
Test(audit, noise_of_the_right_size_fails_on_fidelity)
{
    scene s;
    scene_open(&s, OMEGA_DIRICHLET);
    make_generator(&s, next_block, 1.0);
    run(&s);
    for (int i = 0; i < 2; i++) {
        const fidelity *f = &s.r.at[i].f;
        cr_expect(f->spread.value > 0.5 && f->spread.value < 2.0, "%g", f->spread.value);
        cr_expect(f->fidelity.value < 0.3, "%g", f->fidelity.value);
    }
    expect_verdict(&s, "posterior fidelity", VERDICT_FAIL);
    scene_close(&s);
}

/* Twice the response: the direction is right, the size is not. */
Test(audit, one_that_overstates_fails_on_spread)
{
    scene s;
    scene_open(&s, OMEGA_DIRICHLET);
    make_generator(&s, own_block, 2.0);
    run(&s);
    cr_expect_float_eq(s.r.at[0].f.spread.value, 4.0, 0.2);
    cr_expect_float_eq(s.r.at[0].f.captured.value, 2.0, 0.05);
    expect_verdict(&s, "posterior spread ratio", VERDICT_FAIL);
    expect_verdict(&s, "posterior fidelity", VERDICT_PASS);
    scene_close(&s);
}

/* A generator that does not see ω is judged by what `sample` draws from it: here 20 small steps, a
 * part of the response. */
Test(audit, without_omega_the_short_refits_are_judged)
{
    scene s;
    scene_open(&s, OMEGA_ONES);
    make_generator(&s, own_block, 1.0);
    run(&s);
    cr_expect_not(s.r.from_generator);
    expect_good_curve(&s);
    cr_expect(s.r.at[0].f.spread.value > 0.0 && s.r.at[0].f.spread.value < 0.2, "%g",
              s.r.at[0].f.spread.value);
    expect_verdict(&s, "posterior spread ratio", VERDICT_FAIL);
    scene_close(&s);
}

/* λ that is far off: the curve's lines say so. */
Test(audit, a_wrong_curve_fails)
{
    scene s;
    scene_open(&s, OMEGA_ONES);
    make_generator(&s, own_block, 1.0);
    float *head = generator_head(&s.d, &s.g);
    for (int i = 0; i < PARAMS; i++)
        head[i] *= 0.3f;
    generator_set_head(&s.g, head);
    s.request.lambdas = 0;
    run(&s);
    expect_verdict(&s, "training criterion, worst λ", VERDICT_FAIL);
    expect_verdict(&s, "squared error, worst λ", VERDICT_FAIL);
    cr_expect_eq(s.r.verdict, VERDICT_FAIL);
    scene_close(&s);
}

/* ---- step sizes ------------------------------------------------------------------------------ */

/* Few steps: the recipe's step size is far too small, and the search goes on beyond twice of it. */
Test(audit, the_search_goes_beyond_its_ends)
{
    scene s;
    scene_open(&s, OMEGA_ONES);
    make_generator(&s, own_block, 1.0);
    s.request.steps = 60;
    s.request.lambdas = 0;
    run(&s);
    const audit_rates *f = &s.r.rates;
    cr_expect_gt(f->count, 4);
    for (int i = 1; i < f->count; i++)
        cr_expect_float_eq(f->rate[i], 2.0 * f->rate[i - 1], 1e-12);
    for (int i = 0; i < f->count; i++)
        cr_expect(f->nll_mean[i] >= f->nll_mean[f->best]);
    cr_expect(f->tied[f->best] && f->tied[f->chosen]);
    cr_expect_eq(s.r.refits, f->count * AUDIT_RATE_LAMBDAS + 4);
    scene_close(&s);
}

/* ---- the same numbers ------------------------------------------------------------------------ */

static void expect_same(const audit_result *a, const audit_result *b)
{
    cr_expect_eq(memcmp(&a->rates, &b->rates, sizeof a->rates), 0);
    cr_expect_eq(a->curve.regret.value, b->curve.regret.value);
    cr_expect_eq(a->curve.nll_gap_mean.value, b->curve.nll_gap_mean.value);
    cr_expect_eq(a->curve.criterion_gap_worst.value, b->curve.criterion_gap_worst.value);
    cr_assert_eq(a->lambdas, b->lambdas);
    for (int i = 0; i < a->lambdas; i++)
        cr_expect_eq(memcmp(&a->at[i], &b->at[i], sizeof a->at[i]), 0, "λ %d", i);
    cr_expect_eq(a->refits, b->refits);
    cr_expect_eq(a->verdict, b->verdict);
}

static bool stop_now(void *context)
{
    int *left = context;
    return (*left)-- <= 0;
}

/* Twice, with a cache and without, and in two goes with a stop between: the same numbers. */
Test(audit, repeats_with_and_without_a_cache)
{
    scene s;
    char folder[128];
    am_error err = {0};
    (void)snprintf(folder, sizeof folder, "%s", scratch("refits"));
    scene_open(&s, OMEGA_DIRICHLET);
    make_generator(&s, own_block, 1.0);
    s.request.steps = 300;
    run(&s);
    audit_result plain = s.r;
    s.r = (audit_result){0};
    s.cache.trained = 0;

    int left = 100;
    train_hooks hooks = {.context = &left, .stop = stop_now};
    s.cache.folder = folder;
    s.request.hooks = &hooks;
    cr_assert_eq(audit_run(&s.request, &s.r, &err), AM_ERR_INTERRUPT, "%s", err.message);
    expect_message(&err, "audit stopped after");
    expect_message(&err, "the same command goes on from those kept in ");
    int first = s.cache.trained;
    cr_expect(first > 0 && first < plain.refits, "%d", first);

    s.request.hooks = NULL;
    run(&s);
    expect_same(&plain, &s.r);
    cr_expect_eq(s.cache.found, first);
    cr_expect_eq(s.cache.found + s.cache.trained - first, plain.refits);

    s.cache.found = s.cache.trained = 0;
    run(&s);
    expect_same(&plain, &s.r);
    cr_expect_eq(s.cache.trained, 0);
    cr_expect_eq(s.cache.found, plain.refits);
    audit_free(&plain);
    scene_close(&s);
}

typedef struct {
    int64_t last, total;
    int calls;
} seen;

static void see(void *context, const train_progress *p)
{
    seen *k = context;
    cr_expect_str_eq(p->task, "audit");
    cr_expect(p->step >= k->last && p->step <= p->total);
    k->last = p->step;
    k->total = p->total;
    k->calls++;
}

Test(audit, progress_is_of_the_whole)
{
    scene s;
    scene_open(&s, OMEGA_DIRICHLET);
    make_generator(&s, own_block, 1.0);
    s.request.steps = 40;
    seen k = {0};
    train_hooks hooks = {.context = &k, .progress = see};
    s.request.hooks = &hooks;
    run(&s);
    cr_expect_eq(k.last, k.total);
    cr_expect_eq(k.total, (int64_t)s.r.refits * 40);
    cr_expect_gt(k.calls, 5);
    scene_close(&s);
}

/* Draws of an audit differ with its seed, and the refits with them. */
Test(audit, another_seed_gives_other_draws)
{
    scene s;
    scene_open(&s, OMEGA_DIRICHLET);
    make_generator(&s, own_block, 1.0);
    s.request.steps = 300;
    run(&s);
    double signal = s.r.at[0].f.signal.value;
    s.request.seed++;
    run(&s);
    cr_expect_neq(s.r.at[0].f.signal.value, signal);
    scene_close(&s);
}

Test(audit, refuses_what_has_no_answer)
{
    scene s;
    am_error err = {0};
    scene_open(&s, OMEGA_DIRICHLET);
    s.request.draws = 2;
    cr_expect_eq(audit_run(&s.request, &s.r, &err), AM_ERR_USAGE);
    s.request.draws = 3;
    s.request.points = 1;
    err = (am_error){0};
    cr_expect_eq(audit_run(&s.request, &s.r, &err), AM_ERR_USAGE);
    scene_close(&s);
}

/* ---- classes --------------------------------------------------------------------------------- */

/* θ (2, P) of refits at both ends of the range that have converged: a softmax regression with a
 * penalty has one minimiser, wherever refits begin. */
static void take_refits(device *d, const problem *p, generator *g, const double *lambda)
{
    am_error err = {0};
    dev_f32 *theta;
    refit_request request = {.t = &g->spec.target,
                             .models = 2,
                             .lambda = lambda,
                             .seed = 99,
                             .rows = (int)p->rows.n,
                             .steps = 3000,
                             .adam = {.rate = 0.02,
                                      .schedule = SCHEDULE_COSINE,
                                      .beta1 = 0.9,
                                      .beta2 = 0.99,
                                      .epsilon = 1e-8}};
    cr_assert_eq(refit_run(d->be, &request, &p->data, NULL, &theta, &err), AM_OK);
    int64_t params = g->spec.target.params;
    float *end = read_floats(d, theta, 2 * params), *head = host_floats(d, 2 * params);
    for (int64_t i = 0; i < params; i++) { /* θ(u) = Θ_0 + uΘ_1, u = ∓1 */
        head[i] = 0.5f * (end[i] + end[params + i]);
        head[params + i] = 0.5f * (end[params + i] - end[i]);
    }
    generator_set_head(g, head);
    d->op->release(d->be, theta);
}

/* The networks of refits themselves have no gap, in loss, accuracy or criterion. */
Test(audit, refits_in_the_generators_place_have_no_gap)
{
    device d = device_open_threads(1);
    problem train = problem_open(&d, LOSS_CROSS_ENTROPY, 60, 3, 3, 2, 31);
    problem held_out = problem_open(&d, LOSS_CROSS_ENTROPY, 60, 3, 3, 1, 31);
    generator_spec spec =
        spec_of("3-3", ACT_RELU, LOSS_CROSS_ENTROPY, "poly:1", OMEGA_ONES, 2); /* 1e-3 : 1e-1 */
    generator g = generator_of(&d, &spec, 4);
    const double lambda[2] = {1e-3, 1e-1};
    take_refits(&d, &train, &g, lambda);
    posterior_request sample = {.g = &g, .train = &train.data, .blocks = 2};
    refit_cache cache = {.precision = "fp32"};
    audit_request request = {.sample = &sample,
                             .validation = &held_out.data,
                             .rows = 60,
                             .steps = 2500,
                             .points = 2,
                             .repeats = 2,
                             .draws = 3,
                             .cache = &cache};
    audit_result r;
    am_error err = {0};
    cr_assert_eq(audit_run(&request, &r, &err), AM_OK, "%s", err.message);
    const audit_curve *c = &r.curve;
    cr_expect_eq(c->acc_gap_mean.value, 0.0);
    cr_expect_eq(c->acc_gap_worst.value, 0.0);
    cr_expect(fabs(c->nll_gap_worst.value) < 1e-4, "%g", c->nll_gap_worst.value);
    cr_expect(fabs(c->criterion_gap_worst.value) < 1e-4, "%g", c->criterion_gap_worst.value);
    cr_expect_float_eq(c->rank_correlation.value, 1.0, 1e-12);
    cr_expect_eq(c->regret.value, 0.0);
    cr_expect_eq(c->best, c->refit_best);
    cr_expect(r.verdict <= VERDICT_WARN, "at worst the step size lies at the end of the search");
    audit_free(&r);
    generator_close(&g);
    problem_close(&train);
    problem_close(&held_out);
    device_close(&d);
}
