/* collocation — every draw's own Adam step, projected on the features (METHOD §4). */
#include "adam_step.h"

enum { MAX_FEATURES = 256, SHARED_BYTES = 48 * 1024 };

/* ---- W = (cᵀc/M + ridge·I)⁻¹cᵀ/M, column j times 2^(−tilt·ū_j), late rows times the boost ----- */

/* One block, in double: R²M/2 + R³/6 + R²M multiply-adds, some 1 500 at R = 7, M = 10, in shared
 * memory when it fits. Bound by the latency of R dependent columns. */

/* normal (R,R) = cᵀc/M + ridge·I, lower triangle */
static __device__ void normal_matrix(const collocation_args &a, double *normal)
{
    int r = a.features;
    for (int at = (int)threadIdx.x; at < r * r; at += BLOCK) {
        int i = at / r, j = at % r;
        double sum = 0.0;
        for (int m = 0; j <= i && m < a.models; m++)
            sum += (double)f32(a.c)[(int64_t)m * r + i] * (double)f32(a.c)[(int64_t)m * r + j];
        normal[at] = sum / a.models + (i == j ? a.ridge : 0.0);
    }
    __syncthreads();
}

/* A = L·Lᵀ in place, lower triangle, column by column; false in every thread when a pivot is not
 * positive. */
static __device__ bool cholesky(double *matrix, int n)
{
    for (int j = 0; j < n; j++) {
        double pivot = matrix[j * n + j];
        if (!(pivot > 0.0))
            return false;
        pivot = sqrt(pivot);
        __syncthreads(); /* every thread has read the pivot */
        for (int i = j + (int)threadIdx.x; i < n; i += BLOCK)
            matrix[i * n + j] = i == j ? pivot : matrix[i * n + j] / pivot;
        __syncthreads();
        int rest = n - j - 1; /* A_ik −= L_ij·L_kj behind column j */
        for (int at = (int)threadIdx.x; at < rest * rest; at += BLOCK) {
            int i = j + 1 + at / rest, k = j + 1 + at % rest;
            if (k <= i)
                matrix[i * n + k] -= matrix[i * n + j] * matrix[k * n + j];
        }
        __syncthreads();
    }
    return true;
}

