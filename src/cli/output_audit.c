#include "cli/output_audit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 48, MOST_CELLS = 9 };

void output_estimate(estimate e, int decimals, bool sign, char *text, size_t size)
{
    if (isnan(e.value)) {
        (void)snprintf(text, size, "-");
        return;
    }
    int length = snprintf(text, size, sign ? "%+.*f" : "%.*f", decimals, e.value);
    if (isfinite(e.se) && length >= 0 && (size_t)length < size)
        (void)snprintf(text + length, size - (size_t)length, " ± %.*f", decimals, e.se);
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* A table while it is filled; ok turns false for good when memory is out. */
typedef struct {
    report_table *table;
    char cell[MOST_CELLS][CELL];
    bool ok;
} filling;

static filling begin_table(int columns, const char *const *head)
{
    filling f = {.table = table_new(columns, head)};
    f.ok = f.table != NULL;
    return f;
}

static void add_row(filling *f)
{
    const char *row[MOST_CELLS];
    for (int j = 0; j < MOST_CELLS; j++)
        row[j] = f->cell[j];
    f->ok = f->ok && table_row(f->table, row);
}

static am_status end_table(filling *f, FILE *stream, am_error *err)
{
    if (f->ok)
        table_print(f->table, stream);
    table_free(f->table);
    return f->ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "table of the audit: no memory");
}

/* "%.4f", or a dash where there is no such number. */
static void put_number(char cell[CELL], const char *format, double value)
    __attribute__((format(printf, 2, 0)));
static void put_number(char cell[CELL], const char *format, double value)
{
    if (isnan(value))
        (void)snprintf(cell, CELL, "-");
    else
        (void)snprintf(cell, CELL, format, value);
}

static am_status print_rates(const audit_rates *f, FILE *stream, am_error *err)
{
    static const char *const head[] = {"step size", "val loss", "val acc", ""};
    filling t = begin_table(4, head);
    fprintf(stream, "step size of the refits (means over %d λ)\n", AUDIT_RATE_LAMBDAS);
    for (int i = 0; i < f->count; i++) {
        put_number(t.cell[0], "%.2e", f->rate[i]);
        put_number(t.cell[1], "%.4f", f->nll_mean[i]);
        put_number(t.cell[2], "%.4f", f->accuracy_mean[i]);
        (void)snprintf(t.cell[3], CELL, "%s%s", i == f->chosen ? "<- chosen" : "",
                       f->tied[i] && i != f->best ? (i == f->chosen ? ", tied" : "tied") : "");
        add_row(&t);
    }
    return end_table(&t, stream, err);
}

static am_status print_curve(const audit_curve *c, FILE *stream, am_error *err)
{
    static const char *const head[] = {"lambda",     "val loss",    "val acc",
                                       "refit loss", "refit acc",   "acc gap",
                                       "criterion",  "refit crit.", "gap %"};
    filling t = begin_table(9, head);
    fprintf(stream, "\ncurve: generator against %d refit%s at each λ\n", c->repeats,
            c->repeats == 1 ? "" : "s");
    for (int i = 0; i < c->curve.points; i++) {
        put_number(t.cell[0], "%.2e", c->curve.lambda[i]);
        put_number(t.cell[1], "%.4f", c->curve.at[i].nll);
        put_number(t.cell[2], "%.4f", c->curve.at[i].accuracy);
        put_number(t.cell[3], "%.4f", audit_refit_mean(c, i, METRIC_NLL));
        put_number(t.cell[4], "%.4f", audit_refit_mean(c, i, METRIC_ACCURACY));
        put_number(t.cell[5], "%+.4f", audit_gap(c, GAP_ACCURACY, i).value);
        put_number(t.cell[6], "%.4f", c->criterion[i]);
        put_number(t.cell[7], "%.4f", audit_refit_criterion(c, i));
        put_number(t.cell[8], "%+.1f", 100.0 * audit_gap(c, GAP_CRITERION, i).value);
        add_row(&t);
    }
    return end_table(&t, stream, err);
}

