#include "cli/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void output_json(cJSON *document, FILE *stream)
{
    char *text = cJSON_Print(document);
    if (text != NULL)
        fprintf(stream, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(document);
}

am_status output_document(const settings *set, cJSON *document, am_error *err)
{
    if (document == NULL)
        return am_fail(err, AM_ERR_MEMORY, "results: out of memory; free some memory");
    am_status status = set->out != NULL ? json_write(set->out, document, err) : AM_OK;
    if (set->json)
        output_json(document, stdout);
    else
        cJSON_Delete(document);
    return status;
}

void output_lambda(const selection *choice, FILE *stream)
{
    for (int i = 0; i < choice->groups; i++)
        fprintf(stream, "%s%.4e", i == 0 ? " λ = " : ", ", choice->lambda[i]);
}

cJSON *output_lambda_json(const selection *choice)
{
    return cJSON_CreateDoubleArray(choice->lambda, choice->groups);
}

char *output_path(const char *folder, const char *name)
{
    return am_format("%s/%s", folder, name);
}

am_status output_json_file(cJSON *document, const char *path, am_error *err)
{
    am_status status = document != NULL
                           ? json_write(path, document, err)
                           : am_fail(err, AM_ERR_MEMORY, "%s: no memory to write it", path);
    cJSON_Delete(document);
    return status;
}

am_status output_summary(const cJSON *document, const char *folder, am_error *err)
{
    char *path = output_path(folder, "summary.json");
    am_status status = path != NULL ? json_write(path, document, err)
                                    : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    free(path);
    return status;
}

const char *output_alarm(const selection *choice)
{
    if (choice->edge_alarm)
        return "EDGE: the choice lies on the end of the range; widen --lambda";
    if (choice->flat_alarm)
        return "FLAT: more than half the range is within one standard error of the best";
    return "";
}

/* ---- curve: table ------------------------------------------------------------------------------ */

am_status output_curve_table(const tuning_curve *curve, bool classes, FILE *stream, am_error *err)
{
    static const char *const head[] = {"lambda", "val loss", "val acc", "loss 5 %", "loss 95 %"};
    int columns = curve->draws > 0 ? 5 : 3;
    report_table *table = table_new(columns, head);
    bool ok = table != NULL;
    for (int i = 0; ok && i < curve->points; i++) {
        char cell[5][32];
        const char *row[5];
        snprintf(cell[0], 32, "%.2e", curve->lambda[i]);
        snprintf(cell[1], 32, "%.4f", curve->at[i].nll);
        snprintf(cell[2], 32, classes ? "%.4f" : "-", curve->at[i].accuracy);
        snprintf(cell[3], 32, "%.4f", curve_quantile(curve, i, METRIC_NLL, 0.05, err));
        snprintf(cell[4], 32, "%.4f", curve_quantile(curve, i, METRIC_NLL, 0.95, err));
        for (int j = 0; j < 5; j++)
            row[j] = cell[j];
        ok = table_row(table, row);
    }
    if (ok)
        table_print(table, stream);
    table_free(table);
    return ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "table of the curve: no memory");
}

/* ---- curve: numbers ------------------------------------------------------------------------------ */

enum { CURVE_COLUMNS = 10 };

/* Column j of the curve's CSV at point i. */
static double curve_value(const tuning_curve *c, int i, int j, am_error *err)
{
    const metrics *m = &c->at[i];
    switch (j) {
    case 0:
        return c->lambda[i];
    case 1:
        return m->nll;
    case 2:
        return m->nll_se;
    case 3:
        return m->accuracy;
    case 4:
        return m->brier;
    case 5:
        return m->ece;
    case 6:
        return curve_quantile(c, i, METRIC_NLL, 0.05, err);
    case 7:
        return curve_quantile(c, i, METRIC_NLL, 0.95, err);
    case 8:
        return curve_quantile(c, i, METRIC_ACCURACY, 0.05, err);
    default:
        return curve_quantile(c, i, METRIC_ACCURACY, 0.95, err);
    }
}

am_status output_curve_csv(const tuning_curve *curve, const char *path, am_error *err)
{
    static const char *const name[CURVE_COLUMNS] = {
        "lambda",  "val_nll",     "val_nll_se",  "val_acc",     "val_brier",
        "val_ece", "val_nll_p05", "val_nll_p95", "val_acc_p05", "val_acc_p95"};
    int columns = curve->draws > 0 ? CURVE_COLUMNS : 6;
    size_t points = (size_t)curve->points;
    double *value = am_alloc(points * CURVE_COLUMNS, sizeof *value, "curve", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    csv_column column[CURVE_COLUMNS];
    for (int j = 0; j < columns; j++) {
        for (int i = 0; i < curve->points; i++)
            value[(size_t)j * points + (size_t)i] = curve_value(curve, i, j, err);
        column[j] = (csv_column){name[j], value + (size_t)j * points};
    }
    am_status status = csv_write(path, column, columns, curve->points, err);
    free(value);
    return status;
}

cJSON *output_curve_json(const tuning_curve *curve)
{
    cJSON *list = cJSON_CreateArray();
    am_error ignored = {0};
    for (int i = 0; i < curve->points; i++) {
        cJSON *o = cJSON_CreateObject();
        json_number(o, "lambda", curve->lambda[i]);
        json_number(o, "val_nll", curve->at[i].nll);
        json_number(o, "val_acc", curve->at[i].accuracy);
        json_number(o, "val_nll_se", curve->at[i].nll_se);
        if (curve->draws > 0) {
            json_number(o, "val_nll_p05", curve_quantile(curve, i, METRIC_NLL, 0.05, &ignored));
            json_number(o, "val_nll_p95", curve_quantile(curve, i, METRIC_NLL, 0.95, &ignored));
            json_number(o, "val_acc_p05",
                        curve_quantile(curve, i, METRIC_ACCURACY, 0.05, &ignored));
            json_number(o, "val_acc_p95",
                        curve_quantile(curve, i, METRIC_ACCURACY, 0.95, &ignored));
        }
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

cJSON *output_metrics_json(const metrics *m)
{
    cJSON *o = cJSON_CreateObject();
    json_number(o, "nll", m->nll);
    json_number(o, "nll_se", m->nll_se);
    json_number(o, "accuracy", m->accuracy);
    json_number(o, "brier", m->brier);
    json_number(o, "ece", m->ece);
    return o;
}

cJSON *output_selection_json(const selection *choice)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "lambda", output_lambda_json(choice));
    json_number(o, "value", choice->value);
    json_number(o, "derivative", choice->derivative);
    cJSON_AddBoolToObject(o, "edge_alarm", choice->edge_alarm);
    cJSON_AddBoolToObject(o, "flat_alarm", choice->flat_alarm);
    return o;
}
