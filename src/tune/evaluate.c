#include "tune/pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- metrics --------------------------------------------------------------------------------- */

static double standard_error(double sum, double squares, double n)
{
    double mean = sum / n, variance = (squares / n - mean * mean) * n / (n - 1.0);
    return n > 1.0 ? sqrt(fmax(variance, 0.0) / n) : NAN;
}

metrics metrics_of(const double *score, int64_t rows, loss_kind kind)
{
    double n = (double)rows, correct = score[SCORE_CORRECT];
    metrics m = {.nll = score[SCORE_NLL] / n,
                 .nll_se = standard_error(score[SCORE_NLL], score[SCORE_NLL2], n)};
    if (kind == LOSS_SQUARED) {
        m.accuracy = m.accuracy_se = m.brier = m.ece = NAN;
        return m;
    }
    m.accuracy = correct / n;
    m.accuracy_se = standard_error(correct, correct, n); /* indicators: their own squares */
    m.brier = score[SCORE_BRIER] / n;
    for (int b = 0; b < AM_ECE_BINS; b++) {
        m.bin_count[b] = score[SCORE_BINS + b];
        m.bin_confidence[b] = score[SCORE_BINS + AM_ECE_BINS + b];
        m.bin_correct[b] = score[SCORE_BINS + 2 * AM_ECE_BINS + b];
        m.ece += fabs(m.bin_correct[b] - m.bin_confidence[b]) / n;
    }
    return m;
}

typedef struct {
    dev_f64 *each, *mean; /* (M, columns), (1, columns) */
    dev_f32 *average;     /* (tile, C) */
} score_buffers;

/* Predictions (M,count,C) from logits (E,M,count,C): in place of several networks' logits the mean of
 * their probabilities; of one network the logits. average (count,C), if not NULL, gets the mean over
 * all models. */
static dev_f32 *predict_tile(pass *p, dev_f32 *logits, int count, bool probabilities,
                             dev_f32 *average)
{
    backend *be = p->set->be;
    softmax_args softmax = {.models = p->networks * p->set->models,
                            .rows = count,
                            .outputs = pass_outputs(p),
                            .logits = logits,
                            .probability = probabilities ? logits : NULL,
                            .mean = average};
    if (pass_classes(p) && (probabilities || average != NULL))
        be->op->softmax(be, &softmax);
    return pass_mean(p, logits, count);
}

static void score_tile(pass *p, const score_buffers *s, int64_t first, int count)
{
    const model_set *set = p->set;
    backend *be = set->be;
    bool several = p->networks > 1;
    dev_f32 *output = predict_tile(p, pass_logits(p, first, count), count, several, s->average);
    score_args score = {.kind = set->t->loss,
                        .probabilities = several && pass_classes(p),
                        .models = set->models,
                        .rows = count,
                        .outputs = pass_outputs(p),
                        .output = output,
                        .label = p->label,
                        .target = p->target,
                        .score = s->each};
    be->op->score(be, &score);
    if (s->mean == NULL)
        return;
    score.probabilities = true;
    score.models = 1;
    score.output = s->average;
    score.score = s->mean;
    be->op->score(be, &score);
}

static am_status read_metrics(const pass *p, const dev_f64 *device, int models, metrics *out,
                              am_error *err)
{
    size_t count = (size_t)models * AM_SCORE_COLUMNS;
    double *host = am_alloc(count, sizeof *host, "scores", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    backend *be = p->set->be;
    am_status status = be->op->download(be, host, device, count * sizeof *host, err);
    for (int m = 0; status == AM_OK && m < models; m++)
        out[m] = metrics_of(host + (size_t)m * AM_SCORE_COLUMNS, p->rows->data.n, p->set->t->loss);
    free(host);
    return status;
}

am_status evaluate(const model_set *set, const device_rows *rows, metrics *each, metrics *mean,
                   am_error *err)
{
    backend *be = set->be;
    pass p;
    AM_TRY(pass_open(&p, set, rows, err));
    size_t row = AM_SCORE_COLUMNS * sizeof(double);
    score_buffers s = {.each = be->op->alloc(be, row * (size_t)set->models, "scores")};
    if (mean != NULL) {
        s.mean = be->op->alloc(be, row, "scores");
        s.average = be->op->alloc(be, sizeof(float) * (size_t)(p.tile * pass_outputs(&p)),
                                  "predictive mean");
    }
    for (int64_t first = 0; first < rows->data.n; first += p.tile) {
        int count = (int)AM_MIN(p.tile, rows->data.n - first);
        score_tile(&p, &s, first, count);
    }
    am_status status = be->op->sync(be, err);
    if (status == AM_OK && each != NULL)
        status = read_metrics(&p, s.each, set->models, each, err);
    if (status == AM_OK && mean != NULL)
        status = read_metrics(&p, s.mean, 1, mean, err);
    be->op->release(be, s.each);
    be->op->release(be, s.mean);
    be->op->release(be, s.average);
    pass_close(&p);
    return status;
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* Tile (M,count,C) at `first` → its place in prediction (M,n,C). */
static void place_tile(const float *tile, int models, int64_t first, int64_t count, int64_t n,
                       int outputs, float *prediction)
{
    size_t row = sizeof(float) * (size_t)outputs;
    for (int64_t m = 0; m < models; m++)
        memcpy(prediction + (m * n + first) * outputs, tile + m * count * outputs,
               (size_t)count * row);
}

static am_status read_outputs(const model_set *set, const device_rows *rows, bool probabilities,
                              float *prediction, am_error *err)
{
    backend *be = set->be;
    pass p;
    AM_TRY(pass_open(&p, set, rows, err));
    int outputs = pass_outputs(&p);
    size_t values = (size_t)set->models * (size_t)p.tile * (size_t)outputs;
    float *host = am_alloc(values, sizeof *host, "predictions", err);
    am_status status = host != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int64_t first = 0; status == AM_OK && first < rows->data.n; first += p.tile) {
        int count = (int)AM_MIN(p.tile, rows->data.n - first);
        dev_f32 *logits = pass_logits(&p, first, count);
        dev_f32 *output = predict_tile(&p, logits, count, probabilities, NULL);
        size_t bytes = sizeof *host * (size_t)set->models * (size_t)count * (size_t)outputs;
        status = be->op->download(be, host, output, bytes, err);
        if (status == AM_OK)
            place_tile(host, set->models, first, count, rows->data.n, outputs, prediction);
    }
    free(host);
    pass_close(&p);
    return status;
}

am_status evaluate_predictions(const model_set *set, const device_rows *rows, float *prediction,
                               am_error *err)
{
    return read_outputs(set, rows, true, prediction, err);
}

am_status evaluate_logits(const model_set *set, const device_rows *rows, float *logit,
                          am_error *err)
{
    return read_outputs(set, rows, false, logit, err);
}
