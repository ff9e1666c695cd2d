#include "cli/experiments/cells.h"
#include "cli/experiments/quantile.h"
#include "cli/output.h"

#include <math.h>
#include <stdlib.h>

static const char *const method_name[Q_METHODS] = {
    "check loss, interior point", "variance–mean envelope", "check loss, one-step response"};
static const char *const method_key[Q_METHODS] = {"check", "envelope", "one_step"};

/* ---- tables ------------------------------------------------------------------------------------ */

static am_status print_audit(const quantile_result *r, am_error *err)
{
    printf("generators against exact solves at %d fresh (ω, q, λ): criterion in excess of the "
           "minimum\n",
           Q_AUDITED);
    cells t = cells_open("trained by|ω = 1: mean|worst|under ω: mean|worst|captured|spread|"
                         "fidelity|training|per draw");
    for (int m = 0; m < Q_METHODS; m++) {
        const quantile_audit *a = &r->audit[m];
        const amortized_generator *g = &r->generator[m == BY_ENVELOPE];
        cells_row(&t, "%s|%.2f %%|%.2f %%|%.2f %%|%.2f %%|%.2f|%.2f|%.2f|%.2f s|%.1f µs",
                  method_name[m], 100 * a->excess_mean, 100 * a->excess_worst,
                  100 * a->weighted_mean, 100 * a->weighted_worst, a->captured, a->spread,
                  a->fidelity, g->seconds[0] + (m == BY_ONE_STEP ? 0 : g->seconds[1]),
                  1e6 * a->seconds);
    }
    AM_TRY(cells_print(&t, err));
    printf("(no response to ω at all: %.2f %% under ω. captured, spread, fidelity: what ω does to "
           "the curves\n against exact refits, ideal 1)\n",
           100 * r->no_response);
    return AM_OK;
}

static void print_exact(const quantile_result *r)
{
    const amortized_generator *g = &r->generator[BY_CHECK];
    double fit = g->seconds[0] + g->seconds[1];
    printf("\nexact solve: interior point %.2f ms, relative duality gap at most %.0e; envelope "
           "%.2f ms, at most %.0e above it\n"
           "break-even of training with weights: %.0f exact solves; of the tuning surface alone: "
           "%.0f\n",
           1e3 * r->exact_seconds, r->exact_gap, 1e3 * r->envelope_seconds,
           fmax(0, r->envelope_excess), fit / r->exact_seconds, g->seconds[0] / r->exact_seconds);
}

static bool keeps_bound(const quantile_result *r)
{
    return r->even[BY_CHECK].rate <= Q_CROSSING_BOUND &&
           r->even[BY_ENVELOPE].rate <= Q_CROSSING_BOUND;
}

static am_status print_crossing(const quantile_result *r, am_error *err)
{
    printf("\ncrossing: share of neighbouring curves (step 0.005 in q) in the wrong order, on %d "
           "places x, and by how much\n",
           Q_GRID);
    cells t = cells_open("|all λ, ω = 1|worst|chosen λ, ω = 1|worst|chosen λ, random ω|worst");
    for (int m = 0; m < Q_METHODS; m++) {
        const crossing *even = &r->even[m == BY_ENVELOPE], *at = &r->chosen[m == BY_ENVELOPE];
        cells_row(&t, "%s|%.2f %%|%.4f|%.2f %%|%.4f|%.2f %%|%.4f", method_name[m], 100 * even->rate,
                  even->worst, 100 * at->rate, at->worst, 100 * r->weighted[m].rate,
                  r->weighted[m].worst);
    }
    cells_row(&t, "exact solves, one by one|-|-|%.2f %%|%.4f|-|-", 100 * r->even_exact.rate,
              r->even_exact.worst);
    AM_TRY(cells_print(&t, err));
    printf("stated bound for the generator at ω = 1: %.0f %%, %s (sorting the curves along q "
           "removes the "
           "rest:\n Chernozhukov, Fernández-Val and Galichon 2010)\n",
           100 * Q_CROSSING_BOUND, keeps_bound(r) ? "kept" : "BROKEN");
    return AM_OK;
}

static bool is_edge(const quantile_result *r)
{
    return r->choice[1] == 0 || r->choice[1] == Q_LAMBDAS - 1;
}

