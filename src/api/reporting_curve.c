/* The tuning curve and the choice of λ, from documents or from the model. */
#include "api/reporting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 10, POINTS = 20, MOST_POINTS = 10000 };

static am_status allocate(report_curve *c, int points, am_error *err)
{
    double **column[COLUMNS] = {
        &c->lambda,       &c->nll,           &c->accuracy,  &c->nll_low,        &c->nll_high,
        &c->accuracy_low, &c->accuracy_high, &c->refit_nll, &c->refit_accuracy, &c->share};
    c->memory = am_alloc((size_t)points * COLUMNS, sizeof *c->memory, "curve", err);
    if (c->memory == NULL)
        return AM_ERR_MEMORY;
    c->points = points;
    for (int i = 0; i < points * COLUMNS; i++)
        c->memory[i] = NAN;
    for (int j = 0; j < COLUMNS; j++)
        *column[j] = c->memory + (ptrdiff_t)j * points;
    return AM_OK;
}

void report_curve_close(report_curve *c)
{
    free(c->memory);
    *c = (report_curve){0};
}

/* ---- from documents -------------------------------------------------------------------------------- */

/* The nearest point of the curve, −1 when it is farther than a rounding error. */
static int point_of(const report_curve *c, double lambda)
{
    for (int i = 0; i < c->points; i++)
        if (fabs(log(lambda / c->lambda[i])) < 1e-6)
            return i;
    return -1;
}

/* λ ascending and positive, or it is no curve. */
static bool is_curve(const cJSON *list)
{
    double before = 0;
    int count = 0;
    for (const cJSON *p = cJSON_IsArray(list) ? list->child : NULL; p != NULL; p = p->next) {
        double lambda = json_value_of(p, "lambda");
        if (!(lambda > before) || !isfinite(json_value_of(p, "val_nll")))
            return false;
        before = lambda;
        count++;
    }
    return count >= 2 && count <= MOST_POINTS;
}

static void read_points(report_curve *c, const cJSON *list)
{
    int i = 0;
    for (const cJSON *p = list->child; p != NULL; p = p->next, i++) {
        c->lambda[i] = json_value_of(p, "lambda");
        c->nll[i] = json_value_of(p, "val_nll");
        c->accuracy[i] = json_value_of(p, "val_acc");
        c->nll_low[i] = json_value_of(p, "val_nll_p05");
        c->nll_high[i] = json_value_of(p, "val_nll_p95");
        c->accuracy_low[i] = json_value_of(p, "val_acc_p05");
        c->accuracy_high[i] = json_value_of(p, "val_acc_p95");
    }
    c->classes = isfinite(c->accuracy[0]);
}

static void read_refits(report_curve *c, const cJSON *list)
{
    for (const cJSON *p = cJSON_IsArray(list) ? list->child : NULL; p != NULL; p = p->next) {
        double lambda = json_value_of(p, "lambda");
        int i = lambda > 0 ? point_of(c, lambda) : -1;
        if (i >= 0) {
            c->refit_nll[i] = json_value_of(p, "val_nll");
            c->refit_accuracy[i] = json_value_of(p, "val_acc");
        }
    }
}

/* The first of a list such as "lambda": [1e-4]. */
static double first_of(const cJSON *object, const char *key)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key);
    const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
    return item != NULL && cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void read_shares(report_curve *c, const cJSON *choice)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(choice, "best_over_draws");
    if (cJSON_GetArraySize(list) != c->points)
        return;
    int i = 0;
    for (const cJSON *p = list->child; p != NULL; p = p->next, i++)
        c->share[i] = cJSON_IsNumber(p) ? p->valuedouble : NAN;
    double draws = json_value_of(choice, "draws");
    c->draws = draws > 0 && draws <= 1e6 ? (int)draws : 0;
}

static void read_choice(report_curve *c, const report_results *r)
{
    const cJSON *from = r->choice != NULL ? r->choice : r->summary;
    c->chosen = json_value_of(r->summary, "lambda_selected");
    if (!isfinite(c->chosen))
        c->chosen = first_of(r->choice, "lambda");
    c->recorded = c->chosen > 0;
    c->one_se = first_of(r->choice, "one_se_lambda");
    c->metric = json_text(r->choice, "metric");
    c->rule = json_text(r->choice, "rule");
    c->edge_alarm = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(from, "edge_alarm"));
    c->flat_alarm = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(from, "flat_alarm"));
}

/* The least loss of the curve. */
static double best_of(const report_curve *c)
{
    int best = 0;
    for (int i = 1; i < c->points; i++)
        best = c->nll[i] < c->nll[best] ? i : best;
    return c->lambda[best];
}

am_status report_curve_read(const report_results *r, report_curve *c, am_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(r->summary, "curve");
    *c = (report_curve){.chosen = NAN, .one_se = NAN};
    read_choice(c, r);
    if (!is_curve(list))
        list = r->curve;
    if (!is_curve(list))
        return AM_OK;
    AM_TRY(allocate(c, cJSON_GetArraySize(list), err));
    read_points(c, list);
    read_refits(c, cJSON_GetObjectItemCaseSensitive(r->summary, "refits"));
    read_shares(c, r->choice);
    if (!(c->chosen > 0))
        c->chosen = best_of(c);
    return AM_OK;
}

/* ---- from the model -------------------------------------------------------------------------------- */

static void take_point(report_curve *c, const tuning_curve *curve, int i, am_error *err)
{
    c->lambda[i] = curve->lambda[i];
    c->nll[i] = curve->at[i].nll;
    c->accuracy[i] = curve->at[i].accuracy;
    c->nll_low[i] = curve_quantile(curve, i, METRIC_NLL, 0.05, err);
    c->nll_high[i] = curve_quantile(curve, i, METRIC_NLL, 0.95, err);
    if (!c->classes)
        return;
    c->accuracy_low[i] = curve_quantile(curve, i, METRIC_ACCURACY, 0.05, err);
    c->accuracy_high[i] = curve_quantile(curve, i, METRIC_ACCURACY, 0.95, err);
}

static am_status choose(session *s, const tuning_curve *curve, report_curve *c, am_error *err)
{
    selection grid, one_se;
    int count[POINTS];
    AM_TRY(select_lambda(&s->g, &s->validation, curve, SELECT_GRID, METRIC_NLL, &grid, err));
    AM_TRY(select_lambda(&s->g, &s->validation, curve, SELECT_ONE_SE, METRIC_NLL, &one_se, err));
    c->recorded = c->computed = true;
    c->chosen = grid.lambda[0];
    c->one_se = one_se.lambda[0];
    c->edge_alarm = grid.edge_alarm;
    c->flat_alarm = grid.flat_alarm;
    c->metric = "nll";
    c->rule = "grid";
    c->draws = curve->draws;
    select_distribution(curve, METRIC_NLL, count);
    for (int i = 0; i < curve->points && curve->draws > 0; i++)
        c->share[i] = (double)count[i] / curve->draws;
    return AM_OK;
}

am_status report_curve_compute(session *s, report_curve *c, am_error *err)
{
    tuning_curve curve;
    report_curve_close(c);
    AM_TRY(curve_compute(&s->g, &s->validation, POINTS, REPORT_DRAWS, &curve, err));
    c->classes = s->record.spec.target.loss == LOSS_CROSS_ENTROPY;
    am_status status = allocate(c, curve.points, err);
    for (int i = 0; i < curve.points && status == AM_OK; i++)
        take_point(c, &curve, i, err);
    if (status == AM_OK)
        status = choose(s, &curve, c, err);
    curve_free(&curve);
    return status;
}
