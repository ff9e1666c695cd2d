/* Criterion mode (METHOD §4): every step draws M pairs (ω, λ) and a minibatch, and moves the
 * generator down the criterion by plain gradient or by collocation descent. */
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct generator_fit {
    backend *be;
    generator *g;
    fit_settings settings;
    plan plan;
    batch_buffers batch;
    int models;              /* E·M: the draws of every network */
    dev_f32 *lambda;         /* (E·M, G): every network has the same */
    dev_f32 *u;              /* (M, G) */
    dev_f32 *omega, *omega0; /* (M, K), (M); NULL without weights */
    dev_f32 *c, *dc, *dphi;  /* (M, R), (M, R), (φ) */
    dev_f64 *loss;           /* (E·M) */
    arena state;             /* what a checkpoint holds beside the parameters: */
    dev_u64 *step;
    dev_guard *guard;
    dev_f32 *head_m1, *head_m2; /* (E·R, P); collocation's second moment is (E·M, P) */
    dev_f32 *phi_m1, *phi_m2;
    train_loop loop; /* steps done, and how to save */
};

am_status descent_parse(const char *text, descent_kind *kind, am_error *err)
{
    if (strcmp(text, "gradient") == 0)
        *kind = DESCENT_GRADIENT;
    else if (strcmp(text, "collocation") == 0)
        *kind = DESCENT_COLLOCATION;
    else
        return am_fail(err, AM_ERR_USAGE, "descent '%s': give gradient or collocation", text);
    return AM_OK;
}

const char *descent_name(descent_kind kind)
{
    return kind == DESCENT_COLLOCATION ? "collocation" : "gradient";
}

/* ---- one step ---------------------------------------------------------------------------------- */

static void draw(generator_fit *f)
{
    const generator_spec *spec = &f->g->spec;
    const backend_ops *op = f->be->op;
    int groups = f->g->groups.count;
    draw_lambda_args lambda = {.kind = f->settings.nodes,
                               .sets = f->settings.sets,
                               .stretch = f->settings.stretch,
                               .seed = spec->seed,
                               .draws = f->settings.draws,
                               .groups = groups,
                               .step = f->step,
                               .lambda = f->lambda,
                               .u = f->u};
    scale_lambda_args scale = {.draws = f->settings.draws,
                               .groups = groups,
                               .omega0 = f->omega0,
                               .lambda = f->lambda,
                               .u = f->u};
    for (int i = 0; i < groups; i++) {
        scale.log_low[i] = lambda.log_low[i] = log(spec->lambda_low);
        scale.log_high[i] = lambda.log_high[i] = log(spec->lambda_high);
    }
    op->draw_lambda(f->be, &lambda);
    int64_t own = (int64_t)f->settings.draws * groups;
    for (int e = 1; e < f->g->networks; e++)
        op->copy(f->be, f32_at(f->lambda, e * own), f->lambda, sizeof(float) * (size_t)own);
    if (f->omega == NULL)
        return;
    draw_omega_args omega = {.kind = spec->weights,
                             .seed = spec->seed,
                             .alpha = spec->alpha,
                             .draws = f->settings.draws,
                             .blocks = spec->blocks,
                             .step = f->step,
                             .omega = f->omega,
                             .omega0 = f->omega0};
    op->draw_omega(f->be, &omega);
    if (f->omega0 != NULL)
        op->scale_lambda(f->be, &scale);
}

/* What the guard measures: the gradient of the head, in whatever form the plan left it. */
static void guard_step(generator_fit *f)
{
    const generator *g = f->g;
    int64_t params = g->spec.target.params;
    bool outer = f->settings.descent == DESCENT_GRADIENT && f->plan.kind == PLAN_DIRECT;
    bool written = f->plan.kind == PLAN_FACTORED;
    guard_args a = {
        .rows = written ? g->f.features : f->models,
        .columns = params,
        .grad = written ? f->plan.dhead : f->plan.dtheta,
        .c = outer ? f->c : NULL,
        .features = g->f.features,
        .loss = f->loss,
        .losses = f->models,
        .clip = f->settings.adam.clip,
        .step = f->step,
        .guard = f->guard,
    };
    f->be->op->guard(f->be, &a);
}

/* Each network by itself. */
static void update_collocation(generator_fit *f, adam_rule rule)
{
    const generator *g = f->g;
    int draws = f->settings.draws, r1 = g->f.features;
    int64_t params = g->spec.target.params;
    for (int64_t e = 0; e < g->networks; e++) {
        collocation_args a = {.rule = rule,
                              .models = draws,
                              .features = r1,
                              .params = params,
                              .ridge = f->settings.ridge,
                              .groups = g->groups.count,
                              .tilt = f->settings.tilt,
                              .u = f->u,
                              .c = f->c,
                              .grad = f32_at(f->plan.dtheta, e * draws * params),
                              .theta = f32_at(g->head, e * r1 * params),
                              .moment1 = f32_at(f->head_m1, e * r1 * params),
                              .moment2 = f32_at(f->head_m2, e * draws * params)};
        f->be->op->collocation(f->be, &a);
    }
}

