/* CUDA C++ for the host compiler: qualifiers, built-in variables, launches, barriers and warps.
 *
 * A kernel is an ordinary function that runs once per thread. Threads of a block are fibres of one
 * host thread; they change places only where the language lets them wait for one another. */
#ifndef CUDA_ON_CPU_H
#define CUDA_ON_CPU_H

#include "cuda_on_cpu_types.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
/* Static shared memory: thread-local storage of the object file, so that the harness knows where
 * all of it lies and can poison it between blocks. */
#define __shared__ thread_local

/* name<<<grid, block, shared_bytes, stream>>>(…) */
#define AM_LAUNCH(name, grid, block, shared_bytes, stream, ...)                                    \
    cuda_on_cpu::launch(#name, name, grid, block, shared_bytes, stream, ##__VA_ARGS__)
/* extern __shared__ type name[]; */
#define AM_SHARED(type, name) type *name = static_cast<type *>(cuda_on_cpu::dynamic_shared())

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
enum { warpSize = 32 };

namespace cuda_on_cpu
{

/* Where a thread stands in the source. */
struct place {
    const char *what, *file;
    int line;
};

/* One launch: `body` runs the kernel's function with its arguments. */
struct kernel_call {
    const char *name;
    const void *function;
    dim3 grid, block;
    size_t shared_bytes;
    std::function<void()> body;
};

void submit_kernel(kernel_call call, cudaStream_t stream);
/* A pointer that a kernel gets must be NULL or point to device memory. */
void check_argument(const char *kernel, size_t position, const void *pointer);
cudaError_t set_attribute(const void *kernel, cudaFuncAttribute attribute, int value);

void *dynamic_shared();
void barrier(place where);
/* Rendezvous of the warp's threads named in `mask`. The value that lane `source` brought, or, for
 * `ballot`, the bits of all lanes whose value is not zero. */
uint64_t shuffle(place where, unsigned mask, uint64_t value, unsigned source);
unsigned ballot(place where, unsigned mask, bool value);
unsigned lane();

template <typename T> struct identity {
    using type = T;
};

template <typename... P>
void launch(const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes,
            cudaStream_t stream, typename identity<P>::type... argument)
{
    size_t position = 0;
    auto check = [&](auto value) {
        position++;
        if constexpr (std::is_pointer_v<decltype(value)>)
            check_argument(name, position, value);
    };
    (check(argument), ...);
    auto body = [kernel, arguments = std::tuple<std::decay_t<P>...>(argument...)] {
        std::apply(kernel, arguments);
    };
    submit_kernel({name, reinterpret_cast<const void *>(kernel), grid, block, shared_bytes, body},
                  stream);
}

template <typename T> T exchange(place where, unsigned mask, T value, unsigned source)
{
    static_assert(std::is_arithmetic_v<T> && sizeof(T) >= 4, "shuffles move 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = shuffle(where, mask, bits, source);
    memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace cuda_on_cpu

#define CUDA_ON_CPU_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::barrier({"__syncthreads", file, line});
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::ballot({"__syncwarp", file, line}, mask, false);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, CUDA_ON_CPU_PLACE)
{
    return cuda_on_cpu::ballot({"__ballot_sync", file, line}, mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate, CUDA_ON_CPU_PLACE)
{
    return cuda_on_cpu::ballot({"__any_sync", file, line}, mask, predicate != 0) != 0;
}
inline int __all_sync(unsigned mask, int predicate, CUDA_ON_CPU_PLACE)
{
    return cuda_on_cpu::ballot({"__all_sync", file, line}, mask, predicate == 0) == 0;
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, CUDA_ON_CPU_PLACE)
{
    unsigned self = cuda_on_cpu::lane(), w = unsigned(width);
    unsigned from = (self & ~(w - 1)) | (unsigned(source) & (w - 1));
    return cuda_on_cpu::exchange({"__shfl_sync", file, line}, mask, value, from);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, CUDA_ON_CPU_PLACE)
{
    unsigned self = cuda_on_cpu::lane(), w = unsigned(width);
    unsigned from = (self & (w - 1)) >= delta ? self - delta : self;
    return cuda_on_cpu::exchange({"__shfl_up_sync", file, line}, mask, value, from);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, CUDA_ON_CPU_PLACE)
{
    unsigned self = cuda_on_cpu::lane(), w = unsigned(width);
    unsigned from = (self & (w - 1)) + delta < w ? self + delta : self;
    return cuda_on_cpu::exchange({"__shfl_down_sync", file, line}, mask, value, from);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, CUDA_ON_CPU_PLACE)
{
    unsigned self = cuda_on_cpu::lane(), w = unsigned(width);
    unsigned from = self ^ unsigned(bits);
    from = from <= (self | (w - 1)) ? from : self;
    return cuda_on_cpu::exchange({"__shfl_xor_sync", file, line}, mask, value, from);
}
#undef CUDA_ON_CPU_PLACE

#include "cuda_on_cpu_functions.h"

#endif
