/* omega — block weights ω (M,K), the same bits as the CPU's.
 *
 * Per weight 4 bytes written and some 150 operations, 40 of them in double, twice for the Dirichlet
 * distribution, which draws again instead of keeping K doubles: bound by arithmetic, and by the
 * launch at the sizes of a training step. */
#include "gpu.h"

static __device__ double gamma_of(const draw_omega_args &a, uint32_t step, uint32_t draw,
                                  uint32_t element)
{
    if (a.kind == OMEGA_EXPONENTIAL)
        return draw_exponential(a.seed, STREAM_OMEGA, step, draw, element);
    return dirichlet_gamma(a.seed, STREAM_OMEGA, step, draw, element, a.alpha);
}

/* ones, exponential, fold: one thread a weight */
static __global__ void omega_each_kernel(draw_omega_args a)
{
    int64_t i = thread_index();
    if (i >= a.draws * a.blocks)
        return;
    uint64_t step = *u64(a.step), draw = (uint64_t)(i / a.blocks), block = (uint64_t)(i % a.blocks);
    double weight = 1.0;
    if (a.kind == OMEGA_EXPONENTIAL)
        weight = gamma_of(a, (uint32_t)step, (uint32_t)draw, (uint32_t)block);
    else if (a.kind == OMEGA_FOLD)
        weight = fold_weight(step, (uint64_t)a.draws, draw, block, (uint64_t)a.blocks);
    f32(a.omega)[i] = (float)weight;
}

/* One block of DIRICHLET_LANES threads a draw: the lanes and the tree of dirichlet_tree, ω_b =
 * g_b·(K/Σg) */
static __global__ void omega_dirichlet_kernel(draw_omega_args a)
{
    __shared__ double lane[DIRICHLET_LANES];
    uint32_t step = (uint32_t)*u64(a.step), draw = blockIdx.x, l = threadIdx.x;
    uint32_t blocks = (uint32_t)a.blocks;
    double sum = 0.0;
    for (uint32_t b = l; b < blocks; b += DIRICHLET_LANES)
        sum += gamma_of(a, step, draw, b);
    lane[l] = sum;
    __syncthreads();
    for (uint32_t width = DIRICHLET_LANES / 2; width > 0; width /= 2) {
        if (l < width)
            lane[l] += lane[l + width];
        __syncthreads();
    }
    double scale = (double)blocks / lane[0];
    float *omega = f32(a.omega) + draw * a.blocks;
    for (uint32_t b = l; b < blocks; b += DIRICHLET_LANES)
        omega[b] = (float)(gamma_of(a, step, draw, b) * scale);
}

/* One block of threads a draw: counts of K trials, kept as integers in ω's own place until the end;
 * integer additions give the same sum in any order. */
static __global__ void omega_multinomial_kernel(draw_omega_args a)
{
    uint32_t step = (uint32_t)*u64(a.step), draw = blockIdx.x, blocks = (uint32_t)a.blocks;
    float *omega = f32(a.omega) + draw * a.blocks;
    unsigned *count = (unsigned *)omega;
    for (uint32_t b = threadIdx.x; b < blocks; b += blockDim.x)
        count[b] = 0;
    __syncthreads();
    for (uint32_t trial = threadIdx.x; trial < blocks; trial += blockDim.x)
        atomicAdd(&count[multinomial_block(a.seed, STREAM_OMEGA, step, draw, trial, blocks)], 1u);
    __syncthreads();
    for (uint32_t b = threadIdx.x; b < blocks; b += blockDim.x)
        omega[b] = (float)count[b];
}

/* ω₀_m = −ln uniform */
static __global__ void omega0_kernel(draw_omega_args a)
{
    int64_t m = thread_index();
    if (m < a.draws)
        f32(a.omega0)[m] =
            (float)draw_exponential(a.seed, STREAM_OMEGA0, (uint32_t)*u64(a.step), (uint32_t)m, 0);
}

/* What the counters and the distributions can hold; NULL when all is well. */
static const char *omega_fault(const draw_omega_args *a)
{
    if (a->draws < 1 || a->draws > DRAW_MAX_DRAWS)
        return "draws are not in 1..65536; ask for fewer at once";
    if (a->blocks < 1 || a->blocks > DRAW_MAX_BLOCKS)
        return "blocks are not in 1..2^28; use fewer blocks";
    if (a->kind == OMEGA_FOLD && a->blocks < 2)
        return "fold weights need at least 2 blocks";
    if (a->kind == OMEGA_DIRICHLET &&
        !(a->alpha >= DIRICHLET_ALPHA_MIN && a->alpha <= DIRICHLET_ALPHA_MAX))
        return "the Dirichlet concentration is not in 0.05..1e6; choose one in this range";
    return NULL;
}

void cuda_draw_omega(backend *be, const draw_omega_args *a)
{
    const char *op = "draw_omega", *fault = omega_fault(a);
    if (!cuda_begin(be, op))
        return;
    if (fault != NULL) {
        backend_fail(be, AM_ERR_USAGE, op, "%s", fault);
        return;
    }
    unsigned draws = (unsigned)a->draws;
    if (a->kind == OMEGA_DIRICHLET)
        CUDA_LAUNCH(be, op, omega_dirichlet_kernel, draws, DIRICHLET_LANES, 0, *a);
    else if (a->kind == OMEGA_MULTINOMIAL)
        CUDA_LAUNCH(be, op, omega_multinomial_kernel, draws, BLOCK, 0, *a);
    else
        CUDA_LAUNCH(be, op, omega_each_kernel, blocks_of(a->draws * a->blocks), BLOCK, 0, *a);
    if (a->omega0 != NULL)
        CUDA_LAUNCH(be, op, omega0_kernel, blocks_of(a->draws), BLOCK, 0, *a);
}
