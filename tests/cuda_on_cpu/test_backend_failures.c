/* Whichever CUDA call of a run fails, the run says so and gives everything back. */
#include "control.h"
#include "parity.h"

#include <criterion/criterion.h>
#include <string.h>

am_status am_cuda_backend_open(backend **be, int index, am_error *err);

/* cudaError_t */
enum { OUT_OF_MEMORY = 2, LAUNCH_FAILURE = 719, ILLEGAL_ADDRESS = 700, UNKNOWN = 999 };

typedef struct {
    backend *be;
    dev_u64 *step;
    dev_f32 *x; /* 16 */
} work;

/* λ (4,1) into x, x + 8 ← a product, step += 1 */
static void issue(void *context)
{
    work *w = context;
    draw_lambda_args a = {.kind = LAMBDA_STRATIFIED, .draws = 4, .groups = 1, .step = w->step};
    matmul_args m = {.batch = 1, .m = 2, .n = 2, .k = 2, .alpha = 1, .lda = 2, .ldb = 2, .ldc = 2};
    a.lambda = w->x, a.u = f32_at(w->x, 4);
    m.a = m.b = w->x, m.c = f32_at(w->x, 8);
    w->be->op->draw_lambda(w->be, &a);
    w->be->op->matmul(w->be, &m);
    w->be->op->advance(w->be, w->step);
}

/* Opens, runs four steps, recorded from the second on, reads x, closes. */
static am_status run(float *x, am_error *err)
{
    work w = {0};
    void *plan = NULL;
    AM_TRY(am_cuda_backend_open(&w.be, 0, err));
    const backend_ops *op = w.be->op;
    w.step = op->alloc(w.be, sizeof(uint64_t), "step");
    w.x = op->alloc(w.be, 16 * sizeof(float), "x");
    op->repeat(w.be, issue, &w, 4, &plan);
    am_status status = op->download(w.be, x, w.x, 16 * sizeof(float), err);
    op->forget(w.be, &plan);
    op->release(w.be, w.x);
    op->release(w.be, w.step);
    backend_close(w.be);
    return status;
}

static void expect_named(const am_error *err, int64_t n)
{
    const char *colon = strchr(err->message, ':');
    cr_expect_not_null(colon, "call %lld: \"%s\" names no op", (long long)n, err->message);
    cr_expect_neq(err->status, AM_OK);
}

/* Every call in turn. Only calls after the result has been read may fail without a word. */
static void fail_every_call(int error)
{
    float want[16], x[16];
    am_error err = {0};
    cuda_on_cpu_fail_call(0, 0);
    cr_assert_eq(run(want, &err), AM_OK, "%s", err.message);
    int64_t calls = cuda_on_cpu_calls(), failed = 0;
    cr_assert_gt(calls, 20);
    for (int64_t n = 1; n <= calls; n++) {
        err = (am_error){0};
        memset(x, 0, sizeof x);
        cuda_on_cpu_fail_call(n, error);
        am_status status = run(x, &err);
        cuda_on_cpu_forget_errors();
        if (status == AM_OK) {
            cr_expect_eq(memcmp(x, want, sizeof x), 0, "call %lld failed unnoticed", (long long)n);
        } else {
            failed++;
            expect_named(&err, n);
        }
        cr_assert_eq(cuda_on_cpu_alive(), 0, "after call %lld failed, %zu objects are alive",
                     (long long)n, cuda_on_cpu_alive());
    }
    cr_expect_gt(failed, calls / 2, "only %lld of %lld failures were told", (long long)failed,
                 (long long)calls);
}

Test(backend_failures, errors_of_calls)
{
    fail_every_call(UNKNOWN);
}

Test(backend_failures, lack_of_memory)
{
    fail_every_call(OUT_OF_MEMORY);
}

Test(backend_failures, errors_inside_kernels)
{
    fail_every_call(LAUNCH_FAILURE);
    fail_every_call(ILLEGAL_ADDRESS);
}
