#include "classic/block_ridge.h"
#include "classic/block_weights.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

static const char WHAT[] = "draws of weights and λ";

/* ω takes elements 0..K−1 of draw m, λ element K: of the same stream for draws that judge, of
 * STREAM_LAMBDA for those that train. */
am_status block_draws_make(int count, int blocks, double low, double high, uint64_t seed,
                           draw_stream stream, uint32_t step, block_draws *draws, am_error *err)
{
    draw_stream lambda_stream = stream == STREAM_OMEGA ? STREAM_LAMBDA : stream;
    *draws = (block_draws){.count = count, .blocks = blocks, .low = low, .high = high};
    draws->lambda = am_alloc((size_t)count, sizeof(double), WHAT, err);
    draws->omega = am_alloc((size_t)count * (size_t)blocks, sizeof(double), WHAT, err);
    if (draws->lambda == NULL || draws->omega == NULL) {
        block_draws_free(draws);
        return AM_ERR_MEMORY;
    }
    for (int m = 0; m < count; m++) {
        philox4 r = philox(seed, (uint32_t)lambda_stream, step, (uint32_t)m, (uint32_t)blocks);
        draws->lambda[m] = lambda_of_u(2.0 * uniform_open(r.x[0]) - 1.0, log(low), log(high));
        block_weights(seed, stream, step, (uint32_t)m, blocks,
                      draws->omega + linalg_at(0, m, blocks));
    }
    return AM_OK;
}

void block_draws_free(block_draws *draws)
{
    free(draws->lambda);
    free(draws->omega);
    *draws = (block_draws){0};
}

/* u is uniform on [−1, 1], so that √3·u has variance 1. */
double *block_draws_features(const block_draws *draws, am_error *err)
{
    int r = draws->blocks + 1;
    double *z = am_alloc((size_t)r * (size_t)draws->count, sizeof *z, WHAT, err);
    double low = log(draws->low), span = log(draws->high) - low;
    for (int m = 0; z != NULL && m < draws->count; m++) {
        const double *omega = draws->omega + linalg_at(0, m, draws->blocks);
        double *at = z + linalg_at(0, m, r);
        at[0] = 1.0;
        at[1] = sqrt(3.0) * (2.0 * (log(draws->lambda[m]) - low) / span - 1.0);
        for (int k = 0; k + 1 < draws->blocks; k++)
            at[2 + k] = omega[k] - 1.0;
    }
    return z;
}
