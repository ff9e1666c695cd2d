/* One step of criterion mode: draws, minibatch, gradients, update. */
#include "train/fit_state.h"

static void draw(generator_fit *f)
{
    int64_t own = (int64_t)f->settings.draws * f->g->groups.count;
    draws_next(&f->drawn);
    for (int e = 1; e < f->g->networks; e++)
        f->be->op->copy(f->be, f32_at(f->drawn.lambda, e * own), f->drawn.lambda,
                        sizeof(float) * (size_t)own);
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
                              .axis = generator_axis(&g->spec),
                              .late = f->late,
                              .boost = f->settings.coarse.boost,
                              .u = f->drawn.u,
                              .c = f->c,
                              .grad = f32_at(f->plan.dtheta, e * draws * params),
                              .theta = f32_at(g->head, e * g->head_stride),
                              .moment1 = f32_at(f->head_m1, e * g->head_stride),
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

void fit_issue(void *context)
{
    generator_fit *f = context;
    generator *g = f->g;
    bool collocation = f->settings.descent == DESCENT_COLLOCATION;
    draw(f);
    minibatch batch = batch_next(&f->batch, f->drawn.lambda, f->drawn.omega,
                                 collocation ? 1.0 : 1.0 / f->settings.draws);
    features_forward(&g->f, f->settings.draws, g->phi, f->drawn.u, f->drawn.omega, f->c);
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
