/* am_refit. */
#include "api/model.h"
#include "api/refitting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MODELS = 1 << 16 };

/* Where the answers go; each may be NULL. */
typedef struct {
    float *theta;
    am_metrics *validation, *test;
} refit_outputs;

static am_status check_draws(const refit_draws *d, int groups, int64_t blocks, am_error *err)
{
    for (int64_t i = 0; i < (int64_t)d->models * groups; i++)
        if (!(d->lambda[i] > 0 && d->lambda[i] <= 1e30))
            return am_fail(err, AM_ERR_USAGE,
                           "lambda[%lld] = %g: a penalty must be positive, at most 1e30",
                           (long long)i, d->lambda[i]);
    for (int64_t i = 0; d->omega != NULL && i < (int64_t)d->models * blocks; i++)
        if (!(d->omega[i] >= 0.0f) || !isfinite(d->omega[i]))
            return am_fail(err, AM_ERR_USAGE,
                           "omega[%lld] = %g: a weight must not be negative, nor NaN or infinite",
                           (long long)i, (double)d->omega[i]);
    return AM_OK;
}

static am_status judge(const model_set *set, const device_rows *rows, am_metrics *out,
                       am_error *err)
{
    if (out == NULL)
        return AM_OK;
    metrics *each = am_alloc((size_t)set->models, sizeof *each, "metrics", err);
    if (each == NULL)
        return AM_ERR_MEMORY;
    am_status status = evaluate(set, rows, each, NULL, err);
    for (int d = 0; status == AM_OK && d < set->models; d++)
        out[d] = public_metrics(&each[d]);
    free(each);
    return status;
}

static am_status hand_out(const session *s, const model_set *set, const refit_outputs *out,
                          am_error *err)
{
    size_t bytes = sizeof(float) * (size_t)set->models * (size_t)set->t->params;
    AM_TRY(judge(set, &s->validation, out->validation, err));
    AM_TRY(judge(set, &s->test, out->test, err));
    if (out->theta == NULL)
        return AM_OK;
    return s->be->op->download(s->be, out->theta, set->theta, bytes, err);
}

static am_status refit_session(session *s, const am_refit_options *r, const am_fit_options *o,
                               const refit_draws *draws, const refit_outputs *out, am_error *err)
{
    target t;
    int64_t blocks = options_blocks(o, s->data->train.n);
    AM_TRY(options_target(o->target, o->activation, s->data, &t, err));
    bool per_layer = strcmp(o->penalty, "layer") == 0;
    AM_TRY(check_draws(draws, target_groups(&t, per_layer).count, blocks, err));
    AM_TRY(session_upload(s, blocks, err));
    caller_progress progress = {r->progress, r->context, false};
    train_hooks hooks = caller_hooks(&progress, NULL, 0);
    model_set set = {.be = s->be, .t = &t, .models = draws->models};
    am_status status = refit_models(s, o, &t, draws, &hooks, &set.theta, err);
    if (status == AM_OK)
        status = hand_out(s, &set, out, err);
    s->be->op->release(s->be, set.theta);
    return status;
}

am_status am_refit(am_device *device, am_dataset *data, const am_refit_options *options, int models,
                   const double *lambda, const float *omega, float *theta, am_metrics *validation,
                   am_metrics *test, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(device, "open one with am_device_open");
    API_NEED(data, "load one with am_dataset_load");
    API_NEED(lambda, "give one λ for every model and penalty group");
    am_refit_options r;
    am_fit_options o;
    AM_TRY(refit_options_take(options, &r, &o, err));
    AM_TRY(options_int(models, "models", 1, MOST_MODELS, err));
    if (test != NULL && data->data->test.n == 0)
        return am_fail(err, AM_ERR_USAGE,
                       "am_refit: the data %s have no test rows; give NULL for their metrics",
                       data->data->source);
    refit_draws draws = {models, lambda, omega, r.init, r.separate != 0};
    refit_outputs out = {theta, validation, test};
    session s = {0};
    session_take_device(&s, device_hold(device));
    session_take_data(&s, dataset_hold(data));
    am_status status = refit_session(&s, &r, &o, &draws, &out, err);
    session_close(&s);
    return status;
}
