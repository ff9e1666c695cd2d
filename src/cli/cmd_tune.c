/* amortune tune — choose λ on the validation rows; alarms; how sure the choice is. */
#include "cli/choosing.h"
#include "cli/output_choice.h"
#include "cli/terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --out NAME.json is a file for the JSON alone, anything else a folder. */
static bool out_is_file(const settings *set)
{
    return output_ends(set->out, ".json");
}

static am_status check_out(const settings *set, am_error *err)
{
    if (set->out == NULL)
        return AM_OK;
    return out_is_file(set) ? am_check_writable_file(set->out, err)
                            : am_check_writable(set->out, err);
}

static am_status write_results(const settings *set, const choice_result *r, am_error *err)
{
    if (set->out != NULL && !out_is_file(set)) {
        AM_TRY(output_choice_files(r, set->out, err));
        if (set->json)
            output_json(output_choice_json(r), stdout);
        return AM_OK;
    }
    return output_document(set, output_choice_json(r), err);
}

/* Chooses and reports; count (points) is room for the distribution of the best λ. */
static am_status choose(session *s, const settings *set, const tuning_curve *curve, int *count,
                        am_error *err)
{
    metric_kind metric = choosing_metric(set);
    /* the gradient rule follows the loss, whatever it began from */
    bool loss = metric == METRIC_NLL || choosing_rule(set) == SELECT_GRADIENT;
    choice_result r = {.curve = curve,
                       .data = s->record.data.name,
                       .rule = set->select,
                       .metric = set->metric,
                       .classes = s->record.spec.target.loss == LOSS_CROSS_ENTROPY,
                       .kind = loss ? METRIC_NLL : METRIC_ACCURACY,
                       .count = count,
                       .edges = NAN};
    AM_TRY(select_lambda(&s->g, &s->validation, curve, choosing_rule(set), metric, &r.choice, err));
    AM_TRY(select_lambda(&s->g, &s->validation, curve, SELECT_ONE_SE, metric, &r.one_se, err));
    select_distribution(curve, metric, count);
    if (curve->draws > 0)
        r.edges = (double)(count[0] + count[curve->points - 1]) / curve->draws;
    for (int i = 0; i < 3; i++)
        r.range[i] = select_quantile(curve, count, 0.05 + 0.45 * i);
    if (curve->draws == 0 && set->posterior_draws > 0)
        progress_note(set, "the generator does not see ω: how sure the choice is over draws of ω "
                           "needs a fit with --posterior implicit or --weights dirichlet");
    if (!set->json)
        output_choice_print(&r, stdout);
    if (set->plot)
        AM_TRY(output_choice_plot(&r, err));
    return write_results(set, &r, err);
}

am_status command_tune(const settings *set, am_error *err)
{
    AM_TRY(terminal_check(set, err));
    AM_TRY(check_out(set, err));
    session s = {0};
    tuning_curve curve = {0};
    int *count = am_alloc((size_t)set->points, sizeof *count, "curve", err);
    am_status status = count != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = session_model(&s, set, set->argument[0], (int)set->points, true, err);
    if (status == AM_OK)
        status = choice_check_metric(&s, choosing_metric(set), err);
    if (status == AM_OK)
        status = curve_compute(&s.g, &s.validation, (int)set->points, (int)set->posterior_draws,
                               &curve, err);
    if (status == AM_OK)
        status = choose(&s, set, &curve, count, err);
    free(count);
    curve_free(&curve);
    session_close(&s);
    return status;
}
