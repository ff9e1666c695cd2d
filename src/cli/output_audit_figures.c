/* The figures of an audit. */
#include "cli/output_audit.h"
#include "cli/terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns of one length that a figure draws. */
static double *columns(int count, int length, am_error *err)
{
    return am_alloc((size_t)count * (size_t)length, sizeof(double), "figure", err);
}

static bool has_classes(const audit_result *r)
{
    return !isnan(r->curve.acc_gap_mean.value);
}

/* ---- curves ---------------------------------------------------------------------------------- */

enum { OWN, OWN_LOW, OWN_HIGH, THEIRS, THEIRS_LOW, THEIRS_HIGH, CURVE_COLUMNS };

static void fill_curve(const audit_curve *c, metric_kind kind, double *v, am_error *err)
{
    int n = c->curve.points;
    for (int i = 0; i < n; i++) {
        double low = INFINITY, high = -INFINITY;
        for (int r = 0; r < c->repeats; r++) {
            double value = metric_of(&c->refit[r * n + i], kind);
            low = fmin(low, value);
            high = fmax(high, value);
        }
        v[OWN * n + i] = metric_of(&c->curve.at[i], kind);
        v[OWN_LOW * n + i] = curve_quantile(&c->curve, i, kind, 0.05, err);
        v[OWN_HIGH * n + i] = curve_quantile(&c->curve, i, kind, 0.95, err);
        v[THEIRS * n + i] = audit_refit_mean(c, i, kind);
        v[THEIRS_LOW * n + i] = low;
        v[THEIRS_HIGH * n + i] = high;
    }
}

static void curve_series(const audit_curve *c, const double *v, chart_series series[2])
{
    int n = c->curve.points;
    bool band = c->curve.draws > 0, several = c->repeats > 1;
    series[0] =
        (chart_series){.label = band ? "generator, ω = 1 (band: 5–95 % of draws)" : "generator",
                       .count = n,
                       .x = c->curve.lambda,
                       .y = v + OWN * n,
                       .low = band ? v + OWN_LOW * n : NULL,
                       .high = band ? v + OWN_HIGH * n : NULL};
    series[1] = (chart_series){.label = several ? "refits, mean (band: least to most)" : "refit",
                               .count = n,
                               .x = c->curve.lambda,
                               .y = v + THEIRS * n,
                               .low = several ? v + THEIRS_LOW * n : NULL,
                               .high = several ? v + THEIRS_HIGH * n : NULL};
}

/* The refits of draws of ω, where there are some: what the generator's band is to be held against.
 * v (4, λ). */
static int draw_marks(const audit_result *r, metric_kind kind, double *v, chart_series *series)
{
    int n = r->lambdas;
    for (int i = 0; i < n; i++) {
        const audit_posterior *at = &r->at[i];
        const double *q = kind == METRIC_NLL ? at->refit_nll : at->refit_accuracy;
        v[i] = at->lambda;
        for (int k = 0; k < 3; k++)
            v[(k + 1) * n + i] = q[k];
    }
    *series = (chart_series){.label = "refits of draws of ω (5–95 %)",
                             .count = n,
                             .x = v,
                             .y = v + 2 * n,
                             .low = v + n,
                             .high = v + 3 * n,
                             .marks = true};
    return n > 0 ? 1 : 0;
}

static am_status draw_curves(const audit_result *r, const char *title, const char *path,
                             am_error *err)
{
    const audit_curve *c = &r->curve;
    int n = c->curve.points, panels = has_classes(r) ? 2 : 1;
    double marks[2][4 * AUDIT_MOST_LAMBDAS];
    double *v = columns(2 * CURVE_COLUMNS, n, err);
    if (v == NULL)
        return AM_ERR_MEMORY;
    chart_series series[2][3];
    chart_panel panel[2];
    for (int p = 0; p < panels; p++) {
        double *own = v + (size_t)p * CURVE_COLUMNS * (size_t)n;
        metric_kind kind = p == 0 ? METRIC_NLL : METRIC_ACCURACY;
        fill_curve(c, kind, own, err);
        curve_series(c, own, series[p]);
        panel[p] = (chart_panel){.title = p == 0 ? "Validation loss" : "Validation accuracy",
                                 .x_label = "penalty λ",
                                 .y_label = p == 0 && panels == 2 ? "nats" : "",
                                 .log_x = true,
                                 .percent_y = p == 1,
                                 .series = series[p],
                                 .series_count = 2 + draw_marks(r, kind, marks[p], &series[p][2])};
    }
    am_status status =
        err->status == AM_OK ? terminal_chart(path, title, panel, panels, err) : err->status;
    free(v);
    return status;
}

/* ---- gaps ------------------------------------------------------------------------------------ */

enum { GAP, GAP_LOW, GAP_HIGH, GAP_COLUMNS, GAP_KINDS = 3 };

typedef struct {
    audit_gap_kind kind;
    double scale;
    const char *title, *unit;
} gap_panel;

static const gap_panel gap_panels[GAP_KINDS] = {
    {GAP_NLL, 1, "Validation loss, generator minus refits", "nats"},
    {GAP_CRITERION, 100, "Training criterion, generator over refits less 1", "%"},
    {GAP_ACCURACY, 100, "Validation accuracy, generator minus refits", "points"},
};

static void fill_gap(const audit_curve *c, const gap_panel *g, double *v)
{
    int n = c->curve.points;
    for (int i = 0; i < n; i++) {
        estimate e = audit_gap(c, g->kind, i);
        double error = isnan(e.se) ? 0.0 : e.se;
        v[GAP * n + i] = g->scale * e.value;
        v[GAP_LOW * n + i] = g->scale * (e.value - error);
        v[GAP_HIGH * n + i] = g->scale * (e.value + error);
    }
}

