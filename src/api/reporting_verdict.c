/* What the page says first. */
#include "api/reporting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cards ------------------------------------------------------------------------------------------ */

static cJSON *add_card(cJSON *cards, const char *label)
{
    cJSON *card = cJSON_CreateObject();
    cJSON_AddStringToObject(card, "label", label);
    cJSON_AddItemToArray(cards, card);
    return card;
}

static void add_text_card(cJSON *cards, const char *label, const char *value, const char *detail)
{
    cJSON *card = add_card(cards, label);
    cJSON_AddStringToObject(card, "value", value);
    if (detail[0] != '\0')
        cJSON_AddStringToObject(card, "detail", detail);
}

static void add_lambda_card(cJSON *cards, const char *label, double lambda, const char *detail)
{
    if (!(lambda > 0))
        return;
    cJSON *card = add_card(cards, label);
    json_number(card, "lambda", lambda);
    if (detail[0] != '\0')
        cJSON_AddStringToObject(card, "detail", detail);
}

/* Wilson's 95 % interval of a share p of n rows, in percent: "97.48–98.06 %". */
static void interval_text(double p, int64_t rows, char text[64])
{
    const double z = 1.959963984540054, n = (double)rows;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
    (void)snprintf(text, 64, "%.2f–%.2f %%", 100 * (middle - half), 100 * (middle + half));
}

static void add_accuracy_card(cJSON *cards, const char *label, double accuracy, int64_t rows,
                              const char *more)
{
    char value[32], interval[64], detail[160] = "";
    if (!isfinite(accuracy))
        return;
    (void)snprintf(value, sizeof value, "%.2f %%", 100 * accuracy);
    if (rows > 0) {
        interval_text(accuracy, rows, interval);
        (void)snprintf(detail, sizeof detail, "95 %% interval %s%s%s", interval,
                       more[0] != '\0' ? "; " : "", more);
    } else {
        (void)snprintf(detail, sizeof detail, "%s", more);
    }
    add_text_card(cards, label, value, detail);
}

/* What is known of the choice on the rows that results are reported on. */
typedef struct {
    const char *rows;
    int64_t count;
    double accuracy, nll, posterior, ece, refit;
} quality;

static quality quality_of(const report_results *r, const report_explorer *x)
{
    const cJSON *test = cJSON_GetObjectItemCaseSensitive(r->summary, "test");
    const char *rows = json_text(test, "rows");
    quality q = {rows != NULL ? rows : x->rows,        x->row_count,
                 json_value_of(test, "generator_acc"), json_value_of(test, "generator_nll"),
                 json_value_of(test, "posterior_acc"), json_value_of(test, "posterior_ece"),
                 json_value_of(test, "refit_acc")};
    if (test == NULL && x->row_count > 0) {
        q.accuracy = x->plain.accuracy;
        q.nll = x->plain.nll;
        q.posterior = x->post.draws > 0 ? x->post.mean.accuracy : NAN;
        q.ece = x->post.draws > 0 ? x->post.mean.ece : NAN;
    }
    double count = json_value_of(cJSON_GetObjectItemCaseSensitive(r->summary, "rows"),
                                 q.rows != NULL ? q.rows : "test");
    if (count > 0 && count < 1e15)
        q.count = (int64_t)count;
    return q;
}

/* "10,000 rows" */
static void count_text(int64_t rows, char text[96])
{
    if (rows >= 1000 && rows < 1000000)
        (void)snprintf(text, 96, "%lld,%03lld rows", (long long)rows / 1000,
                       (long long)rows % 1000);
    else
        (void)snprintf(text, 96, "%lld rows", (long long)rows);
}

