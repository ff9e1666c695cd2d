/* CSV files and figures of experiment student-t. */
#include "cli/experiments/student_t.h"

#include "cli/output.h"

#include <math.h>
#include <stdlib.h>

enum { GRID = 200 }; /* points of a density */

static am_status no_path(const char *folder, am_error *err)
{
    return am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
}

/* ---- CSV --------------------------------------------------------------------------------------- */

static am_status profile_csv(const student_t_result *r, const char *path, am_error *err)
{
    enum { COLUMNS = 2 + 3 * METHODS };
    static const char *const name[COLUMNS] = {"nu",
                                              "train_nll",
                                              "mu_mle",
                                              "sigma_mle",
                                              "val_nll_mle",
                                              "mu_generator",
                                              "sigma_generator",
                                              "val_nll_generator",
                                              "mu_chebyshev",
                                              "sigma_chebyshev",
                                              "val_nll_chebyshev",
                                              "mu_response",
                                              "sigma_response",
                                              "val_nll_response"};
    double value[COLUMNS][NU_POINTS];
    csv_column column[COLUMNS];
    for (int i = 0; i < NU_POINTS; i++) {
        value[0][i] = nu_at(i);
        value[1][i] = r->train_nll[i];
        for (int m = 0; m < METHODS; m++) {
            value[2 + 3 * m][i] = r->profile[m].at[i].mu;
            value[3 + 3 * m][i] = r->profile[m].at[i].sigma;
            value[4 + 3 * m][i] = r->profile[m].val_nll[i];
        }
    }
    for (int j = 0; j < COLUMNS; j++)
        column[j] = (csv_column){name[j], value[j]};
    return csv_write(path, column, COLUMNS, NU_POINTS, err);
}

static am_status posterior_csv(const student_t_result *r, const char *path, am_error *err)
{
    enum { COLUMNS = 2 * METHODS };
    static const char *const name[COLUMNS] = {"mu_fit",          "sigma_fit",     "mu_generator",
                                              "sigma_generator", "mu_chebyshev",  "sigma_chebyshev",
                                              "mu_response",     "sigma_response"};
    size_t draws = (size_t)r->draws;
    double *value = am_alloc(COLUMNS * draws, sizeof *value, "posterior", err);
    csv_column column[COLUMNS];
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (size_t m = 0; m < METHODS; m++)
        for (size_t d = 0; d < draws; d++) {
            value[2 * m * draws + d] = r->posterior[m].draw[d].mu;
            value[(2 * m + 1) * draws + d] = r->posterior[m].draw[d].sigma;
        }
    for (size_t j = 0; j < COLUMNS; j++)
        column[j] = (csv_column){name[j], value + j * draws};
    am_status status = csv_write(path, column, COLUMNS, r->draws, err);
    free(value);
    return status;
}

static am_status replicates_csv(const student_t_result *r, const char *path, am_error *err)
{
    enum { COLUMNS = REPLICATE_FIELDS };
    static const char *const name[COLUMNS] = {
        "nu_mle",          "nu_generator",      "nu_chebyshev",    "nu_response",
        "mu_mle",          "mu_generator",      "mu_chebyshev",    "mu_response",
        "sigma_mle",       "sigma_generator",   "sigma_chebyshev", "sigma_response",
        "posterior_mu_sd", "posterior_sigma_sd"};
    size_t rows = (size_t)r->replicates;
    double *value = am_alloc(COLUMNS * rows, sizeof *value, "replicates", err);
    csv_column column[COLUMNS];
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (size_t j = 0; j < COLUMNS; j++) {
        for (size_t i = 0; i < rows; i++)
            value[j * rows + i] = r->replicate[i].field[j];
        column[j] = (csv_column){name[j], value + j * rows};
    }
    am_status status = csv_write(path, column, COLUMNS, r->replicates, err);
    free(value);
    return status;
}

/* ---- figures ----------------------------------------------------------------------------------- */

