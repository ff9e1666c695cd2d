#include "backend/cpu/reduce.h"

#include "backend/cpu/cpu.h"

AM_CLONES double square_sum(const float *x, int64_t n)
{
    /* Four streams: one accumulator would wait for the latency of every addition. */
    int64_t quarter = n / 4;
    const float *x1 = x + quarter, *x2 = x1 + quarter, *x3 = x2 + quarter;
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int64_t i = 0; i < quarter; i++) {
        s0 += (double)x[i] * (double)x[i];
        s1 += (double)x1[i] * (double)x1[i];
        s2 += (double)x2[i] * (double)x2[i];
        s3 += (double)x3[i] * (double)x3[i];
    }
    for (int64_t i = 4 * quarter; i < n; i++)
        s0 += (double)x[i] * (double)x[i];
    return (s0 + s1) + (s2 + s3);
}

AM_CLONES double dot_product(const float *x, const float *y, int64_t n)
{
    int64_t half = n / 2;
    const float *x1 = x + half, *y1 = y + half;
    float s0 = 0.0F, s1 = 0.0F;
#pragma omp simd reduction(+ : s0, s1)
    for (int64_t i = 0; i < half; i++) {
        s0 += x[i] * y[i];
        s1 += x1[i] * y1[i];
    }
    return (double)s0 + (double)s1 + (n % 2 != 0 ? (double)x[n - 1] * (double)y[n - 1] : 0.0);
}
