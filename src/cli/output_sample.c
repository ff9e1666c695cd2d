#include "cli/output_sample.h"

#include <math.h>
#include <stdlib.h>

/* ---- for people ------------------------------------------------------------------------------ */

enum { OOD_COLUMNS = 7, CELL = 48 };

static report_table *ood_table(const sample_result *r, const char *const head[OOD_COLUMNS],
                               const char *format)
{
    report_table *table = table_new(OOD_COLUMNS, head);
    bool ok = table != NULL;
    for (int k = 0; ok && k < DOUBT_KINDS; k++) {
        const detection *d = &r->other.by[k];
        double own = 0.0, ood = 0.0;
        for (int64_t i = 0; i < r->n; i++)
            own += doubt_of(&r->row[i], (doubt_kind)k) / (double)r->n;
        for (int64_t i = 0; i < r->other.n; i++)
            ood += doubt_of(&r->other.row[i], (doubt_kind)k) / (double)r->other.n;
        double value[OOD_COLUMNS - 1] = {d->auroc, d->aupr_ood, d->aupr_own, d->fpr95, own, ood};
        char cell[OOD_COLUMNS - 1][CELL];
        const char *row[OOD_COLUMNS] = {doubt_name((doubt_kind)k)};
        for (int j = 0; j < OOD_COLUMNS - 1; j++) {
            (void)snprintf(cell[j], CELL, format, value[j]);
            row[j + 1] = cell[j];
        }
        ok = table_row(table, row);
    }
    if (ok)
        return table;
    table_free(table);
    return NULL;
}

static am_status print_other(const sample_result *r, FILE *stream, am_error *err)
{
    static const char *const head[OOD_COLUMNS] = {
        "score",           "AUROC",     "AUPR, OOD positive", "AUPR, own positive",
        "FPR at 95 % TPR", "mean, own", "mean, OOD"};
    (void)fprintf(stream,
                  "\nout of distribution: %s (%s rows, %lld) against the model's own %s (%s rows, "
                  "%lld)\nhigher scores mean more OOD, which is the positive class\n",
                  r->other.name, r->other.part, (long long)r->other.n, r->data, r->rows,
                  (long long)r->n);
    report_table *table = ood_table(r, head, "%.4f");
    if (table == NULL)
        return am_fail(err, AM_ERR_MEMORY, "table of the OOD scores: no memory");
    table_print(table, stream);
    table_free(table);
    return AM_OK;
}

am_status output_sample_print(const sample_result *r, FILE *stream, am_error *err)
{
    const posterior *p = &r->p;
    (void)fprintf(stream, "%d draws at", p->draws);
    output_lambda(&r->choice, stream);
    (void)fprintf(stream, ", on the %s rows (unaudited; %s)\n", r->rows,
                  p->from_generator ? "weights from the generator"
                                    : "short weighted refits from the generator");
    if (!r->classes) {
        (void)fprintf(stream, "single draws      squared error %.4f\n", p->nll_mean);
        return AM_OK;
    }
    (void)fprintf(stream, "predictive mean   accuracy %.4f   nll %.4f   brier %.4f   ece %.4f\n",
                  p->mean.accuracy, p->mean.nll, p->mean.brier, p->mean.ece);
    (void)fprintf(stream, "single draws      accuracy %.4f (sd %.4f)   nll %.4f\n",
                  p->accuracy_mean, p->accuracy_sd, p->nll_mean);
    (void)fprintf(stream,
                  "uncertainty       entropy %.4f nats, of which mutual information %.5f: what the "
                  "draws disagree on\n",
                  r->summary.entropy, r->summary.information);
    return r->has_other ? print_other(r, stream, err) : AM_OK;
}

/* ---- for machines ---------------------------------------------------------------------------- */

static cJSON *summary_json(const uncertainty_summary *s)
{
    cJSON *o = cJSON_CreateObject();
    json_number(o, "rows", (double)s->rows);
    json_number(o, "confidence", s->confidence);
    json_number(o, "entropy", s->entropy);
    json_number(o, "entropy_se", s->entropy_se);
    json_number(o, "expected_entropy", s->expected);
    json_number(o, "mutual_information", s->information);
    json_number(o, "mutual_information_se", s->information_se);
    return o;
}

static cJSON *data_json(const char *name, const char *rows, const uncertainty_summary *s)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "data", name);
    cJSON_AddStringToObject(o, "part", rows);
    cJSON_AddItemToObject(o, "uncertainty", summary_json(s));
    return o;
}

static cJSON *other_json(const sample_result *r)
{
    const other_data *other = &r->other;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "own", data_json(r->data, r->rows, &r->summary));
    cJSON_AddItemToObject(o, "ood", data_json(other->name, other->part, &other->summary));
    cJSON_AddStringToObject(o, "positive", "ood");
    cJSON *list = cJSON_AddArrayToObject(o, "scores");
    for (int k = 0; k < DOUBT_KINDS; k++) {
        cJSON *score = cJSON_CreateObject();
        cJSON_AddStringToObject(score, "score", doubt_name((doubt_kind)k));
        json_number(score, "auroc", other->by[k].auroc);
        json_number(score, "aupr_ood", other->by[k].aupr_ood);
        json_number(score, "aupr_own", other->by[k].aupr_own);
        json_number(score, "fpr95", other->by[k].fpr95);
        cJSON_AddItemToArray(list, score);
    }
    return o;
}

