#include "cli/experiments/ridge.h"

#include "cli/experiments/cells.h"
#include "cli/output.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

static const char *const method_name[METHODS] = {
    "GCV", "5-fold CV, exact", "amortized CV, as published", "amortized CV, Chebyshev features",
    "amortized CV, rational Krylov"};
static const char *const method_key[METHODS] = {"gcv", "cv", "amortized", "chebyshev", "generator"};

/* Table 2 of the publication, on the reference data. */
static const struct {
    double lambda, test_mse;
} published[METHODS] = {
    {0.04141406402, 1.46266926}, {0.04749287751, 1.449783702}, {0.02746034262, 1.49973147}};

static double lambda_of(const ridge_result *r, ridge_method m)
{
    return r->lambda[r->run.by[m].choice];
}

/* |a/b − 1|; 0 when both are 0, as for y = 0. */
static double relative_gap(double a, double b)
{
    return a == b ? 0.0 : fabs(a - b) / fabs(b);
}

/* Largest relative difference of a curve from its column of expected_curves.csv. */
static double expected_gap(const ridge_result *r, ridge_method m)
{
    double gap = 0.0;
    for (int i = 0; i < POINTS; i++) {
        double expected = r->data.expected[linalg_at(i, (int)m + 1, POINTS)];
        gap = fmax(gap, relative_gap(r->run.by[m].curve[i], expected));
    }
    return gap;
}

static double curve_gap(const ridge_result *r, ridge_method m)
{
    double gap = 0.0;
    for (int i = 0; i < POINTS; i++)
        gap = fmax(gap, relative_gap(r->run.by[m].curve[i], r->run.by[BY_CV].curve[i]));
    return gap;
}

/* ---- tables ------------------------------------------------------------------------------------ */

static am_status print_choices(const ridge_result *r, am_error *err)
{
    bool reference = r->data.expected != NULL;
    cells t = cells_open(reference ? "|λ|test MSE|steps from CV|curve's gap|published λ|test MSE"
                                   : "|λ|test MSE|steps from CV|curve's gap");
    for (int m = 0; m < METHODS; m++) {
        const ridge_choice *c = &r->run.by[m];
        char gap[32] = "-", last[64] = "";
        if (m > BY_CV)
            (void)snprintf(gap, sizeof gap, "%.1e", curve_gap(r, (ridge_method)m));
        if (reference && published[m].lambda > 0)
            (void)snprintf(last, sizeof last, "|%.8f|%.6f", published[m].lambda,
                           published[m].test_mse);
        cells_row(&t, "%s|%.8f|%.6f|%d|%s%s", method_name[m], lambda_of(r, (ridge_method)m),
                  c->test_mse, c->choice - r->run.by[BY_CV].choice, gap, last);
    }
    AM_TRY(cells_print(&t, err));
    printf("(gap: largest relative difference from the exact CV curve)\n");
    if (reference)
        printf("\nlargest relative difference from expected_curves.csv: GCV %.1e, CV %.1e, "
               "amortized CV %.1e\n",
               expected_gap(r, BY_GCV), expected_gap(r, BY_CV), expected_gap(r, BY_AMORTIZED));
    return AM_OK;
}

static am_status print_costs(const ridge_result *r, am_error *err)
{
    const ridge_run *run = &r->run;
    double krylov = run->by[BY_GENERATOR].seconds;
    printf("\ncost of the curve: %d λ, p = %d\n", POINTS, r->data.train.p);
    cells t = cells_open("|ms|Krylov is faster by");
    for (int m = 0; m < METHODS; m++)
        cells_row(&t, "%s|%.3f|%.1f ×", method_name[m], 1e3 * run->by[m].seconds,
                  run->by[m].seconds / krylov);
    cells_row(&t, "%s|%.3f|%.1f ×", "5-fold CV by refits", 1e3 * run->refit_seconds,
              run->refit_seconds / krylov);
    AM_TRY(cells_print(&t, err));
    printf("\ncost along p (n = 15/4·p, 5 folds, %d λ): one eigendecomposition a fold, a "
           "factorisation\nfor every λ, and the rational Krylov generator\n",
           POINTS);
    t = cells_open("p|eigen ms|refits ms|Krylov ms|eigen / Krylov|refits / Krylov|curve's gap");
    for (int i = 0; i < SPEEDS; i++) {
        const ridge_speed *s = &r->speed[i];
        cells_row(&t, "%d|%.3f|%.3f|%.3f|%.1f|%.1f|%.1e", s->p, 1e3 * s->exact, 1e3 * s->refits,
                  1e3 * s->generator, s->exact / s->generator, s->refits / s->generator,
                  s->curve_error);
    }
    return cells_print(&t, err);
}

