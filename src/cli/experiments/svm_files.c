/* CSV files and figures of experiment svm. */
#include "cli/experiments/svm.h"
#include "cli/output.h"

#include <stdlib.h>

static am_status curve_csv(const svm_result *r, const char *path, am_error *err)
{
    const csv_column column[] = {{"lambda", r->lambda},
                                 {"val_hinge_exact", r->loss[0]},
                                 {"val_error_exact", r->error[0]},
                                 {"val_hinge", r->loss[1]},
                                 {"val_error", r->error[1]}};
    return csv_write(path, column, 5, SVM_LAMBDAS, err);
}

static am_status curve_svg(const svm_result *r, const char *path, am_error *err)
{
    char chosen[48], by_ecme[48], title[160];
    const chart_rule rule[2] = {{r->lambda[r->choice[1]], chosen}, {r->ecme.lambda, by_ecme}};
    (void)snprintf(chosen, sizeof chosen, "chosen λ = %.1e", rule[0].x);
    (void)snprintf(by_ecme, sizeof by_ecme, "ECME %.1e", rule[1].x);
    (void)snprintf(title, sizeof title, "Support vector machine: %s", r->data.name);
    chart_series series[2][2];
    chart_panel panel[2];
    for (int p = 0; p < 2; p++) {
        const double(*value)[SVM_LAMBDAS] = p == 0 ? r->loss : r->error;
        series[p][0] = (chart_series){
            .label = "generator", .count = SVM_LAMBDAS, .x = r->lambda, .y = value[1]};
        series[p][1] = (chart_series){.label = "exact solves",
                                      .count = SVM_LAMBDAS,
                                      .x = r->lambda,
                                      .y = value[0],
                                      .marks = true};
        panel[p] = (chart_panel){.title = p == 0 ? "Validation hinge loss" : "Validation error",
                                 .x_label = "penalty λ",
                                 .y_label = p == 0 ? "hinge loss" : "",
                                 .log_x = true,
                                 .percent_y = p == 1,
                                 .series = series[p],
                                 .series_count = 2,
                                 .rule = rule,
                                 .rule_count = 2};
    }
    return chart_write_svg(path, title, panel, 2, err);
}

am_status svm_files(const svm_experiment *e, const char *folder, am_error *err)
{
    static const struct {
        const char *name;
        int part;
        am_status (*write)(const svm_result *, const char *, am_error *);
    } file[] = {{"simulated.csv", 0, curve_csv},
                {"simulated.svg", 0, curve_svg},
                {"images.csv", 1, curve_csv},
                {"images.svg", 1, curve_svg}};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        if (file[i].part >= e->parts)
            continue;
        char *path = output_path(folder, file[i].name);
        am_status status = path != NULL ? file[i].write(&e->part[file[i].part], path, err)
                                        : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
        free(path);
        AM_TRY(status);
    }
    return AM_OK;
}
