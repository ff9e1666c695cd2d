/* Reports of experiment mnist: the table beside the published numbers, summary.json, CSV, figure. */
#include "cli/experiments/mnist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Published: the paper's table 3 (one run) and the authors' 20 replicates. */
typedef struct {
    double lambda, nll, accuracy;
} published_point;
static const published_point published_curve[] = {
    {1.0e-5, 0.1238, 0.9629}, {1.1e-4, 0.1173, 0.9623}, {1.3e-3, 0.1265, 0.9605},
    {1.4e-2, 0.2273, 0.9353}, {1.0e-1, 0.3336, 0.9085},
};
static const struct {
    double generator, generator_sd, refit, refit_sd, draws, draw_sd, fit, curve, one_refit;
} published = {0.9530, 0.0052, 0.9674, 0.0017, 0.9523, 0.0012, 124.0, 27.8, 35.3};

/* The published point at this λ of the 20-point grid, or NULL. */
static const published_point *published_at(double lambda)
{
    for (size_t i = 0; i < sizeof published_curve / sizeof *published_curve; i++)
        if (fabs(log(lambda / published_curve[i].lambda)) < 0.08)
            return &published_curve[i];
    return NULL;
}

static bool is_mnist(const mnist_result *r)
{
    return strcmp(r->dataset, "mnist") == 0;
}

/* The curve against the refits': accuracy (generator minus refits) and criterion gap
 * E(λ) = L(g)/L(refit) − 1 (METHOD §6), averaged over the points and at the worst of them. */
typedef struct {
    double accuracy_mean, accuracy_worst, criterion_mean, criterion_worst;
} curve_gaps;

static curve_gaps gaps_of(const mnist_result *r)
{
    int points = r->curve.points;
    curve_gaps g = {.accuracy_worst = INFINITY, .criterion_worst = -INFINITY};
    for (int i = 0; i < points; i++) {
        double accuracy = r->curve.at[i].accuracy - r->refit[i].accuracy;
        double criterion = r->criterion[i] / r->refit_criterion[i] - 1.0;
        g.accuracy_mean += accuracy / points;
        g.criterion_mean += criterion / points;
        g.accuracy_worst = fmin(g.accuracy_worst, accuracy);
        g.criterion_worst = fmax(g.criterion_worst, criterion);
    }
    return g;
}

/* ---- table ------------------------------------------------------------------------------------------ */

static am_status print_curve(const mnist_result *r, am_error *err)
{
    static const char *const head[] = {"lambda",    "val loss", "val acc",        "refit loss",
                                       "refit acc", "",         "published loss", "acc"};
    int columns = is_mnist(r) ? 8 : 6;
    report_table *table = table_new(columns, head);
    bool ok = table != NULL;
    for (int i = 0; ok && i < r->curve.points; i++) {
        char cell[8][32] = {{0}};
        const char *row[8];
        const published_point *p = published_at(r->curve.lambda[i]);
        snprintf(cell[0], 32, "%.2e", r->curve.lambda[i]);
        snprintf(cell[1], 32, "%.4f", r->curve.at[i].nll);
        snprintf(cell[2], 32, "%.4f", r->curve.at[i].accuracy);
        snprintf(cell[3], 32, "%.4f", r->refit[i].nll);
        snprintf(cell[4], 32, "%.4f", r->refit[i].accuracy);
        snprintf(cell[5], 32, "%s", i == r->choice.point ? "<- chosen" : "");
        if (p != NULL) {
            snprintf(cell[6], 32, "%.4f", p->nll);
            snprintf(cell[7], 32, "%.4f", p->accuracy);
        }
        for (int j = 0; j < 8; j++)
            row[j] = cell[j];
        ok = table_row(table, row);
    }
    if (ok)
        table_print(table, stdout);
    table_free(table);
    return ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "table of the experiment: no memory");
}

static void accuracy_line(const mnist_result *r, const char *what, double accuracy, double nll,
                          double reference, double sd)
{
    printf("  %-34s %.4f   loss %.4f", what, accuracy, nll);
    if (is_mnist(r))
        printf("   (published %.4f ± %.4f)", reference, sd);
    printf("\n");
}

