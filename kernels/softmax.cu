/* softmax — probabilities of M models and their mean. */
#include "softmax_row.h"

/* A group of lanes takes one row through SOFTMAX_MODELS models in order and keeps the sums of its
 * probabilities; mean_kernel adds those of all tiles of models, in order. Per output 4 bytes read,
 * 4 written when probabilities are wanted, two exponentials; the sums, 8 bytes an output and tile,
 * stay in cache: bound by memory. */
enum { SOFTMAX_MODELS = 8 };

static __global__ void softmax_kernel(softmax_args a, int lanes, double *sums)
{
    int64_t rows_per_block = blockDim.x / (unsigned)lanes;
    int64_t blocks_per_tile = divide_up(a.rows, rows_per_block);
    int64_t tile = blockIdx.x / blocks_per_tile;
    int64_t b = blockIdx.x % blocks_per_tile * rows_per_block + (int)threadIdx.x / lanes;
    int outputs = b < a.rows ? a.outputs : 0; /* the lanes of a warp stay together */
    row_place p = row_place_of(lanes);
    int64_t count = (int64_t)a.rows * a.outputs;
    int first = (int)tile * SOFTMAX_MODELS;
    for (int m = first; m < a.models && m < first + SOFTMAX_MODELS; m++) {
        const float *o = f32(a.logits) + m * count + b * a.outputs;
        float max = row_maximum_of(p, o, outputs).max;
        double sum = row_exponentials(p, o, outputs, max);
        for (int c = p.lane; c < outputs; c += p.lanes) {
            double probability = (double)expf(o[c] - max) / sum;
            int64_t i = b * a.outputs + c;
            if (a.probability != NULL) /* may be the logits: a lane's own output, read above */
                f32(a.probability)[m * count + i] = (float)probability;
            if (sums != NULL)
                sums[tile * count + i] = (m > first ? sums[tile * count + i] : 0.0) + probability;
        }
    }
}

/* mean = Σ_tiles sums / M: 8 bytes read an output and tile of 8 models, 4 written an output; bound by
 * memory */
static __global__ void mean_kernel(softmax_args a, int tiles, const double *sums)
{
    int64_t i = thread_index(), count = (int64_t)a.rows * a.outputs;
    if (i >= count)
        return;
    double sum = 0.0;
    for (int t = 0; t < tiles; t++)
        sum += sums[t * count + i];
    f32(a.mean)[i] = (float)(sum / a.models);
}

void cuda_softmax(backend *be, const softmax_args *a)
{
    const char *op = "softmax";
    CUDA_REQUIRE(be, op, a->models > 0 && a->rows > 0 && a->outputs > 0);
    int lanes = row_lanes(a->outputs), tiles = (int)divide_up(a->models, SOFTMAX_MODELS);
    int64_t count = (int64_t)a->rows * a->outputs;
    double *sums = NULL;
    if (a->mean != NULL) {
        sums = (double *)cuda_scratch(be, SCRATCH_OP, (size_t)(tiles * count) * sizeof(double));
        if (sums == NULL)
            return;
    }
    unsigned grid = (unsigned)(tiles * divide_up(a->rows, BLOCK / lanes));
    CUDA_LAUNCH(be, op, softmax_kernel, grid, BLOCK, 0, *a, lanes, sums);
    if (sums != NULL)
        CUDA_LAUNCH(be, op, mean_kernel, blocks_of(count), BLOCK, 0, *a, tiles, sums);
}
