#include "cli/choosing.h"

#include "cli/output.h"
#include "train/names.h"

metric_kind choosing_metric(const settings *set)
{
    return set->metric != NULL ? (metric_kind)name_index(metric_names, set->metric) : METRIC_NLL;
}

select_kind choosing_rule(const settings *set)
{
    return set->select != NULL ? (select_kind)name_index(select_names, set->select) : SELECT_GRID;
}

am_status choose_lambda(session *s, const settings *set, selection *choice, am_error *err)
{
    if (!settings_given(set, "lambda")) {
        AM_TRY(choice_tuned(s, choosing_rule(set), choosing_metric(set), choice, err));
        if (output_alarm(choice)[0] != '\0')
            progress_note(set, "%s", output_alarm(choice));
        return AM_OK;
    }
    double lambda[AM_MAX_GROUPS];
    for (int i = 0; i < AM_MAX_GROUPS; i++)
        lambda[i] = set->lambda_low;
    return choice_given(s, lambda, choice, err);
}
