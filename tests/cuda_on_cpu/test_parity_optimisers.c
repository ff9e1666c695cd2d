/* Parity: guard, Adam in its three forms. */
#include "parity.h"

#include <criterion/criterion.h>
#include <math.h>

/* The guard of a step, for the rule of an optimiser. */
static adam_rule rule_of(device *d, const dev_guard *guard, int step)
{
    return (adam_rule){.rate = {.kind = SCHEDULE_COSINE, .peak = 0.01, .warmup = 5, .total = 100},
                       .beta1 = 0.9,
                       .beta2 = 0.99,
                       .epsilon = 1e-8,
                       .step = device_counter(d, (uint64_t)step),
                       .guard = guard};
}

/* rows, columns, R (0: no outer product), clipped */
static void guard_case(device *d, const int *s, outputs *out)
{
    guard_args a = {.rows = s[0],
                    .columns = s[1],
                    .grad = device_random(d, (int64_t)s[0] * s[1], 1),
                    .c = s[2] ? device_random(d, (int64_t)s[0] * s[2], 2) : NULL,
                    .features = s[2],
                    .loss = device_doubles(d, 3, (double[]){1, 2, 3}),
                    .losses = 3,
                    .clip = s[3] ? 0.5 : 0.0,
                    .step = device_counter(d, 9),
                    .guard = device_guard(d, (guard_state){0})};
    d->op->guard(d->be, &a);
    out_doubles(out, "norm and factor", (const dev_f64 *)a.guard, 2);
    out_bits(out, "halted", f64_at((const dev_f64 *)a.guard, 2), 2);
}

Test(parity, guard)
{
    static const int shapes[][4] = {{1, 1, 0, 1},    {31, 33, 0, 0},  {1, 50890, 0, 1},
                                    {10, 257, 7, 1}, {33, 31, 31, 0}, {3, 20011, 1, 1}};
    EXPECT_PARITY(guard_case, shapes);
}

/* rows, columns, step, rates of their own */
static void adam_case(device *d, const int *s, outputs *out)
{
    int64_t n = (int64_t)s[0] * s[1];
    dev_guard *guard = device_guard(d, (guard_state){.norm = 1, .clip_factor = 0.37});
    adam_args a = {.rule = rule_of(d, guard, s[2]),
                   .rows = s[0],
                   .columns = s[1],
                   .rate_scale = s[3] ? positive_floats(d, s[0], 1) : NULL,
                   .theta = device_random(d, n, 2),
                   .grad = device_random(d, n, 3),
                   .moment1 = device_random(d, n, 4),
                   .moment2 = positive_floats(d, n, 5)};
    d->op->adam(d->be, &a);
    out_floats(out, "theta", a.theta, n);
    out_floats(out, "moment1", a.moment1, n);
    out_floats(out, "moment2", a.moment2, n);
}

Test(parity, adam)
{
    static const int shapes[][4] = {
        {1, 1, 0, 0}, {31, 33, 3, 1}, {257, 31, 50, 1}, {2, 50890, 99, 0}};
    EXPECT_PARITY(adam_case, shapes);
}

/* M, R, P, step */
static void adam_outer_case(device *d, const int *s, outputs *out)
{
    int64_t n = (int64_t)s[1] * s[2];
    dev_guard *guard = device_guard(d, (guard_state){.norm = 1, .clip_factor = 1});
    adam_outer_args a = {.rule = rule_of(d, guard, s[3]),
                         .models = s[0],
                         .features = s[1],
                         .params = s[2],
                         .c = device_random(d, (int64_t)s[0] * s[1], 1),
                         .grad = device_random(d, (int64_t)s[0] * s[2], 2),
                         .theta = device_random(d, n, 3),
                         .moment1 = device_random(d, n, 4),
                         .moment2 = positive_floats(d, n, 5)};
    d->op->adam_outer(d->be, &a);
    out_floats(out, "theta", a.theta, n);
    out_floats(out, "moment1", a.moment1, n);
    out_floats(out, "moment2", a.moment2, n);
}

Test(parity, adam_outer)
{
    static const int shapes[][4] = {
        {1, 1, 1, 0}, {3, 7, 31, 1}, {33, 31, 257, 5}, {10, 129, 33, 9}, {257, 3, 1000, 2}};
    EXPECT_PARITY(adam_outer_case, shapes);
}

/* M, R, P, step, G, tilted, late */
static void collocation_case(device *d, const int *s, outputs *out)
{
    int64_t n = (int64_t)s[1] * s[2], models = s[0];
    dev_guard *guard = device_guard(d, (guard_state){.norm = 1, .clip_factor = 0.5});
    collocation_args a = {.rule = rule_of(d, guard, s[3]),
                          .models = s[0],
                          .features = s[1],
                          .params = s[2],
                          .groups = s[4],
                          .ridge = 1e-3,
                          .tilt = s[5] ? 0.7 : 0.0,
                          .axis = {log(1e-3), log(1e-1), s[6] > 0 ? 5e-4 : 0.0},
                          .late = s[6],
                          .boost = 3.0,
                          .u = device_random(d, models * s[4], 7),
                          .c = device_random(d, models * s[1], 1),
                          .grad = device_random(d, models * s[2], 2),
                          .theta = device_random(d, n, 3),
                          .moment1 = device_random(d, n, 4),
                          .moment2 = positive_floats(d, models * s[2], 5)};
    d->op->collocation(d->be, &a);
    out_floats(out, "theta", a.theta, n);
    out_floats(out, "moment1", a.moment1, n);
    out_floats(out, "moment2", a.moment2, models * s[2]);
}

Test(parity, collocation)
{
    static const int shapes[][7] = {{1, 1, 1, 0, 1, 0, 0},       {10, 7, 257, 5, 1, 1, 0},
                                    {31, 3, 33, 1, 2, 1, 3},     {64, 33, 31, 20, 16, 0, 5},
                                    {10, 7, 50890, 99, 1, 0, 0}, {6, 4, 1000, 9, 1, 1, 2}};
    EXPECT_PARITY(collocation_case, shapes);
}
