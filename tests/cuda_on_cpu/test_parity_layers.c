/* Parity: matrix products, layers, the factored layer, features. */
#include "parity.h"

#include <criterion/criterion.h>

/* batch, m, n, k, transpose A + 2·transpose B, padding of rows, beta ≠ 0, stride of B is 0 */
static void matmul_case(device *d, const int *s, outputs *out)
{
    bool ta = (s[4] & 1) != 0, tb = (s[4] & 2) != 0;
    int64_t lda = (ta ? s[1] : s[3]) + s[5], ldb = (tb ? s[3] : s[2]) + s[5], ldc = s[2] + s[5];
    int64_t a_size = lda * (ta ? s[3] : s[1]), b_size = ldb * (tb ? s[2] : s[3]);
    int64_t c_size = ldc * s[1];
    matmul_args a = {.batch = s[0],
                     .transpose_a = ta,
                     .transpose_b = tb,
                     .m = s[1],
                     .n = s[2],
                     .k = s[3],
                     .alpha = 0.7F,
                     .beta = s[6] ? -1.3F : 0.0F,
                     .a = device_random(d, a_size * s[0], 1),
                     .lda = lda,
                     .a_stride = a_size,
                     .b = device_random(d, b_size * s[0], 2),
                     .ldb = ldb,
                     .b_stride = s[7] ? 0 : b_size,
                     .c = device_random(d, c_size * s[0], 3),
                     .ldc = ldc,
                     .c_stride = c_size};
    d->op->matmul(d->be, &a);
    out_floats(out, "C", a.c, c_size * s[0]);
}

Test(parity, matmul)
{
    static const int shapes[][8] = {{1, 1, 1, 1, 0, 0, 0, 0},     {1, 31, 33, 257, 0, 3, 1, 0},
                                    {1, 33, 31, 257, 1, 0, 1, 0}, {1, 257, 33, 31, 2, 1, 0, 0},
                                    {1, 31, 257, 33, 3, 0, 1, 0}, {3, 33, 10, 31, 2, 0, 0, 1},
                                    {5, 1, 257, 33, 0, 1, 1, 0},  {1, 128, 64, 784, 2, 0, 0, 0},
                                    {1, 7, 7, 5000, 2, 0, 0, 0},  {1, 10, 7, 9001, 1, 0, 1, 0}};
    EXPECT_PARITY(matmul_case, shapes);
}

/* Shorter operands cost precision, and no more than they must. */
Test(parity, precisions_of_matrix_products)
{
    static const struct {
        const char *name;
        double least, most;
    } cases[] = {{"fp32", 0, 1e-6}, {"tf32", 1e-5, 1e-3}, {"bf16", 1e-4, 1e-2}};
    static const int shape[8] = {3, 33, 31, 257, 2, 0, 0, 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        device cpu = device_open_named("cpu", 1), other = device_open();
        outputs want = {0}, got = {0};
        am_error err = {0};
        if (other.op->set_precision(other.be, cases[i].name, &err) != AM_OK)
            cr_skip_test("%s", err.message);
        matmul_case(&cpu, shape, &want);
        matmul_case(&other, shape, &got);
        int64_t n = want.at[0].items;
        const float *c = read_floats(&other, got.at[0].memory, n);
        double error =
            normalised_error(c, to_doubles(&cpu, read_floats(&cpu, want.at[0].memory, n), n), n);
        cr_expect(error >= cases[i].least && error <= cases[i].most, "%s: normalised error %.3g",
                  cases[i].name, error);
        device_close(&cpu);
        device_close(&other);
    }
}

