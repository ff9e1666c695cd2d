#include "backend/cpu/cpu.h"
#include "backend/cpu/gemm.h"
#include "backend/cpu/reduce.h"

AM_CLONES static void add_scaled(float *restrict y, const float *restrict x, float scale, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] += scale * x[i];
}

static int64_t tiles_of(int64_t count)
{
    return (count + REDUCE_TILE - 1) / REDUCE_TILE;
}

/* Group g cut into tiles; `first` counts the tiles of the groups before it. */
typedef struct {
    int64_t first[AM_MAX_GROUPS + 1];
} group_tiles;

static bool valid_groups(const penalty_groups *groups)
{
    if (groups->count < 1 || groups->count > AM_MAX_GROUPS || groups->begin[0] < 0)
        return false;
    for (int g = 0; g < groups->count; g++)
        if (groups->begin[g + 1] < groups->begin[g])
            return false;
    return true;
}

/* Reads θ once; 4 bytes a parameter for the value, 12 with the gradient. */
void cpu_l2_penalty(backend *be, const l2_penalty_args *a)
{
    const char *op = "l2_penalty";
    CPU_REQUIRE(be, op, a->models > 0 && valid_groups(&a->groups));
    CPU_REQUIRE(be, op, a->dtheta == NULL || a->models == 1 || a->dtheta_stride != 0);
    int groups = a->groups.count;
    group_tiles tiles = {{0}};
    for (int g = 0; g < groups; g++)
        tiles.first[g + 1] = tiles.first[g] + tiles_of(a->groups.begin[g + 1] - a->groups.begin[g]);
    int64_t per_model = tiles.first[groups], total = a->models * per_model;
    double *sum = cpu_scratch(be, SCRATCH_OP, (size_t)AM_MAX(total, 1) * sizeof(double));
    if (sum == NULL)
        return;
    const float *lambda = f32(a->lambda);
#pragma omp parallel for num_threads(be->threads) schedule(static) if (total > 8)
    for (int64_t i = 0; i < total; i++) {
        int64_t m = i / per_model, within = i % per_model;
        int g = 0;
        while (within >= tiles.first[g + 1])
            g++;
        int64_t from = a->groups.begin[g] + (within - tiles.first[g]) * REDUCE_TILE;
        int64_t n = AM_MIN(REDUCE_TILE, a->groups.begin[g + 1] - from);
        double strength = (double)lambda[m * groups + g];
        const float *theta = f32(a->theta) + m * a->theta_stride + from;
        if (a->loss != NULL)
            sum[i] = strength * square_sum(theta, n); /* λ_mg‖θ_mg‖² */
        if (a->dtheta != NULL)                        /* dθ += grad_scale·2λ_mg·θ_mg */
            add_scaled(f32(a->dtheta) + m * a->dtheta_stride + from, theta,
                       (float)(a->grad_scale * 2.0 * strength), n);
    }
    for (int64_t m = 0; a->loss != NULL && m < a->models; m++) {
        double model_sum = 0.0;
        for (int64_t i = 0; i < per_model; i++)
            model_sum += sum[m * per_model + i];
        f64(a->loss)[m] += model_sum;
    }
}

/* scaled (M,R): row m is 2·grad_scale·λ_m·c_m */
static void scale_rows(const gram_penalty_args *a, float *scaled)
{
    for (int64_t m = 0; m < a->models; m++) {
        float factor = (float)(2.0 * a->grad_scale * (double)f32(a->lambda)[m * a->lambda_stride]);
        for (int64_t k = m * a->features; k < (m + 1) * a->features; k++)
            scaled[k] = factor * f32(a->c)[k];
    }
}

static void add_loss_and_dc(const gram_penalty_args *a, const float *product)
{
    for (int64_t m = 0; m < a->models; m++) {
        double lambda = (double)f32(a->lambda)[m * a->lambda_stride], quadratic = 0.0;
        const float *c = f32(a->c) + m * a->features, *gc = product + m * a->features;
        for (int64_t k = 0; k < a->features; k++)
            quadratic += (double)c[k] * (double)gc[k];
        f64(a->loss)[m] += lambda * quadratic; /* λ_m c_mᵀ gram c_m */
        if (a->dc != NULL)                     /* dc_m += grad_scale·2λ_m gram c_m */
            add_scaled(f32(a->dc) + m * a->features, gc, (float)(a->grad_scale * 2.0 * lambda),
                       a->features);
    }
}

void cpu_gram_penalty(backend *be, const gram_penalty_args *a)
{
    const char *op = "gram_penalty";
    CPU_REQUIRE(be, op, a->models > 0 && a->features > 0);
    int64_t count = (int64_t)a->models * a->features;
    float *scaled = cpu_scratch(be, SCRATCH_OP, 2 * (size_t)count * sizeof(float));
    if (scaled == NULL)
        return;
    float *product = scaled + count; /* (M,R) = c · gram, gram symmetric */
    scale_rows(a, scaled);
    /* S (R,R) = Σ_m 2·grad_scale·λ_m c_m c_mᵀ */
    matmul_args outer = {.batch = 1,
                         .transpose_a = true,
                         .m = a->features,
                         .n = a->features,
                         .k = a->models,
                         .alpha = 1.0F,
                         .a = (const dev_f32 *)(const void *)scaled,
                         .lda = a->features,
                         .b = a->c,
                         .ldb = a->features,
                         .c = a->s,
                         .ldc = a->features};
    cpu_gemm(be, op, &outer, NULL);
    matmul_args inner = {.batch = 1,
                         .m = a->models,
                         .n = a->features,
                         .k = a->features,
                         .alpha = 1.0F,
                         .a = a->c,
                         .lda = a->features,
                         .b = a->gram,
                         .ldb = a->features,
                         .c = (dev_f32 *)(void *)product,
                         .ldc = a->features};
    cpu_gemm(be, op, &inner, NULL);
    if (be->failure.status == AM_OK)
        add_loss_and_dc(a, product);
}
