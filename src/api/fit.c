/* am_fit. */
#include "api/fit_options.h"
#include "api/model.h"

#include <stdlib.h>

/* ---- progress -------------------------------------------------------------------------------- */

static void report_progress(void *context, const train_progress *report)
{
    caller_progress *p = context;
    am_progress public = {.task = report->task,
                          .step = report->step,
                          .total = report->total,
                          .loss = report->loss,
                          .norm = report->norm,
                          .seconds = report->seconds,
                          .seconds_left = report->seconds_left};
    p->stop = p->call != NULL && p->call(p->context, &public) != 0;
}

static bool stop_wanted(void *context)
{
    return ((caller_progress *)context)->stop;
}

train_hooks caller_hooks(caller_progress *p, const char *checkpoint, double checkpoint_seconds)
{
    return (train_hooks){.context = p,
                         .progress = report_progress,
                         .stop = stop_wanted,
                         .checkpoint = checkpoint,
                         .checkpoint_seconds = checkpoint_seconds};
}

/* ---- fit ------------------------------------------------------------------------------------- */

static am_status fit_session(am_model *m, const am_fit_options *o, const char *checkpoint,
                             am_error *err)
{
    session *s = &m->s;
    fit_job r;
    caller_progress progress = {o->progress, o->context, false};
    train_hooks hooks = caller_hooks(&progress, checkpoint, o->checkpoint_seconds);
    AM_TRY(session_upload(s, options_blocks(o, s->data->train.n), err));
    AM_TRY(options_record(s, o, err));
    am_status status = fit_job_open(&r, s, checkpoint, o->resume != 0, err);
    if (status == AM_OK)
        status = fit_job_run(&r, &hooks, err);
    if (status == AM_OK && o->out != NULL)
        status = fit_job_save(&r, o->out, err);
    m->fitted = r.result;
    fit_job_close(&r);
    return status;
}

/* *checkpoint: the file of an unfinished run, fresh, or NULL. */
static am_status checkpoint_path(const am_fit_options *o, char **checkpoint, am_error *err)
{
    *checkpoint = NULL;
    if (o->checkpoint == NULL && o->out == NULL)
        return AM_OK;
    *checkpoint =
        o->checkpoint != NULL ? am_strdup(o->checkpoint, err) : am_format("%s.checkpoint", o->out);
    return *checkpoint != NULL ? AM_OK : am_fail(err, AM_ERR_MEMORY, "am_fit: no memory");
}

am_status am_fit(am_device *device, am_dataset *data, const am_fit_options *options,
                 am_model **model, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "give a place for the handle");
    *model = NULL;
    API_NEED(device, "open one with am_device_open");
    API_NEED(data, "load one with am_dataset_load");
    am_fit_options o;
    am_model *m;
    char *checkpoint;
    AM_TRY(fit_options_take(options, &o, err));
    if (o.out != NULL)
        AM_TRY(am_check_writable_file(o.out, err));
    if (o.checkpoint != NULL)
        AM_TRY(am_check_writable_file(o.checkpoint, err));
    AM_TRY(model_new(o.out != NULL ? o.out : "model", device, &m, err));
    session_take_data(&m->s, dataset_hold(data));
    am_status status = checkpoint_path(&o, &checkpoint, err);
    if (status == AM_OK)
        status = fit_session(m, &o, checkpoint, err);
    free(checkpoint);
    if (status == AM_OK)
        *model = m;
    else
        am_model_free(m);
    return status;
}
