#include "cli/output_sample.h"
#include "cli/steps.h"

#include <math.h>
#include <stdlib.h>

/* ---- reliability ----------------------------------------------------------------------------- */

reliability reliability_of(const metrics *m)
{
    reliability r;
    for (int b = 0; b < AM_ECE_BINS; b++) {
        double rows = m->bin_count[b];
        r.low[b] = (double)b / AM_ECE_BINS;
        r.high[b] = (b + 1.0) / AM_ECE_BINS;
        r.rows[b] = rows;
        r.confidence[b] = rows > 0.0 ? m->bin_confidence[b] / rows : NAN;
        r.accuracy[b] = rows > 0.0 ? m->bin_correct[b] / rows : NAN;
    }
    return r;
}

am_status output_reliability_svg(const sample_result *r, const char *path, am_error *err)
{
    reliability bins = reliability_of(&r->p.mean);
    double low[AM_ECE_BINS], high[AM_ECE_BINS], share[AM_ECE_BINS], edge[AM_ECE_BINS + 1];
    static const double ends[2] = {0, 1};
    char title[160], label[64];
    for (int b = 0; b < AM_ECE_BINS; b++) { /* binomial standard error */
        double se = sqrt(bins.accuracy[b] * (1.0 - bins.accuracy[b]) / bins.rows[b]);
        low[b] = bins.accuracy[b] - se;
        high[b] = bins.accuracy[b] + se;
        share[b] = bins.rows[b] / (double)r->n;
    }
    steps rows;
    steps_edges(0.0, 1.0, AM_ECE_BINS, edge);
    AM_TRY(steps_open(&rows, edge, share, AM_ECE_BINS, err));
    (void)snprintf(title, sizeof title, "%.60s: reliability on the %s rows", r->data, r->rows);
    (void)snprintf(label, sizeof label, "predictive mean of %d draws, ± one standard error",
                   r->p.draws);
    chart_series lines[2] = {{.label = "perfect calibration", .count = 2, .x = ends, .y = ends},
                             {.label = label,
                              .count = AM_ECE_BINS,
                              .x = bins.confidence,
                              .y = bins.accuracy,
                              .low = low,
                              .high = high,
                              .marks = true}};
    chart_series filled = steps_series(&rows, NULL);
    const char *x_label = "confidence in the predicted class";
    chart_panel panel[2] = {{.title = "Accuracy",
                             .x_label = x_label,
                             .percent_y = true,
                             .series = lines,
                             .series_count = 2},
                            {.title = "Share of the rows",
                             .x_label = x_label,
                             .percent_y = true,
                             .series = &filled,
                             .series_count = 1}};
    am_status status = chart_write_svg(path, title, panel, 2, err);
    steps_close(&rows);
    return status;
}

/* ---- out of distribution --------------------------------------------------------------------- */

enum { BINS = 40, HISTOGRAMS = 2 };
static const double LEAST = 1e-5; /* of the largest score: where the histograms begin */

/* What the figure owns. */
typedef struct {
    double *own, *ood;          /* (n), (m) scores */
    double *fpr, *tpr;          /* (DOUBT_KINDS, ROC_POINTS) */
    steps bars[2 * HISTOGRAMS]; /* own and OOD rows, by entropy and by mutual information */
    chart_series line[DOUBT_KINDS + 1], filled[2 * HISTOGRAMS];
    char label[DOUBT_KINDS][64];
} ood_figure;

static void ood_figure_close(ood_figure *f)
{
    free(f->own);
    free(f->ood);
    free(f->fpr);
    free(f->tpr);
    for (int i = 0; i < 2 * HISTOGRAMS; i++)
        steps_close(&f->bars[i]);
}

static am_status ood_figure_open(ood_figure *f, const sample_result *r, am_error *err)
{
    size_t points = (size_t)DOUBT_KINDS * ROC_POINTS;
    *f = (ood_figure){0};
    f->own = am_alloc((size_t)r->n, sizeof *f->own, "figure", err);
    f->ood = am_alloc((size_t)r->other.n, sizeof *f->ood, "figure", err);
    f->fpr = am_alloc(points, sizeof *f->fpr, "figure", err);
    f->tpr = am_alloc(points, sizeof *f->tpr, "figure", err);
    return f->own && f->ood && f->fpr && f->tpr ? AM_OK : AM_ERR_MEMORY;
}