static void print_gaps(const mnist_result *r)
{
    curve_gaps g = gaps_of(r);
    printf("\ngenerator minus refits (%d at each λ): accuracy %+.2f points on average, %+.2f at "
           "worst;\ntraining criterion %+.1f %% on average, %+.1f %% at worst\n",
           r->repeats, 100 * g.accuracy_mean, 100 * g.accuracy_worst, 100 * g.criterion_mean,
           100 * g.criterion_worst);
}

static void print_quality(const mnist_result *r)
{
    printf("\nchosen λ = %.3e\n", r->choice.lambda[0]);
    if (output_alarm(&r->choice)[0] != '\0')
        printf("%s\n", output_alarm(&r->choice));
    printf("\n%s accuracy at the chosen λ\n", r->rows);
    accuracy_line(r, "generator", r->generator_test.accuracy, r->generator_test.nll,
                  published.generator, published.generator_sd);
    accuracy_line(r, "refit from scratch", r->refit_test.accuracy, r->refit_test.nll,
                  published.refit, published.refit_sd);
    if (r->post.draws == 0)
        return;
    accuracy_line(r, r->audited ? "posterior draws, mean" : "posterior draws, mean (unaudited)",
                  r->post.accuracy_mean, r->post.nll_mean, published.draws, 0.0051);
    printf("  %-34s %.4f", r->audited ? "sd of the draws" : "sd of the draws (unaudited)",
           r->post.accuracy_sd);
    if (is_mnist(r))
        printf("                 (published %.4f)", published.draw_sd);
    printf("\n  %-34s %.4f   loss %.4f   ece %.4f\n",
           r->audited ? "posterior predictive" : "posterior predictive (unaudited)",
           r->post.mean.accuracy, r->post.mean.nll, r->post.mean.ece);
    if (!r->post.from_generator)
        printf(
            "  (the generator does not see ω: draws are weighted refits of %lld steps from it)\n",
            (long long)r->post.steps);
}

static void ledger_line(const char *what, double seconds, double reference, bool mnist)
{
    printf("  %-34s %8.3f s", what, seconds);
    if (mnist && reference > 0)
        printf("   (published %.1f s)", reference);
    printf("\n");
}

static void print_ledger(const mnist_result *r)
{
    const ledger *l = &r->ledger;
    bool mnist = is_mnist(r);
    printf("\nledger\n");
    ledger_line("fit of the generator", l->fit, published.fit, mnist);
    ledger_line("curve", l->curve, published.curve, mnist);
    if (l->response > 0)
        ledger_line("response to the weights", l->response, 0, mnist);
    ledger_line("posterior", l->posterior, 0, mnist);
    ledger_line("one refit from scratch", l->refit, published.one_refit, mnist);
    printf("  all %2d refits of the curve, batched  %6.3f s\n", l->points, l->refits_batched);
    printf("  break-even                         %8.2f refits", l->break_even);
    if (mnist)
        printf(" (published %.1f)", (published.fit + published.curve) / published.one_refit);
    printf("\n  speed-up of the curve over refits  %8.2f× one by one, %.2f× batched\n",
           l->speedup_one_by_one, l->speedup_batched);
    printf("  in all                             %8.3f s\n", r->total_seconds);
}

/* ---- summary.json -------------------------------------------------------------------------------------- */

static void add_test(cJSON *o, const mnist_result *r)
{
    cJSON *test = cJSON_AddObjectToObject(o, "test");
    bool draws = r->post.draws > 0;
    cJSON_AddStringToObject(test, "rows", r->rows);
    json_number(test, "generator_acc", r->generator_test.accuracy);
    json_number(test, "generator_nll", r->generator_test.nll);
    json_number(test, "refit_acc", r->refit_test.accuracy);
    json_number(test, "refit_nll", r->refit_test.nll);
    json_number(test, "posterior_acc", draws ? r->post.mean.accuracy : NAN);
    json_number(test, "posterior_nll", draws ? r->post.mean.nll : NAN);
    json_number(test, "posterior_ece", draws ? r->post.mean.ece : NAN);
    json_number(test, "draw_acc_mean", draws ? r->post.accuracy_mean : NAN);
    json_number(test, "draw_acc_sd", draws ? r->post.accuracy_sd : NAN);
    cJSON_AddStringToObject(test, "posterior_method",
                            !draws                   ? "none"
                            : r->post.from_generator ? "generator"
                                                     : "short weighted refits");
    cJSON_AddBoolToObject(test, "posterior_audited", r->audited);
}

