/* loss — weighted losses of M models and their gradients in one pass. */
#include "softmax_row.h"

/* A block takes LOSS_ROWS rows of one model, a group of lanes a row. Per output 4 bytes read and 4
 * written (the row's later reads hit the first-level cache), two exponentials and some 10 other
 * operations: bound by memory when large. A step's 10 × 128 rows are 100 kB: the launch is what
 * costs, hence one pass, and one launch while a block holds all rows. */
enum { LOSS_ROWS = 128 };

/* One row: where it lies, and its gradient's factor. */
typedef struct {
    const float *o; /* outputs; d may be the same memory, so that a lane reads only its own of them
                       once the first gradient is written */
    float *d;       /* NULL: value only */
    int outputs;
    double weight, scale; /* w, grad_scale/divisor */
} loss_row;

/* ℓ = log Σ_c e^{o_c} − o_y;  ∂ℓ/∂o_c = p_c − 1[c=y], where p_y − 1 = −Σ_{c≠y} p_c, without the
 * cancellation of p_y near 1 */
static __device__ double cross_entropy_row(row_place p, const loss_row &r, int label)
{
    float max = row_maximum_of(p, r.o, r.outputs).max;
    double sum = row_exponentials(p, r.o, r.outputs, max), own = 0.0;
    float scale = (float)(r.weight * r.scale), normalise = (float)(1.0 / sum);
    for (int c = p.lane; c < r.outputs; c += p.lanes) {
        float o = r.o[c], e = expf(o - max);
        if (c == label)
            own = (double)o;
        if (r.d == NULL)
            continue;
        r.d[c] = c == label ? (float)(-r.weight * r.scale * ((sum - (double)e) / sum))
                            : scale * (e * normalise);
    }
    double target = row_sum(p, own); /* the other lanes hold 0 */
    return r.outputs > 0 ? r.weight * (log(sum) + ((double)max - target)) : 0.0;
}

/* ℓ = Σ_c (o_c − y_c)²;  ∂ℓ/∂o_c = 2(o_c − y_c) */
static __device__ double squared_row(row_place p, const loss_row &r, const float *y)
{
    double sum = 0.0;
    for (int c = p.lane; c < r.outputs; c += p.lanes) {
        double difference = (double)r.o[c] - (double)y[c];
        sum += difference * difference;
        if (r.d != NULL)
            r.d[c] = (float)(2.0 * r.weight * r.scale * difference);
    }
    return r.weight * row_sum(p, sum);
}

/* Row b of model m; an absent one has no outputs. */
static __device__ loss_row loss_row_at(const loss_args &a, int64_t m, int64_t b)
{
    int64_t row = m * a.rows + b;
    loss_row r = {NULL, NULL, 0, 0.0, a.grad_scale / a.divisor};
    if (b >= a.rows)
        return r;
    r.o = f32(a.logits) + row * a.outputs;
    r.d = a.dlogits != NULL ? f32(a.dlogits) + row * a.outputs : NULL;
    r.outputs = a.outputs;
    r.weight = a.weight != NULL ? (double)f32(a.weight)[row] : 1.0;
    return r;
}

static __device__ double row_loss(const loss_args &a, row_place p, int64_t m, int64_t b,
                                  unsigned long long *fault)
{
    loss_row r = loss_row_at(a, m, b);
    if (a.kind == LOSS_SQUARED)
        return squared_row(p, r, f32(a.target) + m * a.target_stride + b * a.outputs);
    int label = r.outputs > 0 ? i32(a.label)[m * a.label_stride + b] : 0;
    if (r.outputs > 0 && (label < 0 || label >= a.outputs)) {
        report_fault(fault, FAULT_LOSS_LABEL, label);
        r.outputs = 0;
    }
    return cross_entropy_row(p, r, label);
}

static __global__ void loss_kernel(loss_args a, int lanes, int chunks, double *partial,
                                   unsigned long long *fault)
{
    int64_t m = blockIdx.x / chunks, first = (int64_t)(blockIdx.x % chunks) * LOSS_ROWS;
    int group = (int)threadIdx.x / lanes, groups = (int)blockDim.x / lanes;
    row_place p = row_place_of(lanes);
    double sum = 0.0;
    for (int r = group; r < LOSS_ROWS; r += groups) { /* all lanes of a warp or none */
        double loss = row_loss(a, p, m, first + r, fault);
        sum += p.lane == 0 ? loss : 0.0;
    }
    sum = block_sum(sum);
    if (threadIdx.x != 0)
        return;
    if (chunks == 1)
        f64(a.loss)[m] += sum / a.divisor;
    else
        partial[blockIdx.x] = sum;
}

/* loss_m += (1/divisor) Σ_chunks partial: 8 bytes read and an addition for 128 rows: the launch is
 * what costs */
static __global__ void loss_sum_kernel(loss_args a, int chunks, const double *partial)
{
    int64_t m = blockIdx.x;
    double sum = 0.0;
    for (int i = (int)threadIdx.x; i < chunks; i += (int)blockDim.x)
        sum += partial[m * chunks + i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        f64(a.loss)[m] += sum / a.divisor;
}

void cuda_loss(backend *be, const loss_args *a)
{
    const char *op = "loss";
    CUDA_REQUIRE(be, op, a->models > 0 && a->rows > 0 && a->outputs > 0 && a->divisor > 0.0);
    CUDA_REQUIRE(be, op, a->kind == LOSS_SQUARED ? a->target != NULL : a->label != NULL);
    int chunks = (int)divide_up(a->rows, LOSS_ROWS);
    int64_t blocks = (int64_t)a->models * chunks;
    double *partial = NULL;
    if (chunks > 1) {
        partial = (double *)cuda_scratch(be, SCRATCH_OP, (size_t)blocks * sizeof(double));
        if (partial == NULL)
            return;
    }
    CUDA_LAUNCH(be, op, loss_kernel, (unsigned)blocks, BLOCK, 0, *a, row_lanes(a->outputs), chunks,
                partial, cuda_of(be)->fault);
    if (chunks > 1)
        CUDA_LAUNCH(be, op, loss_sum_kernel, (unsigned)a->models, BLOCK, 0, *a, chunks, partial);
}
