/* Device functions of CUDA C++ beyond <cmath>: memory, integers, rounding, integer atomics. */
#ifndef CUDA_ON_CPU_FUNCTIONS_H
#define CUDA_ON_CPU_FUNCTIONS_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

/* ---- memory ---- */

template <typename T> T __ldg(const T *p)
{
    return *p;
}
template <typename T> T __ldcs(const T *p)
{
    return *p;
}
template <typename T> void __stcs(T *p, T value)
{
    *p = value;
}
/* Only one thread runs at a time. */
inline void __threadfence() {}
inline void __threadfence_block() {}

/* ---- integers ---- */

template <typename T> constexpr T min(T a, T b)
{
    return b < a ? b : a;
}
template <typename T> constexpr T max(T a, T b)
{
    return a < b ? b : a;
}
inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
inline int __clz(int x)
{
    return x == 0 ? 32 : __builtin_clz(unsigned(x));
}
inline int __ffs(int x)
{
    return __builtin_ffs(x);
}
inline unsigned __umulhi(unsigned a, unsigned b)
{
    return unsigned((uint64_t(a) * b) >> 32);
}

/* ---- floats ---- */

template <typename To, typename From> To cuda_on_cpu_bits(From x)
{
    static_assert(sizeof(To) == sizeof(From), "the same bits");
    To y;
    memcpy(&y, &x, sizeof y);
    return y;
}
inline int __float_as_int(float x)
{
    return cuda_on_cpu_bits<int>(x);
}
inline unsigned __float_as_uint(float x)
{
    return cuda_on_cpu_bits<unsigned>(x);
}
inline float __int_as_float(int x)
{
    return cuda_on_cpu_bits<float>(x);
}
inline float __uint_as_float(unsigned x)
{
    return cuda_on_cpu_bits<float>(x);
}
inline long long __double_as_longlong(double x)
{
    return cuda_on_cpu_bits<long long>(x);
}
inline double __longlong_as_double(long long x)
{
    return cuda_on_cpu_bits<double>(x);
}
inline float __fmaf_rn(float a, float b, float c)
{
    return std::fma(a, b, c);
}
inline double __fma_rn(double a, double b, double c)
{
    return std::fma(a, b, c);
}
inline float __fmul_rn(float a, float b)
{
    return a * b;
}
inline float __fadd_rn(float a, float b)
{
    return a + b;
}
inline float __fsub_rn(float a, float b)
{
    return a - b;
}
inline float __fdiv_rn(float a, float b)
{
    return a / b;
}
inline float __fsqrt_rn(float x)
{
    return std::sqrt(x);
}
inline double __dmul_rn(double a, double b)
{
    return a * b;
}
inline double __dadd_rn(double a, double b)
{
    return a + b;
}
inline double __dsub_rn(double a, double b)
{
    return a - b;
}
inline double __ddiv_rn(double a, double b)
{
    return a / b;
}
inline double __dsqrt_rn(double x)
{
    return std::sqrt(x);
}
inline float __double2float_rn(double x)
{
    return float(x);
}
inline float rsqrtf(float x)
{
    return 1.0F / std::sqrt(x);
}
inline double rsqrt(double x)
{
    return 1.0 / std::sqrt(x);
}
inline float __expf(float x)
{
    return std::exp(x);
}
inline float __logf(float x)
{
    return std::log(x);
}
inline float __fdividef(float a, float b)
{
    return a / b;
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
template <typename T> T atomicMin(T *p, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T old) { return value < old ? value : old; });
}
template <typename T> T atomicMax(T *p, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T old) { return old < value ? value : old; });
}
template <typename T> T atomicOr(T *p, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T old) { return T(old | value); });
}
template <typename T> T atomicExch(T *p, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T) { return value; });
}
template <typename T> T atomicCAS(T *p, std::common_type_t<T> compare, std::common_type_t<T> value)
{
    return cuda_on_cpu_atomic(p, [=](T old) { return old == compare ? value : old; });
}
/* The index of a ring of bound + 1 places: 0 after `bound`. */
inline unsigned atomicInc(unsigned *p, unsigned bound)
{
    return cuda_on_cpu_atomic(p, [=](unsigned old) { return old >= bound ? 0u : old + 1; });
}

#endif
