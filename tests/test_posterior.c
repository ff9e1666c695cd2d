/* posterior: draws through a generator that sees ω, and by short weighted refits where it does not.
 */
#include "draw/draw.h"
#include "support/problem.h"
#include "train/train.h"
#include "tune/tune.h"

#include "data_files.h"

#include <math.h>

enum { DRAWS = 6, BLOCKS = 5 };

typedef struct {
    device d;
    problem train, held_out;
    generator g;
    double lambda[2];
    posterior_request request;
} scene;

static void scene_open(scene *s, const char *features_text, omega_kind weights, loss_kind loss)
{
    *s = (scene){.d = device_open(), .lambda = {4e-3, 4e-3}};
    generator_spec spec = spec_of("5-6-3", ACT_TANH, loss, features_text, weights, BLOCKS);
    s->train = problem_open(&s->d, loss, 120, 5, 3, BLOCKS, 11);
    s->held_out = problem_open(&s->d, loss, 300, 5, 3, 1, 12);
    s->g = generator_of(&s->d, &spec, 4);
    generator_fill(&s->d, &s->g, 13, 0.6f);
    s->request = (posterior_request){
        .g = &s->g,
        .lambda = s->lambda,
        .draws = DRAWS,
        .train = &s->train.data,
        .evaluation = &s->held_out.data,
        .blocks = BLOCKS,
        .weights = weights != OMEGA_ONES ? weights : OMEGA_DIRICHLET,
        .alpha = 1.0,
        .rows = 16,
        .rate = 1e-3,
        .steps = 12,
        .seed = 8,
    };
}

static void scene_close(scene *s)
{
    problem_close(&s->train);
    problem_close(&s->held_out);
    generator_close(&s->g);
    device_close(&s->d);
}

static posterior computed(const scene *s)
{
    posterior p;
    am_error err = {0};
    cr_assert_eq(posterior_compute(&s->request, &p, &err), AM_OK, "%s", err.message);
    return p;
}

/* ω (D,K) and ω₀ (D) of the request. */
static void request_omega(scene *s, float **omega, float **omega0)
{
    am_error err = {0};
    const posterior_request *q = &s->request;
    cr_assert_eq(
        posterior_omega(s->d.be, q->weights, q->alpha, BLOCKS, DRAWS, q->seed, omega, omega0, &err),
        AM_OK, "%s", err.message);
}

/* The posterior is what `evaluate` says of this set, with the draws' summary by hand. */
static void expect_posterior(const posterior *p, const model_set *set, const device_rows *rows)
{
    metrics each[DRAWS], mean;
    am_error err = {0};
    double accuracy = 0.0, nll = 0.0, squares = 0.0;
    cr_assert_eq(evaluate(set, rows, each, &mean, &err), AM_OK);
    for (int k = 0; k < DRAWS; k++) {
        cr_expect_float_eq(p->draw[k].nll, each[k].nll, 1e-6, "draw %d: %g, %g", k, p->draw[k].nll,
                           each[k].nll);
        cr_expect_eq(p->draw[k].accuracy, each[k].accuracy);
        accuracy += each[k].accuracy / DRAWS;
        nll += each[k].nll / DRAWS;
    }
    for (int k = 0; k < DRAWS; k++)
        squares += pow(each[k].accuracy - accuracy, 2.0);
    cr_expect_eq(p->draws, DRAWS);
    cr_expect_float_eq(p->mean.nll, mean.nll, 1e-6);
    cr_expect_eq(p->mean.accuracy, mean.accuracy);
    cr_expect_float_eq(p->mean.ece, mean.ece, 1e-6);
    cr_expect_float_eq(p->accuracy_mean, accuracy, 1e-12);
    cr_expect_float_eq(p->accuracy_sd, sqrt(squares / (DRAWS - 1)), 1e-12);
    cr_expect_float_eq(p->nll_mean, nll, 1e-6);
    cr_expect(p->mean.nll < p->nll_mean && p->accuracy_sd > 0.0, "the draws do not differ");
}

/* ---- the weights of the draws ---------------------------------------------------------------- */

