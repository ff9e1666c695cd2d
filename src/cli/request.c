/* From the user's words to the library's requests. */
#include "cli/session.h"

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

int64_t request_blocks(const settings *set, int64_t rows)
{
    if (set->blocks == 0)
        return rows;
    return settings_given(set, "blocks") ? set->blocks : AM_MIN(set->blocks, rows);
}

am_fit_options request_options(const settings *set, int64_t rows)
{
    return (am_fit_options){
        .size = sizeof(am_fit_options),
        .target = set->target,
        .activation = set->activation,
        .lambda_low = set->lambda_low,
        .lambda_high = set->lambda_high,
        .lambda_knee = set->lambda_knee,
        .penalty = set->penalty,
        .features = set->features,
        .init = set->init,
        .weights = set->weights,
        .alpha = set->alpha,
        .blocks = request_blocks(set, rows),
        .embedding = set->embedding,
        .omega0 = set->omega0,
        .networks = set->networks,
        .posterior = set->posterior,
        .response_draws = set->response_draws,
        .mode = set->mode,
        .path = set->path,
        .labels = set->labels,
        .rounds = set->rounds,
        .share = set->share,
        .descent = set->descent,
        .plan = set->plan,
        .nodes = set->nodes,
        .draws = set->draws,
        .minibatches = set->minibatches,
        .batch = set->batch,
        .epochs = set->epochs,
        .steps = set->steps,
        .rate = set->rate,
        .schedule = set->schedule,
        .warmup = set->warmup,
        .beta1 = set->beta1,
        .beta2 = set->beta2,
        .clip = set->clip,
        .ridge = set->ridge,
        .stretch = set->stretch,
        .tilt = set->tilt,
        .seed = set->seed,
        .resume = set->resume,
        .checkpoint_seconds = set->checkpoint_seconds,
    };
}

am_status request_record(session *s, const settings *set, am_error *err)
{
    am_fit_options options = request_options(set, s->data->train.n);
    return options_record(s, &options, err);
}