static am_status profile_svg(const student_t_result *r, const char *path, am_error *err)
{
    static const char *const label[3] = {"exact fit", "linear generator", "response generator"};
    static const student_t_method shown[3] = {BY_FIT, BY_LINEAR, BY_RESPONSE};
    double nu[NU_POINTS], value[3][3][NU_POINTS]; /* (panel, series, point) */
    chart_series series[3][3];
    chart_panel panel[3];
    static const char *const title[3] = {"Validation negative log-likelihood", "Location μ",
                                         "Scale σ"};
    static const char *const unit[3] = {"nats", "", ""};
    char chosen[32];
    chart_rule rule = {nu_at(r->profile[BY_FIT].choice), chosen};
    (void)snprintf(chosen, sizeof chosen, "chosen ν = %.1f", rule.x);
    for (int i = 0; i < NU_POINTS; i++) {
        nu[i] = nu_at(i);
        for (int s = 0; s < 3; s++) {
            const nu_profile *p = &r->profile[shown[s]];
            value[0][s][i] = p->val_nll[i];
            value[1][s][i] = p->at[i].mu;
            value[2][s][i] = p->at[i].sigma;
        }
    }
    for (int p = 0; p < 3; p++) {
        for (int s = 0; s < 3; s++)
            series[p][s] = (chart_series){.label = label[s],
                                          .count = NU_POINTS,
                                          .x = nu,
                                          .y = value[p][s],
                                          .marks = shown[s] == BY_RESPONSE};
        panel[p] = (chart_panel){.title = title[p],
                                 .x_label = "degrees of freedom ν",
                                 .y_label = unit[p],
                                 .series = series[p],
                                 .series_count = 3,
                                 .rule = &rule,
                                 .rule_count = 1};
    }
    return chart_write_svg(path, "Student-t: profile of the degrees of freedom", panel, 3, err);
}

static double drawn(const wbb_posterior *p, int d, int which)
{
    return which == 0 ? p->draw[d].mu : p->draw[d].sigma;
}

/* Gaussian kernel density of the draws at x, bandwidth 1.06·sd·D^(−1/5). */
static double density(const wbb_posterior *p, int draws, int which, double x)
{
    double h = 1.06 * (which == 0 ? p->mu_sd : p->sigma_sd) * pow(draws, -0.2), sum = 0;
    for (int d = 0; d < draws; d++) {
        double z = (x - drawn(p, d, which)) / h;
        sum += exp(-0.5 * z * z);
    }
    return sum / (draws * h * sqrt(2 * 3.14159265358979323846));
}

/* The response as marks: its line would hide behind that of the exact refits. */
static am_status posterior_svg(const student_t_result *r, const char *path, am_error *err)
{
    enum { EVERY = 8, MARKS = GRID / EVERY };
    static const char *const label[3] = {"exact refits", "linear generator", "response generator"};
    static const student_t_method shown[3] = {BY_FIT, BY_LINEAR, BY_RESPONSE};
    double x[2][GRID], value[2][3][GRID], mark_x[2][MARKS];
    chart_series series[2][3];
    chart_panel panel[2];
    const wbb_posterior *fit = &r->posterior[BY_FIT];
    for (int p = 0; p < 2; p++) {
        double mean = p == 0 ? fit->mu_mean : fit->sigma_mean;
        double sd = p == 0 ? fit->mu_sd : fit->sigma_sd;
        for (int i = 0; i < GRID; i++)
            x[p][i] = mean + sd * (8.0 * i / (GRID - 1) - 4);
        for (int i = 0; i < MARKS; i++)
            mark_x[p][i] = x[p][i * EVERY + EVERY / 2];
        for (int s = 0; s < 3; s++) {
            bool marks = shown[s] == BY_RESPONSE;
            int count = marks ? MARKS : GRID;
            const double *at = marks ? mark_x[p] : x[p];
            for (int i = 0; i < count; i++)
                value[p][s][i] = density(&r->posterior[shown[s]], r->draws, p, at[i]);
            series[p][s] = (chart_series){
                .label = label[s], .count = count, .x = at, .y = value[p][s], .marks = marks};
        }
        panel[p] = (chart_panel){.title = p == 0 ? "Posterior density of the location"
                                                 : "Posterior density of the scale",
                                 .x_label = p == 0 ? "μ" : "σ",
                                 .y_label = "density",
                                 .series = series[p],
                                 .series_count = 3};
    }
    return chart_write_svg(path, "Student-t: weighted Bayesian bootstrap", panel, 2, err);
}

am_status student_t_files(const student_t_result *r, const char *folder, am_error *err)
{
    static const struct {
        const char *name;
        am_status (*write)(const student_t_result *, const char *, am_error *);
    } file[] = {{"profile.csv", profile_csv},
                {"replicates.csv", replicates_csv},
                {"profile.svg", profile_svg},
                {"posterior.csv", posterior_csv},
                {"posterior.svg", posterior_svg}};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        char *path = output_path(folder, file[i].name);
        am_status status = path != NULL ? file[i].write(r, path, err) : no_path(folder, err);
        free(path);
        AM_TRY(status);
    }
    return AM_OK;
}
