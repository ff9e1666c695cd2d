/* Device functions of CUDA C++ that kernels/ uses beyond <cmath>. */
#ifndef CUDA_ON_CPU_FUNCTIONS_H
#define CUDA_ON_CPU_FUNCTIONS_H

#include <cstdint>
#include <type_traits>

inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
inline unsigned __umulhi(unsigned a, unsigned b)
{
    return unsigned((uint64_t(a) * b) >> 32);
}

/* ---- atomics, on integers only: their order is not defined, and sums of floats depend on it ---- */

template <typename T, typename Update> T cuda_on_cpu_atomic(T *p, Update update)
{
    static_assert(std::is_integral_v<T> && sizeof(T) >= 4,
                  "no atomics on floats: the same calls must give the same bits");
    T old = *p;
    *p = update(old);
    return old;
}
template <typename T> T atomicAdd(T *p, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T old) { return T(old + value); });
}
template <typename T> T atomicMax(T *p, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T old) { return old < value ? value : old; });
}
template <typename T> T atomicCAS(T *p, std::common_type_t<T> compare, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T old) { return old == compare ? value : old; });
}

#endif
