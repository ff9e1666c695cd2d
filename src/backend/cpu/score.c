#include "backend/cpu/cpu.h"
#include "backend/cpu/softmax_row.h"

#include <float.h>
#include <math.h>
#include <omp.h>

/* What one row contributes. */
typedef struct {
    double nll, brier;
    float confidence; /* probability of the predicted class */
    bool correct;
} row_score;

static row_score score_logits(const float *logits, const float *e, const softmax_row *row,
                              int label, int outputs)
{
    row_score s = {.correct = row->argmax == label};
    double normalise = 1.0 / row->sum;
    s.nll = log(row->sum) + ((double)row->max - (double)logits[label]);
    for (int c = 0; c < outputs; c++) {
        double difference = (double)e[c] * normalise - (c == label ? 1.0 : 0.0);
        s.brier += difference * difference;
    }
    s.confidence = (float)normalise; /* exp(max − max)/Σ */
    return s;
}

static row_score score_probabilities(const float *p, int label, int outputs)
{
    row_score s = {0};
    int best = 0;
    for (int c = 0; c < outputs; c++) {
        double difference = (double)p[c] - (c == label ? 1.0 : 0.0);
        s.brier += difference * difference;
        if (p[c] > p[best])
            best = c;
    }
    s.nll = -log(p[label] < FLT_MIN ? (double)FLT_MIN : (double)p[label]);
    s.confidence = p[best];
    s.correct = best == label;
    return s;
}

static void add_row(double *score, row_score s)
{
    score[SCORE_NLL] += s.nll;
    score[SCORE_NLL2] += s.nll * s.nll;
    score[SCORE_CORRECT] += s.correct;
    score[SCORE_BRIER] += s.brier;
    /* bin = ⌈conf·15⌉ − 1: the bins are (0, 1/15], (1/15, 2/15] …; NaN goes to the first */
    float edge = ceilf(s.confidence * (float)AM_ECE_BINS);
    int bin = edge > 1.0F ? (int)AM_MIN(edge, (float)AM_ECE_BINS) - 1 : 0;
    double *count = score + SCORE_BINS, *confidence = count + AM_ECE_BINS,
           *correct = confidence + AM_ECE_BINS;
    count[bin] += 1.0;
    confidence[bin] += (double)s.confidence;
    correct[bin] += s.correct;
}

/* One model: its rows in order. */
static void score_classes(const score_args *a, int64_t m, float *buffer)
{
    softmax_row row[SOFTMAX_TILE];
    double *score = f64(a->score) + m * AM_SCORE_COLUMNS;
    for (int64_t first = 0; first < a->rows; first += SOFTMAX_TILE) {
        int rows = (int)AM_MIN(SOFTMAX_TILE, a->rows - first);
        const float *o = f32(a->output) + (m * a->rows + first) * a->outputs;
        const int32_t *label = i32(a->label) + first;
        if (!a->probabilities)
            softmax_tile(o, rows, a->outputs, buffer, row);
        for (int r = 0; r < rows; r++) {
            int64_t at = (int64_t)r * a->outputs;
            add_row(score, a->probabilities
                               ? score_probabilities(o + at, label[r], a->outputs)
                               : score_logits(o + at, buffer + at, row + r, label[r], a->outputs));
        }
    }
}

static void score_squared(const score_args *a, int64_t m)
{
    double *score = f64(a->score) + m * AM_SCORE_COLUMNS;
    const float *o = f32(a->output) + m * a->rows * a->outputs;
    for (int64_t r = 0; r < a->rows; r++) {
        double error = 0.0; /* Σ_c (o_c − y_c)² */
        for (int64_t c = r * a->outputs; c < (r + 1) * a->outputs; c++) {
            double difference = (double)o[c] - (double)f32(a->target)[c];
            error += difference * difference;
        }
        score[SCORE_NLL] += error;
        score[SCORE_NLL2] += error * error;
    }
}

static bool labels_in_range(const int32_t *label, int rows, int outputs)
{
    int outside = 0;
    for (int r = 0; r < rows; r++)
        outside |= label[r] < 0 || label[r] >= outputs;
    return !outside;
}

void cpu_score(backend *be, const score_args *a)
{
    CPU_REQUIRE(be, "score", a->models > 0 && a->rows > 0 && a->outputs > 0);
    CPU_REQUIRE(be, "score", a->kind == LOSS_SQUARED ? a->target != NULL : a->label != NULL);
    CPU_REQUIRE(be, "score",
                a->kind == LOSS_SQUARED || labels_in_range(i32(a->label), a->rows, a->outputs));
    int64_t tile = (int64_t)SOFTMAX_TILE * a->outputs;
    float *buffers =
        cpu_scratch(be, SCRATCH_OP, (size_t)be->threads * (size_t)tile * sizeof(float));
    if (buffers == NULL)
        return;
#pragma omp parallel for num_threads(be->threads)                                                  \
    schedule(static) if ((int64_t)a->models * a->rows * a->outputs > CPU_PARALLEL_WORK / 8)
    for (int64_t m = 0; m < a->models; m++) {
        if (a->kind == LOSS_SQUARED)
            score_squared(a, m);
        else
            score_classes(a, m, buffers + omp_get_thread_num() * tile);
    }
}
