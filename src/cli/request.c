/* From the user's words to the library's requests. */
#include "cli/session.h"

#include "train/names.h"

#include <stdlib.h>
#include <string.h>

data_request request_data(const settings *set)
{
    return (data_request){
        .source = set->data,
        .label = set->label,
        .task = set->task,
        .test = set->test,
        .validation = set->validation,
        .seed = (uint64_t)set->seed,
    };
}

am_status request_target(const settings *set, const am_data *data, target *t, am_error *err)
{
    const am_rows *train = &data->train;
    char shape[64];
    activation act;
    AM_TRY(activation_parse(set->activation, &act, err));
    snprintf(shape, sizeof shape, "%d-64-%d", train->inputs, train->outputs);
    const char *text = set->target != NULL ? set->target : shape;
    AM_TRY(target_parse(text, act, train->target ? LOSS_SQUARED : LOSS_CROSS_ENTROPY, t, err));
    if (t->size[0] != train->inputs || t->size[t->layers] != train->outputs)
        return am_fail(err, AM_ERR_USAGE,
                       "--target %s: the data %s needs %d inputs and %d outputs: %d-…-%d", text,
                       data->source, train->inputs, train->outputs, train->inputs, train->outputs);
    return AM_OK;
}

optimiser request_optimiser(const settings *set)
{
    return (optimiser){
        .rate = set->rate,
        .schedule = (schedule_kind)name_index(schedule_names, set->schedule),
        .warmup = set->warmup,
        .beta1 = set->beta1,
        .beta2 = set->beta2,
        .epsilon = 1e-8,
        .clip = set->clip,
    };
}

int64_t request_blocks(const settings *set, int64_t rows)
{
    if (set->blocks == 0)
        return rows;
    return settings_given(set, "blocks") ? set->blocks : AM_MIN(set->blocks, rows);
}

static am_status request_spec(const session *s, const settings *set, generator_spec *spec,
                              am_error *err)
{
    *spec = (generator_spec){
        .per_layer = strcmp(set->penalty, "layer") == 0,
        .lambda_low = set->lambda_low,
        .lambda_high = set->lambda_high,
        .weights = (omega_kind)name_index(omega_names, set->weights),
        .alpha = set->alpha,
        .blocks = request_blocks(set, s->data->train.n),
        .omega0 = set->omega0,
        .embedding = (int)set->embedding,
        .seed = (uint64_t)set->seed,
    };
    bool sees_omega = spec->weights != OMEGA_ONES;
    const char *family = set->features;
    if (strcmp(family, "auto") == 0)
        family = sees_omega ? "split:32,32,8" : "cheb:6";
    AM_TRY(request_target(set, s->data, &spec->target, err));
    if (spec->per_layer && spec->target.layers > AM_MAX_GROUPS)
        return am_fail(err, AM_ERR_USAGE, "--penalty layer: at most %d layers", AM_MAX_GROUPS);
    AM_TRY(feature_spec_parse(family, sees_omega, &spec->features, err));
    if (settings_given(set, "init"))
        spec->features.paper_init = strcmp(set->init, "paper") == 0;
    return AM_OK;
}

static fit_settings request_fit(const session *s, const settings *set)
{
    const generator_spec *spec = &s->record.spec;
    int descent = name_index(descent_names, set->descent), nodes = name_index(node_names, set->nodes);
    bool fixed = spec->features.layers == 0 && spec->weights == OMEGA_ONES;
    fit_settings fit = {
        .descent = descent >= 0 ? (descent_kind)descent
                   : fixed      ? DESCENT_COLLOCATION
                                : DESCENT_GRADIENT,
        .plan = (plan_kind)name_index(plan_names, set->plan),
        .draws = (int)set->draws,
        .rows = (int)AM_MIN(set->batch, s->data->train.n),
        .steps = set->steps,
        .ridge = set->ridge,
        .adam = request_optimiser(set),
    };
    fit.nodes = nodes >= 0                              ? (lambda_kind)nodes
                : fit.descent == DESCENT_COLLOCATION ? LAMBDA_NODES
                                                     : LAMBDA_STRATIFIED;
    fit.sets = set->minibatches > 0                                              ? (int)set->minibatches
               : fit.descent == DESCENT_COLLOCATION && fit.draws % 2 == 0 ? 2
                                                                           : 1;
    fit.stretch = fit.descent == DESCENT_COLLOCATION ? set->stretch : 1.0;
    if (fit.steps == 0)
        fit.steps = steps_for(set->epochs, s->data->train.n, fit.rows);
    return fit;
}

static am_status copy_text(char *to, size_t size, const char *from, const char *what, am_error *err)
{
    if (strlen(from) >= size)
        return am_fail(err, AM_ERR_USAGE, "%s: longer than %zu bytes", what, size - 1);
    memcpy(to, from, strlen(from) + 1);
    return AM_OK;
}

static am_status copy_norm(const normalisation *from, normalisation *to, am_error *err)
{
    *to = *from;
    to->column_mean = to->column_sd = NULL;
    if (!from->per_column)
        return AM_OK;
    size_t bytes = sizeof(float) * (size_t)from->inputs;
    to->column_mean = am_alloc(1, bytes, "normalisation", err);
    to->column_sd = am_alloc(1, bytes, "normalisation", err);
    if (to->column_mean == NULL || to->column_sd == NULL)
        return AM_ERR_MEMORY;
    memcpy(to->column_mean, from->column_mean, bytes);
    memcpy(to->column_sd, from->column_sd, bytes);
    return AM_OK;
}

am_status request_record(session *s, const settings *set, am_error *err)
{
    model_record *r = &s->record;
    data_record *d = &r->data;
    AM_TRY(request_spec(s, set, &r->spec, err));
    r->fit = request_fit(s, set);
    r->step = 0;
    AM_TRY(copy_text(d->name, sizeof d->name, s->data->name, "name of the data", err));
    AM_TRY(copy_text(d->source, sizeof d->source, set->data, "--data", err));
    AM_TRY(copy_text(d->label, sizeof d->label, set->label ? set->label : "", "--label", err));
    AM_TRY(copy_text(d->task, sizeof d->task, set->task, "--task", err));
    d->validation = set->validation;
    d->rows = s->data->train.n;
    if (r->spec.weights != OMEGA_ONES)
        blocks_digest(s->block, d->rows, d->digest);
    return copy_norm(&s->data->norm, &d->norm, err);
}
