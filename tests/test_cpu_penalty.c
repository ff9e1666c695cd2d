/* l2_penalty and gram_penalty. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>

/* θ_1 = (1 2 | 3 4 5), θ_2 = (0 1 | 0 −1 2); λ = (10, 1) and (1, ½).
 *   losses: 10·5 + 1·50 = 100;  1·1 + ½·5 = 3.5
 *   dθ += ½·2λθ = (10 20 3 4 5), (0 1 0 −½ 1). Rows lie 6 and 7 apart. */
Test(cpu_penalty, l2_worked_by_hand)
{
    device d = device_open();
    const float theta[12] = {1, 2, 3, 4, 5, -9, 0, 1, 0, -1, 2, -9};
    float before[14];
    for (int i = 0; i < 14; i++)
        before[i] = 100;
    l2_penalty_args a = {.models = 2,
                         .groups = {.count = 2, .begin = {0, 2, 5}},
                         .grad_scale = 0.5,
                         .lambda = device_floats(&d, 4, (float[]){10, 1, 1, 0.5F}),
                         .theta = device_floats(&d, 12, theta),
                         .theta_stride = 6,
                         .dtheta = device_floats(&d, 14, before),
                         .dtheta_stride = 7,
                         .loss = device_doubles(&d, 2, (double[]){1000, 2000})};
    d.op->l2_penalty(d.be, &a);
    const float want[14] = {110, 120, 103, 104, 105, 100, 100, 100, 101, 100, 99.5F, 101, 100, 100};
    expect_floats(&d, a.dtheta, 14, want, 0.0);
    expect_doubles(&d, a.loss, 2, (double[]){1100, 2003.5}, 0.0);

    a.loss = NULL; /* gradient alone, then value alone */
    d.op->l2_penalty(d.be, &a);
    expect_floats(&d, a.dtheta, 1, (float[]){120}, 0.0);
    dev_f32 *unchanged = a.dtheta;
    a.dtheta = NULL;
    a.loss = device_doubles(&d, 2, NULL);
    d.op->l2_penalty(d.be, &a);
    expect_doubles(&d, a.loss, 2, (double[]){100, 3.5}, 0.0);
    expect_floats(&d, unchanged, 1, (float[]){120}, 0.0);
    device_close(&d);
}

/* One λ per group; a group may be empty. */
Test(cpu_penalty, l2_with_an_empty_group)
{
    device d = device_open();
    l2_penalty_args a = {.models = 1,
                         .groups = {.count = 3, .begin = {0, 2, 2, 3}},
                         .grad_scale = 1,
                         .lambda = device_floats(&d, 3, (float[]){1, 1000, 10}),
                         .theta = device_floats(&d, 3, (float[]){1, 2, 3}),
                         .theta_stride = 3,
                         .loss = device_doubles(&d, 1, NULL)};
    d.op->l2_penalty(d.be, &a);
    expect_doubles(&d, a.loss, 1, (double[]){95}, 0.0); /* 1·5 + 10·9 */
    device_close(&d);
}

/* The loss is quadratic, so a central difference of the definition is exact up to rounding. */
Test(cpu_penalty, l2_gradient_against_central_differences)
{
    enum { M = 3, P = 20011, G = 4 };
    device d = device_open();
    const int64_t begin[G + 1] = {0, 1, 258, 12345, P};
    const float *theta = random_floats(&d, M * P, 1), *direction = random_floats(&d, M * P, 2);
    const float *lambda = random_floats(&d, M * G, 3);
    l2_penalty_args a = {.models = M,
                         .groups = {.count = G},
                         .grad_scale = 0.25,
                         .lambda = device_floats(&d, M * G, lambda),
                         .theta = device_floats(&d, M * P, theta),
                         .theta_stride = P,
                         .dtheta = device_floats(&d, M * P, NULL),
                         .dtheta_stride = P,
                         .loss = device_doubles(&d, M, NULL)};
    for (int g = 0; g <= G; g++)
        a.groups.begin[g] = begin[g];
    d.op->l2_penalty(d.be, &a);
    const double *loss = read_doubles(&d, a.loss, M);
    const float *gradient = read_floats(&d, a.dtheta, M * P);
    const double *along = to_doubles(&d, direction, M * P);
    for (int m = 0; m < M; m++) {
        double value[3] = {0.0}; /* at −h, 0 and h */
        for (int g = 0; g < G; g++)
            for (int64_t i = begin[g]; i < begin[g + 1]; i++)
                for (int s = -1; s <= 1; s++) {
                    double t = (double)theta[m * P + i] + 1e-3 * s * along[m * P + i];
                    value[s + 1] += (double)lambda[m * G + g] * t * t;
                }
        double slope = 0.25 * (value[2] - value[0]) / 2e-3;
        cr_assert_float_eq(loss[m], value[1], 1e-12 * fabs(value[1]) + 1e-12);
        cr_assert_float_eq(dot(gradient + m * P, along + m * P, P), slope, 1e-6 * P / 100);
    }
    device_close(&d);
}