static am_status draw_gaps(const audit_result *r, const char *title, const char *path,
                           am_error *err)
{
    const audit_curve *c = &r->curve;
    int n = c->curve.points, panels = has_classes(r) ? GAP_KINDS : GAP_KINDS - 1;
    double *v = columns(GAP_COLUMNS * GAP_KINDS, n, err);
    double ends[2] = {c->curve.lambda[0], c->curve.lambda[n - 1]}, zero[2] = {0, 0};
    if (v == NULL)
        return AM_ERR_MEMORY;
    chart_series series[GAP_KINDS][2];
    chart_panel panel[GAP_KINDS];
    bool several = c->repeats > 1;
    for (int p = 0; p < panels; p++) {
        double *own = v + (size_t)p * GAP_COLUMNS * (size_t)n;
        fill_gap(c, &gap_panels[p], own);
        series[p][0] = (chart_series){.label = several ? "gap (band: ± 1 standard error)" : "gap",
                                      .count = n,
                                      .x = c->curve.lambda,
                                      .y = own,
                                      .low = several ? own + GAP_LOW * n : NULL,
                                      .high = several ? own + GAP_HIGH * n : NULL};
        series[p][1] =
            (chart_series){.label = "as good as the refits", .count = 2, .x = ends, .y = zero};
        panel[p] = (chart_panel){.title = gap_panels[p].title,
                                 .x_label = "penalty λ",
                                 .y_label = gap_panels[p].unit,
                                 .log_x = true,
                                 .series = series[p],
                                 .series_count = 2};
    }
    am_status status = chart_write_svg(path, title, panel, panels, err);
    free(v);
    return status;
}

/* ---- draws ----------------------------------------------------------------------------------- */

static double largest(const double *value, int count)
{
    double most = 0.0;
    for (int i = 0; i < count; i++)
        most = fmax(most, fabs(value[i]));
    return most;
}

/* One panel for every λ: a draw that does what ω does lies, but for the refits' noise, on the
 * diagonal. The generator is on the x axis because noise in y leaves the slope as it is. */
static am_status draw_deviations(const audit_result *r, const char *title, const char *path,
                                 am_error *err)
{
    enum { MOST = AUDIT_MOST_LAMBDAS };
    chart_series series[MOST][2];
    chart_panel panel[MOST];
    double line[MOST][2];
    char heading[MOST][96];
    for (int i = 0; i < r->lambdas; i++) {
        const audit_posterior *at = &r->at[i];
        double most = fmax(largest(at->generator_delta, at->samples),
                           0.5 * largest(at->refit_delta, at->samples));
        line[i][0] = -most;
        line[i][1] = most;
        (void)snprintf(heading[i], sizeof heading[i], "λ = %.2e: captured %.2f, fidelity %.2f",
                       at->lambda, at->f.captured.value, at->f.fidelity.value);
        series[i][0] = (chart_series){.label = i == 0 ? "refits respond alike" : NULL,
                                      .count = 2,
                                      .x = line[i],
                                      .y = line[i]};
        series[i][1] = (chart_series){.label = i == 0 ? "one prediction, one draw of ω" : NULL,
                                      .count = at->samples,
                                      .x = at->generator_delta,
                                      .y = at->refit_delta,
                                      .marks = true,
                                      .small = true};
        panel[i] = (chart_panel){.title = heading[i],
                                 .x_label = "deviation of the generator's draw from the mean draw",
                                 .y_label = "mean of two refits",
                                 .series = series[i],
                                 .series_count = 2};
    }
    return chart_write_svg(path, title, panel, r->lambdas, err);
}

/* ---- spread ---------------------------------------------------------------------------------- */

static const char *const spread_labels[] = {"generator", "refits, what repeats (due to ω)",
                                            "one refit, noise included"};

/* Standard deviations √(variance), with ± a standard error: se/(2√v). */
static am_status draw_spread(const audit_result *r, const char *title, const char *path,
                             am_error *err)
{
    enum { KINDS = 3 };
    int n = r->lambdas;
    double *v = columns(1 + 3 * KINDS, n, err);
    if (v == NULL)
        return AM_ERR_MEMORY;
    chart_series series[KINDS];
    for (int k = 0; k < KINDS; k++) {
        double *y = v + (1 + 3 * k) * n, *low = y + n, *high = low + n;
        for (int i = 0; i < n; i++) {
            const fidelity *f = &r->at[i].f;
            estimate e = k == 0 ? f->generator : k == 1 ? f->signal : f->total;
            v[i] = r->at[i].lambda;
            y[i] = sqrt(fmax(e.value, 0.0));
            low[i] = sqrt(fmax(e.value - e.se, 0.0));
            high[i] = sqrt(fmax(e.value + e.se, 0.0));
        }
        series[k] = (chart_series){
            .label = spread_labels[k], .count = n, .x = v, .y = y, .low = low, .high = high};
    }
    chart_panel panel = {.title = "Standard deviation of predictions over ω",
                         .x_label = "penalty λ",
                         .y_label = has_classes(r) ? "probability" : "output",
                         .log_x = true,
                         .series = series,
                         .series_count = KINDS};
    am_status status = chart_write_svg(path, title, &panel, 1, err);
    free(v);
    return status;
}

am_status output_audit_figure(const audit_result *r, const char *name, const char *title,
                              const char *path, am_error *err)
{
    if (strcmp(name, "audit_curve.svg") == 0)
        return draw_curves(r, title, path, err);
    if (strcmp(name, "audit_gap.svg") == 0)
        return draw_gaps(r, title, path, err);
    if (r->lambdas == 0)
        return AM_OK;
    if (strcmp(name, "audit_draws.svg") == 0)
        return draw_deviations(r, title, path, err);
    return draw_spread(r, title, path, err);
}
