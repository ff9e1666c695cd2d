#include "api/fit_job.h"

#include "train/memory.h"

#include <math.h>
#include <unistd.h>

/* Writes a checkpoint: parameters, optimiser, step. */
static am_status save_checkpoint(void *context, const char *path, am_error *err)
{
    fit_job *r = context;
    r->s->record.step = fit_step(r->f);
    return model_save(path, &r->s->g, &r->s->record, fit_state(r->f), err);
}

static void append_loss(fit_history *h, int64_t step, double loss)
{
    if (h->count > 0 && step <= h->step[h->count - 1])
        return;
    if (h->count == FIT_HISTORY) {
        h->count /= 2;
        for (int i = 0; i < h->count; i++) {
            h->step[i] = h->step[2 * i + 1];
            h->loss[i] = h->loss[2 * i + 1];
        }
    }
    h->step[h->count] = step;
    h->loss[h->count++] = loss;
}

static void remember_loss(void *context, const train_progress *report)
{
    fit_job *r = context;
    r->result.loss = report->loss;
    append_loss(&r->result.history, report->step, report->loss);
    if (r->outer.progress != NULL)
        r->outer.progress(r->outer.context, report);
}

static bool ask_stop(void *context)
{
    fit_job *r = context;
    return r->outer.stop != NULL && r->outer.stop(r->outer.context);
}

/* Restores parameters and optimiser from the checkpoint of the same run. */
static am_status resume_from(const fit_job *r, const char *path, am_error *err)
{
    model_record saved;
    am_safetensors *file;
    if (path == NULL || !am_path_exists(path))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: no checkpoint to resume from; start without --resume",
                       path != NULL ? path : "fit");
    AM_TRY(model_load(path, &saved, &file, err));
    am_status status = model_same_run(path, &saved, &r->s->record, err);
    if (status == AM_OK)
        status = arena_restore(&r->s->g.params, file, err);
    if (status == AM_OK)
        status = arena_restore(fit_state(r->f), file, err);
    if (status == AM_OK)
        status = fit_resume(r->f, err);
    model_record_free(&saved);
    am_safetensors_free(file);
    return status;
}

am_status fit_job_open(fit_job *r, session *s, const char *checkpoint, bool resume, am_error *err)
{
    *r = (fit_job){.s = s, .checkpoint = checkpoint, .begin = am_seconds()};
    r->result = (fit_result){.loss = NAN, .seconds = NAN};
    AM_TRY(fit_memory(s->be, &s->record.spec, &s->record.fit, &s->train, err));
    AM_TRY(generator_open(&s->g, s->be, &s->record.spec, s->record.fit.draws, err));
    AM_TRY(fit_open(&r->f, &s->g, &s->record.fit, &s->train, err));
    AM_TRY(generator_init(&s->g, err));
    r->result.plan = fit_plan(r->f);
    return resume ? resume_from(r, checkpoint, err) : AM_OK;
}

/* Puts the generator with the response in the place of the curve's. */
static am_status attach_response(fit_job *r, am_error *err)
{
    session *s = r->s;
    generator full;
    AM_TRY(fit_attach_response(r->f, &full, err));
    fit_job_close(r);
    generator_close(&s->g);
    s->g = full;
    s->record.spec = full.spec;
    return AM_OK;
}

am_status fit_job_run(fit_job *r, const train_hooks *hooks, am_error *err)
{
    r->outer = *hooks;
    train_hooks own = *hooks;
    own.context = r;
    own.progress = remember_loss;
    own.stop = ask_stop;
    fit_set_save(r->f, save_checkpoint, r);
    r->result.first = fit_step(r->f);
    am_status status = fit_run(r->f, &own, err);
    r->s->record.step = fit_step(r->f);
    r->result.response_seconds = fit_response_seconds(r->f);
    if (status == AM_OK && r->s->record.fit.response.nodes > 0)
        status = attach_response(r, err);
    r->result.seconds = am_seconds() - r->begin;
    return status;
}

am_status fit_job_save(fit_job *r, const char *path, am_error *err)
{
    AM_TRY(model_save(path, &r->s->g, &r->s->record, NULL, err));
    if (r->checkpoint != NULL)
        unlink(r->checkpoint);
    return AM_OK;
}

void fit_job_close(fit_job *r)
{
    fit_close(r->f);
    r->f = NULL;
}
