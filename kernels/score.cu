/* score — sums of NLL, accuracy, Brier score and calibration bins over rows, for many models. */
#include "softmax_row.h"

#include <float.h>

/* A block takes SCORE_ROWS rows of one model: a group of lanes a row, then a thread a row for the
 * sums, then 16 threads a bin. Per output 4 bytes read once (later reads hit the first-level
 * cache), two exponentials and some 20 operations: bound by memory, 0.1 ms at 4 TB/s for 1 000
 * models, 10 000 rows and 10 classes. */
enum { SCORE_ROWS = BLOCK, BIN_THREADS = 16, BIN_ROWS = SCORE_ROWS / BIN_THREADS };

/* What one row contributes. */
typedef struct {
    double nll, brier;
    float confidence; /* probability of the predicted class */
    int correct;      /* 1 or 0; −1: the row has no place in the bins */
} row_score;

/* 0..14: ⌈confidence·15⌉ − 1; NaN goes to the first; −1: none */
static __device__ int bin_of(const row_score &s)
{
    if (s.correct < 0)
        return -1;
    float edge = ceilf(s.confidence * (float)AM_ECE_BINS);
    return edge > 1.0f ? (int)fminf(edge, (float)AM_ECE_BINS) - 1 : 0;
}

static __device__ row_score score_logits(row_place p, const float *o, int outputs, int label)
{
    row_maximum best = row_maximum_of(p, o, outputs);
    double sum = row_exponentials(p, o, outputs, best.max), brier = 0.0, own = 0.0;
    for (int c = p.lane; c < outputs; c += p.lanes) {
        double difference = (double)expf(o[c] - best.max) / sum - (c == label ? 1.0 : 0.0);
        brier += difference * difference;
        own = c == label ? (double)o[c] : own;
    }
    row_score s = {0.0, row_sum(p, brier), (float)(1.0 / sum), best.argmax == label};
    s.nll = log(sum) + ((double)best.max - row_sum(p, own));
    return s;
}

static __device__ row_score score_probabilities(row_place p, const float *o, int outputs, int label)
{
    row_maximum best = row_maximum_of(p, o, outputs);
    double brier = 0.0, own = 0.0;
    for (int c = p.lane; c < outputs; c += p.lanes) {
        double difference = (double)o[c] - (c == label ? 1.0 : 0.0);
        brier += difference * difference;
        own = c == label ? (double)o[c] : own;
    }
    row_score s = {0.0, row_sum(p, brier), best.max, best.argmax == label};
    own = row_sum(p, own);
    s.nll = -log(own < (double)FLT_MIN ? (double)FLT_MIN : own);
    return s;
}

/* Σ_c (o_c − y_c)² in the place of the NLL */
static __device__ row_score score_squared(row_place p, const float *o, int outputs, const float *y)
{
    double error = 0.0;
    for (int c = p.lane; c < outputs; c += p.lanes) {
        double difference = (double)o[c] - (double)y[c];
        error += difference * difference;
    }
    row_score s = {row_sum(p, error), 0.0, 0.0f, -1};
    return s;
}

/* Row b of model m, by all lanes of a warp; absent and faulty rows contribute nothing. */
static __device__ row_score score_row(const score_args &a, row_place p, int64_t m, int64_t b,
                                      unsigned long long *fault)
{
    row_score s, nothing = {0.0, 0.0, 0.0f, -1};
    int outputs = b < a.rows ? a.outputs : 0, label = 0;
    const float *o = f32(a.output) + (m * a.rows + b) * a.outputs;
    if (a.kind == LOSS_SQUARED)
        return score_squared(p, o, outputs, f32(a.target) + b * a.outputs);
    if (outputs > 0)
        label = i32(a.label)[b];
    if (label < 0 || label >= a.outputs) {
        report_fault(fault, FAULT_SCORE_LABEL, label);
        outputs = 0;
    }
    s = a.probabilities ? score_probabilities(p, o, outputs, label)
                        : score_logits(p, o, outputs, label);
    return outputs > 0 ? s : nothing;
}

/* Adds to the score itself, or writes a partial sum. */
static __device__ void put(double *to, bool add, double value)
{
    *to = add ? *to + value : value;
}