Test(posterior, weights_have_mean_one_and_streams_of_their_own)
{
    static const omega_kind kinds[] = {OMEGA_ONES, OMEGA_DIRICHLET, OMEGA_EXPONENTIAL,
                                       OMEGA_MULTINOMIAL, OMEGA_FOLD};
    enum { MANY = 2000, K = 10 };
    device d = device_open();
    for (int i = 0; i < 5; i++) {
        float *omega, *omega0, *again, *again0;
        am_error err = {0};
        double sum = 0.0, sum0 = 0.0;
        cr_assert_eq(posterior_omega(d.be, kinds[i], 1.0, K, MANY, 5, &omega, &omega0, &err),
                     AM_OK);
        cr_assert_eq(posterior_omega(d.be, kinds[i], 1.0, K, MANY, 5, &again, &again0, &err),
                     AM_OK);
        cr_expect_eq(memcmp(omega, again, sizeof(float) * MANY * K), 0);
        cr_expect_eq(memcmp(omega0, again0, sizeof(float) * MANY), 0);
        for (int k = 0; k < MANY * K; k++) {
            cr_assert(omega[k] >= 0.0f);
            sum += (double)omega[k] / (MANY * K);
        }
        for (int m = 0; m < MANY; m++)
            sum0 += (double)omega0[m] / MANY;
        /* variance 1 at most: within 4 standard errors, 0.028 and 0.09; sums that are fixed,
         * exactly */
        cr_expect_float_eq(sum, 1.0, kinds[i] == OMEGA_EXPONENTIAL ? 0.029 : 1e-5);
        cr_expect_float_eq(sum0, 1.0, 0.09);
        free(omega), free(omega0), free(again), free(again0);
    }
    device_close(&d);
}

/* Training draws with the seed itself; posterior draws must not be the ones it was fitted on. */
Test(posterior, draws_are_not_those_of_training)
{
    scene s;
    float *omega, *omega0, trained[DRAWS * BLOCKS];
    am_error err = {0};
    scene_open(&s, "cheb:2", OMEGA_DIRICHLET, LOSS_CROSS_ENTROPY);
    request_omega(&s, &omega, &omega0);
    dev_f32 *w = device_floats(&s.d, DRAWS * BLOCKS, NULL);
    draw_omega_args a = {.kind = OMEGA_DIRICHLET,
                         .seed = s.request.seed,
                         .alpha = 1.0,
                         .draws = DRAWS,
                         .blocks = BLOCKS,
                         .step = device_counter(&s.d, 0),
                         .omega = w};
    s.d.op->draw_omega(s.d.be, &a);
    cr_assert_eq(s.d.op->download(s.d.be, trained, w, sizeof trained, &err), AM_OK);
    for (int i = 0; i < DRAWS * BLOCKS; i++)
        cr_expect_neq(omega[i], trained[i]);
    a.seed = seed_for(s.request.seed, STREAM_POSTERIOR);
    s.d.op->draw_omega(s.d.be, &a);
    cr_assert_eq(s.d.op->download(s.d.be, trained, w, sizeof trained, &err), AM_OK);
    cr_expect_eq(memcmp(omega, trained, sizeof trained), 0);
    free(omega), free(omega0);
    scene_close(&s);
}

/* ---- from a generator that sees ω ------------------------------------------------------------ */

static void check_generator_draws(const char *features_text, omega_kind weights, bool omega0,
                                  bool per_layer)
{
    scene s;
    scene_open(&s, features_text, weights, LOSS_CROSS_ENTROPY);
    generator_spec spec = s.g.spec;
    generator_close(&s.g);
    spec.omega0 = omega0;
    spec.per_layer = per_layer;
    s.g = generator_of(&s.d, &spec, 4);
    generator_fill(&s.d, &s.g, 13, 0.6f);
    s.request.train = NULL; /* not needed */
    s.lambda[1] = 2e-2;
    s.request.theta = host_floats(&s.d, DRAWS * spec.target.params);
    posterior p = computed(&s);
    cr_expect(p.from_generator);

    float *omega, *scale;
    am_error err = {0};
    int groups = s.g.groups.count;
    double lambda[DRAWS * 2];
    request_omega(&s, &omega, &scale);
    for (int i = 0; i < DRAWS * groups; i++)
        lambda[i] = s.lambda[i % groups] * (omega0 ? (double)scale[i / groups] : 1.0);
    dev_f32 *c = device_floats(&s.d, DRAWS * s.g.f.features, NULL);
    cr_assert_eq(generator_features(&s.g, DRAWS, lambda, omega, c, &err), AM_OK);
    model_set set = {.be = s.d.be, .t = &s.g.spec.target, .g = &s.g, .c = c, .models = DRAWS};
    expect_posterior(&p, &set, &s.held_out.data);
    int64_t count = DRAWS * spec.target.params;
    dev_f32 *theta = device_floats(&s.d, count, NULL);
    generator_theta(&s.g, DRAWS, c, theta);
    expect_close(&s.d, theta, count, to_doubles(&s.d, s.request.theta, count), 1e-6);
    free(omega), free(scale);
    posterior_free(&p);
    posterior_free(&p); /* safe on a freed one */
    scene_close(&s);
}

