#include "tune/uncertainty.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK_BYTES = 256 << 20 }; /* of predictions on the host at a time */

/* −p ln p, 0 at p = 0 */
static double entropy_term(double p)
{
    return p > 0.0 ? -p * log(p) : 0.0;
}

row_uncertainty uncertainty_of(const float *probability, int models, int64_t stride, int classes)
{
    row_uncertainty u = {0};
    for (int c = 0; c < classes; c++) {
        double sum = 0.0;
        for (int m = 0; m < models; m++) {
            double p = (double)probability[m * stride + c];
            sum += p;
            u.expected += entropy_term(p) / models;
        }
        double mean = sum / models;
        u.confidence = fmax(u.confidence, mean);
        u.entropy += entropy_term(mean);
    }
    u.information = fmax(u.entropy - u.expected, 0.0); /* below 0 by rounding only */
    return u;
}

/* Rows first..first+count as rows of their own: a view. */
static device_rows slice(const device_rows *rows, int64_t first, int64_t count)
{
    device_rows part = *rows;
    device_data *d = &part.data;
    d->n = count;
    if (d->bytes != NULL)
        d->bytes = u8_at(d->bytes, first * d->inputs);
    if (d->floats != NULL)
        d->floats = f32_at(d->floats, first * d->inputs);
    if (d->label != NULL)
        d->label = i32_at(d->label, first);
    if (d->target != NULL)
        d->target = f32_at(d->target, first * d->outputs);
    if (d->block != NULL)
        d->block = u32_at(d->block, first);
    return part;
}

am_status uncertainty_measure(const model_set *set, const device_rows *rows, int64_t at_once,
                              row_uncertainty *row, am_error *err)
{
    int classes = set->t->size[set->t->layers];
    int64_t n = rows->data.n, values = (int64_t)set->models * classes;
    int64_t most = CHUNK_BYTES / (values * (int64_t)sizeof(float));
    most = AM_MIN(AM_MAX(at_once > 0 ? at_once : most, (int64_t)1), n);
    float *p = am_alloc((size_t)(most * values), sizeof *p, "predictions", err); /* (M, count, C) */
    am_status status = p != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int64_t first = 0; status == AM_OK && first < n; first += most) {
        int64_t count = AM_MIN(most, n - first);
        device_rows part = slice(rows, first, count);
        status = evaluate_predictions(set, &part, p, err);
        for (int64_t i = 0; status == AM_OK && i < count; i++)
            row[first + i] = uncertainty_of(p + i * classes, set->models, count * classes, classes);
    }
    free(p);
    return status;
}

double doubt_of(const row_uncertainty *row, doubt_kind kind)
{
    if (kind == DOUBT_ENTROPY)
        return row->entropy;
    return kind == DOUBT_INFORMATION ? row->information : 1.0 - row->confidence;
}

const char *doubt_name(doubt_kind kind)
{
    static const char *const name[DOUBT_KINDS] = {
        [DOUBT_ENTROPY] = "predictive entropy",
        [DOUBT_INFORMATION] = "mutual information",
        [DOUBT_CONFIDENCE] = "1 - max probability",
    };
    return name[kind];
}

/* ---- means ----------------------------------------------------------------------------------- */

uncertainty_summary uncertainty_summarise(const row_uncertainty *row, int64_t n)
{
    uncertainty_summary s = {.rows = n};
    double entropy = 0.0, information = 0.0, count = (double)n;
    for (int64_t i = 0; i < n; i++) {
        s.confidence += row[i].confidence / count;
        s.entropy += row[i].entropy / count;
        s.expected += row[i].expected / count;
        s.information += row[i].information / count;
    }
    for (int64_t i = 0; i < n; i++) { /* squares about the mean */
        entropy += pow(row[i].entropy - s.entropy, 2.0);
        information += pow(row[i].information - s.information, 2.0);
    }
    s.entropy_se = n > 1 ? sqrt(entropy / (count - 1.0) / count) : NAN;
    s.information_se = n > 1 ? sqrt(information / (count - 1.0) / count) : NAN;
    return s;
}
