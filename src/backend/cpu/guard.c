#include "backend/cpu/adam_step.h"
#include "backend/cpu/gemm.h"
#include "backend/cpu/reduce.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <omp.h>

/* Σ g² over `count` contiguous floats. Floor: 4 bytes read an element. */
static double flat_square_sum(backend *be, const float *grad, int64_t count)
{
    int64_t tiles = (count + REDUCE_TILE - 1) / REDUCE_TILE;
    double *partial = cpu_scratch(be, SCRATCH_OP, (size_t)tiles * sizeof(double)), sum = 0.0;
    if (partial == NULL)
        return NAN;
#pragma omp parallel for num_threads(be->threads) schedule(static) if (tiles > 8)
    for (int64_t i = 0; i < tiles; i++)
        partial[i] =
            square_sum(grad + i * REDUCE_TILE, AM_MIN(REDUCE_TILE, count - i * REDUCE_TILE));
    for (int64_t i = 0; i < tiles; i++)
        sum += partial[i];
    return sum;
}

/* Σ_k x_k y_k in double */
AM_CLONES static double inner_product(const float *x, const float *y, int64_t n)
{
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < n; k++)
        sum += (double)x[k] * (double)y[k];
    return sum;
}

/* ‖cᵀg‖² = Σ_ij (c cᵀ)_ij (g gᵀ)_ij: the outer product itself (R,P) is never formed. */
static double gram_square_sum(backend *be, const guard_args *a)
{
    float *gram = cpu_scratch(be, SCRATCH_OP, (size_t)(a->rows * a->rows) * sizeof(float));
    if (gram == NULL)
        return NAN;
    matmul_args product = {.batch = 1,
                           .transpose_b = true,
                           .m = a->rows,
                           .n = a->rows,
                           .k = a->columns,
                           .alpha = 1.0F,
                           .a = a->grad,
                           .lda = a->columns,
                           .b = a->grad,
                           .ldb = a->columns,
                           .c = (dev_f32 *)(void *)gram,
                           .ldc = a->rows};
    cpu_gemm(be, "guard", &product, NULL);
    double sum = 0.0;
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t j = 0; j < a->rows; j++)
            sum += inner_product(f32(a->c) + i * a->features, f32(a->c) + j * a->features,
                                 a->features) *
                   (double)gram[i * a->rows + j];
    return sum < 0.0 ? 0.0 : sum; /* rounding may leave a small negative number; NaN stays */
}

/* More models than features: cᵀg itself takes fewer products, a tile of columns at a time. */
static double tiled_square_sum(backend *be, const guard_args *a)
{
    int64_t width = outer_tile_width(a->rows, a->features);
    int64_t tiles = (a->columns + width - 1) / width, tile = width * a->features;
    double *partial =
        cpu_scratch(be, SCRATCH_OP,
                    (size_t)tiles * sizeof(double) +
                        (size_t)be->threads * (size_t)tile * sizeof(float)); /* (tiles) */
    if (partial == NULL)
        return NAN;
    float *product = (float *)(void *)(partial + tiles); /* (threads, R·width) */
#pragma omp parallel for num_threads(be->threads) schedule(static)
    for (int64_t i = 0; i < tiles; i++) {
        float *own = product + omp_get_thread_num() * tile;
        int n = (int)AM_MIN(width, a->columns - i * width);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, a->features, n, (int)a->rows, 1.0F,
                    f32(a->c), a->features, f32(a->grad) + i * width, (int)a->columns, 0.0F, own,
                    n);
        partial[i] = square_sum(own, (int64_t)n * a->features);
    }
    double sum = 0.0;
    for (int64_t i = 0; i < tiles; i++)
        sum += partial[i];
    return sum;
}

static double outer_square_sum(backend *be, const guard_args *a)
{
    if (a->rows == 1)
        return square_sum(f32(a->c), a->features) * flat_square_sum(be, f32(a->grad), a->columns);
    return a->rows > a->features ? tiled_square_sum(be, a) : gram_square_sum(be, a);
}

void cpu_guard(backend *be, const guard_args *a)
{
    CPU_REQUIRE(be, "guard", a->rows > 0 && a->columns > 0 && a->losses >= 0);
    CPU_REQUIRE(be, "guard", a->c == NULL || (a->features > 0 && a->columns <= INT_MAX));
    guard_state *state = guard_at(a->guard);
    if (state->halted != 0)
        return;
    double square = a->c != NULL ? outer_square_sum(be, a)
                                 : flat_square_sum(be, f32(a->grad), a->rows * a->columns);
    if (be->failure.status != AM_OK)
        return;
    bool finite = isfinite(square);
    for (int i = 0; i < a->losses; i++)
        finite = finite && isfinite(f64(a->loss)[i]);
    state->norm = sqrt(square);
    state->clip_factor = a->clip > 0.0 && state->norm > a->clip ? a->clip / state->norm : 1.0;
    if (!finite)
        state->halted = 1 + *u64(a->step);
}
