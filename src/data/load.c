/* Reads a data set, splits it, and hands it over as the network takes it. */
#include "data/source.h"
#include "draw/permutation.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- release --------------------------------------------------------------------------------- */

void rows_free(am_rows *rows)
{
    free(rows->bytes);
    free(rows->floats);
    free(rows->label);
    free(rows->target);
    *rows = (am_rows){0};
}

static void names_free(char **name, int count)
{
    for (int i = 0; name != NULL && i < count; i++)
        free(name[i]);
    free(name);
}

void raw_rows_free(raw_rows *rows)
{
    free(rows->bytes);
    free(rows->floats);
    free(rows->doubles);
    free(rows->label);
    free(rows->target);
    *rows = (raw_rows){0};
}

void raw_source_free(raw_source *source)
{
    raw_rows_free(&source->train);
    raw_rows_free(&source->test);
    names_free(source->class_name, source->outputs);
    names_free(source->input_name, source->inputs);
    *source = (raw_source){0};
}

void data_free(am_data *data)
{
    if (data == NULL)
        return;
    names_free(data->class_name, data->train.outputs);
    rows_free(&data->train);
    rows_free(&data->validation);
    rows_free(&data->test);
    norm_free(&data->norm);
    free(data->name);
    free(data->source);
    free(data);
}

/* ---- the request ----------------------------------------------------------------------------- */

am_status source_check_request(const data_request *request, am_error *err)
{
    const char *task = request->task != NULL ? request->task : "auto";
    if (strcmp(task, "auto") != 0 && strcmp(task, "classification") != 0 &&
        strcmp(task, "regression") != 0)
        return am_fail(err, AM_ERR_USAGE,
                       "data: no task '%s'; choose auto, classification or regression", task);
    const double v = request->validation;
    if (!(v > 0) || v > 9e15 || (v >= 1 && v != floor(v)))
        return am_fail(err, AM_ERR_USAGE,
                       "data: %g cannot be the validation part; give a fraction below 1 or a "
                       "number of rows",
                       v);
    return AM_OK;
}

/* Rows for validation: validation·n rounded, or the number itself; 1 ≤ it < n. */
static am_status count_validation(const data_request *request, const raw_source *source,
                                  int64_t *count, am_error *err)
{
    const int64_t n = source->train.n;
    const double v = request->validation;
    *count = (int64_t)(v < 1 ? floor(v * (double)n + 0.5) : v);
    if (*count < 1 || *count >= n)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: %g of %" PRId64 " rows for validation leaves %" PRId64
                       " for training and %" PRId64 " for validation; both need at least one",
                       source->path, v, n, AM_MAX(n - *count, 0), *count);
    return AM_OK;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Last part of the path, resolved when it is "." or the like; of a file, without .gz and ending. */
static am_status name_data(const char *path, char **name, am_error *err)
{
    char *copy = am_strdup(path, err), *base = copy, *resolved = NULL;
    if (copy == NULL)
        return err->status;
    for (size_t length = strlen(copy); length > 1 && copy[length - 1] == '/'; length--)
        copy[length - 1] = '\0';
    if (strrchr(copy, '/') != NULL)
        base = strrchr(copy, '/') + 1;
    if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
        resolved = realpath(path, NULL);
        base = resolved != NULL ? strrchr(resolved, '/') + 1 : base;
    }
    if (!am_path_is_folder(path)) {
        char *dot = strrchr(base, '.');
        if (dot != NULL && strcmp(dot, ".gz") == 0)
            *dot = '\0';
        dot = strrchr(base, '.');
        if (dot != NULL && dot != base)
            *dot = '\0';
    }
    *name = am_strdup(base, err);
    free(copy);
    free(resolved);
    return *name == NULL ? err->status : AM_OK;
}

/* ---- the split ------------------------------------------------------------------------------- */

void data_order(uint64_t seed, int64_t n, int64_t *order)
{
    const permutation p = permutation_of(seed, STREAM_SPLIT, 0, (uint64_t)n);
    for (int64_t i = 0; i < n; i++)
        order[i] = (int64_t)permutation_at(&p, (uint64_t)i);
}

static am_status split_and_normalise(const data_request *request, const raw_source *source,
                                     const int64_t *order, am_data *data, am_error *err)
{
    int64_t held;
    AM_TRY(count_validation(request, source, &held, err));
    const int64_t kept = source->train.n - held;
    if (request->norm != NULL)
        AM_TRY(norm_copy(source, request->norm, &data->norm, err));
    else
        AM_TRY(norm_measure(source, data->name, order, kept, &data->norm, err));
    const raw_rows *raw = &source->train;
    AM_TRY(norm_apply(source, raw, &data->norm, order, kept, &data->train, err));
    AM_TRY(norm_apply(source, raw, &data->norm, order + kept, held, &data->validation, err));
    if (source->test.n == 0)
        return AM_OK;
    return norm_apply(source, &source->test, &data->norm, NULL, source->test.n, &data->test, err);
}

am_status source_split(const data_request *request, raw_source *source, am_data *data,
                       am_error *err)
{
    int64_t *order = am_alloc((size_t)source->train.n, sizeof *order, "split", err);
    if (order == NULL)
        return err->status;
    data_order(request->seed, source->train.n, order);
    am_status status = split_and_normalise(request, source, order, data, err);
    free(order);
    if (status != AM_OK)
        return status;
    data->image_rows = source->image_rows;
    data->image_columns = source->image_columns;
    data->class_name = source->class_name;
    source->class_name = NULL;
    return AM_OK;
}

am_status data_load(const data_request *request, am_data **data, am_error *err)
{
    raw_source source = {0};
    *data = NULL;
    AM_TRY(source_check_request(request, err));
    am_data *loaded = am_alloc(1, sizeof *loaded, "data", err);
    if (loaded == NULL)
        return err->status;
    am_status status = data_find(request->source, &loaded->source, err);
    source.path = loaded->source;
    if (status == AM_OK)
        status = am_path_is_folder(source.path) ? idx_source_read(request, &source, err)
                                                : csv_source_read(request, &source, err);
    if (status == AM_OK)
        status = name_data(source.path, &loaded->name, err);
    if (status == AM_OK)
        status = source_split(request, &source, loaded, err);
    raw_source_free(&source);
    if (status == AM_OK)
        *data = loaded;
    else
        data_free(loaded);
    return status;
}