static cJSON *reliability_json(const metrics *m)
{
    reliability bins = reliability_of(m);
    cJSON *list = cJSON_CreateArray();
    for (int b = 0; b < AM_ECE_BINS; b++) {
        cJSON *o = cJSON_CreateObject();
        json_number(o, "low", bins.low[b]);
        json_number(o, "high", bins.high[b]);
        json_number(o, "rows", bins.rows[b]);
        json_number(o, "confidence", bins.confidence[b]);
        json_number(o, "accuracy", bins.accuracy[b]);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

cJSON *output_sample_json(const sample_result *r)
{
    const posterior *p = &r->p;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "lambda", output_lambda_json(&r->choice));
    json_number(o, "draws", p->draws);
    cJSON_AddBoolToObject(o, "audited", false);
    cJSON_AddStringToObject(o, "method", p->from_generator ? "generator" : "short weighted refits");
    cJSON_AddStringToObject(o, "rows", r->rows);
    cJSON_AddItemToObject(o, "predictive_mean", output_metrics_json(&p->mean));
    json_number(o, "draw_acc_mean", p->accuracy_mean);
    json_number(o, "draw_acc_sd", p->accuracy_sd);
    json_number(o, "draw_nll_mean", p->nll_mean);
    if (!r->classes)
        return o;
    cJSON_AddItemToObject(o, "uncertainty", summary_json(&r->summary));
    cJSON_AddItemToObject(o, "reliability", reliability_json(&p->mean));
    if (r->has_other)
        cJSON_AddItemToObject(o, "ood", other_json(r));
    return o;
}

/* ---- files ----------------------------------------------------------------------------------- */

static am_status write_draws(const sample_result *r, const char *path, am_error *err)
{
    const posterior *p = &r->p;
    double *value = am_alloc(2 * (size_t)p->draws, sizeof *value, "draws", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (int d = 0; d < p->draws; d++) {
        value[d] = p->draw[d].nll;
        value[p->draws + d] = p->draw[d].accuracy;
    }
    csv_column column[2] = {{"nll", value}, {"accuracy", value + p->draws}};
    am_status status = csv_write(path, column, 2, p->draws, err);
    free(value);
    return status;
}

static am_status write_rows(const row_uncertainty *row, int64_t n, const char *path, am_error *err)
{
    size_t rows = (size_t)n;
    double *value = am_alloc(4 * rows, sizeof *value, "uncertainty", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < rows; i++) {
        value[i] = row[i].confidence;
        value[rows + i] = row[i].entropy;
        value[2 * rows + i] = row[i].expected;
        value[3 * rows + i] = row[i].information;
    }
    csv_column column[4] = {{"confidence", value},
                            {"entropy", value + rows},
                            {"expected_entropy", value + 2 * rows},
                            {"mutual_information", value + 3 * rows}};
    am_status status = csv_write(path, column, 4, n, err);
    free(value);
    return status;
}

static am_status write_own(const sample_result *r, const char *path, am_error *err)
{
    return write_rows(r->row, r->n, path, err);
}

static am_status write_other(const sample_result *r, const char *path, am_error *err)
{
    return write_rows(r->other.row, r->other.n, path, err);
}

static am_status write_reliability(const sample_result *r, const char *path, am_error *err)
{
    reliability bins = reliability_of(&r->p.mean);
    csv_column column[5] = {{"low", bins.low},
                            {"high", bins.high},
                            {"rows", bins.rows},
                            {"confidence", bins.confidence},
                            {"accuracy", bins.accuracy}};
    return csv_write(path, column, 5, AM_ECE_BINS, err);
}

static am_status write_scores(const sample_result *r, const char *path, am_error *err)
{
    static const char *const head[OOD_COLUMNS] = {"score", "auroc",    "aupr_ood", "aupr_own",
                                                  "fpr95", "mean_own", "mean_ood"};
    report_table *table = ood_table(r, head, "%.9g");
    if (table == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory to write it", path);
    am_status status = table_write_csv(table, path, err);
    table_free(table);
    return status;
}

static am_status write_json(const sample_result *r, const char *path, am_error *err)
{
    return output_json_file(output_sample_json(r), path, err);
}

am_status output_sample_files(const sample_result *r, const char *folder, am_error *err)
{
    static const struct {
        const char *name;
        bool classes, other; /* needs them */
        am_status (*write)(const sample_result *r, const char *path, am_error *err);
    } file[] = {
        {"sample.json", false, false, write_json},
        {"draws.csv", false, false, write_draws},
        {"draws.npz", false, false, output_sample_npz},
        {"uncertainty.csv", true, false, write_own},
        {"reliability.csv", true, false, write_reliability},
        {"reliability.svg", true, false, output_reliability_svg},
        {"ood.csv", true, true, write_scores},
        {"ood_uncertainty.csv", true, true, write_other},
        {"ood.svg", true, true, output_ood_svg},
    };
    AM_TRY(am_make_folders(folder, err));
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        if ((file[i].classes && !r->classes) || (file[i].other && !r->has_other))
            continue;
        char *path = output_path(folder, file[i].name);
        if (path == NULL)
            return am_fail(err, AM_ERR_MEMORY, "%s: no memory to write it", file[i].name);
        am_status status = file[i].write(r, path, err);
        free(path);
        AM_TRY(status);
    }
    return AM_OK;
}
