#include "cli/output_choice.h"
#include "cli/steps.h"
#include "cli/terminal.h"

#include <math.h>
#include <stdlib.h>

/* ---- for people ------------------------------------------------------------------------------ */

static void print_distribution(const choice_result *r, FILE *stream)
{
    const tuning_curve *curve = r->curve;
    if (curve->draws == 0)
        return;
    (void)fprintf(stream, "\nbest λ over %d draws of the weights (unaudited):\n", curve->draws);
    for (int i = 0; i < curve->points; i++)
        if (r->count[i] > 0)
            (void)fprintf(stream, "  %.2e  %3.0f %%\n", curve->lambda[i],
                          100.0 * r->count[i] / curve->draws);
    (void)fprintf(stream,
                  "median %.2e, 90 %% of the draws in %.2e .. %.2e, %.0f %% at an end of "
                  "the range\n",
                  r->range[1], r->range[0], r->range[2], 100.0 * r->edges);
}

void output_choice_print(const choice_result *r, FILE *stream)
{
    const char *alarm = output_alarm(&r->choice);
    (void)fprintf(stream, "chosen");
    output_lambda(&r->choice, stream);
    (void)fprintf(stream, "   (%s by validation %s, value %.4f)\n", r->rule,
                  r->kind == METRIC_NLL ? "loss" : "accuracy", r->choice.value);
    (void)fprintf(stream, "within one standard error of the best up to");
    output_lambda(&r->one_se, stream);
    (void)fprintf(stream, "\n");
    if (alarm[0] != '\0')
        (void)fprintf(stream, "%s\n", alarm);
    print_distribution(r, stream);
}

/* ---- for machines ---------------------------------------------------------------------------- */

static double share_at(const choice_result *r, int i)
{
    return r->curve->draws > 0 ? (double)r->count[i] / r->curve->draws : NAN;
}

cJSON *output_choice_json(const choice_result *r)
{
    cJSON *o = output_selection_json(&r->choice);
    cJSON_AddStringToObject(o, "rule", r->rule);
    cJSON_AddStringToObject(o, "metric", r->metric);
    cJSON_AddItemToObject(o, "one_se_lambda", output_lambda_json(&r->one_se));
    cJSON *best = cJSON_AddArrayToObject(o, "best_over_draws");
    for (int i = 0; r->curve->draws > 0 && i < r->curve->points; i++)
        cJSON_AddItemToArray(best, cJSON_CreateNumber(share_at(r, i)));
    json_number(o, "draws", r->curve->draws);
    json_number(o, "best_p05", r->range[0]);
    json_number(o, "best_median", r->range[1]);
    json_number(o, "best_p95", r->range[2]);
    json_number(o, "best_at_edges", r->edges);
    return o;
}

static am_status write_csv(const choice_result *r, const char *path, am_error *err)
{
    enum { COLUMNS = 5 };
    const tuning_curve *c = r->curve;
    size_t points = (size_t)c->points;
    double *value = am_alloc(COLUMNS * points, sizeof *value, "choice", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < points; i++) {
        value[i] = c->lambda[i];
        value[points + i] = share_at(r, (int)i);
        value[2 * points + i] = c->at[i].nll;
        value[3 * points + i] = c->at[i].nll_se;
        value[4 * points + i] = c->at[i].accuracy;
    }
    csv_column column[COLUMNS] = {{"lambda", value},
                                  {"share_best", value + points},
                                  {"val_nll", value + 2 * points},
                                  {"val_nll_se", value + 3 * points},
                                  {"val_acc", value + 4 * points}};
    am_status status = csv_write(path, column, COLUMNS, c->points, err);
    free(value);
    return status;
}

/* ---- figure ---------------------------------------------------------------------------------- */

