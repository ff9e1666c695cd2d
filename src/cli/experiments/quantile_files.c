/* CSV files and figures of experiment quantile. */
#include "cli/experiments/quantile.h"
#include "cli/output.h"

#include <stdlib.h>

static am_status curve_csv(const quantile_result *r, const char *path, am_error *err)
{
    const csv_column column[] = {{"lambda", r->lambda},
                                 {"val_exact", r->validation[0]},
                                 {"val_check", r->validation[1]},
                                 {"val_envelope", r->validation[2]}};
    return csv_write(path, column, 4, Q_LAMBDAS, err);
}

static void fill_grid(double x[Q_GRID])
{
    for (int i = 0; i < Q_GRID; i++)
        x[i] = (double)i / (Q_GRID - 1);
}

/* The curves of the figure, at the chosen λ. */
static am_status quantiles_csv(const quantile_result *r, const char *path, am_error *err)
{
    static const char *const method[3] = {"exact", "generator", "truth"};
    char name[3 * Q_SHOWN][32];
    double x[Q_GRID];
    csv_column column[1 + 3 * Q_SHOWN] = {{"x", x}};
    fill_grid(x);
    for (int s = 0; s < Q_SHOWN; s++)
        for (int m = 0; m < 3; m++) {
            (void)snprintf(name[3 * s + m], sizeof name[0], "q%.2f_%s", quantile_shown_q[s],
                           method[m]);
            column[1 + 3 * s + m] = (csv_column){name[3 * s + m], r->shown[m][s]};
        }
    return csv_write(path, column, 1 + 3 * Q_SHOWN, Q_GRID, err);
}

static am_status curve_svg(const quantile_result *r, const char *path, am_error *err)
{
    char chosen[48];
    chart_rule rule = {r->lambda[r->choice[1]], chosen};
    (void)snprintf(chosen, sizeof chosen, "chosen λ = %.2e", rule.x);
    const chart_series series[] = {{.label = "exact solves",
                                    .count = Q_LAMBDAS,
                                    .x = r->lambda,
                                    .y = r->validation[0],
                                    .marks = true},
                                   {.label = "generator, check loss",
                                    .count = Q_LAMBDAS,
                                    .x = r->lambda,
                                    .y = r->validation[1]},
                                   {.label = "generator, envelope",
                                    .count = Q_LAMBDAS,
                                    .x = r->lambda,
                                    .y = r->validation[2]}};
    const chart_panel panel = {.title = "Validation check loss, mean over q",
                               .x_label = "penalty λ",
                               .y_label = "check loss",
                               .log_x = true,
                               .series = series,
                               .series_count = 3,
                               .rule = &rule,
                               .rule_count = 1};
    return chart_write_svg(path, "Quantile regression: tuning curve", &panel, 1, err);
}

enum { MARKS = 21 }; /* exact solves in the figure: every tenth place */

/* The generator's curves as lines, all exact solves as one series of marks. */
static am_status quantiles_svg(const quantile_result *r, const char *path, am_error *err)
{
    double x[Q_GRID], mark_x[Q_SHOWN * MARKS], mark_y[Q_SHOWN * MARKS];
    char name[Q_SHOWN][32];
    chart_series series[Q_SHOWN + 1];
    fill_grid(x);
    for (int s = 0; s < Q_SHOWN; s++) {
        (void)snprintf(name[s], sizeof name[s], "q = %.2f", quantile_shown_q[s]);
        for (int i = 0; i < MARKS; i++) {
            mark_x[s * MARKS + i] = x[i * 10];
            mark_y[s * MARKS + i] = r->shown[0][s][i * 10];
        }
        series[s] = (chart_series){.label = name[s], .count = Q_GRID, .x = x, .y = r->shown[1][s]};
    }
    series[Q_SHOWN] = (chart_series){
        .label = "exact solves", .count = Q_SHOWN * MARKS, .x = mark_x, .y = mark_y, .marks = true};
    const chart_panel panel = {.title = "Generator (lines) and exact solves at the chosen λ",
                               .x_label = "x",
                               .y_label = "y",
                               .series = series,
                               .series_count = Q_SHOWN + 1};
    return chart_write_svg(path, "Quantile regression: one generator for all q", &panel, 1, err);
}

am_status quantile_files(const quantile_result *r, const char *folder, am_error *err)
{
    static const struct {
        const char *name;
        am_status (*write)(const quantile_result *, const char *, am_error *);
    } file[] = {{"curve.csv", curve_csv},
                {"quantiles.csv", quantiles_csv},
                {"curve.svg", curve_svg},
                {"quantiles.svg", quantiles_svg}};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        char *path = output_path(folder, file[i].name);
        am_status status = path != NULL ? file[i].write(r, path, err)
                                        : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
        free(path);
        AM_TRY(status);
    }
    return AM_OK;
}
