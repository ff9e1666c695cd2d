/* am_curve, am_tune. */
#include "api/choosing.h"
#include "api/model.h"
#include "api/options.h"
#include "train/names.h"

#include <assert.h>
#include <stdlib.h>

enum { MOST_POINTS = 10000, MOST_DRAWS = 10000 };

/* ---- curve ----------------------------------------------------------------------------------- */

void am_curve_options_default(am_curve_options *options, size_t size)
{
    am_curve_options defaults = {.points = 20, .draws = 50};
    options_hand_out(options, size, &defaults, sizeof defaults);
}

static am_status check_quantiles(const am_curve_options *o, am_error *err)
{
    if (o->quantiles < 0 || (o->quantiles > 0 && o->quantile == NULL))
        return am_fail(err, AM_ERR_USAGE, "am_curve: %d quantiles%s; give an array of that length",
                       o->quantiles, o->quantile == NULL ? " but no values" : "");
    for (int q = 0; q < o->quantiles; q++)
        if (!(o->quantile[q] >= 0 && o->quantile[q] <= 1))
            return am_fail(err, AM_ERR_USAGE, "am_curve: quantile %g; give numbers in 0..1",
                           o->quantile[q]);
    return AM_OK;
}

/* band (N, Q) of one metric. */
static am_status write_band(const tuning_curve *curve, const am_curve_options *o,
                            metric_kind metric, double *band, am_error *err)
{
    for (int i = 0; band != NULL && i < curve->points; i++)
        for (int q = 0; q < o->quantiles; q++)
            band[i * o->quantiles + q] = curve_quantile(curve, i, metric, o->quantile[q], err);
    return err->status;
}

am_status am_curve(am_model *model, const am_curve_options *options, double *lambda, am_metrics *at,
                   double *nll_band, double *accuracy_band, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    am_curve_options o;
    tuning_curve curve;
    session *s = &model->s;
    am_curve_options_default(&o, sizeof o);
    AM_TRY(options_take(&o, sizeof o, options, "am_curve_options", err));
    AM_TRY(options_int(o.points, "points", 2, MOST_POINTS, err));
    AM_TRY(options_int(o.draws, "draws", 0, MOST_DRAWS, err));
    AM_TRY(check_quantiles(&o, err));
    AM_TRY(model_need_data(model, err));
    bool band = o.quantiles > 0 && (nll_band != NULL || accuracy_band != NULL);
    AM_TRY(curve_compute(&s->g, &s->validation, o.points, band ? o.draws : 0, &curve, err));
    for (int i = 0; i < curve.points; i++) {
        if (lambda != NULL)
            lambda[i] = curve.lambda[i];
        if (at != NULL)
            at[i] = public_metrics(&curve.at[i]);
    }
    am_status status = write_band(&curve, &o, METRIC_NLL, nll_band, err);
    if (status == AM_OK)
        status = write_band(&curve, &o, METRIC_ACCURACY, accuracy_band, err);
    curve_free(&curve);
    return status;
}

/* ---- choice ---------------------------------------------------------------------------------- */

void am_tune_options_default(am_tune_options *options, size_t size)
{
    am_tune_options defaults = {.rule = select_names[SELECT_GRID],
                                .metric = metric_names[METRIC_NLL],
                                .points = 20,
                                .draws = 50};
    options_hand_out(options, size, &defaults, sizeof defaults);
}

/* best (N): shares of the draws. */
static am_status write_best(const tuning_curve *curve, metric_kind metric, double *best,
                            am_error *err)
{
    int *count = am_alloc((size_t)curve->points, sizeof *count, "curve", err);
    if (count == NULL)
        return AM_ERR_MEMORY;
    select_distribution(curve, metric, count);
    for (int i = 0; i < curve->points; i++)
        best[i] = curve->draws > 0 ? (double)count[i] / curve->draws : 0.0;
    free(count);
    return AM_OK;
}

static am_choice public_choice(const selection *s)
{
    static_assert((int)AM_CHOICE_GROUPS == (int)AM_MAX_GROUPS, "every group has its place");
    am_choice choice = {.groups = s->groups,
                        .value = s->value,
                        .derivative = s->derivative,
                        .edge_alarm = s->edge_alarm,
                        .flat_alarm = s->flat_alarm};
    for (int i = 0; i < s->groups; i++)
        choice.lambda[i] = s->lambda[i];
    return choice;
}

am_status am_tune(am_model *model, const am_tune_options *options, am_choice *choice, double *best,
                  am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    API_NEED(choice, "give a place for the answer");
    am_tune_options o;
    session *s = &model->s;
    am_tune_options_default(&o, sizeof o);
    AM_TRY(options_take(&o, sizeof o, options, "am_tune_options", err));
    AM_TRY(options_word(&o.rule, "grid", "select", select_names, NULL, err));
    AM_TRY(options_word(&o.metric, "nll", "metric", metric_names, NULL, err));
    AM_TRY(options_int(o.points, "points", 2, MOST_POINTS, err));
    AM_TRY(options_int(o.draws, "draws", 0, MOST_DRAWS, err));
    AM_TRY(model_need_data(model, err));
    select_kind rule = (select_kind)name_index(select_names, o.rule);
    metric_kind metric = (metric_kind)name_index(metric_names, o.metric);
    AM_TRY(choice_check_metric(s, metric, err));
    tuning_curve curve;
    selection chosen;
    AM_TRY(curve_compute(&s->g, &s->validation, o.points, best != NULL ? o.draws : 0, &curve, err));
    am_status status = select_lambda(&s->g, &s->validation, &curve, rule, metric, &chosen, err);
    if (status == AM_OK && best != NULL)
        status = write_best(&curve, metric, best, err);
    if (status == AM_OK)
        *choice = public_choice(&chosen);
    curve_free(&curve);
    return status;
}
