#include "cli/output_polish.h"

#include <math.h>
#include <stdlib.h>

static double share_of(const polish_result *r, int64_t steps)
{
    return (double)steps / (double)r->refits.steps;
}

/* ---- for people ------------------------------------------------------------------------------ */

enum { COLUMNS = 6, CELL = 48 };

/* A row of a table: three cells of text, then criterion, loss and accuracy; NaN: none. */
static bool add_row(report_table *table, const char *const text[3], double criterion, double nll,
                    double accuracy)
{
    char cell[3][CELL];
    const char *row[COLUMNS] = {text[0], text[1], text[2], cell[0], cell[1], cell[2]};
    (void)snprintf(cell[0], CELL, isnan(criterion) ? "-" : "%.5f", criterion);
    (void)snprintf(cell[1], CELL, "%.4f", nll);
    (void)snprintf(cell[2], CELL, isnan(accuracy) ? "-" : "%.4f", accuracy);
    return table_row(table, row);
}

static bool add_points(report_table *table, const parity *p)
{
    bool ok = true;
    for (int i = 0; ok && i < p->points; i++) {
        const parity_point *at = &p->point[i];
        char text[3][CELL];
        (void)snprintf(text[0], CELL, "%lld", (long long)at->steps);
        (void)snprintf(text[1], CELL, "%.1f %%", 100.0 * at->share);
        (void)snprintf(text[2], CELL, "%.1f %%", 100.0 * at->row_share);
        const char *const row[3] = {text[0], text[1], text[2]};
        ok = add_row(table, row, at->criterion, at->nll, at->accuracy);
    }
    static const char *const refits[3] = {"refits", "100 %", "100 %"};
    return ok && add_row(table, refits, p->criterion, p->nll, p->accuracy);
}

static am_status finish_table(report_table *table, bool ok, FILE *stream, am_error *err)
{
    if (ok)
        table_print(table, stream);
    table_free(table);
    return ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "table of the polish: no memory");
}

static am_status print_points(const parity *p, FILE *stream, am_error *err)
{
    static const char *const head[COLUMNS] = {"steps",     "share",    "rows' share",
                                              "criterion", "val loss", "val acc"};
    report_table *table = table_new(COLUMNS, head);
    bool ok = table != NULL && add_points(table, p);
    return finish_table(table, ok, stream, err);
}

static am_status print_scores(const polish_result *r, FILE *stream, am_error *err)
{
    static const char *const head[COLUMNS] = {"",          "steps",    "rows a step",
                                              "criterion", "val loss", "val acc"};
    const network_scores *a = &r->before, *b = &r->after;
    char steps[CELL], rows[CELL];
    (void)snprintf(steps, CELL, "%lld", (long long)r->request.steps);
    (void)snprintf(rows, CELL, "%d", r->request.rows);
    const char *const first[3] = {"generator", "0", ""}, *const second[3] = {"polished", steps,
                                                                             rows};
    static const char *const together[3] = {"averaged", "", ""};
    report_table *table = table_new(COLUMNS, head);
    bool ok = table != NULL &&
              add_row(table, first, a->criterion_mean, a->nll_mean, a->accuracy_mean) &&
              add_row(table, second, b->criterion_mean, b->nll_mean, b->accuracy_mean);
    if (ok && b->networks > 1) /* what their mean prediction reaches */
        ok = add_row(table, together, NAN, b->together_nll, b->together_accuracy);
    return finish_table(table, ok, stream, err);
}

static double row_share_of(const polish_result *r, int64_t steps)
{
    for (int i = 0; i < r->parity.points; i++)
        if (r->parity.point[i].steps == steps)
            return r->parity.point[i].row_share;
    return NAN;
}

static void print_steps(const polish_result *r, const char *what, int64_t steps, FILE *stream)
{
    if (steps < 0)
        (void)fprintf(stream, "  %-20s not with as many rows as a refit\n", what);
    else
        (void)fprintf(stream,
                      "  %-20s after %lld steps: %.1f %% of a refit's, %.1f %% of its rows\n", what,
                      (long long)steps, 100.0 * share_of(r, steps), 100.0 * row_share_of(r, steps));
}

static am_status print_parity(const polish_result *r, FILE *stream, am_error *err)
{
    const parity *p = &r->parity;
    (void)fprintf(stream,
                  "\nparity with refits from scratch of %lld steps, step size %.2g (%d for every "
                  "λ and draw; means over single networks)\n",
                  (long long)r->refits.steps, r->refits.adam.rate, r->refits.repeats);
    AM_TRY(print_points(p, stream, err));
    (void)fprintf(stream, "\nat least as good as the refits\n");
    print_steps(r, "by the criterion", p->criterion_steps, stream);
    print_steps(r, "by validation loss", p->nll_steps, stream);
    print_steps(r, "by both", p->steps, stream);
    return AM_OK;
}

