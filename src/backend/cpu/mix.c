#include "backend/cpu/activation.h"
#include "backend/cpu/gemm.h"

void cpu_mix_forward(backend *be, const mix_forward_args *a)
{
    /* A (M,count) = act(c (M,R) · Z (R,count)) */
    matmul_args product = {.batch = 1,
                           .m = a->models,
                           .n = a->count,
                           .k = a->features,
                           .alpha = 1.0F,
                           .a = a->c,
                           .lda = a->features,
                           .b = a->z,
                           .ldb = a->count,
                           .c = a->a,
                           .ldc = a->count};
    gemm_epilogue finish = {.act = a->act};
    cpu_gemm(be, "mix_forward", &product, &finish);
}

enum { TILE = 4096 };

void cpu_mix_backward(backend *be, const mix_backward_args *a)
{
    const char *op = "mix_backward";
    CPU_REQUIRE(be, op, a->models > 0 && a->features > 0 && a->count > 0);
    /* dA ← act'(A)∘dA */
    int64_t total = a->models * a->count;
    if (a->act != ACT_NONE) {
#pragma omp parallel for num_threads(be->threads) schedule(static) if (total > CPU_PARALLEL_WORK)
        for (int64_t i = 0; i < total; i += TILE)
            activate_backward(f32(a->da) + i, f32(a->a) + i, TILE, 1, AM_MIN(TILE, total - i),
                              a->act);
    }
    /* E (R,count) = cᵀ (R,M) · dA (M,count) */
    matmul_args mixed = {.batch = 1,
                         .transpose_a = true,
                         .m = a->features,
                         .n = a->count,
                         .k = a->models,
                         .alpha = 1.0F,
                         .a = a->c,
                         .lda = a->features,
                         .b = a->da,
                         .ldb = a->count,
                         .c = a->e,
                         .ldc = a->count};
    cpu_gemm(be, op, &mixed, NULL);
    if (a->dc == NULL)
        return;
    /* dc (M,R) += dA (M,count) · Zᵀ (count,R) */
    matmul_args weights = {.batch = 1,
                           .transpose_b = true,
                           .m = a->models,
                           .n = a->features,
                           .k = a->count,
                           .alpha = 1.0F,
                           .beta = 1.0F,
                           .a = a->da,
                           .lda = a->count,
                           .b = a->z,
                           .ldb = a->count,
                           .c = a->dc,
                           .ldc = a->features};
    cpu_gemm(be, op, &weights, NULL);
}
