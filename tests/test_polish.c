/* polish: its rule, its networks against closed forms, and how many steps make them as good as refits.
 */
#include "support/problem.h"
#include "support/ridge.h"
#include "train/recipe.h"
#include "tune/parity.h"

#include "data_files.h"

#include <math.h>

enum { INPUTS = 4, SIZE = INPUTS + 1, ROWS = 64, BLOCKS = 4, MODELS = 3 };

/* A generator of ridge regressions over 64 rows, whose minimisers are known. */
typedef struct {
    device d;
    problem p;
    generator g;
    double lambda[MODELS];
    float omega[MODELS * BLOCKS];
    polish_request request; /* full batches */
} scene;

static void scene_open(scene *s, const char *features_text, omega_kind weights)
{
    *s = (scene){.d = device_open_threads(1), .lambda = {2e-3, 1e-2, 5e-2}};
    generator_spec spec = spec_of("4-1", ACT_RELU, LOSS_SQUARED, features_text, weights, BLOCKS);
    s->p = problem_open(&s->d, LOSS_SQUARED, ROWS, INPUTS, 1, BLOCKS, 71);
    s->g = generator_of(&s->d, &spec, MODELS);
    generator_fill(&s->d, &s->g, 72, 0.3f);
    for (int i = 0; i < MODELS * BLOCKS; i++)
        s->omega[i] = (float)random_at(73, (uint32_t)i, 0.2, 1.8);
    s->request = (polish_request){
        .g = &s->g,
        .models = MODELS,
        .lambda = s->lambda,
        .omega = s->omega,
        .blocks = BLOCKS,
        .seed = 5,
        .rows = ROWS,
        .steps = 400,
        .adam = polish_optimiser(400, 0.05),
    };
}

static void scene_close(scene *s)
{
    generator_close(&s->g);
    problem_close(&s->p);
    device_close(&s->d);
}

/* θ (D,P) of a run that must succeed. */
static float *polish(scene *s, const polish_request *request)
{
    am_error err = {0};
    dev_f32 *theta;
    cr_assert_eq(polish_run(request, &s->p.data, NULL, &theta, &err), AM_OK, "%s", err.message);
    float *host = read_floats(&s->d, theta, request->models * SIZE);
    s->d.op->release(s->d.be, theta);
    return host;
}

/* ---- the rule -------------------------------------------------------------------------------- */

Test(polish, takes_a_twentieth_of_the_steps)
{
    cr_expect(polish_steps(1953) == 97 && polish_steps(7812) == 390 && polish_steps(10) == 1);
}

Test(polish, minibatches_make_whole_passes)
{
    /* 98 steps of 1024 rows would be 2.007 passes over 50,000: two, of ⌈100000/98⌉ rows */
    cr_expect_eq(polish_rows(98, 128, 50000), 1021);
    cr_expect_eq(polish_rows(195, 128, 50000), 1026); /* 3.99: four passes */
    cr_expect_eq(polish_rows(10, 128, 50000), 5000);  /* 0.2: one pass at least */
    cr_expect_eq(polish_rows(1, 128, 50000), 50000);
    cr_expect_eq(polish_rows(20, 128, 133), 133); /* all rows, where there are few */
    cr_expect_eq(polish_rows(0, 128, 50000), 50000, "no steps need no rows, but a number");
}

Test(polish, step_size_is_the_rules_or_the_given_one)
{
    optimiser rule = polish_optimiser(50, 0.0), given = polish_optimiser(50, 0.25);
    cr_expect(rule.rate == 1.5e-3 && rule.schedule == SCHEDULE_CONSTANT && rule.warmup == 10);
    cr_expect_eq(given.rate, 0.25);
}

/* ---- networks -------------------------------------------------------------------------------- */

Test(polish, without_steps_leaves_what_the_generator_gives)
{
    static const struct {
        const char *features;
        omega_kind weights;
        bool sees;
    } cases[] = {{"cheb:2", OMEGA_ONES, false}, {"cheb:2", OMEGA_DIRICHLET, true}};
    for (int i = 0; i < 2; i++) {
        scene s;
        am_error err = {0};
        float want[MODELS * SIZE];
        scene_open(&s, cases[i].features, cases[i].weights);
        s.request.steps = 0;
        const float *omega = cases[i].sees ? s.omega : NULL;
        cr_assert_eq(generator_weights(&s.g, MODELS, s.lambda, omega, want, &err), AM_OK);
        cr_expect_eq(memcmp(polish(&s, &s.request), want, sizeof want), 0, "case %d", i);
        scene_close(&s);
    }
}

/* From a generator that knows nothing, each network reaches the minimiser for its own λ and ω. */
Test(polish, reaches_the_closed_form)
{
    scene s;
    double want[SIZE];
    scene_open(&s, "cheb:2", OMEGA_ONES);
    const float *theta = polish(&s, &s.request);
    for (int m = 0; m < MODELS; m++) {
        ridge_solution(&s.p, s.lambda[m], s.omega + m * BLOCKS, want);
        for (int j = 0; j < SIZE; j++)
            cr_expect_float_eq((double)theta[m * SIZE + j], want[j], 1e-4, "network %d: %g, %g", m,
                               (double)theta[m * SIZE + j], want[j]);
    }
    scene_close(&s);
}

