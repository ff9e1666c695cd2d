/* From the user's words to the library's settings. */
#include "api/fit_options.h"

#include "train/names.h"
#include "train/recipe.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BLOCKS = 16 };

am_status options_target(const char *text, const char *activation_word, const am_data *data,
                         target *t, am_error *err)
{
    const am_rows *train = &data->train;
    char shape[64];
    activation act;
    AM_TRY(activation_parse(activation_word, &act, err));
    snprintf(shape, sizeof shape, "%d-64-%d", train->inputs, train->outputs);
    if (text == NULL)
        text = shape;
    AM_TRY(target_parse(text, act, train->target ? LOSS_SQUARED : LOSS_CROSS_ENTROPY, t, err));
    if (t->size[0] != train->inputs || t->size[t->layers] != train->outputs)
        return am_fail(err, AM_ERR_USAGE,
                       "--target %s: the data %s needs %d inputs and %d outputs: %d-…-%d", text,
                       data->source, train->inputs, train->outputs, train->inputs, train->outputs);
    return AM_OK;
}

optimiser options_optimiser(const am_fit_options *o)
{
    return (optimiser){
        .rate = o->rate,
        .schedule = (schedule_kind)name_index(schedule_names, o->schedule),
        .warmup = o->warmup,
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .epsilon = 1e-8,
        .clip = o->clip,
    };
}

int64_t options_blocks(const am_fit_options *o, int64_t rows)
{
    if (o->blocks == 0)
        return rows;
    return o->blocks > 0 ? o->blocks : AM_MIN((int64_t)DEFAULT_BLOCKS, rows);
}

int options_rows(const am_fit_options *o, int64_t rows)
{
    return (int)AM_MIN(o->batch, rows);
}

int64_t options_steps(const am_fit_options *o, int64_t rows)
{
    return o->steps > 0 ? o->steps : steps_for(o->epochs, rows, options_rows(o, rows));
}

static bool wants_response(const am_fit_options *o)
{
    return o->posterior != NULL && strcmp(o->posterior, "implicit") == 0;
}

/* Kind of ω: what the generator sees, or, with a response, what that is for. */
static omega_kind options_weights(const am_fit_options *o)
{
    omega_kind kind = (omega_kind)name_index(omega_names, o->weights);
    return wants_response(o) && kind == OMEGA_ONES ? OMEGA_DIRICHLET : kind;
}

static bool wants_coarse(const am_fit_options *o)
{
    return o->path != NULL && strcmp(o->path, "coarse-to-fine") == 0;
}

/* λ₀ of the axis. */
static am_status options_knee(const am_fit_options *o, double *knee, am_error *err)
{
    *knee = o->lambda_knee;
    if (*knee == -1)
        *knee = wants_coarse(o) ? recipe_knee(o->lambda_low, o->lambda_high) : 0.0;
    if (!(*knee >= 0))
        return am_fail(err, AM_ERR_USAGE,
                       "--lambda-knee %g: negative; give 0 or more, or -1 for the recipe's", *knee);
    if (*knee > AM_MAX_KNEE * o->lambda_low)
        return am_fail(
            err, AM_ERR_USAGE,
            "--lambda-knee %g: more than %g times the range's low end %g; give a smaller "
            "knee",
            *knee, AM_MAX_KNEE, o->lambda_low);
    return AM_OK;
}

static am_status options_spec(const session *s, const am_fit_options *o, generator_spec *spec,
                              am_error *err)
{
    *spec = (generator_spec){
        .per_layer = strcmp(o->penalty, "layer") == 0,
        .lambda_low = o->lambda_low,
        .lambda_high = o->lambda_high,
        .weights = wants_response(o) ? OMEGA_ONES : options_weights(o),
        .alpha = o->alpha,
        .blocks = options_blocks(o, s->data->train.n),
        .omega0 = o->omega0 != 0,
        .embedding = (int)o->embedding,
        .networks = (int)o->networks,
        .seed = (uint64_t)o->seed,
    };
    if (wants_response(o) && spec->omega0)
        return am_fail(err, AM_ERR_USAGE,
                       "--posterior implicit: the response is to ω, not to ω₀; leave out --omega0");
    AM_TRY(options_knee(o, &spec->knee, err));
    AM_TRY(options_target(o->target, o->activation, s->data, &spec->target, err));
    bool sees_omega = spec->weights != OMEGA_ONES;
    const char *family = o->features;
    if (strcmp(family, "auto") == 0)
        family = wants_coarse(o) && !sees_omega
                     ? recipe_coarse_features()
                     : recipe_features(sees_omega, spec->per_layer ? spec->target.layers : 1);
    if (spec->per_layer && spec->target.layers > AM_MAX_GROUPS)
        return am_fail(err, AM_ERR_USAGE, "--penalty layer: at most %d layers", AM_MAX_GROUPS);
    AM_TRY(feature_spec_parse(family, sees_omega, &spec->features, err));
    if (spec->features.layers == 0 && spec->features.degree == 0 && !sees_omega)
        return am_fail(err, AM_ERR_USAGE,
                       "--features %s: rank 0, one network for every λ; give degree 1 or more",
                       family);
    if (o->init != NULL)
        spec->features.paper_init = strcmp(o->init, "paper") == 0;
    return AM_OK;
}

