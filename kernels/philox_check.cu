/* philox_check — draw/philox.h against cuRAND's Philox4x32-10, word for word, on the device. */
#include "gpu.h"

#include <curand_kernel.h>

/* Counters and keys of all bits, made from the thread's number by draw/philox.h itself. Some 400
 * integer operations a thread, nothing to read: the launch is what costs. */
static __global__ void philox_check_kernel(unsigned *different)
{
    uint32_t i = (uint32_t)thread_index();
    philox4 c = philox(i, 0, 0, 0, 0), k = philox(i, 1, 0, 0, 0);
    uint64_t seed = (uint64_t)k.x[1] << 32 | k.x[0];
    philox4 own = philox(seed, c.x[3], c.x[2], c.x[1], c.x[0]);
    uint4 theirs = curand_Philox4x32_10(make_uint4(c.x[0], c.x[1], c.x[2], c.x[3]),
                                        make_uint2(k.x[0], k.x[1]));
    if (own.x[0] != theirs.x || own.x[1] != theirs.y || own.x[2] != theirs.z ||
        own.x[3] != theirs.w)
        atomicAdd(different, 1u);
}

extern "C" AM_API am_status am_cuda_check_philox(backend *be, unsigned *different, am_error *err);

/* different: how many of 4 096 counters give other words in cuRAND; 0 when all is well. */
am_status am_cuda_check_philox(backend *be, unsigned *different, am_error *err)
{
    const char *op = "philox_check";
    unsigned *count = (unsigned *)cuda_alloc(be, sizeof *count, "check");
    if (count != NULL)
        CUDA_LAUNCH(be, op, philox_check_kernel, 4096 / BLOCK, BLOCK, 0, count);
    am_status status = cuda_download(be, different, count, sizeof *different, err);
    cuda_release(be, count);
    return status;
}