Test(posterior, a_generator_that_sees_the_weights_gives_the_draws)
{
    check_generator_draws("cheb:2", OMEGA_DIRICHLET, false, false);
    check_generator_draws("mlp:6,4", OMEGA_EXPONENTIAL, true, false);
    check_generator_draws("split:6,4", OMEGA_DIRICHLET, true, true);
    check_generator_draws("paper", OMEGA_MULTINOMIAL, false, false);
}

/* ---- short refits ---------------------------------------------------------------------------- */

/* The same refits by hand: every draw from g(λ), weighted by its ω, at the given rate and steps. */
Test(posterior, a_generator_blind_to_the_weights_is_refitted_for_every_draw)
{
    scene s;
    am_error err = {0};
    float *omega, *omega0, *start;
    dev_f32 *theta;
    scene_open(&s, "cheb:3", OMEGA_ONES, LOSS_CROSS_ENTROPY);
    int64_t params = s.g.spec.target.params;
    s.request.theta = host_floats(&s.d, DRAWS * params);
    posterior p = computed(&s);
    cr_expect(!p.from_generator && p.steps == 12);
    double lambda[DRAWS];
    request_omega(&s, &omega, &omega0);
    start = host_floats(&s.d, DRAWS * params);
    for (int k = 0; k < DRAWS; k++) {
        lambda[k] = s.lambda[0];
        cr_assert_eq(generator_weights(&s.g, 1, s.lambda, NULL, start + k * params, &err), AM_OK);
    }
    refit_request q = {
        .t = &s.g.spec.target,
        .models = DRAWS,
        .lambda = lambda,
        .omega = omega,
        .blocks = BLOCKS,
        .start = start,
        .seed = seed_for(s.request.seed, STREAM_POSTERIOR),
        .rows = 16,
        .steps = 12,
        .adam = {.rate = 1e-3,
                 .schedule = SCHEDULE_COSINE,
                 .warmup = 1,
                 .beta1 = 0.9,
                 .beta2 = 0.999,
                 .epsilon = 1e-8},
    };
    cr_assert_eq(refit_run(s.d.be, &q, &s.train.data, NULL, &theta, &err), AM_OK, "%s",
                 err.message);
    model_set set = {.be = s.d.be, .t = &s.g.spec.target, .theta = theta, .models = DRAWS};
    expect_posterior(&p, &set, &s.held_out.data);
    cr_expect_eq(memcmp(s.request.theta, read_floats(&s.d, theta, DRAWS * params),
                        sizeof(float) * (size_t)(DRAWS * params)),
                 0);
    s.d.op->release(s.d.be, theta);
    free(omega), free(omega0);
    posterior_free(&p);
    scene_close(&s);
}

Test(posterior, refits_without_training_rows_are_an_error)
{
    scene s;
    posterior p;
    am_error err = {0};
    scene_open(&s, "cheb:3", OMEGA_ONES, LOSS_CROSS_ENTROPY);
    s.request.train = NULL;
    cr_expect_eq(posterior_compute(&s.request, &p, &err), AM_ERR_INTERNAL);
    expect_message(&err, "training rows with blocks are needed");
    cr_expect_null(p.draw);
    scene_close(&s);
}

/* ---- corners --------------------------------------------------------------------------------- */

Test(posterior, one_draw_has_no_spread)
{
    scene s;
    scene_open(&s, "cheb:2", OMEGA_DIRICHLET, LOSS_CROSS_ENTROPY);
    s.request.draws = 1;
    posterior p = computed(&s);
    cr_expect(isnan(p.accuracy_sd));
    cr_expect_eq(p.accuracy_mean, p.draw[0].accuracy);
    cr_expect_float_eq(p.mean.nll, p.draw[0].nll, 1e-6);
    posterior_free(&p);
    scene_close(&s);
}

Test(posterior, regression_has_losses_but_no_predictive_distribution)
{
    scene s;
    scene_open(&s, "cheb:2", OMEGA_DIRICHLET, LOSS_SQUARED);
    posterior p = computed(&s);
    cr_expect(isnan(p.mean.nll) && isnan(p.mean.accuracy) && isnan(p.accuracy_mean));
    cr_expect(isfinite(p.nll_mean) && p.draw[0].nll != p.draw[1].nll);
    posterior_free(&p);
    scene_close(&s);
}
