/* What the uses of mest print and write alike. */
#include "cli/mest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *penalty_name(const mest_job *job)
{
    const mest_setup *s = &job->setup;
    if (s->l1 > 0)
        return s->l2 > 0 ? "elastic-net" : "l1";
    return s->l2 > 0 ? "l2" : "none";
}

void mest_print_head(const mest_job *job)
{
    const mest_data *d = &job->data;
    if (job->set->json)
        return;
    printf("%s loss, '%s'", job->set->loss, d->label);
    if (d->class_name != NULL)
        printf(" (1: %s)", d->class_name);
    printf(" on %d columns, %d rows, penalty %s\n\n", d->q - (d->intercept ? 1 : 0), d->n,
           penalty_name(job));
}

cJSON *mest_document(const mest_job *job)
{
    const mest_data *d = &job->data;
    const mest_setup *s = &job->setup;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "use", job->set->use);
    cJSON_AddStringToObject(o, "loss", job->set->loss);
    cJSON_AddStringToObject(o, "penalty", penalty_name(job));
    cJSON_AddStringToObject(o, "data", job->set->data);
    cJSON_AddStringToObject(o, "label", d->label);
    if (d->class_name != NULL)
        cJSON_AddStringToObject(o, "class", d->class_name);
    json_number(o, "rows", d->n);
    json_number(o, "columns", d->q - (d->intercept ? 1 : 0));
    cJSON_AddBoolToObject(o, "intercept", d->intercept);
    json_number(o, "seed", (double)s->seed);
    if (s->loss.kind == CLASSIC_QUANTILE)
        json_number(o, "quantile", s->loss.quantile);
    if (s->loss.kind == CLASSIC_HUBER)
        json_number(o, "delta", s->loss.delta);
    if (s->loss.kind == CLASSIC_STUDENT) {
        json_number(o, "nu", s->loss.nu);
        json_number(o, "scale", s->loss.scale);
    }
    cJSON_AddStringToObject(o, "method", s->refit ? "refit" : "generator");
    return o;
}

cJSON *mest_account_json(const mest_account *a)
{
    cJSON *o = cJSON_CreateObject();
    json_number(o, "draws", (double)a->draws);
    json_number(o, "refits", (double)a->refits);
    json_number(o, "failed", (double)a->failed);
    json_number(o, "worst_error", a->worst);
    return o;
}

void mest_add_seconds(cJSON *o, const mest_seconds *t)
{
    const mest_time part[] = {t->fit, t->draws, t->refits};
    static const char *const key[] = {"fit", "draws", "refits"};
    cJSON *wall = cJSON_AddObjectToObject(o, "seconds");
    cJSON *cpu = cJSON_AddObjectToObject(o, "cpu_seconds");
    for (int i = 0; i < 3; i++) {
        json_number(wall, key[i], part[i].wall > 0 ? part[i].wall : NAN);
        json_number(cpu, key[i], part[i].wall > 0 ? part[i].cpu : NAN);
    }
}

cJSON *mest_numbers(int count, const double *value)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < count; i++)
        cJSON_AddItemToArray(list, isfinite(value[i]) ? cJSON_CreateNumber(value[i])
                                                      : cJSON_CreateNull());
    return list;
}

am_status mest_finish(const mest_job *job, cJSON *document, am_error *err)
{
    am_status status = AM_OK;
    if (job->set->out != NULL) {
        char *path = output_path(job->set->out, "summary.json");
        status = path != NULL ? json_write(path, document, err)
                              : am_fail(err, AM_ERR_MEMORY, "%s: no memory", job->set->out);
        free(path);
    }
    if (status == AM_OK && job->set->json)
        output_json(document, stdout);
    else
        cJSON_Delete(document);
    return status;
}

void mest_cell(double value, char text[AM_NUMBER_TEXT])
{
    text[0] = '\0';
    if (isfinite(value))
        am_number_text(value, text);
}

/* ---- coefficients along λ ---------------------------------------------------------------------- */

enum { MOST_LABELS = 7 /* as many as a chart has colours */ };