/* Bars of the grid's points, half-way to the neighbours in log λ on either side. */
static am_status open_bars(const choice_result *r, steps *bars, am_error *err)
{
    const double *lambda = r->curve->lambda;
    int points = r->curve->points;
    double *value = am_alloc(2 * (size_t)points + 1, sizeof *value, "figure", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    double *edge = value + points;
    for (int i = 0; i < points; i++)
        value[i] = r->curve->draws > 0 ? share_at(r, i) : 0.0;
    for (int i = 1; i < points; i++)
        edge[i] = sqrt(lambda[i - 1] * lambda[i]);
    edge[0] = lambda[0] * lambda[0] / edge[1];
    edge[points] = lambda[points - 1] * lambda[points - 1] / edge[points - 1];
    am_status status = steps_open(bars, edge, value, points, err);
    free(value);
    return status;
}

/* Value of the metric along λ with one standard error on either side. */
static am_status fill_curve(const choice_result *r, double **value, am_error *err)
{
    int points = r->curve->points;
    *value = am_alloc(3 * (size_t)points, sizeof **value, "figure", err);
    for (int i = 0; *value != NULL && i < points; i++) {
        const metrics *m = &r->curve->at[i];
        double middle = metric_of(m, r->kind);
        double se = r->kind == METRIC_NLL ? m->nll_se : m->accuracy_se;
        (*value)[i] = middle;
        (*value)[points + i] = middle - se;
        (*value)[2 * points + i] = middle + se;
    }
    return *value != NULL ? AM_OK : AM_ERR_MEMORY;
}

static am_status write_json(const choice_result *r, const char *path, am_error *err)
{
    return output_json_file(output_choice_json(r), path, err);
}

static am_status write_svg(const choice_result *r, const char *path, am_error *err)
{
    int points = r->curve->points;
    double *value = NULL;
    steps bars = {0};
    char label[2][64], draws[64], title[96];
    (void)snprintf(title, sizeof title, "%.64s: the choice of λ", r->data);
    (void)snprintf(label[0], sizeof label[0], "chosen λ = %.2e", r->choice.lambda[0]);
    (void)snprintf(label[1], sizeof label[1], "one standard error: %.2e", r->one_se.lambda[0]);
    (void)snprintf(draws, sizeof draws, "%d draws of ω (unaudited)", r->curve->draws);
    bool apart = r->one_se.lambda[0] != r->choice.lambda[0];
    chart_rule rule[2] = {{r->choice.lambda[0], label[0]}, {r->one_se.lambda[0], label[1]}};
    am_status status = fill_curve(r, &value, err);
    if (status == AM_OK)
        status = open_bars(r, &bars, err);
    if (status == AM_OK) {
        bool loss = r->kind == METRIC_NLL;
        chart_series line = {.label = "ω = 1 (band: ± one standard error over the rows)",
                             .count = points,
                             .x = r->curve->lambda,
                             .y = value,
                             .low = value + points,
                             .high = value + 2 * (size_t)points};
        chart_series share = steps_series(&bars, draws);
        chart_panel panel[2] = {{.title = !loss        ? "Validation accuracy"
                                          : r->classes ? "Validation loss"
                                                       : "Validation error",
                                 .x_label = "penalty λ",
                                 .y_label = !loss        ? ""
                                            : r->classes ? "nats"
                                                         : "squared error",
                                 .log_x = true,
                                 .percent_y = !loss,
                                 .series = &line,
                                 .series_count = 1,
                                 .rule = rule,
                                 .rule_count = apart ? 2 : 1},
                                {.title = "How often each λ is the best",
                                 .x_label = "penalty λ",
                                 .log_x = true,
                                 .percent_y = true,
                                 .series = &share,
                                 .series_count = 1}};
        status = terminal_chart(path, title, panel, r->curve->draws > 0 ? 2 : 1, err);
    }
    free(value);
    steps_close(&bars);
    return status;
}

am_status output_choice_plot(const choice_result *r, am_error *err)
{
    return write_svg(r, NULL, err);
}

am_status output_choice_files(const choice_result *r, const char *folder, am_error *err)
{
    static const struct {
        const char *name;
        am_status (*write)(const choice_result *r, const char *path, am_error *err);
    } file[] = {{"choice.json", write_json}, {"choice.csv", write_csv}, {"choice.svg", write_svg}};
    AM_TRY(am_make_folders(folder, err));
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        char *path = output_path(folder, file[i].name);
        if (path == NULL)
            return am_fail(err, AM_ERR_MEMORY, "%s: no memory to write it", file[i].name);
        am_status status = file[i].write(r, path, err);
        free(path);
        AM_TRY(status);
    }
    return AM_OK;
}