/* R = 2, M = 1: c = (1, 2), gram = [3 1; 1 2], λ = 5, grad_scale = ½.
 *   S = 5·[1 2; 2 4];  gram·c = (5, 5);  loss = 5·(5 + 10) = 75;  dc += 5·(5, 5) */
Test(cpu_penalty, gram_worked_by_hand)
{
    device d = device_open();
    gram_penalty_args a = {.models = 1,
                           .features = 2,
                           .grad_scale = 0.5,
                           .c = device_floats(&d, 2, (float[]){1, 2}),
                           .lambda = device_floats(&d, 1, (float[]){5}),
                           .gram = device_floats(&d, 4, (float[]){3, 1, 1, 2}),
                           .s = device_floats(&d, 4, (float[]){9, 9, 9, 9}),
                           .dc = device_floats(&d, 2, (float[]){1000, 2000}),
                           .loss = device_doubles(&d, 1, (double[]){1})};
    d.op->gram_penalty(d.be, &a);
    expect_floats(&d, a.s, 4, (float[]){5, 10, 10, 20}, 0.0);
    expect_floats(&d, a.dc, 2, (float[]){1025, 2025}, 0.0);
    expect_doubles(&d, a.loss, 1, (double[]){76}, 0.0);
    device_close(&d);
}

/* One group of θ = c·Θ: the Gram form gives the same loss, S·Θ = cᵀ·dθ and dc = dθ·Θᵀ. λ of the
 * group sits in a matrix of three groups (stride 3). */
Test(cpu_penalty, gram_equals_l2_on_the_materialised_parameters)
{
    enum { M = 9, R = 33, P = 2570, G = 3 };
    device d = device_open();
    const float *c = random_floats(&d, M * R, 1), *head = random_floats(&d, R * P, 2);
    const float *lambda = random_floats(&d, M * G, 3);
    float *own_lambda = host_floats(&d, M);
    for (int m = 0; m < M; m++)
        own_lambda[m] = lambda[m * G + 1];
    dev_f32 *c_dev = device_floats(&d, M * R, c), *head_dev = device_floats(&d, R * P, head);
    dev_f32 *theta = device_floats(&d, M * P, NULL), *gram = device_floats(&d, R * R, NULL);
    matmul_args product = {.batch = 1, .m = M, .n = P, .k = R, .alpha = 1, .a = c_dev, .lda = R};
    product.b = head_dev, product.ldb = P, product.c = theta, product.ldc = P;
    d.op->matmul(d.be, &product);
    matmul_args outer = {.batch = 1, .transpose_b = true, .m = R, .n = R, .k = P, .alpha = 1};
    outer.a = head_dev, outer.lda = P, outer.b = head_dev, outer.ldb = P;
    outer.c = gram, outer.ldc = R;
    d.op->matmul(d.be, &outer);

    l2_penalty_args direct = {.models = M,
                              .groups = {.count = 1, .begin = {0, P}},
                              .grad_scale = 0.125,
                              .lambda = device_floats(&d, M, own_lambda),
                              .theta = theta,
                              .theta_stride = P,
                              .dtheta = device_floats(&d, M * P, NULL),
                              .dtheta_stride = P,
                              .loss = device_doubles(&d, M, NULL)};
    d.op->l2_penalty(d.be, &direct);
    gram_penalty_args a = {.models = M,
                           .features = R,
                           .grad_scale = 0.125,
                           .c = c_dev,
                           .lambda = f32_at(device_floats(&d, M * G, lambda), 1),
                           .lambda_stride = G,
                           .gram = gram,
                           .s = device_floats(&d, R * R, NULL),
                           .dc = device_floats(&d, M * R, NULL),
                           .loss = device_doubles(&d, M, NULL)};
    d.op->gram_penalty(d.be, &a);

    const double *want_loss = read_doubles(&d, direct.loss, M);
    const double *loss = read_doubles(&d, a.loss, M);
    for (int m = 0; m < M; m++)
        cr_assert_float_eq(loss[m], want_loss[m], 1e-6 * fabs(want_loss[m]));
    const float *dtheta = read_floats(&d, direct.dtheta, M * P);
    const float *s = read_floats(&d, a.s, R * R);
    float *s_head = host_floats(&d, R * P);
    double *want_s_head = host_doubles(&d, R * P), *want_dc = host_doubles(&d, M * R);
    for (int k = 0; k < R; k++)
        for (int i = 0; i < P; i++) {
            double sum = 0.0;
            for (int j = 0; j < R; j++)
                sum += (double)s[k * R + j] * (double)head[j * P + i];
            s_head[k * P + i] = (float)sum;
            for (int m = 0; m < M; m++) {
                want_s_head[k * P + i] += (double)c[m * R + k] * (double)dtheta[m * P + i];
                want_dc[m * R + k] += (double)dtheta[m * P + i] * (double)head[k * P + i];
            }
        }
    cr_assert_leq(normalised_error(s_head, want_s_head, R * P), 1e-6);
    expect_close(&d, a.dc, M * R, want_dc, 1e-6);
    device_close(&d);
}
