/* block_weights — weights of the Bayesian bootstrap over blocks: K·Dirichlet(1, …, 1). */
#ifndef AM_CLASSIC_BLOCK_WEIGHTS_H
#define AM_CLASSIC_BLOCK_WEIGHTS_H

#include "draw/draw.h"

/* omega (K), mean 1, a pure function of (seed, stream, step, draw). */
static inline void block_weights(uint64_t seed, draw_stream stream, uint32_t step, uint32_t draw,
                                 int blocks, double *omega)
{
    double sum = 0;
    for (int b = 0; b < blocks; b++)
        sum += omega[b] = draw_exponential(seed, (uint32_t)stream, step, draw, (uint32_t)b);
    for (int b = 0; b < blocks; b++)
        omega[b] *= blocks / sum;
}

#endif
