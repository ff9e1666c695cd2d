/* batch — BATCH small symmetric systems side by side. Lane d of every number belongs to system d, so
 * that one vector instruction serves them all; LAPACK has no such routine, and a call for each system
 * of thirty unknowns costs more than its arithmetic.
 *
 * A symmetric matrix is its lower triangle row by row: element (i, j), j ≤ i, of lane d stands at
 * (i(i + 1)/2 + j)·BATCH + d; a vector's element i at i·BATCH + d. */
#ifndef AM_CLASSIC_BATCH_H
#define AM_CLASSIC_BATCH_H

#include <stdbool.h>
#include <stddef.h>

enum { BATCH = 16 };

static inline size_t batch_at(int i, int j)
{
    return ((size_t)i * ((size_t)i + 1) / 2 + (size_t)j) * BATCH;
}

/* A → its Cholesky factors, with 1/L_ii on the diagonal. sound[d] is false where A is not positive
 * definite to working precision (a pivot below n·2⁻⁵² of its diagonal element): that lane's factor is
 * finite but of no use. */
void batch_factor(int n, double *a, bool sound[BATCH]);
/* b ← A⁻¹b, b (n × BATCH), from the factors. */
void batch_solve(int n, const double *factor, double *b);

#endif
