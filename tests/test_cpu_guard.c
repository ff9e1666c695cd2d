/* guard: norms, clipping, and a halted run that stays halted. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>

static guard_args guard_of(device *d, int64_t rows, int64_t columns, const float *grad)
{
    return (guard_args){.rows = rows,
                        .columns = columns,
                        .grad = device_floats(d, rows * columns, grad),
                        .loss = device_doubles(d, 2, (double[]){1, 2}),
                        .losses = 2,
                        .step = device_counter(d, 41),
                        .guard = device_guard(d, (guard_state){0})};
}

static void expect_state(device *d, const dev_guard *guard, double norm, double factor,
                         uint64_t halted)
{
    guard_state state = read_guard(d, guard);
    cr_assert_float_eq(state.norm, norm, 1e-7 * norm, "norm %.9g, expected %.9g", state.norm, norm);
    cr_assert_float_eq(state.clip_factor, factor, 1e-7 * factor);
    cr_assert_eq(state.halted, halted);
}

Test(cpu_guard, norm_and_clip_factor)
{
    device d = device_open();
    guard_args a = guard_of(&d, 2, 2, (float[]){1, 2, 2, 4}); /* 1 + 4 + 4 + 16 = 25 */
    d.op->guard(d.be, &a);
    expect_state(&d, a.guard, 5, 1, 0);
    a.clip = 10;
    d.op->guard(d.be, &a);
    expect_state(&d, a.guard, 5, 1, 0);
    a.clip = 2;
    d.op->guard(d.be, &a);
    expect_state(&d, a.guard, 5, 0.4, 0);
    device_close(&d);
}

/* c = [1 0; 1 2], g = [3 0 1; 0 4 1]: cᵀg = [3 4 2; 0 8 2], squares 9 + 16 + 4 + 64 + 4 = 97.
 * One model: c = (3, 4), g = (2, 0, 1): 25·5. */
Test(cpu_guard, norm_of_an_outer_product)
{
    device d = device_open();
    guard_args a = guard_of(&d, 2, 3, (float[]){3, 0, 1, 0, 4, 1});
    a.c = device_floats(&d, 4, (float[]){1, 0, 1, 2});
    a.features = 2;
    d.op->guard(d.be, &a);
    expect_state(&d, a.guard, sqrt(97.0), 1, 0);
    a = guard_of(&d, 1, 3, (float[]){2, 0, 1});
    a.c = device_floats(&d, 2, (float[]){3, 4});
    a.features = 2;
    d.op->guard(d.be, &a);
    expect_state(&d, a.guard, sqrt(125.0), 1, 0);
    device_close(&d);
}

/* Against the products written out in double; 20011 columns are cut into several partial sums. */
Test(cpu_guard, norms_against_definition)
{
    const struct {
        int64_t rows, columns;
        int features; /* 0: the plain norm */
    } shape[] = {{3, 20011, 0}, {1, 4097, 0}, {16, 20011, 7}, {5, 257, 33}, {1, 9001, 31}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        device d = device_open();
        int64_t rows = shape[i].rows, columns = shape[i].columns, features = shape[i].features;
        const float *g = random_floats(&d, rows * columns, 1);
        const float *c = random_floats(&d, rows * features, 2);
        guard_args a = guard_of(&d, rows, columns, g);
        a.c = features > 0 ? device_floats(&d, rows * features, c) : NULL;
        a.features = (int)features;
        d.op->guard(d.be, &a);
        double square =
            features > 0 ? 0.0 : dot(g, to_doubles(&d, g, rows * columns), rows * columns);
        for (int64_t k = 0; k < features; k++)
            for (int64_t j = 0; j < columns; j++) {
                double sum = 0.0;
                for (int64_t m = 0; m < rows; m++)
                    sum += (double)c[m * features + k] * (double)g[m * columns + j];
                square += sum * sum;
            }
        double norm = read_guard(&d, a.guard).norm;
        cr_assert_float_eq(norm, sqrt(square), 1e-6 * sqrt(square), "shape %zu: %.9g, not %.9g", i,
                           norm, sqrt(square));
        device_close(&d);
    }
}

static const float bad[] = {NAN, INFINITY, -INFINITY};

Test(cpu_guard, gradient_that_is_not_finite_halts)
{
    for (int i = 0; i < 3; i++) {
        device d = device_open();
        guard_args a = guard_of(&d, 1, 3, (float[]){1, bad[i], 1});
        d.op->guard(d.be, &a);
        cr_assert_eq(read_guard(&d, a.guard).halted, 42); /* 1 + step */
        a = guard_of(&d, 2, 2, (float[]){1, 1, bad[i], 1});
        a.c = device_floats(&d, 2, (float[]){1, 1});
        a.features = 1;
        d.op->guard(d.be, &a);
        cr_assert_eq(read_guard(&d, a.guard).halted, 42);
        device_close(&d);
    }
}

Test(cpu_guard, loss_that_is_not_finite_halts)
{
    for (int i = 0; i < 3; i++) {
        device d = device_open();
        guard_args a = guard_of(&d, 1, 2, (float[]){3, 4});
        a.loss = device_doubles(&d, 2, (double[]){1, (double)bad[i]});
        d.op->guard(d.be, &a);
        cr_assert_eq(read_guard(&d, a.guard).halted, 42);
        a = guard_of(&d, 1, 2, (float[]){3, 4}); /* only the first `losses` count */
        a.loss = device_doubles(&d, 2, (double[]){1, (double)bad[i]});
        a.losses = 1;
        d.op->guard(d.be, &a);
        expect_state(&d, a.guard, 5, 1, 0);
        device_close(&d);
    }
}

Test(cpu_guard, halted_stays_halted)
{
    device d = device_open();
    guard_args a = guard_of(&d, 1, 2, (float[]){3, 4});
    a.guard = device_guard(&d, (guard_state){.norm = 7, .clip_factor = 0.5, .halted = 3});
    d.op->guard(d.be, &a);
    expect_state(&d, a.guard, 7, 0.5, 3);
    device_close(&d);
}
