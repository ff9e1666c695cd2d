/* slope, curvature, add_diagonal: hand-worked values and finite differences of the loss. */
#include "support/reference.h"

#include <criterion/criterion.h>
#include <math.h>

Test(cpu_curvature, slope_is_taken_from_the_shared_output)
{
    device d = device_open();
    slope_args a = {.vectors = 2,
                    .count = 3,
                    .act = ACT_TANH,
                    .y = device_floats(&d, 3, (float[]){0.5F, 0, -1}),
                    .t = device_floats(&d, 6, (float[]){1, 2, 3, -4, 5, -6})};
    d.op->slope(d.be, &a);
    expect_floats(&d, a.t, 6, (float[]){0.75F, 2, 0, -3, 5, 0}, 0.0);
    a.act = ACT_RELU;
    d.op->slope(d.be, &a);
    expect_floats(&d, a.t, 6, (float[]){0.75F, 0, 0, -3, 0, 0}, 0.0);
    a.act = ACT_NONE;
    d.op->slope(d.be, &a);
    expect_floats(&d, a.t, 6, (float[]){0.75F, 0, 0, -3, 0, 0}, 0.0);
    device_close(&d);
}

/* p = (¼, ¾): diag(p) − ppᵀ = (3/16)·[1 −1; −1 1]; times 2 on (1, 0) and (1, 1). */
Test(cpu_curvature, of_two_classes_by_hand)
{
    device d = device_open();
    curvature_args a = {.kind = LOSS_CROSS_ENTROPY,
                        .vectors = 2,
                        .rows = 1,
                        .outputs = 2,
                        .scale = 2,
                        .logits = device_floats(&d, 2, (float[]){0, (float)log(3.0)}),
                        .t = device_floats(&d, 4, (float[]){1, 0, 1, 1})};
    d.op->curvature(d.be, &a);
    expect_floats(&d, a.t, 4, (float[]){0.375F, -0.375F, 0, 0}, 1e-7);
    a.kind = LOSS_SQUARED;
    a.scale = 0.5;
    d.op->curvature(d.be, &a);
    expect_floats(&d, a.t, 4, (float[]){0.375F, -0.375F, 0, 0}, 1e-7);
    device_close(&d);
}

/* H·t against the difference of the loss's gradients at o ± εt, on many rows and classes. */
Test(cpu_curvature, is_the_slope_of_the_gradient_of_the_loss)
{
    enum { ROWS = 77, CLASSES = 7, VALUES = ROWS * CLASSES };
    device d = device_open();
    const float *o = random_floats(&d, VALUES, 3), *t = random_floats(&d, 3 * VALUES, 4);
    curvature_args a = {.kind = LOSS_CROSS_ENTROPY,
                        .vectors = 3,
                        .rows = ROWS,
                        .outputs = CLASSES,
                        .scale = 0.5,
                        .logits = device_floats(&d, VALUES, o),
                        .t = device_floats(&d, 3 * VALUES, t)};
    d.op->curvature(d.be, &a);
    const float *got = read_floats(&d, a.t, 3 * VALUES);
    const double step = 1e-4;
    for (int k = 0; k < 3; k++)
        for (int r = 0; r < ROWS; r++) {
            double p[2][CLASSES];
            for (int side = 0; side < 2; side++) {
                double sum = 0.0;
                for (int c = 0; c < CLASSES; c++) {
                    double shift = (side ? -step : step) * (double)t[(k * ROWS + r) * CLASSES + c];
                    sum += p[side][c] = exp((double)o[r * CLASSES + c] + shift);
                }
                for (int c = 0; c < CLASSES; c++)
                    p[side][c] /= sum;
            }
            for (int c = 0; c < CLASSES; c++) /* ∂ℓ/∂o = p − 1[c=y] */
                cr_expect_float_eq((double)got[(k * ROWS + r) * CLASSES + c],
                                   0.5 * (p[0][c] - p[1][c]) / (2 * step), 1e-6);
        }
    device_close(&d);
}

Test(cpu_curvature, diagonal_is_added_to_every_vector)
{
    device d = device_open();
    add_diagonal_args a = {.vectors = 2,
                           .count = 2,
                           .shift = 1,
                           .factor = 0.5,
                           .d = device_floats(&d, 2, (float[]){2, 4}),
                           .x = device_floats(&d, 4, (float[]){1, 2, -3, 0.5F}),
                           .y = device_floats(&d, 4, (float[]){10, 20, 30, 40})};
    d.op->add_diagonal(d.be, &a);
    expect_floats(&d, a.y, 4, (float[]){12, 26, 24, 41.5F}, 0.0);
    device_close(&d);
}
