/* softmax_row — shifted exponentials of a tile of rows, shared by the loss and the scores. */
#ifndef AM_CPU_SOFTMAX_ROW_H
#define AM_CPU_SOFTMAX_ROW_H

#include "backend/cpu/cpu.h"

enum { SOFTMAX_TILE = 32 }; /* rows of one tile */

typedef struct {
    float max;  /* of the row's outputs; NaN when one of them is */
    int argmax; /* first of equals */
    double sum; /* Σ_c exp(o_c − max), in 1..C */
} softmax_row;

/* exp_out (rows,C) = exp(o − max of the row); may be the logits themselves. rows ≤ SOFTMAX_TILE. Their
 * relative error is that of a float o − max, 2⁻²⁴·|o − max|, and of vexp. */
void softmax_tile(const float *logits, int rows, int outputs, float *exp_out, softmax_row *row);

#endif
