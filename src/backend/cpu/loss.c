#include "backend/cpu/cpu.h"
#include "backend/cpu/softmax_row.h"

#include <math.h>
#include <omp.h>

/* One tile of rows of one model. */
typedef struct {
    int64_t first; /* row */
    int rows, outputs;
    const float *logits, *weight; /* weight NULL = 1 */
    const int32_t *label;
    const float *target;
    float *dlogits;    /* NULL: value only */
    double *row_loss;  /* (rows) out: w·ℓ */
    double grad_scale; /* grad_scale/divisor */
} loss_tile;

static double weight_of(const loss_tile *t, int r)
{
    return t->weight != NULL ? (double)t->weight[r] : 1.0;
}

/* ℓ = log Σ_c e^{o_c} − o_y;  ∂ℓ/∂o_c = p_c − 1[c=y]. false: a label outside 0..C−1. */
static bool cross_entropy_tile(const loss_tile *t, float *buffer)
{
    softmax_row row[SOFTMAX_TILE];
    int outputs = t->outputs;
    double target_logit[SOFTMAX_TILE] = {0.0}; /* read before dlogits may overwrite it */
    for (int r = 0; r < t->rows; r++) {
        if (t->label[r] < 0 || t->label[r] >= outputs)
            return false;
        target_logit[r] = (double)t->logits[(int64_t)r * outputs + t->label[r]];
    }
    softmax_tile(t->logits, t->rows, outputs, buffer, row);
    for (int r = 0; r < t->rows; r++) {
        double w = weight_of(t, r);
        t->row_loss[r] = w * (log(row[r].sum) + ((double)row[r].max - target_logit[r]));
        if (t->dlogits == NULL)
            continue;
        const float *e = buffer + (int64_t)r * outputs;
        float *d = t->dlogits + (int64_t)r * outputs;
        float scale = (float)(w * t->grad_scale), normalise = (float)(1.0 / row[r].sum);
        for (int c = 0; c < outputs; c++)
            d[c] = scale * (e[c] * normalise);
        /* p_y − 1 = −Σ_{c≠y} p_c, without the cancellation of p_y near 1 */
        double others = row[r].sum - (double)e[t->label[r]];
        d[t->label[r]] = (float)(-w * t->grad_scale * (others / row[r].sum));
    }
    return true;
}

/* ℓ = Σ_c (o_c − y_c)²;  ∂ℓ/∂o_c = 2(o_c − y_c) */
static void squared_tile(const loss_tile *t)
{
    for (int r = 0; r < t->rows; r++) {
        double w = weight_of(t, r), sum = 0.0;
        for (int64_t c = (int64_t)r * t->outputs; c < (int64_t)(r + 1) * t->outputs; c++) {
            double difference = (double)t->logits[c] - (double)t->target[c];
            sum += difference * difference;
            if (t->dlogits != NULL)
                t->dlogits[c] = (float)(2.0 * w * t->grad_scale * difference);
        }
        t->row_loss[r] = w * sum;
    }
}

static loss_tile tile_at(const loss_args *a, int64_t m, int64_t first, double *row_loss)
{
    int64_t row = m * a->rows + first, at = row * a->outputs;
    return (loss_tile){
        .first = first,
        .rows = (int)AM_MIN(SOFTMAX_TILE, a->rows - first),
        .outputs = a->outputs,
        .logits = f32(a->logits) + at,
        .weight = a->weight != NULL ? f32(a->weight) + row : NULL,
        .label = a->label != NULL ? i32(a->label) + m * a->label_stride + first : NULL,
        .target =
            a->target != NULL ? f32(a->target) + m * a->target_stride + first * a->outputs : NULL,
        .dlogits = a->dlogits != NULL ? f32(a->dlogits) + at : NULL,
        .row_loss = row_loss + row,
        .grad_scale = a->grad_scale / a->divisor};
}

void cpu_loss(backend *be, const loss_args *a)
{
    CPU_REQUIRE(be, "loss", a->models > 0 && a->rows > 0 && a->outputs > 0 && a->divisor > 0.0);
    CPU_REQUIRE(be, "loss", a->kind == LOSS_SQUARED ? a->target != NULL : a->label != NULL);
    int64_t rows = (int64_t)a->models * a->rows,
            tiles = (a->rows + SOFTMAX_TILE - 1) / SOFTMAX_TILE;
    /* The exponentials have a buffer of their own when dlogits cannot hold them. */
    size_t buffer = (size_t)be->threads * SOFTMAX_TILE * (size_t)a->outputs * sizeof(float);
    double *row_loss = cpu_scratch(be, SCRATCH_OP, (size_t)rows * sizeof(double) + buffer);
    if (row_loss == NULL)
        return;
    float *buffers = (float *)(void *)(row_loss + rows);
    int bad_label = 0;
#pragma omp parallel for num_threads(be->threads) schedule(static)                                 \
    reduction(|                                                                                    \
              : bad_label) if (rows * a->outputs > CPU_PARALLEL_WORK / 8)
    for (int64_t i = 0; i < a->models * tiles; i++) {
        loss_tile t = tile_at(a, i / tiles, i % tiles * SOFTMAX_TILE, row_loss);
        if (a->kind == LOSS_SQUARED)
            squared_tile(&t);
        else
            bad_label |=
                !cross_entropy_tile(&t, buffers + omp_get_thread_num() * SOFTMAX_TILE * a->outputs);
    }
    if (bad_label) {
        backend_fail(be, AM_ERR_INTERNAL, "loss", "a label is outside 0..%d", a->outputs - 1);
        return;
    }
    for (int64_t m = 0; m < a->models; m++) {
        double sum = 0.0; /* in row order, whoever computed the rows */
        for (int64_t r = 0; r < a->rows; r++)
            sum += row_loss[m * a->rows + r];
        f64(a->loss)[m] += sum / a->divisor;
    }
}
