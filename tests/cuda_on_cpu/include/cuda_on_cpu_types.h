/* Built-in vector types of CUDA C++, with their alignment. */
#ifndef CUDA_ON_CPU_TYPES_H
#define CUDA_ON_CPU_TYPES_H

#define CUDA_ON_CPU_VECTORS(name, scalar, two, four)                                               \
    struct alignas(two) name##2                                                                    \
    {                                                                                              \
        scalar x, y;                                                                               \
    };                                                                                             \
    struct alignas(four) name##4                                                                   \
    {                                                                                              \
        scalar x, y, z, w;                                                                         \
    };                                                                                             \
    static inline name##2 make_##name##2(scalar x, scalar y)                                       \
    {                                                                                              \
        return {x, y};                                                                             \
    }                                                                                              \
    static inline name##4 make_##name##4(scalar x, scalar y, scalar z, scalar w)                   \
    {                                                                                              \
        return {x, y, z, w};                                                                       \
    }

CUDA_ON_CPU_VECTORS(uchar, unsigned char, 2, 4)
CUDA_ON_CPU_VECTORS(int, int, 8, 16)
CUDA_ON_CPU_VECTORS(uint, unsigned, 8, 16)
CUDA_ON_CPU_VECTORS(float, float, 8, 16)
#undef CUDA_ON_CPU_VECTORS

struct alignas(16) double2 {
    double x, y;
};
static inline double2 make_double2(double x, double y)
{
    return {x, y};
}

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

#endif
