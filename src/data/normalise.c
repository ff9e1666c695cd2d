/* From raw values to network inputs: statistics of the training rows, applied to every row. */
#include "data/source.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The published constants of MNIST's 60,000 training images, on x/255. */
static const float MNIST_MEAN = 0.1307f, MNIST_SD = 0.3081f;

static int64_t picked(const int64_t *order, int64_t i)
{
    return order == NULL ? i : order[i];
}

/* Raw value of column c in the row that begins at `first` (floats or doubles). */
static double raw_value(const raw_rows *rows, int64_t first, int c)
{
    return rows->doubles != NULL ? rows->doubles[first + c] : (double)rows->floats[first + c];
}

/* ---- measuring ------------------------------------------------------------------------------- */

/* mean and sd (1/n) of byte/255 over all pixels, exactly, from the histogram of bytes */
static void measure_bytes(const raw_source *source, const int64_t *order, int64_t count,
                          normalisation *norm)
{
    int64_t histogram[256] = {0};
    double mean = 0, variance = 0;
    const double total = (double)count * source->inputs;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *row = source->train.bytes + picked(order, i) * source->inputs;
        for (int c = 0; c < source->inputs; c++)
            histogram[row[c]]++;
    }
    for (int b = 0; b < 256; b++)
        mean += b / 255.0 * ((double)histogram[b] / total);
    for (int b = 0; b < 256; b++)
        variance += (b / 255.0 - mean) * (b / 255.0 - mean) * ((double)histogram[b] / total);
    norm->mean = (float)mean;
    norm->sd = (float)sqrt(variance);
    for (int b = 0; b < 256; b++)
        if ((double)histogram[b] == total)
            norm->sd = 1; /* constant */
}

/* Per column c, mean and sd (1/n) in two passes over doubles: moment holds (mean, variance, min,
 * max) × (inputs). */
static void column_moments(const raw_source *source, const int64_t *order, int64_t count,
                           double *moment)
{
    const int d = source->inputs;
    double *mean = moment, *variance = moment + d, *low = moment + 2 * (size_t)d,
           *high = moment + 3 * (size_t)d;
    for (int c = 0; c < d; c++) {
        low[c] = INFINITY;
        high[c] = -INFINITY;
    }
    for (int64_t i = 0; i < count; i++)
        for (int c = 0; c < d; c++) {
            const double x = raw_value(&source->train, picked(order, i) * d, c);
            mean[c] += x / (double)count;
            low[c] = AM_MIN(low[c], x);
            high[c] = AM_MAX(high[c], x);
        }
    for (int64_t i = 0; i < count; i++)
        for (int c = 0; c < d; c++) {
            const double x = raw_value(&source->train, picked(order, i) * d, c) - mean[c];
            variance[c] += x * x / (double)count;
        }
}

static am_status too_large(const raw_source *source, int column, am_error *err)
{
    if (source->input_name != NULL)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: the values of column '%s' are too large for 32-bit floats; scale it",
                       source->path, source->input_name[column]);
    return am_fail(err, AM_ERR_INPUT,
                   "%s: the values of column %d are too large for 32-bit floats; scale it",
                   source->path, column + 1);
}

static am_status alloc_columns(int inputs, normalisation *norm, am_error *err)
{
    norm->per_column = true;
    norm->column_mean = am_alloc((size_t)inputs, sizeof(float), "column means", err);
    norm->column_sd = norm->column_mean == NULL
                          ? NULL
                          : am_alloc((size_t)inputs, sizeof(float), "column deviations", err);
    return norm->column_sd == NULL ? err->status : AM_OK;
}

static am_status measure_columns(const raw_source *source, const int64_t *order, int64_t count,
                                 normalisation *norm, am_error *err)
{
    const int d = source->inputs;
    AM_TRY(alloc_columns(d, norm, err));
    double *moment = am_alloc(4 * (size_t)d, sizeof *moment, "column statistics", err);
    if (moment == NULL)
        return err->status;
    column_moments(source, order, count, moment);
    am_status status = AM_OK;
    for (int c = 0; c < d && status == AM_OK; c++) {
        const double low = moment[2 * (size_t)d + (size_t)c];
        const bool constant = low == moment[3 * (size_t)d + (size_t)c];
        norm->column_mean[c] = (float)(constant ? low : moment[c]);
        norm->column_sd[c] = constant ? 1 : (float)sqrt(moment[d + c]);
        if (norm->column_sd[c] == 0)
            norm->column_sd[c] = 1; /* too small for a float: as good as constant */
        if (!isfinite(norm->column_mean[c]) || !isfinite(norm->column_sd[c]))
            status = too_large(source, c, err);
    }
    free(moment);
    return status;
}

static bool is_mnist(const raw_source *source, const char *name)
{
    return strcmp(name, "mnist") == 0 && source->image_rows == 28 && source->image_columns == 28;
}

am_status norm_measure(const raw_source *source, const char *name, const int64_t *order,
                       int64_t count, normalisation *norm, am_error *err)
{
    *norm = (normalisation){.inputs = source->inputs, .sd = 1, .target_sd = 1};
    if (source->train.bytes == NULL)
        return measure_columns(source, order, count, norm, err);
    if (is_mnist(source, name)) {
        norm->mean = MNIST_MEAN;
        norm->sd = MNIST_SD;
    } else
        measure_bytes(source, order, count, norm);
    return AM_OK;
}

/* ---- a record from elsewhere ----------------------------------------------------------------- */