/* M, B, in, out, act, shared x, accumulate, no dx */
static void linear_case(device *d, const int *s, outputs *out)
{
    int64_t x = (int64_t)s[1] * s[2], w = (int64_t)s[3] * s[2], y = (int64_t)s[1] * s[3];
    int64_t models = s[0];
    linear_forward_args f = {.models = s[0],
                             .rows = s[1],
                             .in = s[2],
                             .out = s[3],
                             .act = (activation)s[4],
                             .x = device_random(d, x * models, 1),
                             .ldx = s[2],
                             .x_stride = s[5] ? 0 : x,
                             .weight = device_random(d, w * models, 2),
                             .bias = device_random(d, s[3] * models, 3),
                             .weight_stride = w,
                             .bias_stride = s[3],
                             .y = device_floats(d, y * models, NULL),
                             .ldy = s[3],
                             .y_stride = y};
    linear_backward_args b = {.models = s[0],
                              .rows = s[1],
                              .in = s[2],
                              .out = s[3],
                              .act = f.act,
                              .x = f.x,
                              .ldx = s[2],
                              .x_stride = f.x_stride,
                              .weight = f.weight,
                              .weight_stride = w,
                              .y = f.y,
                              .ldy = s[3],
                              .y_stride = y,
                              .dy = device_random(d, y * models, 4),
                              .accumulate = s[6] != 0,
                              .dweight = device_random(d, w * models, 5),
                              .dbias = device_random(d, s[3] * models, 6),
                              .dweight_stride = w,
                              .dbias_stride = s[3],
                              .dx = s[7] ? NULL : device_floats(d, x * models, NULL),
                              .lddx = s[2],
                              .dx_stride = x};
    d->op->linear_forward(d->be, &f);
    d->op->linear_backward(d->be, &b);
    out_floats(out, "Y", f.y, y * models);
    out_floats(out, "dA", b.dy, y * models);
    out_floats(out, "dW", b.dweight, w * models);
    out_floats(out, "db", b.dbias, s[3] * models);
    if (b.dx != NULL)
        out_floats(out, "dX", b.dx, x * models);
}

Test(parity, linear)
{
    static const int shapes[][8] = {
        {1, 1, 1, 1, ACT_NONE, 0, 0, 0},    {2, 31, 33, 1, ACT_TANH, 1, 0, 0},
        {3, 33, 31, 10, ACT_RELU, 0, 1, 0}, {1, 257, 33, 31, ACT_RELU, 0, 0, 0},
        {5, 1, 257, 33, ACT_TANH, 0, 1, 1}, {2, 128, 784, 64, ACT_RELU, 1, 0, 1},
        {33, 7, 5, 3, ACT_NONE, 1, 0, 0},   {1, 16, 2, 257, ACT_TANH, 0, 0, 0}};
    EXPECT_PARITY(linear_case, shapes);
}

/* M, R, count, act, with dc */
static void mix_case(device *d, const int *s, outputs *out)
{
    int64_t a_size = (int64_t)s[0] * s[2], z_size = (int64_t)s[1] * s[2], c_size = s[0] * s[1];
    mix_forward_args f = {.models = s[0],
                          .features = s[1],
                          .count = s[2],
                          .act = (activation)s[3],
                          .c = device_random(d, c_size, 1),
                          .z = device_random(d, z_size, 2),
                          .a = device_floats(d, a_size, NULL)};
    mix_backward_args b = {.models = s[0],
                           .features = s[1],
                           .count = s[2],
                           .act = f.act,
                           .c = f.c,
                           .z = f.z,
                           .a = f.a,
                           .da = device_random(d, a_size, 3),
                           .e = device_floats(d, z_size, NULL),
                           .dc = s[4] ? device_random(d, c_size, 4) : NULL};
    d->op->mix_forward(d->be, &f);
    d->op->mix_backward(d->be, &b);
    out_floats(out, "A", f.a, a_size);
    out_floats(out, "dA", b.da, a_size);
    out_floats(out, "E", b.e, z_size);
    if (b.dc != NULL)
        out_floats(out, "dc", b.dc, c_size);
}

Test(parity, mix)
{
    static const int shapes[][5] = {{1, 1, 1, ACT_NONE, 1},        {3, 7, 31, ACT_RELU, 1},
                                    {10, 7, 33 * 31, ACT_TANH, 0}, {33, 31, 257, ACT_RELU, 1},
                                    {64, 33, 1000, ACT_RELU, 1},   {1, 129, 64, ACT_TANH, 1}};
    EXPECT_PARITY(mix_case, shapes);
}