static void add_quality(cJSON *cards, const quality *q)
{
    char label[64], more[96] = "", value[32];
    (void)snprintf(label, sizeof label, "%s accuracy", q->rows != NULL ? q->rows : "test");
    count_text(q->count, more);
    add_accuracy_card(cards, label, q->accuracy, q->count, q->count > 0 ? more : "");
    if (!isfinite(q->accuracy) && isfinite(q->nll)) {
        (void)snprintf(value, sizeof value, "%.4g", q->nll);
        (void)snprintf(label, sizeof label, "%s error", q->rows != NULL ? q->rows : "test");
        add_text_card(cards, label, value, "mean squared");
    }
    if (isfinite(q->ece))
        (void)snprintf(more, sizeof more, "calibration error %.4f", q->ece);
    add_accuracy_card(cards, "posterior accuracy", q->posterior, q->count, more);
    add_accuracy_card(cards, "refit from scratch", q->refit, q->count, "at the chosen λ");
}

/* Headline numbers of experiments without a curve of networks: where they stand in the summary. */
static const struct {
    const char *experiment, *path, *label;
    bool lambda;
} headline[] = {
    {"toy", "closed_form.ipl_mean", "distance to the exact solution, closed form", false},
    {"ridge", "gcv.lambda", "λ by GCV", true},
    {"ridge", "cv.lambda", "λ by cross-validation", true},
    {"ridge", "generator.lambda", "λ by the generator", true},
    {"ridge", "generator.curve_gap", "largest gap of its curve", false},
    {"ridge", "generator.test_mse", "its test error", false},
    {"student-t", "mle.nu", "degrees of freedom by maximum likelihood", false},
    {"student-t", "response.nu", "by the generator", false},
    {"student-t", "posterior.mu_mean", "posterior mean of μ", false},
    {"student-t", "posterior.mu_sd", "its standard deviation", false},
    {"quantile", "lambda_selected", "chosen λ", true},
    {"quantile", "lambda_selected_exact", "by exact solutions", true},
    {"quantile", "generator.truth_rmse", "error against the true quantiles", false},
    {"quantile", "exact.truth_rmse", "of the exact solutions", false},
    {"svm", "simulated.validation_generator.lambda", "chosen λ, simulated data", true},
    {"svm", "simulated.validation_generator.test_error", "its test error", false},
    {"svm", "images.validation_generator.lambda", "chosen λ, images", true},
    {"svm", "images.validation_generator.test_error", "its test error", false},
    {"double-descent", "n", "rows of every data set", false},
    {"double-descent", "replications", "replications", false},
};

/* The number at a path such as "gcv.lambda". */
static double number_at(const cJSON *o, const char *path)
{
    char key[64];
    const char *dot = strchr(path, '.');
    if (dot == NULL)
        return json_value_of(o, path);
    (void)snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
    return number_at(cJSON_GetObjectItemCaseSensitive(o, key), dot + 1);
}

static void add_headline(cJSON *cards, const cJSON *summary)
{
    const char *name = json_text(summary, "experiment");
    for (size_t i = 0; name != NULL && i < sizeof headline / sizeof *headline; i++) {
        double value = number_at(summary, headline[i].path);
        char text[32];
        if (strcmp(name, headline[i].experiment) != 0 || !isfinite(value))
            continue;
        (void)snprintf(text, sizeof text, "%.4g", value);
        if (headline[i].lambda)
            add_lambda_card(cards, headline[i].label, value, "");
        else
            add_text_card(cards, headline[i].label, text, "");
    }
}

static void add_choice(cJSON *cards, const report_curve *c)
{
    char detail[96] = "";
    if (c->metric != NULL)
        (void)snprintf(detail, sizeof detail, "by validation %s%s%s",
                       strcmp(c->metric, "nll") == 0 ? "loss" : c->metric,
                       c->rule != NULL ? ", rule " : "", c->rule != NULL ? c->rule : "");
    if (c->recorded)
        add_lambda_card(cards, "chosen λ", c->chosen, detail);
    else
        add_lambda_card(cards, "λ of the least validation loss", c->chosen,
                        "amortune tune chooses, and says how sure it is");
    add_lambda_card(cards, "one-SE λ", c->one_se, "largest within one standard error of the best");
}