static am_status check_record(const raw_source *source, const normalisation *from, am_error *err)
{
    if (from->inputs != source->inputs)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: %d inputs a row, the model takes %d; give it data like those it was "
                       "fitted on",
                       source->path, source->inputs, from->inputs);
    if (from->per_column != (source->train.bytes == NULL))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: holds %s, the model was fitted on %s; give it data like those",
                       source->path, source->train.bytes == NULL ? "numbers" : "images as bytes",
                       from->per_column ? "numbers" : "images as bytes");
    bool sound = from->per_column || (isfinite(from->mean) && isfinite(from->sd) && from->sd > 0);
    for (int c = 0; from->per_column && c < from->inputs && sound; c++)
        sound = isfinite(from->column_mean[c]) && isfinite(from->column_sd[c]) &&
                from->column_sd[c] > 0;
    if (!sound)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: the model's normalisation is damaged (a mean that is not finite or a "
                       "deviation that is not positive); get the model again",
                       source->path);
    return AM_OK;
}

am_status norm_copy(const raw_source *source, const normalisation *from, normalisation *norm,
                    am_error *err)
{
    const size_t bytes = (size_t)source->inputs * sizeof(float);
    *norm = (normalisation){0};
    AM_TRY(check_record(source, from, err));
    *norm = *from;
    norm->column_mean = norm->column_sd = NULL;
    if (!from->per_column)
        return AM_OK;
    AM_TRY(alloc_columns(source->inputs, norm, err));
    memcpy(norm->column_mean, from->column_mean, bytes);
    memcpy(norm->column_sd, from->column_sd, bytes);
    return AM_OK;
}

void norm_free(normalisation *norm)
{
    free(norm->column_mean);
    free(norm->column_sd);
    *norm = (normalisation){0};
}

/* ---- applying -------------------------------------------------------------------------------- */

/* x = (byte/255 − mean)/sd, left to the device as scale·byte + shift */
static am_status apply_bytes(const raw_rows *raw, const normalisation *norm, const int64_t *order,
                             am_rows *rows, am_error *err)
{
    const size_t d = (size_t)rows->inputs;
    rows->bytes = am_alloc((size_t)rows->n, d, "images", err);
    if (rows->bytes == NULL)
        return err->status;
    rows->scale = (float)(1 / (255.0 * (double)norm->sd));
    rows->shift = (float)(-(double)norm->mean / (double)norm->sd);
    for (int64_t i = 0; i < rows->n; i++)
        memcpy(rows->bytes + (size_t)i * d, raw->bytes + (size_t)picked(order, i) * d, d);
    return AM_OK;
}

/* x_c = (raw_c − mean_c)/sd_c */
static am_status apply_columns(const raw_source *source, const raw_rows *raw,
                               const normalisation *norm, const int64_t *order, am_rows *rows,
                               am_error *err)
{
    const int d = rows->inputs;
    if ((uint64_t)rows->n > SIZE_MAX / sizeof(float) / (size_t)d)
        return am_fail(err, AM_ERR_MEMORY, "%s: too many values", source->path);
    rows->floats = am_alloc((size_t)rows->n * (size_t)d, sizeof(float), "inputs", err);
    if (rows->floats == NULL)
        return err->status;
    for (int64_t i = 0; i < rows->n; i++)
        for (int c = 0; c < d; c++) {
            const double x = raw_value(raw, picked(order, i) * d, c);
            const float z =
                (float)((x - (double)norm->column_mean[c]) / (double)norm->column_sd[c]);
            if (!isfinite(z))
                return too_large(source, c, err);
            rows->floats[i * d + c] = z;
        }
    return AM_OK;
}

am_status norm_apply(const raw_source *source, const raw_rows *raw, const normalisation *norm,
                     const int64_t *order, int64_t count, am_rows *rows, am_error *err)
{
    *rows = (am_rows){.n = count, .inputs = source->inputs, .outputs = source->outputs, .scale = 1};
    if (raw->label != NULL) {
        rows->label = am_alloc((size_t)count, sizeof *rows->label, "labels", err);
        if (rows->label == NULL)
            return err->status;
        for (int64_t i = 0; i < count; i++)
            rows->label[i] = raw->label[picked(order, i)];
    } else {
        const size_t outputs = (size_t)source->outputs, bytes = outputs * sizeof *rows->target;
        rows->target = am_alloc((size_t)count, bytes, "targets", err);
        if (rows->target == NULL)
            return err->status;
        for (int64_t i = 0; i < count; i++)
            memcpy(rows->target + (size_t)i * outputs,
                   raw->target + (size_t)picked(order, i) * outputs, bytes);
    }
    if (raw->bytes != NULL)
        return apply_bytes(raw, norm, order, rows, err);
    return apply_columns(source, raw, norm, order, rows, err);
}

am_status norm_inputs(const normalisation *norm, const float *x, int64_t n, float *z, am_error *err)
{
    const int d = norm->inputs;
    const float scale = (float)(1 / (255.0 * (double)norm->sd)); /* as apply_bytes */
    const float shift = (float)(-(double)norm->mean / (double)norm->sd);
    for (int64_t i = 0; i < n * d; i++) {
        const double mean = norm->per_column ? (double)norm->column_mean[i % d] : 0.0;
        const double sd = norm->per_column ? (double)norm->column_sd[i % d] : 1.0;
        z[i] = norm->per_column ? (float)(((double)x[i] - mean) / sd) : scale * x[i] + shift;
        if (!isfinite(z[i]))
            return am_fail(err, AM_ERR_INPUT,
                           "x: row %" PRId64 ", column %" PRId64 " is %s; mend or remove the row",
                           i / d + 1, i % d + 1,
                           isnan(x[i])   ? "NaN"
                           : isinf(x[i]) ? "infinite"
                                         : "too large");
    }
    return AM_OK;
}
