#include "cli/experiments/cells.h"
#include "cli/experiments/svm.h"
#include "cli/output.h"

#include <math.h>
#include <stdlib.h>

static const char *const method_name[SVM_METHODS] = {
    "hinge loss, interior point", "data augmentation (EM)", "hinge loss, one-step response"};
static const char *const method_key[SVM_METHODS] = {"hinge", "augmentation", "one_step"};

static double training_seconds(const svm_result *r, int method)
{
    const amortized_generator *g = &r->generator[method == BY_AUGMENTATION];
    return g->seconds[0] + (method == BY_NEWTON ? 0 : g->seconds[1]);
}

/* ---- tables ------------------------------------------------------------------------------------ */

static am_status print_audit(const svm_result *r, am_error *err)
{
    printf("generators against exact solves at %d fresh (ω, λ): criterion in excess of the "
           "minimum\n",
           r->audited);
    cells t = cells_open("trained by|ω = 1: mean|worst|under ω: mean|worst|captured|spread|"
                         "fidelity|training|per draw");
    for (int m = 0; m < SVM_METHODS; m++) {
        const svm_audit *a = &r->audit[m];
        cells_row(&t, "%s|%.2f %%|%.2f %%|%.2f %%|%.2f %%|%.2f|%.2f|%.2f|%.2f s|%.1f µs",
                  method_name[m], 100 * a->excess_mean, 100 * a->excess_worst,
                  100 * a->weighted_mean, 100 * a->weighted_worst, a->captured, a->spread,
                  a->fidelity, training_seconds(r, m), 1e6 * a->seconds);
    }
    AM_TRY(cells_print(&t, err));
    printf("(no response to ω at all: %.2f %% under ω. captured, spread, fidelity: what ω does to "
           "the decision\n values of the %s rows against exact refits, ideal 1)\n"
           "exact solve: interior point %.1f ms, relative duality gap at most %.0e; EM %.1f ms, at "
           "most %.0e above it\n"
           "break-even of training with weights: %.0f exact solves; of the tuning curve alone: "
           "%.0f\n",
           100 * r->no_response, r->data.test_name, 1e3 * r->exact_seconds, r->exact_gap,
           1e3 * r->em_seconds, fmax(0, r->em_excess),
           training_seconds(r, BY_HINGE) / r->exact_seconds,
           r->generator[BY_HINGE].seconds[0] / r->exact_seconds);
    return AM_OK;
}

static am_status print_choices(const svm_result *r, am_error *err)
{
    char test[64];
    (void)snprintf(test, sizeof test, "choice of λ|λ|%s error|seconds", r->data.test_name);
    cells t = cells_open(test);
    cells_row(&t, "validation, exact solves|%.2e%s|%.2f %%|%.4f", r->lambda[r->choice[0]],
              r->edge[0] ? " (edge)" : "", 100 * r->test_error[0], r->curve_seconds[0]);
    cells_row(&t, "validation, generator|%.2e%s|%.2f %%|%.4f", r->lambda[r->choice[1]],
              r->edge[1] ? " (edge)" : "", 100 * r->test_error[1], r->curve_seconds[1]);
    cells_row(&t, "ECME|%.2e|%.2f %%|%.4f", r->ecme.lambda, 100 * r->ecme_test_error[0],
              r->ecme_seconds);
    cells_row(&t, "ECME along the generator|%.2e|%.2f %%|%.4f", r->ecme_amortized.lambda,
              100 * r->ecme_test_error[1], r->ecme_amortized_seconds);
    AM_TRY(cells_print(&t, err));
    if (r->separable <= 0)
        printf("(the training rows are separable: the penalty keeps the solution finite)\n");
    return AM_OK;
}

static am_status print_curve(const svm_result *r, am_error *err)
{
    cells t = cells_open("lambda|exact: val hinge|val error|generator: val hinge|val error");
    for (int l = 0; l < SVM_LAMBDAS; l++)
        cells_row(&t, "%.2e|%.4f|%.2f %%|%.4f|%.2f %%", r->lambda[l], r->loss[0][l],
                  100 * r->error[0][l], r->loss[1][l], 100 * r->error[1][l]);
    return cells_print(&t, err);
}

/* ---- summary.json ------------------------------------------------------------------------------ */

