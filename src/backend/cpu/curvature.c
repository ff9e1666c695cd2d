/* Products with the derivatives of one network for many vectors: slope of the activations, curvature
 * of the loss, diagonal of the damping. */
#include "backend/cpu/activation.h"
#include "backend/cpu/softmax_row.h"

#include <omp.h>

enum { SLOPE_TILE = 4096 };

void cpu_slope(backend *be, const slope_args *a)
{
    CPU_REQUIRE(be, "slope", a->vectors > 0 && a->count > 0 && a->y != NULL && a->t != NULL);
    if (a->act == ACT_NONE)
        return;
    int64_t tiles = (a->count + SLOPE_TILE - 1) / SLOPE_TILE;
#pragma omp parallel for num_threads(be->threads)                                                  \
    schedule(static) if (a->vectors * a->count > CPU_PARALLEL_WORK)
    for (int64_t i = 0; i < a->vectors * tiles; i++) {
        int64_t from = i % tiles * SLOPE_TILE, n = AM_MIN(SLOPE_TILE, a->count - from);
        activate_backward(f32(a->t) + i / tiles * a->count + from, f32(a->y) + from, n, 1, n,
                          a->act);
    }
}

/* One row: t_c ← scale·p_c(t_c − Σ_j p_j t_j) */
static void curvature_row(const float *p, int outputs, double scale, float *t)
{
    double mean = 0.0;
    for (int c = 0; c < outputs; c++)
        mean += (double)p[c] * (double)t[c];
    for (int c = 0; c < outputs; c++)
        t[c] = (float)(scale * (double)p[c] * ((double)t[c] - mean));
}

/* The rows [first, first + SOFTMAX_TILE) of every vector; p (rows,C) is the thread's own. */
static void curvature_tile(const curvature_args *a, int64_t first, float *p)
{
    softmax_row row[SOFTMAX_TILE];
    int rows = (int)AM_MIN(SOFTMAX_TILE, a->rows - first), outputs = a->outputs;
    softmax_tile(f32(a->logits) + first * outputs, rows, outputs, p, row);
    for (int i = 0; i < rows * outputs; i++)
        p[i] = (float)((double)p[i] / row[i / outputs].sum);
    for (int64_t k = 0; k < a->vectors; k++)
        for (int r = 0; r < rows; r++)
            curvature_row(p + (int64_t)r * outputs, outputs, a->scale,
                          f32(a->t) + (k * a->rows + first + r) * outputs);
}

void cpu_curvature(backend *be, const curvature_args *a)
{
    CPU_REQUIRE(be, "curvature", a->vectors > 0 && a->rows > 0 && a->outputs > 0 && a->t != NULL);
    int64_t values = (int64_t)a->vectors * a->rows * a->outputs;
    if (a->kind == LOSS_SQUARED) {
        for (int64_t i = 0; i < values; i++)
            f32(a->t)[i] *= (float)(2.0 * a->scale);
        return;
    }
    size_t tile = (size_t)SOFTMAX_TILE * (size_t)a->outputs;
    float *p = cpu_scratch(be, SCRATCH_OP, (size_t)be->threads * tile * sizeof *p);
    if (p == NULL)
        return;
#pragma omp parallel for num_threads(be->threads)                                                  \
    schedule(static) if (values > CPU_PARALLEL_WORK / 8)
    for (int64_t first = 0; first < a->rows; first += SOFTMAX_TILE)
        curvature_tile(a, first, p + (size_t)omp_get_thread_num() * tile);
}

AM_CLONES static void diagonal_tile(float *restrict y, const float *restrict x,
                                    const float *restrict d, int64_t n, float shift, float factor)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] += (shift + factor * d[i]) * x[i];
}

void cpu_add_diagonal(backend *be, const add_diagonal_args *a)
{
    CPU_REQUIRE(be, "add_diagonal", a->vectors > 0 && a->count > 0 && a->d != NULL);
    int64_t tiles = (a->count + SLOPE_TILE - 1) / SLOPE_TILE;
#pragma omp parallel for num_threads(be->threads)                                                  \
    schedule(static) if (a->vectors * a->count > CPU_PARALLEL_WORK)
    for (int64_t i = 0; i < a->vectors * tiles; i++) {
        int64_t from = i % tiles * SLOPE_TILE, at = i / tiles * a->count + from;
        diagonal_tile(f32(a->y) + at, f32(a->x) + at, f32(a->d) + from,
                      AM_MIN(SLOPE_TILE, a->count - from), (float)a->shift, (float)a->factor);
    }
}
