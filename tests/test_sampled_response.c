/* The response to drawn weight vectors: its fixed point against exact solutions with a weight for every
 * observation, its steps against the response to the blocks, the generator that carries it, and what
 * posterior draws are made of. */
#include "response/response.h"
#include "response/weighted_gradients.h"
#include "support/fitting.h"
#include "support/ridge.h"
#include "tune/audit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static void must(am_status status, const am_error *err)
{
    cr_assert_eq(status, AM_OK, "%s", err->message);
}

static void refused(am_status status, const am_error *err, const char *part)
{
    cr_expect_eq(status, AM_ERR_USAGE);
    cr_expect(strstr(err->message, part) != NULL, "%s", err->message);
}

/* ω^s (S,K) of a generator's seed on the host, owned by the device. */
static float *drawn(device *d, const generator_spec *spec, int draws)
{
    am_error err = {0};
    weight_source from = {OMEGA_DIRICHLET, spec->alpha, spec->seed, spec->blocks};
    dev_f32 *omega = device_floats(d, draws * spec->blocks, NULL);
    must(weights_drawn(d->be, &from, draws, omega, &err), &err);
    return read_floats(d, omega, draws * spec->blocks);
}

/* ---- the response ------------------------------------------------------------------------------- */

enum { NODES = 2, MOST = 64 };

/* A base generator over a small problem, with a response to drive by hand. */
typedef struct {
    device d;
    problem p;
    generator g;
    response *r;
    dev_f32 *state;   /* (NODES, V, P) */
    dev_f32 *moment2; /* (P) */
    double time;
} scene;

static response_metric adam_at(void *context, int which, double u)
{
    const scene *s = context;
    cr_assert(which == 0 && fabs(u) == 1.0);
    return (response_metric){
        .moment2 = s->moment2, .correction = 0.5, .epsilon = 1e-3, .time = s->time};
}

/* draws: S, or 0 for the blocks. */
static void scene_open(scene *s, const char *text, loss_kind loss, int64_t rows, int64_t blocks,
                       int draws, int iterations)
{
    am_error err = {0};
    *s = (scene){.d = device_open(), .time = 0.7};
    generator_spec spec = spec_of(text, ACT_TANH, loss, "cheb:2", OMEGA_ONES, blocks);
    const target *t = &spec.target;
    s->p = problem_open(&s->d, loss, rows, t->size[0], t->size[t->layers], blocks, 61);
    s->g = generator_of(&s->d, &spec, 2);
    generator_fill(&s->d, &s->g, 62, 0.6f);
    s->state = device_floats(&s->d, NODES * (draws > 0 ? draws : blocks) * t->params, NULL);
    float *v = random_floats(&s->d, t->params, 63);
    for (int64_t i = 0; i < t->params; i++)
        v[i] = 0.01f + 0.02f * v[i] * v[i];
    s->moment2 = device_floats(&s->d, t->params, v);
    response_settings settings = {.nodes = NODES,
                                  .snapshots = 2,
                                  .rows = (int)rows,
                                  .inputs = MOST,
                                  .components = MOST,
                                  .iterations = iterations,
                                  .weights = OMEGA_DIRICHLET,
                                  .draws = draws};
    must(response_open(&s->r, &s->g, &settings, &s->p.data, s->state, &err), &err);
}

static void scene_close(scene *s)
{
    response_close(s->r);
    generator_close(&s->g);
    problem_close(&s->p);
    device_close(&s->d);
}

static void advance(scene *s, int snapshots)
{
    am_error err = {0};
    for (int i = 0; i < snapshots; i++)
        must(response_advance(s->r, i, adam_at, s, &err), &err);
}

/* Many long steps at a fixed θ, that of a ridge regression with a weight for every observation: O_s is
 * the derivative of its exact solution along ω^s − 1, here by central differences of the closed form. */
