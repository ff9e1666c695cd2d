/* Criterion mode (METHOD §4): every step draws M pairs (ω, λ) and a minibatch, and moves the
 * generator down the criterion by plain gradient or by collocation descent. The supervised stage of the
 * other modes takes its place, or comes after it. */
#include "train/fit_state.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- open, run, close ---------------------------------------------------------------------------- */

static am_status check_descent(const generator *g, const fit_settings *s, am_error *err)
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
    return AM_OK;
}

static am_status check_networks(const generator *g, const fit_settings *s, am_error *err)
{
    if (s->descent != DESCENT_COLLOCATION)
        return am_fail(err, AM_ERR_USAGE,
                       "--networks %d: several networks are trained by collocation descent only; "
                       "give --networks 1",
                       g->networks);
    if (g->spec.weights != OMEGA_ONES)
        return am_fail(err, AM_ERR_USAGE,
                       "--networks %d: several networks are trained at ω = 1 only; give "
                       "--weights ones, or --posterior implicit",
                       g->networks);
    return AM_OK;
}

static am_status check_response(const generator *g, const fit_settings *s, am_error *err)
{
    if (s->mode != MODE_CRITERION)
        return am_fail(err, AM_ERR_USAGE,
                       "--posterior implicit: follows criterion mode to its end; give --mode "
                       "criterion");
    if (s->descent != DESCENT_COLLOCATION)
        return am_fail(
            err, AM_ERR_USAGE,
            "--posterior implicit: needs collocation descent, whose Adam it follows; give "
            "--descent collocation with poly:D or cheb:D features");
    if (g->groups.count > 1)
        return am_fail(err, AM_ERR_USAGE,
                       "--posterior implicit: needs one λ in all; give --penalty scalar");
    if (s->response.draws == 0 && g->spec.blocks > AM_DIRECT_BLOCKS)
        return am_fail(err, AM_ERR_USAGE,
                       "--posterior implicit: %lld blocks of weights, more than %d can only be "
                       "answered to draws of them; give --response-draws %d, or fewer --blocks",
                       (long long)g->spec.blocks, AM_DIRECT_BLOCKS, RESPONSE_DRAWS);
    if (s->response.draws > AM_DIRECT_BLOCKS)
        return am_fail(err, AM_ERR_USAGE, "--response-draws %d: give at most %d", s->response.draws,
                       AM_DIRECT_BLOCKS);
    return AM_OK;
}

static am_status check_settings(const generator *g, const fit_settings *s, am_error *err)
{
    if (s->mode != MODE_CRITERION)
        AM_TRY(supervised_check(s, err));
    if (s->coarse.share > 0)
        AM_TRY(coarse_check(g, s, err));
    if (s->mode == MODE_SUPERVISED)
        return AM_OK;
    AM_TRY(check_descent(g, s, err));
    if (g->networks > 1)
        AM_TRY(check_networks(g, s, err));
    if (s->response.nodes > 0)
        AM_TRY(check_response(g, s, err));
    if (s->sets < 1 || s->draws % s->sets != 0)
        return am_fail(err, AM_ERR_USAGE, "--minibatches %d: must divide the %d draws", s->sets,
                       s->draws);
    return AM_OK;
}

/* Slots of criterion mode's state. */
typedef struct {
    int step, guard, m1, m2, coarse_m2, p1, p2, snapshot, response;
} slots;

