/* Criterion mode (METHOD §4): every step draws M pairs (ω, λ) and a minibatch, and moves the
 * generator down the criterion by plain gradient or by collocation descent. */
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
    if (s->response.nodes > 0 && s->descent != DESCENT_COLLOCATION)
        return am_fail(
            err, AM_ERR_USAGE,
            "--posterior implicit: needs collocation descent, whose Adam it follows; give "
            "--descent collocation with poly:D or cheb:D features");
    if (s->response.nodes > 0 && g->groups.count > 1)
        return am_fail(err, AM_ERR_USAGE,
                       "--posterior implicit: needs one λ in all; give --penalty scalar");
    if (s->response.nodes > 0 && g->spec.blocks > AM_DIRECT_BLOCKS)
        return am_fail(err, AM_ERR_USAGE,
                       "--posterior implicit: %lld blocks of weights, at most %d; give fewer "
                       "--blocks",
                       (long long)g->spec.blocks, AM_DIRECT_BLOCKS);
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
    int p1 = -1, p2 = -1, snapshot = -1, answer = -1;
    if (f->settings.response.nodes > 0) {
        int64_t vectors = f->settings.response.nodes * g->spec.blocks;
        snapshot = arena_add(&f->state, AM_DTYPE_U64, 1, 0, "response.snapshots");
        answer = arena_add(&f->state, AM_DTYPE_F32, g->networks * vectors, params, "response");
    }
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
    f->snapshot = arena_at(&f->state, snapshot);
    f->response = arena_at(&f->state, answer);
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
    if (status == AM_OK && settings->response.nodes > 0)
        status = response_open(&f->answer, g, &settings->response, data, f->response, err);
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
                           .total = settings->steps,
                           .paused = fit_take_snapshot};
    fit_set_pause(f);
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
    response_close(f->answer);
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
    if (f->answer == NULL)
        return AM_OK;
    uint64_t snapshots;
    AM_TRY(f->be->op->download(f->be, &snapshots, f->snapshot, sizeof snapshots, err));
    if (snapshots > (uint64_t)f->settings.response.snapshots)
        return am_fail(err, AM_ERR_INPUT,
                       "checkpoint: damaged, %llu of %d snapshots done; start without --resume",
                       (unsigned long long)snapshots, f->settings.response.snapshots);
    f->snapshots = (int64_t)snapshots;
    fit_set_pause(f);
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
