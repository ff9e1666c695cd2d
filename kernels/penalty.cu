/* penalty — Σ_g λ_mg‖θ_mg‖² of M models and its gradient. */
#include "gpu.h"

/* Every group is cut into tiles; `first` counts the tiles of the groups before it. */
enum { PENALTY_TILE = 4096 };
typedef struct {
    int64_t first[AM_MAX_GROUPS + 1];
} group_tiles;

/* One tile of one model a block: loss += λ‖θ‖² into its place of `sums`, dθ += grad_scale·2λθ. Per
 * parameter 4 bytes read for the value, 12 moved with the gradient, 4 operations: bound by memory.
 * Models begin P floats apart, at any alignment: 4 bytes a thread, 128 a warp. */
static __global__ void l2_kernel(l2_penalty_args a, group_tiles tiles, int64_t per_model,
                                 double *sums)
{
    int64_t m = blockIdx.x / per_model, within = blockIdx.x % per_model;
    int g = 0;
    while (within >= tiles.first[g + 1])
        g++;
    int64_t from = a.groups.begin[g] + (within - tiles.first[g]) * PENALTY_TILE;
    int64_t rest = a.groups.begin[g + 1] - from;
    int n = (int)(rest < PENALTY_TILE ? rest : (int64_t)PENALTY_TILE);
    double strength = (double)f32(a.lambda)[m * a.groups.count + g];
    const float *__restrict__ theta = f32(a.theta) + m * a.theta_stride + from;
    float *__restrict__ dtheta =
        a.dtheta != NULL ? f32(a.dtheta) + m * a.dtheta_stride + from : NULL;
    float scale = (float)(a.grad_scale * 2.0 * strength);
    double sum = 0.0;
#pragma unroll 4
    for (int i = (int)threadIdx.x; i < n; i += BLOCK) {
        float t = theta[i];
        sum += (double)t * (double)t;
        if (dtheta != NULL)
            dtheta[i] += scale * t;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0 && sums != NULL)
        sums[blockIdx.x] = strength * sum;
}

/* loss_m += Σ_tiles sums: 8 bytes read and an addition a tile of 4 096 parameters: the launch is what
 * costs */
static __global__ void l2_sum_kernel(double *loss, const double *sums, int64_t per_model)
{
    int64_t m = blockIdx.x;
    double sum = 0.0;
    for (int64_t i = threadIdx.x; i < per_model; i += blockDim.x)
        sum += sums[m * per_model + i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        loss[m] += sum;
}

static bool valid_groups(const penalty_groups *groups)
{
    if (groups->count < 1 || groups->count > AM_MAX_GROUPS || groups->begin[0] < 0)
        return false;
    for (int g = 0; g < groups->count; g++)
        if (groups->begin[g + 1] < groups->begin[g])
            return false;
    return true;
}

void cuda_l2_penalty(backend *be, const l2_penalty_args *a)
{
    const char *op = "l2_penalty";
    CUDA_REQUIRE(be, op, a->models > 0 && valid_groups(&a->groups));
    CUDA_REQUIRE(be, op, a->dtheta == NULL || a->models == 1 || a->dtheta_stride != 0);
    group_tiles tiles = {};
    int groups = a->groups.count;
    for (int g = 0; g < groups; g++) {
        int64_t size = a->groups.begin[g + 1] - a->groups.begin[g];
        tiles.first[g + 1] = tiles.first[g] + divide_up(size, PENALTY_TILE);
    }
    int64_t per_model = tiles.first[groups], total = a->models * per_model;
    if (total == 0)
        return;
    double *sums = NULL;
    if (a->loss != NULL) {
        sums = (double *)cuda_scratch(be, SCRATCH_OP, (size_t)total * sizeof(double));
        if (sums == NULL)
            return;
    }
    CUDA_LAUNCH(be, op, l2_kernel, (unsigned)total, BLOCK, 0, *a, tiles, per_model, sums);
    if (sums != NULL)
        CUDA_LAUNCH(be, op, l2_sum_kernel, (unsigned)a->models, BLOCK, 0, f64(a->loss), sums,
                    per_model);
}
