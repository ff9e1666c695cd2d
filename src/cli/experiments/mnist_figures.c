/* Files of experiment mnist beside its tables: the choice, calibration, training. */
#include "cli/experiments/mnist.h"

#include "cli/output_choice.h"
#include "cli/output_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static am_status write_choice(const settings *set, const mnist_result *r, const char *folder,
                              am_error *err)
{
    const tuning_curve *curve = &r->curve;
    /* the gradient rule follows the loss, whatever it began from */
    bool loss = strcmp(r->metric, "nll") == 0 || strcmp(set->select, "gradient") == 0;
    choice_result choice = {.curve = curve,
                            .data = r->dataset,
                            .rule = set->select,
                            .metric = r->metric,
                            .classes = true,
                            .kind = loss ? METRIC_NLL : METRIC_ACCURACY,
                            .choice = r->choice,
                            .one_se = r->one_se,
                            .count = r->count,
                            .edges = NAN};
    for (int i = 0; i < 3; i++)
        choice.range[i] = select_quantile(curve, r->count, 0.05 + 0.45 * i);
    if (curve->draws > 0)
        choice.edges = (double)(r->count[0] + r->count[curve->points - 1]) / curve->draws;
    return output_choice_files(&choice, folder, err);
}

/* Of the posterior's predictive mean. */
static am_status write_reliability(const session *s, const mnist_result *r, const char *folder,
                                   am_error *err)
{
    const char *rows;
    sample_result sample = {.choice = r->choice,
                            .p = r->post,
                            .data = r->dataset,
                            .rows = r->rows,
                            .classes = true,
                            .n = session_report_rows(s, &rows)->data.n};
    reliability bins = reliability_of(&r->post.mean);
    csv_column column[5] = {{"low", bins.low},
                            {"high", bins.high},
                            {"rows", bins.rows},
                            {"confidence", bins.confidence},
                            {"accuracy", bins.accuracy}};
    char *csv = output_path(folder, "reliability.csv");
    char *svg = output_path(folder, "reliability.svg");
    am_status status = csv && svg ? csv_write(csv, column, 5, AM_ECE_BINS, err)
                                  : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    if (status == AM_OK)
        status = output_reliability_svg(&sample, svg, err);
    free(csv);
    free(svg);
    return status;
}

static am_status write_history(const mnist_result *r, const char *folder, am_error *err)
{
    const fit_history *h = &r->history;
    double step[FIT_HISTORY];
    for (int i = 0; i < h->count; i++)
        step[i] = (double)h->step[i];
    csv_column column[2] = {{"step", step}, {"loss", h->loss}};
    chart_series line = {.label = "criterion", .count = h->count, .x = step, .y = h->loss};
    chart_panel panel = {.title = "Criterion, mean over the draws of λ",
                         .x_label = "step",
                         .y_label = "nats",
                         .series = &line,
                         .series_count = 1};
    char *csv = output_path(folder, "history.csv"), *svg = output_path(folder, "history.svg");
    am_status status = csv && svg ? csv_write(csv, column, 2, h->count, err)
                                  : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    if (status == AM_OK)
        status = chart_write_svg(svg, "Training of the generator", &panel, 1, err);
    free(csv);
    free(svg);
    return status;
}

am_status mnist_figures(const session *s, const settings *set, const mnist_result *r,
                        const char *folder, am_error *err)
{
    AM_TRY(write_choice(set, r, folder, err));
    if (r->post.draws > 0)
        AM_TRY(write_reliability(s, r, folder, err));
    return r->history.count > 1 ? write_history(r, folder, err) : AM_OK;
}

cJSON *mnist_history_json(const mnist_result *r)
{
    const fit_history *h = &r->history;
    cJSON *o = cJSON_CreateObject();
    cJSON *step = cJSON_AddArrayToObject(o, "step");
    for (int i = 0; i < h->count; i++)
        cJSON_AddItemToArray(step, cJSON_CreateNumber((double)h->step[i]));
    cJSON_AddItemToObject(o, "loss", cJSON_CreateDoubleArray(h->loss, h->count));
    return o;
}
