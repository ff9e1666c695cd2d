/* amortune mest --use cv. */
#include "cli/mest.h"

#include <math.h>
#include <stdlib.h>

static const double *coefficients(const mest_cv *r, int point)
{
    return r->beta + (size_t)point * (size_t)r->q;
}

static int nonzero(const mest_job *job, const double *beta)
{
    int count = 0;
    for (int j = job->data.intercept ? 1 : 0; j < job->data.q; j++)
        count += beta[j] != 0;
    return count;
}

/* What the least mean and the one-standard-error rule choose. */
static void print_choice(const mest_job *job, const mest_cv *r)
{
    static const char *const rule[] = {"least", "1 se"};
    const int at[] = {r->best, r->one_se};
    printf("%d-fold cross-validation over %d λ in %.3g:%.3g\n", r->folds, r->points,
           r->lambda[r->points - 1], r->lambda[0]);
    for (int i = 0; i < 2; i++)
        printf("  %-6s λ = %.4e   loss %.5g ± %.2g   %d columns\n", rule[i], r->lambda[at[i]],
               r->mean[at[i]], r->se[at[i]], nonzero(job, coefficients(r, at[i])));
    if (r->best == 0 || r->best == r->points - 1)
        printf("EDGE: the least lies on the end of the range; widen it with --range\n");
}

static double range_of(int count, const double *x)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < count; i++) {
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
    }
    return high - low;
}

/* Largest |generator − refits| over the curve, as a share of the refits' range. */
static double audit_gap(const mest_cv *r)
{
    double most = 0, range = range_of(r->points, r->refit_mean);
    for (int i = 0; i < r->points; i++)
        most = fmax(most, fabs(r->mean[i] - r->refit_mean[i]));
    return range > 0 ? most / range : 0.0;
}

static am_status print_table(const mest_job *job, const mest_cv *r, am_error *err)
{
    static const char *const heading[] = {"coefficient", "least", "1 se"};
    report_table *table = table_new(3, heading);
    bool ok = table != NULL;
    for (int j = 0; ok && j < r->q; j++) {
        char cell[2][AM_NUMBER_TEXT];
        snprintf(cell[0], sizeof cell[0], "%.4g", coefficients(r, r->best)[j]);
        snprintf(cell[1], sizeof cell[1], "%.4g", coefficients(r, r->one_se)[j]);
        ok = table_row(table, (const char *const[]){job->data.name[j], cell[0], cell[1]});
    }
    if (ok)
        table_print(table, stdout);
    table_free(table);
    return ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "results: out of memory; free some memory");
}