/* Counts, confidences and hits of a bin over the block's rows, BIN_ROWS rows a thread. */
static __device__ void put_bins(const row_score *row, double *score, bool add)
{
    int bin = (int)threadIdx.x / BIN_THREADS, first = (int)threadIdx.x % BIN_THREADS * BIN_ROWS;
    double count = 0.0, confidence = 0.0, correct = 0.0;
    for (int r = first; r < first + BIN_ROWS; r++) {
        if (bin_of(row[r]) != bin)
            continue;
        count += 1.0;
        confidence += (double)row[r].confidence;
        correct += (double)row[r].correct;
    }
    row_place p = row_place_of(BIN_THREADS);
    count = row_sum(p, count);
    confidence = row_sum(p, confidence);
    correct = row_sum(p, correct);
    if (p.lane != 0 || bin >= AM_ECE_BINS)
        return;
    put(score + SCORE_BINS + bin, add, count);
    put(score + SCORE_BINS + AM_ECE_BINS + bin, add, confidence);
    put(score + SCORE_BINS + 2 * AM_ECE_BINS + bin, add, correct);
}

/* score (M, columns) itself when chunks = 1, else partial (M, chunks, columns) */
static __global__ void score_kernel(score_args a, int lanes, int chunks, double *partial,
                                    unsigned long long *fault)
{
    __shared__ row_score row[SCORE_ROWS];
    int64_t m = blockIdx.x / chunks, first = (int64_t)(blockIdx.x % chunks) * SCORE_ROWS;
    int group = (int)threadIdx.x / lanes, groups = SCORE_ROWS / lanes;
    row_place p = row_place_of(lanes);
    for (int r = group; r < SCORE_ROWS; r += groups) {
        row_score s = score_row(a, p, m, first + r, fault);
        if (p.lane == 0)
            row[r] = s;
    }
    __syncthreads();
    row_score s = row[threadIdx.x];
    bool add = chunks == 1;
    double *score = add ? f64(a.score) + m * AM_SCORE_COLUMNS
                        : partial + (int64_t)blockIdx.x * AM_SCORE_COLUMNS;
    double nll = block_sum(s.nll), nll2 = block_sum(s.nll * s.nll);
    double correct = block_sum(s.correct > 0 ? 1.0 : 0.0), brier = block_sum(s.brier);
    if (threadIdx.x == 0) {
        put(score + SCORE_NLL, add, nll);
        put(score + SCORE_NLL2, add, nll2);
        put(score + SCORE_CORRECT, add, correct);
        put(score + SCORE_BRIER, add, brier);
    }
    put_bins(row, score, add);
}

/* score += Σ_chunks partial, in order: 8 bytes read and an addition a column and 256 rows, a fifth of
 * what the logits of these rows are at 10 classes; bound by memory */
static __global__ void score_sum_kernel(score_args a, int chunks, const double *partial)
{
    int64_t i = thread_index(), m = i / AM_SCORE_COLUMNS, column = i % AM_SCORE_COLUMNS;
    if (m >= a.models)
        return;
    double sum = 0.0;
    for (int c = 0; c < chunks; c++)
        sum += partial[(m * chunks + c) * AM_SCORE_COLUMNS + column];
    f64(a.score)[i] += sum;
}

void cuda_score(backend *be, const score_args *a)
{
    const char *op = "score";
    CUDA_REQUIRE(be, op, a->models > 0 && a->rows > 0 && a->outputs > 0);
    CUDA_REQUIRE(be, op, a->kind == LOSS_SQUARED ? a->target != NULL : a->label != NULL);
    int chunks = (int)divide_up(a->rows, SCORE_ROWS);
    int64_t blocks = (int64_t)a->models * chunks;
    double *partial = NULL;
    if (chunks > 1) {
        size_t bytes = (size_t)(blocks * AM_SCORE_COLUMNS) * sizeof(double);
        partial = (double *)cuda_scratch(be, SCRATCH_OP, bytes);
        if (partial == NULL)
            return;
    }
    CUDA_LAUNCH(be, op, score_kernel, (unsigned)blocks, BLOCK, 0, *a, row_lanes(a->outputs), chunks,
                partial, cuda_of(be)->fault);
    if (chunks > 1)
        CUDA_LAUNCH(be, op, score_sum_kernel, blocks_of((int64_t)a->models * AM_SCORE_COLUMNS),
                    BLOCK, 0, *a, chunks, partial);
}