static void add_costs(cJSON *o, const mnist_result *r)
{
    const ledger *l = &r->ledger;
    cJSON *seconds = cJSON_AddObjectToObject(o, "seconds");
    json_number(seconds, "data", r->data_seconds);
    json_number(seconds, "fit", l->fit);
    json_number(seconds, "response", l->response);
    json_number(seconds, "curve", l->curve);
    json_number(seconds, "posterior", r->post.draws > 0 ? l->posterior : NAN);
    json_number(seconds, "refit", l->refit);
    json_number(seconds, "refits_batched", l->refits_batched);
    json_number(seconds, "total", r->total_seconds);
    cJSON *costs = cJSON_AddObjectToObject(o, "ledger");
    json_number(costs, "break_even_refits", l->break_even);
    json_number(costs, "refits_compared", l->points);
    json_number(costs, "speedup_one_by_one", l->speedup_one_by_one);
    json_number(costs, "speedup_batched", l->speedup_batched);
}

static void add_curve(cJSON *o, const mnist_result *r)
{
    curve_gaps g = gaps_of(r);
    cJSON_AddItemToObject(o, "curve", output_curve_json(&r->curve));
    cJSON *refits = cJSON_AddArrayToObject(o, "refits");
    for (int i = 0; i < r->curve.points; i++) {
        cJSON *point = cJSON_CreateObject();
        json_number(point, "lambda", r->curve.lambda[i]);
        json_number(point, "val_nll", r->refit[i].nll);
        json_number(point, "val_acc", r->refit[i].accuracy);
        json_number(point, "criterion", r->refit_criterion[i]);
        json_number(point, "generator_criterion", r->criterion[i]);
        cJSON_AddItemToArray(refits, point);
    }
    if (r->audited) {
        cJSON_AddItemToObject(o, "audit", output_audit_json(&r->audit, &r->audit_cost));
        return;
    }
    cJSON *audit = cJSON_AddObjectToObject(o, "audit");
    json_number(audit, "refits_per_point", r->repeats);
    cJSON *gap = cJSON_AddObjectToObject(audit, "curve");
    json_number(gap, "mean_acc_gap", g.accuracy_mean);
    json_number(gap, "worst_acc_gap", g.accuracy_worst);
    json_number(gap, "criterion_gap_mean", g.criterion_mean);
    json_number(gap, "criterion_gap_worst", g.criterion_worst);
}

static cJSON *summary(const session *s, const settings *set, const mnist_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "experiment", "mnist");
    cJSON_AddStringToObject(o, "protocol", r->protocol);
    cJSON_AddStringToObject(o, "dataset", r->dataset);
    cJSON_AddStringToObject(o, "device", s->be->name);
    cJSON_AddStringToObject(o, "device_name", s->be->device);
    json_number(o, "threads", s->be->threads);
    cJSON_AddStringToObject(o, "precision", set->precision);
    json_number(o, "seed", (double)set->seed);
    cJSON_AddStringToObject(o, "version", AM_VERSION);
    cJSON_AddStringToObject(o, "plan", plan_name(r->plan));
    json_number(o, "steps", (double)r->fit.steps);
    json_number(o, "fit_loss", r->fit_loss);
    cJSON *rows = cJSON_AddObjectToObject(o, "rows");
    json_number(rows, "train", (double)s->data->train.n);
    json_number(rows, "validation", (double)s->data->validation.n);
    json_number(rows, "test", (double)s->data->test.n);
    cJSON_AddItemToObject(o, "history", mnist_history_json(r));
    json_number(o, "lambda_selected", r->choice.lambda[0]);
    cJSON_AddBoolToObject(o, "edge_alarm", r->choice.edge_alarm);
    cJSON_AddBoolToObject(o, "flat_alarm", r->choice.flat_alarm);
    add_curve(o, r);
    add_test(o, r);
    add_costs(o, r);
    return o;
}