static void add_methods(cJSON *o, const svm_result *r)
{
    cJSON *methods = cJSON_AddObjectToObject(o, "generator");
    for (int m = 0; m < SVM_METHODS; m++) {
        const svm_audit *a = &r->audit[m];
        cJSON *item = cJSON_AddObjectToObject(methods, method_key[m]);
        json_number(item, "excess_mean", a->excess_mean);
        json_number(item, "excess_worst", a->excess_worst);
        json_number(item, "weighted_excess_mean", a->weighted_mean);
        json_number(item, "weighted_excess_worst", a->weighted_worst);
        json_number(item, "captured", a->captured);
        json_number(item, "spread", a->spread);
        json_number(item, "fidelity", a->fidelity);
        json_number(item, "seconds_training", training_seconds(r, m));
        json_number(item, "seconds_per_draw", a->seconds);
    }
    cJSON *exact = cJSON_AddObjectToObject(o, "exact");
    json_number(exact, "gap_worst", r->exact_gap);
    json_number(exact, "seconds_per_solve", r->exact_seconds);
    json_number(exact, "seconds_per_em", r->em_seconds);
    json_number(exact, "em_excess_worst", r->em_excess);
}

static void add_choice(cJSON *o, const char *key, double lambda, double error, double seconds)
{
    cJSON *item = cJSON_AddObjectToObject(o, key);
    json_number(item, "lambda", lambda);
    json_number(item, "test_error", error);
    json_number(item, "seconds", seconds);
}

static cJSON *part_summary(const svm_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "data", r->data.name);
    cJSON_AddStringToObject(o, "test_rows", r->data.test_name);
    json_number(o, "train", r->data.train.n);
    json_number(o, "columns", r->data.p);
    add_choice(o, "validation_exact", r->lambda[r->choice[0]], r->test_error[0],
               r->curve_seconds[0]);
    add_choice(o, "validation_generator", r->lambda[r->choice[1]], r->test_error[1],
               r->curve_seconds[1]);
    add_choice(o, "ecme", r->ecme.lambda, r->ecme_test_error[0], r->ecme_seconds);
    add_choice(o, "ecme_generator", r->ecme_amortized.lambda, r->ecme_test_error[1],
               r->ecme_amortized_seconds);
    add_methods(o, r);
    cJSON *list = cJSON_AddArrayToObject(o, "curve");
    for (int l = 0; l < SVM_LAMBDAS; l++) {
        cJSON *point = cJSON_CreateObject();
        json_number(point, "lambda", r->lambda[l]);
        json_number(point, "val_hinge_exact", r->loss[0][l]);
        json_number(point, "val_error_exact", r->error[0][l]);
        json_number(point, "val_hinge", r->loss[1][l]);
        json_number(point, "val_error", r->error[1][l]);
        cJSON_AddItemToArray(list, point);
    }
    return o;
}

static cJSON *summary(const settings *set, const svm_experiment *e)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "experiment", "svm");
    cJSON_AddStringToObject(o, "version", AM_VERSION);
    json_number(o, "seed", (double)set->seed);
    cJSON_AddItemToObject(o, "simulated", part_summary(&e->part[0]));
    cJSON_AddItemToObject(o, "images",
                          e->parts > 1 ? part_summary(&e->part[1]) : cJSON_CreateNull());
    json_number(cJSON_AddObjectToObject(o, "seconds"), "total", e->total_seconds);
    return o;
}

am_status svm_report(const settings *set, const svm_experiment *e, const char *folder,
                     am_error *err)
{
    cJSON *document = summary(set, e);
    am_status status = output_summary(document, folder, err);
    if (status == AM_OK)
        status = svm_files(e, folder, err);
    if (status == AM_OK && set->json) {
        output_json(document, stdout);
        return AM_OK;
    }
    cJSON_Delete(document);
    AM_TRY(status);
    for (int i = 0; i < e->parts; i++) {
        const svm_result *r = &e->part[i];
        printf("%s%s: %d training rows, %d columns\n\n", i > 0 ? "\n" : "", r->data.name,
               r->data.train.n, r->data.p);
        AM_TRY(print_choices(r, err));
        printf("\n");
        AM_TRY(print_audit(r, err));
        printf("\n");
        AM_TRY(print_curve(r, err));
    }
    printf("\nin all %.2f s; written to %s: summary.json, simulated.csv, simulated.svg%s\n",
           e->total_seconds, folder, e->parts > 1 ? ", images.csv, images.svg" : "");
    return AM_OK;
}