static am_status print_curve(const quantile_result *r, am_error *err)
{
    printf("\nvalidation check loss, mean over q = 0.05, 0.10, …, 0.95\n");
    cells t = cells_open("lambda|exact|check loss|envelope|");
    for (int l = 0; l < Q_LAMBDAS; l++)
        cells_row(&t, "%.2e|%.5f|%.5f|%.5f|%s%s", r->lambda[l], r->validation[0][l],
                  r->validation[1][l], r->validation[2][l],
                  l == r->choice[0] ? "<- exact's choice " : "",
                  l == r->choice[1] ? "<- generator's choice" : "");
    AM_TRY(cells_print(&t, err));
    if (is_edge(r))
        printf("EDGE: the choice lies on the end of the range of λ\n");
    printf("curve of %d exact solves %.3f s, of the generator %.3f s\n"
           "distance from the true quantile curves at the generator's choice, root mean square: "
           "exact %.4f, generator %.4f\n",
           Q_LAMBDAS * Q_LEVELS, r->curve_seconds[0], r->curve_seconds[1], r->truth[0],
           r->truth[1]);
    return AM_OK;
}

/* ---- summary.json ------------------------------------------------------------------------------ */

static void add_method(cJSON *o, const quantile_result *r, int m)
{
    const quantile_audit *a = &r->audit[m];
    const amortized_generator *g = &r->generator[m == BY_ENVELOPE];
    cJSON *item = cJSON_AddObjectToObject(o, method_key[m]);
    json_number(item, "excess_mean", a->excess_mean);
    json_number(item, "excess_worst", a->excess_worst);
    json_number(item, "weighted_excess_mean", a->weighted_mean);
    json_number(item, "weighted_excess_worst", a->weighted_worst);
    json_number(item, "captured", a->captured);
    json_number(item, "spread", a->spread);
    json_number(item, "fidelity", a->fidelity);
    json_number(item, "seconds_training", g->seconds[0] + (m == BY_ONE_STEP ? 0 : g->seconds[1]));
    json_number(item, "seconds_per_draw", a->seconds);
    json_number(item, "crossing_rate", r->even[m == BY_ENVELOPE].rate);
    json_number(item, "crossing_worst", r->even[m == BY_ENVELOPE].worst);
    json_number(item, "crossing_rate_chosen", r->chosen[m == BY_ENVELOPE].rate);
    json_number(item, "crossing_rate_weighted", r->weighted[m].rate);
}

static cJSON *summary(const settings *set, const quantile_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "experiment", "quantile");
    cJSON_AddStringToObject(o, "version", AM_VERSION);
    json_number(o, "seed", (double)set->seed);
    json_number(o, "lambda_selected", r->lambda[r->choice[1]]);
    cJSON_AddBoolToObject(o, "edge_alarm", is_edge(r));
    json_number(o, "lambda_selected_exact", r->lambda[r->choice[0]]);
    cJSON *methods = cJSON_AddObjectToObject(o, "generator");
    for (int m = 0; m < Q_METHODS; m++)
        add_method(methods, r, m);
    json_number(o, "crossing_bound", Q_CROSSING_BOUND);
    cJSON_AddBoolToObject(o, "crossing_bound_kept", keeps_bound(r));
    cJSON *exact = cJSON_AddObjectToObject(o, "exact");
    json_number(exact, "gap_worst", r->exact_gap);
    json_number(exact, "seconds_per_solve", r->exact_seconds);
    json_number(exact, "seconds_per_envelope_solve", r->envelope_seconds);
    json_number(exact, "crossing_rate_chosen", r->even_exact.rate);
    json_number(exact, "truth_rmse", r->truth[0]);
    json_number(methods, "truth_rmse", r->truth[1]);
    cJSON *list = cJSON_AddArrayToObject(o, "curve");
    for (int l = 0; l < Q_LAMBDAS; l++) {
        cJSON *point = cJSON_CreateObject();
        json_number(point, "lambda", r->lambda[l]);
        json_number(point, "val_exact", r->validation[0][l]);
        json_number(point, "val_check", r->validation[1][l]);
        json_number(point, "val_envelope", r->validation[2][l]);
        cJSON_AddItemToArray(list, point);
    }
    cJSON *seconds = cJSON_AddObjectToObject(o, "seconds");
    json_number(seconds, "curve_exact", r->curve_seconds[0]);
    json_number(seconds, "curve_generator", r->curve_seconds[1]);
    json_number(seconds, "total", r->total_seconds);
    return o;
}

am_status quantile_report(const settings *set, const quantile_result *r, const char *folder,
                          am_error *err)
{
    cJSON *document = summary(set, r);
    am_status status = output_summary(document, folder, err);
    if (status == AM_OK)
        status = quantile_files(r, folder, err);
    if (status == AM_OK && set->json) {
        output_json(document, stdout);
        return AM_OK;
    }
    cJSON_Delete(document);
    AM_TRY(status);
    AM_TRY(print_audit(r, err));
    print_exact(r);
    AM_TRY(print_crossing(r, err));
    AM_TRY(print_curve(r, err));
    printf("\nin all %.2f s; written to %s: summary.json, curve.csv, quantiles.csv, curve.svg, "
           "quantiles.svg\n",
           r->total_seconds, folder);
    return AM_OK;
}
