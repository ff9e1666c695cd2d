/* amortune mest --use stability and path. */
#include "cli/mest.h"

#include <math.h>
#include <stdlib.h>

static double *at(double *matrix, int q, int row, int column)
{
    return matrix + (size_t)column * (size_t)q + (size_t)row;
}

/* ---- stability --------------------------------------------------------------------------------- */

static am_status print_stability(const mest_job *job, const mest_stability *r, am_error *err)
{
    static const char *const heading[] = {"coefficient", "largest frequency", "stable"};
    report_table *table = table_new(3, heading);
    bool ok = table != NULL;
    for (int j = job->data.intercept ? 1 : 0; ok && j < r->q; j++) {
        char cell[AM_NUMBER_TEXT];
        snprintf(cell, sizeof cell, "%.3f", r->most[j]);
        ok =
            table_row(table, (const char *const[]){job->data.name[j], cell,
                                                   r->most[j] >= job->set->threshold ? "yes" : ""});
    }
    if (ok) {
        table_print(table, stdout);
        printf("\nfrequencies over %d halves of %d blocks, %d λ in %.3g:%.3g\n", job->setup.draws,
               job->setup.blocks, r->points, r->lambda[r->points - 1], r->lambda[0]);
        printf("columns selected anywhere on a path: %.1f on average", r->selected);
        if (isfinite(r->bound))
            printf("; false ones among the stable: at most %.2g expected", r->bound);
        printf("\n");
    }
    table_free(table);
    return ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "results: out of memory; free some memory");
}

static cJSON *stability_document(const mest_job *job, const mest_stability *r)
{
    cJSON *o = mest_document(job);
    json_number(o, "blocks", job->setup.blocks);
    json_number(o, "threshold", job->set->threshold);
    json_number(o, "selected", r->selected);
    json_number(o, "false_bound", r->bound);
    cJSON_AddItemToObject(o, "lambda", mest_numbers(r->points, r->lambda));
    cJSON *list = cJSON_AddArrayToObject(o, "coefficients");
    for (int j = job->data.intercept ? 1 : 0; j < r->q; j++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", job->data.name[j]);
        json_number(item, "largest_frequency", r->most[j]);
        cJSON_AddBoolToObject(item, "stable", r->most[j] >= job->set->threshold);
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddItemToObject(o, "generator", mest_account_json(&r->account));
    mest_add_seconds(o, &r->seconds);
    return o;
}

am_status mest_stability_command(mest_job *job, am_error *err)
{
    mest_stability r;
    AM_TRY(mest_job_grid(job, err));
    const double most_false = job->set->range_low > 0 ? INFINITY : 1.0;
    AM_TRY(mest_stability_run(&job->setup, job->set->threshold, most_false, (int)job->set->points,
                              job->lambda, &r, err));
    am_status status = AM_OK;
    if (!job->set->json) {
        mest_print_head(job);
        status = print_stability(job, &r, err);
    }
    if (status == AM_OK && job->set->out != NULL)
        status = mest_path_csv(job, r.points, r.lambda, 1, (const double *const[]){r.frequency},
                               (const char *const[]){""}, "frequencies.csv", err);
    if (status == AM_OK && job->set->out != NULL)
        status = mest_path_figure(job,
                                  &(mest_lines){.file = "stability.svg",
                                                .title = "Stability selection",
                                                .y_label = "selection frequency",
                                                .points = r.points,
                                                .lambda = r.lambda,
                                                .y = r.frequency},
                                  err);
    if (status == AM_OK)
        status = mest_finish(job, stability_document(job, &r), err);
    mest_stability_free(&r);
    return status;
}

/* ---- path -------------------------------------------------------------------------------------- */

/* The largest λ at which the coefficient is not 0; 0: never. */
static double enters(mest_path *r, int j)
{
    for (int i = 0; i < r->points; i++)
        if (*at(r->beta, r->q, j, i) != 0)
            return r->lambda[i];
    return 0.0;
}

static am_status print_path(const mest_job *job, mest_path *r, am_error *err)
{
    static const char *const heading[] = {"coefficient", "enters at λ", "at the least λ", "low",
                                          "high"};
    const int last = r->points - 1;
    report_table *table = table_new(5, heading);
    bool ok = table != NULL;
    for (int j = 0; ok && j < r->q; j++) {
        char cell[4][AM_NUMBER_TEXT];
        double entry = enters(r, j);
        snprintf(cell[0], sizeof cell[0], entry > 0 ? "%.3g" : "-", entry);
        snprintf(cell[1], sizeof cell[1], "%.4g", *at(r->beta, r->q, j, last));
        snprintf(cell[2], sizeof cell[2], "%.4g", *at(r->low, r->q, j, last));
        snprintf(cell[3], sizeof cell[3], "%.4g", *at(r->high, r->q, j, last));
        ok = table_row(
            table, (const char *const[]){job->data.name[j], cell[0], cell[1], cell[2], cell[3]});
    }
    if (ok) {
        table_print(table, stdout);
        printf("\n%d λ in %.3g:%.3g, worst certificate %.1e; %.4g %% bands of %d draws\n",
               r->points, r->lambda[last], r->lambda[0], r->residual, 100.0 * job->setup.level,
               job->setup.draws);
    }
    table_free(table);
    return ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "results: out of memory; free some memory");
}

