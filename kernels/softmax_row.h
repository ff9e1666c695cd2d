/* softmax_row — maximum and sum of exponentials of a row of C outputs, by a group of lanes of one
 * warp; shared by the loss, the scores and the softmax. */
#ifndef AM_CUDA_SOFTMAX_ROW_H
#define AM_CUDA_SOFTMAX_ROW_H

#include "gpu.h"

/* The lanes of a row, a power of two up to a warp: some four outputs a lane. Lane l takes the
 * outputs l, l + lanes, … */
static inline int row_lanes(int outputs)
{
    int lanes = 1;
    while (lanes < WARP && 4 * lanes < outputs)
        lanes *= 2;
    return lanes;
}

/* A lane's place; the same for every row. */
typedef struct {
    int lane, lanes;
} row_place;

static inline __device__ row_place row_place_of(int lanes)
{
    row_place p = {(int)threadIdx.x % lanes, lanes};
    return p;
}

/* Σ over the lanes of a row, the same bits in each of them; the whole warp must call it. */
static inline __device__ double row_sum(row_place p, double x)
{
    for (int offset = p.lanes / 2; offset > 0; offset /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, offset);
    return x;
}

typedef struct {
    float max;  /* over the outputs that are numbers; −∞ when there are none */
    int argmax; /* first of equals */
} row_maximum;

/* The whole warp must call it, lanes without a row with outputs = 0. */
static inline __device__ row_maximum row_maximum_of(row_place p, const float *o, int outputs)
{
    row_maximum best = {-INFINITY, 0};
    for (int c = p.lane; c < outputs; c += p.lanes) {
        if (o[c] > best.max) {
            best.max = o[c];
            best.argmax = c;
        }
    }
    for (int offset = p.lanes / 2; offset > 0; offset /= 2) {
        float max = __shfl_xor_sync(0xffffffffu, best.max, offset);
        int argmax = __shfl_xor_sync(0xffffffffu, best.argmax, offset);
        if (max > best.max || (max == best.max && argmax < best.argmax)) {
            best.max = max;
            best.argmax = argmax;
        }
    }
    return best;
}

/* Σ_c exp(o_c − max), in 1..C; NaN when an output is NaN or the maximum infinite. The whole warp.
 */
static inline __device__ double row_exponentials(row_place p, const float *o, int outputs,
                                                 float max)
{
    double sum = 0.0;
    for (int c = p.lane; c < outputs; c += p.lanes)
        sum += (double)expf(o[c] - max);
    return row_sum(p, sum);
}

#endif
