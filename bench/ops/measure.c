#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- error ------------------------------------------------------------------------------------- */

/* Σ(got − want)² and Σ want², or the number of different bits. */
typedef struct {
    double error, size;
    int64_t different;
} difference;

static double value_of(const char *x, value_kind kind)
{
    float f;
    double d;
    if (kind == VALUE_F32) {
        memcpy(&f, x, sizeof f);
        return (double)f;
    }
    memcpy(&d, x, sizeof d);
    return d;
}

static void compare(const operand *o, const char *got, const char *want, difference *d)
{
    for (int64_t i = 0; i < o->batch; i++)
        for (int64_t r = 0; r < o->rows; r++)
            for (int64_t k = 0; k < o->columns; k++) {
                size_t at = (size_t)(i * o->batch_stride + r * o->row_stride + k) * o->size;
                if (o->kind == VALUE_BITS) {
                    d->different += memcmp(got + at, want + at, o->size) != 0;
                    continue;
                }
                double g = value_of(got + at, o->kind), w = value_of(want + at, o->kind);
                d->error += (g - w) * (g - w);
                d->size += w * w;
            }
}

static double error_of(const difference *d)
{
    if (d->different > 0)
        return 1.0;
    double error = sqrt(d->size == 0.0 ? d->error : d->error / d->size);
    return isnan(error) ? INFINITY : error;
}

/* The call's operands on the CPU: copies of the device's, at 64 bytes more than they need. */
typedef struct {
    backend *cpu;
    op_use use;
    op_call call;
    void *copy[MOST_OPERANDS];
    bool shared[MOST_OPERANDS]; /* an earlier operand is the same memory */
} cpu_call;

static size_t span_bytes(const operand *o)
{
    return (size_t)operand_span(o) * o->size;
}

static void *same_memory(const cpu_call *c, const op_call *call, int i)
{
    for (int j = 0; j < i; j++)
        if (operand_memory(call, &c->use.at[j]) == operand_memory(call, &c->use.at[i]) &&
            span_bytes(&c->use.at[j]) >= span_bytes(&c->use.at[i]))
            return c->copy[j];
    return NULL;
}

static am_status copy_operands(backend *be, cpu_call *c, const op_call *call, am_error *err)
{
    for (int i = 0; i < c->use.count; i++) {
        const operand *o = &c->use.at[i];
        c->copy[i] = same_memory(c, call, i);
        c->shared[i] = c->copy[i] != NULL;
        if (!c->shared[i]) {
            c->copy[i] = c->cpu->op->alloc(c->cpu, span_bytes(o) + 64, "check");
            AM_TRY(c->cpu->op->sync(c->cpu, err));
            AM_TRY(be->op->download(be, c->copy[i], operand_memory(call, o), span_bytes(o), err));
        }
        memcpy((char *)&c->call + o->slot, &c->copy[i], sizeof c->copy[i]);
    }
    return AM_OK;
}

static am_status compare_outputs(backend *be, const cpu_call *c, const op_call *call, double *error,
                                 am_error *err)
{
    *error = 0.0;
    for (int i = 0; i < c->use.count; i++) {
        const operand *o = &c->use.at[i];
        if ((o->role & WRITTEN) == 0)
            continue;
        char *got = am_alloc(span_bytes(o), 1, "check", err);
        if (got == NULL)
            return AM_ERR_MEMORY;
        difference d = {0};
        am_status status = be->op->download(be, got, operand_memory(call, o), span_bytes(o), err);
        if (status == AM_OK)
            compare(o, got, c->copy[i], &d);
        free(got);
        AM_TRY(status);
        *error = fmax(*error, error_of(&d));
    }
    return AM_OK;
}

am_status measure_error(backend *be, backend *cpu, op_call *call, double *error, am_error *err)
{
    cpu_call *c = am_alloc(1, sizeof *c, "check", err);
    if (c == NULL)
        return AM_ERR_MEMORY;
    c->cpu = cpu;
    c->call = *call;
    op_describe(call, &c->use);
    am_status status = copy_operands(be, c, call, err);
    if (status == AM_OK) {
        op_issue(cpu, &c->call);
        op_issue(be, call);
        status = cpu->op->sync(cpu, err);
    }
    if (status == AM_OK)
        status = compare_outputs(be, c, call, error, err);
    for (int i = 0; i < c->use.count; i++)
        if (!c->shared[i])
            cpu->op->release(cpu, c->copy[i]);
    free(c);
    return status;
}

/* ---- time -------------------------------------------------------------------------------------- */

enum { SAMPLES = 9, MOST_IN_A_STEP = 64 };
static const double SAMPLE_SECONDS = 4e-3;

typedef struct {
    backend *be;
    op_call *call;
    int times;
} several;

static void issue_several(void *context)
{
    several *s = context;
    for (int i = 0; i < s->times; i++)
        op_issue(s->be, s->call);
}

