#include "case.h"

#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bandwidth ------------------------------------------------------------------------------------ */

enum { TRIES = 7 };

/* Memory that is read and written in place, as an optimiser's state is: no cache line is fetched only to
 * be overwritten. */
__attribute__((target_clones("avx512f", "avx2", "default"))) static void
scale(float *x, int64_t begin, int64_t end, float factor)
{
    for (int64_t i = begin; i < end; i++)
        x[i] = x[i] * factor + 1e-30f;
}

static void update(float *x, int64_t count, int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int t = 0; t < threads; t++)
        scale(x, count * t / threads, count * (t + 1) / threads, 0.999f);
}

static am_status update_host(float *x, int64_t count, int threads, int times, double *seconds)
{
    update(x, count, threads);
    for (int i = 0; i < TRIES; i++) {
        double begin = am_seconds();
        for (int j = 0; j < times; j++)
            update(x, count, threads);
        *seconds = fmin(*seconds, (am_seconds() - begin) / times);
    }
    return AM_OK;
}

/* On a device: x ← x + 0·x. */
static am_status update_device(backend *be, float *x, int64_t count, double *seconds, am_error *err)
{
    op_call call = {.op = OP_add_diagonal};
    call.args.add_diagonal = (add_diagonal_args){.vectors = 1, .count = count};
    call.args.add_diagonal.d = call.args.add_diagonal.x = (dev_f32 *)(void *)x;
    call.args.add_diagonal.y = (dev_f32 *)(void *)x;
    return measure_seconds(be, &call, seconds, err);
}

/* Bytes a second, read and written, of `bytes` updated in place. */
static am_status bandwidth(backend *be, int64_t bytes, double *rate, am_error *err)
{
    int64_t count = bytes / (int64_t)sizeof(float);
    int times = (int)AM_MAX((int64_t)1, (64 << 20) / bytes);
    double seconds = INFINITY;
    void *x = be->op->alloc(be, (size_t)bytes, "bandwidth");
    am_status status = be->op->sync(be, err);
    if (status == AM_OK)
        status = strcmp(be->name, "cpu") == 0 ? update_host(x, count, be->threads, times, &seconds)
                                              : update_device(be, x, count, &seconds, err);
    be->op->release(be, x);
    *rate = 2.0 * (double)bytes / seconds;
    return status;
}

/* ---- matrix products ------------------------------------------------------------------------------- */

/* C_i (m,n) = op(A_i)·op(B_i), a_shared: one A for all. */
static am_status product(backend *be, matmul_args a, bool a_shared, double *seconds, am_error *err)
{
    size_t f32 = sizeof(float), batch = (size_t)a.batch;
    a.a_stride = a_shared ? 0 : a.m * a.k;
    a.b_stride = a.k * a.n;
    a.c_stride = a.m * a.n;
    a.lda = a.transpose_a ? a.m : a.k;
    a.ldb = a.transpose_b ? a.k : a.n;
    a.ldc = a.n;
    a.alpha = 1;
    size_t most = (size_t)AM_MAX(a.m * a.k, a.k * a.n) * batch;
    float *host = am_alloc(most, f32, "product", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < most; i++) /* anything but zeros, which are quicker */
        host[i] = (float)((i * 2654435761U) % 1000003) * 1e-6f - 0.5f;
    void *x = be->op->alloc(be, f32 * (size_t)(a.m * a.k) * batch, "product");
    void *y = be->op->alloc(be, f32 * (size_t)(a.k * a.n) * batch, "product");
    void *z = be->op->alloc(be, f32 * (size_t)(a.m * a.n) * batch, "product");
    be->op->upload(be, x, host, f32 * (size_t)(a.m * a.k) * batch);
    be->op->upload(be, y, host, f32 * (size_t)(a.k * a.n) * batch);
    free(host);
    a.a = x;
    a.b = y;
    a.c = z;
    op_call call = {.op = OP_matmul};
    call.args.matmul = a;
    am_status status = measure_seconds(be, &call, seconds, err);
    be->op->release(be, x);
    be->op->release(be, y);
    be->op->release(be, z);
    return status;
}

/* FLOPs a second of the first layer of M networks on one minibatch, forward and backward: the products
 * that a step consists of. */
static am_status layer_rate(backend *be, int models, double *rate, am_error *err)
{
    enum { ROWS = 128, INPUTS = 784, HIDDEN = 64 };
    double forward, backward;
    matmul_args y = {.batch = models, .transpose_b = true, .m = ROWS, .n = HIDDEN, .k = INPUTS};
    matmul_args dw = {.batch = models, .transpose_a = true, .m = HIDDEN, .n = INPUTS, .k = ROWS};
    AM_TRY(product(be, y, true, &forward, err));
    AM_TRY(product(be, dw, false, &backward, err));
    *rate = 4.0 * models * ROWS * INPUTS * HIDDEN / (forward + backward);
    return AM_OK;
}

static am_status square_rate(backend *be, double *rate, am_error *err)
{
    bool cpu = strcmp(be->name, "cpu") == 0;
    int64_t n = cpu ? 1024 : 4096;
    double seconds;
    matmul_args a = {.batch = cpu ? 2 * be->threads : 1, .m = n, .n = n, .k = n};
    AM_TRY(product(be, a, false, &seconds, err));
    *rate = 2.0 * a.batch * (double)n * (double)n * (double)n / seconds;
    return AM_OK;
}

am_status case_ceilings(backend *be, am_error *err)
{
    double rate;
    AM_TRY(square_rate(be, &rate, err));
    printf("{\"threads\": %d, \"square\": %.6e", be->threads, rate);
    AM_TRY(layer_rate(be, 16, &rate, err));
    printf(", \"layer\": %.6e, \"update\": {", rate);
    for (int64_t bytes = 1 << 20; bytes <= 1 << 30; bytes *= 2) {
        AM_TRY(bandwidth(be, bytes, &rate, err));
        printf("%s\"%lld\": %.6e", bytes == 1 << 20 ? "" : ", ", (long long)bytes, rate);
    }
    printf("}}\n");
    return AM_OK;
}
