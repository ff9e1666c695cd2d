/* amortune mest --use bootstrap and double-bootstrap. */
#include "cli/mest.h"
#include "cli/output_fidelity.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* λ by cross-validation when there is a penalty and none is given. */
static am_status choose_lambda(mest_job *job, double *lambda, am_error *err)
{
    const settings *set = job->set;
    *lambda = set->lambda_low;
    if (job->setup.l1 + job->setup.l2 == 0 || *lambda > 0)
        return AM_OK;
    mest_cv cv;
    AM_TRY(mest_job_grid(job, err));
    int folds = (int)(settings_given(set, "folds") ? set->folds : AM_MIN(set->folds, job->data.n));
    mest_setup quiet = job->setup;
    quiet.audit = 0;
    AM_TRY(mest_cv_run(&quiet, folds, (int)set->points, job->lambda, &cv, err));
    *lambda = cv.lambda[cv.best];
    progress_note(set, "mest: λ = %.4g by %d-fold cross-validation", *lambda, folds);
    mest_cv_free(&cv);
    return AM_OK;
}

/* ---- table ------------------------------------------------------------------------------------- */

enum { COLUMNS = 9 };
static const char *const heading[COLUMNS] = {"coefficient", "estimate", "se", "percentile from",
                                             "to",          "BCa from", "to", "calibrated from",
                                             "to"};
static const char *const csv_heading[COLUMNS] = {
    "name",           "estimate",        "se",
    "percentile_low", "percentile_high", "bca_low",
    "bca_high",       "calibrated_low",  "calibrated_high"};

static void row_values(const mest_interval *r, double value[COLUMNS - 1])
{
    const double all[COLUMNS - 1] = {r->estimate, r->se,     r->percentile[0], r->percentile[1],
                                     r->bca[0],   r->bca[1], r->calibrated[0], r->calibrated[1]};
    memcpy(value, all, sizeof all);
}

static report_table *make_table(const mest_job *job, const mest_bootstrap *r, bool exact)
{
    int columns = isfinite(r->row[0].calibrated[0]) ? COLUMNS : COLUMNS - 2;
    report_table *table = table_new(columns, exact ? csv_heading : heading);
    bool ok = table != NULL;
    for (int j = 0; ok && j < r->q; j++) {
        char cell[COLUMNS][AM_NUMBER_TEXT];
        const char *row[COLUMNS] = {job->data.name[j]};
        double value[COLUMNS - 1];
        row_values(&r->row[j], value);
        for (int c = 1; c < columns; c++) {
            if (exact)
                mest_cell(value[c - 1], cell[c]);
            else
                snprintf(cell[c], sizeof cell[c], "%.4g", value[c - 1]);
            row[c] = cell[c];
        }
        ok = table_row(table, row);
    }
    if (ok)
        return table;
    table_free(table);
    return NULL;
}

static void print_notes(const mest_job *job, const mest_bootstrap *r)
{
    const mest_setup *s = &job->setup;
    printf("\n%.4g %% intervals from %d draws of %d %s block weights", 100.0 * s->level, r->draws,
           s->blocks, job->set->weights);
    if (r->lambda > 0)
        printf(", λ = %.4g", r->lambda);
    printf("\nestimate: certificate %.1e\n", r->certificate.residual);
    if (!s->refit)
        printf("draws: %lld by the generator, %lld refitted exactly\n",
               (long long)(r->account.draws - r->account.refits), (long long)r->account.refits);
    if (r->account.failed > 0)
        printf("%lld refits did not converge and keep their last point\n",
               (long long)r->account.failed);
    if (r->audit.refits > 0)
        printf("audit: %d exact refits; ends of the intervals differ by %.2g %% of the width at "
               "most, %.2g %% on average\n",
               r->audit.refits, 100.0 * r->audit.worst_end, 100.0 * r->audit.mean_end);
}

/* The answer to ω as a row of the shared table. */
static exact_fidelities answers_of(const mest_job *job, const mest_bootstrap *r,
                                   exact_fidelity *row)
{
    bool logistic = job->setup.loss.kind == CLASSIC_LOGISTIC;
    *row = (exact_fidelity){"generator", "generator", r->lambda > 0 ? r->lambda : (double)NAN,
                            r->audit.answer};
    return (exact_fidelities){.parameter = "λ",
                              .key = "lambda",
                              .what = logistic ? "fitted probabilities" : "fitted values",
                              .row = row,
                              .count = 1};
}

static am_status print_answer(const mest_job *job, const mest_bootstrap *r, am_error *err)
{
    exact_fidelity row;
    const exact_fidelities answers = answers_of(job, r, &row);
    return r->audit.refits > 0 ? output_fidelity_table(&answers, err) : AM_OK;
}

/* ---- files ------------------------------------------------------------------------------------- */