/* kind, M, G, terms, ω columns, I, nodes */
static void basis_case(device *d, const int *s, outputs *out)
{
    int features = 2 + s[3] + AM_MAX(s[6], 1) * s[4]; /* the last column belongs to somebody else */
    int64_t draws = s[1];
    basis_forward_args f = {.kind = (basis_kind)s[0],
                            .draws = s[1],
                            .groups = s[2],
                            .features = features,
                            .terms = s[3],
                            .degree = s[3] ? random_labels(d, (int64_t)s[3] * s[2], 7, 1) : NULL,
                            .omega_columns = s[4],
                            .omega_scale = 0.1F,
                            .nodes = s[6],
                            .node = {-1, -0.25, 0.5, 1},
                            .u = device_random(d, draws * s[2], 2),
                            .omega = s[4] ? positive_floats(d, draws * s[4], 3) : NULL,
                            .c = device_random(d, draws * features, 4),
                            .input_omega = s[5],
                            .centre = 1,
                            .omega_in = s[5] ? positive_floats(d, draws * s[5], 5) : NULL,
                            .input = device_floats(d, draws * (s[2] + s[5]), NULL)};
    basis_backward_args b = {.kind = f.kind,
                             .draws = s[1],
                             .groups = s[2],
                             .features = features,
                             .terms = s[3],
                             .degree = f.degree,
                             .u = f.u,
                             .dc = device_random(d, draws * features, 6),
                             .du = device_random(d, draws * s[2], 7)};
    d->op->basis_forward(d->be, &f);
    d->op->basis_backward(d->be, &b);
    out_floats(out, "c", f.c, draws * features);
    out_floats(out, "input", f.input, draws * (s[2] + s[5]));
    out_floats(out, "du", b.du, draws * s[2]);
}

Test(parity, basis)
{
    static const int shapes[][7] = {
        {BASIS_NONE, 1, 1, 0, 0, 0, 0},         {BASIS_CHEBYSHEV, 33, 1, 6, 0, 0, 0},
        {BASIS_CHEBYSHEV, 31, 3, 9, 33, 33, 0}, {BASIS_POLYNOMIAL, 257, 2, 5, 0, 16, 0},
        {BASIS_POLYNOMIAL, 1, 16, 31, 1, 1, 0}, {BASIS_NONE, 10, 2, 0, 257, 31, 0},
        {BASIS_CHEBYSHEV, 65, 1, 6, 16, 0, 4},  {BASIS_CHEBYSHEV, 7, 1, 3, 33, 0, 1}};
    EXPECT_PARITY(basis_case, shapes);
}

/* K, B, C or H, loss, act */
static void curvature_case(device *d, const int *s, outputs *out)
{
    int64_t one = (int64_t)s[1] * s[2], all = s[0] * one;
    curvature_args c = {.kind = (loss_kind)s[3],
                        .vectors = s[0],
                        .rows = s[1],
                        .outputs = s[2],
                        .scale = 0.3,
                        .logits = device_random(d, one, 1),
                        .t = device_random(d, all, 2)};
    slope_args slope = {.vectors = s[0],
                        .count = one,
                        .act = (activation)s[4],
                        .y = device_random(d, one, 3),
                        .t = device_random(d, all, 4)};
    add_diagonal_args diagonal = {.vectors = s[0],
                                  .count = one,
                                  .shift = 0.1,
                                  .factor = 0.7,
                                  .d = device_random(d, one, 5),
                                  .x = device_random(d, all, 6),
                                  .y = device_random(d, all, 7)};
    d->op->curvature(d->be, &c);
    d->op->slope(d->be, &slope);
    d->op->add_diagonal(d->be, &diagonal);
    out_floats(out, "Ht", c.t, all);
    out_floats(out, "act't", slope.t, all);
    out_floats(out, "y + dx", diagonal.y, all);
}

Test(parity, curvature)
{
    static const int shapes[][5] = {{1, 1, 1, LOSS_SQUARED, ACT_NONE},
                                    {3, 33, 10, LOSS_CROSS_ENTROPY, ACT_RELU},
                                    {16, 129, 10, LOSS_CROSS_ENTROPY, ACT_TANH},
                                    {2, 7, 257, LOSS_CROSS_ENTROPY, ACT_RELU},
                                    {5, 31, 3, LOSS_SQUARED, ACT_TANH}};
    EXPECT_PARITY(curvature_case, shapes);
}