static am_status add_slots(generator_fit *f, slots *out, am_error *err)
{
    const generator *g = f->g;
    int64_t params = g->spec.target.params, r1 = (int64_t)g->networks * g->f.features;
    int64_t rows = f->settings.descent == DESCENT_COLLOCATION ? f->models : r1;
    slots s = {.coarse_m2 = -1, .p1 = -1, .p2 = -1, .snapshot = -1, .response = -1};
    s.step = arena_add(&f->state, AM_DTYPE_U64, 1, 0, "step");
    s.guard = arena_add(&f->state, AM_DTYPE_U64, sizeof(guard_state) / 8, 0, "guard");
    s.m1 = arena_add(&f->state, AM_DTYPE_F32, r1, params, "adam.head.moment1");
    s.m2 = arena_add(&f->state, AM_DTYPE_F32, rows, params, "adam.head.moment2");
    if (f->settings.coarse.share > 0)
        s.coarse_m2 =
            arena_add(&f->state, AM_DTYPE_F32, (int64_t)g->networks * f->settings.coarse.draws,
                      params, "adam.head.coarse.moment2");
    if (g->phi != NULL) {
        s.p1 = arena_add(&f->state, AM_DTYPE_F32, g->phi_size, 0, "adam.features.moment1");
        s.p2 = arena_add(&f->state, AM_DTYPE_F32, g->phi_size, 0, "adam.features.moment2");
    }
    if (f->settings.response.nodes > 0) {
        const response_settings *r = &f->settings.response;
        int64_t vectors = r->nodes * response_vectors(r, g->spec.blocks);
        AM_TRY(response_params(&g->spec.target, r, &params, err));
        s.snapshot = arena_add(&f->state, AM_DTYPE_U64, 1, 0, "response.snapshots");
        s.response = arena_add(&f->state, AM_DTYPE_F32, g->networks * vectors, params, "response");
    }
    *out = s;
    return AM_OK;
}

static am_status open_state(generator_fit *f, const fit_settings *settings, const device_rows *data,
                            dev_f32 **coarse_m2, am_error *err)
{
    slots s = {-1, -1, -1, -1, -1, -1, -1, -1, -1};
    if (settings->mode != MODE_SUPERVISED)
        AM_TRY(add_slots(f, &s, err));
    if (settings->mode != MODE_CRITERION)
        AM_TRY(supervised_open(&f->supervised, f->g, settings, data, &f->state, err));
    AM_TRY(arena_open(&f->state, f->be, "optimiser", err));
    f->step = arena_at(&f->state, s.step);
    f->guard = arena_at(&f->state, s.guard);
    f->head_m1 = arena_at(&f->state, s.m1);
    f->head_m2 = arena_at(&f->state, s.m2);
    f->phi_m1 = arena_at(&f->state, s.p1);
    f->phi_m2 = arena_at(&f->state, s.p2);
    f->snapshot = arena_at(&f->state, s.snapshot);
    f->response = arena_at(&f->state, s.response);
    *coarse_m2 = arena_at(&f->state, s.coarse_m2);
    return AM_OK;
}

am_status fit_open_buffers(generator_fit *f, const device_rows *data, am_error *err)
{
    generator *g = f->g;
    const backend_ops *op = f->be->op;
    const fit_settings *s = &f->settings;
    size_t draws = (size_t)s->draws, models = (size_t)f->models, f32 = sizeof(float);
    size_t r1 = (size_t)g->f.features;
    f->drawn = (draw_buffers){.be = f->be,
                              .spec = &g->spec,
                              .nodes = s->nodes,
                              .draws = s->draws,
                              .groups = g->groups.count,
                              .sets = s->sets,
                              .stretch = s->stretch,
                              .seed = g->spec.seed,
                              .step = f->step};
    AM_TRY(draws_open(&f->drawn, g->networks, err));
    f->c = op->alloc(f->be, f32 * draws * r1, "features");
    f->dc = op->alloc(f->be, f32 * draws * r1, "features");
    f->dphi = op->alloc(f->be, f32 * (size_t)(g->phi_size + 1), "features");
    f->loss = op->alloc(f->be, sizeof(double) * models, "losses");
    AM_TRY(op->sync(f->be, err));
    AM_TRY(plan_open(&f->plan, g, s->plan, s->draws, s->rows, true, err));
    return batch_open(&f->batch, f->be, data, g->spec.seed, f->models, s->rows,
                      g->networks * s->sets, g->spec.blocks, f->step, err);
}

