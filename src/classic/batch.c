#include "classic/batch.h"

#include "backend/cpu/cpu.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* acc −= Σ_{k<count} x_k∘y_k over runs of lanes. */
static inline void subtract_products(int count, const double *x, const double *y, double acc[BATCH])
{
    for (int k = 0; k < count; k++, x += BATCH, y += BATCH)
        for (int d = 0; d < BATCH; d++)
            acc[d] -= x[d] * y[d];
}

/* Row i from the rows above: L_ij = (a_ij − Σ_{k<j} L_ik·L_jk)/L_jj, L_ii = √(a_ii − Σ L_ik²). */
AM_CLONES static void factor_row(int n, int i, double *a, double good[BATCH])
{
    double *row = a + batch_at(i, 0), acc[BATCH];
    for (int j = 0; j <= i; j++) {
        const double *other = a + batch_at(j, 0);
        memcpy(acc, row + (size_t)j * BATCH, sizeof acc);
        subtract_products(j, row, other, acc);
        double *out = row + (size_t)j * BATCH;
        if (j < i) {
            for (int d = 0; d < BATCH; d++)
                out[d] = acc[d] * other[(size_t)j * BATCH + (size_t)d];
        } else {
            for (int d = 0; d < BATCH; d++) {
                bool positive = acc[d] > n * DBL_EPSILON * out[d];
                good[d] = positive ? good[d] : 0.0;
                out[d] = positive ? 1.0 / sqrt(acc[d]) : 0.0;
            }
        }
    }
}

void batch_factor(int n, double *a, bool sound[BATCH])
{
    double good[BATCH];
    for (int d = 0; d < BATCH; d++)
        good[d] = 1.0;
    for (int i = 0; i < n; i++)
        factor_row(n, i, a, good);
    for (int d = 0; d < BATCH; d++)
        sound[d] = good[d] > 0;
}

AM_CLONES void batch_solve(int n, const double *l, double *b)
{
    double acc[BATCH];
    for (int i = 0; i < n; i++) { /* Lz = b */
        const double *row = l + batch_at(i, 0), *inverse = l + batch_at(i, i);
        double *to = b + (size_t)i * BATCH;
        memcpy(acc, to, sizeof acc);
        subtract_products(i, row, b, acc);
        for (int d = 0; d < BATCH; d++)
            to[d] = acc[d] * inverse[d];
    }
    for (int i = n - 1; i >= 0; i--) { /* Lᵀx = z */
        const double *row = l + batch_at(i, 0), *inverse = l + batch_at(i, i);
        double *from = b + (size_t)i * BATCH;
        for (int d = 0; d < BATCH; d++)
            from[d] *= inverse[d];
        memcpy(acc, from, sizeof acc);
        for (int k = 0; k < i; k++)
            for (int d = 0; d < BATCH; d++)
                b[(size_t)k * BATCH + (size_t)d] -= row[(size_t)k * BATCH + (size_t)d] * acc[d];
    }
}
