#include "api/outside.h"

#include <stdlib.h>

am_status outside_load(const session *s, const char *path, const char *source, am_data **data,
                       am_error *err)
{
    data_request request;
    *data = NULL;
    AM_TRY(session_recorded_data(s, path, source, NULL, &request, err));
    request.validation = 0.5; /* the split does not matter */
    AM_TRY(data_load(&request, data, err));
    am_status status = outside_check(s, *data, err);
    if (status != AM_OK) {
        data_free(*data);
        *data = NULL;
    }
    return status;
}

am_status outside_check(const session *s, const am_data *data, am_error *err)
{
    const target *t = &s->record.spec.target;
    if (t->loss != LOSS_CROSS_ENTROPY)
        return am_fail(
            err, AM_ERR_USAGE,
            "%s: the model is for regression, which has no predicted probabilities; give "
            "a model of classes",
            data->source);
    if (data->train.inputs != t->size[0])
        return am_fail(err, AM_ERR_INPUT,
                       "%s: %d inputs a row, the model takes %d; give data like those it was "
                       "fitted on",
                       data->source, data->train.inputs, t->size[0]);
    if (!session_same_inputs(&data->norm, &s->record.data.norm))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: normalised otherwise than the model's inputs; read it with "
                       "am_model_dataset, or give am_arrays the model's data as `like`",
                       data->source);
    return AM_OK;
}

am_status outside_measure(const session *s, const model_set *set, const am_data *data,
                          row_uncertainty **row, int64_t *n, am_error *err)
{
    bool test = data->test.n > 0;
    const am_rows *part[2] = {test ? &data->test : &data->train, test ? NULL : &data->validation};
    *n = part[0]->n + (part[1] != NULL ? part[1]->n : 0);
    *row = am_alloc((size_t)*n, sizeof **row, "uncertainty", err);
    am_status status = *row != NULL ? AM_OK : AM_ERR_MEMORY;
    int64_t done = 0;
    for (int i = 0; i < 2 && part[i] != NULL && status == AM_OK; i++) {
        device_rows rows = {0};
        status = device_rows_open(&rows, s->be, part[i], NULL, err);
        if (status == AM_OK)
            status = uncertainty_measure(set, &rows, 0, *row + done, err);
        device_rows_close(&rows);
        done += part[i]->n;
    }
    if (status != AM_OK) {
        free(*row);
        *row = NULL;
    }
    return status;
}
