/* Parity: draws, minibatches, the rows of the data; the same bits. */
#include "parity.h"

#include <criterion/criterion.h>
#include <math.h>

/* kind, M, G, sets, step, 2·10⁵·knee */
static void lambda_case(device *d, const int *s, outputs *out)
{
    int64_t n = (int64_t)s[1] * s[2];
    draw_lambda_args a = {.kind = (lambda_kind)s[0],
                          .sets = s[3],
                          .stretch = 1.1,
                          .seed = 0x123456789ABCDEF0u,
                          .draws = s[1],
                          .groups = s[2],
                          .step = device_counter(d, (uint64_t)s[4]),
                          .lambda = device_floats(d, n, NULL),
                          .u = device_floats(d, n, NULL)};
    scale_lambda_args scale = {.draws = s[1],
                               .groups = s[2],
                               .omega0 = positive_floats(d, s[1], 5),
                               .lambda = a.lambda,
                               .u = a.u};
    dev_f32 *first[2] = {device_floats(d, n, NULL), device_floats(d, n, NULL)};
    for (int g = 0; g < s[2]; g++)
        a.axis[g] = scale.axis[g] = (lambda_axis){log(1e-5) + g, log(1e-1) + 2 * g, 5e-6 * s[5]};
    d->op->draw_lambda(d->be, &a);
    d->op->copy(d->be, first[0], a.lambda, (size_t)n * sizeof(float));
    d->op->copy(d->be, first[1], a.u, (size_t)n * sizeof(float));
    d->op->scale_lambda(d->be, &scale);
    out_bits(out, "lambda", first[0], n);
    out_bits(out, "u", first[1], n);
    out_bits(out, "scaled lambda", a.lambda, n);
    out_bits(out, "scaled u", a.u, n);
}

Test(parity, lambda)
{
    static const int shapes[][6] = {
        {LAMBDA_STRATIFIED, 1, 1, 1, 0, 0},   {LAMBDA_STRATIFIED, 33, 2, 1, 7, 0},
        {LAMBDA_STRATIFIED, 257, 1, 1, 9, 1}, {LAMBDA_NODES, 1, 1, 1, 0, 1},
        {LAMBDA_NODES, 10, 1, 2, 3, 0},       {LAMBDA_NODES, 33, 16, 3, 100000, 1},
        {LAMBDA_NODES, 31, 2, 1, 1, 0}};
    EXPECT_PARITY(lambda_case, shapes);
}

/* kind, M, K, step, 100·α */
static void omega_case(device *d, const int *s, outputs *out)
{
    int64_t n = (int64_t)s[1] * s[2];
    draw_omega_args a = {.kind = (omega_kind)s[0],
                         .seed = 77,
                         .alpha = s[4] / 100.0,
                         .draws = s[1],
                         .blocks = s[2],
                         .step = device_counter(d, (uint64_t)s[3]),
                         .omega = device_floats(d, n, NULL),
                         .omega0 = device_floats(d, s[1], NULL)};
    d->op->draw_omega(d->be, &a);
    out_bits(out, "omega", a.omega, n);
    out_bits(out, "omega0", a.omega0, s[1]);
}

Test(parity, omega)
{
    static const int shapes[][5] = {
        {OMEGA_ONES, 3, 33, 0, 0},         {OMEGA_DIRICHLET, 1, 1, 0, 100},
        {OMEGA_DIRICHLET, 33, 16, 5, 100}, {OMEGA_DIRICHLET, 2, 257, 5, 100},
        {OMEGA_DIRICHLET, 2, 1000, 1, 50}, {OMEGA_DIRICHLET, 3, 31, 2, 300},
        {OMEGA_EXPONENTIAL, 31, 33, 9, 0}, {OMEGA_MULTINOMIAL, 1, 1, 0, 0},
        {OMEGA_MULTINOMIAL, 5, 257, 3, 0}, {OMEGA_MULTINOMIAL, 2, 1000, 3, 0},
        {OMEGA_FOLD, 33, 5, 12, 0},        {OMEGA_FOLD, 1, 2, 1, 0}};
    EXPECT_PARITY(omega_case, shapes);
}