Test(polish, of_one_network_gives_the_bits_that_it_has_in_a_batch)
{
    scene s;
    scene_open(&s, "cheb:2", OMEGA_DIRICHLET);
    s.request.rows = 24; /* minibatches, the same for all */
    s.request.steps = 30;
    const float *all = polish(&s, &s.request);
    for (int m = 0; m < MODELS; m++) {
        polish_request one = s.request;
        one.models = 1;
        one.lambda += m;
        one.omega += (ptrdiff_t)m * BLOCKS;
        cr_expect_eq(memcmp(polish(&s, &one), all + m * SIZE, SIZE * sizeof *all), 0, "network %d",
                     m);
    }
    scene_close(&s);
}

/* θ(T) of refits that do not average, from the same start on the same minibatches. */
static const float *iterate(scene *s, const float *start, int64_t steps)
{
    am_error err = {0};
    dev_f32 *theta;
    refit_request q = {.t = &s->g.spec.target,
                       .models = MODELS,
                       .lambda = s->lambda,
                       .omega = s->omega,
                       .blocks = BLOCKS,
                       .start = start,
                       .seed = s->request.seed,
                       .rows = s->request.rows,
                       .steps = steps,
                       .adam = s->request.adam};
    q.adam.warmup = 0; /* of a constant step size: the path is the same however long it is */
    cr_assert_eq(refit_run(s->d.be, &q, &s->p.data, NULL, &theta, &err), AM_OK, "%s", err.message);
    const float *host = read_floats(&s->d, theta, MODELS * SIZE);
    s->d.op->release(s->d.be, theta);
    return host;
}

/* Seven steps: the mean of the iterates after 4, 5, 6 and 7. One step: its own. */
Test(polish, hands_out_the_mean_of_the_second_half)
{
    for (int64_t steps = 1; steps <= 7; steps += 6) {
        scene s;
        am_error err = {0};
        float start[MODELS * SIZE];
        scene_open(&s, "cheb:2", OMEGA_ONES);
        s.request.rows = 24;
        s.request.steps = steps;
        s.request.adam.warmup = 0;
        cr_assert_eq(polish_start(&s.request, start, &err), AM_OK, "%s", err.message);
        const float *theta = polish(&s, &s.request), *at[8];
        for (int64_t t = steps / 2 + 1; t <= steps; t++)
            at[t] = iterate(&s, start, t);
        for (int j = 0; j < MODELS * SIZE; j++) {
            double mean = 0.0;
            for (int64_t t = steps / 2 + 1; t <= steps; t++)
                mean += (double)at[t][j] / (double)(steps - steps / 2);
            cr_expect_float_eq((double)theta[j], mean, 1e-6, "%lld steps, θ[%d]: %g, %g",
                               (long long)steps, j, (double)theta[j], mean);
        }
        scene_close(&s);
    }
}

/* Two networks: the first as alone, the second from its own head, both towards the closed form. */
Test(polish, of_several_networks_polishes_each)
{
    enum { NETWORKS = 2 };
    scene s;
    generator both;
    double want[SIZE];
    scene_open(&s, "cheb:2", OMEGA_ONES);
    generator_spec spec = s.g.spec;
    spec.networks = NETWORKS;
    both = generator_of(&s.d, &spec, MODELS);
    int64_t own = s.g.f.features * SIZE;
    float *head = random_floats(&s.d, NETWORKS * own, 75);
    for (int64_t i = 0; i < NETWORKS * own; i++)
        head[i] *= 0.3f;
    both.be->op->upload(both.be, both.head, head, sizeof *head * (size_t)(NETWORKS * own));
    generator_set_head(&s.g, head);
    polish_request all = s.request, first = s.request;
    all.g = &both;
    all.steps = first.steps = 0;
    cr_expect_eq(polish_networks(&all), NETWORKS);
    am_error err = {0};
    float start[NETWORKS * MODELS * SIZE], alone[MODELS * SIZE];
    cr_assert_eq(polish_start(&all, start, &err), AM_OK, "%s", err.message);
    cr_assert_eq(polish_start(&first, alone, &err), AM_OK, "%s", err.message);
    cr_expect_eq(memcmp(start, alone, sizeof alone), 0);
    generator_set_head(&s.g, head + own);
    cr_assert_eq(polish_start(&first, alone, &err), AM_OK, "%s", err.message);
    cr_expect_eq(memcmp(start + MODELS * SIZE, alone, sizeof alone), 0);
    all.steps = s.request.steps;
    dev_f32 *theta;
    cr_assert_eq(polish_run(&all, &s.p.data, NULL, &theta, &err), AM_OK, "%s", err.message);
    const float *host = read_floats(&s.d, theta, NETWORKS * MODELS * SIZE);
    for (int m = 0; m < NETWORKS * MODELS; m++) {
        ridge_solution(&s.p, s.lambda[m % MODELS], s.omega + m % MODELS * BLOCKS, want);
        for (int j = 0; j < SIZE; j++)
            cr_expect_float_eq((double)host[m * SIZE + j], want[j], 1e-4, "network %d", m);
    }
    network_scores scores;
    cr_assert_eq(polish_score(&all, theta, &s.p.data, &s.p.data, &scores, &err), AM_OK, "%s",
                 err.message);
    cr_expect(scores.networks == NETWORKS && scores.models == MODELS);
    cr_expect_float_eq(scores.together_nll, scores.nll_mean, 1e-5, "they have become the same");
    network_scores_free(&scores);
    s.d.op->release(s.d.be, theta);
    generator_close(&both);
    scene_close(&s);
}

