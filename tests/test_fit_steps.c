/* fit: its first steps by hand. Draws and minibatches from their definitions, every draw's gradient
 * by the direct plan, the optimisers in double. */
#include "draw/draw.h"
#include "support/fitting.h"
#include "support/ridge.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { STEPS = 3, MOST_PARAMS = 6000, MOST_DRAWS = 4, MOST_FEATURES = 130 };

/* The run under test, and a generator of its own for the steps by hand. */
typedef struct {
    fitting r;
    generator g;
    double value[MOST_PARAMS], moment1[MOST_PARAMS], moment2[MOST_PARAMS]; /* Θ and φ, flat */
    double own2[MOST_DRAWS * 64]; /* collocation: v_j of every draw, (M, P) */
    int64_t head, all;            /* R·P, and with φ */
} by_hand;

static by_hand s; /* too large for the stack */

/* ---- the draws of a step --------------------------------------------------------------------- */

typedef struct {
    float lambda[MOST_DRAWS * 2], u[MOST_DRAWS * 2], omega[MOST_DRAWS * 4], omega0[MOST_DRAWS];
} draws;

static draws draws_of(uint64_t step)
{
    const generator_spec *spec = &s.g.spec;
    const fit_settings *q = &s.r.record.fit;
    int groups = s.g.groups.count;
    double low = log(spec->lambda_low), high = log(spec->lambda_high);
    draws w;
    am_error err = {0};
    device *d = &s.r.d;
    dev_f32 *omega = device_floats(d, q->draws * 4, NULL),
            *omega0 = device_floats(d, q->draws, NULL);
    draw_omega_args a = {.kind = spec->weights,
                         .seed = spec->seed,
                         .alpha = spec->alpha,
                         .draws = q->draws,
                         .blocks = spec->blocks,
                         .step = device_counter(d, step),
                         .omega = omega,
                         .omega0 = omega0};
    d->op->draw_omega(d->be, &a);
    cr_assert_eq(d->op->download(d->be, w.omega, omega, sizeof w.omega, &err), AM_OK);
    cr_assert_eq(d->op->download(d->be, w.omega0, omega0, sizeof w.omega0, &err), AM_OK);
    for (int i = 0; i < q->draws * groups; i++) {
        uint32_t m = (uint32_t)(i / groups), g = (uint32_t)(i % groups), count = (uint32_t)q->draws;
        double u = q->nodes == LAMBDA_NODES
                       ? lambda_node(spec->seed, (uint32_t)step, count, (uint32_t)q->sets,
                                     q->stretch, m, g)
                       : lambda_stratified(spec->seed, (uint32_t)step, count, m, g);
        w.u[i] = (float)u;
        w.lambda[i] = (float)lambda_of_u(u, low, high);
        if (spec->omega0) {
            w.lambda[i] *= w.omega0[m];
            double moved = 2.0 * (log((double)w.lambda[i]) - low) / (high - low) - 1.0;
            w.u[i] = (float)fmin(fmax(moved, -1.0), 1.0);
        }
    }
    return w;
}

/* The rows of set `set` at a step: position step·B + i of its endless stream of epochs. */
static uint32_t row_at(uint64_t step, int set, int i)
{
    uint64_t n = (uint64_t)s.r.p.rows.n, at = step * (uint64_t)s.r.record.fit.rows + (uint64_t)i;
    permutation order = rows_order(s.g.spec.seed, at / n, (uint32_t)set, n);
    return (uint32_t)permutation_at(&order, at % n);
}

static minibatch batch_of(uint64_t step, const draws *w)
{
    const fit_settings *q = &s.r.record.fit;
    int count = q->sets * q->rows, inputs = s.r.p.rows.inputs;
    device *d = &s.r.d;
    float *x = host_floats(d, count * inputs), *weight = host_floats(d, q->draws * q->rows);
    int32_t label[MOST_DRAWS * 8];
    for (int i = 0; i < count; i++) {
        uint32_t row = row_at(step, i / q->rows, i % q->rows);
        memcpy(x + i * inputs, s.r.p.rows.floats + (int)row * inputs, sizeof *x * (size_t)inputs);
        label[i] = s.r.p.rows.label[row];
    }
    for (int m = 0; m < q->draws; m++)
        for (int i = 0; i < q->rows; i++) {
            uint32_t row = row_at(step, m / (q->draws / q->sets), i);
            weight[m * q->rows + i] = w->omega[m * 4 + (int)s.r.p.block[row]];
        }
    return (minibatch){
        .models = q->draws,
        .rows = q->rows,
        .sets = q->sets,
        .x = device_floats(d, count * inputs, x),
        .label = device_ints(d, count, label),
        .weight = device_floats(d, q->draws * q->rows, weight),
        .lambda = device_floats(d, q->draws * s.g.groups.count, w->lambda),
        .divisor = q->rows,
        .grad_scale = 1,
    };
}

/* ---- the gradients of a step ----------------------------------------------------------------- */

typedef struct {
    float *c, *dtheta; /* (M, R), (M, P): every draw's own gradient */
    draws drawn;
    double gradient[MOST_PARAMS]; /* of the mean criterion in Θ and φ */
} slopes;

