/* matmul: hand-worked products, awkward shapes against triple loops in double, bits per thread. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/*  [1 2 3]   [ 7  8]   [ 58  64]
 *  [4 5 6] · [ 9 10] = [139 154]
 *            [11 12]                */
static const float a_rows[6] = {1, 2, 3, 4, 5, 6}, a_columns[6] = {1, 4, 2, 5, 3, 6};
static const float b_rows[6] = {7, 8, 9, 10, 11, 12}, b_columns[6] = {7, 9, 11, 8, 10, 12};

Test(cpu_matmul, product_worked_by_hand_in_every_orientation)
{
    device d = device_open();
    const float want[4] = {58, 64, 139, 154};
    for (int orientation = 0; orientation < 4; orientation++) {
        bool ta = orientation & 1, tb = orientation & 2;
        dev_f32 *c = device_floats(&d, 4, NULL);
        matmul_args args = {.batch = 1,
                            .transpose_a = ta,
                            .transpose_b = tb,
                            .m = 2,
                            .n = 2,
                            .k = 3,
                            .alpha = 1,
                            .a = device_floats(&d, 6, ta ? a_columns : a_rows),
                            .lda = ta ? 2 : 3,
                            .b = device_floats(&d, 6, tb ? b_columns : b_rows),
                            .ldb = tb ? 3 : 2,
                            .c = c,
                            .ldc = 2};
        d.op->matmul(d.be, &args);
        expect_floats(&d, c, 4, want, 0.0);
    }
    device_close(&d);
}

Test(cpu_matmul, alpha_and_beta)
{
    device d = device_open();
    dev_f32 *c = device_floats(&d, 4, (float[]){1, 10, 100, 1000});
    matmul_args args = {.batch = 1,
                        .m = 2,
                        .n = 2,
                        .k = 3,
                        .alpha = 2,
                        .beta = 3,
                        .a = device_floats(&d, 6, a_rows),
                        .lda = 3,
                        .b = device_floats(&d, 6, b_rows),
                        .ldb = 2,
                        .c = c,
                        .ldc = 2};
    d.op->matmul(d.be, &args);
    /* 2·58+3·1, 2·64+3·10, 2·139+3·100, 2·154+3·1000 */
    expect_floats(&d, c, 4, (float[]){119, 158, 578, 3308}, 0.0);
    device_close(&d);
}

/* What C held may be anything when beta is 0, for a short k and for one that is cut into spans. */
Test(cpu_matmul, beta_zero_does_not_read_c)
{
    device d = device_open();
    const int64_t depth[2] = {3, 9000};
    for (int i = 0; i < 2; i++) {
        float *ones = host_floats(&d, depth[i]);
        for (int64_t k = 0; k < depth[i]; k++)
            ones[k] = 1;
        dev_f32 *x = device_floats(&d, depth[i], ones), *c = device_floats(&d, 1, (float[]){NAN});
        matmul_args args = {.batch = 1,
                            .m = 1,
                            .n = 1,
                            .k = depth[i],
                            .alpha = 1,
                            .a = x,
                            .lda = depth[i],
                            .b = x,
                            .ldb = 1,
                            .c = c,
                            .ldc = 1};
        d.op->matmul(d.be, &args);
        expect_floats(&d, c, 1, (float[]){(float)depth[i]}, 0.0);
    }
    device_close(&d);
}

/* Two items share A (stride 0); B and C have wider rows than they use, and the gaps stay as they
 * were: C_0 = A·I = A's first two columns, C_1 = A·2I. */
Test(cpu_matmul, strides_and_leading_dimensions)
{
    device d = device_open();
    const float b[2 * 9] = {1, 0, 9, 0, 1, 9, 0, 0, 9, /* item 1 */ 2, 0, 9, 0, 2, 9, 0, 0, 9};
    float before[10];
    for (int i = 0; i < 10; i++)
        before[i] = -7;
    dev_f32 *c = device_floats(&d, 10, before);
    matmul_args args = {.batch = 2,
                        .m = 2,
                        .n = 2,
                        .k = 3,
                        .alpha = 1,
                        .a = device_floats(&d, 6, a_rows),
                        .lda = 3,
                        .b = device_floats(&d, 18, b),
                        .ldb = 3,
                        .b_stride = 9,
                        .c = c,
                        .ldc = 3,
                        .c_stride = 5};
    d.op->matmul(d.be, &args);
    expect_floats(&d, c, 10, (float[]){1, 2, -7, 4, 5, 2, 4, -7, 8, 10}, 0.0);
    device_close(&d);
}

/* ---- against triple loops -------------------------------------------------------------------- */

static double element(const float *x, int64_t ld, bool transpose, int64_t row, int64_t column)
{
    return (double)(transpose ? x[column * ld + row] : x[row * ld + column]);
}

/* C of one item by definition, in double */
static void naive(const matmul_args *s, const float *a, const float *b, const float *c0, double *c)
{
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < s->n; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k < s->k; k++)
                sum += element(a, s->lda, s->transpose_a, i, k) *
                       element(b, s->ldb, s->transpose_b, k, j);
            c[i * s->n + j] = (double)s->alpha * sum + (double)s->beta * (double)c0[i * s->n + j];
        }
}