am_status output_polish_print(const polish_result *r, FILE *stream, am_error *err)
{
    int models = polish_networks(&r->request) * r->request.models;
    (void)fprintf(stream, "%d network%s at", models, models == 1 ? "" : "s");
    output_lambda(&r->choice, stream);
    (void)fprintf(stream, ", polished in %.3f s at a step size of %.2g%s\n", r->seconds,
                  r->request.adam.rate, models == 1 ? "" : " (means below)");
    AM_TRY(print_scores(r, stream, err));
    return r->compared ? print_parity(r, stream, err) : AM_OK;
}

/* ---- for machines ---------------------------------------------------------------------------- */

static cJSON *scores_json(double criterion, double nll, double accuracy)
{
    cJSON *o = cJSON_CreateObject();
    json_number(o, "criterion", criterion);
    json_number(o, "val_nll", nll);
    json_number(o, "val_acc", accuracy);
    return o;
}

static void add_steps(cJSON *o, const char *key, int64_t steps)
{
    json_number(o, key, steps < 0 ? NAN : (double)steps);
}

static cJSON *parity_json(const polish_result *r)
{
    const parity *p = &r->parity;
    cJSON *o = cJSON_CreateObject();
    add_steps(o, "criterion_steps", p->criterion_steps);
    add_steps(o, "nll_steps", p->nll_steps);
    add_steps(o, "steps", p->steps);
    json_number(o, "share", p->steps < 0 ? NAN : share_of(r, p->steps));
    json_number(o, "row_share", row_share_of(r, p->steps));
    json_number(o, "refits", r->refits.repeats);
    json_number(o, "refit_rate", r->refits.adam.rate);
    cJSON_AddItemToObject(o, "refit", scores_json(p->criterion, p->nll, p->accuracy));
    cJSON *list = cJSON_AddArrayToObject(o, "points");
    for (int i = 0; i < p->points; i++) {
        cJSON *point = scores_json(p->point[i].criterion, p->point[i].nll, p->point[i].accuracy);
        json_number(point, "steps", (double)p->point[i].steps);
        json_number(point, "rows", p->point[i].rows);
        json_number(point, "share", p->point[i].share);
        json_number(point, "row_share", p->point[i].row_share);
        cJSON_AddItemToArray(list, point);
    }
    return o;
}

cJSON *output_polish_json(const polish_result *r)
{
    const network_scores *a = &r->before, *b = &r->after;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "lambda", output_lambda_json(&r->choice));
    json_number(o, "networks", (double)polish_networks(&r->request) * r->request.models);
    json_number(o, "networks_of_a_draw", polish_networks(&r->request));
    json_number(o, "steps", (double)r->request.steps);
    json_number(o, "rows", r->request.rows);
    json_number(o, "refit_steps", (double)r->refits.steps);
    json_number(o, "refit_rows", r->refits.rows);
    json_number(o, "rate", r->request.adam.rate);
    json_number(o, "seconds", r->seconds);
    cJSON_AddItemToObject(o, "before",
                          scores_json(a->criterion_mean, a->nll_mean, a->accuracy_mean));
    cJSON_AddItemToObject(o, "after",
                          scores_json(b->criterion_mean, b->nll_mean, b->accuracy_mean));
    if (b->networks > 1)
        cJSON_AddItemToObject(o, "averaged",
                              scores_json(NAN, b->together_nll, b->together_accuracy));
    if (r->compared)
        cJSON_AddItemToObject(o, "parity", parity_json(r));
    return o;
}

/* Mean over the networks of draw d. */
static double mean_of(const network_scores *s, int d, metric_kind kind)
{
    double sum = 0.0;
    for (int e = 0; e < s->networks; e++)
        sum += metric_of(&s->validation[e * s->models + d], kind);
    return sum / s->networks;
}

static am_status write_csv(const polish_result *r, const char *path, am_error *err)
{
    enum { VALUES = 6 };
    static const char *const name[VALUES] = {"criterion_before", "criterion_after",
                                             "val_nll_before",   "val_nll_after",
                                             "val_acc_before",   "val_acc_after"};
    int models = r->request.models;
    double *value = am_alloc(VALUES * (size_t)models, sizeof *value, "draws", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    csv_column column[VALUES];
    for (int j = 0; j < VALUES; j++) {
        const network_scores *s = j % 2 == 0 ? &r->before : &r->after;
        double *to = value + (size_t)j * (size_t)models;
        for (int d = 0; d < models; d++)
            to[d] = j < 2 ? s->criterion[d] : mean_of(s, d, j < 4 ? METRIC_NLL : METRIC_ACCURACY);
        column[j] = (csv_column){name[j], to};
    }
    am_status status = csv_write(path, column, VALUES, models, err);
    free(value);
    return status;
}

am_status output_polish_files(const polish_result *r, const char *folder, am_error *err)
{
    char *csv = output_path(folder, "polish.csv"), *json = output_path(folder, "polish.json");
    cJSON *document = output_polish_json(r);
    am_status status = csv && json && document ? am_make_folders(folder, err)
                                               : am_fail(err, AM_ERR_MEMORY, "polish: no memory");
    if (status == AM_OK)
        status = write_csv(r, csv, err);
    if (status == AM_OK)
        status = json_write(json, document, err);
    cJSON_Delete(document);
    free(csv);
    free(json);
    return status;
}