/* x (n) ← (L·Lᵀ)⁻¹·x, elements `stride` apart; one thread */
static __device__ void cholesky_solve(const double *factor, int n, double *x, int stride)
{
    for (int i = 0; i < n; i++) {
        double sum = x[i * stride];
        for (int k = 0; k < i; k++)
            sum -= factor[i * n + k] * x[k * stride];
        x[i * stride] = sum / factor[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
        double sum = x[i * stride];
        for (int k = i + 1; k < n; k++)
            sum -= factor[k * n + i] * x[k * stride];
        x[i * stride] = sum / factor[i * n + i];
    }
}

/* 2^(−tilt·ū_j): the share of the step size that draw j takes */
static __device__ double tilted_rate(const collocation_args &a, int draw)
{
    const double ln2 = 0.693147180559945309417;
    double sum = 0.0;
    for (int g = 0; g < a.groups; g++)
        sum += axis_level(a.axis, (double)f32(a.u)[(int64_t)draw * a.groups + g]);
    return portable_exp(-a.tilt * ln2 * sum / a.groups);
}

typedef struct {
    adam_step step;
    int ready; /* 0: nothing may change */
} verdict;

/* What the second kernel needs of the first. */
typedef struct {
    float *weights;   /* (M, width): column k of row m is W_km, 0 for k ≥ R */
    int width;        /* R rounded up to whole batches */
    verdict *now;     /* the step's scalars, and whether it may be taken */
    double *work;     /* R·R + R·M doubles, or NULL: shared memory */
    float *own_steps; /* (M, P), or NULL: shared memory */
} projection;

static __global__ void projection_kernel(collocation_args a, projection p,
                                         unsigned long long *fault)
{
    AM_SHARED(double, shared);
    int r = a.features, models = a.models;
    double *normal = p.work != NULL ? p.work : shared, *x = normal + r * r; /* (R, M) */
    if (run_halted(a.rule)) {
        if (threadIdx.x == 0)
            p.now->ready = 0;
        return;
    }
    normal_matrix(a, normal);
    bool positive = cholesky(normal, r);
    if (threadIdx.x == 0) {
        p.now->ready = positive;
        p.now->step = adam_step_now(a.rule);
        if (!positive)
            report_fault(fault, FAULT_NOT_POSITIVE_DEFINITE, 0);
    }
    for (int m = (int)threadIdx.x; positive && m < models; m += BLOCK) {
        for (int k = 0; k < r; k++)
            x[k * models + m] = (double)f32(a.c)[(int64_t)m * r + k] / models;
        cholesky_solve(normal, r, x + m, models);
        double rate = tilted_rate(a, m);
        for (int k = 0; k < p.width; k++) {
            double own = k < r - a.late ? rate : rate * a.boost;
            p.weights[(int64_t)m * p.width + k] = k < r ? (float)(x[k * models + m] * own) : 0.0f;
        }
    }
}

/* ---- the step -------------------------------------------------------------------------------- */

/* One column of Θ a thread, everything about it in one pass: D_j of every draw into shared memory,
 * then N = W·D, the first moment and Θ, COLLOCATION_BATCH features at a time. Floor: 16R + 12M
 * bytes a parameter of the target (Θ, m of every feature, v of every draw read and written, G
 * read), 232 at R = 7, M = 10, so 12 MB of a P = 50 890 network: 3 µs at 4 TB/s; 2MR + 12M + 4R
 * operations. Bound by memory. Rows begin P floats apart, at any alignment: 4 bytes a thread, 128 a
 * warp, a batch of loads in flight together. */
enum { COLLOCATION_BATCH = 4, COLLOCATION_BLOCK = 128 };

/* v ← β₂v + (1−β₂)g²;  d ← g/(√v̂ + ε), g times the clip factor: the step of one draw's own Adam */
static __device__ void own_steps(const collocation_args &a, const adam_step &s, int64_t column,
                                 float *d, int64_t d_stride)
{
    for (int first = 0; first < a.models; first += COLLOCATION_BATCH) {
        float grad[COLLOCATION_BATCH], v[COLLOCATION_BATCH];
#pragma unroll
        for (int q = 0; q < COLLOCATION_BATCH; q++) {
            int64_t at = (int64_t)(first + q) * a.params + column;
            bool inside = first + q < a.models;
            grad[q] = inside ? f32(a.grad)[at] : 0.0f;
            v[q] = inside ? f32(a.moment2)[at] : 0.0f;
        }
#pragma unroll
        for (int q = 0; q < COLLOCATION_BATCH; q++) {
            if (first + q >= a.models)
                break;
            float g = s.clip * grad[q];
            float v_new = s.beta2 * v[q] + s.keep2 * (g * g);
            f32(a.moment2)[(int64_t)(first + q) * a.params + column] = v_new;
            d[(first + q) * d_stride] = g / (sqrtf(v_new * s.correct2) + s.epsilon);
        }
    }
}

/* m ← β₁m + (1−β₁)N;  Θ ← Θ − lr·m̂ for the batch of features from k0, N_k = Σ_j W_kj D_j */
static __device__ void feature_steps(const collocation_args &a, const adam_step &s,
                                     const projection &p, int k0, int64_t column, const float *d,
                                     int64_t d_stride)
{
    float natural[COLLOCATION_BATCH] = {}, theta[COLLOCATION_BATCH], m[COLLOCATION_BATCH];
    int64_t at = (int64_t)k0 * a.params + column;
#pragma unroll
    for (int q = 0; q < COLLOCATION_BATCH; q++) {
        bool inside = k0 + q < a.features;
        theta[q] = inside ? f32(a.theta)[at + q * a.params] : 0.0f;
        m[q] = inside ? f32(a.moment1)[at + q * a.params] : 0.0f;
    }
    for (int j = 0; j < a.models; j++) {
        float4 w = *(const float4 *)(p.weights + (int64_t)j * p.width + k0);
        float step = d[j * d_stride];
        natural[0] = fmaf(w.x, step, natural[0]);
        natural[1] = fmaf(w.y, step, natural[1]);
        natural[2] = fmaf(w.z, step, natural[2]);
        natural[3] = fmaf(w.w, step, natural[3]);
    }
#pragma unroll
    for (int q = 0; q < COLLOCATION_BATCH; q++) {
        if (k0 + q >= a.features)
            break;
        float moment = s.beta1 * m[q] + s.keep1 * natural[q];
        f32(a.moment1)[at + q * a.params] = moment;
        f32(a.theta)[at + q * a.params] = theta[q] - s.rate * moment;
    }
}

static __global__ void collocation_kernel(collocation_args a, projection p)
{
    AM_SHARED(float, shared); /* (M, threads), a column a thread: no barrier is needed */
    if (p.now->ready == 0)
        return;
    adam_step s = p.now->step;
    int64_t column = thread_index();
    if (column >= a.params)
        return;
    float *d = p.own_steps != NULL ? p.own_steps + column : shared + threadIdx.x;
    int64_t d_stride = p.own_steps != NULL ? a.params : (int64_t)COLLOCATION_BLOCK;
    own_steps(a, s, column, d, d_stride);
    for (int k0 = 0; k0 < a.features; k0 += COLLOCATION_BATCH)
        feature_steps(a, s, p, k0, column, d, d_stride);
}

/* Slices one block of scratch: doubles first, then what needs 16, then 4 bytes of alignment. */
static bool open_projection(backend *be, const collocation_args *a, size_t work, size_t steps,
                            projection *p)
{
    p->width = (int)divide_up(a->features, COLLOCATION_BATCH) * COLLOCATION_BATCH;
    size_t in_global = work > SHARED_BYTES ? (work + 15) / 16 * 16 : 0;
    size_t weights = (size_t)a->models * (size_t)p->width * sizeof(float);
    size_t now = (sizeof(verdict) + 15) / 16 * 16;
    size_t own = steps > SHARED_BYTES ? (size_t)a->models * (size_t)a->params * sizeof(float) : 0;
    char *block = (char *)cuda_scratch(be, SCRATCH_OP, in_global + weights + now + own);
    if (block == NULL)
        return false;
    p->work = in_global > 0 ? (double *)(void *)block : NULL;
    p->weights = (float *)(void *)(block + in_global);
    p->now = (verdict *)(void *)(block + in_global + weights);
    p->own_steps = own > 0 ? (float *)(void *)(block + in_global + weights + now) : NULL;
    return true;
}

void cuda_collocation(backend *be, const collocation_args *a)
{
    const char *op = "collocation";
    CUDA_REQUIRE(be, op, a->models > 0 && a->features > 0 && a->features <= MAX_FEATURES);
    CUDA_REQUIRE(be, op, a->params > 0 && a->groups > 0);
    CUDA_REQUIRE(be, op, a->late >= 0 && a->late <= a->features && (a->late == 0 || a->boost > 0));
    projection p;
    size_t work = ((size_t)a->features * (size_t)(a->features + a->models)) * sizeof(double);
    size_t steps = (size_t)a->models * COLLOCATION_BLOCK * sizeof(float);
    if (!open_projection(be, a, work, steps, &p))
        return;
    CUDA_LAUNCH(be, op, projection_kernel, 1, BLOCK, p.work == NULL ? work : 0, *a, p,
                cuda_of(be)->fault);
    CUDA_LAUNCH(be, op, collocation_kernel, (unsigned)divide_up(a->params, COLLOCATION_BLOCK),
                COLLOCATION_BLOCK, p.own_steps == NULL ? steps : 0, *a, p);
}
