#include "support/fitting.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

const recipe recipes[] = {
    {"direct", "cheb:3", DESCENT_GRADIENT, PLAN_DIRECT, LAMBDA_STRATIFIED, 1, OMEGA_DIRICHLET,
     false, false, 1, 0, MODE_CRITERION, 0, false},
    {"direct, a minibatch each", "split:5,3", DESCENT_GRADIENT, PLAN_DIRECT, LAMBDA_STRATIFIED, 4,
     OMEGA_EXPONENTIAL, true, false, 1, 0, MODE_CRITERION, 0, false},
    {"factored", "mlp:6,4", DESCENT_GRADIENT, PLAN_FACTORED, LAMBDA_STRATIFIED, 1, OMEGA_DIRICHLET,
     true, true, 1, 0, MODE_CRITERION, 0, false},
    {"factored, no weights", "cheb:3", DESCENT_GRADIENT, PLAN_FACTORED, LAMBDA_NODES, 1, OMEGA_ONES,
     false, false, 1, 0, MODE_CRITERION, 0, false},
    {"paper", "paper", DESCENT_GRADIENT, PLAN_AUTO, LAMBDA_STRATIFIED, 1, OMEGA_MULTINOMIAL, false,
     false, 1, 0, MODE_CRITERION, 0, false},
    {"collocation", "cheb:3", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 2, OMEGA_ONES, false,
     false, 1, 0, MODE_CRITERION, 0, false},
    {"collocation with weights", "poly:2", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_STRATIFIED, 1,
     OMEGA_FOLD, false, true, 1, 0, MODE_CRITERION, 0, false},
    {"with a sampled response", "cheb:2", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 2,
     OMEGA_ONES, false, false, 2, 2, MODE_CRITERION, 3, false},
    {"with a response", "cheb:2", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 2, OMEGA_ONES,
     false, false, 2, 3, MODE_CRITERION, 0, false},
    {"three networks", "cheb:3", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 2, OMEGA_ONES, false,
     false, 3, 0, MODE_CRITERION, 0, false},
    {"supervised", "cheb:2", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 1, OMEGA_DIRICHLET, true,
     true, 1, 0, MODE_SUPERVISED, 0, false},
    {"supervised, a feature network", "mlp:6,2", DESCENT_GRADIENT, PLAN_AUTO, LAMBDA_STRATIFIED, 1,
     OMEGA_EXPONENTIAL, false, false, 1, 0, MODE_SUPERVISED, 0, false},
    {"supervised, three networks", "poly:1", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 1,
     OMEGA_FOLD, false, false, 3, 0, MODE_SUPERVISED, 0, false},
    {"hybrid", "cheb:3", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 2, OMEGA_ONES, false, false,
     1, 0, MODE_HYBRID, 0, false},
    {"hybrid, a feature network", "split:5,3", DESCENT_GRADIENT, PLAN_FACTORED, LAMBDA_STRATIFIED,
     1, OMEGA_DIRICHLET, true, true, 1, 0, MODE_HYBRID, 0, false},
    {"hybrid, two networks", "cheb:2", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 1, OMEGA_ONES,
     false, false, 2, 0, MODE_HYBRID, 0, false},
    {"coarse to fine", "cheb:3", DESCENT_COLLOCATION, PLAN_AUTO, LAMBDA_NODES, 2, OMEGA_ONES, false,
     false, 1, 0, MODE_CRITERION, 0, true},
    {"coarse to fine, two networks with a response", "poly:2", DESCENT_COLLOCATION, PLAN_AUTO,
     LAMBDA_NODES, 2, OMEGA_ONES, false, false, 2, 3, MODE_CRITERION, 0, true},
};
const int recipe_count = sizeof recipes / sizeof *recipes;