static cJSON *document_of(const mest_job *job, const mest_cv *r)
{
    cJSON *o = mest_document(job), *list;
    json_number(o, "folds", r->folds);
    json_number(o, "lambda_least", r->lambda[r->best]);
    json_number(o, "lambda_one_se", r->lambda[r->one_se]);
    cJSON_AddBoolToObject(o, "edge_alarm", r->best == 0 || r->best == r->points - 1);
    list = cJSON_AddArrayToObject(o, "curve");
    for (int i = 0; i < r->points; i++) {
        cJSON *item = cJSON_CreateObject();
        json_number(item, "lambda", r->lambda[i]);
        json_number(item, "loss", r->mean[i]);
        json_number(item, "se", r->se[i]);
        json_number(item, "columns", nonzero(job, coefficients(r, i)));
        if (r->refit_mean != NULL)
            json_number(item, "refit_loss", r->refit_mean[i]);
        cJSON_AddItemToArray(list, item);
    }
    list = cJSON_AddArrayToObject(o, "coefficients");
    for (int j = 0; j < r->q; j++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", job->data.name[j]);
        json_number(item, "least", coefficients(r, r->best)[j]);
        json_number(item, "one_se", coefficients(r, r->one_se)[j]);
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddItemToObject(o, "generator", mest_account_json(&r->account));
    if (r->refit_mean != NULL) {
        cJSON *audit = cJSON_AddObjectToObject(o, "audit");
        json_number(audit, "lambda_least", r->lambda[r->refit_best]);
        json_number(audit, "curve_gap", audit_gap(r));
    }
    mest_add_seconds(o, &r->seconds);
    return o;
}

/* ---- files ------------------------------------------------------------------------------------- */

static am_status write_curve(const mest_job *job, const mest_cv *r, am_error *err)
{
    const csv_column column[] = {
        {"lambda", r->lambda}, {"loss", r->mean}, {"se", r->se}, {"refit_loss", r->refit_mean}};
    char *path = output_path(job->set->out, "curve.csv");
    am_status status = path != NULL
                           ? csv_write(path, column, r->refit_mean != NULL ? 4 : 3, r->points, err)
                           : am_fail(err, AM_ERR_MEMORY, "%s: no memory", job->set->out);
    free(path);
    return status;
}

static am_status draw_curve(const mest_job *job, const mest_cv *r, const chart_rule rule[2],
                            am_error *err)
{
    const size_t points = (size_t)r->points;
    double *low = am_alloc(2 * points, sizeof *low, "figure", err);
    char *path = output_path(job->set->out, "curve.svg");
    am_status status = AM_ERR_MEMORY;
    if (low != NULL && path != NULL) {
        double *high = low + points;
        for (size_t i = 0; i < points; i++) {
            low[i] = r->mean[i] - r->se[i];
            high[i] = r->mean[i] + r->se[i];
        }
        const chart_series series[] = {
            {"generator ± one standard error", r->points, r->lambda, r->mean, low, high, false,
             false},
            {"exact refits", r->points, r->lambda, r->refit_mean, NULL, NULL, true, true}};
        const chart_panel panel = {.x_label = "penalty λ",
                                   .y_label = "held-out loss",
                                   .log_x = true,
                                   .series = series,
                                   .series_count = r->refit_mean != NULL ? 2 : 1,
                                   .rule = rule,
                                   .rule_count = 2};
        char title[96];
        snprintf(title, sizeof title, "%d-fold cross-validation, %.20s loss", r->folds,
                 job->set->loss);
        status = chart_write_svg(path, title, &panel, 1, err);
    }
    free(low);
    free(path);
    return status;
}

static am_status write_files(const mest_job *job, const mest_cv *r, am_error *err)
{
    const chart_rule rule[2] = {{r->lambda[r->best], "least"}, {r->lambda[r->one_se], "1 se"}};
    AM_TRY(write_curve(job, r, err));
    AM_TRY(mest_path_csv(job, r->points, r->lambda, 1, (const double *const[]){r->beta},
                         (const char *const[]){""}, "path.csv", err));
    AM_TRY(draw_curve(job, r, rule, err));
    return mest_path_figure(job,
                            &(mest_lines){.file = "path.svg",
                                          .title = "Coefficients along λ",
                                          .y_label = "change per standard deviation",
                                          .points = r->points,
                                          .lambda = r->lambda,
                                          .y = r->beta,
                                          .scale = !job->set->no_standardise,
                                          .rule = rule,
                                          .rules = 2},
                            err);
}

am_status mest_cv_command(mest_job *job, am_error *err)
{
    const settings *set = job->set;
    mest_cv r;
    int folds = (int)(settings_given(set, "folds") ? set->folds : AM_MIN(set->folds, job->data.n));
    AM_TRY(mest_job_grid(job, err));
    AM_TRY(mest_cv_run(&job->setup, folds, (int)set->points, job->lambda, &r, err));
    am_status status = AM_OK;
    if (!set->json) {
        mest_print_head(job);
        print_choice(job, &r);
        if (r.refit_mean != NULL)
            printf("audit: exact refits choose λ = %.4e; the curves differ by %.2g %% of the "
                   "range\n",
                   r.lambda[r.refit_best], 100.0 * audit_gap(&r));
        printf("\n");
        status = print_table(job, &r, err);
    }
    if (status == AM_OK && set->out != NULL)
        status = write_files(job, &r, err);
    if (status == AM_OK)
        status = mest_finish(job, document_of(job, &r), err);
    mest_cv_free(&r);
    return status;
}
