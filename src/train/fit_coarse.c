/* The stage before a fit's own steps, coarse in λ (coarse_stage in train.h): a fit by itself on the first
 * columns of the generator. Both have step counter, guard, head and first moments in common, as the
 * features are nested; second moments are those of draws, whose nodes differ: each later draw begins
 * with what the stage's draws have at its node. */
#include "train/fit_state.h"

#include <math.h>
#include <stdlib.h>

struct coarse {
    generator_fit fit;
    generator leading; /* fit.g: a view */
    dev_f32 *weights;  /* (M, M'): second moments at the later draws from those of the stage's */
};

int64_t coarse_steps(const fit_settings *s)
{
    return (int64_t)llround(s->coarse.share * (double)s->steps);
}

am_status coarse_check(const generator *g, const fit_settings *s, am_error *err)
{
    static const char *const option = "--path coarse-to-fine";
    const coarse_stage *c = &s->coarse;
    if (s->mode != MODE_CRITERION)
        return am_fail(err, AM_ERR_USAGE, "%s: is a way of criterion mode; give --mode criterion",
                       option);
    if (s->descent != DESCENT_COLLOCATION || s->nodes != LAMBDA_NODES)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: is a way of collocation descent on nodes; give --descent collocation "
                       "and --nodes nodes",
                       option);
    if (g->groups.count > 1)
        return am_fail(err, AM_ERR_USAGE, "%s: needs one λ in all; give --penalty scalar", option);
    if (g->spec.weights != OMEGA_ONES)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: trains at ω = 1 only; give --weights ones, or --posterior implicit",
                       option);
    if (c->degree < 1 || g->f.spec.degree <= c->degree)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: features %s have no degree above the first stage's %d; give poly:D or "
                       "cheb:D with a larger D",
                       option, g->spec.features.text, c->degree);
    if (c->draws < 1 || c->rows < 1 || c->sets < 1 || c->draws % c->sets != 0)
        return am_fail(err, AM_ERR_USAGE, "%s: %d minibatches must divide the %d draws", option,
                       c->sets, c->draws);
    if (coarse_steps(s) < 1 || coarse_steps(s) >= s->steps)
        return am_fail(err, AM_ERR_USAGE,
                       "--steps %lld: too few for two stages; give more steps or epochs, or --path "
                       "full",
                       (long long)s->steps);
    return AM_OK;
}

/* ---- open, close ----------------------------------------------------------------------------------- */

/* row (M'): linear interpolation at u between the nodes of the stage's draws, constant beyond them. */
static void interpolation(const coarse_stage *s, double u, float *row)
{
    int below = -1, above = -1;
    double low = -INFINITY, high = INFINITY;
    for (int k = 0; k < s->draws; k++) {
        double at = draws_middle(s->draws, s->sets, s->stretch, k);
        row[k] = 0.0f;
        if (at <= u && at > low)
            low = at, below = k;
        if (at >= u && at < high)
            high = at, above = k;
    }
    below = below < 0 ? above : below;
    above = above < 0 ? below : above;
    double share = above != below ? (u - low) / (high - low) : 0.0;
    row[above] += (float)share;
    row[below] += (float)(1.0 - share);
}

static am_status open_weights(coarse *c, const fit_settings *later, am_error *err)
{
    backend *be = c->fit.be;
    const coarse_stage *s = &later->coarse;
    size_t count = (size_t)later->draws * (size_t)s->draws;
    float *weights = am_alloc(count, sizeof *weights, "second moments", err);
    if (weights == NULL)
        return AM_ERR_MEMORY;
    for (int m = 0; m < later->draws; m++)
        interpolation(s, draws_middle(later->draws, later->sets, later->stretch, m),
                      weights + m * s->draws);
    c->weights = be->op->alloc(be, sizeof *weights * count, "second moments");
    be->op->upload(be, c->weights, weights, sizeof *weights * count);
    am_status status = be->op->sync(be, err);
    free(weights);
    return status;
}

/* Steps of the later fit that a step of the stage costs as much as. */
static double relative_cost(const fit_settings *s)
{
    return (double)s->coarse.draws * s->coarse.rows / ((double)s->draws * s->rows);
}

