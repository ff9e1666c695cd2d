/* adam_step — the scalars of one Adam step, worked out once in double. */
#ifndef AM_CPU_ADAM_STEP_H
#define AM_CPU_ADAM_STEP_H

#include "backend/cpu/cpu.h"

/* m ← β₁m + (1−β₁)·clip·g;  v ← β₂v + (1−β₂)·(clip·g)²;  θ ← θ − rate·m/(√(v·correct2) + ε) */
typedef struct {
    float beta1, beta2, keep1, keep2; /* keep = 1 − β */
    float clip;
    float rate;     /* lr/(1−β₁ᵗ⁺¹) */
    float correct2; /* 1/(1−β₂ᵗ⁺¹) */
    float epsilon;
} adam_step;

/* false: the guard has halted the run and nothing may change. */
bool adam_step_now(const adam_rule *rule, adam_step *step);

/* Columns of a tile of the (R,M)·(M,P) products that are consumed at once, a multiple of 16: within
 * 100³ multiply-adds, for the BLAS's unpacked kernels, and operands that stay in cache. */
static inline int64_t outer_tile_width(int64_t models, int64_t features)
{
    int64_t width = 1000000 / (models * features) / 16 * 16;
    return AM_MAX(64, AM_MIN(width, 1024));
}

#endif
