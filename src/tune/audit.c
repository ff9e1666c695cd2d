#include "tune/audit_job.h"

#include "draw/philox.h"
#include "train/recipe.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_RATES = 4 }; /* that the search begins with */

int audit_refits(const audit_request *q)
{
    return FIRST_RATES * AUDIT_RATE_LAMBDAS + q->points * q->repeats + 2 * q->draws * q->lambdas;
}

uint64_t audit_seed(const audit_job *job, audit_part part, uint32_t index, uint32_t chunk)
{
    philox4 r = philox(job->q->seed, STREAM_AUDIT, (uint32_t)part, index, chunk);
    return (uint64_t)r.x[1] << 32 | r.x[0];
}

double *audit_spread(const audit_job *job, const double *lambda, int count, int times,
                     am_error *err)
{
    int groups = job->g->groups.count;
    double *all = am_alloc((size_t)count * (size_t)times * (size_t)groups, sizeof *all, "λ", err);
    for (int i = 0; all != NULL && i < count * times * groups; i++)
        all[i] = lambda[i / groups / times];
    return all;
}

/* ---- progress of the whole ------------------------------------------------------------------- */

static void relay(void *context, const train_progress *inner)
{
    audit_job *job = context;
    const train_hooks *outer = job->q->hooks;
    int64_t now = inner->step * job->models;
    double left = (double)(job->total - job->done - now);
    double pace = (job->seconds + inner->seconds) / (double)(job->trained + now);
    train_progress report = {.task = "audit",
                             .step = job->done + now,
                             .total = job->total,
                             .loss = inner->loss,
                             .norm = inner->norm,
                             .seconds = am_seconds() - job->begin,
                             .seconds_left = pace * left};
    if (outer->progress != NULL)
        outer->progress(outer->context, &report);
}

static bool relay_stop(void *context)
{
    const audit_job *job = context;
    const train_hooks *outer = job->q->hooks;
    return outer->stop != NULL && outer->stop(outer->context);
}

static am_status interrupted(const audit_job *job, am_error *err)
{
    const char *folder = job->q->cache->folder;
    *err = (am_error){0};
    return am_fail(err, AM_ERR_INTERRUPT, "audit stopped after %lld of %lld refits; %s%s",
                   (long long)(job->done / job->q->steps), (long long)(job->total / job->q->steps),
                   folder != NULL ? "the same command goes on from those kept in "
                                  : "none of them is kept, give --cache",
                   folder != NULL ? folder : "");
}

/* ---- refits ---------------------------------------------------------------------------------- */

/* Models of one batch: about 1 GiB of weights, gradients, moments and activations. It follows from the
 * problem alone, so that a larger machine gets the same numbers. */
static int most_models(const audit_job *job)
{
    const target *t = &job->g->spec.target;
    const int64_t room = (int64_t)1 << 30;
    int64_t activations = t->size[0];
    for (int l = 1; l <= t->layers; l++)
        activations += 2 * (int64_t)t->size[l];
    int64_t bytes = 16 * t->params + 4 * activations * job->q->rows;
    return (int)AM_MIN(AM_MAX(room / bytes, (int64_t)1), (int64_t)4096);
}

static am_status refit_chunk(audit_job *job, const audit_batch *b, int first, int count,
                             const uint32_t *init, uint32_t chunk, dev_f32 **theta, am_error *err)
{
    const audit_request *q = job->q;
    const generator_spec *spec = &job->g->spec;
    int64_t blocks = q->sample->blocks;
    refit_request request = {
        .t = &spec->target,
        .per_layer = spec->per_layer,
        .models = count,
        .lambda = b->lambda + (int64_t)first * job->g->groups.count,
        .omega = b->omega != NULL ? b->omega + first * blocks : NULL,
        .blocks = blocks,
        .init = init,
        .rate_scale = b->rate_scale != NULL ? b->rate_scale + first : NULL,
        .seed = audit_seed(job, b->part, b->index, b->apart ? chunk : 0),
        .separate = b->apart,
        .rows = q->rows,
        .steps = q->steps,
        .adam = job->adam,
    };
    int trained = q->cache->trained;
    double begin = am_seconds();
    job->models = count;
    AM_TRY(refit_cached(q->cache, job->be, &request, q->sample->train, &job->hooks, theta, err));
    if (q->cache->trained > trained) {
        job->trained += count * q->steps;
        job->seconds += am_seconds() - begin;
    }
    job->done += count * q->steps;
    job->r->refits += count;
    return AM_OK;
}

