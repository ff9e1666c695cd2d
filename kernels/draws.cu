/* draws — λ and minibatches: every number is a pure function of its counters, computed by the
 * functions of draw/ that the CPU uses, so the bits are the same.
 *
 * Some 100 integer operations and 30 in double a number, 4 to 8 bytes written; at most a few
 * thousand numbers a step: the launch is what costs. */
#include "gpu.h"

static __global__ void draw_lambda_kernel(draw_lambda_args a)
{
    int64_t i = thread_index();
    if (i >= (int64_t)a.draws * a.groups)
        return;
    uint32_t step = (uint32_t)*u64(a.step), draws = (uint32_t)a.draws;
    uint32_t m = (uint32_t)(i / a.groups), g = (uint32_t)(i % a.groups);
    double u = a.kind == LAMBDA_NODES
                   ? lambda_node(a.seed, step, draws, (uint32_t)a.sets, a.stretch, m, g)
                   : lambda_stratified(a.seed, step, draws, m, g);
    f32(a.u)[i] = (float)u;
    f32(a.lambda)[i] = (float)axis_lambda(a.axis[g], u);
}

void cuda_draw_lambda(backend *be, const draw_lambda_args *a)
{
    const char *op = "draw_lambda";
    CUDA_REQUIRE(be, op, a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    CUDA_REQUIRE(be, op,
                 a->kind != LAMBDA_NODES ||
                     (a->sets >= 1 && a->draws % a->sets == 0 && a->stretch >= 1.0));
    CUDA_LAUNCH(be, op, draw_lambda_kernel, blocks_of((int64_t)a->draws * a->groups), BLOCK, 0, *a);
}

/* λ_mg ← ω₀_m·λ_mg;  u_mg ← where that lies on the axis, clamped */
static __global__ void scale_lambda_kernel(scale_lambda_args a)
{
    int64_t i = thread_index();
    if (i >= (int64_t)a.draws * a.groups)
        return;
    int g = (int)(i % a.groups);
    double scaled = (double)f32(a.omega0)[i / a.groups] * (double)f32(a.lambda)[i]; /* ω₀λ */
    f32(a.lambda)[i] = (float)scaled;
    f32(a.u)[i] = (float)axis_u(a.axis[g], scaled);
}

void cuda_scale_lambda(backend *be, const scale_lambda_args *a)
{
    const char *op = "scale_lambda";
    CUDA_REQUIRE(be, op, a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    CUDA_LAUNCH(be, op, scale_lambda_kernel, blocks_of((int64_t)a->draws * a->groups), BLOCK, 0,
                *a);
}

/* index[s][i]: position step·B + shift + i of the endless stream of epochs, in set s's order */
static __global__ void draw_rows_kernel(draw_rows_args a)
{
    int64_t at = thread_index();
    if (at >= (int64_t)a.sets * a.rows)
        return;
    uint64_t n = (uint64_t)a.n;
    uint64_t position =
        *u64(a.step) * (uint64_t)a.rows + (uint64_t)a.shift + (uint64_t)(at % a.rows);
    permutation order = rows_order(a.seed, position / n, (uint32_t)(at / a.rows), n);
    u32(a.index)[at] = (uint32_t)permutation_at(&order, position % n);
}

void cuda_draw_rows(backend *be, const draw_rows_args *a)
{
    const char *op = "draw_rows";
    CUDA_REQUIRE(be, op, a->n >= 1 && a->n <= UINT32_MAX && a->rows >= 1 && a->sets >= 1);
    CUDA_LAUNCH(be, op, draw_rows_kernel, blocks_of((int64_t)a->sets * a->rows), BLOCK, 0, *a);
}