static void add_break_even(cJSON *cards, const cJSON *summary)
{
    double refits =
        json_value_of(cJSON_GetObjectItemCaseSensitive(summary, "ledger"), "break_even_refits");
    char value[32];
    if (!isfinite(refits))
        return;
    (void)snprintf(value, sizeof value, "%.1f refits", refits);
    add_text_card(cards, "break-even", value, "is what fit and curve cost");
}

/* ---- alarms ------------------------------------------------------------------------------------------- */

static void add_alarm(cJSON *alarms, bool raised, const char *bad, const char *good)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "level", raised ? "warn" : "pass");
    cJSON_AddStringToObject(o, "text", raised ? bad : good);
    cJSON_AddItemToArray(alarms, o);
}

static void add_alarms(cJSON *verdict, const report_results *r, const report_curve *c)
{
    const cJSON *from = r->choice != NULL ? r->choice : r->summary;
    cJSON *alarms = cJSON_AddArrayToObject(verdict, "alarms");
    if (c->computed || cJSON_HasObjectItem(from, "edge_alarm"))
        add_alarm(alarms, c->edge_alarm,
                  "Edge: the choice lies on the end of the range of λ; widen --lambda",
                  "The choice lies inside the range of λ");
    if (c->computed || cJSON_HasObjectItem(from, "flat_alarm"))
        add_alarm(
            alarms, c->flat_alarm,
            "Flat: more than half the range of λ is within one standard error of the best",
            "The curve tells good λ from bad: less than half the range is within one standard "
            "error of the best");
    bool judged = cJSON_HasObjectItem(r->audited, "verdicts");
    if (c->points > 0 && !judged) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "level", "none");
        cJSON_AddStringToObject(o, "text",
                                "Not audited: amortune audit, or experiment mnist --audit, holds "
                                "curve and posterior against refits from scratch");
        cJSON_AddItemToArray(alarms, o);
    }
}

cJSON *report_verdict(const report_results *r, const report_curve *c, const report_explorer *x)
{
    cJSON *verdict = cJSON_CreateObject();
    cJSON *cards = cJSON_AddArrayToObject(verdict, "cards");
    quality q = quality_of(r, x);
    if (c->points > 0 || r->choice != NULL)
        add_choice(cards, c);
    add_quality(cards, &q);
    add_break_even(cards, r->summary);
    add_headline(cards, r->summary);
    add_alarms(verdict, r, c);
    if (r->audited != NULL)
        cJSON_AddItemToObject(verdict, "audit", cJSON_Duplicate(r->audited, true));
    return verdict;
}

/* ---- ledger ------------------------------------------------------------------------------------------- */

static void add_cost(cJSON *rows, const char *what, double value, const char *unit)
{
    if (!isfinite(value))
        return;
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "what", what);
    cJSON_AddNumberToObject(row, "amount", value);
    cJSON_AddStringToObject(row, "unit", unit);
    cJSON_AddItemToArray(rows, row);
}

cJSON *report_ledger(const report_results *r)
{
    static const char *const seconds[][2] = {
        {"fit", "fit of the generator"},
        {"response", "its response to the weights ω"},
        {"curve", "tuning curve"},
        {"posterior", "posterior draws"},
        {"refit", "one refit from scratch"},
        {"refits_batched", "refits at every λ of the curve, as one batch"},
        {"data", "reading the data"},
        {"total", "the whole run"}};
    static const char *const costs[][2] = {
        {"break_even_refits", "break-even: fit and curve cost as much as"},
        {"speedup_one_by_one", "curve against refits one by one"},
        {"speedup_batched", "curve against all refits as one batch"}};
    const cJSON *spent = cJSON_GetObjectItemCaseSensitive(r->summary, "seconds");
    const cJSON *gained = cJSON_GetObjectItemCaseSensitive(r->summary, "ledger");
    if (gained == NULL)
        return NULL;
    cJSON *rows = cJSON_CreateArray();
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        add_cost(rows, seconds[i][1], json_value_of(spent, seconds[i][0]), "s");
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        add_cost(rows, costs[i][1], json_value_of(gained, costs[i][0]), i == 0 ? "refits" : "×");
    return rows;
}