/* ---- scores and parity ----------------------------------------------------------------------- */

Test(polish, is_scored_on_the_criterion_of_each_network)
{
    scene s;
    network_scores scores;
    am_error err = {0};
    scene_open(&s, "cheb:2", OMEGA_ONES);
    float *theta = random_floats(&s.d, MODELS * SIZE, 74);
    dev_f32 *device_theta = device_floats(&s.d, MODELS * SIZE, theta);
    cr_assert_eq(polish_score(&s.request, device_theta, &s.p.data, &s.p.data, &scores, &err), AM_OK,
                 "%s", err.message);
    for (int m = 0; m < MODELS; m++) {
        double loss = 0.0, plain = 0.0, squares = 0.0;
        const float *t = theta + m * SIZE;
        for (int i = 0; i < ROWS; i++) {
            double f = (double)t[INPUTS];
            for (int j = 0; j < INPUTS; j++)
                f += (double)t[j] * (double)s.p.rows.floats[i * INPUTS + j];
            double error = pow(f - (double)s.p.rows.target[i], 2.0) / ROWS;
            plain += error;
            loss += (double)s.omega[m * BLOCKS + (int)s.p.block[i]] * error;
        }
        for (int j = 0; j < SIZE; j++)
            squares += (double)t[j] * (double)t[j];
        cr_expect_float_eq(scores.criterion[m], loss + s.lambda[m] * squares, 1e-5);
        cr_expect_float_eq(scores.validation[m].nll, plain, 1e-5);
    }
    cr_expect_float_eq(scores.criterion_mean,
                       (scores.criterion[0] + scores.criterion[1] + scores.criterion[2]) / 3,
                       1e-12);
    network_scores_free(&scores);
    scene_close(&s);
}

/* Refits of 60 steps: a good deal short of the minimum. */
static parity_refits short_refits(void)
{
    parity_refits refits = {
        .repeats = 2,
        .rows = 16,
        .steps = 60,
        .seed = 6,
        .adam = {.rate = 0.02, .schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8}};
    recipe_refit(&refits.adam, refits.steps);
    return refits;
}

static parity found(scene *s)
{
    parity p;
    am_error err = {0};
    parity_refits refits = short_refits();
    cr_assert_eq(parity_find(&s->request, 0.05, &refits, &s->p.data, &s->p.data, NULL, &p, &err),
                 AM_OK, "%s", err.message);
    return p;
}

/* θ(1, λ) = the exact answer at λ = 1e-2, for all three λ: better than such refits at once. */
Test(polish, of_an_exact_generator_is_at_parity_after_no_steps)
{
    scene s;
    double exact[SIZE];
    scene_open(&s, "cheb:2", OMEGA_ONES);
    float *head = generator_head(&s.d, &s.g);
    ridge_solution(&s.p, 1e-2, NULL, exact);
    for (int i = 0; i < s.g.f.features * SIZE; i++)
        head[i] = i < SIZE ? (float)exact[i] : 0.0f;
    generator_set_head(&s.g, head);
    s.request.omega = NULL;
    parity p = found(&s);
    cr_expect(p.steps == 0 && p.criterion_steps == 0 && p.nll_steps == 0, "%lld steps",
              (long long)p.steps);
    cr_expect(p.points == 1 && p.point[0].criterion <= p.criterion);
    scene_close(&s);
}

/* A generator that knows nothing: some steps are needed, and every point costs what it says. */
Test(polish, of_a_poor_generator_needs_steps)
{
    scene s;
    scene_open(&s, "cheb:2", OMEGA_ONES);
    parity p = found(&s);
    cr_assert_gt(p.points, 1);
    cr_expect_neq(p.steps, 0);
    cr_expect_gt(p.point[0].criterion, p.criterion);
    for (int i = 0; i < p.points; i++) {
        const parity_point *at = &p.point[i];
        cr_expect_float_eq(at->share, (double)at->steps / 60.0, 1e-12);
        cr_expect_float_eq(at->row_share, (double)(at->steps * at->rows) / (60.0 * 16.0), 1e-12);
        cr_expect_leq(at->row_share, 1.05);
        bool both = at->criterion <= p.criterion && at->nll <= p.nll;
        cr_expect_eq(both, at->steps == p.steps, "%lld steps", (long long)at->steps);
    }
    scene_close(&s);
}