static am_status print_study(const ridge_result *r, am_error *err)
{
    printf("\n%d simulated data sets (n = 300, p = 80, 8 coefficients 1, ρ = 0.2, σ = 1): mean ± "
           "se\n",
           r->replications);
    cells t = cells_open("|test MSE|excess over CV, mean|most|steps from CV, mean|most");
    for (int m = 0; m < METHODS; m++) {
        ridge_study s = ridge_study_of(r, (ridge_method)m);
        cells_row(&t, "%s|%s|%+.3f %%|%.3f %%|%.2f|%d", method_name[m],
                  estimate_print(s.mse, 4).text, 100 * s.excess_mean, 100 * s.excess_most,
                  s.steps_mean, s.steps_most);
    }
    return cells_print(&t, err);
}

/* ---- summary.json ------------------------------------------------------------------------------ */

static void add_choices(cJSON *o, const ridge_result *r)
{
    for (int m = 0; m < METHODS; m++) {
        cJSON *item = cJSON_AddObjectToObject(o, method_key[m]);
        json_number(item, "lambda", lambda_of(r, (ridge_method)m));
        json_number(item, "test_mse", r->run.by[m].test_mse);
        json_number(item, "seconds", r->run.by[m].seconds);
        if (r->data.expected != NULL && m <= BY_AMORTIZED)
            json_number(item, "expected_gap", expected_gap(r, (ridge_method)m));
        if (m > BY_CV)
            json_number(item, "curve_gap", curve_gap(r, (ridge_method)m));
    }
    json_number(o, "refit_seconds", r->run.refit_seconds);
    cJSON *curves = cJSON_AddArrayToObject(o, "curves");
    for (int i = 0; i < POINTS; i++) {
        cJSON *point = cJSON_CreateObject();
        json_number(point, "lambda", r->lambda[i]);
        for (int m = 0; m < METHODS; m++)
            json_number(point, method_key[m], r->run.by[m].curve[i]);
        cJSON_AddItemToArray(curves, point);
    }
}

static void add_study(cJSON *o, const ridge_result *r)
{
    cJSON *study = cJSON_AddObjectToObject(o, "simulated");
    json_number(study, "replications", r->replications);
    for (int m = 0; m < METHODS; m++) {
        ridge_study s = ridge_study_of(r, (ridge_method)m);
        cJSON *item = cJSON_AddObjectToObject(study, method_key[m]);
        json_number(item, "test_mse_mean", s.mse.mean);
        json_number(item, "test_mse_se", s.mse.se);
        json_number(item, "excess_mean", s.excess_mean);
        json_number(item, "excess_most", s.excess_most);
        json_number(item, "steps_mean", s.steps_mean);
        json_number(item, "steps_most", s.steps_most);
    }
    cJSON *sizes = cJSON_AddArrayToObject(o, "sizes");
    for (int i = 0; i < SPEEDS; i++) {
        const ridge_speed *s = &r->speed[i];
        cJSON *item = cJSON_CreateObject();
        json_number(item, "n", s->n);
        json_number(item, "p", s->p);
        json_number(item, "eigen_seconds", s->exact);
        json_number(item, "refit_seconds", s->refits);
        json_number(item, "generator_seconds", s->generator);
        json_number(item, "curve_gap", s->curve_error);
        cJSON_AddItemToArray(sizes, item);
    }
}

static cJSON *summary(const settings *set, const ridge_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "experiment", "ridge");
    cJSON_AddStringToObject(o, "data", set->reference != NULL ? set->reference : "simulated");
    json_number(o, "seed", (double)set->seed);
    cJSON_AddStringToObject(o, "version", AM_VERSION);
    json_number(o, "n", r->data.train.n);
    json_number(o, "p", r->data.train.p);
    json_number(o, "folds", r->data.folds);
    add_choices(o, r);
    const exact_fidelities answers = ridge_fidelities(r);
    cJSON_AddItemToObject(o, "fidelity", output_fidelity_json(&answers));
    add_study(o, r);
    json_number(o, "seconds", r->total_seconds);
    return o;
}

am_status ridge_report(const settings *set, const ridge_result *r, const char *folder,
                       am_error *err)
{
    cJSON *document = summary(set, r);
    am_status status = output_summary(document, folder, err);
    if (status == AM_OK)
        status = ridge_files(r, folder, err);
    if (set->json && status == AM_OK) {
        output_json(document, stdout);
        return AM_OK;
    }
    cJSON_Delete(document);
    AM_TRY(status);
    AM_TRY(print_choices(r, err));
    const exact_fidelities answers = ridge_fidelities(r);
    AM_TRY(output_fidelity_table(&answers, err));
    printf("(Krylov: two factorisations for every ω, then all λ; the other two are linear in ω)\n");
    AM_TRY(print_study(r, err));
    AM_TRY(print_costs(r, err));
    printf("\nwritten to %s: summary.json, curves.csv, simulated.csv, curves.svg\n", folder);
    return AM_OK;
}