Test(sampled_response, its_fixed_point_is_the_derivative_along_drawn_weights)
{
    enum { ROWS = 31, DRAWS = 4, PARAMS = 5 };
    scene s;
    scene_open(&s, "4-1", LOSS_SQUARED, ROWS, ROWS, DRAWS, 20);
    const float *omega = drawn(&s.d, &s.g.spec, DRAWS);
    float head[3 * PARAMS] = {0};
    double solution[PARAMS], up[PARAMS], down[PARAMS], want[DRAWS * PARAMS];
    s.time = 1e3;
    ridge_solution(&s.p, s.g.spec.lambda_high, NULL, solution);
    for (int i = 0; i < PARAMS; i++)
        head[i] = (float)solution[i];
    generator_set_head(&s.g, head);
    for (int k = 0; k < DRAWS; k++) {
        float more[ROWS], less[ROWS];
        for (int i = 0; i < ROWS; i++) {
            double move = 1e-2 * ((double)omega[k * ROWS + i] - 1.0);
            more[i] = (float)(1.0 + move);
            less[i] = (float)(1.0 - move);
        }
        ridge_solution(&s.p, s.g.spec.lambda_high, more, up);
        ridge_solution(&s.p, s.g.spec.lambda_high, less, down);
        for (int i = 0; i < PARAMS; i++)
            want[k * PARAMS + i] = (up[i] - down[i]) / 2e-2;
    }
    advance(&s, 2);
    expect_close(&s.d, f32_at(s.state, DRAWS * PARAMS), (int64_t)DRAWS * PARAMS, want, 1e-3);
    scene_close(&s);
}

/* All is linear in ω: O_s = Σ_b (ω_sb − 1) O_b, with conjugate gradients to the end. */
static void check_against_blocks(const char *text, loss_kind loss, int64_t rows, int64_t blocks)
{
    enum { DRAWS = 3 };
    scene one, all;
    scene_open(&one, text, loss, rows, blocks, DRAWS, 60);
    scene_open(&all, text, loss, rows, blocks, 0, 60);
    const float *omega = drawn(&one.d, &one.g.spec, DRAWS);
    int64_t params = one.g.spec.target.params;
    advance(&one, 2);
    advance(&all, 2);
    const float *each = read_floats(&all.d, all.state, NODES * blocks * params);
    double *want = host_doubles(&one.d, NODES * DRAWS * params);
    for (int64_t i = 0; i < NODES * DRAWS * params; i++) {
        int64_t j = i % params, s = i / params % DRAWS, node = i / params / DRAWS;
        for (int64_t b = 0; b < blocks; b++)
            want[i] += ((double)omega[s * blocks + b] - 1.0) *
                       (double)each[(node * blocks + b) * params + j];
    }
    expect_close(&one.d, one.state, NODES * DRAWS * params, want, 1e-3);
    scene_close(&one);
    scene_close(&all);
}

Test(sampled_response, it_is_the_response_to_the_blocks_at_the_same_weights)
{
    check_against_blocks("3-4-2", LOSS_CROSS_ENTROPY, 25, 5); /* over rows */
    check_against_blocks("3-3-3-2", LOSS_SQUARED, 25, 25);
    check_against_blocks("3-4-2", LOSS_CROSS_ENTROPY, 50, 3); /* over blocks */
}

/* ---- the generator that carries it -------------------------------------------------------------- */

static recipe sampled_recipe(void)
{
    for (int i = 0; i < recipe_count; i++)
        if (recipes[i].response_draws > 0)
            return recipes[i];
    cr_assert_fail("no recipe has a sampled response");
    return recipes[0];
}

