/* am_polish. */
#include "api/model.h"
#include "api/options.h"
#include "api/polishing.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_MODELS = 1 << 16 };

void am_polish_options_default(am_polish_options *options, size_t size)
{
    am_polish_options defaults = {.steps = -1};
    options_hand_out(options, size, &defaults, sizeof defaults);
}

static am_status check(const am_model *m, int models, const double *lambda, const float *omega,
                       am_error *err)
{
    int groups = m->s.g.groups.count;
    int64_t weights = (int64_t)models * m->s.record.spec.blocks;
    for (int d = 0; d < models; d++)
        AM_TRY(model_check_draw(m, lambda + (size_t)d * (size_t)groups, NULL, err));
    for (int64_t i = 0; omega != NULL && i < weights; i++)
        if (!(omega[i] >= 0.0f) || !isfinite(omega[i]))
            return am_fail(err, AM_ERR_USAGE,
                           "omega[%lld] = %g: a weight must not be negative, nor NaN or infinite",
                           (long long)i, (double)omega[i]);
    return AM_OK;
}

/* Scores of the networks as the generator gives them. */
static am_status score_start(const polish_request *request, const session *s, network_scores *at,
                             am_error *err)
{
    polish_request start = *request;
    dev_f32 *theta;
    start.steps = 0;
    AM_TRY(polish_run(&start, &s->train, NULL, &theta, err));
    am_status status = polish_score(&start, theta, &s->train, &s->validation, at, err);
    s->be->op->release(s->be, theta);
    return status;
}

/* θ (E,D,P) and what it reaches, for the caller. */
static am_status hand_out(const polish_request *request, const session *s, dev_f32 *theta,
                          const network_scores *before, float *to, am_polished *score,
                          am_error *err)
{
    size_t all = (size_t)polish_networks(request) * (size_t)request->models;
    size_t values = all * (size_t)request->g->spec.target.params;
    if (to != NULL)
        AM_TRY(s->be->op->download(s->be, to, theta, values * sizeof *to, err));
    if (score == NULL)
        return AM_OK;
    network_scores after;
    AM_TRY(polish_score(request, theta, &s->train, &s->validation, &after, err));
    for (int d = 0; d < request->models; d++)
        score[d] = (am_polished){.criterion_before = before->criterion[d],
                                 .criterion_after = after.criterion[d],
                                 .before = public_metrics(&before->together[d]),
                                 .after = public_metrics(&after.together[d])};
    network_scores_free(&after);
    return AM_OK;
}

static am_status polish(session *s, const am_polish_options *o, const polish_request *request,
                        float *theta, am_polished *score, am_error *err)
{
    caller_progress progress = {o->progress, o->context, false};
    train_hooks hooks = caller_hooks(&progress, NULL, 0);
    network_scores before = {0};
    dev_f32 *polished = NULL;
    am_status status = score != NULL ? score_start(request, s, &before, err) : AM_OK;
    if (status == AM_OK)
        status = polish_run(request, &s->train, &hooks, &polished, err);
    if (status == AM_OK)
        status = hand_out(request, s, polished, &before, theta, score, err);
    s->be->op->release(s->be, polished);
    network_scores_free(&before);
    return status;
}

am_status am_polish(am_model *model, const am_polish_options *options, int models,
                    const double *lambda, const float *omega, float *theta, am_polished *score,
                    am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    API_NEED(lambda, "give one λ for every network and penalty group");
    am_polish_options o;
    am_polish_options_default(&o, sizeof o);
    AM_TRY(options_take(&o, sizeof o, options, "am_polish_options", err));
    AM_TRY(options_int(models, "models", 1, MOST_MODELS, err));
    AM_TRY(options_int(o.steps, "steps", -1, INT32_MAX, err));
    AM_TRY(options_real(o.rate, "rate", 0, 1e3, false, err));
    AM_TRY(model_need_data(model, err));
    AM_TRY(check(model, models, lambda, omega, err));
    polish_request request = polishing_request(&model->s, models, lambda, omega, o.steps, o.rate);
    return polish(&model->s, &o, &request, theta, score, err);
}
