#include "backend/cpu/activation.h"

#include "backend/cpu/vmath.h"

AM_CLONES void add_bias(float *y, int64_t ld, const float *bias, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++) {
        float *restrict row = y + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            row[i] += bias[i];
    }
}

AM_CLONES static void relu(float *y, int64_t ld, int64_t rows, int64_t columns)
{
    /* Not y > 0 ? y : 0, which would hide a NaN from the guard. */
    for (int64_t r = 0; r < rows; r++) {
        float *restrict row = y + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            row[i] = row[i] < 0.0F ? 0.0F : row[i];
    }
}

AM_CLONES static void hyperbolic_tangent(float *y, int64_t ld, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++) {
        float *restrict row = y + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            row[i] = vtanh(row[i]);
    }
}

AM_CLONES static void relu_backward(float *dy, const float *y, int64_t ld, int64_t rows,
                                    int64_t columns)
{
    for (int64_t r = 0; r < rows; r++) {
        float *restrict d = dy + r * ld;
        const float *restrict out = y + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            d[i] = out[i] > 0.0F ? d[i] : 0.0F;
    }
}

AM_CLONES static void tanh_backward(float *dy, const float *y, int64_t ld, int64_t rows,
                                    int64_t columns)
{
    for (int64_t r = 0; r < rows; r++) {
        float *restrict d = dy + r * ld;
        const float *restrict out = y + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            d[i] *= 1.0F - out[i] * out[i];
    }
}

void activate(float *y, int64_t ld, int64_t rows, int64_t columns, activation act)
{
    if (act == ACT_RELU)
        relu(y, ld, rows, columns);
    else if (act == ACT_TANH)
        hyperbolic_tangent(y, ld, rows, columns);
}

void activate_backward(float *dy, const float *y, int64_t ld, int64_t rows, int64_t columns,
                       activation act)
{
    if (act == ACT_RELU)
        relu_backward(dy, y, ld, rows, columns);
    else if (act == ACT_TANH)
        tanh_backward(dy, y, ld, rows, columns);
}