fit_settings settings_of(const recipe *k, int64_t steps)
{
    return (fit_settings){
        .descent = k->descent,
        .plan = k->plan,
        .nodes = k->nodes,
        .draws = 4,
        .rows = 8,
        .sets = k->sets,
        .steps = steps,
        .ridge = 1e-3,
        .stretch = 1.1,
        .tilt = 0.5,
        .coarse = {.share = k->coarse ? 0.5 : 0.0,
                   .degree = 1,
                   .draws = 3,
                   .rows = 5,
                   .sets = 3,
                   .stretch = 1.2,
                   .boost = 3.0},
        .response = {.nodes = k->response,
                     .snapshots = 3,
                     .rows = 24,
                     .inputs = 4,
                     .components = 3,
                     .iterations = 2,
                     .weights = OMEGA_DIRICHLET,
                     .draws = k->response_draws},
        .mode = k->mode,
        .labels = k->mode != MODE_CRITERION ? 4 : 0,
        .part = 3, /* so that the last part is a smaller one */
        .rounds = k->mode != MODE_CRITERION ? 2 : 0,
        .share = 0.5,
        .warm = 0.5,
        .label = {.rate = 0.01,
                  .schedule = SCHEDULE_COSINE,
                  .warmup = 3,
                  .beta1 = 0.9,
                  .beta2 = 0.99,
                  .epsilon = 1e-8},
        .adam = {.rate = 0.01,
                 .schedule = SCHEDULE_COSINE,
                 .warmup = 3,
                 .beta1 = 0.9,
                 .beta2 = 0.99,
                 .epsilon = 1e-8,
                 .clip = 2.0},
    };
}

void fitting_open_with(fitting *r, const generator_spec *spec, const fit_settings *settings,
                       int64_t rows, int threads)
{
    const target *t = &spec->target;
    am_error err = {0};
    *r = (fitting){.d = device_open_threads(threads)};
    r->record = (model_record){.spec = *spec, .fit = *settings};
    r->record.data = (data_record){.name = "synthetic", .rows = rows};
    r->record.data.norm = (normalisation){.inputs = t->size[0], .sd = 1.0f};
    r->p = problem_open(&r->d, t->loss, rows, t->size[0], t->size[t->layers], spec->blocks, 71);
    r->g = generator_of(&r->d, spec, settings->draws);
    cr_assert_eq(generator_init(&r->g, &err), AM_OK, "%s", err.message);
    cr_assert_eq(fit_open(&r->f, &r->g, settings, &r->p.data, &err), AM_OK, "%s", err.message);
}

void fitting_open(fitting *r, const recipe *k, int64_t steps, int threads)
{
    generator_spec spec =
        spec_of("6-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, k->features, k->weights, 4);
    fit_settings settings = settings_of(k, steps);
    spec.omega0 = k->omega0;
    spec.per_layer = k->per_layer;
    spec.networks = k->networks;
    spec.knee = k->coarse ? 5e-3 : 0.0;
    fitting_open_with(r, &spec, &settings, 40, threads);
}

void fitting_close(fitting *r)
{
    fit_close(r->f);
    generator_close(&r->g);
    problem_close(&r->p);
    device_close(&r->d);
}

static char *arena_bytes(fitting *r, const arena *a, size_t *size)
{
    *size = a->bytes;
    return (char *)read_floats(&r->d, a->memory, (int64_t)(a->bytes / sizeof(float)));
}

char *fitting_params(fitting *r, size_t *size)
{
    return arena_bytes(r, &r->g.params, size);
}

static bool same_bytes(fitting *a, const arena *in_a, fitting *b, const arena *in_b)
{
    size_t size_a, size_b;
    char *bytes_a = arena_bytes(a, in_a, &size_a), *bytes_b = arena_bytes(b, in_b, &size_b);
    return size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
}

bool fitting_same_params(fitting *a, fitting *b)
{
    return same_bytes(a, &a->g.params, b, &b->g.params);
}

bool fitting_same(fitting *a, fitting *b)
{
    return fitting_same_params(a, b) && same_bytes(a, fit_state(a->f), b, fit_state(b->f));
}

bool stop_here(void *context)
{
    const stop_point *at = context;
    return at->r->f != NULL && fit_step(at->r->f) >= at->step;
}
