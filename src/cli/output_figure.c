/* The figure of a curve: loss above, accuracy below, band, refit marks, chosen λ. */
#include "cli/output.h"
#include "cli/terminal.h"

#include <stdlib.h>

typedef struct {
    double *line, *low, *high, *marks;
} panel_values;

static am_status fill(const tuning_curve *curve, const refit_marks *refits, metric_kind kind,
                      panel_values *v, am_error *err)
{
    size_t points = (size_t)curve->points, marks = refits ? (size_t)refits->count : 0;
    v->line = am_alloc(3 * points + marks, sizeof(double), "figure", err);
    if (v->line == NULL)
        return AM_ERR_MEMORY;
    v->low = v->line + points;
    v->high = v->low + points;
    v->marks = v->high + points;
    for (int i = 0; i < curve->points; i++) {
        v->line[i] = metric_of(&curve->at[i], kind);
        v->low[i] = curve_quantile(curve, i, kind, 0.05, err);
        v->high[i] = curve_quantile(curve, i, kind, 0.95, err);
    }
    for (size_t i = 0; i < marks; i++)
        v->marks[i] = metric_of(&refits->at[i], kind);
    return AM_OK;
}

static int add_series(const tuning_curve *curve, const refit_marks *refits, const panel_values *v,
                      chart_series *series)
{
    bool band = curve->draws > 0;
    series[0] =
        (chart_series){.label = band ? "generator, ω = 1 (band: 5–95 % of draws)" : "generator",
                       .count = curve->points,
                       .x = curve->lambda,
                       .y = v->line,
                       .low = band ? v->low : NULL,
                       .high = band ? v->high : NULL};
    if (refits != NULL)
        series[1] = (chart_series){.label = "refit from scratch",
                                   .count = refits->count,
                                   .x = refits->lambda,
                                   .y = v->marks,
                                   .marks = true};
    return refits != NULL ? 2 : 1;
}

am_status output_curve_svg(const tuning_curve *curve, const selection *choice,
                           const refit_marks *refits, bool classes, const char *title,
                           const char *path, am_error *err)
{
    panel_values values[2] = {{0}};
    chart_series series[2][2];
    chart_panel panel[2];
    char label[64];
    chart_rule rule = {.label = label};
    int panels = classes ? 2 : 1;
    if (choice != NULL) {
        rule.x = choice->lambda[0];
        snprintf(label, sizeof label, "chosen λ = %.2e", rule.x);
    }
    am_status status = AM_OK;
    for (int i = 0; i < panels && status == AM_OK; i++) {
        metric_kind kind = i == 0 ? METRIC_NLL : METRIC_ACCURACY;
        status = fill(curve, refits, kind, &values[i], err);
        panel[i] =
            (chart_panel){.title = i == 0 ? (classes ? "Validation loss" : "Validation error")
                                          : "Validation accuracy",
                          .x_label = "penalty λ",
                          .y_label = i == 0 ? (classes ? "nats" : "squared error") : "",
                          .log_x = true,
                          .percent_y = i == 1,
                          .series = series[i],
                          .rule = &rule,
                          .rule_count = choice != NULL ? 1 : 0};
        if (status == AM_OK)
            panel[i].series_count = add_series(curve, refits, &values[i], series[i]);
    }
    if (status == AM_OK)
        status = terminal_chart(path, title, panel, panels, err);
    free(values[0].line);
    free(values[1].line);
    return status;
}
