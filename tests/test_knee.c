/* The axis of λ with a knee: u is the normalised log(λ + λ₀), and everything that goes along it. */
#include "draw/draw.h"
#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>

/* On 1..3 with a knee of 1 λ + 1 goes from 2 to 4: the middle is √8. */
Test(knee, worked_by_hand)
{
    lambda_axis a = {log(2.0), log(4.0), 1.0};
    cr_expect_float_eq(axis_lambda(a, -1.0), 1.0, 1e-15);
    cr_expect_float_eq(axis_lambda(a, 0.0), sqrt(8.0) - 1.0, 1e-15);
    cr_expect_float_eq(axis_lambda(a, 1.0), 3.0, 2e-15);
    cr_expect_float_eq(axis_u(a, sqrt(8.0) - 1.0), 0.0, 1e-15);
    cr_expect_eq(axis_u(a, 0.5), -1.0);
    cr_expect_eq(axis_u(a, 3.5), 1.0);
    cr_expect_float_eq(axis_level(a, -1.0), -1.0, 1e-15);
    cr_expect_float_eq(axis_level(a, 0.0), 2.0 * log(sqrt(8.0) - 1.0) / log(3.0) - 1.0, 1e-15);
    cr_expect_float_eq(axis_level(a, 1.0), 1.0, 1e-15);
}

static lambda_axis axis_of(double low, double high, double knee)
{
    generator_spec spec = {.lambda_low = low, .lambda_high = high, .knee = knee};
    return generator_axis(&spec);
}

/* To the rounding that a λ far below the knee is left with; the level counts from the lowest. */
Test(knee, there_and_back)
{
    static const double knees[] = {0.0, 1e-6, 3e-4, 0.05, 10.0};
    for (int k = 0; k < 5; k++) {
        generator_spec spec = {.lambda_low = 1e-5, .lambda_high = 1e-1, .knee = knees[k]};
        lambda_axis a = generator_axis(&spec);
        for (int i = 0; i <= 40; i++) {
            double u = -1.0 + i / 20.0, lambda = axis_lambda(a, u);
            double rounding = 1e-15 * (1.0 + knees[k] / lambda), at_low = 1e-15 + 1e-10 * knees[k];
            cr_expect_float_eq(axis_u(a, lambda), u, 1e-13, "knee %g, u %g", knees[k], u);
            cr_expect_float_eq(generator_lambda(&spec, u), lambda, 10 * rounding * lambda);
            double level = log(lambda / 1e-5) / log(1e4) * 2.0 - 1.0;
            cr_expect_float_eq(axis_level(a, u), level, 10 * at_low);
            float normalised;
            generator_normalise(&spec, 1, &lambda, &normalised);
            cr_expect_float_eq(normalised, (float)u, 1e-7f);
        }
    }
}

/* Without one every number is what it was: the same bits. */
Test(knee, none_changes_no_bit)
{
    lambda_axis a = axis_of(1e-5, 1e-1, 0.0);
    cr_expect(a.low == log(1e-5) && a.high == log(1e-1));
    generator_spec spec = {.lambda_low = 1e-5, .lambda_high = 1e-1};
    for (int i = 0; i <= 100; i++) {
        double u = -1.0 + i / 50.0, lambda = lambda_of_u(u, log(1e-5), log(1e-1));
        cr_expect(axis_lambda(a, u) == lambda && axis_level(a, u) == u);
        cr_expect_eq(generator_axis_slope(&spec, lambda), 1.0);
    }
}

/* ∂u/∂v against differences along log λ. */
Test(knee, slope_agrees_with_differences)
{
    generator_spec spec = {.lambda_low = 1e-5, .lambda_high = 1e-1, .knee = 3e-4};
    lambda_axis a = generator_axis(&spec);
    double h = 1e-5, half = 0.5 * log(1e4); /* v = log λ/half + const */
    for (int i = 1; i < 20; i++) {
        double lambda = 1e-5 * pow(1e4, i / 20.0);
        double up = axis_u(a, lambda * exp(h * half)), down = axis_u(a, lambda * exp(-h * half));
        cr_expect_float_eq(generator_axis_slope(&spec, lambda), (up - down) / (2 * h), 1e-8);
    }
}

/* The ops: λ is that of u, and ω₀ moves both together. */
Test(knee, draws_lie_on_the_axis)
{
    enum { M = 8 };
    device d = device_open();
    lambda_axis a = axis_of(1e-5, 1e-1, 3e-4);
    draw_lambda_args draw = {.kind = LAMBDA_NODES,
                             .sets = 2,
                             .stretch = 1.1,
                             .seed = 5,
                             .draws = M,
                             .groups = 1,
                             .axis = {a},
                             .step = device_counter(&d, 3),
                             .lambda = device_floats(&d, M, NULL),
                             .u = device_floats(&d, M, NULL)};
    d.op->draw_lambda(d.be, &draw);
    float *u = read_floats(&d, draw.u, M), *lambda = read_floats(&d, draw.lambda, M);
    for (int m = 0; m < M; m++)
        cr_expect_float_eq(axis_u(a, (double)lambda[m]), (double)u[m], 1e-6);
    static const float omega0[M] = {0.5f, 2, 1e-9f, 1e9f, 1, 3, 0.1f, 0.9f};
    scale_lambda_args scale = {.draws = M,
                               .groups = 1,
                               .axis = {a},
                               .omega0 = device_floats(&d, M, omega0),
                               .lambda = draw.lambda,
                               .u = draw.u};
    d.op->scale_lambda(d.be, &scale);
    float *scaled = read_floats(&d, draw.lambda, M), *moved = read_floats(&d, draw.u, M);
    for (int m = 0; m < M; m++) {
        double want = (double)omega0[m] * (double)lambda[m];
        cr_expect_float_eq((double)scaled[m], want, 1e-7 * want);
        cr_expect_float_eq((double)moved[m], axis_u(a, want), 1e-7);
    }
    device_close(&d);
}
