#include "api/choosing.h"

const char *const select_names[] = {"grid", "one-se", "gradient", NULL};
const char *const metric_names[] = {"nll", "accuracy", NULL};

am_status choice_check_metric(const session *s, metric_kind metric, am_error *err)
{
    if (metric == METRIC_ACCURACY && s->record.spec.target.loss == LOSS_SQUARED)
        return am_fail(err, AM_ERR_USAGE,
                       "--metric accuracy: the model is for regression; give "
                       "--metric nll");
    return AM_OK;
}

am_status choice_given(const session *s, const double *lambda, selection *choice, am_error *err)
{
    const generator_spec *spec = &s->record.spec;
    *choice = (selection){.point = -1, .groups = s->g.groups.count};
    for (int i = 0; i < choice->groups; i++) {
        if (!(lambda[i] >= spec->lambda_low && lambda[i] <= spec->lambda_high))
            return am_fail(err, AM_ERR_USAGE,
                           "--lambda %g: outside the range %g:%g that the model was fitted on; fit "
                           "it again with a wider --lambda",
                           lambda[i], spec->lambda_low, spec->lambda_high);
        choice->lambda[i] = lambda[i];
    }
    return AM_OK;
}

am_status choice_tuned(session *s, select_kind rule, metric_kind metric, selection *choice,
                       am_error *err)
{
    enum { POINTS = 20 };
    tuning_curve curve;
    AM_TRY(choice_check_metric(s, metric, err));
    AM_TRY(curve_compute(&s->g, &s->validation, POINTS, 0, &curve, err));
    am_status status = select_lambda(&s->g, &s->validation, &curve, rule, metric, choice, err);
    curve_free(&curve);
    return status;
}
