/* refits: batched = single, bit for bit; replay; known answers; weights = repeated observations. */
#include "support/problem.h"
#include "support/ridge.h"
#include "train/train.h"

#include "data_files.h"

#include <math.h>

enum { MODELS = 5, BLOCKS = 4, ROWS = 40 };

typedef struct {
    device d;
    target t;
    problem p;
    double lambda[MODELS * 2]; /* (D, G), up to two layers */
    float omega[MODELS * BLOCKS];
    uint32_t init[MODELS];
    float rate_scale[MODELS];
    refit_request request;
} scene;

static void scene_open_on(scene *s, const char *text, loss_kind loss, int64_t rows, int threads)
{
    am_error err = {0};
    *s = (scene){.d = device_open_threads(threads)};
    cr_assert_eq(target_parse(text, ACT_RELU, loss, &s->t, &err), AM_OK);
    s->p = problem_open(&s->d, loss, rows, s->t.size[0], s->t.size[s->t.layers], BLOCKS, 81);
    for (int i = 0; i < MODELS * 2; i++)
        s->lambda[i] = pow(10.0, random_at(82, (uint32_t)i, -4.0, -1.0));
    for (int i = 0; i < MODELS * BLOCKS; i++)
        s->omega[i] = (float)random_at(83, (uint32_t)i, 0.0, 2.0);
    for (int m = 0; m < MODELS; m++) {
        s->init[m] = (uint32_t)(m * m);
        s->rate_scale[m] = 0.5f + 0.25f * (float)m;
    }
    s->request = (refit_request){
        .t = &s->t,
        .models = MODELS,
        .lambda = s->lambda,
        .omega = s->omega,
        .blocks = BLOCKS,
        .init = s->init,
        .rate_scale = s->rate_scale,
        .seed = 4,
        .rows = 8,
        .steps = 15,
        .adam = {.rate = 0.02,
                 .schedule = SCHEDULE_COSINE,
                 .warmup = 3,
                 .beta1 = 0.9,
                 .beta2 = 0.99,
                 .epsilon = 1e-8},
    };
}

static void scene_open(scene *s)
{
    scene_open_on(s, "6-5-3", LOSS_CROSS_ENTROPY, ROWS, 1);
}

static void scene_close(scene *s)
{
    problem_close(&s->p);
    device_close(&s->d);
}

/* θ (D, P) of a run that must succeed. */
static float *refit(scene *s, const refit_request *request)
{
    am_error err = {0};
    dev_f32 *theta;
    cr_assert_eq(refit_run(s->d.be, request, &s->p.data, NULL, &theta, &err), AM_OK, "%s",
                 err.message);
    float *host = read_floats(&s->d, theta, request->models * s->t.params);
    s->d.op->release(s->d.be, theta);
    return host;
}

static bool same(const scene *s, const float *a, const float *b, int models)
{
    return memcmp(a, b, sizeof *a * (size_t)models * (size_t)s->t.params) == 0;
}

/* Models first.. of the scene's request, on their own. */
static refit_request part(const scene *s, int first, int models)
{
    refit_request q = s->request;
    int groups = q.per_layer ? s->t.layers : 1;
    q.models = models;
    q.lambda += first * groups;
    q.omega = q.omega != NULL ? q.omega + first * BLOCKS : NULL;
    q.init = q.init != NULL ? q.init + first : NULL;
    q.rate_scale = q.rate_scale != NULL ? q.rate_scale + first : NULL;
    q.start = q.start != NULL ? q.start + first * s->t.params : NULL;
    return q;
}

/* ---- batched = single ------------------------------------------------------------------------ */

/* Batches of 5, of 2 and of 1 give every model the same bits. */
static void check_batches(scene *s, const char *what)
{
    float *all = refit(s, &s->request);
    for (int size = 1; size <= 2; size++) {
        for (int first = 0; first + size <= MODELS; first += size) {
            refit_request q = part(s, first, size);
            float *some = refit(s, &q);
            cr_expect(same(s, all + first * s->t.params, some, size), "%s: models %d to %d", what,
                      first, first + size - 1);
        }
    }
    cr_expect_not(same(s, all, all + s->t.params, 1));
}

Test(refit, a_model_of_a_batch_gets_the_bits_it_gets_alone)
{
    scene s;
    scene_open(&s);
    check_batches(&s, "shared rows");
    s.request.per_layer = true;
    check_batches(&s, "a λ per layer");
    s.request.omega = NULL;
    s.request.rate_scale = NULL;
    check_batches(&s, "unit weights");
    s.request.per_layer = false;
    float *start = random_floats(&s.d, MODELS * s.t.params, 5);
    s.request.start = start;
    check_batches(&s, "warm starts");
    scene_close(&s);
}