/* Largest |value| of a series. */
static double reach(const chart_series *s)
{
    double most = 0;
    for (int64_t i = 0; i < s->count; i++)
        most = fmax(most, fabs(s->y[i]));
    return most;
}

static int by_reach(const void *a, const void *b)
{
    double x = reach(a), y = reach(b);
    return (x < y) - (x > y);
}

/* The largest first, so that they have colours of their own; only they keep labels and bands. */
static void order_series(chart_series *series, int count)
{
    qsort(series, (size_t)count, sizeof *series, by_reach);
    for (int k = 0; k < count; k++)
        if (k >= MOST_LABELS || !(reach(&series[k]) > 0)) {
            series[k].label = NULL;
            series[k].low = series[k].high = NULL;
        }
}

/* Row j of a (q × points) matrix, times factor, into out; NULL stays NULL. */
static double *take_row(const mest_lines *l, int q, int j, const double *matrix, double factor,
                        double *out)
{
    for (int i = 0; matrix != NULL && i < l->points; i++)
        out[i] = matrix[(size_t)i * (size_t)q + (size_t)j] * factor;
    return matrix != NULL ? out : NULL;
}

am_status mest_path_figure(const mest_job *job, const mest_lines *l, am_error *err)
{
    const mest_data *d = &job->data;
    const int first = d->intercept ? 1 : 0, count = d->q - first;
    const size_t points = (size_t)l->points;
    chart_series *series = am_alloc((size_t)count, sizeof *series, "figure", err);
    double *value = am_alloc(3 * (size_t)count * points, sizeof *value, "figure", err);
    char *path = output_path(job->set->out, l->file);
    am_status status = AM_ERR_MEMORY;
    if (series != NULL && value != NULL && path != NULL) {
        for (int k = 0; k < count; k++) {
            int j = first + k;
            double *at = value + 3 * (size_t)k * points, factor = l->scale ? d->sd[j] : 1.0;
            series[k] =
                (chart_series){.label = d->name[j],
                               .count = l->points,
                               .x = l->lambda,
                               .y = take_row(l, d->q, j, l->y, factor, at),
                               .low = take_row(l, d->q, j, l->low, factor, at + points),
                               .high = take_row(l, d->q, j, l->high, factor, at + 2 * points)};
        }
        order_series(series, count);
        chart_panel panel = {.x_label = "penalty λ",
                             .y_label = l->y_label,
                             .log_x = true,
                             .series = series,
                             .series_count = count,
                             .rule = l->rule,
                             .rule_count = l->rules};
        status = chart_write_svg(path, l->title, &panel, 1, err);
    }
    free(series);
    free(value);
    free(path);
    return status;
}

am_status mest_path_csv(const mest_job *job, int points, const double *lambda, int arrays,
                        const double *const *value, const char *const *suffix, const char *name,
                        am_error *err)
{
    const mest_data *d = &job->data;
    const size_t q = (size_t)d->q, rows = (size_t)points, columns = 1 + q * (size_t)arrays;
    csv_column *column = am_alloc(columns, sizeof *column, "results", err);
    double *flat = am_alloc(columns * rows, sizeof *flat, "results", err);
    char **names = am_alloc(columns, sizeof *names, "results", err);
    char *path = output_path(job->set->out, name);
    bool ok = column && flat && names && path;
    if (ok)
        column[0] = (csv_column){"lambda", lambda};
    for (size_t c = 1; ok && c < columns; c++) {
        size_t k = (c - 1) / (size_t)arrays, a = (c - 1) % (size_t)arrays;
        names[c] = am_format("%s%s", d->name[k], suffix[a]);
        ok = names[c] != NULL;
        for (size_t i = 0; i < rows; i++)
            flat[c * rows + i] = value[a][i * q + k];
        column[c] = (csv_column){names[c], flat + c * rows};
    }
    am_status status = ok ? csv_write(path, column, (int)columns, points, err)
                          : am_fail(err, AM_ERR_MEMORY, "%s: no memory", job->set->out);
    for (size_t c = 1; names != NULL && c < columns; c++)
        free(names[c]);
    free((void *)names);
    free(column);
    free(flat);
    free(path);
    return status;
}