/* After a fit, from its file: θ = θ(1) + Σ_s z_s O_s where 1 + z is given. */
Test(sampled_response, the_generator_answers_to_mixtures_of_the_draws)
{
    enum { DRAWS = 3 };
    fitting r;
    am_error err = {0};
    generator full;
    recipe k = sampled_recipe();
    cr_assert_eq(k.response_draws, DRAWS);
    fitting_open(&r, &k, 12, 1);
    must(fit_run(r.f, NULL, &err), &err);
    must(fit_attach_response(r.f, &full, &err), &err);
    int64_t params = full.spec.target.params;
    cr_expect_str_eq(full.spec.features.text, "cheb:2+response:2");
    cr_expect_eq(full.spec.sampled, DRAWS);
    cr_expect_eq(generator_weights_count(&full.spec), DRAWS);
    cr_assert_eq(full.f.features, 3 + 2 * DRAWS);
    const float seen[DRAWS] = {1.6f, 1.0f, 0.2f};
    const double low = full.spec.lambda_low; /* the first node */
    float *at_one = host_floats(&r.d, params), *theta = host_floats(&r.d, params);
    must(generator_weights(&full, 1, &low, NULL, at_one, &err), &err);
    must(generator_weights(&full, 1, &low, seen, theta, &err), &err);
    const float *answer = read_floats(&r.d, full.head, full.f.features * params) + 3 * params;
    double size = 0.0;
    for (int64_t i = 0; i < params; i++) {
        double want = (double)at_one[i];
        for (int s = 0; s < DRAWS; s++)
            want += ((double)seen[s] - 1.0) * (double)answer[s * params + i];
        cr_expect_float_eq((double)theta[i], want, 1e-5);
        size += pow(want - (double)at_one[i], 2.0);
    }
    cr_expect_gt(size, 1e-8, "no response");
    generator_close(&full);
    fitting_close(&r);
}

Test(sampled_response, more_than_256_blocks_need_draws_of_them)
{
    am_error err = {0};
    recipe k = sampled_recipe();
    generator_fit *f = NULL;
    fitting r;
    fit_settings settings = settings_of(&k, 3);
    generator_spec spec = spec_of("3-2", ACT_TANH, LOSS_CROSS_ENTROPY, "cheb:2", OMEGA_ONES, 300);
    fitting_open_with(&r, &spec, &settings, 300, 1);
    must(fit_run(r.f, NULL, &err), &err);
    settings.response.draws = 0;
    refused(fit_open(&f, &r.g, &settings, &r.p.data, &err), &err, "give --response-draws 64");
    err = (am_error){0};
    settings.response.draws = 257;
    refused(fit_open(&f, &r.g, &settings, &r.p.data, &err), &err, "at most 256");
    fitting_close(&r);
}

/* ---- posterior draws ----------------------------------------------------------------------------- */

/* Of a generator with S = 3 draws of weights for 7 blocks. */
typedef struct {
    device d;
    generator g;
} carrier;

static carrier carrier_open(void)
{
    carrier c = {.d = device_open()};
    generator_spec spec =
        spec_of("4-3", ACT_TANH, LOSS_CROSS_ENTROPY, "cheb:1+response:2", OMEGA_DIRICHLET, 7);
    spec.sampled = 3;
    c.g = generator_of(&c.d, &spec, 4);
    generator_fill(&c.d, &c.g, 13, 0.6f);
    return c;
}

static void carrier_close(carrier *c)
{
    generator_close(&c->g);
    device_close(&c->d);
}

static float *seen_by(carrier *c, int draws, uint64_t seed)
{
    am_error err = {0};
    float *seen, *omega0;
    must(posterior_seen(&c->g, draws, seed, &seen, &omega0, &err), &err);
    for (int i = 0; i < draws; i++)
        cr_expect_eq(omega0[i], 1.0f);
    free(omega0);
    return seen;
}

