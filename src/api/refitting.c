#include "api/refitting.h"

#include "train/recipe.h"

#include <string.h>

am_status refit_models(session *s, const am_fit_options *o, const target *t,
                       const refit_draws *draws, const train_hooks *hooks, dev_f32 **theta,
                       am_error *err)
{
    int64_t n = s->data->train.n;
    refit_request request = {
        .t = t,
        .per_layer = strcmp(o->penalty, "layer") == 0,
        .models = draws->models,
        .lambda = draws->lambda,
        .omega = draws->omega,
        .blocks = options_blocks(o, n),
        .init = draws->init,
        .seed = (uint64_t)o->seed,
        .separate = draws->separate,
        .rows = options_rows(o, n),
        .steps = options_steps(o, n),
        .adam = options_optimiser(o),
    };
    recipe_refit(&request.adam, request.steps);
    return refit_run(s->be, &request, &s->train, hooks, theta, err);
}