static am_status print_posterior(const audit_result *r, FILE *stream, am_error *err)
{
    static const char *const head[] = {"lambda",       "spread ratio", "captured",
                                       "fidelity",     "reproducible", "pred. loss",
                                       "refits' loss", "pred. ece",    "refits' ece"};
    filling t = begin_table(9, head);
    fprintf(stream, "\nposterior: %d draws of ω, two refits of each, %lld validation rows%s\n",
            r->draws, (long long)r->predicted,
            r->from_generator ? ""
                              : "\n(the generator does not see ω: judged are the short weighted "
                                "refits from it that `sample` draws)");
    if (r->sampled > 0)
        fprintf(
            stream,
            "(the draws are the first of the %d weight vectors that the response is for; refits "
            "have not entered it)\n",
            r->sampled);
    for (int i = 0; i < r->lambdas; i++) {
        const audit_posterior *at = &r->at[i];
        put_number(t.cell[0], "%.2e", at->lambda);
        output_estimate(at->f.spread, 2, false, t.cell[1], CELL);
        output_estimate(at->f.captured, 2, false, t.cell[2], CELL);
        output_estimate(at->f.fidelity, 2, false, t.cell[3], CELL);
        output_estimate(at->f.reproducible, 2, false, t.cell[4], CELL);
        put_number(t.cell[5], "%.4f", at->generator.nll);
        put_number(t.cell[6], "%.4f", at->refits.nll);
        put_number(t.cell[7], "%.4f", at->generator.ece);
        put_number(t.cell[8], "%.4f", at->refits.ece);
        add_row(&t);
    }
    AM_TRY(end_table(&t, stream, err));
    for (int i = 0; i < r->lambdas; i++)
        if (r->at[i].f.note != NULL)
            fprintf(stream, "λ = %.2e: %s\n", r->at[i].lambda, r->at[i].f.note);
    return AM_OK;
}

static am_status print_verdicts(const audit_result *r, FILE *stream, am_error *err)
{
    static const char *const head[] = {"", "property", "value", "", "at λ", "rule"};
    report_table *table = table_new(6, head);
    bool ok = table != NULL;
    fputc('\n', stream);
    for (int i = 0; ok && i < r->lines; i++) {
        const audit_line *line = &r->line[i];
        char value[CELL], lambda[CELL];
        int decimals = strcmp(line->unit, "%") == 0 ? 1 : strcmp(line->unit, "") == 0 ? 3 : 2;
        output_estimate((estimate){line->value, line->se}, decimals, false, value, sizeof value);
        put_number(lambda, "%.2e", line->lambda);
        const char *row[] = {audit_verdict_name(line->verdict), line->property, value, line->unit,
                             isnan(line->lambda) ? "" : lambda, line->rule};
        ok = table_row(table, row);
    }
    if (ok)
        table_print(table, stream);
    table_free(table);
    for (int i = 0; i < r->lines; i++)
        if (r->line[i].note != NULL)
            fprintf(stream, "%s: %s\n", r->line[i].property, r->line[i].note);
    fprintf(stream, "\naudit: %s\n", audit_verdict_name(r->verdict));
    return ok ? AM_OK : am_fail(err, AM_ERR_MEMORY, "table of the audit: no memory");
}

am_status output_audit_print(const audit_result *r, const audit_cost *cost, FILE *stream,
                             am_error *err)
{
    AM_TRY(print_rates(&r->rates, stream, err));
    AM_TRY(print_curve(&r->curve, stream, err));
    char mean[CELL] = "", worst[CELL] = "";
    estimate each[2] = {r->curve.acc_gap_mean, r->curve.acc_gap_worst};
    for (int i = 0; i < 2; i++) {
        estimate points = {100.0 * each[i].value, 100.0 * each[i].se};
        output_estimate(points, 2, true, i == 0 ? mean : worst, CELL);
    }
    if (!isnan(each[0].value))
        fprintf(stream, "accuracy, generator minus refits: %s points on average, %s at worst\n",
                mean, worst);
    if (r->lambdas > 0)
        AM_TRY(print_posterior(r, stream, err));
    AM_TRY(print_verdicts(r, stream, err));
    fprintf(stream,
            "%d refits of %lld steps, %d of them from the cache; training them all takes %.1f s\n",
            r->refits, (long long)r->steps, cost->found, cost->seconds);
    return AM_OK;
}
