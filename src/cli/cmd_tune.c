/* amortune tune — choose λ on the validation rows; alarms; how sure the choice is. */
#include "cli/choosing.h"
#include "cli/output.h"

#include <stdlib.h>

static void print_distribution(const tuning_curve *curve, const int *count)
{
    if (curve->draws == 0)
        return;
    printf("\nbest λ over %d draws of the weights (unaudited):\n", curve->draws);
    for (int i = 0; i < curve->points; i++)
        if (count[i] > 0)
            printf("  %.2e  %3.0f %%\n", curve->lambda[i], 100.0 * count[i] / curve->draws);
}

static cJSON *choice_json(const settings *set, const tuning_curve *curve, const selection *choice,
                          const int *count)
{
    cJSON *o = output_selection_json(choice);
    cJSON_AddStringToObject(o, "rule", set->select);
    cJSON_AddStringToObject(o, "metric", set->metric);
    cJSON *best = cJSON_AddArrayToObject(o, "best_over_draws");
    for (int i = 0; curve->draws > 0 && i < curve->points; i++)
        cJSON_AddItemToArray(best, cJSON_CreateNumber((double)count[i] / curve->draws));
    return o;
}

static void print_choice(const settings *set, const tuning_curve *curve, const selection *choice,
                         const int *count)
{
    const char *alarm = output_alarm(choice);
    /* the gradient rule follows the loss, whatever it began from */
    bool loss = choosing_metric(set) == METRIC_NLL || choosing_rule(set) == SELECT_GRADIENT;
    printf("chosen");
    output_lambda(choice, stdout);
    printf("   (%s by validation %s, value %.4f)\n", set->select, loss ? "loss" : "accuracy",
           choice->value);
    if (alarm[0] != '\0')
        printf("%s\n", alarm);
    print_distribution(curve, count);
}

/* Chooses and reports; count (points) is room for the distribution of the best λ. */
static am_status choose(session *s, const settings *set, const tuning_curve *curve, int *count,
                        am_error *err)
{
    selection choice;
    AM_TRY(select_lambda(&s->g, &s->validation, curve, choosing_rule(set), choosing_metric(set),
                         &choice, err));
    select_distribution(curve, choosing_metric(set), count);
    if (!set->json)
        print_choice(set, curve, &choice, count);
    return output_document(set, choice_json(set, curve, &choice, count), err);
}

am_status command_tune(const settings *set, am_error *err)
{
    if (set->out != NULL)
        AM_TRY(am_check_writable_file(set->out, err));
    session s = {0};
    tuning_curve curve = {0};
    int *count = am_alloc((size_t)set->points, sizeof *count, "curve", err);
    am_status status = count != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = session_model(&s, set, set->argument[0], (int)set->points, true, err);
    if (status == AM_OK)
        status = choice_check_metric(&s, choosing_metric(set), err);
    if (status == AM_OK)
        status = curve_compute(&s.g, &s.validation, (int)set->points, 50, &curve, err);
    if (status == AM_OK)
        status = choose(&s, set, &curve, count, err);
    free(count);
    curve_free(&curve);
    session_close(&s);
    return status;
}
