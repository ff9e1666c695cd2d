#include "response/conjugate_gradients.h"

#include <stdlib.h>

am_status conjugate_gradients_open(conjugate_gradients *c, backend *be, int vectors, int64_t count,
                                   am_error *err)
{
    *c = (conjugate_gradients){.be = be, .vectors = vectors, .count = count};
    size_t bytes = sizeof(float) * (size_t)vectors * (size_t)count;
    c->residual = be->op->alloc(be, bytes, "residuals");
    c->search = be->op->alloc(be, bytes, "search directions");
    c->product = be->op->alloc(be, bytes, "products");
    c->solved = be->op->alloc(be, bytes, "preconditioned residuals");
    c->dots = be->op->alloc(be, sizeof(float) * (size_t)vectors, "inner products");
    c->factors = be->op->alloc(be, sizeof(float) * (size_t)vectors, "step sizes");
    am_status status = be->op->sync(be, err);
    if (status != AM_OK)
        conjugate_gradients_close(c);
    return status;
}

void conjugate_gradients_close(conjugate_gradients *c)
{
    if (c->be == NULL)
        return;
    void *owned[] = {c->residual, c->search, c->product, c->solved, c->dots, c->factors};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        c->be->op->release(c->be, owned[i]);
    *c = (conjugate_gradients){0};
}

/* dot_k = ⟨a_k, b_k⟩ to the host. */
static am_status inner(const conjugate_gradients *c, const dev_f32 *a, const dev_f32 *b, float *dot,
                       am_error *err)
{
    matmul_args product = {.batch = c->vectors,
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
    return c->be->op->download(c->be, dot, c->dots, sizeof(float) * (size_t)c->vectors, err);
}

/* y_k ← y_k + factor_k·x_k */
static void add_multiples(const conjugate_gradients *c, const float *factor, const dev_f32 *x,
                          dev_f32 *y)
{
    c->be->op->upload(c->be, c->factors, factor, sizeof(float) * (size_t)c->vectors);
    matmul_args product = {.batch = c->vectors,
                           .m = 1,
                           .n = c->count,
                           .k = 1,
                           .alpha = 1,
                           .beta = 1,
                           .a = c->factors,
                           .lda = 1,
                           .a_stride = 1,
                           .b = x,
                           .ldb = c->count,
                           .b_stride = c->count,
                           .c = y,
                           .ldc = c->count,
                           .c_stride = c->count};
    c->be->op->matmul(c->be, &product);
}

/* a/b, and 0 for a right-hand side that is solved or 0 itself. */
static float ratio(float a, float b)
{
    return b > 0.0f ? a / b : 0.0f;
}

/* One step: x += αp, r −= αAp; and but for the last, p ← M⁻¹r + βp. rz (K) is ⟨r, M⁻¹r⟩. */
static am_status iterate(conjugate_gradients *c, const linear_problem *problem, bool last,
                         float *rz, float *work, dev_f32 *x, am_error *err)
{
    problem->apply(problem->context, c->search, c->product);
    AM_TRY(inner(c, c->search, c->product, work, err));
    for (int k = 0; k < c->vectors; k++)
        work[k] = ratio(rz[k], work[k]); /* α = ⟨r, M⁻¹r⟩/⟨p, Ap⟩ */
    add_multiples(c, work, c->search, x);
    if (last)
        return AM_OK;
    for (int k = 0; k < c->vectors; k++)
        work[k] = -work[k];
    add_multiples(c, work, c->product, c->residual);
    problem->precondition(problem->context, c->residual, c->solved);
    AM_TRY(inner(c, c->residual, c->solved, work, err));
    for (int k = 0; k < c->vectors; k++) {
        float before = rz[k];
        rz[k] = work[k];
        work[k] = ratio(rz[k], before); /* β */
    }
    add_multiples(c, work, c->search, c->solved); /* M⁻¹r + βp */
    dev_f32 *p = c->search;
    c->search = c->solved;
    c->solved = p;
    return AM_OK;
}

am_status conjugate_gradients_solve(conjugate_gradients *c, const linear_problem *problem,
                                    int iterations, dev_f32 *x, am_error *err)
{
    float *rz = am_alloc((size_t)c->vectors, sizeof *rz, "step sizes", err);
    float *work = am_alloc((size_t)c->vectors, sizeof *work, "step sizes", err);
    am_status status = rz && work ? AM_OK : AM_ERR_MEMORY;
    problem->precondition(problem->context, c->residual, c->search);
    if (status == AM_OK)
        status = inner(c, c->residual, c->search, rz, err);
    for (int i = 0; i < iterations && status == AM_OK; i++)
        status = iterate(c, problem, i + 1 == iterations, rz, work, x, err);
    free(rz);
    free(work);
    return status;
}
