#include "api/handles.h"

#include "api/options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---------------------------------------------------------------------------------- */

static am_status dataset_new(const char *source, const char *label, const char *task,
                             double validation, uint64_t seed, am_dataset **data, am_error *err)
{
    am_dataset *made = am_alloc(1, sizeof *made, "data set", err);
    if (made == NULL)
        return AM_ERR_MEMORY;
    *made = (am_dataset){.holders = 1, .validation = validation, .seed = seed};
    made->source = am_strdup(source, err);
    made->label = am_strdup(label != NULL ? label : "", err);
    made->task = am_strdup(task != NULL ? task : "auto", err);
    if (made->source == NULL || made->label == NULL || made->task == NULL) {
        am_dataset_free(made);
        return AM_ERR_MEMORY;
    }
    *data = made;
    return AM_OK;
}

am_status dataset_load(const data_request *request, am_dataset **data, am_error *err)
{
    am_dataset *made;
    *data = NULL;
    AM_TRY(dataset_new(request->source, request->label, request->task, request->validation,
                       request->seed, &made, err));
    am_status status = data_load(request, &made->data, err);
    if (status == AM_OK)
        *data = made;
    else
        am_dataset_free(made);
    return status;
}

void am_dataset_free(am_dataset *data)
{
    if (data == NULL || --data->holders > 0)
        return;
    data_free(data->data);
    free(data->source);
    free(data->label);
    free(data->task);
    free(data);
}

/* ---- options --------------------------------------------------------------------------------- */

static const am_data_options DATA_DEFAULT = {
    .size = sizeof(am_data_options), .task = "auto", .validation = 1.0 / 6, .seed = 1};

void am_data_options_default(am_data_options *options, size_t size)
{
    am_data_options defaults = DATA_DEFAULT;
    options_hand_out(options, size, &defaults, sizeof defaults);
}

void am_arrays_default(am_arrays *arrays, size_t size)
{
    am_arrays defaults = {.validation = DATA_DEFAULT.validation, .seed = DATA_DEFAULT.seed};
    options_hand_out(arrays, size, &defaults, sizeof defaults);
}

am_status am_dataset_load(const am_data_options *options, am_dataset **data, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(data, "give a place for the handle");
    *data = NULL;
    am_data_options o = DATA_DEFAULT;
    AM_TRY(options_take(&o, sizeof o, options, "am_data_options", err));
    AM_TRY(options_int(o.seed, "seed", 0, INT64_MAX, err));
    if (o.source == NULL || *o.source == '\0')
        return am_fail(
            err, AM_ERR_USAGE,
            "am_dataset_load: source is missing; give a folder of IDX files, a CSV file, "
            "or mnist");
    data_request request = {.source = o.source,
                            .label = o.label,
                            .task = o.task,
                            .test = o.test,
                            .validation = o.validation,
                            .seed = (uint64_t)o.seed};
    return dataset_load(&request, data, err);
}

am_status am_dataset_from_arrays(const am_arrays *arrays, am_dataset **data, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(data, "give a place for the handle");
    *data = NULL;
    API_NEED(arrays, "give the rows");
    am_arrays a;
    am_arrays_default(&a, sizeof a);
    AM_TRY(options_take(&a, sizeof a, arrays, "am_arrays", err));
    AM_TRY(options_int(a.seed, "seed", 0, INT64_MAX, err));
    data_arrays rows = {
        .inputs = a.inputs,
        .outputs = a.outputs,
        .train = {a.rows, a.x, a.label, a.target},
        .test = {a.test_rows, a.test_x, a.test_label, a.test_target},
        .validation = a.validation,
        .seed = (uint64_t)a.seed,
        .norm = a.like != NULL ? &a.like->data->norm : NULL,
    };
    am_dataset *made;
    AM_TRY(dataset_new("", NULL, a.label != NULL ? "classification" : "regression", a.validation,
                       rows.seed, &made, err));
    am_status status = data_from_arrays(&rows, &made->data, err);
    if (status == AM_OK)
        *data = made;
    else
        am_dataset_free(made);
    return status;
}

/* ---- asking ---------------------------------------------------------------------------------- */

am_status am_dataset_describe(const am_dataset *data, am_dataset_info *info, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(data, "load one with am_dataset_load");
    API_NEED(info, "give a place for the answer");
    const am_data *d = data->data;
    *info = (am_dataset_info){
        .train_rows = d->train.n,
        .validation_rows = d->validation.n,
        .test_rows = d->test.n,
        .inputs = d->train.inputs,
        .outputs = d->train.outputs,
        .classes = d->train.label != NULL,
        .image_rows = d->image_rows,
        .image_columns = d->image_columns,
    };
    snprintf(info->name, sizeof info->name, "%s", d->name);
    return AM_OK;
}

const char *am_dataset_class_name(const am_dataset *data, int index)
{
    if (data == NULL || data->data->class_name == NULL || index < 0 ||
        index >= data->data->train.outputs)
        return NULL;
    return data->data->class_name[index];
}

am_status am_dataset_order(const am_dataset *data, int64_t *order, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(data, "load one with am_dataset_load");
    API_NEED(order, "give an array of training and validation rows");
    data_order(data->seed, data->data->train.n + data->data->validation.n, order);
    return AM_OK;
}

am_status am_dataset_blocks(const am_dataset *data, int64_t blocks, uint32_t *block, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(data, "load one with am_dataset_load");
    API_NEED(block, "give an array of training rows");
    return blocks_assign(data->seed, data->data->train.n, blocks, block, err);
}