Test(sampled_response, draws_are_the_drawn_vectors_and_then_mixtures)
{
    enum { DRAWS = 6, S = 3 };
    carrier c = carrier_open();
    float *seen = seen_by(&c, DRAWS, 5), *other = seen_by(&c, DRAWS, 6);
    float *again = seen_by(&c, DRAWS, 5);
    cr_expect_eq(memcmp(seen, again, sizeof *seen * DRAWS * S), 0);
    for (int i = 0; i < S * S; i++) {
        cr_expect_eq(seen[i], i / S == i % S ? 2.0f : 1.0f);
        cr_expect_eq(seen[i], other[i]);
    }
    for (int d = S; d < DRAWS; d++) {
        double squares = 0.0, different = 0.0;
        for (int i = d * S; i < (d + 1) * S; i++) {
            squares += ((double)seen[i] - 1.0) * ((double)seen[i] - 1.0);
            different += fabs((double)seen[i] - (double)other[i]);
        }
        cr_expect_float_eq(squares, 1.0, 1e-6);
        cr_expect_gt(different, 1e-3);
    }
    free(seen), free(other), free(again);
    carrier_close(&c);
}

/* E z = 0, E zzᵀ = I/S: mean and covariance of the S vectors, each as likely as the other. */
Test(sampled_response, mixtures_have_the_moments_of_the_vectors)
{
    enum { DRAWS = 8000, S = 3 };
    carrier c = carrier_open();
    float *seen = seen_by(&c, DRAWS, 5);
    double mean[S] = {0}, square[S][S] = {{0}};
    for (int d = S; d < DRAWS; d++)
        for (int i = 0; i < S; i++) {
            mean[i] += ((double)seen[d * S + i] - 1.0) / (DRAWS - S);
            for (int j = 0; j < S; j++)
                square[i][j] +=
                    ((double)seen[d * S + i] - 1.0) * ((double)seen[d * S + j] - 1.0) / (DRAWS - S);
        }
    for (int i = 0; i < S; i++) { /* four standard errors of 1/√(3·8000), below 1/√(15·8000) */
        cr_expect_float_eq(mean[i], 0.0, 0.026);
        for (int j = 0; j < S; j++)
            cr_expect_float_eq(square[i][j], i == j ? 1.0 / S : 0.0, 0.014);
    }
    free(seen);
    carrier_close(&c);
}

Test(sampled_response, draws_stand_for_weights_of_the_observations)
{
    enum { DRAWS = 5, S = 3, BLOCKS = 7 };
    carrier c = carrier_open();
    am_error err = {0};
    float *seen = seen_by(&c, DRAWS, 5), *omega;
    const float *vector = drawn(&c.d, &c.g.spec, S);
    must(posterior_behind(&c.g, DRAWS, seen, &omega, &err), &err);
    cr_expect_eq(memcmp(omega, vector, sizeof *omega * S * BLOCKS), 0, "not the vectors' bits");
    for (int d = S; d < DRAWS; d++)
        for (int b = 0; b < BLOCKS; b++) {
            double want = 1.0;
            for (int s = 0; s < S; s++)
                want += ((double)seen[d * S + s] - 1.0) * ((double)vector[s * BLOCKS + b] - 1.0);
            cr_expect_float_eq((double)omega[d * BLOCKS + b], want, 1e-6);
        }
    free(seen), free(omega);
    carrier_close(&c);
}

/* ---- the audit ------------------------------------------------------------------------------------ */

enum { ROWS = 48, INPUTS = 3, PARAMS = INPUTS + 1, AUDITED = 8 };
static const double LOW = 2e-3, HIGH = 3e-3;

typedef struct {
    device d;
    problem train, held_out;
    generator g;
    refit_cache cache;
    posterior_request sample;
    audit_request request;
    audit_result r;
    double lambda[2];
} audited;

/* A ridge regression with a weight for every row; the nodes of the response are the ends of the range,
 * where the audit looks. */
