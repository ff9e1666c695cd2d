/* reduce — sums in double, in an order that depends on the length and the processor alone. */
#ifndef AM_CPU_REDUCE_H
#define AM_CPU_REDUCE_H

#include <stdint.h>

enum { REDUCE_TILE = 4096 }; /* elements that one caller's tile should have */

/* Σ x² */
double square_sum(const float *x, int64_t n);
/* Σ x·y, n ≤ REDUCE_TILE: a partial sum for every lane in float, then double */
double dot_product(const float *x, const float *y, int64_t n);

#endif