Test(refit, a_batch_on_realistic_shapes_gets_the_bits_of_single_models)
{
    scene s;
    scene_open_on(&s, "784-64-10", LOSS_CROSS_ENTROPY, 300, 2);
    s.request.rows = 128;
    s.request.steps = 3;
    check_batches(&s, "784-64-10");
    scene_close(&s);
}

Test(refit, the_number_of_threads_does_not_change_the_bits)
{
    float *theta[3];
    scene s[3];
    for (int threads = 1; threads <= 3; threads++) {
        scene_open_on(&s[threads - 1], "70-48-10", LOSS_CROSS_ENTROPY, 200, threads);
        s[threads - 1].request.rows = 64;
        s[threads - 1].request.separate = true;
        theta[threads - 1] = refit(&s[threads - 1], &s[threads - 1].request);
    }
    cr_expect(same(&s[0], theta[0], theta[1], MODELS));
    cr_expect(same(&s[0], theta[0], theta[2], MODELS));
    for (int k = 0; k < 3; k++)
        scene_close(&s[k]);
}

/* ---- replay ---------------------------------------------------------------------------------- */

Test(refit, a_refit_can_be_replayed)
{
    scene s;
    scene_open(&s);
    float *first = refit(&s, &s.request), *again = refit(&s, &s.request);
    cr_expect(same(&s, first, again, MODELS));
    s.request.seed++;
    float *other = refit(&s, &s.request);
    cr_expect_not(same(&s, first, other, MODELS));
    scene_close(&s);
}

Test(refit, equal_requests_give_equal_models_unless_their_order_or_start_differs)
{
    scene s;
    scene_open(&s);
    for (int m = 1; m < MODELS; m++) {
        s.lambda[m] = s.lambda[0];
        memcpy(s.omega + m * BLOCKS, s.omega, sizeof(float) * BLOCKS);
    }
    s.request.rate_scale = NULL;
    s.request.init = NULL;
    int64_t params = s.t.params;
    float *shared = refit(&s, &s.request);
    cr_expect(same(&s, shared, shared + params, 1));
    s.request.separate = true; /* the same start, other batch orders */
    float *separate = refit(&s, &s.request);
    cr_expect(same(&s, shared, separate, 1), "the first set is the shared order");
    cr_expect_not(same(&s, separate, separate + params, 1));
    s.request.separate = false;
    s.request.init = s.init; /* other starts, the same order */
    float *started = refit(&s, &s.request);
    cr_expect(same(&s, shared, started, 1));
    cr_expect_not(same(&s, started, started + params, 1));
    scene_close(&s);
}

Test(refit, a_model_starts_where_it_is_told)
{
    scene s;
    scene_open(&s);
    s.request.adam.rate = 0; /* so that the start is the end */
    float *theta = refit(&s, &s.request), *want = host_floats(&s.d, s.t.params);
    for (int m = 0; m < MODELS; m++) {
        target_init(&s.t, s.request.seed, s.init[m], want);
        cr_expect(same(&s, theta + m * s.t.params, want, 1));
    }
    s.request.start = random_floats(&s.d, MODELS * s.t.params, 6);
    cr_expect(same(&s, refit(&s, &s.request), s.request.start, MODELS));
    scene_close(&s);
}

/* Factors that are powers of two leave the bits of a run at that rate. */
Test(refit, every_model_may_have_a_step_size_of_its_own)
{
    scene s;
    scene_open(&s);
    static const float scale[MODELS] = {0.5f, 1, 2, 0.25f, 4};
    s.request.rate_scale = scale;
    float *theta = refit(&s, &s.request);
    for (int m = 0; m < MODELS; m++) {
        refit_request q = part(&s, m, 1);
        q.rate_scale = NULL;
        q.adam.rate *= (double)scale[m];
        cr_expect(same(&s, theta + m * s.t.params, refit(&s, &q), 1), "model %d", m);
    }
    scene_close(&s);
}

/* ---- known answers --------------------------------------------------------------------------- */

