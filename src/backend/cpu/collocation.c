#include "backend/cpu/adam_step.h"
#include "draw/axis.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <omp.h>

enum { TILE_FLOATS = 8192 };
static const double LN2 = 0.693147180559945309417;

/* normal (R,R) = cᵀc/M + ridge·I, lower triangle */
static void normal_matrix(const collocation_args *a, double *normal)
{
    int64_t features = a->features;
    for (int64_t i = 0; i < features; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (int64_t m = 0; m < a->models; m++)
                sum += (double)f32(a->c)[m * features + i] * (double)f32(a->c)[m * features + j];
            normal[i * features + j] = sum / a->models + (i == j ? a->ridge : 0.0);
        }
}

/* A = L·Lᵀ in place, lower triangle; false when a pivot is not positive. */
static bool cholesky(double *matrix, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = matrix + i * n;
        for (int64_t j = 0; j <= i; j++) {
            const double *other = matrix + j * n;
            double sum = row[j];
            for (int64_t k = 0; k < j; k++)
                sum -= row[k] * other[k];
            if (i == j && !(sum > 0.0))
                return false;
            row[j] = i == j ? sqrt(sum) : sum / other[j];
        }
    }
    return true;
}

AM_CLONES static void subtract_scaled(double *restrict y, const double *restrict x, double scale,
                                      int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] -= scale * x[i];
}

/* X (n,columns) ← (L·Lᵀ)⁻¹·X */
static void cholesky_solve(const double *factor, int64_t n, double *x, int64_t columns)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++)
            subtract_scaled(x + i * columns, x + k * columns, factor[i * n + k], columns);
        for (int64_t j = 0; j < columns; j++)
            x[i * columns + j] /= factor[i * n + i];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < n; k++)
            subtract_scaled(x + i * columns, x + k * columns, factor[k * n + i], columns);
        for (int64_t j = 0; j < columns; j++)
            x[i * columns + j] /= factor[i * n + i];
    }
}

/* 2^(−tilt·ū_j): the share of the step size that draw j takes */
static double tilted_rate(const collocation_args *a, int64_t draw)
{
    double sum = 0.0;
    for (int64_t g = 0; g < a->groups; g++)
        sum += axis_level(a->axis, (double)f32(a->u)[draw * a->groups + g]);
    return portable_exp(-a->tilt * LN2 * sum / a->groups);
}

/* weights (R,M) = (cᵀc/M + ridge·I)⁻¹·cᵀ/M, column j times 2^(−tilt·ū_j), the late rows times the
 * boost; false when the matrix is not positive definite. `work` holds R·R + R·M doubles. */
static bool projection(const collocation_args *a, double *work, float *weights)
{
    int64_t features = a->features, models = a->models, late = (features - a->late) * models;
    double *normal = work, *x = work + features * features;
    normal_matrix(a, normal);
    if (!cholesky(normal, features))
        return false;
    for (int64_t k = 0; k < features; k++)
        for (int64_t m = 0; m < models; m++)
            x[k * models + m] = (double)f32(a->c)[m * features + k] / a->models;
    cholesky_solve(normal, features, x, models);
    for (int64_t m = 0; m < models; m++) {
        double rate = tilted_rate(a, m);
        for (int64_t i = m; i < features * models; i += models)
            weights[i] = (float)(x[i] * (i < late ? rate : rate * a->boost));
    }
    return true;
}

/* v ← β₂v + (1−β₂)g²;  d ← g/(√v̂ + ε), g times the clip factor: the step of one draw's own Adam */
AM_CLONES static void own_step(const adam_step *s, const float *restrict grad,
                               float *restrict moment2, float *restrict step, int64_t n)
{
    adam_step k = *s;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float g = k.clip * grad[i];
        float v = k.beta2 * moment2[i] + k.keep2 * (g * g);
        moment2[i] = v;
        step[i] = g / (__builtin_sqrtf(v * k.correct2) + k.epsilon);
    }
}

/* m ← β₁m + (1−β₁)N;  Θ ← Θ − lr·m̂ */
AM_CLONES static void first_moment(const adam_step *s, const float *restrict natural,
                                   float *restrict theta, float *restrict moment1, int64_t n)
{
    float beta1 = s->beta1, keep1 = s->keep1, rate = s->rate;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float m = beta1 * moment1[i] + keep1 * natural[i];
        moment1[i] = m;
        theta[i] -= rate * m;
    }
}

/* Columns [from, from+n): every draw's step D, N = W·D, and the update, in one pass over the tile.
 * `tile` holds (M+R)·width floats. */
static void update_tile(const collocation_args *a, const adam_step *s, const float *weights,
                        int64_t from, int64_t n, int64_t width, float *tile)
{
    float *natural = tile + a->models * width;
    for (int64_t j = 0; j < a->models; j++)
        own_step(s, f32(a->grad) + j * a->params + from, f32(a->moment2) + j * a->params + from,
                 tile + j * width, n);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, a->features, (int)n, a->models, 1.0F,
                weights, a->models, tile, (int)width, 0.0F, natural, (int)width);
    for (int64_t k = 0; k < a->features; k++)
        first_moment(s, natural + k * width, f32(a->theta) + k * a->params + from,
                     f32(a->moment1) + k * a->params + from, n);
}

/* The tile of D and N, (M+R)·width floats, stays in the first-level cache. */
static int64_t tile_width(int64_t models, int64_t features)
{
    int64_t width = TILE_FLOATS / (models + features) / 16 * 16;
    return AM_MAX(64, AM_MIN(width, outer_tile_width(models, features)));
}

/* Floor: 16R + 12M bytes a parameter (Θ, m of every feature and v of every draw read and written, G
 * read). */
void cpu_collocation(backend *be, const collocation_args *a)
{
    const char *op = "collocation";
    CPU_REQUIRE(be, op, a->models > 0 && a->features > 0 && a->features <= AM_MAX_COLLOCATION);
    CPU_REQUIRE(be, op, a->params > 0 && a->params <= INT_MAX && a->groups > 0);
    CPU_REQUIRE(be, op, a->late >= 0 && a->late <= a->features && (a->late == 0 || a->boost > 0));
    adam_step step;
    if (!adam_step_now(&a->rule, &step))
        return;
    int64_t width = tile_width(a->models, a->features);
    size_t features = (size_t)a->features, small = features * (size_t)a->models;
    size_t square = features * features;
    size_t tile = (size_t)(width * (a->features + a->models));
    double *work = cpu_scratch(be, SCRATCH_OP,
                               (square + small) * sizeof(double) +
                                   (small + tile * (size_t)be->threads) * sizeof(float));
    if (work == NULL)
        return;
    float *weights = (float *)(void *)(work + square + small), *tiles = weights + small;
    if (!projection(a, work, weights)) {
        backend_fail(be, AM_ERR_INTERNAL, op,
                     "cᵀc/M + ridge·I is not positive definite; use a ridge above 0");
        return;
    }
#pragma omp parallel for num_threads(be->threads) schedule(static)
    for (int64_t from = 0; from < a->params; from += width)
        update_tile(a, &step, weights, from, AM_MIN(width, a->params - from), width,
                    tiles + (size_t)omp_get_thread_num() * tile);
}
