#include "cli/experiments/double_descent.h"

#include "cli/experiments/cells.h"
#include "cli/output.h"

#include <math.h>
#include <stdlib.h>

/* Columns of the CSV file, and keys of the entries of "sizes". */
enum { COLUMNS = 14 };
static const char *const column_name[COLUMNS] = {"p",
                                                 "ridgeless_risk",
                                                 "ridgeless_risk_se",
                                                 "ridgeless_expected",
                                                 "ridgeless_gcv",
                                                 "ridgeless_gcv_se",
                                                 "lambda",
                                                 "tuned_risk",
                                                 "tuned_risk_se",
                                                 "tuned_gcv",
                                                 "tuned_gcv_se",
                                                 "best_risk",
                                                 "best_limit",
                                                 "seconds"};

static void fill_row(const descent_size *s, double *row)
{
    const double value[COLUMNS] = {s->p,
                                   s->ridgeless.mean,
                                   s->ridgeless.se,
                                   descent_expected(DESCENT_ROWS, s->p),
                                   s->ridgeless_gcv.mean,
                                   s->ridgeless_gcv.se,
                                   exp(s->log_lambda),
                                   s->tuned.mean,
                                   s->tuned.se,
                                   s->tuned_gcv.mean,
                                   s->tuned_gcv.se,
                                   s->best.mean,
                                   descent_limit((double)s->p / DESCENT_ROWS),
                                   s->seconds};
    for (int j = 0; j < COLUMNS; j++)
        row[j] = value[j];
}

/* ---- table ------------------------------------------------------------------------------------- */

static am_status print_table(const descent_result *r, am_error *err)
{
    printf("Expected squared error on a fresh row, n = %d, ‖β‖² = %g, σ = 1; mean ± se over %d "
           "data sets\n\n",
           DESCENT_ROWS, SIGNAL, r->replications);
    cells t = cells_open("p|least squares|theory|its GCV|λ by GCV|ridge|its GCV|best λ|theory|ms");
    for (int i = 0; i < SIZES; i++) {
        const descent_size *s = &r->size[i];
        double theory = descent_expected(DESCENT_ROWS, s->p);
        char expected[32] = "∞";
        if (isfinite(theory))
            (void)snprintf(expected, sizeof expected, "%.2f", theory);
        cells_row(&t, "%d|%s|%s|%s|%.3f|%s|%s|%.3f|%.3f|%.2f", s->p,
                  estimate_print(s->ridgeless, 2).text, expected,
                  estimate_print(s->ridgeless_gcv, 2).text, exp(s->log_lambda),
                  estimate_print(s->tuned, 3).text, estimate_print(s->tuned_gcv, 3).text,
                  s->best.mean, descent_limit((double)s->p / DESCENT_ROWS), 1e3 * s->seconds);
    }
    AM_TRY(cells_print(&t, err));
    printf("(least squares: of least norm for p > n; theory: its exact expectation, and the limit "
           "of the best\nλ's risk for large n; ms: one decomposition and the GCV curve of %d λ, "
           "n × n for p > n)\n",
           DESCENT_LAMBDAS);
    return AM_OK;
}

/* ---- files ------------------------------------------------------------------------------------- */

static cJSON *summary(const settings *set, const descent_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "experiment", "double-descent");
    json_number(o, "seed", (double)set->seed);
    cJSON_AddStringToObject(o, "version", AM_VERSION);
    json_number(o, "n", DESCENT_ROWS);
    json_number(o, "signal", SIGNAL);
    json_number(o, "sigma", sqrt(NOISE));
    json_number(o, "replications", r->replications);
    cJSON *sizes = cJSON_AddArrayToObject(o, "sizes");
    for (int i = 0; i < SIZES; i++) {
        double row[COLUMNS];
        cJSON *item = cJSON_CreateObject();
        fill_row(&r->size[i], row);
        for (int j = 0; j < COLUMNS; j++)
            json_number(item, column_name[j], row[j]);
        cJSON_AddItemToArray(sizes, item);
    }
    json_number(o, "seconds", r->total_seconds);
    return o;
}

static am_status write_sizes(const descent_result *r, const char *path, am_error *err)
{
    double value[COLUMNS][SIZES], row[COLUMNS];
    csv_column column[COLUMNS];
    for (int i = 0; i < SIZES; i++) {
        fill_row(&r->size[i], row);
        for (int j = 0; j < COLUMNS; j++) /* an empty field where there is no expectation */
            value[j][i] = isfinite(row[j]) ? row[j] : NAN;
    }
    for (int j = 0; j < COLUMNS; j++)
        column[j] = (csv_column){column_name[j], value[j]};
    return csv_write(path, column, COLUMNS, SIZES, err);
}

/* Risks span orders of magnitude round p = n: their logarithm above, the tuned ones below. */
static am_status draw_figure(const descent_result *r, const char *path, am_error *err)
{
    enum { LINES = 6 };
    double x[SIZES], y[LINES][SIZES];
    for (int i = 0; i < SIZES; i++) {
        const descent_size *s = &r->size[i];
        x[i] = (double)s->p / DESCENT_ROWS;
        const double value[LINES] = {log10(s->ridgeless.mean),
                                     log10(s->ridgeless_gcv.mean),
                                     log10(descent_expected(DESCENT_ROWS, s->p)),
                                     s->tuned.mean,
                                     s->tuned_gcv.mean,
                                     descent_limit(x[i])};
        for (int j = 0; j < LINES; j++)
            y[j][i] = value[j];
    }
    static const char *const label[LINES] = {"least squares",   "its GCV", "exact expectation",
                                             "ridge, λ by GCV", "its GCV", "best λ, large n"};
    chart_series series[LINES];
    for (int j = 0; j < LINES; j++)
        series[j] = (chart_series){
            .label = label[j], .count = SIZES, .x = x, .y = y[j], .marks = j % 3 == 2};
    const chart_rule rule = {1.0, "interpolation threshold"};
    chart_panel panel[2];
    for (int k = 0; k < 2; k++)
        panel[k] = (chart_panel){.title = k == 0 ? "Least squares, of least norm for p > n"
                                                 : "Ridge regression at the λ that GCV chooses",
                                 .x_label = "covariates to rows, p/n",
                                 .y_label = k == 0 ? "log10 of test risk" : "test risk",
                                 .log_x = true,
                                 .series = series + 3 * k,
                                 .series_count = 3,
                                 .rule = &rule,
                                 .rule_count = 1};
    return chart_write_svg(path, "Double descent: test risk across the interpolation threshold",
                           panel, 2, err);
}

static am_status write_files(const descent_result *r, const char *folder, am_error *err)
{
    char *csv = output_path(folder, "risk.csv"), *svg = output_path(folder, "risk.svg");
    am_status status = csv && svg ? AM_OK : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    if (status == AM_OK)
        status = write_sizes(r, csv, err);
    if (status == AM_OK)
        status = draw_figure(r, svg, err);
    free(csv);
    free(svg);
    return status;
}

am_status descent_report(const settings *set, const descent_result *r, const char *folder,
                         am_error *err)
{
    cJSON *document = summary(set, r);
    am_status status = output_summary(document, folder, err);
    if (status == AM_OK)
        status = write_files(r, folder, err);
    if (set->json && status == AM_OK) {
        output_json(document, stdout);
        return AM_OK;
    }
    cJSON_Delete(document);
    AM_TRY(status);
    AM_TRY(print_table(r, err));
    printf("\nwritten to %s: summary.json, risk.csv, risk.svg\n", folder);
    return AM_OK;
}