/* What the stage's fit has of its own, and what of the later one's. */
static void set_up(coarse *c, const generator_fit *f, dev_f32 *moment2)
{
    const coarse_stage *s = &f->settings.coarse;
    generator_fit *fit = &c->fit;
    c->leading = generator_leading(f->g, s->degree);
    *fit = (generator_fit){.be = f->be,
                           .g = &c->leading,
                           .settings = f->settings,
                           .models = f->g->networks * s->draws,
                           .step = f->step,
                           .guard = f->guard,
                           .head_m1 = f->head_m1,
                           .head_m2 = moment2,
                           .answer = f->answer,
                           .snapshot = f->snapshot};
    fit->settings.draws = s->draws;
    fit->settings.rows = s->rows;
    fit->settings.sets = s->sets;
    fit->settings.stretch = s->stretch;
}

static void set_loop(generator_fit *fit, const fit_settings *s)
{
    int64_t steps = coarse_steps(s);
    fit->loop = (train_loop){
        .be = fit->be,
        .task = "fit",
        .stage = {.total = s->steps,
                  .parts = 1,
                  .later = (double)(s->steps - steps) / relative_cost(s)},
        .issue = fit_issue,
        .context = fit,
        .guard = fit->guard,
        .loss = fit->loss,
        .models = fit->models,
        .total = steps,
        .paused = fit_take_snapshot,
    };
    fit_set_pause(fit);
}

am_status coarse_open(generator_fit *f, dev_f32 *moment2, const device_rows *data, am_error *err)
{
    const coarse_stage *s = &f->settings.coarse;
    coarse *c = am_alloc(1, sizeof *c, "fit", err);
    if (c == NULL)
        return AM_ERR_MEMORY;
    f->coarse = c;
    set_up(c, f, moment2);
    AM_TRY(fit_open_buffers(&c->fit, data, err));
    AM_TRY(open_weights(c, &f->settings, err));
    set_loop(&c->fit, &f->settings);
    f->late = f->g->f.features - c->leading.f.features;
    f->batch.shift = coarse_steps(&f->settings) * (s->rows - f->settings.rows);
    return AM_OK;
}

void coarse_close(coarse *c)
{
    if (c == NULL)
        return;
    c->fit.be->op->release(c->fit.be, c->weights);
    fit_close_buffers(&c->fit);
    free(c);
}

const generator_fit *coarse_fit(const coarse *c)
{
    return &c->fit;
}

void coarse_set_save(coarse *c, am_status (*save)(void *context, const char *path, am_error *err),
                     void *context)
{
    c->fit.loop.save = save;
    c->fit.loop.save_context = context;
}

/* ---- run ------------------------------------------------------------------------------------------- */

/* The later draws' second moments, (M,P) = weights·v of every network; and the snapshots. */
static am_status hand_over(generator_fit *f, am_error *err)
{
    const coarse *c = f->coarse;
    int64_t params = f->g->spec.target.params;
    matmul_args a = {.batch = f->g->networks,
                     .m = f->settings.draws,
                     .n = params,
                     .k = c->fit.settings.draws,
                     .alpha = 1,
                     .a = c->weights,
                     .lda = c->fit.settings.draws,
                     .b = c->fit.head_m2,
                     .ldb = params,
                     .b_stride = c->fit.settings.draws * params,
                     .c = f->head_m2,
                     .ldc = params,
                     .c_stride = f->settings.draws * params};
    f->be->op->matmul(f->be, &a);
    f->snapshots = c->fit.snapshots;
    f->loop.saved = c->fit.loop.saved;
    fit_set_pause(f);
    return f->be->op->sync(f->be, err);
}

am_status coarse_run(generator_fit *f, const train_hooks *hooks, double begin, am_error *err)
{
    generator_fit *fit = &f->coarse->fit;
    if (f->loop.done > fit->loop.total)
        return AM_OK;
    if (f->answer != NULL)
        response_follow(f->answer, fit->g);
    fit->loop.stage.begin = begin;
    AM_TRY(train_loop_run(&fit->loop, hooks, err));
    if (f->answer != NULL)
        response_follow(f->answer, f->g);
    return hand_over(f, err);
}

void coarse_resume(generator_fit *f, int64_t step)
{
    generator_fit *fit = &f->coarse->fit;
    fit->loop.done = AM_MIN(step, fit->loop.total);
    f->loop.done = AM_MAX(step, fit->loop.total);
    fit->loop.saved = true;
    fit->snapshots = f->snapshots;
    fit_set_pause(fit);
}
