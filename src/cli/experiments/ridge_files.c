#include "cli/experiments/ridge.h"

#include "cli/output.h"

#include <stdlib.h>

enum { STUDY_COLUMNS = 1 + 3 * METHODS };

static am_status write_curves(const ridge_result *r, const char *path, am_error *err)
{
    const csv_column column[] = {{"lambda", r->lambda},
                                 {"gcv", r->run.by[BY_GCV].curve},
                                 {"cv", r->run.by[BY_CV].curve},
                                 {"amortized", r->run.by[BY_AMORTIZED].curve},
                                 {"chebyshev", r->run.by[BY_CHEBYSHEV].curve},
                                 {"generator", r->run.by[BY_GENERATOR].curve}};
    return csv_write(path, column, sizeof column / sizeof *column, POINTS, err);
}

/* One row a simulated data set: λ, test error and seconds of every method. */
static am_status write_study(const ridge_result *r, const char *path, am_error *err)
{
    static const char *const name[STUDY_COLUMNS] = {
        "replication",        "gcv_lambda",        "gcv_test_mse",       "gcv_seconds",
        "cv_lambda",          "cv_test_mse",       "cv_seconds",         "amortized_lambda",
        "amortized_test_mse", "amortized_seconds", "chebyshev_lambda",   "chebyshev_test_mse",
        "chebyshev_seconds",  "generator_lambda",  "generator_test_mse", "generator_seconds"};
    size_t rows = (size_t)r->replications;
    csv_column column[STUDY_COLUMNS];
    double *value = am_alloc(rows * STUDY_COLUMNS, sizeof *value, "replications", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < rows; i++) {
        value[i] = (double)(i + 1);
        for (size_t m = 0; m < METHODS; m++) {
            const ridge_choice *c = &r->simulated[i].by[m];
            value[(1 + 3 * m) * rows + i] = r->lambda[c->choice];
            value[(2 + 3 * m) * rows + i] = c->test_mse;
            value[(3 + 3 * m) * rows + i] = c->seconds;
        }
    }
    for (size_t j = 0; j < STUDY_COLUMNS; j++)
        column[j] = (csv_column){name[j], value + j * rows};
    am_status status = csv_write(path, column, STUDY_COLUMNS, r->replications, err);
    free(value);
    return status;
}

/* ---- figure 2 ---------------------------------------------------------------------------------- */

enum { MARK_EVERY = 5, MARKS = POINTS / MARK_EVERY };

/* Points first..first + count − 1 of every method, as lines; the Krylov generator, which lies on the
 * exact curve, as marks (x, y: MARKS each). */
static void fill_series(const ridge_result *r, int first, int count, chart_series *series,
                        double *x, double *y)
{
    static const char *const label[METHODS] = {
        "GCV", "5-fold CV, exact", "amortized CV, as published", "amortized CV, Chebyshev features",
        "amortized CV, rational Krylov"};
    int marks = 0;
    for (int i = first; i < first + count; i += MARK_EVERY, marks++) {
        x[marks] = r->lambda[i];
        y[marks] = r->run.by[BY_GENERATOR].curve[i];
    }
    for (int m = 0; m < METHODS; m++)
        series[m] = (chart_series){.label = label[m],
                                   .count = count,
                                   .x = r->lambda + first,
                                   .y = r->run.by[m].curve + first};
    series[BY_GENERATOR] =
        (chart_series){.label = label[BY_GENERATOR], .count = marks, .x = x, .y = y, .marks = true};
}

/* How far up the grid the exact curve stays within 8 % of its least value. */
static int flat_points(const ridge_result *r)
{
    const ridge_choice *exact = &r->run.by[BY_CV];
    int count = exact->choice + 1;
    while (count < POINTS && exact->curve[count] < 1.08 * exact->curve[exact->choice])
        count++;
    return count;
}

/* The criteria along λ: all of the grid, and where the choice is made. */
static am_status draw_curves(const ridge_result *r, const char *path, am_error *err)
{
    chart_series series[2][METHODS];
    chart_panel panel[2];
    double x[2][MARKS], y[2][MARKS];
    const chart_rule rule[] = {
        {r->lambda[r->run.by[BY_CV].choice], "exact CV"},
        {r->lambda[r->run.by[BY_AMORTIZED].choice], "as published"},
    };
    for (int i = 0; i < 2; i++) {
        fill_series(r, 0, i == 0 ? POINTS : flat_points(r), series[i], x[i], y[i]);
        panel[i] = (chart_panel){.title = i == 0 ? "Estimated prediction error"
                                                 : "The same where λ is chosen",
                                 .x_label = i == 0 ? "penalty λ" : "penalty λ, lower part",
                                 .y_label = "squared error",
                                 .log_x = true,
                                 .series = series[i],
                                 .series_count = METHODS,
                                 .rule = rule,
                                 .rule_count = 2};
    }
    return chart_write_svg(path, "Ridge regression: choice of λ", panel, 2, err);
}

am_status ridge_files(const ridge_result *r, const char *folder, am_error *err)
{
    static const struct {
        const char *name;
        am_status (*write)(const ridge_result *r, const char *path, am_error *err);
    } file[] = {
        {"curves.csv", write_curves}, {"simulated.csv", write_study}, {"curves.svg", draw_curves}};
    am_status status = AM_OK;
    for (size_t i = 0; i < sizeof file / sizeof *file && status == AM_OK; i++) {
        char *path = output_path(folder, file[i].name);
        status = path != NULL ? file[i].write(r, path, err)
                              : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
        free(path);
    }
    return status;
}
