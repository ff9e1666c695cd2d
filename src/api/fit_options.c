/* am_fit_options and am_refit_options: defaults, words, limits. */
#include "api/fit_options.h"

#include "train/names.h"

#include <string.h>

static const am_fit_options FIT_DEFAULT = {
    .size = sizeof(am_fit_options),
    .activation = "relu",
    .lambda_low = 1e-5,
    .lambda_high = 1e-1,
    .lambda_knee = -1,
    .penalty = "scalar",
    .features = "auto",
    .weights = "ones",
    .alpha = 1,
    .blocks = -1,
    .networks = 1,
    .posterior = "none",
    .mode = "criterion",
    .path = "full",
    .descent = "auto",
    .plan = "auto",
    .nodes = "auto",
    .batch = 128,
    .epochs = 5,
    .schedule = "cosine",
    .warmup = -1,
    .ridge = 1e-3,
    .tilt = -1,
    .seed = 1,
    .checkpoint_seconds = 30,
};

void am_fit_options_default(am_fit_options *options, size_t size)
{
    am_fit_options defaults = FIT_DEFAULT;
    options_hand_out(options, size, &defaults, sizeof defaults);
}

void am_refit_options_default(am_refit_options *options, size_t size)
{
    const am_fit_options *f = &FIT_DEFAULT;
    am_refit_options defaults = {
        .activation = f->activation,
        .penalty = f->penalty,
        .blocks = f->blocks,
        .batch = f->batch,
        .epochs = f->epochs,
        .rate = f->rate,
        .schedule = f->schedule,
        .warmup = f->warmup,
        .beta1 = f->beta1,
        .beta2 = f->beta2,
        .seed = f->seed,
    };
    options_hand_out(options, size, &defaults, sizeof defaults);
}

static am_status check_words(am_fit_options *o, am_error *err)
{
    static const char *const hidden[] = {"relu", "tanh", NULL};
    const am_fit_options *d = &FIT_DEFAULT;
    AM_TRY(options_word(&o->activation, d->activation, "activation", hidden, NULL, err));
    AM_TRY(options_word(&o->penalty, d->penalty, "penalty", penalty_names, NULL, err));
    AM_TRY(options_word(&o->init, NULL, "init", init_names, NULL, err));
    AM_TRY(options_word(&o->weights, d->weights, "weights", omega_names, NULL, err));
    AM_TRY(options_word(&o->posterior, d->posterior, "posterior", posterior_names, NULL, err));
    AM_TRY(options_word(&o->mode, d->mode, "mode", mode_names, NULL, err));
    AM_TRY(options_word(&o->descent, d->descent, "descent", descent_names, "auto", err));
    AM_TRY(options_word(&o->path, d->path, "path", path_names, NULL, err));
    AM_TRY(options_word(&o->plan, d->plan, "plan", plan_names, NULL, err));
    AM_TRY(options_word(&o->nodes, d->nodes, "nodes", node_names, "auto", err));
    AM_TRY(options_word(&o->schedule, d->schedule, "schedule", schedule_names, NULL, err));
    if (o->features == NULL)
        o->features = d->features;
    return AM_OK;
}

static am_status check_counts(const am_fit_options *o, am_error *err)
{
    AM_TRY(options_int(o->blocks, "blocks", -1, INT32_MAX, err));
    AM_TRY(options_int(o->response_draws, "response-draws", 0, AM_DIRECT_BLOCKS, err));
    AM_TRY(options_int(o->embedding, "embedding", 0, AM_MAX_FEATURES - 1, err));
    AM_TRY(options_int(o->networks, "networks", 1, AM_MAX_NETWORKS, err));
    AM_TRY(options_int(o->labels, "labels", 0, 4096, err));
    AM_TRY(options_int(o->rounds, "rounds", 0, 1000, err));
    AM_TRY(options_int(o->draws, "draws", 0, 4096, err));
    AM_TRY(options_int(o->minibatches, "minibatches", 0, 4096, err));
    AM_TRY(options_int(o->batch, "batch", 1, 1 << 20, err));
    AM_TRY(options_int(o->steps, "steps", 0, INT32_MAX, err));
    AM_TRY(options_int(o->warmup, "warmup", -1, INT32_MAX, err));
    return options_int(o->seed, "seed", 0, INT64_MAX, err);
}

static am_status check_reals(const am_fit_options *o, am_error *err)
{
    AM_TRY(options_real(o->lambda_low, "lambda", 1e-30, 1e30, false, err));
    AM_TRY(options_real(o->lambda_high, "lambda", 1e-30, 1e30, false, err));
    if (o->lambda_low >= o->lambda_high)
        return am_fail(
            err, AM_ERR_USAGE, "--lambda %g:%g: the range is %s; give LOW:HIGH with LOW < HIGH",
            o->lambda_low, o->lambda_high, o->lambda_low > o->lambda_high ? "reversed" : "empty");
    AM_TRY(options_real(o->lambda_knee, "lambda-knee", -1, 1e30, false, err));
    AM_TRY(options_real(o->alpha, "alpha", 0.05, 1e6, false, err));
    AM_TRY(options_real(o->epochs, "epochs", 0, 1e6, true, err));
    AM_TRY(options_real(o->share, "share", 0, 0.99, false, err));
    AM_TRY(options_real(o->rate, "rate", 0, 1e3, false, err));
    AM_TRY(options_real(o->beta1, "beta1", 0, 0.99999, false, err));
    AM_TRY(options_real(o->beta2, "beta2", 0, 0.999999, false, err));
    AM_TRY(options_real(o->clip, "clip", 0, 1e30, false, err));
    AM_TRY(options_real(o->ridge, "ridge", 0, 1e6, true, err));
    AM_TRY(options_real(o->stretch, "stretch", 0, 2, false, err));
    AM_TRY(options_real(o->tilt, "tilt", -1, 4, false, err));
    return options_real(o->checkpoint_seconds, "checkpoint-seconds", 0, 1e9, false, err);
}

am_status fit_options_take(const am_fit_options *from, am_fit_options *o, am_error *err)
{
    *o = FIT_DEFAULT;
    AM_TRY(options_take(o, sizeof *o, from, "am_fit_options", err));
    AM_TRY(check_words(o, err));
    AM_TRY(check_counts(o, err));
    return check_reals(o, err);
}

am_status refit_options_take(const am_refit_options *from, am_refit_options *r, am_fit_options *o,
                             am_error *err)
{
    am_refit_options_default(r, sizeof *r);
    AM_TRY(options_take(r, sizeof *r, from, "am_refit_options", err));
    am_fit_options fit = FIT_DEFAULT;
    fit.target = r->target;
    fit.activation = r->activation;
    fit.penalty = r->penalty;
    fit.blocks = r->blocks;
    fit.batch = r->batch;
    fit.epochs = r->epochs;
    fit.steps = r->steps;
    fit.rate = r->rate;
    fit.schedule = r->schedule;
    fit.warmup = r->warmup;
    fit.beta1 = r->beta1;
    fit.beta2 = r->beta2;
    fit.seed = r->seed;
    return fit_options_take(&fit, o, err);
}
