#include "cli/fitting.h"

#include <stdlib.h>

static am_status train(fit_job *r, const settings *set, am_error *err)
{
    if (set->resume)
        progress_note(set, "resuming at step %lld of %lld", (long long)fit_step(r->f),
                      (long long)r->s->record.fit.steps);
    progress shown = {0};
    train_hooks hooks = progress_hooks(&shown, set, r->checkpoint);
    am_status status = fit_job_run(r, &hooks, err);
    progress_end(&shown);
    return status;
}

am_status fit_model(session *s, const settings *set, const char *path, fit_result *result,
                    am_error *err)
{
    char *checkpoint = am_format("%s.checkpoint", path);
    if (checkpoint == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory", path);
    fit_job r;
    am_status status = fit_job_open(&r, s, checkpoint, set->resume, err);
    if (status == AM_OK)
        status = train(&r, set, err);
    if (status == AM_OK)
        status = fit_job_save(&r, path, err);
    *result = r.result;
    fit_job_close(&r);
    free(checkpoint);
    return status;
}