static void audited_open(audited *s)
{
    *s = (audited){.d = device_open_threads(1), .lambda = {LOW, HIGH}};
    s->train = problem_open(&s->d, LOSS_SQUARED, ROWS, INPUTS, 1, ROWS, 21);
    s->held_out = problem_open(&s->d, LOSS_SQUARED, 40, INPUTS, 1, 1, 22);
    for (int i = 0; i < ROWS; i++) /* small weights, within reach */
        s->train.rows.target[i] *= 0.2f;
    problem_upload(&s->d, &s->train);
    generator_spec spec =
        spec_of("3-1", ACT_RELU, LOSS_SQUARED, "poly:1+response:2", OMEGA_DIRICHLET, ROWS);
    spec.lambda_low = LOW;
    spec.lambda_high = HIGH;
    spec.sampled = AUDITED;
    s->g = generator_of(&s->d, &spec, 8);
    s->cache = (refit_cache){.data = "", .precision = "fp32"};
    s->sample = (posterior_request){.g = &s->g,
                                    .train = &s->train.data,
                                    .blocks = ROWS,
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
                                 .repeats = 1,
                                 .draws = AUDITED,
                                 .lambdas = 2,
                                 .lambda = s->lambda,
                                 .seed = 5,
                                 .cache = &s->cache};
}

static void audited_close(audited *s)
{
    audit_free(&s->r);
    problem_close(&s->train);
    problem_close(&s->held_out);
    generator_close(&s->g);
    device_close(&s->d);
}

/* Fills Θ so that g at the ends of the range is exact under vector s + shift for draw s. */
static void make_exact(audited *s, int shift)
{
    enum { FEATURES = 2 + 2 * AUDITED };
    const float *omega = drawn(&s->d, &s->g.spec, AUDITED);
    float head[FEATURES * PARAMS];
    double one[2][PARAMS], theta[PARAMS];
    cr_assert_eq(s->g.f.features, FEATURES);
    for (int end = 0; end < 2; end++)
        ridge_solution(&s->train, s->lambda[end], NULL, one[end]);
    for (int j = 0; j < PARAMS; j++) { /* g(1, λ), linear in u */
        head[j] = (float)(0.5 * (one[1][j] + one[0][j]));
        head[PARAMS + j] = (float)(0.5 * (one[1][j] - one[0][j]));
    }
    for (int i = 0; i < 2 * AUDITED; i++) {
        int end = i / AUDITED, draw = (i % AUDITED + shift) % AUDITED;
        ridge_solution(&s->train, s->lambda[end], omega + (ptrdiff_t)draw * ROWS, theta);
        for (int j = 0; j < PARAMS; j++)
            head[(2 + i) * PARAMS + j] = (float)(theta[j] - one[end][j]);
    }
    generator_set_head(&s->g, head);
}

Test(sampled_response, an_exact_generator_passes_its_audit)
{
    audited s;
    am_error err = {0};
    audited_open(&s);
    make_exact(&s, 0);
    must(audit_run(&s.request, &s.r, &err), &err);
    cr_expect(s.r.from_generator);
    for (int i = 0; i < 2; i++) {
        const fidelity *f = &s.r.at[i].f;
        cr_expect(f->reproducible.value > 0.999, "full batches leave no noise: %g",
                  f->reproducible.value);
        cr_expect_float_eq(f->spread.value, 1.0, 0.02, "%g", f->spread.value);
        cr_expect_float_eq(f->captured.value, 1.0, 0.01, "%g", f->captured.value);
        cr_expect(f->fidelity.value > 0.9999, "%g", f->fidelity.value);
    }
    audited_close(&s);
}

/* The right answers to the wrong vectors. */
Test(sampled_response, an_audit_is_under_the_generators_own_vectors)
{
    audited s;
    am_error err = {0};
    audited_open(&s);
    make_exact(&s, 1);
    must(audit_run(&s.request, &s.r, &err), &err);
    for (int i = 0; i < 2; i++)
        cr_expect(s.r.at[i].f.fidelity.value < 0.5, "%g", s.r.at[i].f.fidelity.value);
    audit_free(&s.r);
    s.request.draws = AUDITED + 1;
    refused(audit_run(&s.request, &s.r, &err), &err, "answers to 8 drawn weight vectors");
    audited_close(&s);
}
