/* adam_step — the scalars of one Adam step, from the counters and the guard on the device. */
#ifndef AM_CUDA_ADAM_STEP_H
#define AM_CUDA_ADAM_STEP_H

#include "gpu.h"

/* m ← β₁m + (1−β₁)·clip·g;  v ← β₂v + (1−β₂)·(clip·g)²;  θ ← θ − rate·m/(√(v·correct2) + ε) */
typedef struct {
    float beta1, beta2, keep1, keep2; /* keep = 1 − β */
    float clip;
    float rate;     /* lr/(1−β₁ᵗ⁺¹) */
    float correct2; /* 1/(1−β₂ᵗ⁺¹) */
    float epsilon;
} adam_step;

static inline __device__ bool run_halted(const adam_rule &rule)
{
    return rule.guard != NULL && guard_at(rule.guard)->halted != 0;
}

static inline __device__ adam_step adam_step_now(const adam_rule &rule)
{
    uint64_t t = *u64(rule.step);
    double count = (double)t + 1.0; /* 1 − βᵗ⁺¹ */
    adam_step step;
    step.beta1 = (float)rule.beta1;
    step.beta2 = (float)rule.beta2;
    step.keep1 = (float)(1.0 - rule.beta1);
    step.keep2 = (float)(1.0 - rule.beta2);
    step.clip = rule.guard != NULL ? (float)guard_at(rule.guard)->clip_factor : 1.0f;
    step.rate = (float)(schedule_rate(rule.rate, t) / (1.0 - pow(rule.beta1, count)));
    step.correct2 = (float)(1.0 / (1.0 - pow(rule.beta2, count)));
    step.epsilon = (float)rule.epsilon;
    return step;
}

/* Worked out in double by one thread of the block, the same for all of them. Every thread must call
 * it. */
static inline __device__ adam_step block_adam_step(const adam_rule &rule)
{
    __shared__ adam_step step;
    if (threadIdx.x == 0)
        step = adam_step_now(rule);
    __syncthreads();
    return step;
}

static inline __device__ void adam_update(const adam_step &s, float rate, float grad, float *theta,
                                          float *moment1, float *moment2)
{
    float g = s.clip * grad;
    *moment1 = s.beta1 * *moment1 + s.keep1 * g;
    *moment2 = s.beta2 * *moment2 + s.keep2 * (g * g);
    *theta -= rate * *moment1 / (sqrtf(*moment2 * s.correct2) + s.epsilon);
}

#endif