am_status audit_refit(audit_job *job, const audit_batch *b, am_error *err)
{
    int most = most_models(job);
    uint32_t *init = am_alloc((size_t)AM_MIN(b->models, most), sizeof *init, "refits", err);
    if (init == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; b->apart && i < AM_MIN(b->models, most); i++)
        init[i] = (uint32_t)i;
    am_status status = AM_OK;
    uint32_t chunk = 0;
    for (int first = 0; status == AM_OK && first < b->models; first += most, chunk++) {
        int count = AM_MIN(most, b->models - first);
        dev_f32 *theta = NULL;
        status = job->q->hooks != NULL && relay_stop(job)
                     ? AM_ERR_INTERRUPT
                     : refit_chunk(job, b, first, count, init, chunk, &theta, err);
        model_set set = {.be = job->be, .t = &job->g->spec.target, .theta = theta, .models = count};
        if (status == AM_ERR_INTERRUPT)
            status = interrupted(job, err);
        else if (status == AM_OK)
            status = b->take(b->context, &set, first, err);
        job->be->op->release(job->be, theta);
    }
    free(init);
    return status;
}

/* ---- the audit ------------------------------------------------------------------------------- */

static am_status check(const audit_request *q, am_error *err)
{
    if (q->sample->train == NULL || q->sample->train->data.block == NULL)
        return am_fail(err, AM_ERR_INTERNAL, "audit: training rows with blocks are needed");
    if (q->points < 2 || q->repeats < 1 || q->draws < 3)
        return am_fail(err, AM_ERR_USAGE,
                       "audit of %d points, %d repeats, %d draws: give at least 2, 1 and 3",
                       q->points, q->repeats, q->draws);
    int sampled = q->sample->g->spec.sampled;
    if (sampled > 0 && q->lambdas > 0 && q->draws > sampled)
        return am_fail(err, AM_ERR_USAGE,
                       "audit of %d draws: the generator answers to %d drawn weight vectors; give "
                       "--draws %d, or fit it with --response-draws %d",
                       q->draws, sampled, sampled, q->draws);
    if (q->lambdas < 0 || q->lambdas > AUDIT_MOST_LAMBDAS)
        return am_fail(err, AM_ERR_USAGE, "audit at %d λ: give at most %d", q->lambdas,
                       AUDIT_MOST_LAMBDAS);
    return AM_OK;
}

am_status audit_run(const audit_request *q, audit_result *r, am_error *err)
{
    generator *g = q->sample->g;
    audit_job job = {.q = q,
                     .r = r,
                     .g = g,
                     .be = g->be,
                     .adam = {.schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8},
                     .begin = am_seconds(),
                     .total = audit_refits(q) * q->steps};
    *r = (audit_result){.steps = q->steps,
                        .lambdas = q->lambdas,
                        .draws = q->draws,
                        .from_generator = features_use_omega(&g->f),
                        .sampled = g->spec.sampled};
    AM_TRY(check(q, err));
    if (q->hooks != NULL)
        job.hooks = (train_hooks){.context = &job, .progress = relay, .stop = relay_stop};
    recipe_refit(&job.adam, q->steps);
    am_status status = audit_find_rate(&job, err);
    if (status == AM_OK)
        status = audit_compare_curves(&job, err);
    if (status == AM_OK)
        status = audit_compare_draws(&job, err);
    if (status == AM_OK)
        audit_judge(r);
    else
        audit_free(r);
    r->seconds = am_seconds() - job.begin;
    return status;
}

void audit_free(audit_result *r)
{
    curve_free(&r->curve.curve);
    free(r->curve.refit);
    free(r->curve.criterion);
    free(r->curve.refit_criterion);
    *r = (audit_result){0};
}
