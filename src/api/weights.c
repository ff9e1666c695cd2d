/* am_weights, am_export, am_param_table. */
#include "api/fit_options.h"
#include "api/model.h"
#include "api/weights_file.h"

#include <stdlib.h>

am_status am_weights(am_model *model, const double *lambda, const float *omega, float *theta,
                     am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    API_NEED(lambda, "give one λ for every penalty group");
    API_NEED(theta, "give an array of as many floats as the network has parameters");
    AM_TRY(model_check_draw(model, lambda, omega, err));
    return generator_weights(&model->s.g, 1, lambda, omega, theta, err);
}

am_status am_export(am_model *model, const double *lambda, const float *omega, const char *path,
                    am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    API_NEED(path, "give the file to write");
    const target *t = &model->s.record.spec.target;
    float *theta = am_alloc((size_t)t->params, sizeof *theta, "weights", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    am_status status = am_weights(model, lambda, omega, theta, err);
    if (status == AM_OK)
        status = weights_file_write(path, t, theta, &model->s.record.data.norm, lambda[0],
                                    "generator", err);
    free(theta);
    return status;
}

am_status am_param_table(const char *target_sizes, const am_dataset *data, int capacity,
                         am_param *table, int *count, int64_t *params, am_error *err)
{
    am_error own;
    target t;
    err = api_error(err, &own);
    if (target_sizes == NULL)
        API_NEED(data, "give the data, or the target's layer sizes");
    if (data != NULL)
        AM_TRY(options_target(target_sizes, "relu", data->data, &t, err));
    else
        AM_TRY(target_parse(target_sizes, ACT_RELU, LOSS_CROSS_ENTROPY, &t, err));
    for (int i = 0; table != NULL && i < AM_MIN(capacity, t.tensor_count); i++) {
        const target_tensor *from = &t.tensor[i];
        table[i] = (am_param){.rank = from->rank,
                              .shape = {from->shape[0], from->shape[1]},
                              .offset = from->offset,
                              .count = from->count};
        snprintf(table[i].name, sizeof table[i].name, "%s", from->name);
    }
    if (count != NULL)
        *count = t.tensor_count;
    if (params != NULL)
        *params = t.params;
    return AM_OK;
}
