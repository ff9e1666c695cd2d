#include "backend/cpu/cpu.h"
#include "backend/cpu/softmax_row.h"

#include <omp.h>
#include <string.h>

/* Rows [first, first+rows) of every model, in the models' order, so that the mean has one shape.
 * e (rows,C) and mean (rows,C) are the thread's own. */
static void softmax_rows(const softmax_args *a, int64_t first, float *e, double *mean)
{
    softmax_row row[SOFTMAX_TILE];
    int rows = (int)AM_MIN(SOFTMAX_TILE, a->rows - first);
    int64_t count = (int64_t)rows * a->outputs;
    memset(mean, 0, (size_t)count * sizeof *mean);
    for (int64_t m = 0; m < a->models; m++) {
        int64_t at = (m * a->rows + first) * a->outputs;
        softmax_tile(f32(a->logits) + at, rows, a->outputs, e, row);
        for (int64_t i = 0; i < count; i++) {
            double p = (double)e[i] / row[i / a->outputs].sum;
            mean[i] += p;
            if (a->probability != NULL)
                f32(a->probability)[at + i] = (float)p;
        }
    }
    if (a->mean == NULL)
        return;
    for (int64_t i = 0; i < count; i++)
        f32(a->mean)[first * a->outputs + i] = (float)(mean[i] / a->models);
}

void cpu_softmax(backend *be, const softmax_args *a)
{
    CPU_REQUIRE(be, "softmax", a->models > 0 && a->rows > 0 && a->outputs > 0);
    size_t tile = (size_t)SOFTMAX_TILE * (size_t)a->outputs;
    double *means =
        cpu_scratch(be, SCRATCH_OP, (size_t)be->threads * tile * (sizeof(double) + sizeof(float)));
    if (means == NULL)
        return;
    float *buffers = (float *)(void *)(means + (size_t)be->threads * tile);
#pragma omp parallel for num_threads(be->threads)                                                  \
    schedule(static) if ((int64_t)a->models * a->rows * a->outputs > CPU_PARALLEL_WORK / 8)
    for (int64_t first = 0; first < a->rows; first += SOFTMAX_TILE) {
        size_t thread = (size_t)omp_get_thread_num();
        softmax_rows(a, first, buffers + thread * tile, means + thread * tile);
    }
}