static void slopes_of(uint64_t step, slopes *out)
{
    device *d = &s.r.d;
    plan p;
    am_error err = {0};
    draws w = out->drawn = draws_of(step);
    minibatch batch = batch_of(step, &w);
    int count = batch.models, r1 = s.g.f.features;
    int64_t params = s.g.spec.target.params;
    float *value = host_floats(d, s.all);
    for (int64_t i = 0; i < s.all; i++)
        value[i] = (float)s.value[i];
    generator_set_head(&s.g, value);
    if (s.g.phi != NULL)
        d->op->upload(d->be, s.g.phi, value + s.head, sizeof *value * (size_t)s.g.phi_size);
    dev_f32 *u = device_floats(d, count * s.g.groups.count, w.u);
    dev_f32 *omega = device_floats(d, count * 4, w.omega), *c = device_floats(d, count * r1, NULL);
    dev_f32 *dc = device_floats(d, count * r1, NULL),
            *dphi = device_floats(d, s.g.phi_size + 1, NULL);
    dev_f64 *loss = device_doubles(d, count, NULL);
    cr_assert_eq(plan_open(&p, &s.g, PLAN_DIRECT, count, batch.rows, true, &err), AM_OK);
    features_forward(&s.g.f, count, s.g.phi, u, omega, c);
    plan_gradient(&p, &batch, c, dc, loss);
    out->c = read_floats(d, c, count * r1);
    out->dtheta = read_floats(d, p.dtheta, count * params);
    for (int64_t i = 0; i < s.head; i++) {
        out->gradient[i] = 0.0;
        for (int m = 0; m < count; m++)
            out->gradient[i] += (double)out->c[m * r1 + i / params] *
                                (double)out->dtheta[m * params + i % params] / count;
    }
    if (s.g.phi != NULL) {
        features_backward(&s.g.f, count, s.g.phi, c, dc, dphi);
        const float *phi = read_floats(d, dphi, s.g.phi_size);
        for (int64_t i = 0; i < s.g.phi_size; i++)
            out->gradient[s.head + i] = (double)phi[i] / count;
    }
    plan_close(&p);
}

/* ---- the optimisers in double ---------------------------------------------------------------- */

/* Cosine to 0 over the whole run after three steps of warm-up (settings_of). */
static double rate_at(uint64_t step)
{
    const optimiser *o = &s.r.record.fit.adam;
    double t = (double)step, warm = (double)o->warmup, total = (double)s.r.record.fit.steps;
    double done = fmax(0.0, t - warm) / (total - warm);
    return o->rate * fmin(1.0, (t + 1.0) / warm) * 0.5 * (1.0 + cos(3.14159265358979 * done));
}

static double clip_factor(const optimiser *o, double norm)
{
    return o->clip > 0.0 && norm > o->clip ? o->clip / norm : 1.0;
}

static void gradient_step(uint64_t step, const slopes *g)
{
    const optimiser *o = &s.r.record.fit.adam;
    double t = (double)step + 1.0, norm = 0.0;
    for (int64_t i = 0; i < s.head; i++)
        norm += g->gradient[i] * g->gradient[i];
    double clip = clip_factor(o, sqrt(norm));
    for (int64_t i = 0; i < s.all; i++) {
        double slope = clip * g->gradient[i];
        s.moment1[i] = o->beta1 * s.moment1[i] + (1.0 - o->beta1) * slope;
        s.moment2[i] = o->beta2 * s.moment2[i] + (1.0 - o->beta2) * slope * slope;
        double m = s.moment1[i] / (1.0 - pow(o->beta1, t));
        double v = s.moment2[i] / (1.0 - pow(o->beta2, t));
        s.value[i] -= rate_at(step) * m / (sqrt(v) + o->epsilon);
    }
}

/* N = (cᵀc/M + ridge·I)⁻¹cᵀ D/M for one parameter's D (M). */
static void project(const slopes *g, const double *own, int count, double *n)
{
    int r1 = s.g.f.features;
    double a[RIDGE_MOST * RIDGE_MOST];
    cr_assert_leq(r1, RIDGE_MOST);
    for (int i = 0; i < r1; i++) {
        n[i] = 0.0;
        for (int m = 0; m < count; m++)
            n[i] += (double)g->c[m * r1 + i] * own[m] / count;
        for (int j = 0; j < r1; j++) {
            a[i * r1 + j] = i == j ? s.r.record.fit.ridge : 0.0;
            for (int m = 0; m < count; m++)
                a[i * r1 + j] += (double)g->c[m * r1 + i] * (double)g->c[m * r1 + j] / count;
        }
    }
    solve(a, n, r1);
}

/* 2^(−tilt·ū): large λ takes smaller steps. */
static double share_of(const draws *w, int m)
{
    int groups = s.g.groups.count;
    double sum = 0.0;
    for (int i = 0; i < groups; i++)
        sum += (double)w->u[m * groups + i];
    return exp2(-s.r.record.fit.tilt * sum / groups);
}

