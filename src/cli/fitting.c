#include "cli/fitting.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct {
    session *s;
    generator_fit *f;
    train_hooks outer; /* the progress display */
    double loss;
} running;

/* Writes a checkpoint: parameters, optimiser, step. */
static am_status save_checkpoint(void *context, const char *path, am_error *err)
{
    running *r = context;
    r->s->record.step = fit_step(r->f);
    return model_save(path, &r->s->g, &r->s->record, fit_state(r->f), err);
}

static void remember_loss(void *context, const train_progress *report)
{
    running *r = context;
    r->loss = report->loss;
    if (r->outer.progress != NULL)
        r->outer.progress(r->outer.context, report);
}

static bool ask_stop(void *context)
{
    running *r = context;
    return r->outer.stop != NULL && r->outer.stop(r->outer.context);
}

/* Restores parameters and optimiser from the checkpoint of the same run. */
static am_status resume(session *s, generator_fit *f, const char *path, am_error *err)
{
    model_record saved;
    am_safetensors *file;
    if (!am_path_exists(path))
        return am_fail(err, AM_ERR_INPUT, "%s: no checkpoint to resume from; start without --resume",
                       path);
    AM_TRY(model_load(path, &saved, &file, err));
    am_status status = model_same_run(path, &saved, &s->record, err);
    if (status == AM_OK)
        status = arena_restore(&s->g.params, file, err);
    if (status == AM_OK)
        status = arena_restore(fit_state(f), file, err);
    if (status == AM_OK)
        status = fit_resume(f, err);
    model_record_free(&saved);
    am_safetensors_free(file);
    return status;
}

static am_status train(running *r, const settings *set, const char *checkpoint, am_error *err)
{
    session *s = r->s;
    AM_TRY(generator_init(&s->g, err));
    if (set->resume) {
        AM_TRY(resume(s, r->f, checkpoint, err));
        progress_note(set, "resuming at step %lld of %lld", (long long)fit_step(r->f),
                      (long long)s->record.fit.steps);
    }
    progress shown = {0};
    r->outer = progress_hooks(&shown, set, checkpoint);
    train_hooks hooks = r->outer;
    hooks.context = r;
    hooks.progress = remember_loss;
    hooks.stop = ask_stop;
    fit_set_save(r->f, save_checkpoint, r);
    am_status status = fit_run(r->f, &hooks, err);
    progress_end(&shown);
    return status;
}

am_status fit_model(session *s, const settings *set, const char *path, fit_result *result,
                    am_error *err)
{
    char *checkpoint = am_format("%s.checkpoint", path);
    if (checkpoint == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory", path);
    running r = {.s = s};
    double begin = am_seconds();
    am_status status = generator_open(&s->g, s->be, &s->record.spec, s->record.fit.draws, err);
    if (status == AM_OK)
        status = fit_open(&r.f, &s->g, &s->record.fit, &s->train, err);
    if (status == AM_OK)
        status = train(&r, set, checkpoint, err);
    *result = (fit_result){.loss = r.loss, .seconds = am_seconds() - begin};
    if (status == AM_OK) {
        result->plan = fit_plan(r.f);
        s->record.step = s->record.fit.steps;
        status = model_save(path, &s->g, &s->record, NULL, err);
    }
    if (status == AM_OK)
        unlink(checkpoint);
    fit_close(r.f);
    free(checkpoint);
    return status;
}
