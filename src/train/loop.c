#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Looks at the device: at least REPORTS of a run, and one about every LOOK_SECONDS. Where the chunks
 * end changes no bit of the result. */
enum { REPORTS = 50 };
static const double LOOK_SECONDS = 0.5;
static const double BLOW_UP = 100; /* growth of the loss that is called divergence */

typedef struct {
    train_loop *loop;
    const train_hooks *hooks;
    double begin, last_save;
    int64_t first;     /* step this run began at */
    double first_loss; /* of its first step, before any update */
    double *sums;      /* (models) */
} watch;

/* Steps of the whole run when this loop has done so many of its own. */
static int64_t shown(const train_loop *loop, int64_t done)
{
    const train_stage *s = &loop->stage;
    return s->parts > 0 ? s->before + (s->part * loop->total + done) / s->parts : done;
}

static int64_t shown_total(const train_loop *loop)
{
    return loop->stage.parts > 0 ? loop->stage.total : loop->total;
}

static am_status save(watch *w, am_error *err)
{
    if (w->loop->save == NULL || w->hooks->checkpoint == NULL)
        return AM_OK;
    w->last_save = am_seconds();
    AM_TRY(w->loop->save(w->loop->save_context, w->hooks->checkpoint, err));
    w->loop->saved = true;
    return AM_OK;
}

/* The file that a run can go on from, or NULL. */
static const char *saved_in(const watch *w)
{
    return w->loop->saved ? w->hooks->checkpoint : NULL;
}

/* Mean loss over models and the chunk's steps. */
static double chunk_loss(const watch *w, int64_t steps)
{
    double sum = 0.0;
    for (int m = 0; m < w->loop->models; m++)
        sum += w->sums[m];
    return sum / ((double)w->loop->models * (double)steps);
}

static am_status diverged(const watch *w, uint64_t step, double loss, am_error *err)
{
    const char *file = saved_in(w);
    return am_fail(err, AM_ERR_DIVERGED,
                   "%s diverged at step %lld of %lld (loss %g): lower --rate%s%s", w->loop->task,
                   (long long)shown(w->loop, (int64_t)step), (long long)shown_total(w->loop), loss,
                   file ? "; the last good state is in " : "", file ? file : "");
}

/* Looks at loss and guard after a chunk of `steps`; the only place that waits for the device. */
static am_status look(watch *w, int64_t steps, train_progress *report, am_error *err)
{
    train_loop *loop = w->loop;
    guard_state guard;
    AM_TRY(loop->be->op->download(loop->be, w->sums, loop->loss,
                                  sizeof(double) * (size_t)loop->models, err));
    AM_TRY(loop->be->op->download(loop->be, &guard, loop->guard, sizeof guard, err));
    double loss = chunk_loss(w, steps);
    if (guard.halted != 0) { /* the ops froze the parameters before the bad step */
        loop->done = (int64_t)guard.halted - 1;
        AM_TRY(save(w, err));
        return diverged(w, guard.halted - 1, loss, err);
    }
    if (isnan(w->first_loss))
        w->first_loss = loss;
    if (loss > BLOW_UP * fabs(w->first_loss) + BLOW_UP)
        return diverged(w, (uint64_t)loop->done, loss, err);
    double seconds = am_seconds() - w->begin;
    *report = (train_progress){
        .task = loop->task,
        .step = shown(loop, loop->done),
        .total = shown_total(loop),
        .loss = loss,
        .norm = guard.norm,
        .seconds = loop->stage.begin > 0 ? am_seconds() - loop->stage.begin : seconds,
        .seconds_left = seconds * ((double)(loop->total - loop->done) + loop->stage.later) /
                        (double)(loop->done - w->first),
    };
    return AM_OK;
}

static am_status interrupted(watch *w, am_error *err)
{
    AM_TRY(save(w, err));
    const char *file = saved_in(w);
    return am_fail(err, AM_ERR_INTERRUPT, "%s stopped at step %lld of %lld%s%s", w->loop->task,
                   (long long)shown(w->loop, w->loop->done), (long long)shown_total(w->loop),
                   file ? "; the same command with --resume goes on from " : "", file ? file : "");
}

/* A device that fails takes nothing along that was saved; the message says how to go on. */
static am_status failed(const watch *w, am_status status, am_error *err)
{
    size_t used = strlen(err->message);
    if (status == AM_ERR_DEVICE && saved_in(w) != NULL)
        snprintf(err->message + used, sizeof err->message - used,
                 "; the same command with --resume goes on from %s", w->hooks->checkpoint);
    return status;
}

static int64_t chunk_steps(const watch *w)
{
    const train_loop *loop = w->loop;
    int64_t done = loop->done - w->first;
    int64_t left = (loop->pause > 0 ? loop->pause : loop->total) - loop->done;
    if (done == 0)
        return 1;
    double rate = (double)done / (am_seconds() - w->begin);
    int64_t timed = AM_MAX((int64_t)1, (int64_t)(rate * LOOK_SECONDS));
    int64_t share = AM_MAX((int64_t)1, loop->total / REPORTS);
    return AM_MIN(AM_MIN(timed, share), left);
}

static am_status run_chunks(watch *w, void **recording, am_error *err)
{
    train_loop *loop = w->loop;
    while (loop->done < loop->total) {
        int64_t steps = chunk_steps(w);
        loop->be->op->zero(loop->be, loop->loss, sizeof(double) * (size_t)loop->models);
        loop->be->op->repeat(loop->be, loop->issue, loop->context, steps, recording);
        loop->done += steps;
        train_progress report;
        AM_TRY(look(w, steps, &report, err));
        if (w->hooks->progress != NULL)
            w->hooks->progress(w->hooks->context, &report);
        if (loop->done == loop->pause)
            AM_TRY(loop->paused(loop->context, err));
        if (loop->done == loop->total && !(loop->stage.later > 0)) /* not worth stopping for */
            break;
        if (w->hooks->stop != NULL && w->hooks->stop(w->hooks->context))
            return interrupted(w, err);
        if (w->hooks->checkpoint_seconds > 0 &&
            am_seconds() - w->last_save > w->hooks->checkpoint_seconds)
            AM_TRY(save(w, err));
    }
    return AM_OK;
}

am_status train_loop_run(train_loop *loop, const train_hooks *hooks, am_error *err)
{
    static const train_hooks none = {0};
    watch w = {.loop = loop,
               .hooks = hooks ? hooks : &none,
               .begin = am_seconds(),
               .last_save = am_seconds(),
               .first = loop->done,
               .first_loss = NAN};
    w.sums = am_alloc((size_t)loop->models, sizeof *w.sums, "losses", err);
    if (w.sums == NULL)
        return AM_ERR_MEMORY;
    void *recording = NULL;
    am_status status = run_chunks(&w, &recording, err);
    loop->be->op->forget(loop->be, &recording);
    free(w.sums);
    return failed(&w, status, err);
}