/* n, B, S, step, shift */
static void rows_case(device *d, const int *s, outputs *out)
{
    int64_t count = (int64_t)s[2] * s[1];
    dev_u32 *index = (dev_u32 *)device_ints(d, count, (const int32_t *)host_floats(d, count));
    draw_rows_args a = {.seed = 3,
                        .n = s[0],
                        .rows = s[1],
                        .sets = s[2],
                        .shift = s[4],
                        .step = device_counter(d, (uint64_t)s[3]),
                        .index = index};
    d->op->draw_rows(d->be, &a);
    out_bits(out, "index", index, count);
}

Test(parity, rows)
{
    static const int shapes[][5] = {{1, 5, 1, 0, 0},
                                    {33, 31, 1, 4, -70},
                                    {257, 33, 3, 100, 0},
                                    {60000, 257, 2, 468, 11},
                                    {3, 257, 2, 1, -257}};
    EXPECT_PARITY(rows_case, shapes);
}

/* n rows of d inputs in bytes or floats, C classes or reals, K blocks */
static device_data random_data(device *d, int n, int inputs, bool bytes, int outputs_, int blocks)
{
    int64_t values = (int64_t)n * inputs;
    device_data data = {.n = n, .inputs = inputs, .outputs = outputs_, .scale = 1, .shift = 0};
    if (bytes) {
        data.bytes = (const dev_u8 *)random_labels(d, (values + 3) / 4, 1 << 24, 11);
        data.scale = 1.0F / 78.5F;
        data.shift = -0.4242F;
    } else {
        data.floats = device_random(d, values, 11);
    }
    data.label = random_labels(d, n, outputs_, 12);
    data.target = device_random(d, (int64_t)n * outputs_, 13);
    data.block = (const dev_u32 *)random_labels(d, n, blocks, 14);
    return data;
}

/* n, d, bytes, B, M, first (−1: by index), C, K */
static void gather_case(device *d, const int *s, outputs *out)
{
    int64_t rows = s[3], models = s[4];
    device_data data = random_data(d, s[0], s[1], s[2] != 0, s[6], s[7]);
    bool by_index = s[5] < 0;
    const dev_u32 *index = (const dev_u32 *)random_labels(d, rows * models, s[0], 15);
    gather_args a = {.data = &data,
                     .index = by_index ? index : NULL,
                     .first = by_index ? 0 : s[5],
                     .count = rows,
                     .x = device_floats(d, rows * s[1], NULL),
                     .label = random_labels(d, rows, 1, 0),
                     .target = device_floats(d, rows * s[6], NULL)};
    row_weights_args w = {.data = &data,
                          .index = a.index,
                          .first = a.first,
                          .models = s[4],
                          .rows = s[3],
                          .sets = by_index ? s[4] : 1,
                          .blocks = s[7],
                          .omega = positive_floats(d, models * s[7], 16),
                          .weight = device_floats(d, models * rows, NULL)};
    d->op->gather(d->be, &a);
    d->op->row_weights(d->be, &w);
    out_bits(out, "x", a.x, rows * s[1]);
    out_bits(out, "label", a.label, rows);
    out_bits(out, "target", a.target, rows * s[6]);
    out_bits(out, "weight", w.weight, models * rows);
}

Test(parity, gather_and_row_weights)
{
    static const int shapes[][8] = {{1, 1, 0, 1, 1, 0, 1, 1},       {40, 31, 1, 33, 3, -1, 10, 4},
                                    {40, 784, 1, 31, 2, -1, 10, 7}, {300, 33, 0, 257, 1, 20, 3, 16},
                                    {300, 32, 0, 257, 5, -1, 1, 2}, {64, 8, 1, 32, 33, 32, 31, 33}};
    EXPECT_PARITY(gather_case, shapes);
}

/* The generator itself against the other library's, on 4 096 counters of all bits. */
am_status am_cuda_check_philox(backend *be, unsigned *different, am_error *err);

Test(parity, philox_is_curands)
{
    device d = device_open_named("cuda-on-cpu", 1);
    unsigned different = 1;
    am_error err = {0};
    cr_assert_eq(am_cuda_check_philox(d.be, &different, &err), AM_OK, "%s", err.message);
    cr_expect_eq(different, 0);
    device_close(&d);
}
