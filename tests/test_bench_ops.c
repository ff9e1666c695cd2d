/* The benchmark's own parts: what an op moves and computes is counted by hand here, and its check
 * finds an op that is wrong. */
#include "measure.h"
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* C (2,3) = A (2,4)·B (4,3) with gaps behind C's rows */
static matmul_args small_product(device *d)
{
    matmul_args a = {.batch = 1, .m = 2, .n = 3, .k = 4, .alpha = 1, .lda = 4, .ldb = 3, .ldc = 5};
    a.a = device_floats(d, 8, random_floats(d, 8, 1));
    a.b = device_floats(d, 12, random_floats(d, 12, 2));
    a.c = device_floats(d, 10, random_floats(d, 10, 3));
    return a;
}

Test(bench_ops, counts_what_a_product_moves_and_computes)
{
    device d = device_open();
    op_call call = {.op = OP_matmul, .args.matmul = small_product(&d)};
    op_use use;
    op_describe(&call, &use);
    cr_expect_eq(use.count, 3);
    cr_expect_eq(use.flops, 2.0 * 2 * 3 * 4);
    cr_expect_eq(use.bytes, 4.0 * (8 + 12 + 6)); /* C is written, its gaps are not */
    cr_expect_eq(operand_span(&use.at[2]), 5 + 3);
    cr_expect_eq(operand_memory(&call, &use.at[0]), (void *)call.args.matmul.a);
    call.args.matmul.beta = 1; /* C is read as well */
    op_describe(&call, &use);
    cr_expect_eq(use.bytes, 4.0 * (8 + 12 + 12));
    device_close(&d);
}

Test(bench_ops, counts_shared_inputs_once)
{
    device d = device_open();
    linear_forward_args a = {.models = 3, .rows = 2, .in = 4, .out = 5, .ldx = 4, .ldy = 5};
    a.x = device_floats(&d, 8, NULL); /* x_stride 0: all models look at the same rows */
    a.weight = device_floats(&d, 60, NULL), a.weight_stride = 20;
    a.y = device_floats(&d, 30, NULL), a.y_stride = 10;
    op_call call = {.op = OP_linear_forward, .args.linear_forward = a};
    op_use use;
    op_describe(&call, &use);
    cr_expect_eq(use.bytes, 4.0 * (8 + 60 + 30));
    cr_expect_eq(use.flops, 2.0 * 3 * 2 * 4 * 5);
    device_close(&d);
}

Test(bench_ops, floor_is_the_slower_of_memory_and_arithmetic)
{
    op_use use = {.bytes = 100, .flops = 1000};
    cr_expect_float_eq(measure_floor(&use, &(ceilings){.bytes = 10, .flops = 1000}), 10, 1e-12);
    cr_expect_float_eq(measure_floor(&use, &(ceilings){.bytes = 1000, .flops = 10}), 100, 1e-12);
}

/* ---- the recorder ------------------------------------------------------------------------------ */

static void count_pause(void *context)
{
    ++*(int *)context;
}

typedef struct {
    device *d;
    matmul_args product;
} stepping;

static void issue_product(void *context)
{
    stepping *s = context;
    s->d->be->op->matmul(s->d->be, &s->product);
}

Test(bench_ops, recorder_sees_calls_and_leaves_results_alone)
{
    device d = device_open();
    recorder r;
    int pauses = 0;
    void *plan = NULL;
    stepping s = {&d, small_product(&d)};
    const backend_ops *real = d.be->op;
    recorder_attach(&r, d.be);
    r.pause = count_pause;
    r.context = &pauses;
    issue_product(&s); /* not on yet */
    r.on = true;
    issue_product(&s);
    d.be->op->repeat(d.be, issue_product, &s, 3, &plan);
    d.be->op->forget(d.be, &plan);
    cr_expect_geq(r.calls, 2);
    cr_expect_eq(r.call[0].op, OP_matmul);
    cr_expect_eq(memcmp(&r.call[0].args.matmul, &s.product, sizeof s.product), 0);
    cr_expect_eq(pauses, 3);
    recorder_detach(&r, d.be);
    recorder_clear(&r);
    cr_expect_eq(d.be->op, real);
    device_close(&d);
}

/* ---- the check --------------------------------------------------------------------------------- */

static double error_on(backend *be, backend *cpu, op_call *call)
{
    am_error err = {0};
    double error = NAN;
    cr_assert_eq(measure_error(be, cpu, call, &error, &err), AM_OK, "%s", err.message);
    return error;
}

static void wrong_product(backend *be, const matmul_args *a)
{
    (void)be, (void)a; /* C stays as it is */
}

Test(bench_ops, check_passes_a_right_op_and_finds_a_wrong_one)
{
    device d = device_open(), cpu = device_open_named("cpu", 1);
    op_call call = {.op = OP_matmul, .args.matmul = small_product(&d)};
    const backend_ops *real = d.be->op;
    backend_ops broken = *real;
    cr_expect_leq(error_on(d.be, cpu.be, &call), 1e-6);
    broken.matmul = wrong_product;
    float *other = random_floats(&d, 10, 7);
    d.op->upload(d.be, call.args.matmul.c, other, 10 * sizeof *other);
    d.be->op = &broken;
    cr_expect_gt(error_on(d.be, cpu.be, &call), 0.1);
    d.be->op = real;
    device_close(&cpu);
    device_close(&d);
}

Test(bench_ops, check_compares_draws_by_their_bits)
{
    device d = device_open(), cpu = device_open_named("cpu", 1);
    draw_rows_args a = {.seed = 3, .n = 100, .rows = 8, .sets = 2};
    a.step = device_counter(&d, 5);
    a.index = (dev_u32 *)device_ints(&d, 16, NULL);
    op_call call = {.op = OP_draw_rows, .args.draw_rows = a};
    cr_expect_eq(error_on(d.be, cpu.be, &call), 0);
    device_close(&cpu);
    device_close(&d);
}

Test(bench_ops, time_of_a_call_is_positive)
{
    device d = device_open();
    am_error err = {0};
    double seconds = -1;
    op_call call = {.op = OP_matmul, .args.matmul = small_product(&d)};
    cr_assert_eq(measure_seconds(d.be, &call, &seconds, &err), AM_OK, "%s", err.message);
    cr_expect_gt(seconds, 0);
    cr_expect_lt(seconds, 1);
    device_close(&d);
}