/* A full batch of linear regression converges to (S + λI)⁻¹s to the rounding of floats. */
Test(refit, linear_models_converge_to_their_weighted_ridge_solutions)
{
    scene s;
    scene_open_on(&s, "4-1", LOSS_SQUARED, ROWS, 1);
    s.request.rows = ROWS;
    s.request.steps = 2000;
    float *theta = refit(&s, &s.request);
    for (int m = 0; m < MODELS; m++) {
        double want[5];
        ridge_solution(&s.p, (double)(float)s.lambda[m], s.omega + m * BLOCKS, want);
        for (int j = 0; j < 5; j++)
            cr_expect_float_eq((double)theta[m * 5 + j], want[j], 2e-6, "model %d: %g, expected %g",
                               m, (double)theta[m * 5 + j], want[j]);
    }
    scene_close(&s);
}

/* The same rows, row i written ω_i times (Σω = n), in `p`. */
static problem repeated(scene *s, const int *omega)
{
    problem p =
        problem_open(&s->d, s->t.loss, s->p.rows.n, s->p.rows.inputs, s->p.rows.outputs, 1, 1);
    int64_t to = 0;
    size_t inputs = (size_t)p.rows.inputs, outputs = (size_t)p.rows.outputs;
    for (int64_t i = 0; i < s->p.rows.n; i++)
        for (int k = 0; k < omega[i]; k++, to++) {
            memcpy(p.rows.floats + to * p.rows.inputs, s->p.rows.floats + i * p.rows.inputs,
                   inputs * sizeof(float));
            if (p.rows.label != NULL)
                p.rows.label[to] = s->p.rows.label[i];
            else
                memcpy(p.rows.target + to * p.rows.outputs, s->p.rows.target + i * p.rows.outputs,
                       outputs * sizeof(float));
        }
    cr_assert_eq(to, p.rows.n);
    problem_upload(&s->d, &p);
    return p;
}

/* Full batches: the two runs take the same steps but for the order of their sums. */
static void check_repetition(const char *text, loss_kind loss)
{
    scene s;
    scene_open_on(&s, text, loss, ROWS, 1);
    int counts[ROWS] = {0};
    float omega[ROWS];
    for (int i = 0; i < ROWS; i++)
        counts[(int)random_at(9, (uint32_t)i, 0.0, (double)ROWS)]++; /* a bootstrap sample */
    for (int i = 0; i < ROWS; i++) {
        omega[i] = (float)counts[i];
        s.p.block[i] = (uint32_t)i; /* K = n */
    }
    problem_upload(&s.d, &s.p);
    s.request.models = 1;
    s.request.rows = ROWS;
    s.request.steps = 40;
    s.request.omega = omega;
    s.request.blocks = ROWS;
    float *weighted = refit(&s, &s.request);

    problem original = s.p;
    s.p = repeated(&s, counts);
    s.request.omega = NULL;
    float *plain = refit(&s, &s.request);
    double error = normalised_error(weighted, to_doubles(&s.d, plain, s.t.params), s.t.params);
    cr_expect_lt(error, 2e-5, "%s: %g", text, error);
    problem_close(&original);
    scene_close(&s);
}

Test(refit, integer_weights_are_repeated_observations)
{
    check_repetition("6-5-3", LOSS_CROSS_ENTROPY);
    check_repetition("6-5-2", LOSS_SQUARED);
    check_repetition("6-1", LOSS_SQUARED);
}

/* ---- faults ---------------------------------------------------------------------------------- */

Test(refit, divergence_is_reported_and_nothing_is_left)
{
    scene s;
    am_error err = {0};
    dev_f32 *theta = (dev_f32 *)&s;
    scene_open_on(&s, "6-5-2", LOSS_SQUARED, ROWS, 1);
    s.request.adam.rate = 1e6;
    s.request.steps = 60;
    cr_expect_eq(refit_run(s.d.be, &s.request, &s.p.data, NULL, &theta, &err), AM_ERR_DIVERGED);
    expect_message(&err, "refit diverged at step ");
    cr_expect_null(theta);
    scene_close(&s);
}

static bool stop_always(void *context)
{
    (void)context;
    return true;
}

Test(refit, a_stop_is_reported_and_nothing_is_left)
{
    scene s;
    am_error err = {0};
    dev_f32 *theta = (dev_f32 *)&s;
    train_hooks hooks = {.stop = stop_always};
    scene_open(&s);
    cr_expect_eq(refit_run(s.d.be, &s.request, &s.p.data, &hooks, &theta, &err), AM_ERR_INTERRUPT);
    cr_expect_str_eq(err.message, "refit stopped at step 1 of 15");
    cr_expect_null(theta);
    scene_close(&s);
}
