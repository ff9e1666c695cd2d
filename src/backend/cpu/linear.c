#include "backend/cpu/activation.h"
#include "backend/cpu/gemm.h"

void cpu_linear_forward(backend *be, const linear_forward_args *a)
{
    /* Y_m (B,out) = X_m (B,in) · W_mᵀ (in,out), then bias and activation */
    matmul_args product = {.batch = a->models,
                           .transpose_b = true,
                           .m = a->rows,
                           .n = a->out,
                           .k = a->in,
                           .alpha = 1.0F,
                           .a = a->x,
                           .lda = a->ldx,
                           .a_stride = a->x_stride,
                           .b = a->weight,
                           .ldb = a->in,
                           .b_stride = a->weight_stride,
                           .c = a->y,
                           .ldc = a->ldy,
                           .c_stride = a->y_stride};
    gemm_epilogue finish = {.bias = a->bias != NULL ? f32(a->bias) : NULL,
                            .bias_stride = a->bias_stride,
                            .act = a->act};
    cpu_gemm(be, "linear_forward", &product, &finish);
}

enum { COLUMN_TILE = 128 };

/* sum (n) = Σ_r row_r */
AM_CLONES static void sum_columns(float *restrict sum, const float *dy, int64_t ld, int64_t rows,
                                  int64_t n)
{
    for (int64_t r = 0; r < rows; r++) {
        const float *restrict row = dy + r * ld;
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            sum[i] += row[i];
    }
}

/* dA = act'(Y)∘dY in place and db = 1ᵀdA, for the columns [from, from+n) of model m */
static void output_gradient_tile(const linear_backward_args *a, int64_t m, int64_t from, int64_t n)
{
    float *dy = f32(a->dy) + m * a->y_stride + from;
    if (a->act != ACT_NONE)
        activate_backward(dy, f32(a->y) + m * a->y_stride + from, a->ldy, a->rows, n, a->act);
    if (a->dbias == NULL)
        return;
    float sum[COLUMN_TILE] = {0.0F};
    float *dbias = f32(a->dbias) + m * a->dbias_stride + from;
    sum_columns(sum, dy, a->ldy, a->rows, n);
    for (int64_t i = 0; i < n; i++)
        dbias[i] = (a->accumulate ? dbias[i] : 0.0F) + sum[i];
}

static void output_gradient(backend *be, const linear_backward_args *a)
{
    int64_t tiles = (a->out + COLUMN_TILE - 1) / COLUMN_TILE;
    bool wide = (int64_t)a->models * a->rows * a->out > CPU_PARALLEL_WORK;
#pragma omp parallel for num_threads(be->threads) schedule(static) if (wide)
    for (int64_t i = 0; i < a->models * tiles; i++) {
        int64_t from = i % tiles * COLUMN_TILE;
        output_gradient_tile(a, i / tiles, from, AM_MIN(COLUMN_TILE, a->out - from));
    }
}

void cpu_linear_backward(backend *be, const linear_backward_args *a)
{
    const char *op = "linear_backward";
    CPU_REQUIRE(be, op, a->models > 0 && a->rows > 0 && a->in > 0 && a->out > 0);
    CPU_REQUIRE(be, op, a->ldy >= a->out && (a->models == 1 || a->y_stride != 0));
    CPU_REQUIRE(be, op, a->act == ACT_NONE || a->y != NULL);
    CPU_REQUIRE(be, op, a->dbias == NULL || a->models == 1 || a->dbias_stride != 0);
    if (a->act != ACT_NONE || a->dbias != NULL)
        output_gradient(be, a);

    if (a->dweight != NULL) { /* dW_m (out,in) = dA_mᵀ (out,B) · X_m (B,in) */
        matmul_args product = {.batch = a->models,
                               .transpose_a = true,
                               .m = a->out,
                               .n = a->in,
                               .k = a->rows,
                               .alpha = 1.0F,
                               .beta = a->accumulate ? 1.0F : 0.0F,
                               .a = a->dy,
                               .lda = a->ldy,
                               .a_stride = a->y_stride,
                               .b = a->x,
                               .ldb = a->ldx,
                               .b_stride = a->x_stride,
                               .c = a->dweight,
                               .ldc = a->in,
                               .c_stride = a->dweight_stride};
        cpu_gemm(be, op, &product, NULL);
    }
    if (a->dx != NULL) { /* dX_m (B,in) = dA_m (B,out) · W_m (out,in) */
        matmul_args product = {.batch = a->models,
                               .m = a->rows,
                               .n = a->in,
                               .k = a->out,
                               .alpha = 1.0F,
                               .a = a->dy,
                               .lda = a->ldy,
                               .a_stride = a->y_stride,
                               .b = a->weight,
                               .ldb = a->in,
                               .b_stride = a->weight_stride,
                               .c = a->dx,
                               .ldc = a->lddx,
                               .c_stride = a->dx_stride};
        cpu_gemm(be, op, &product, NULL);
    }
}