static cJSON *path_document(const mest_job *job, const mest_path *r)
{
    cJSON *o = mest_document(job);
    const size_t points = (size_t)r->points, q = (size_t)r->q;
    const struct {
        const char *key;
        const double *from;
    } part[] = {{"beta", r->beta}, {"low", r->low}, {"high", r->high}};
    json_number(o, "level", job->setup.level);
    json_number(o, "blocks", job->setup.blocks);
    cJSON_AddStringToObject(o, "weights", job->set->weights);
    cJSON_AddItemToObject(o, "lambda", mest_numbers(r->points, r->lambda));
    cJSON *list = cJSON_AddArrayToObject(o, "coefficients");
    for (size_t j = 0; j < q; j++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", job->data.name[j]);
        for (int k = 0; k < 3; k++) {
            cJSON *values = cJSON_AddArrayToObject(item, part[k].key);
            for (size_t i = 0; i < points; i++)
                cJSON_AddItemToArray(values, cJSON_CreateNumber(part[k].from[i * q + j]));
        }
        cJSON_AddItemToArray(list, item);
    }
    json_number(o, "certificate", r->residual);
    cJSON_AddItemToObject(o, "generator", mest_account_json(&r->account));
    mest_add_seconds(o, &r->seconds);
    return o;
}

am_status mest_path_command(mest_job *job, am_error *err)
{
    mest_path r;
    AM_TRY(mest_job_grid(job, err));
    AM_TRY(mest_path_run(&job->setup, (int)job->set->points, job->lambda, &r, err));
    am_status status = AM_OK;
    if (!job->set->json) {
        mest_print_head(job);
        status = print_path(job, &r, err);
    }
    if (status == AM_OK && job->set->out != NULL)
        status = mest_path_csv(job, r.points, r.lambda, 3,
                               (const double *const[]){r.beta, r.low, r.high},
                               (const char *const[]){"", "_low", "_high"}, "path.csv", err);
    if (status == AM_OK && job->set->out != NULL)
        status = mest_path_figure(job,
                                  &(mest_lines){.file = "path.svg",
                                                .title = "Coefficients along λ",
                                                .y_label = "change per standard deviation",
                                                .points = r.points,
                                                .lambda = r.lambda,
                                                .y = r.beta,
                                                .low = r.low,
                                                .high = r.high,
                                                .scale = !job->set->no_standardise},
                                  err);
    if (status == AM_OK)
        status = mest_finish(job, path_document(job, &r), err);
    mest_path_free(&r);
    return status;
}
