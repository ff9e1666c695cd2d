/* The response to drawn weight vectors: its fixed point against exact solutions with a weight for every
 * observation, its steps against the response to the blocks, and the generator that carries it. */
#include "response/response.h"
#include "response/weighted_gradients.h"
#include "support/fitting.h"
#include "support/ridge.h"

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