/* Of the weights that a response is for; 0: it is to every block. */
static int options_draws(const am_fit_options *o, int64_t blocks)
{
    bool many = blocks > AM_DIRECT_BLOCKS;
    return o->response_draws > 0 ? (int)o->response_draws : many ? RESPONSE_DRAWS : 0;
}

static fit_settings options_fit(const session *s, const am_fit_options *o)
{
    const generator_spec *spec = &s->record.spec;
    int descent = name_index(descent_names, o->descent), nodes = name_index(node_names, o->nodes);
    bool fixed = spec->features.layers == 0 && spec->weights == OMEGA_ONES;
    fit_settings fit = {
        .mode = (fit_mode)name_index(mode_names, o->mode),
        .labels = (int)o->labels,
        .rounds = (int)o->rounds,
        .share = o->share,
        .descent = descent >= 0 ? (descent_kind)descent
                   : fixed      ? DESCENT_COLLOCATION
                                : DESCENT_GRADIENT,
        .plan = (plan_kind)name_index(plan_names, o->plan),
        .draws = (int)o->draws,
        .sets = (int)o->minibatches,
        .rows = options_rows(o, s->data->train.n),
        .steps = options_steps(o, s->data->train.n),
        .ridge = o->ridge,
        .stretch = o->stretch,
        .tilt = o->tilt,
        .adam = options_optimiser(o),
    };
    bool collocation = fit.descent == DESCENT_COLLOCATION;
    bool spread = collocation || fit.mode == MODE_SUPERVISED; /* least squares wants the ends */
    fit.nodes = nodes >= 0 ? (lambda_kind)nodes : spread ? LAMBDA_NODES : LAMBDA_STRATIFIED;
    int rank = features_count(&spec->features, spec->per_layer ? spec->target.layers : 1,
                              spec->blocks, spec->embedding);
    if (fit.mode != MODE_CRITERION) {
        fit.label = options_optimiser(o);
        recipe_labels(&fit, rank, spec->weights != OMEGA_ONES);
    }
    recipe_fit(&fit, rank);
    if (wants_coarse(o))
        fit.coarse = recipe_coarse(&fit);
    if (wants_response(o)) {
        fit.response = recipe_response(options_weights(o), fit.steps);
        fit.response.draws = options_draws(o, spec->blocks);
    }
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

/* An option that the mode has no use for is a misunderstanding. */
static am_status check_mode(const am_fit_options *o, am_error *err)
{
    bool criterion = strcmp(o->mode, "criterion") == 0;
    bool supervised = strcmp(o->mode, "supervised") == 0;
    if (o->response_draws > 0 && !wants_response(o))
        return am_fail(err, AM_ERR_USAGE,
                       "--response-draws: --posterior none has no response; give --posterior "
                       "implicit");
    const struct {
        bool unused;
        const char *name, *remedy;
    } table[] = {
        {criterion && o->labels != 0, "labels", "give --mode supervised or hybrid"},
        {criterion && o->rounds != 0, "rounds", "give --mode supervised or hybrid"},
        {(criterion || supervised) && o->share != 0, "share", "give --mode hybrid"},
        {supervised && o->draws != 0, "draws", "give --labels"},
        {supervised && o->minibatches != 0, "minibatches", "leave it out"},
        {supervised && strcmp(o->descent, "auto") != 0, "descent", "leave it out"},
        {supervised && strcmp(o->plan, "auto") != 0, "plan", "leave it out"},
        {supervised && o->clip != 0, "clip", "leave it out"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].unused)
            return am_fail(err, AM_ERR_USAGE, "--%s: --mode %s has no use for it; %s",
                           table[i].name, o->mode, table[i].remedy);
    return AM_OK;
}

am_status options_record(session *s, const am_fit_options *o, am_error *err)
{
    model_record *r = &s->record;
    data_record *d = &r->data;
    const am_dataset *from = s->dataset;
    AM_TRY(check_mode(o, err));
    AM_TRY(options_spec(s, o, &r->spec, err));
    r->fit = options_fit(s, o);
    r->step = 0;
    AM_TRY(copy_text(d->name, sizeof d->name, s->data->name, "name of the data", err));
    AM_TRY(copy_text(d->source, sizeof d->source, from->source, "--data", err));
    AM_TRY(copy_text(d->label, sizeof d->label, from->label, "--label", err));
    AM_TRY(copy_text(d->task, sizeof d->task, from->task, "--task", err));
    d->validation = from->validation;
    d->seed = from->seed;
    d->rows = s->data->train.n;
    if (r->spec.weights != OMEGA_ONES || r->fit.response.nodes > 0)
        blocks_digest(s->block, d->rows, d->digest);
    return copy_norm(&s->data->norm, &d->norm, err);
}
