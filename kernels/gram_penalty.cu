/* gram_penalty — the penalty of M models through the Gram matrix of the head (METHOD §3). */
#include "gpu.h"

/* S_ij = Σ_m 2·grad_scale·λ_m c_mi c_mj, one thread an element: 4 bytes written and 3M operations
 * in double; R² is a few thousand at most: the launch is what costs. */
static __global__ void penalty_matrix_kernel(gram_penalty_args a)
{
    int64_t at = thread_index();
    int i = (int)(at / a.features), j = (int)(at % a.features);
    if (i >= a.features)
        return;
    double sum = 0.0;
    for (int m = 0; m < a.models; m++) {
        const float *c = f32(a.c) + (int64_t)m * a.features;
        double factor = 2.0 * a.grad_scale * (double)f32(a.lambda)[m * a.lambda_stride];
        sum += factor * (double)c[i] * (double)c[j];
    }
    f32(a.s)[at] = (float)sum;
}

/* One block a model: loss_m += λ_m c_mᵀ gram c_m, dc_m += grad_scale·2λ_m gram c_m. Reads the Gram
 * matrix once a model, R² floats from the second-level cache, 2R² operations in double. */
static __global__ void penalty_value_kernel(gram_penalty_args a)
{
    int64_t m = blockIdx.x;
    const float *c = f32(a.c) + m * a.features, *gram = f32(a.gram);
    double lambda = (double)f32(a.lambda)[m * a.lambda_stride], quadratic = 0.0;
    for (int k = (int)threadIdx.x; k < a.features; k += (int)blockDim.x) {
        double product = 0.0; /* (gram c_m)_k; gram is symmetric */
        for (int i = 0; i < a.features; i++)
            product += (double)gram[(int64_t)i * a.features + k] * (double)c[i];
        quadratic += (double)c[k] * product;
        if (a.dc != NULL)
            f32(a.dc)[m * a.features + k] += (float)(a.grad_scale * 2.0 * lambda * product);
    }
    quadratic = block_sum(quadratic);
    if (threadIdx.x == 0)
        f64(a.loss)[m] += lambda * quadratic;
}

void cuda_gram_penalty(backend *be, const gram_penalty_args *a)
{
    const char *op = "gram_penalty";
    CUDA_REQUIRE(be, op, a->models > 0 && a->features > 0);
    CUDA_LAUNCH(be, op, penalty_matrix_kernel, blocks_of((int64_t)a->features * a->features), BLOCK,
                0, *a);
    CUDA_LAUNCH(be, op, penalty_value_kernel, (unsigned)a->models, BLOCK, 0, *a);
}
