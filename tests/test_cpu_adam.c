/* adam and adam_outer. */
#include "backend/schedule.h"
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* β₁ = ½, β₂ = ¾, lr = 0.1, ε = 0, at t = 0: bias corrections ½ and ¼. */
static adam_rule simple_rule(device *d, uint64_t step)
{
    return (adam_rule){.rate = {.kind = SCHEDULE_CONSTANT, .peak = 0.1},
                       .beta1 = 0.5,
                       .beta2 = 0.75,
                       .step = device_counter(d, step)};
}

/* t = 0, g = 2: m = 1, v = 1, m̂ = 2, v̂ = 4, θ = 10 − 0.1·2/2 = 9.9.
 * t = 1, g = 0: m = ½, v = ¾, m̂ = ½/¾ = 2/3, v̂ = ¾/(7/16) = 12/7, θ −= 0.1·(2/3)/√(12/7). */
Test(cpu_adam, two_steps_worked_by_hand)
{
    device d = device_open();
    dev_f32 *grad = device_floats(&d, 1, (float[]){2});
    adam_args a = {.rule = simple_rule(&d, 0),
                   .rows = 1,
                   .columns = 1,
                   .theta = device_floats(&d, 1, (float[]){10}),
                   .grad = grad,
                   .moment1 = device_floats(&d, 1, NULL),
                   .moment2 = device_floats(&d, 1, NULL)};
    d.op->adam(d.be, &a);
    expect_floats(&d, a.moment1, 1, (float[]){1}, 0.0);
    expect_floats(&d, a.moment2, 1, (float[]){1}, 0.0);
    expect_floats(&d, a.theta, 1, (float[]){9.9F}, 1e-6);
    d.op->zero(d.be, grad, sizeof(float));
    a.rule.step = device_counter(&d, 1);
    d.op->adam(d.be, &a);
    expect_floats(&d, a.moment1, 1, (float[]){0.5F}, 0.0);
    expect_floats(&d, a.moment2, 1, (float[]){0.75F}, 0.0);
    expect_floats(&d, a.theta, 1, (float[]){(float)(9.9 - 0.1 * (2.0 / 3.0) / sqrt(12.0 / 7.0))},
                  1e-6);
    device_close(&d);
}

/* ε = 2 doubles the denominator 2 of the first step: 0.1·2/4. Rows: rates 1, ½, 0. A clip factor of
 * ½ makes g = 1: m = ½, v = ¼, m̂ = 1, v̂ = 1, denominator 1 + 2. */
Test(cpu_adam, epsilon_rate_scale_and_clip_factor)
{
    device d = device_open();
    const float ones[3] = {1, 1, 1}, grad[3] = {2, 2, 2};
    adam_args a = {.rule = simple_rule(&d, 0),
                   .rows = 3,
                   .columns = 1,
                   .rate_scale = device_floats(&d, 3, (float[]){1, 0.5F, 0}),
                   .theta = device_floats(&d, 3, ones),
                   .grad = device_floats(&d, 3, grad),
                   .moment1 = device_floats(&d, 3, NULL),
                   .moment2 = device_floats(&d, 3, NULL)};
    a.rule.epsilon = 2;
    d.op->adam(d.be, &a);
    expect_floats(&d, a.theta, 3, (float[]){0.95F, 0.975F, 1}, 1e-7);
    a.rate_scale = NULL;
    a.theta = device_floats(&d, 3, ones);
    a.moment1 = device_floats(&d, 3, NULL);
    a.moment2 = device_floats(&d, 3, NULL);
    a.rule.guard = device_guard(&d, (guard_state){.clip_factor = 0.5});
    d.op->adam(d.be, &a);
    expect_floats(&d, a.moment1, 1, (float[]){0.5F}, 0.0);
    expect_floats(&d, a.moment2, 1, (float[]){0.25F}, 0.0);
    expect_floats(&d, a.theta, 1, (float[]){(float)(1.0 - 0.1 / 3.0)}, 1e-7);
    device_close(&d);
}

/* Three steps of a warm-up and cosine schedule in double, from the definition. */
Test(cpu_adam, steps_against_definition)
{
    const int64_t shape[][2] = {{1, 1}, {2, 31}, {3, 4099}, {1, 50890}};
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++) {
        device d = device_open();
        int64_t rows = shape[s][0], columns = shape[s][1], n = rows * columns;
        const float *start = random_floats(&d, n, 1), *scale = random_floats(&d, rows, 2);
        double *theta = to_doubles(&d, start, n), *m = host_doubles(&d, n),
               *v = host_doubles(&d, n);
        dev_u64 *step = device_counter(&d, 0);
        adam_args a = {.rule = {.rate = {SCHEDULE_COSINE, 3e-3, 2, 5},
                                .beta1 = 0.9,
                                .beta2 = 0.999,
                                .epsilon = 1e-8,
                                .step = step},
                       .rows = rows,
                       .columns = columns,
                       .rate_scale = device_floats(&d, rows, scale),
                       .theta = device_floats(&d, n, start),
                       .moment1 = device_floats(&d, n, NULL),
                       .moment2 = device_floats(&d, n, NULL)};
        for (int t = 0; t < 3; t++) {
            const float *g = random_floats(&d, n, 10 + (uint64_t)t);
            a.grad = device_floats(&d, n, g);
            d.op->adam(d.be, &a);
            d.op->advance(d.be, step);
            double rate = schedule_rate(a.rule.rate, (uint64_t)t);
            for (int64_t i = 0; i < n; i++) {
                m[i] = 0.9 * m[i] + 0.1 * (double)g[i];
                v[i] = 0.999 * v[i] + 0.001 * (double)g[i] * (double)g[i];
                theta[i] -= rate * (double)scale[i / columns] * (m[i] / (1.0 - pow(0.9, t + 1))) /
                            (sqrt(v[i] / (1.0 - pow(0.999, t + 1))) + 1e-8);
            }
        }
        expect_close(&d, a.moment1, n, m, 1e-6);
        expect_close(&d, a.moment2, n, v, 1e-6);
        expect_close(&d, a.theta, n, theta, 1e-6);
        device_close(&d);
    }
}

