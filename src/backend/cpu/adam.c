#include "backend/cpu/adam_step.h"
#include "backend/schedule.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <omp.h>

bool adam_step_now(const adam_rule *rule, adam_step *step)
{
    const guard_state *guard = guard_at(rule->guard);
    if (guard != NULL && guard->halted != 0)
        return false;
    uint64_t t = *u64(rule->step);
    double count = (double)t + 1.0; /* 1 − βᵗ⁺¹ */
    step->beta1 = (float)rule->beta1;
    step->beta2 = (float)rule->beta2;
    step->keep1 = (float)(1.0 - rule->beta1);
    step->keep2 = (float)(1.0 - rule->beta2);
    step->clip = guard != NULL ? (float)guard->clip_factor : 1.0F;
    step->rate = (float)(schedule_rate(rule->rate, t) / (1.0 - pow(rule->beta1, count)));
    step->correct2 = (float)(1.0 / (1.0 - pow(rule->beta2, count)));
    step->epsilon = (float)rule->epsilon;
    return true;
}

AM_CLONES static void update(const adam_step *s, float rate, int64_t n, const float *restrict grad,
                             float *restrict theta, float *restrict moment1,
                             float *restrict moment2)
{
    adam_step k = *s;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float g = k.clip * grad[i];
        float m = k.beta1 * moment1[i] + k.keep1 * g;
        float v = k.beta2 * moment2[i] + k.keep2 * (g * g);
        moment1[i] = m;
        moment2[i] = v;
        theta[i] -= rate * m / (__builtin_sqrtf(v * k.correct2) + k.epsilon);
    }
}

enum { TILE = 4096 };

/* Floor: 28 bytes a parameter (θ, m, v read and written, g read). */
void cpu_adam(backend *be, const adam_args *a)
{
    CPU_REQUIRE(be, "adam", a->rows > 0 && a->columns > 0);
    adam_step step;
    if (!adam_step_now(&a->rule, &step))
        return;
    int64_t tiles = (a->columns + TILE - 1) / TILE;
#pragma omp parallel for num_threads(be->threads)                                                  \
    schedule(static) if (a->rows * a->columns > CPU_PARALLEL_WORK)
    for (int64_t i = 0; i < a->rows * tiles; i++) {
        int64_t row = i / tiles, from = i % tiles * TILE, at = row * a->columns + from;
        float scale = a->rate_scale != NULL ? f32(a->rate_scale)[row] : 1.0F;
        update(&step, step.rate * scale, AM_MIN(TILE, a->columns - from), f32(a->grad) + at,
               f32(a->theta) + at, f32(a->moment1) + at, f32(a->moment2) + at);
    }
}

/* One model: the gradient's row k is c_k·g, and all rows are one long run of memory. */
static void adam_one_outer(backend *be, const adam_outer_args *a, const adam_step *s)
{
    int64_t tiles = (a->params + TILE - 1) / TILE;
#pragma omp parallel for num_threads(be->threads) schedule(static)
    for (int64_t i = 0; i < a->features * tiles; i++) {
        int64_t k = i / tiles, from = i % tiles * TILE, at = k * a->params + from;
        adam_step step = *s;
        step.clip *= f32(a->c)[k];
        update(&step, step.rate, AM_MIN(TILE, a->params - from), f32(a->grad) + from,
               f32(a->theta) + at, f32(a->moment1) + at, f32(a->moment2) + at);
    }
}

/* Floor: 24R + 4M bytes a parameter (θ, m, v of every feature read and written, G read). */
void cpu_adam_outer(backend *be, const adam_outer_args *a)
{
    const char *op = "adam_outer";
    CPU_REQUIRE(be, op, a->models > 0 && a->features > 0);
    CPU_REQUIRE(be, op, a->params > 0 && a->params <= INT_MAX);
    adam_step step;
    if (!adam_step_now(&a->rule, &step))
        return;
    if (a->models == 1) {
        adam_one_outer(be, a, &step);
        return;
    }
    int64_t width = outer_tile_width(a->models, a->features);
    float *gradient = cpu_scratch(
        be, SCRATCH_OP, (size_t)be->threads * (size_t)(width * a->features) * sizeof(float));
    if (gradient == NULL)
        return;
#pragma omp parallel for num_threads(be->threads) schedule(static)
    for (int64_t from = 0; from < a->params; from += width) {
        int64_t n = AM_MIN(width, a->params - from);
        float *tile = gradient + omp_get_thread_num() * width * a->features;
        /* (R,n) = cᵀ (R,M) · G (M,n), while it is in cache the only place it ever exists */
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, a->features, (int)n, a->models, 1.0F,
                    f32(a->c), a->features, f32(a->grad) + from, (int)a->params, 0.0F, tile,
                    (int)width);
        for (int64_t k = 0; k < a->features; k++) {
            int64_t at = k * a->params + from;
            update(&step, step.rate, n, tile + k * width, f32(a->theta) + at, f32(a->moment1) + at,
                   f32(a->moment2) + at);
        }
    }
}