void fit_close_buffers(generator_fit *f)
{
    void *owned[] = {f->c, f->dc, f->dphi, f->loss};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        f->be->op->release(f->be, owned[i]);
    draws_close(&f->drawn);
    plan_close(&f->plan);
    batch_close(&f->batch);
}

/* s: of the whole run. */
static void set_loop(generator_fit *f, const fit_settings *s)
{
    f->loop = (train_loop){.be = f->be,
                           .task = "fit",
                           .issue = fit_issue,
                           .context = f,
                           .guard = f->guard,
                           .loss = f->loss,
                           .models = f->models,
                           .done = f->coarse != NULL ? coarse_steps(s) : 0,
                           .total = f->settings.steps,
                           .paused = fit_take_snapshot};
    fit_set_pause(f);
    if (s->mode == MODE_HYBRID)
        f->loop.stage = (train_stage){
            .total = s->steps,
            .parts = 1,
            .later = (double)(s->steps - f->loop.total) * s->labels / s->draws,
        };
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
    f->settings.steps = criterion_steps(settings);
    f->models = g->networks * settings->draws;
    if (settings->descent == DESCENT_COLLOCATION || settings->sets > 1)
        f->settings.plan = PLAN_DIRECT;
    dev_f32 *coarse_m2;
    am_status status = open_state(f, settings, data, &coarse_m2, err);
    if (status == AM_OK && settings->mode != MODE_SUPERVISED)
        status = fit_open_buffers(f, data, err);
    if (status == AM_OK && settings->response.nodes > 0)
        status = response_open(&f->answer, g, &settings->response, data, f->response, err);
    if (status == AM_OK && settings->coarse.share > 0)
        status = coarse_open(f, coarse_m2, data, err);
    if (status != AM_OK) {
        fit_close(f);
        return status;
    }
    set_loop(f, settings);
    *out = f;
    return AM_OK;
}
void fit_close(generator_fit *f)
{
    if (f == NULL)
        return;
    coarse_close(f->coarse);
    response_close(f->answer);
    supervised_close(f->supervised);
    fit_close_buffers(f);
    arena_close(&f->state);
    free(f);
}

am_status fit_run(generator_fit *f, const train_hooks *hooks, am_error *err)
{
    double begin = am_seconds();
    if (f->loop.stage.parts > 0 || f->coarse != NULL)
        f->loop.stage.begin = begin;
    if (f->coarse != NULL)
        AM_TRY(coarse_run(f, hooks, begin, err));
    if (f->loop.total > 0)
        AM_TRY(train_loop_run(&f->loop, hooks, err));
    return f->supervised != NULL ? supervised_run(f->supervised, hooks, begin, err) : AM_OK;
}

am_status fit_resume(generator_fit *f, am_error *err)
{
    uint64_t step = 0;
    if (f->step != NULL)
        AM_TRY(f->be->op->download(f->be, &step, f->step, sizeof step, err));
    if (step > (uint64_t)f->loop.total)
        return am_fail(err, AM_ERR_INPUT,
                       "checkpoint: damaged, at step %llu of %lld; start without --resume",
                       (unsigned long long)step, (long long)f->loop.total);
    f->loop.done = (int64_t)step;
    f->loop.saved = true;
    if (f->answer != NULL)
        AM_TRY(fit_resume_snapshots(f, err));
    if (f->coarse != NULL)
        coarse_resume(f, (int64_t)step);
    return f->supervised != NULL ? supervised_resume(f->supervised, err) : AM_OK;
}

int64_t fit_step(const generator_fit *f)
{
    if (f->coarse != NULL && coarse_fit(f->coarse)->loop.done < coarse_steps(&f->settings))
        return coarse_fit(f->coarse)->loop.done;
    return f->loop.done + (f->supervised != NULL ? supervised_step(f->supervised) : 0);
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
    if (f->coarse != NULL)
        coarse_set_save(f->coarse, save, context);
    if (f->supervised != NULL)
        supervised_set_save(f->supervised, save, context);
}
