#include "api/model.h"

#include "api/choosing.h"
#include "train/names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 32 }; /* draws whose features are computed in one go */

/* ---- shared ---------------------------------------------------------------------------------- */

am_status model_new(const char *name, am_device *device, am_model **model, am_error *err)
{
    am_model *m = am_alloc(1, sizeof *m, "model", err);
    if (m == NULL)
        return AM_ERR_MEMORY;
    m->fitted = (fit_result){.loss = NAN, .seconds = NAN};
    m->name = am_strdup(name, err);
    if (m->name == NULL) {
        free(m);
        return AM_ERR_MEMORY;
    }
    session_take_device(&m->s, device_hold(device));
    *model = m;
    return AM_OK;
}

am_status model_need_data(const am_model *m, am_error *err)
{
    if (m->s.validation.be != NULL)
        return AM_OK;
    return am_fail(err, AM_ERR_USAGE, "%s: has no data to be judged on; call am_model_attach first",
                   m->name);
}

am_status model_check_draw(const am_model *m, const double *lambda, const float *omega,
                           am_error *err)
{
    selection ignored;
    AM_TRY(choice_given(&m->s, lambda, &ignored, err));
    if (omega != NULL && !features_use_omega(&m->s.g.f))
        return am_fail(
            err, AM_ERR_USAGE,
            "%s: was fitted with --weights ones and does not see ω; give NULL, or fit it "
            "with --weights dirichlet",
            m->name);
    if (omega != NULL && m->s.g.spec.sampled > 0)
        return am_fail(
            err, AM_ERR_USAGE,
            "%s: answers to %d weight vectors that were drawn at its fit, not to others; "
            "give NULL, or have its draws with am_sample",
            m->name, m->s.g.spec.sampled);
    for (int64_t b = 0; omega != NULL && b < m->s.record.spec.blocks; b++)
        if (!(omega[b] >= 0.0f) || !isfinite(omega[b]))
            return am_fail(err, AM_ERR_USAGE,
                           "omega[%lld] = %g: a weight must not be negative, nor NaN or infinite",
                           (long long)b, (double)omega[b]);
    return AM_OK;
}

am_metrics public_metrics(const metrics *m)
{
    return (am_metrics){.nll = m->nll,
                        .nll_se = m->nll_se,
                        .accuracy = m->accuracy,
                        .accuracy_se = m->accuracy_se,
                        .brier = m->brier,
                        .ece = m->ece};
}

/* ---- files ----------------------------------------------------------------------------------- */

am_status am_model_load(am_device *device, const char *path, am_model **model, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "give a place for the handle");
    *model = NULL;
    API_NEED(device, "open one with am_device_open");
    API_NEED(path, "give the file of a model");
    am_model *m;
    am_safetensors *file = NULL;
    AM_TRY(model_new(path, device, &m, err));
    am_status status = model_load(path, &m->s.record, &file, err);
    if (status == AM_OK)
        status = model_restore(file, &m->s.record, m->s.be, CAPACITY, &m->s.g, err);
    am_safetensors_free(file);
    if (status == AM_OK)
        *model = m;
    else
        am_model_free(m);
    return status;
}

am_status am_model_save(const am_model *model, const char *path, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit one with am_fit");
    API_NEED(path, "give the file to write");
    return model_save(path, &model->s.g, &model->s.record, NULL, err);
}

void am_model_free(am_model *model)
{
    if (model == NULL)
        return;
    session_close(&model->s);
    free(model->name);
    free(model);
}

/* ---- data ------------------------------------------------------------------------------------ */

am_status am_model_dataset(const am_model *model, const char *source, const char *test,
                           am_dataset **data, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(data, "give a place for the handle");
    *data = NULL;
    API_NEED(model, "load one with am_model_load");
    data_request request;
    AM_TRY(session_recorded_data(&model->s, model->name, source, test, &request, err));
    return dataset_load(&request, data, err);
}

am_status am_model_attach(am_model *model, am_dataset *data, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "load one with am_model_load");
    am_dataset *held = data;
    if (data == NULL)
        AM_TRY(am_model_dataset(model, NULL, NULL, &held, err));
    else
        dataset_hold(held);
    session_drop_data(&model->s);
    session_take_data(&model->s, held);
    am_status status = session_attach(&model->s, model->name, err);
    if (status != AM_OK)
        session_drop_data(&model->s);
    return status;
}

/* ---- asking ---------------------------------------------------------------------------------- */

am_status am_model_describe(const am_model *model, am_model_info *info, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "load one with am_model_load");
    API_NEED(info, "give a place for the answer");
    const model_record *r = &model->s.record;
    *info = (am_model_info){
        .classes = r->spec.target.loss == LOSS_CROSS_ENTROPY,
        .groups = model->s.g.groups.count,
        .params = r->spec.target.params,
        .blocks = r->spec.blocks,
        .sees_omega = features_use_omega(&model->s.g.f),
        .lambda_low = r->spec.lambda_low,
        .lambda_high = r->spec.lambda_high,
        .seed = (int64_t)r->spec.seed,
        .step = r->step,
        .steps = r->fit.steps,
        .fit_loss = model->fitted.loss,
        .fit_seconds = model->fitted.seconds,
        .train_rows = r->data.rows,
        .has_data = model->s.validation.be != NULL,
        .networks = model->s.g.networks,
    };
    target_text(&r->spec.target, info->target, sizeof info->target);
    snprintf(info->activation, sizeof info->activation, "%s", activation_name(r->spec.target.act));
    snprintf(info->features, sizeof info->features, "%s", r->spec.features.text);
    snprintf(info->weights, sizeof info->weights, "%s", omega_names[r->spec.weights]);
    snprintf(info->data_name, sizeof info->data_name, "%s", r->data.name);
    if (model->fitted.plan != PLAN_AUTO)
        snprintf(info->plan, sizeof info->plan, "%s", plan_name(model->fitted.plan));
    return AM_OK;
}
