#include "response/conjugate_gradients.h"

#include "draw/philox.h"

#include <stdlib.h>

enum { PROBES = 4 };

/* signs (S, K) of ±1; each side alone where there are as few. */
static am_status open_signs(conjugate_gradients *c, am_error *err)
{
    size_t values = (size_t)c->probes * (size_t)c->vectors;
    float *host = am_alloc(values, sizeof *host, "signs", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (int s = 0; s < c->probes; s++)
        for (int k = 0; k < c->vectors; k++) {
            uint32_t bit = philox(0, STREAM_PROBES, 0, (uint32_t)s, (uint32_t)k).x[0] & 1;
            float sign = bit ? 1.0f : -1.0f;
            host[s * c->vectors + k] = c->probes < c->vectors ? sign : s == k ? 1.0f : 0.0f;
        }
    c->signs = c->be->op->alloc(c->be, sizeof *host * values, "signs");
    c->be->op->upload(c->be, c->signs, host, sizeof *host * values);
    am_status status = c->be->op->sync(c->be, err);
    free(host);
    return status;
}

am_status conjugate_gradients_open(conjugate_gradients *c, backend *be, int vectors, int64_t count,
                                   am_error *err)
{
    *c = (conjugate_gradients){.be = be, .vectors = vectors, .count = count};
    c->probes = AM_MIN(PROBES, vectors);
    size_t bytes = sizeof(float) * (size_t)vectors * (size_t)count;
    for (int i = 0; i < 3; i++)
        c->mixed[i] =
            be->op->alloc(be, sizeof(float) * (size_t)c->probes * (size_t)count, "probes");
    c->residual = be->op->alloc(be, bytes, "residuals");
    c->search = be->op->alloc(be, bytes, "search directions");
    c->product = be->op->alloc(be, bytes, "products");
    c->solved = be->op->alloc(be, bytes, "preconditioned residuals");
    c->dots = be->op->alloc(be, sizeof(float) * (size_t)vectors, "inner products");
    c->factors = be->op->alloc(be, sizeof(float) * (size_t)vectors, "step sizes");
    am_status status = open_signs(c, err);
    if (status != AM_OK)
        conjugate_gradients_close(c);
    return status;
}

void conjugate_gradients_close(conjugate_gradients *c)
{
    if (c->be == NULL)
        return;
    void *owned[] = {c->residual, c->search,   c->product,  c->solved,   c->dots,
                     c->factors,  c->mixed[0], c->mixed[1], c->mixed[2], c->signs};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        c->be->op->release(c->be, owned[i]);
    *c = (conjugate_gradients){0};
}

/* Σ_k ⟨a_k, b_k⟩ over the first `vectors`; work (K). */
static am_status inner(const conjugate_gradients *c, int vectors, const dev_f32 *a,
                       const dev_f32 *b, float *work, double *sum, am_error *err)
{
    matmul_args product = {.batch = vectors,
                           .transpose_b = true,
                           .m = 1,
                           .n = 1,
                           .k = c->count,
                           .alpha = 1,
                           .a = a,
                           .lda = c->count,
                           .a_stride = c->count,
                           .b = b,
                           .ldb = c->count,
                           .b_stride = c->count,
                           .c = c->dots,
                           .ldc = 1,
                           .c_stride = 1};
    c->be->op->matmul(c->be, &product);
    AM_TRY(c->be->op->download(c->be, work, c->dots, sizeof *work * (size_t)vectors, err));
    *sum = 0.0;
    for (int k = 0; k < vectors; k++)
        *sum += (double)work[k];
    return AM_OK;
}

/* y ← y + factor·x, of all sides */
static void add_multiple(const conjugate_gradients *c, double factor, const dev_f32 *x, dev_f32 *y)
{
    add_diagonal_args a = {
        .vectors = 1, .count = c->vectors * c->count, .shift = factor, .d = x, .x = x, .y = y};
    c->be->op->add_diagonal(c->be, &a);
}

/* mixed (S, P) = signs·a */
static void mix(const conjugate_gradients *c, const dev_f32 *a, dev_f32 *mixed)
{
    matmul_args product = {.batch = 1,
                           .m = c->probes,
                           .n = c->count,
                           .k = c->vectors,
                           .alpha = 1,
                           .a = c->signs,
                           .lda = c->vectors,
                           .b = a,
                           .ldb = c->count,
                           .c = mixed,
                           .ldc = c->count};
    c->be->op->matmul(c->be, &product);
}

/* a/b, and 0 where all sides are solved or 0 themselves. */
static double ratio(double a, double b)
{
    return b > 0.0 ? a / b : 0.0;
}

/* The last step: x += αp, α = ⟨r, p⟩/⟨p, Ap⟩ from the probes (r is orthogonal to the searches before). */
static am_status finish(conjugate_gradients *c, const linear_problem *problem, float *work,
                        dev_f32 *x, am_error *err)
{
    double along, curvature;
    mix(c, c->residual, c->mixed[0]);
    mix(c, c->search, c->mixed[1]);
    problem->apply(problem->context, c->probes, c->mixed[1], c->mixed[2]);
    AM_TRY(inner(c, c->probes, c->mixed[0], c->mixed[1], work, &along, err));
    AM_TRY(inner(c, c->probes, c->mixed[1], c->mixed[2], work, &curvature, err));
    add_multiple(c, ratio(along, curvature), c->search, x);
    return AM_OK;
}

/* One step but the last: x += αp, r −= αAp, p ← M⁻¹r + βp. rz is Σ_k ⟨r_k, M⁻¹r_k⟩. */
static am_status iterate(conjugate_gradients *c, const linear_problem *problem, double *rz,
                         float *work, dev_f32 *x, am_error *err)
{
    double curvature, before = *rz;
    problem->apply(problem->context, c->vectors, c->search, c->product);
    AM_TRY(inner(c, c->vectors, c->search, c->product, work, &curvature, err));
    double alpha = ratio(before, curvature);
    add_multiple(c, alpha, c->search, x);
    add_multiple(c, -alpha, c->product, c->residual);
    problem->precondition(problem->context, c->vectors, c->residual, c->solved);
    AM_TRY(inner(c, c->vectors, c->residual, c->solved, work, rz, err));
    add_multiple(c, ratio(*rz, before), c->search, c->solved);
    dev_f32 *p = c->search;
    c->search = c->solved;
    c->solved = p;
    return AM_OK;
}

am_status conjugate_gradients_solve(conjugate_gradients *c, const linear_problem *problem,
                                    int iterations, dev_f32 *x, am_error *err)
{
    double rz = 0.0;
    float *work = am_alloc((size_t)c->vectors, sizeof *work, "inner products", err);
    if (work == NULL)
        return AM_ERR_MEMORY;
    problem->precondition(problem->context, c->vectors, c->residual, c->search);
    am_status status = AM_OK;
    if (iterations > 1)
        status = inner(c, c->vectors, c->residual, c->search, work, &rz, err);
    for (int i = 1; i < iterations && status == AM_OK; i++)
        status = iterate(c, problem, &rz, work, x, err);
    if (status == AM_OK)
        status = finish(c, problem, work, x, err);
    free(work);
    return status;
}