static void update_head(generator_fit *f, adam_rule rule)
{
    const generator *g = f->g;
    const backend_ops *op = f->be->op;
    int draws = f->settings.draws, r1 = g->f.features;
    int64_t params = g->spec.target.params;
    if (f->settings.descent == DESCENT_COLLOCATION) {
        update_collocation(f, rule);
    } else if (f->plan.kind == PLAN_DIRECT) {
        adam_outer_args a = {.rule = rule,
                             .models = draws,
                             .features = r1,
                             .params = params,
                             .c = f->c,
                             .grad = f->plan.dtheta,
                             .theta = g->head,
                             .moment1 = f->head_m1,
                             .moment2 = f->head_m2};
        op->adam_outer(f->be, &a);
    } else {
        adam_args a = {.rule = rule,
                       .rows = r1,
                       .columns = params,
                       .theta = g->head,
                       .grad = f->plan.dhead,
                       .moment1 = f->head_m1,
                       .moment2 = f->head_m2};
        op->adam(f->be, &a);
    }
}

static void fit_issue(void *context)
{
    generator_fit *f = context;
    generator *g = f->g;
    bool collocation = f->settings.descent == DESCENT_COLLOCATION;
    draw(f);
    minibatch batch =
        batch_next(&f->batch, f->lambda, f->omega, collocation ? 1.0 : 1.0 / f->settings.draws);
    features_forward(&g->f, f->settings.draws, g->phi, f->u, f->omega, f->c);
    plan_gradient(&f->plan, &batch, f->c, g->phi != NULL ? f->dc : NULL, f->loss);
    if (g->phi != NULL)
        features_backward(&g->f, f->settings.draws, g->phi, f->c, f->dc, f->dphi);
    guard_step(f);
    adam_rule rule = optimiser_rule(&f->settings.adam, f->settings.steps, f->step, f->guard);
    update_head(f, rule);
    if (g->phi != NULL) {
        adam_args a = {.rule = rule,
                       .rows = 1,
                       .columns = g->phi_size,
                       .theta = g->phi,
                       .grad = f->dphi,
                       .moment1 = f->phi_m1,
                       .moment2 = f->phi_m2};
        f->be->op->adam(f->be, &a);
    }
    f->be->op->advance(f->be, f->step);
}

/* ---- open, run, close ---------------------------------------------------------------------------- */

static am_status check_settings(const generator *g, const fit_settings *s, am_error *err)
{
    if (s->descent == DESCENT_COLLOCATION && g->f.params > 0)
        return am_fail(err, AM_ERR_USAGE,
                       "features %s: collocation descent needs fixed features (poly:D or cheb:D); "
                       "give --descent gradient",
                       g->spec.features.text);
    if (s->descent == DESCENT_COLLOCATION && g->f.features > AM_MAX_COLLOCATION)
        return am_fail(err, AM_ERR_USAGE,
                       "features %s: %d columns; collocation descent takes at most %d: lower the "
                       "degree or --blocks, or give --descent gradient",
                       g->spec.features.text, g->f.features, AM_MAX_COLLOCATION);
    if (s->descent == DESCENT_COLLOCATION && s->plan == PLAN_FACTORED)
        return am_fail(err, AM_ERR_USAGE,
                       "plan factored: collocation descent needs every draw's own gradient; give "
                       "--plan direct");
    if (s->sets > 1 && s->plan == PLAN_FACTORED)
        return am_fail(err, AM_ERR_USAGE,
                       "plan factored: needs a minibatch that all draws share; "
                       "give --plan direct or --minibatches 1");
    if (g->networks > 1 && s->descent != DESCENT_COLLOCATION)
        return am_fail(err, AM_ERR_USAGE,
                       "--networks %d: several networks are trained by collocation descent only; "
                       "give --networks 1",
                       g->networks);
    if (g->networks > 1 && g->spec.weights != OMEGA_ONES)
        return am_fail(err, AM_ERR_USAGE,
                       "--networks %d: several networks are trained at ω = 1 only; give "
                       "--weights ones, or --posterior implicit",
                       g->networks);
    if (s->sets < 1 || s->draws % s->sets != 0)
        return am_fail(err, AM_ERR_USAGE, "--minibatches %d: must divide the %d draws", s->sets,
                       s->draws);
    return AM_OK;
}

