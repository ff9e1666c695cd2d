#include "case.h"

#include "api/refitting.h"
#include "train/recipe.h"

#include <stdlib.h>
#include <string.h>

/* ---- open --------------------------------------------------------------------------------------- */

static void override_int(int *to, int64_t from)
{
    if (from > 0)
        *to = (int)from;
}

am_status case_open(session *s, const case_options *o, am_error *err)
{
    am_device *device;
    am_fit_options f;
    data_request data = {.source = o->data,
                         .task = "auto",
                         .validation = o->validation,
                         .seed = (uint64_t)o->fit.seed};
    *s = (session){0};
    AM_TRY(fit_options_take(&o->fit, &f, err));
    AM_TRY(am_device_open(o->device, (int)o->threads, "fp32", &device, err));
    session_take_device(s, device);
    AM_TRY(session_load(s, &data, err));
    AM_TRY(session_upload(s, options_blocks(&f, s->data->train.n), err));
    AM_TRY(options_record(s, &f, err));
    response_settings *r = &s->record.fit.response;
    if (r->nodes > 0) {
        override_int(&r->nodes, o->response_nodes);
        override_int(&r->snapshots, o->response_snapshots);
        override_int(&r->rows, o->response_rows);
        override_int(&r->inputs, o->response_inputs);
        override_int(&r->components, o->response_components);
        override_int(&r->iterations, o->response_iterations);
    }
    return AM_OK;
}

/* ---- fits --------------------------------------------------------------------------------------- */

static am_status attach_response(session *s, const generator_fit *f, am_error *err)
{
    generator full;
    AM_TRY(fit_attach_response(f, &full, err));
    generator_close(&s->g);
    s->g = full;
    return AM_OK;
}

am_status case_fit(session *s, int64_t steps, case_result *r, am_error *err)
{
    generator_fit *f = NULL;
    fit_settings fit = s->record.fit;
    fit.steps = steps;
    fit.response.snapshots = (int)AM_MIN((int64_t)fit.response.snapshots, steps);
    generator_close(&s->g);
    AM_TRY(generator_open(&s->g, s->be, &s->record.spec, fit.draws, err));
    am_status status = fit_open(&f, &s->g, &fit, &s->train, err);
    if (status == AM_OK)
        status = generator_init(&s->g, err);
    double begin = am_seconds();
    if (status == AM_OK)
        status = fit_run(f, NULL, err);
    r->seconds = am_seconds() - begin;
    r->steps = steps;
    if (status == AM_OK) {
        r->response_seconds = fit_response_seconds(f);
        if (fit.response.nodes > 0)
            status = attach_response(s, f, err);
    }
    fit_close(f);
    return status;
}

/* ---- evaluation ---------------------------------------------------------------------------------- */

am_status case_curve(session *s, case_result *r, am_error *err)
{
    tuning_curve curve;
    double begin = am_seconds();
    AM_TRY(curve_compute(&s->g, &s->validation, CASE_POINTS, 0, &curve, err));
    r->seconds = am_seconds() - begin;
    memcpy(r->at, curve.at, sizeof r->at);
    curve_free(&curve);
    return AM_OK;
}

am_status case_surface(session *s, int draws, case_result *r, am_error *err)
{
    tuning_curve curve;
    double begin = am_seconds();
    AM_TRY(curve_compute(&s->g, &s->validation, CASE_POINTS, draws, &curve, err));
    r->seconds = am_seconds() - begin;
    memcpy(r->at, curve.at, sizeof r->at);
    bool band = curve.draws == draws;
    curve_free(&curve);
    return band ? AM_OK
                : am_fail(err, AM_ERR_USAGE,
                          "surface: the generator does not see ω; give "
                          "--posterior implicit or --weights dirichlet");
}

/* ---- refits -------------------------------------------------------------------------------------- */

am_status case_refits(session *s, const case_options *o, int models, int64_t steps, case_result *r,
                      am_error *err)
{
    am_fit_options f;
    dev_f32 *theta;
    const target *t = &s->record.spec.target;
    AM_TRY(fit_options_take(&o->fit, &f, err));
    f.steps = steps;
    double *lambda = am_alloc((size_t)models, sizeof *lambda, "refits", err);
    if (lambda == NULL)
        return AM_ERR_MEMORY;
    log_grid(f.lambda_low, f.lambda_high, models, lambda);
    if (models == 1)
        lambda[0] = 3e-4;
    refit_draws draws = {.models = models, .lambda = lambda};
    double begin = am_seconds();
    am_status status = refit_models(s, &f, t, &draws, NULL, &theta, err);
    r->seconds = am_seconds() - begin;
    r->steps = steps;
    if (status == AM_OK && models <= CASE_POINTS) {
        model_set set = {.be = s->be, .t = t, .theta = theta, .models = models};
        status = evaluate(&set, &s->validation, r->at, NULL, err);
    }
    s->be->op->release(s->be, theta);
    free(lambda);
    return status;
}
