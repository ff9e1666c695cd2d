/* The audit as JSON and CSV. */
#include "cli/output_audit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "key" and "key_se". */
static void put_estimate(cJSON *o, const char *key, estimate e)
{
    char error[64];
    (void)snprintf(error, sizeof error, "%s_se", key);
    json_number(o, key, e.value);
    json_number(o, error, e.se);
}

static void add_lines(cJSON *o, const audit_result *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "verdicts");
    for (int i = 0; i < r->lines; i++) {
        const audit_line *line = &r->line[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "property", line->property);
        cJSON_AddStringToObject(item, "verdict", audit_verdict_name(line->verdict));
        json_number(item, "value", line->value);
        json_number(item, "se", line->se);
        cJSON_AddStringToObject(item, "unit", line->unit);
        json_number(item, "lambda", line->lambda);
        cJSON_AddStringToObject(item, "rule", line->rule);
        if (line->note != NULL)
            cJSON_AddStringToObject(item, "note", line->note);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_curve(cJSON *o, const audit_curve *c)
{
    cJSON *curve = cJSON_AddObjectToObject(o, "curve");
    json_number(curve, "points", c->curve.points);
    json_number(curve, "refits_per_point", c->repeats);
    put_estimate(curve, "mean_acc_gap", c->acc_gap_mean);
    put_estimate(curve, "worst_acc_gap", c->acc_gap_worst);
    put_estimate(curve, "nll_gap_mean", c->nll_gap_mean);
    put_estimate(curve, "nll_gap_worst", c->nll_gap_worst);
    put_estimate(curve, "criterion_gap_mean", c->criterion_gap_mean);
    put_estimate(curve, "criterion_gap_worst", c->criterion_gap_worst);
    put_estimate(curve, "rank_correlation", c->rank_correlation);
    put_estimate(curve, "rank_correlation_acc", c->rank_correlation_acc);
    put_estimate(curve, "regret", c->regret);
    json_number(curve, "regret_acc", c->regret_acc);
    json_number(curve, "lambda_generator", c->curve.lambda[c->best]);
    json_number(curve, "lambda_refits", c->curve.lambda[c->refit_best]);
}

static void add_posterior(cJSON *o, const audit_result *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "posterior");
    for (int i = 0; i < r->lambdas; i++) {
        const audit_posterior *at = &r->at[i];
        cJSON *item = cJSON_CreateObject();
        json_number(item, "lambda", at->lambda);
        put_estimate(item, "spread_ratio", at->f.spread);
        put_estimate(item, "captured_signal", at->f.captured);
        put_estimate(item, "fidelity", at->f.fidelity);
        put_estimate(item, "reproducible_share", at->f.reproducible);
        put_estimate(item, "signal", at->f.signal);
        put_estimate(item, "total", at->f.total);
        put_estimate(item, "generator", at->f.generator);
        json_number(item, "predictive_nll", at->generator.nll);
        json_number(item, "predictive_ece", at->generator.ece);
        json_number(item, "refits_nll", at->refits.nll);
        json_number(item, "refits_nll_se", at->refits.nll_se);
        json_number(item, "refits_ece", at->refits.ece);
        if (at->f.note != NULL)
            cJSON_AddStringToObject(item, "note", at->f.note);
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddStringToObject(o, "posterior_method",
                            r->from_generator ? "generator" : "short weighted refits");
    cJSON_AddStringToObject(o, "posterior_weights",
                            r->sampled > 0 ? "those of the response" : "fresh");
    json_number(o, "draws", r->draws);
    json_number(o, "rows", (double)r->predicted);
}

static void add_rates(cJSON *o, const audit_rates *f)
{
    json_number(o, "refit_rate", f->rate[f->chosen]);
    cJSON *list = cJSON_AddArrayToObject(o, "rates");
    for (int i = 0; i < f->count; i++) {
        cJSON *item = cJSON_CreateObject();
        json_number(item, "rate", f->rate[i]);
        json_number(item, "val_nll", f->nll_mean[i]);
        json_number(item, "val_acc", f->accuracy_mean[i]);
        cJSON_AddBoolToObject(item, "tied", f->tied[i]);
        cJSON_AddItemToArray(list, item);
    }
}

cJSON *output_audit_json(const audit_result *r, const audit_cost *cost)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "verdict", audit_verdict_name(r->verdict));
    add_lines(o, r);
    add_curve(o, &r->curve);
    add_posterior(o, r);
    add_rates(o, &r->rates);
    cJSON *refits = cJSON_AddObjectToObject(o, "refits");
    json_number(refits, "count", r->refits);
    json_number(refits, "steps", (double)r->steps);
    json_number(refits, "from_cache", cost->found);
    json_number(refits, "seconds", cost->seconds);
    json_number(o, "seconds", r->seconds);
    return o;
}

/* ---- CSV ------------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 20 };

/* Rows of a CSV whose value at (row, column) a function gives. */
typedef double (*csv_value)(const audit_result *r, int row, int column);