typedef struct {
    int models, features;
    int64_t params;
} outer_shape;

static const outer_shape outer_shapes[] = {
    {1, 1, 1}, {1, 129, 257}, {33, 7, 1031}, {16, 7, 50890}, {64, 31, 3001}};

/* The same steps with the gradient cᵀ·g written out and handed to adam. */
Test(cpu_adam, outer_equals_adam_on_the_written_out_gradient)
{
    for (size_t s = 0; s < sizeof outer_shapes / sizeof *outer_shapes; s++) {
        device d = device_open();
        int M = outer_shapes[s].models, R = outer_shapes[s].features;
        int64_t P = outer_shapes[s].params, n = R * P;
        const float *theta = random_floats(&d, n, 1);
        dev_f32 *c = device_floats(&d, (int64_t)M * R, random_floats(&d, (int64_t)M * R, 2));
        dev_f32 *g = device_floats(&d, M * P, random_floats(&d, M * P, 3));
        dev_f32 *written = device_floats(&d, n, NULL);
        matmul_args product = {.batch = 1,
                               .transpose_a = true,
                               .m = R,
                               .n = P,
                               .k = M,
                               .alpha = 1,
                               .a = c,
                               .lda = R,
                               .b = g,
                               .ldb = P,
                               .c = written,
                               .ldc = P};
        d.op->matmul(d.be, &product);
        dev_u64 *step = device_counter(&d, 0);
        adam_rule rule = {.rate = {SCHEDULE_CONSTANT, 3e-3, 10, 100},
                          .beta1 = 0.9,
                          .beta2 = 0.999,
                          .epsilon = 1e-3,
                          .step = step,
                          .guard = device_guard(&d, (guard_state){.clip_factor = 0.75})};
        adam_args want = {.rule = rule,
                          .rows = R,
                          .columns = P,
                          .theta = device_floats(&d, n, theta),
                          .grad = written,
                          .moment1 = device_floats(&d, n, NULL),
                          .moment2 = device_floats(&d, n, NULL)};
        adam_outer_args got = {.rule = rule,
                               .models = M,
                               .features = R,
                               .params = P,
                               .c = c,
                               .grad = g,
                               .theta = device_floats(&d, n, theta),
                               .moment1 = device_floats(&d, n, NULL),
                               .moment2 = device_floats(&d, n, NULL)};
        for (int t = 0; t < 3; t++) {
            d.op->adam(d.be, &want);
            d.op->adam_outer(d.be, &got);
            d.op->advance(d.be, step);
        }
        const dev_f32 *pair[3][2] = {
            {got.theta, want.theta}, {got.moment1, want.moment1}, {got.moment2, want.moment2}};
        for (int i = 0; i < 3; i++)
            expect_close(&d, pair[i][0], n, to_doubles(&d, read_floats(&d, pair[i][1], n), n),
                         1e-6);
        device_close(&d);
    }
}

Test(cpu_adam, halted_guard_freezes_everything)
{
    enum { R = 3, P = 40 };
    device d = device_open();
    const float *start[3] = {random_floats(&d, R * P, 1), random_floats(&d, R * P, 2),
                             random_floats(&d, R * P, 3)};
    dev_f32 *memory[3];
    for (int i = 0; i < 3; i++)
        memory[i] = device_floats(&d, R * P, start[i]);
    dev_f32 *grad = device_floats(&d, R * P, random_floats(&d, R * P, 4));
    adam_rule rule = simple_rule(&d, 9);
    rule.guard = device_guard(&d, (guard_state){.clip_factor = 1, .halted = 9});
    adam_args plain = {.rule = rule,
                       .rows = R,
                       .columns = P,
                       .theta = memory[0],
                       .grad = grad,
                       .moment1 = memory[1],
                       .moment2 = memory[2]};
    adam_outer_args outer = {.rule = rule,
                             .models = 2,
                             .features = R,
                             .params = P,
                             .c = grad,
                             .grad = grad,
                             .theta = memory[0],
                             .moment1 = memory[1],
                             .moment2 = memory[2]};
    d.op->adam(d.be, &plain);
    d.op->adam_outer(d.be, &outer);
    for (int i = 0; i < 3; i++)
        expect_floats(&d, memory[i], R * P, start[i], 0.0);
    device_close(&d);
}
