#include "cli/choosing.h"

#include <string.h>

metric_kind choosing_metric(const settings *set)
{
    return set->metric != NULL && strcmp(set->metric, "accuracy") == 0 ? METRIC_ACCURACY : METRIC_NLL;
}

select_kind choosing_rule(const settings *set)
{
    if (set->select != NULL && strcmp(set->select, "one-se") == 0)
        return SELECT_ONE_SE;
    return set->select != NULL && strcmp(set->select, "gradient") == 0 ? SELECT_GRADIENT
                                                                       : SELECT_GRID;
}

static am_status given_lambda(const session *s, const settings *set, selection *choice,
                              am_error *err)
{
    const generator_spec *spec = &s->record.spec;
    if (set->lambda_low < spec->lambda_low || set->lambda_low > spec->lambda_high)
        return am_fail(err, AM_ERR_USAGE,
                       "--lambda %g: outside the range %g:%g that the model was fitted on; fit it "
                       "again with a wider --lambda",
                       set->lambda_low, spec->lambda_low, spec->lambda_high);
    *choice = (selection){.point = -1, .groups = s->g.groups.count};
    for (int i = 0; i < choice->groups; i++)
        choice->lambda[i] = set->lambda_low;
    return AM_OK;
}

am_status choose_lambda(session *s, const settings *set, selection *choice, am_error *err)
{
    if (settings_given(set, "lambda"))
        return given_lambda(s, set, choice, err);
    enum { POINTS = 20 };
    tuning_curve curve;
    AM_TRY(curve_compute(&s->g, &s->validation, POINTS, 0, &curve, err));
    am_status status = select_lambda(&s->g, &s->validation, &curve, choosing_rule(set),
                                     choosing_metric(set), choice, err);
    curve_free(&curve);
    return status;
}
