/* The part of cuRAND's device interface that kernels/ uses: the block function of Philox4x32-10
 * (Salmon et al. 2011), as in the paper's reference, apart from draw/philox.h. */
#ifndef CUDA_ON_CPU_CURAND_KERNEL_H
#define CUDA_ON_CPU_CURAND_KERNEL_H

#include "cuda_runtime.h"

static inline uint4 curand_Philox4x32_10(uint4 counter, uint2 key)
{
    const unsigned multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
    const unsigned weyl[2] = {0x9E3779B9u, 0xBB67AE85u};
    for (unsigned round = 0; round < 10; round++) {
        unsigned high0 = __umulhi(multiplier[0], counter.x), low0 = multiplier[0] * counter.x;
        unsigned high1 = __umulhi(multiplier[1], counter.z), low1 = multiplier[1] * counter.z;
        unsigned key0 = key.x + round * weyl[0], key1 = key.y + round * weyl[1];
        counter = make_uint4(high1 ^ counter.y ^ key0, low1, high0 ^ counter.w ^ key1, low0);
    }
    return counter;
}

#endif