static am_status write_csv(const audit_result *r, const char *path, const char *const *name,
                           int columns, int rows, csv_value at, am_error *err)
{
    csv_column column[MOST_COLUMNS];
    double *value = am_alloc((size_t)columns * (size_t)rows, sizeof *value, "audit", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (int j = 0; j < columns; j++) {
        column[j] = (csv_column){name[j], value + (size_t)j * (size_t)rows};
        for (int i = 0; i < rows; i++)
            value[j * rows + i] = at(r, i, j);
    }
    am_status status = csv_write(path, column, columns, rows, err);
    free(value);
    return status;
}

static const char *const curve_names[] = {
    "lambda",          "val_nll",       "val_acc",         "refit_nll",  "refit_acc",
    "nll_gap",         "nll_gap_se",    "acc_gap",         "acc_gap_se", "criterion",
    "refit_criterion", "criterion_gap", "criterion_gap_se"};

static double curve_value(const audit_result *r, int i, int column)
{
    const audit_curve *c = &r->curve;
    estimate nll = audit_gap(c, GAP_NLL, i), accuracy = audit_gap(c, GAP_ACCURACY, i);
    estimate criterion = audit_gap(c, GAP_CRITERION, i);
    const double value[] = {c->curve.lambda[i],
                            c->curve.at[i].nll,
                            c->curve.at[i].accuracy,
                            audit_refit_mean(c, i, METRIC_NLL),
                            audit_refit_mean(c, i, METRIC_ACCURACY),
                            nll.value,
                            nll.se,
                            accuracy.value,
                            accuracy.se,
                            c->criterion[i],
                            audit_refit_criterion(c, i),
                            criterion.value,
                            criterion.se};
    return value[column];
}

static const char *const posterior_names[] = {"lambda",
                                              "spread_ratio",
                                              "spread_ratio_se",
                                              "captured_signal",
                                              "captured_signal_se",
                                              "fidelity",
                                              "fidelity_se",
                                              "reproducible_share",
                                              "reproducible_share_se",
                                              "signal",
                                              "total",
                                              "generator",
                                              "predictive_nll",
                                              "refits_nll",
                                              "predictive_ece",
                                              "refits_ece"};

static double posterior_value(const audit_result *r, int i, int column)
{
    const audit_posterior *at = &r->at[i];
    const fidelity *f = &at->f;
    const double value[] = {
        at->lambda,         f->spread.value,   f->spread.se,      f->captured.value,
        f->captured.se,     f->fidelity.value, f->fidelity.se,    f->reproducible.value,
        f->reproducible.se, f->signal.value,   f->total.value,    f->generator.value,
        at->generator.nll,  at->refits.nll,    at->generator.ece, at->refits.ece};
    return value[column];
}

static const char *const rate_names[] = {"rate", "lambda", "val_nll", "val_acc"};

static double rate_value(const audit_result *r, int row, int column)
{
    const audit_rates *f = &r->rates;
    int i = row / AUDIT_RATE_LAMBDAS, l = row % AUDIT_RATE_LAMBDAS;
    const double value[] = {f->rate[i], f->lambda[l], f->nll[i][l], f->accuracy[i][l]};
    return value[column];
}

/* ---- files ----------------------------------------------------------------------------------- */

#define COLUMNS(names) (int)(sizeof(names) / sizeof *(names))

static am_status write_file(const audit_result *r, const cJSON *document, const char *title,
                            const char *name, const char *path, am_error *err)
{
    if (strcmp(name, "audit.json") == 0)
        return document != NULL ? json_write(path, document, err) : AM_OK;
    if (strcmp(name, "audit_curve.csv") == 0)
        return write_csv(r, path, curve_names, COLUMNS(curve_names), r->curve.curve.points,
                         curve_value, err);
    if (strcmp(name, "audit_posterior.csv") == 0)
        return write_csv(r, path, posterior_names, COLUMNS(posterior_names), r->lambdas,
                         posterior_value, err);
    if (strcmp(name, "audit_rates.csv") == 0)
        return write_csv(r, path, rate_names, COLUMNS(rate_names),
                         r->rates.count * AUDIT_RATE_LAMBDAS, rate_value, err);
    return output_audit_figure(r, name, title, path, err);
}

am_status output_audit_files(const audit_result *r, const cJSON *document, const char *title,
                             const char *folder, am_error *err)
{
    static const char *const names[] = {"audit.json",      "audit_curve.csv", "audit_posterior.csv",
                                        "audit_rates.csv", "audit_curve.svg", "audit_gap.svg",
                                        "audit_draws.svg", "audit_spread.svg"};
    AM_TRY(am_make_folders(folder, err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = am_format("%s/%s", folder, names[i]);
        if (path == NULL)
            return am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
        am_status status = write_file(r, document, title, names[i], path, err);
        free(path);
        AM_TRY(status);
    }
    return AM_OK;
}