static cJSON *document_of(const mest_job *job, const mest_bootstrap *r)
{
    cJSON *o = mest_document(job);
    json_number(o, "lambda", r->lambda > 0 ? r->lambda : NAN);
    json_number(o, "level", job->setup.level);
    json_number(o, "blocks", job->setup.blocks);
    cJSON_AddStringToObject(o, "weights", job->set->weights);
    cJSON *list = cJSON_AddArrayToObject(o, "coefficients");
    for (int j = 0; j < r->q; j++) {
        const mest_interval *row = &r->row[j];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", job->data.name[j]);
        json_number(item, "estimate", row->estimate);
        json_number(item, "se", row->se);
        cJSON_AddItemToObject(item, "percentile", mest_numbers(2, row->percentile));
        cJSON_AddItemToObject(item, "bca", mest_numbers(2, row->bca));
        if (isfinite(row->calibrated[0]))
            cJSON_AddItemToObject(item, "calibrated", mest_numbers(2, row->calibrated));
        json_number(item, "bias_correction", row->bias);
        json_number(item, "acceleration", row->acceleration);
        cJSON_AddItemToArray(list, item);
    }
    json_number(o, "certificate", r->certificate.residual);
    cJSON_AddItemToObject(o, "generator", mest_account_json(&r->account));
    if (r->audit.refits > 0) {
        cJSON *audit = cJSON_AddObjectToObject(o, "audit");
        json_number(audit, "refits", r->audit.refits);
        json_number(audit, "failed", r->audit.failed);
        json_number(audit, "worst_end", r->audit.worst_end);
        json_number(audit, "mean_end", r->audit.mean_end);
        json_number(audit, "rms", r->audit.rms);
        exact_fidelity row;
        const exact_fidelities answers = answers_of(job, r, &row);
        cJSON_AddItemToObject(audit, "fidelity", output_fidelity_json(&answers));
    }
    mest_add_seconds(o, &r->seconds);
    return o;
}

/* Every draw a row, every coefficient a column. */
static am_status write_draws(const mest_job *job, const mest_bootstrap *r, const char *path,
                             am_error *err)
{
    const size_t q = (size_t)r->q, draws = (size_t)r->draws;
    double *value = am_alloc(q * draws, sizeof *value, "draws", err);
    csv_column *column = am_alloc(q, sizeof *column, "draws", err);
    am_status status = value && column ? AM_OK : AM_ERR_MEMORY;
    for (size_t j = 0; j < q && status == AM_OK; j++) {
        for (size_t m = 0; m < draws; m++)
            value[j * draws + m] = r->draw[m * q + j];
        column[j] = (csv_column){job->data.name[j], value + j * draws};
    }
    if (status == AM_OK)
        status = csv_write(path, column, r->q, r->draws, err);
    free(value);
    free(column);
    return status;
}

static am_status write_table(const mest_job *job, const mest_bootstrap *r, const char *path,
                             am_error *err)
{
    report_table *table = make_table(job, r, true);
    am_status status = table != NULL ? table_write_csv(table, path, err)
                                     : am_fail(err, AM_ERR_MEMORY, "%s: no memory", path);
    table_free(table);
    return status;
}

enum { KINDS = 3, PARTS = 3 }; /* of intervals; point, low, high */

/* Intervals for a change of one standard deviation of the column, so that they can share an axis. */
static am_status write_figure(const mest_job *job, const mest_bootstrap *r, const char *path,
                              am_error *err)
{
    static const char *const label[KINDS] = {"percentile", "BCa", "calibrated"};
    const mest_data *d = &job->data;
    const int first = d->intercept ? 1 : 0, names = d->q - first;
    const int kinds = isfinite(r->row[0].calibrated[0]) ? KINDS : KINDS - 1;
    double *value = am_alloc((size_t)names * KINDS * PARTS, sizeof *value, "figure", err);
    forest_series series[KINDS];
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (int k = 0; k < kinds; k++) {
        double *at = value + (size_t)k * PARTS * (size_t)names, *low = at + names,
               *high = low + names;
        for (int j = 0; j < names; j++) {
            const mest_interval *row = &r->row[first + j];
            const double *end = k == 0 ? row->percentile : k == 1 ? row->bca : row->calibrated;
            at[j] = row->estimate * d->sd[first + j];
            low[j] = end[0] * d->sd[first + j];
            high[j] = end[1] * d->sd[first + j];
        }
        series[k] = (forest_series){label[k], at, low, high};
    }
    char title[160];
    snprintf(title, sizeof title, "%.4g %% intervals, %.20s loss of '%.80s'",
             100.0 * job->setup.level, job->set->loss, d->label);
    am_status status = forest_write_svg(
        path, title,
        job->set->no_standardise ? "coefficient" : "change per standard deviation of the column",
        (const char *const *)d->name + first, names, series, kinds, err);
    free(value);
    return status;
}

static am_status write_files(const mest_job *job, const mest_bootstrap *r, am_error *err)
{
    static const struct {
        const char *name;
        am_status (*write)(const mest_job *job, const mest_bootstrap *r, const char *path,
                           am_error *err);
    } file[] = {{"coefficients.csv", write_table},
                {"draws.csv", write_draws},
                {"intervals.svg", write_figure}};
    am_status status = AM_OK;
    for (size_t i = 0; i < sizeof file / sizeof *file && status == AM_OK; i++) {
        char *path = output_path(job->set->out, file[i].name);
        status = path != NULL ? file[i].write(job, r, path, err)
                              : am_fail(err, AM_ERR_MEMORY, "%s: no memory", job->set->out);
        free(path);
    }
    return status;
}

am_status mest_bootstrap_command(mest_job *job, am_error *err)
{
    const int inner = strcmp(job->set->use, "double-bootstrap") == 0 ? (int)job->set->inner : 0;
    double lambda;
    mest_bootstrap r;
    AM_TRY(choose_lambda(job, &lambda, err));
    AM_TRY(mest_bootstrap_run(&job->setup, lambda, inner, &r, err));
    am_status status = AM_OK;
    report_table *table = make_table(job, &r, false);
    if (table == NULL)
        status = am_fail(err, AM_ERR_MEMORY, "results: out of memory; free some memory");
    if (status == AM_OK && !job->set->json) {
        mest_print_head(job);
        table_print(table, stdout);
        print_notes(job, &r);
        status = print_answer(job, &r, err);
    }
    table_free(table);
    if (status == AM_OK && job->set->out != NULL)
        status = write_files(job, &r, err);
    if (status == AM_OK)
        status = mest_finish(job, document_of(job, &r), err);
    mest_bootstrap_free(&r);
    return status;
}