static am_status timed(several *s, int64_t steps, void **plan, double *seconds, am_error *err)
{
    double begin = am_seconds();
    s->be->op->repeat(s->be, issue_several, s, steps, plan);
    AM_TRY(s->be->op->sync(s->be, err));
    *seconds = (am_seconds() - begin) / (double)steps;
    return AM_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Steps enough for a sample, then the samples. */
static am_status sample(several *s, void **plan, double *seconds, am_error *err)
{
    double once, taken[SAMPLES];
    AM_TRY(timed(s, 3, plan, &once, err)); /* plainly, recorded, replayed */
    AM_TRY(timed(s, 2, plan, &once, err));
    int64_t steps = AM_MAX((int64_t)1, (int64_t)(SAMPLE_SECONDS / fmax(once, 1e-9)));
    int samples = once > 0.1 ? 3 : SAMPLES;
    for (int i = 0; i < samples; i++)
        AM_TRY(timed(s, steps, plan, &taken[i], err));
    qsort(taken, (size_t)samples, sizeof *taken, ascending);
    *seconds = taken[samples / 2] / s->times;
    return AM_OK;
}

am_status measure_seconds(backend *be, op_call *call, double *seconds, am_error *err)
{
    several s = {.be = be, .call = call, .times = 1};
    void *plan = NULL;
    double begin;
    AM_TRY(be->op->sync(be, err));
    begin = am_seconds();
    op_issue(be, call);
    AM_TRY(be->op->sync(be, err));
    double first = am_seconds() - begin;
    s.times = AM_MAX(1, AM_MIN((int)(2e-3 / fmax(first, 1e-9)), (int)MOST_IN_A_STEP));
    am_status status = sample(&s, &plan, seconds, err);
    be->op->forget(be, &plan);
    return status;
}

/* ---- ceilings ---------------------------------------------------------------------------------- */

/* The CPU backend gives a product to one thread: several at once. */
enum { COPY_BYTES = 512 << 20, COPY_TIMES = 10, PRODUCT = 4096, PRODUCT_CPU = 1024 };

typedef struct {
    backend *be;
    void *to, *from;
    bool host;
} big_copy;

/* The CPU backend copies by one thread; the machine's bandwidth takes all of them. */
static void issue_copy(void *context)
{
    big_copy *c = context;
    enum { PIECE = 1 << 20 };
    if (!c->host) {
        c->be->op->copy(c->be, c->to, c->from, COPY_BYTES);
        return;
    }
#pragma omp parallel for num_threads(c->be->threads)
    for (int i = 0; i < COPY_BYTES / PIECE; i++)
        memcpy((char *)c->to + (size_t)i * PIECE, (char *)c->from + (size_t)i * PIECE, PIECE);
}

static am_status copy_ceiling(backend *be, double *bytes, am_error *err)
{
    big_copy c = {.be = be, .host = strcmp(be->name, "cpu") == 0};
    double best = INFINITY;
    void *plan = NULL;
    c.to = be->op->alloc(be, COPY_BYTES, "copy");
    c.from = be->op->alloc(be, COPY_BYTES, "copy");
    am_status status = be->op->sync(be, err);
    for (int i = 0; status == AM_OK && i < COPY_TIMES; i++) {
        double begin = am_seconds();
        be->op->repeat(be, issue_copy, &c, 1, &plan);
        status = be->op->sync(be, err);
        best = fmin(best, am_seconds() - begin);
    }
    be->op->forget(be, &plan);
    be->op->release(be, c.to);
    be->op->release(be, c.from);
    *bytes = 2.0 * COPY_BYTES / best;
    return status;
}

static am_status product_ceiling(backend *be, double *flops, am_error *err)
{
    bool cpu = strcmp(be->name, "cpu") == 0;
    int64_t n = cpu ? PRODUCT_CPU : PRODUCT;
    int batch = cpu ? 2 * be->threads : 1;
    size_t bytes = sizeof(float) * (size_t)(n * n);
    float *host = am_alloc((size_t)(n * n), sizeof *host, "product", err);
    double seconds;
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (int64_t i = 0; i < n * n; i++) /* anything but zeros, which are quicker */
        host[i] = (float)((i * 2654435761LL) % 1000003) * 1e-6f - 0.5f;
    void *a = be->op->alloc(be, bytes, "product"), *b = be->op->alloc(be, bytes, "product");
    void *c = be->op->alloc(be, bytes * (size_t)batch, "product");
    be->op->upload(be, a, host, bytes);
    be->op->upload(be, b, host, bytes);
    free(host);
    op_call call = {.op = OP_matmul};
    call.args.matmul = (matmul_args){.batch = batch,
                                     .c_stride = n * n,
                                     .m = n,
                                     .n = n,
                                     .k = n,
                                     .alpha = 1,
                                     .a = a,
                                     .b = b,
                                     .c = c};
    call.args.matmul.lda = call.args.matmul.ldb = call.args.matmul.ldc = n;
    am_status status = measure_seconds(be, &call, &seconds, err);
    be->op->release(be, a);
    be->op->release(be, b);
    be->op->release(be, c);
    *flops = 2.0 * batch * (double)n * (double)n * (double)n / seconds;
    return status;
}

am_status measure_ceilings(backend *be, ceilings *c, am_error *err)
{
    AM_TRY(copy_ceiling(be, &c->bytes, err));
    return product_ceiling(be, &c->flops, err);
}

double measure_floor(const op_use *use, const ceilings *c)
{
    return fmax(use->bytes / c->bytes, use->flops / c->flops);
}