static am_status open_state(generator_fit *f, am_error *err)
{
    generator *g = f->g;
    int64_t params = g->spec.target.params, r1 = (int64_t)g->networks * g->f.features;
    bool collocation = f->settings.descent == DESCENT_COLLOCATION;
    int step = arena_add(&f->state, AM_DTYPE_U64, 1, 0, "step");
    int guard = arena_add(&f->state, AM_DTYPE_U64, sizeof(guard_state) / 8, 0, "guard");
    int m1 = arena_add(&f->state, AM_DTYPE_F32, r1, params, "adam.head.moment1");
    int64_t rows = collocation ? f->models : r1;
    int m2 = arena_add(&f->state, AM_DTYPE_F32, rows, params, "adam.head.moment2");
    int p1 = -1, p2 = -1;
    if (g->phi != NULL) {
        p1 = arena_add(&f->state, AM_DTYPE_F32, g->phi_size, 0, "adam.features.moment1");
        p2 = arena_add(&f->state, AM_DTYPE_F32, g->phi_size, 0, "adam.features.moment2");
    }
    AM_TRY(arena_open(&f->state, f->be, "optimiser", err));
    f->step = arena_at(&f->state, step);
    f->guard = arena_at(&f->state, guard);
    f->head_m1 = arena_at(&f->state, m1);
    f->head_m2 = arena_at(&f->state, m2);
    f->phi_m1 = arena_at(&f->state, p1);
    f->phi_m2 = arena_at(&f->state, p2);
    return AM_OK;
}

static am_status open_buffers(generator_fit *f, const device_rows *data, am_error *err)
{
    generator *g = f->g;
    const backend_ops *op = f->be->op;
    const fit_settings *s = &f->settings;
    size_t draws = (size_t)s->draws, models = (size_t)f->models, f32 = sizeof(float);
    size_t groups = (size_t)g->groups.count, r1 = (size_t)g->f.features;
    f->lambda = op->alloc(f->be, f32 * models * groups, "penalties");
    f->u = op->alloc(f->be, f32 * draws * groups, "penalties");
    if (g->spec.weights != OMEGA_ONES)
        f->omega = op->alloc(f->be, f32 * draws * (size_t)g->spec.blocks, "block weights");
    if (g->spec.weights != OMEGA_ONES && g->spec.omega0)
        f->omega0 = op->alloc(f->be, f32 * draws, "penalty weights");
    f->c = op->alloc(f->be, f32 * draws * r1, "features");
    f->dc = op->alloc(f->be, f32 * draws * r1, "features");
    f->dphi = op->alloc(f->be, f32 * (size_t)(g->phi_size + 1), "features");
    f->loss = op->alloc(f->be, sizeof(double) * models, "losses");
    AM_TRY(op->sync(f->be, err));
    AM_TRY(plan_open(&f->plan, g, s->plan, s->draws, s->rows, true, err));
    return batch_open(&f->batch, f->be, data, g->spec.seed, f->models, s->rows,
                      g->networks * s->sets, g->spec.blocks, f->step, err);
}

am_status fit_open(generator_fit **out, generator *g, const fit_settings *settings,
                   const device_rows *data, am_error *err)
{
    *out = NULL;
    AM_TRY(check_settings(g, settings, err));
    generator_fit *f = am_alloc(1, sizeof *f, "fit", err);
    if (f == NULL)
        return AM_ERR_MEMORY;
    f->be = g->be;
    f->g = g;
    f->settings = *settings;
    f->models = g->networks * settings->draws;
    if (settings->descent == DESCENT_COLLOCATION || settings->sets > 1)
        f->settings.plan = PLAN_DIRECT;
    am_status status = open_state(f, err);
    if (status == AM_OK)
        status = open_buffers(f, data, err);
    if (status != AM_OK) {
        fit_close(f);
        return status;
    }
    f->loop = (train_loop){.be = f->be,
                           .task = "fit",
                           .issue = fit_issue,
                           .context = f,
                           .guard = f->guard,
                           .loss = f->loss,
                           .models = f->models,
                           .total = settings->steps};
    *out = f;
    return AM_OK;
}

void fit_close(generator_fit *f)
{
    if (f == NULL)
        return;
    void *owned[] = {f->lambda, f->u, f->omega, f->omega0, f->c, f->dc, f->dphi, f->loss};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        f->be->op->release(f->be, owned[i]);
    plan_close(&f->plan);
    batch_close(&f->batch);
    arena_close(&f->state);
    free(f);
}

am_status fit_run(generator_fit *f, const train_hooks *hooks, am_error *err)
{
    return train_loop_run(&f->loop, hooks, err);
}

am_status fit_resume(generator_fit *f, am_error *err)
{
    uint64_t step;
    AM_TRY(f->be->op->download(f->be, &step, f->step, sizeof step, err));
    if (step > (uint64_t)f->loop.total)
        return am_fail(err, AM_ERR_INPUT,
                       "checkpoint: damaged, at step %llu of %lld; start without --resume",
                       (unsigned long long)step, (long long)f->loop.total);
    f->loop.done = (int64_t)step;
    return AM_OK;
}

int64_t fit_step(const generator_fit *f)
{
    return f->loop.done;
}

plan_kind fit_plan(const generator_fit *f)
{
    return f->plan.kind;
}

const arena *fit_state(const generator_fit *f)
{
    return &f->state;
}

void fit_set_save(generator_fit *f,
                  am_status (*save)(void *context, const char *path, am_error *err), void *context)
{
    f->loop.save = save;
    f->loop.save_context = context;
}
