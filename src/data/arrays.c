/* Examples that are in memory already. */
#include "data/source.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static const char NAME[] = "arrays";

/* ---- checks ---------------------------------------------------------------------------------- */

static am_status check_shape(const data_arrays *a, am_error *err)
{
    const bool labels = a->train.label != NULL;
    if (a->train.n < 1 || a->inputs < 1 || a->train.x == NULL)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: %" PRId64 " rows of %d inputs%s; give at least one of each", NAME,
                       a->train.n, a->inputs, a->train.x == NULL ? " without values" : "");
    if (labels == (a->train.target != NULL))
        return am_fail(err, AM_ERR_USAGE, "%s: %s; give one of the two", NAME,
                       labels ? "both labels and targets" : "neither labels nor targets");
    if (a->outputs < 0 || a->test.n < 0)
        return am_fail(err, AM_ERR_USAGE, "%s: %d outputs and %" PRId64 " test rows; give counts",
                       NAME, a->outputs, a->test.n);
    if (a->test.n > 0 &&
        (a->test.x == NULL || (labels ? a->test.label == NULL : a->test.target == NULL)))
        return am_fail(err, AM_ERR_USAGE, "%s: test rows without inputs or %s; give both", NAME,
                       labels ? "labels" : "targets");
    return AM_OK;
}

static am_status check_finite(const char *what, const float *value, int64_t rows, int columns,
                              am_error *err)
{
    for (int64_t i = 0; i < rows * columns; i++)
        if (!isfinite(value[i]))
            return am_fail(
                err, AM_ERR_INPUT,
                "%s: %s, row %" PRId64 ", column %" PRId64 " is %s; mend or remove the row", NAME,
                what, i / columns + 1, i % columns + 1, isnan(value[i]) ? "NaN" : "infinite");
    return AM_OK;
}

static am_status check_labels(const char *what, const data_array *array, int classes, am_error *err)
{
    for (int64_t i = 0; i < array->n; i++)
        if (array->label[i] < 0 || array->label[i] >= classes)
            return am_fail(err, AM_ERR_INPUT,
                           "%s: %s, row %" PRId64
                           " has label %d, there are %d classes; number them "
                           "from 0",
                           NAME, what, i + 1, (int)array->label[i], classes);
    return AM_OK;
}

static am_status check_values(const data_arrays *a, int outputs, am_error *err)
{
    AM_TRY(check_finite("x", a->train.x, a->train.n, a->inputs, err));
    AM_TRY(check_finite("test x", a->test.x, a->test.n, a->inputs, err));
    if (a->train.label != NULL) {
        AM_TRY(check_labels("x", &a->train, outputs, err));
        return check_labels("test x", &a->test, outputs, err);
    }
    AM_TRY(check_finite("target", a->train.target, a->train.n, outputs, err));
    return check_finite("test target", a->test.target, a->test.n, outputs, err);
}

static am_status count_outputs(const data_arrays *a, int *outputs, am_error *err)
{
    int32_t largest = 0;
    *outputs = a->outputs;
    for (int64_t i = 0; a->train.label != NULL && i < a->train.n; i++)
        largest = AM_MAX(largest, a->train.label[i]);
    if (a->outputs == 0 && largest < INT32_MAX)
        *outputs = a->train.label != NULL ? largest + 1 : 1;
    if (a->train.label != NULL && *outputs < 2)
        return am_fail(err, AM_ERR_USAGE, "%s: %d class; two at least are needed", NAME, *outputs);
    return AM_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The caller's rows as raw rows, which only are read. */
static raw_rows borrow(const data_array *array)
{
    const bool any = array->n > 0;
    return (raw_rows){
        .n = array->n,
        .floats = any ? (float *)(uintptr_t)array->x : NULL,
        .label = any ? (int32_t *)(uintptr_t)array->label : NULL,
        .target = any ? (float *)(uintptr_t)array->target : NULL,
    };
}

am_status data_from_arrays(const data_arrays *arrays, am_data **data, am_error *err)
{
    *data = NULL;
    const data_request request = {
        .validation = arrays->validation, .seed = arrays->seed, .norm = arrays->norm};
    int outputs;
    AM_TRY(source_check_request(&request, err));
    AM_TRY(check_shape(arrays, err));
    AM_TRY(count_outputs(arrays, &outputs, err));
    AM_TRY(check_values(arrays, outputs, err));
    raw_source source = {.path = NAME,
                         .inputs = arrays->inputs,
                         .outputs = outputs,
                         .train = borrow(&arrays->train),
                         .test = borrow(&arrays->test)};
    am_data *made = am_alloc(1, sizeof *made, "data", err);
    if (made == NULL)
        return err->status;
    made->name = am_strdup(NAME, err);
    made->source = am_strdup(NAME, err);
    am_status status =
        made->name && made->source ? source_split(&request, &source, made, err) : err->status;
    if (status == AM_OK)
        *data = made;
    else
        data_free(made);
    return status;
}
