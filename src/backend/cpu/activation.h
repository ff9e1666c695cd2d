/* activation — bias, act and act' over a tile (rows, columns) whose rows start `ld` elements apart.
 */
#ifndef AM_CPU_ACTIVATION_H
#define AM_CPU_ACTIVATION_H

#include "backend/cpu/cpu.h"

/* y ← y + 1·biasᵀ */
void add_bias(float *y, int64_t ld, const float *bias, int64_t rows, int64_t columns);
/* y ← act(y) */
void activate(float *y, int64_t ld, int64_t rows, int64_t columns, activation act);
/* dy ← act'(y)∘dy, act' from the output: relu 1[y>0], tanh 1−y² */
void activate_backward(float *dy, const float *y, int64_t ld, int64_t rows, int64_t columns,
                       activation act);

#endif
