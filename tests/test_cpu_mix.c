/* mix_forward and mix_backward. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>

/* c = [1 2; 1 −1], Z = [1 0 −2; 3 1 1]:
 *   Σ_k c_mk Z_k = [7 2 0; −2 −1 −3];  relu: [7 2 0; 0 0 0]
 * dA = [1 2 3; 4 5 6] → after relu' [1 2 0; 0 0 0];
 *   E = cᵀdA = [1 2 0; 2 4 0];  dc_1 = (1·1 + 2·0, 1·3 + 2·1) = (1, 5);  dc_2 = (0, 0) */
Test(cpu_mix, worked_by_hand)
{
    device d = device_open();
    dev_f32 *c = device_floats(&d, 4, (float[]){1, 2, 1, -1});
    dev_f32 *z = device_floats(&d, 6, (float[]){1, 0, -2, 3, 1, 1});
    dev_f32 *a = device_floats(&d, 6, NULL), *e = device_floats(&d, 6, NULL);
    dev_f32 *da = device_floats(&d, 6, (float[]){1, 2, 3, 4, 5, 6});
    dev_f32 *dc = device_floats(&d, 4, (float[]){10, 20, 30, 40});
    mix_forward_args forward = {2, 2, 3, ACT_NONE, c, z, a};
    d.op->mix_forward(d.be, &forward);
    expect_floats(&d, a, 6, (float[]){7, 2, 0, -2, -1, -3}, 0.0);
    forward.act = ACT_RELU;
    d.op->mix_forward(d.be, &forward);
    expect_floats(&d, a, 6, (float[]){7, 2, 0, 0, 0, 0}, 0.0);
    mix_backward_args backward = {2, 2, 3, ACT_RELU, c, z, a, da, e, dc};
    d.op->mix_backward(d.be, &backward);
    expect_floats(&d, da, 6, (float[]){1, 2, 0, 0, 0, 0}, 0.0);
    expect_floats(&d, e, 6, (float[]){1, 2, 0, 2, 4, 0}, 0.0);
    expect_floats(&d, dc, 4, (float[]){11, 25, 30, 40}, 0.0); /* added to */
    backward.dc = NULL;
    d.op->mix_backward(d.be, &backward);
    expect_floats(&d, e, 6, (float[]){1, 2, 0, 2, 4, 0}, 0.0);
    device_close(&d);
}

typedef struct {
    int models, features;
    int64_t count;
    activation act;
} mixture;

static const mixture mixtures[] = {{1, 1, 1, ACT_TANH},
                                   {31, 7, 257, ACT_TANH},
                                   {33, 31, 33, ACT_RELU},
                                   {16, 7, 8192, ACT_RELU},
                                   {3, 129, 8192, ACT_NONE}};
enum { MIXTURES = sizeof mixtures / sizeof *mixtures };

static void naive_forward(mixture s, const double *c, const double *z, double *a)
{
    for (int m = 0; m < s.models; m++)
        for (int64_t i = 0; i < s.count; i++) {
            double sum = 0.0;
            for (int k = 0; k < s.features; k++)
                sum += c[m * s.features + k] * z[k * s.count + i];
            a[m * s.count + i] = s.act == ACT_RELU   ? fmax(sum, 0.0)
                                 : s.act == ACT_TANH ? tanh(sum)
                                                     : sum;
        }
}

/* Σ V∘A at c and Z moved by h along a direction */
static double objective(device *d, mixture s, double h)
{
    int64_t cs = (int64_t)s.models * s.features, zs = s.features * s.count, as = s.models * s.count;
    double *c = to_doubles(d, random_floats(d, cs, 1), cs);
    double *z = to_doubles(d, random_floats(d, zs, 2), zs), *a = host_doubles(d, as);
    const float *to_c = random_floats(d, cs, 11), *to_z = random_floats(d, zs, 12);
    for (int64_t i = 0; i < cs; i++)
        c[i] += h * (double)to_c[i];
    for (int64_t i = 0; i < zs; i++)
        z[i] += h * (double)to_z[i];
    naive_forward(s, c, z, a);
    return dot(random_floats(d, as, 4), a, as);
}

Test(cpu_mix, forward_and_gradient_against_definition)
{
    for (int i = 0; i < MIXTURES; i++) {
        device d = device_open();
        mixture s = mixtures[i];
        int64_t cs = (int64_t)s.models * s.features, zs = s.features * s.count;
        int64_t as = s.models * s.count;
        const float *c = random_floats(&d, cs, 1), *z = random_floats(&d, zs, 2);
        mix_forward_args forward = {.models = s.models,
                                    .features = s.features,
                                    .count = s.count,
                                    .act = s.act,
                                    .c = device_floats(&d, cs, c),
                                    .z = device_floats(&d, zs, z),
                                    .a = device_floats(&d, as, NULL)};
        d.op->mix_forward(d.be, &forward);
        double *want = host_doubles(&d, as);
        naive_forward(s, to_doubles(&d, c, cs), to_doubles(&d, z, zs), want);
        expect_close(&d, forward.a, as, want, 1e-6);

        mix_backward_args backward = {.models = s.models,
                                      .features = s.features,
                                      .count = s.count,
                                      .act = s.act,
                                      .c = forward.c,
                                      .z = forward.z,
                                      .a = forward.a,
                                      .da = device_floats(&d, as, random_floats(&d, as, 4)),
                                      .e = device_floats(&d, zs, NULL),
                                      .dc = device_floats(&d, cs, NULL)};
        d.op->mix_backward(d.be, &backward);
        /* E is the gradient with respect to Z */
        double slope =
            dot(read_floats(&d, backward.dc, cs), to_doubles(&d, random_floats(&d, cs, 11), cs),
                cs) +
            dot(read_floats(&d, backward.e, zs), to_doubles(&d, random_floats(&d, zs, 12), zs), zs);
        double difference = (objective(&d, s, 1e-6) - objective(&d, s, -1e-6)) / 2e-6;
        cr_assert(fabs(slope - difference) <= 2e-5 * fabs(difference),
                  "mixture %d: %.9g, expected %.9g", i, slope, difference);
        device_close(&d);
    }
}
