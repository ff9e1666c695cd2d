/* Snapshots of the training, from which the response to ω is computed (response.h). */
#include "backend/schedule.h"
#include "train/fit_state.h"

#include <math.h>

/* Step after which snapshot i is taken; the last is the end. */
static int64_t snapshot_step(const generator_fit *f, int64_t i)
{
    return (2 * f->settings.steps * (i + 1) + f->settings.response.snapshots) /
           (2 * f->settings.response.snapshots);
}

/* Σ lr_t over the steps that snapshot i stands for: from halfway to the one before to halfway to the
 * next. */
static double snapshot_time(const generator_fit *f, int64_t i)
{
    adam_rule rule = optimiser_rule(&f->settings.adam, f->settings.steps, NULL, NULL);
    int64_t here = snapshot_step(f, i), last = f->settings.response.snapshots - 1;
    int64_t begin = i > 0 ? (snapshot_step(f, i - 1) + here) / 2 : 0;
    int64_t end = i < last ? (here + snapshot_step(f, i + 1)) / 2 : here;
    double sum = 0.0;
    for (int64_t t = begin; t < end; t++)
        sum += schedule_rate(rule.rate, (uint64_t)t);
    return sum;
}

/* The draw whose node is nearest to u. */
static int draw_nearest(const fit_settings *s, double u)
{
    int best = 0;
    double distance = INFINITY;
    for (int m = 0; m < s->draws; m++) {
        double away = fabs(draws_middle(s->draws, s->sets, s->stretch, m) - u);
        best = away < distance ? m : best;
        distance = fmin(away, distance);
    }
    return best;
}

static response_metric metric_at(void *context, int which, double u)
{
    const generator_fit *f = context;
    const fit_settings *s = &f->settings;
    int64_t row = (int64_t)which * s->draws + draw_nearest(s, u);
    return (response_metric){
        .moment2 = f32_at(f->head_m2, row * f->g->spec.target.params),
        .correction = 1.0 - pow(s->adam.beta2, (double)f->loop.done),
        .epsilon = s->adam.epsilon,
        .time = snapshot_time(f, f->snapshots) *
                exp2(-s->tilt * axis_level(generator_axis(&f->g->spec), u)),
    };
}

void fit_set_pause(generator_fit *f)
{
    bool more = f->answer != NULL && f->snapshots < f->settings.response.snapshots;
    int64_t next = more ? snapshot_step(f, f->snapshots) : 0;
    f->loop.pause = next <= f->loop.total ? next : 0;
}

am_status fit_take_snapshot(void *context, am_error *err)
{
    generator_fit *f = context;
    double begin = am_seconds();
    AM_TRY(response_advance(f->answer, (int)f->snapshots, metric_at, f, err));
    f->snapshots++;
    uint64_t done = (uint64_t)f->snapshots;
    f->be->op->upload(f->be, f->snapshot, &done, sizeof done);
    fit_set_pause(f);
    AM_TRY(f->be->op->sync(f->be, err));
    f->response_seconds += am_seconds() - begin;
    return AM_OK;
}

double fit_response_seconds(const generator_fit *f)
{
    return f->response_seconds + (f->coarse != NULL ? coarse_fit(f->coarse)->response_seconds : 0);
}

am_status fit_resume_snapshots(generator_fit *f, am_error *err)
{
    uint64_t snapshots;
    AM_TRY(f->be->op->download(f->be, &snapshots, f->snapshot, sizeof snapshots, err));
    if (snapshots > (uint64_t)f->settings.response.snapshots)
        return am_fail(err, AM_ERR_INPUT,
                       "checkpoint: damaged, %llu of %d snapshots done; start without --resume",
                       (unsigned long long)snapshots, f->settings.response.snapshots);
    f->snapshots = (int64_t)snapshots;
    fit_set_pause(f);
    return AM_OK;
}

am_status fit_attach_response(const generator_fit *f, generator *full, am_error *err)
{
    generator_spec spec;
    AM_TRY(response_spec(&f->g->spec, &f->settings.response, &spec, err));
    AM_TRY(generator_open(full, f->be, &spec, f->settings.draws, err));
    am_status status = response_attach(f->answer, full, err);
    if (status != AM_OK)
        generator_close(full);
    return status;
}
