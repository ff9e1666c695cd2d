/* y = x·op(B), one row on the left: every element of B is used once, so reading B in long runs is all
 * that counts. */
#include "backend/cpu/gemm.h"
#include "backend/cpu/reduce.h"

/* y += x₀·B₀ + x₁·B₁ + x₂·B₂ + x₃·B₃, added from left to right */
AM_CLONES static void add_four_rows(float *restrict y, const float *x, const float *b, int64_t ldb,
                                    int64_t n)
{
    const float *restrict b0 = b, *restrict b1 = b + ldb, *restrict b2 = b + 2 * ldb,
                          *restrict b3 = b + 3 * ldb;
    float x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
#pragma omp simd
    for (int64_t j = 0; j < n; j++)
        y[j] = y[j] + x0 * b0[j] + x1 * b1[j] + x2 * b2[j] + x3 * b3[j];
}

AM_CLONES static void add_row(float *restrict y, float x, const float *restrict b, int64_t n)
{
#pragma omp simd
    for (int64_t j = 0; j < n; j++)
        y[j] += x * b[j];
}

/* Columns [from, from + n): y ← beta·y + Σ_k x_k B_k, in the order of k whatever the columns are. */
static void columns(const matmul_args *a, int64_t item, int64_t from, int64_t n)
{
    const float *x = f32(a->a) + item * a->a_stride, *b = f32(a->b) + item * a->b_stride + from;
    float *y = f32(a->c) + item * a->c_stride + from;
    for (int64_t j = 0; j < n; j++)
        y[j] = a->beta == 0.0F ? 0.0F : a->beta * y[j];
    int64_t k = 0;
    for (; k + 4 <= a->k; k += 4)
        add_four_rows(y, x + k, b + k * a->ldb, a->ldb, n);
    for (; k < a->k; k++)
        add_row(y, x[k], b + k * a->ldb, n);
}

/* y_j ← beta·y_j + ⟨x, B_j⟩ */
static void dot(const matmul_args *a, int64_t item, int64_t j)
{
    const float *x = f32(a->a) + item * a->a_stride;
    const float *row = f32(a->b) + item * a->b_stride + j * a->ldb;
    float *y = f32(a->c) + item * a->c_stride + j;
    double sum = a->beta == 0.0F ? 0.0 : (double)a->beta * (double)*y;
    for (int64_t k = 0; k < a->k; k += REDUCE_TILE)
        sum += dot_product(x + k, row + k, AM_MIN(REDUCE_TILE, a->k - k));
    *y = (float)sum;
}

bool cpu_gemv_applies(const matmul_args *a)
{
    return a->m == 1 && !a->transpose_a && a->alpha == 1.0F && a->n * a->k >= CPU_PARALLEL_WORK &&
           (a->transpose_b || a->k <= REDUCE_TILE);
}

void cpu_gemv(backend *be, const matmul_args *a)
{
    /* A thread's columns in one piece: runs of B as long as can be. */
    int64_t share = a->transpose_b ? 1 : (a->n / be->threads / 16 + 1) * 16;
    int64_t pieces = (a->n + share - 1) / share;
#pragma omp parallel for num_threads(be->threads) schedule(static)
    for (int64_t i = 0; i < a->batch * pieces; i++) {
        int64_t from = i % pieces * share;
        if (a->transpose_b)
            dot(a, i / pieces, from);
        else
            columns(a, i / pieces, from, AM_MIN(share, a->n - from));
    }
}