static void collocation_step(uint64_t step, const slopes *g)
{
    const optimiser *o = &s.r.record.fit.adam;
    int count = s.r.record.fit.draws, r1 = s.g.f.features;
    int64_t params = s.g.spec.target.params;
    double t = (double)step + 1.0, norm = 0.0, own[MOST_DRAWS], n[RIDGE_MOST];
    for (int64_t i = 0; i < count * params; i++)
        norm += (double)g->dtheta[i] * (double)g->dtheta[i];
    double clip = clip_factor(o, sqrt(norm)), share[MOST_DRAWS];
    for (int m = 0; m < count; m++)
        share[m] = share_of(&g->drawn, m);
    for (int64_t p = 0; p < params; p++) {
        for (int m = 0; m < count; m++) {
            double slope = clip * (double)g->dtheta[m * params + p];
            double *v = &s.own2[m * params + p];
            *v = o->beta2 * *v + (1.0 - o->beta2) * slope * slope;
            own[m] = share[m] * slope / (sqrt(*v / (1.0 - pow(o->beta2, t))) + o->epsilon);
        }
        project(g, own, count, n);
        for (int k = 0; k < r1; k++) {
            double *m = &s.moment1[k * params + p];
            *m = o->beta1 * *m + (1.0 - o->beta1) * n[k];
            s.value[k * params + p] -= rate_at(step) * *m / (1.0 - pow(o->beta1, t));
        }
    }
}

/* ---- the comparison -------------------------------------------------------------------------- */

/* A large ε, so that the size of gradients shows in the steps. */
static void open_by_hand(const recipe *k, double clip)
{
    generator_spec spec =
        spec_of("6-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, k->features, k->weights, 4);
    fit_settings settings = settings_of(k, 20);
    settings.adam.epsilon = 0.05;
    settings.adam.clip = clip;
    spec.omega0 = k->omega0;
    spec.per_layer = k->per_layer;
    memset(&s, 0, sizeof s);
    fitting_open_with(&s.r, &spec, &settings, 20, 1); /* 2½ steps an epoch */
    if (k->coarse) { /* its first steps are those of a fit of degree 1 with the stage's settings */
        am_error err = {0};
        fit_settings *q = &s.r.record.fit;
        q->draws = settings.coarse.draws, q->rows = settings.coarse.rows;
        q->sets = settings.coarse.sets, q->stretch = settings.coarse.stretch;
        const char *line = spec.features.basis == BASIS_CHEBYSHEV ? "cheb:1" : "poly:1";
        cr_assert_eq(feature_spec_parse(line, false, &spec.features, &err), AM_OK);
    }
    s.g = generator_of(&s.r.d, &spec, settings.draws);
    s.head = (int64_t)s.g.f.features * spec.target.params;
    s.all = s.head + s.g.phi_size;
    cr_assert(s.g.f.features <= MOST_FEATURES && s.all <= MOST_PARAMS);
}

static void read_params(double *value)
{
    const float *head = generator_head(&s.r.d, &s.r.g);
    const float *phi = s.r.g.phi != NULL ? generator_phi(&s.r.d, &s.r.g) : NULL;
    for (int64_t i = 0; i < s.all; i++)
        value[i] = (double)(i < s.head ? head[i] : phi[i - s.head]);
}

static void check_recipe(const recipe *k, double clip)
{
    static slopes g;
    static double start[MOST_PARAMS], got[MOST_PARAMS];
    am_error err = {0};
    double moved = 0.0, error = 0.0;
    open_by_hand(k, clip);
    read_params(s.value);
    memcpy(start, s.value, sizeof start);
    for (uint64_t step = 0; step < STEPS; step++) {
        slopes_of(step, &g);
        if (k->descent == DESCENT_COLLOCATION)
            collocation_step(step, &g);
        else
            gradient_step(step, &g);
    }
    stop_point at = {.r = &s.r, .step = STEPS};
    train_hooks hooks = {.context = &at, .stop = stop_here};
    cr_assert_eq(fit_run(s.r.f, &hooks, &err), AM_ERR_INTERRUPT);
    read_params(got);
    for (int64_t i = 0; i < s.all; i++) {
        moved += pow(s.value[i] - start[i], 2.0);
        error += pow(s.value[i] - got[i], 2.0);
    }
    cr_expect_gt(sqrt(moved), 1e-3, "%s", k->name);
    cr_expect_lt(sqrt(error / moved), 1e-4, "%s: %g of the way", k->name, sqrt(error / moved));
    generator_close(&s.g);
    fitting_close(&s.r);
}

static void check_recipes(double clip)
{
    for (int i = 0; i < recipe_count; i++)
        if (recipes[i].mode == MODE_CRITERION &&
            strcmp(recipes[i].features, "paper") != 0) /* its size, not its steps, is different */
            check_recipe(&recipes[i], clip);
}

Test(fit_steps, three_steps_of_every_recipe_by_hand)
{
    check_recipes(0.0);
}

/* A clip far below the gradients: the steps know their direction only. */
Test(fit_steps, three_clipped_steps_of_every_recipe_by_hand)
{
    check_recipes(0.01);
}