/* Outlines of both kinds of rows over the same bins, equally wide in the logarithm. */
static am_status add_histogram(ood_figure *f, const sample_result *r, int at, double high,
                               am_error *err)
{
    double edge[BINS + 1], share[BINS], low = high * LEAST;
    steps_edges(log(low), log(high), BINS, edge);
    for (int b = 0; b <= BINS; b++)
        edge[b] = exp(edge[b]);
    for (int kind = 0; kind < 2; kind++) {
        double *score = kind == 0 ? f->own : f->ood;
        int64_t n = kind == 0 ? r->n : r->other.n;
        for (int64_t i = 0; i < n; i++)
            score[i] = log(fmax(score[i], low));
        steps_shares(score, n, log(low), log(high), BINS, share);
        AM_TRY(steps_open(&f->bars[2 * at + kind], edge, share, BINS, err));
        f->filled[2 * at + kind] =
            steps_series(&f->bars[2 * at + kind], kind == 0 ? r->data : r->other.name);
    }
    return AM_OK;
}

/* The line of one score, and its histogram where there is one. */
static am_status add_score(ood_figure *f, const sample_result *r, doubt_kind kind, am_error *err)
{
    double *fpr = f->fpr + (int)kind * ROC_POINTS, *tpr = f->tpr + (int)kind * ROC_POINTS;
    double high = 0.0;
    int points;
    for (int64_t i = 0; i < r->n; i++) {
        f->own[i] = doubt_of(&r->row[i], kind);
        high = fmax(high, f->own[i]);
    }
    for (int64_t i = 0; i < r->other.n; i++) {
        f->ood[i] = doubt_of(&r->other.row[i], kind);
        high = fmax(high, f->ood[i]);
    }
    AM_TRY(detection_roc(f->own, r->n, f->ood, r->other.n, fpr, tpr, &points, err));
    (void)snprintf(f->label[kind], sizeof f->label[kind], "%s, AUROC %.4f", doubt_name(kind),
                   r->other.by[kind].auroc);
    f->line[kind] = (chart_series){.label = f->label[kind], .count = points, .x = fpr, .y = tpr};
    if (kind == DOUBT_ENTROPY || kind == DOUBT_INFORMATION)
        return add_histogram(f, r, (int)kind, high > 0.0 ? high : 1.0, err);
    return AM_OK;
}

am_status output_ood_svg(const sample_result *r, const char *path, am_error *err)
{
    static const double ends[2] = {0, 1};
    char title[200];
    ood_figure f;
    am_status status = ood_figure_open(&f, r, err);
    for (int k = 0; k < DOUBT_KINDS && status == AM_OK; k++)
        status = add_score(&f, r, (doubt_kind)k, err);
    f.line[DOUBT_KINDS] = (chart_series){.label = "chance", .count = 2, .x = ends, .y = ends};
    chart_panel panel[3] = {{.title = "Rows from elsewhere that are found",
                             .x_label = "false alarms: share of the model's own rows",
                             .percent_y = true,
                             .series = f.line,
                             .series_count = DOUBT_KINDS + 1},
                            {.title = "Share of the rows by predictive entropy",
                             .x_label = "predictive entropy, nats (first bin: and below)",
                             .log_x = true,
                             .percent_y = true,
                             .series = f.filled,
                             .series_count = 2},
                            {.title = "Share of the rows by mutual information",
                             .x_label = "mutual information, nats (first bin: and below)",
                             .log_x = true,
                             .percent_y = true,
                             .series = f.filled + 2,
                             .series_count = 2}};
    (void)snprintf(title, sizeof title, "%.60s (%s rows) told from %.60s (%s rows)", r->other.name,
                   r->other.part, r->data, r->rows);
    if (status == AM_OK)
        status = chart_write_svg(path, title, panel, 3, err);
    ood_figure_close(&f);
    return status;
}