/* ---- files ------------------------------------------------------------------------------------------------ */

static am_status write_refits(const mnist_result *r, const char *path, am_error *err)
{
    size_t points = (size_t)r->curve.points;
    double *value = am_alloc(2 * points, sizeof *value, "refits", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < points; i++) {
        value[i] = r->refit[i].nll;
        value[points + i] = r->refit[i].accuracy;
    }
    csv_column column[5] = {{"lambda", r->curve.lambda},
                            {"val_nll", value},
                            {"val_acc", value + points},
                            {"criterion", r->refit_criterion},
                            {"generator_criterion", r->criterion}};
    am_status status = csv_write(path, column, 5, r->curve.points, err);
    free(value);
    return status;
}

/* path NULL: in the terminal. */
static am_status draw_curve(const session *s, const mnist_result *r, const char *path,
                            am_error *err)
{
    refit_marks marks = {r->curve.points, r->curve.lambda, r->refit};
    bool classes = s->record.spec.target.loss == LOSS_CROSS_ENTROPY;
    char title[96];
    snprintf(title, sizeof title, "%s, protocol %s", r->dataset, r->protocol);
    return output_curve_svg(&r->curve, &r->choice, &marks, classes, title, path, err);
}

static am_status write_file(const session *s, const mnist_result *r, const cJSON *document,
                            const char *folder, const char *name, am_error *err)
{
    char *path = output_path(folder, name);
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    am_status status = AM_OK;
    if (strcmp(name, "summary.json") == 0)
        status = json_write(path, document, err);
    else if (strcmp(name, "curve.csv") == 0)
        status = output_curve_csv(&r->curve, path, err);
    else if (strcmp(name, "curve.npz") == 0)
        status = output_curve_npz(&r->curve, path, err);
    else if (strcmp(name, "refits.csv") == 0)
        status = write_refits(r, path, err);
    else
        status = draw_curve(s, r, path, err);
    free(path);
    return status;
}

static am_status write_audit(const mnist_result *r, const char *folder, am_error *err)
{
    char title[128];
    (void)snprintf(title, sizeof title, "Audit: %s, protocol %s", r->dataset, r->protocol);
    return output_audit_files(&r->audit, NULL, title, folder, err);
}

am_status mnist_report(const session *s, const settings *set, const mnist_result *r,
                       const char *folder, am_error *err)
{
    static const char *const files[] = {"curve.csv", "curve.npz", "refits.csv", "curve.svg",
                                        "summary.json"};
    cJSON *document = summary(s, set, r);
    am_status status = AM_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == AM_OK; i++)
        status = write_file(s, r, document, folder, files[i], err);
    if (status == AM_OK)
        status = mnist_figures(s, set, r, folder, err);
    if (status == AM_OK && r->audited)
        status = write_audit(r, folder, err);
    if (set->json) {
        output_json(document, stdout);
        return status;
    }
    cJSON_Delete(document);
    AM_TRY(print_curve(r, err));
    if (set->plot)
        AM_TRY(draw_curve(s, r, NULL, err));
    print_gaps(r);
    print_quality(r);
    print_ledger(r);
    if (r->audited) {
        printf("\naudit\n\n");
        AM_TRY(output_audit_print(&r->audit, &r->audit_cost, stdout, err));
    }
    if (status == AM_OK)
        printf("\nwritten to %s: summary.json, curve.csv, curve.npz, refits.csv, curve.svg, "
               "choice.*, %shistory.*, model.safetensors%s\n",
               folder, r->post.draws > 0 ? "reliability.*, " : "",
               r->audited ? ", audit_*.csv, audit_*.svg" : "");
    return status;
}