/* Random data for the shape, run, and leave C on the device and the reference in *want. */
static dev_f32 *run_random(device *d, matmul_args s, double **want)
{
    s.lda = s.transpose_a ? s.m : s.k;
    s.ldb = s.transpose_b ? s.k : s.n;
    s.ldc = s.n;
    s.a_stride = s.m * s.k;
    s.b_stride = s.k * s.n;
    s.c_stride = s.m * s.n;
    const float *a = random_floats(d, s.batch * s.a_stride, 1);
    const float *b = random_floats(d, s.batch * s.b_stride, 2);
    const float *c0 = random_floats(d, s.batch * s.c_stride, 3);
    s.a = device_floats(d, s.batch * s.a_stride, a);
    s.b = device_floats(d, s.batch * s.b_stride, b);
    dev_f32 *c = device_floats(d, s.batch * s.c_stride, c0);
    s.c = c;
    d->op->matmul(d->be, &s);
    *want = host_doubles(d, s.batch * s.c_stride);
    for (int i = 0; i < s.batch; i++)
        naive(&s, a + i * s.a_stride, b + i * s.b_stride, c0 + i * s.c_stride,
              *want + i * s.c_stride);
    return c;
}

Test(cpu_matmul, awkward_shapes_against_triple_loops)
{
    const int64_t extent[4] = {1, 31, 33, 257};
    for (int shape = 0; shape < 64; shape++) {
        device d = device_open();
        matmul_args s = {.batch = 1 + shape % 3,
                         .transpose_a = shape % 2,
                         .transpose_b = shape / 2 % 2,
                         .m = extent[shape / 16],
                         .n = extent[shape / 4 % 4],
                         .k = extent[shape % 4],
                         .alpha = 1.5F,
                         .beta = shape % 5 == 0 ? 0.0F : 0.5F};
        double *want;
        dev_f32 *c = run_random(&d, s, &want);
        expect_close(&d, c, s.batch * s.m * s.n, want, 1e-6);
        device_close(&d);
    }
}

/* Gram matrices and gradients over many rows: k is long, C small or middling. */
Test(cpu_matmul, long_inner_dimension_against_triple_loops)
{
    const matmul_args shape[] = {
        {.batch = 1, .transpose_b = true, .m = 7, .n = 5, .k = 20011, .alpha = 1, .beta = 1},
        {.batch = 1, .transpose_b = true, .m = 1, .n = 1, .k = 8192, .alpha = 1},
        {.batch = 3, .transpose_a = true, .m = 10, .n = 33, .k = 8193, .alpha = 1, .beta = 1},
        {.batch = 1, .transpose_a = true, .m = 97, .n = 101, .k = 8195, .alpha = -1}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        device d = device_open();
        double *want;
        dev_f32 *c = run_random(&d, shape[i], &want);
        expect_close(&d, c, shape[i].batch * shape[i].m * shape[i].n, want, 1e-6);
        device_close(&d);
    }
}

/* One row on the left, and items large enough for tiles that are packed. */
Test(cpu_matmul, one_row_and_large_items_against_triple_loops)
{
    const matmul_args shape[] = {
        {.batch = 2, .m = 1, .n = 4099, .k = 37, .alpha = 1, .beta = 0.5F},
        {.batch = 1, .m = 1, .n = 1031, .k = 129, .alpha = 1},
        {.batch = 2, .transpose_b = true, .m = 1, .n = 31, .k = 5003, .alpha = 1, .beta = 1},
        {.batch = 1, .transpose_b = true, .m = 1, .n = 129, .k = 12289, .alpha = 1},
        {.batch = 1, .m = 129, .n = 521, .k = 131, .alpha = 1, .beta = 1},
        {.batch = 1, .transpose_a = true, .m = 521, .n = 129, .k = 131, .alpha = 1},
        {.batch = 2, .transpose_b = true, .m = 129, .n = 131, .k = 521, .alpha = 0.5F}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        device d = device_open();
        double *want;
        dev_f32 *c = run_random(&d, shape[i], &want);
        expect_close(&d, c, shape[i].batch * shape[i].m * shape[i].n, want, 1e-6);
        device_close(&d);
    }
}

Test(cpu_matmul, same_bits_for_any_number_of_threads)
{
    const matmul_args shape[] = {
        {.batch = 2, .m = 1, .n = 4099, .k = 37, .alpha = 1, .beta = 1},
        {.batch = 1, .transpose_b = true, .m = 1, .n = 33, .k = 5003, .alpha = 1},
        {.batch = 1, .m = 129, .n = 521, .k = 131, .alpha = 1, .beta = 1},
        {.batch = 5, .transpose_b = true, .m = 128, .n = 64, .k = 99, .alpha = 1, .beta = 1},
        {.batch = 1, .transpose_a = true, .m = 64, .n = 784, .k = 128, .alpha = 1},
        {.batch = 1, .transpose_b = true, .m = 9, .n = 9, .k = 50890, .alpha = 1}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        size_t count = (size_t)(shape[i].batch * shape[i].m * shape[i].n);
        device one = device_open_threads(1);
        double *unused;
        const float *want = read_floats(&one, run_random(&one, shape[i], &unused), (int64_t)count);
        for (int threads = 2; threads <= 3; threads++) {
            device d = device_open_threads(threads);
            const float *got = read_floats(&d, run_random(&d, shape[i], &unused), (int64_t)count);
            cr_assert_eq(memcmp(got, want, count * sizeof *got), 0, "%d threads", threads);
            device_close(&d);
        }
        device_close(&one);
    }
}
