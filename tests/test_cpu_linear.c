/* linear_forward and linear_backward. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* X = [1 2; 3 4; −1 0], W = [1 −1; 2 0; 0 1], b = (1, 0, −3):
 *   X·Wᵀ = [−1 2 2; −1 6 4; −1 −2 0],  + b = [0 2 −1; 0 6 1; 0 −2 −3] */
static const float x3[6] = {1, 2, 3, 4, -1, 0}, w3[6] = {1, -1, 2, 0, 0, 1}, b3[3] = {1, 0, -3};

static linear_forward_args forward_3x2x3(device *d, activation act)
{
    return (linear_forward_args){.models = 1,
                                 .rows = 3,
                                 .in = 2,
                                 .out = 3,
                                 .act = act,
                                 .x = device_floats(d, 6, x3),
                                 .ldx = 2,
                                 .weight = device_floats(d, 6, w3),
                                 .bias = device_floats(d, 3, b3),
                                 .y = device_floats(d, 9, NULL),
                                 .ldy = 3};
}

Test(cpu_linear, forward_worked_by_hand)
{
    device d = device_open();
    linear_forward_args a = forward_3x2x3(&d, ACT_NONE);
    d.op->linear_forward(d.be, &a);
    expect_floats(&d, a.y, 9, (float[]){0, 2, -1, 0, 6, 1, 0, -2, -3}, 0.0);
    a.act = ACT_RELU;
    d.op->linear_forward(d.be, &a);
    expect_floats(&d, a.y, 9, (float[]){0, 2, 0, 0, 6, 1, 0, 0, 0}, 0.0);
    a.act = ACT_TANH;
    d.op->linear_forward(d.be, &a);
    const float t1 = 0.7615942F, t2 = 0.9640276F, t3 = 0.9950548F, t6 = 0.9999877F;
    expect_floats(&d, a.y, 9, (float[]){0, t2, -t1, 0, t6, t1, 0, -t2, -t3}, 2e-7);
    a.act = ACT_NONE;
    a.bias = NULL;
    d.op->linear_forward(d.be, &a);
    expect_floats(&d, a.y, 9, (float[]){-1, 2, 2, -1, 6, 4, -1, -2, 0}, 0.0);
    device_close(&d);
}

/* dY = [1 0 2; 0 1 0; 1 1 −1] with relu outputs Y = [0 2 0; 0 6 1; 0 0 0]:
 *   dA = [0 0 0; 0 1 0; 0 0 0];  dW = dAᵀX = [0 0; 3 4; 0 0];  db = (0 1 0);
 *   dX = dA·W = [0 0; 2 0; 0 0] */
Test(cpu_linear, relu_backward_worked_by_hand)
{
    device d = device_open();
    dev_f32 *dy = device_floats(&d, 9, (float[]){1, 0, 2, 0, 1, 0, 1, 1, -1});
    linear_backward_args a = {.models = 1,
                              .rows = 3,
                              .in = 2,
                              .out = 3,
                              .act = ACT_RELU,
                              .x = device_floats(&d, 6, x3),
                              .ldx = 2,
                              .weight = device_floats(&d, 6, w3),
                              .y = device_floats(&d, 9, (float[]){0, 2, 0, 0, 6, 1, 0, 0, 0}),
                              .ldy = 3,
                              .dy = dy,
                              .dweight = device_floats(&d, 6, (float[]){9, 9, 9, 9, 9, 9}),
                              .dbias = device_floats(&d, 3, (float[]){9, 9, 9}),
                              .dx = device_floats(&d, 6, (float[]){9, 9, 9, 9, 9, 9}),
                              .lddx = 2};
    d.op->linear_backward(d.be, &a);
    expect_floats(&d, dy, 9, (float[]){0, 0, 0, 0, 1, 0, 0, 0, 0}, 0.0);
    expect_floats(&d, a.dweight, 6, (float[]){0, 0, 3, 4, 0, 0}, 0.0);
    expect_floats(&d, a.dbias, 3, (float[]){0, 1, 0}, 0.0);
    expect_floats(&d, a.dx, 6, (float[]){0, 0, 2, 0, 0, 0}, 0.0);
    device_close(&d);
}

/* One row, one input: y = tanh(…) = ½, dy = 4 → dA = 4·(1 − ¼) = 3; x = 2, w = 5 → dW = 6, dX = 15.
 */
Test(cpu_linear, tanh_backward_and_accumulation)
{
    device d = device_open();
    linear_backward_args a = {.models = 1,
                              .rows = 1,
                              .in = 1,
                              .out = 1,
                              .act = ACT_TANH,
                              .x = device_floats(&d, 1, (float[]){2}),
                              .ldx = 1,
                              .weight = device_floats(&d, 1, (float[]){5}),
                              .y = device_floats(&d, 1, (float[]){0.5F}),
                              .ldy = 1,
                              .dy = device_floats(&d, 1, (float[]){4}),
                              .accumulate = true,
                              .dweight = device_floats(&d, 1, (float[]){100}),
                              .dbias = device_floats(&d, 1, (float[]){200}),
                              .dx = device_floats(&d, 1, (float[]){300}),
                              .lddx = 1};
    d.op->linear_backward(d.be, &a);
    expect_floats(&d, a.dweight, 1, (float[]){106}, 0.0);
    expect_floats(&d, a.dbias, 1, (float[]){203}, 0.0);
    expect_floats(&d, a.dx, 1, (float[]){15}, 0.0); /* always overwritten */
    device_close(&d);
}

Test(cpu_linear, backward_of_inputs_alone)
{
    device d = device_open();
    linear_backward_args a = {.models = 1,
                              .rows = 1,
                              .in = 2,
                              .out = 2,
                              .x = device_floats(&d, 2, (float[]){1, 1}),
                              .ldx = 2,
                              .weight = device_floats(&d, 4, (float[]){1, 2, 3, 4}),
                              .ldy = 2,
                              .dy = device_floats(&d, 2, (float[]){10, 1}),
                              .dx = device_floats(&d, 2, NULL),
                              .lddx = 2};
    d.op->linear_backward(d.be, &a);
    expect_floats(&d, a.dx, 2, (float[]){13, 24}, 0.0); /* (10·1 + 1·3, 10·2 + 1·4) */
    device_close(&d);
}

/* ---- against loops in double ----------------------------------------------------------------- */

typedef struct {
    int models, rows, in, out;
    activation act;
    bool shared_x;
} layer;

static double activate(double a, activation act)
{
    return act == ACT_RELU ? fmax(a, 0.0) : act == ACT_TANH ? tanh(a) : a;
}

/* y (M,B,out) by definition */
static void naive_forward(layer s, const double *x, const double *w, const double *b, double *y)
{
    for (int m = 0; m < s.models; m++)
        for (int r = 0; r < s.rows; r++)
            for (int o = 0; o < s.out; o++) {
                double sum = b[m * s.out + o];
                for (int i = 0; i < s.in; i++)
                    sum += x[((s.shared_x ? 0 : m) * s.rows + r) * s.in + i] *
                           w[(m * s.out + o) * s.in + i];
                y[(m * s.rows + r) * s.out + o] = activate(sum, s.act);
            }
}

typedef struct {
    int64_t x, w, b, y; /* numbers of elements */
} sizes;

static sizes sizes_of(layer s)
{
    return (sizes){(int64_t)(s.shared_x ? 1 : s.models) * s.rows * s.in,
                   (int64_t)s.models * s.out * s.in, (int64_t)s.models * s.out,
                   (int64_t)s.models * s.rows * s.out};
}

/* What one test needs on the device, from fixed seeds. */
typedef struct {
    linear_forward_args forward;
    linear_backward_args backward;
} layer_ops;

static layer_ops random_layer(device *d, layer s)
{
    sizes n = sizes_of(s);
    layer_ops l;
    l.forward = (linear_forward_args){.models = s.models,
                                      .rows = s.rows,
                                      .in = s.in,
                                      .out = s.out,
                                      .act = s.act,
                                      .x = device_floats(d, n.x, random_floats(d, n.x, 1)),
                                      .ldx = s.in,
                                      .x_stride = s.shared_x ? 0 : (int64_t)s.rows * s.in,
                                      .weight = device_floats(d, n.w, random_floats(d, n.w, 2)),
                                      .weight_stride = (int64_t)s.out * s.in,
                                      .bias = device_floats(d, n.b, random_floats(d, n.b, 3)),
                                      .bias_stride = s.out,
                                      .y = device_floats(d, n.y, NULL),
                                      .ldy = s.out,
                                      .y_stride = (int64_t)s.rows * s.out};
    int64_t dx = (int64_t)s.models * s.rows * s.in;
    l.backward = (linear_backward_args){.models = s.models,
                                        .rows = s.rows,
                                        .in = s.in,
                                        .out = s.out,
                                        .act = s.act,
                                        .x = l.forward.x,
                                        .ldx = s.in,
                                        .x_stride = l.forward.x_stride,
                                        .weight = l.forward.weight,
                                        .weight_stride = l.forward.weight_stride,
                                        .y = l.forward.y,
                                        .ldy = s.out,
                                        .y_stride = l.forward.y_stride,
                                        .dy = device_floats(d, n.y, random_floats(d, n.y, 4)),
                                        .dweight = device_floats(d, n.w, NULL),
                                        .dweight_stride = l.forward.weight_stride,
                                        .dbias = device_floats(d, n.b, NULL),
                                        .dbias_stride = s.out,
                                        .dx = device_floats(d, dx, NULL),
                                        .lddx = s.in,
                                        .dx_stride = (int64_t)s.rows * s.in};
    return l;
}

static const layer layers[] = {{1, 1, 1, 1, ACT_TANH, false},     {2, 31, 33, 1, ACT_NONE, true},
                               {3, 33, 31, 10, ACT_TANH, false},  {2, 128, 784, 64, ACT_RELU, true},
                               {1, 257, 33, 257, ACT_RELU, true}, {4, 1, 257, 31, ACT_TANH, false}};
enum { LAYERS = sizeof layers / sizeof *layers };

Test(cpu_linear, forward_against_loops)
{
    for (int i = 0; i < LAYERS; i++) {
        device d = device_open();
        sizes n = sizes_of(layers[i]);
        layer_ops l = random_layer(&d, layers[i]);
        d.op->linear_forward(d.be, &l.forward);
        double *want = host_doubles(&d, n.y);
        naive_forward(layers[i], to_doubles(&d, random_floats(&d, n.x, 1), n.x),
                      to_doubles(&d, random_floats(&d, n.w, 2), n.w),
                      to_doubles(&d, random_floats(&d, n.b, 3), n.b), want);
        expect_close(&d, l.forward.y, n.y, want, 1e-6);
        device_close(&d);
    }
}

/* Σ V∘Y at inputs moved by h along a direction, all in double. */
static double objective(device *d, layer s, double h)
{
    sizes n = sizes_of(s);
    double *part[3], *y = host_doubles(d, n.y);
    const int64_t count[3] = {n.x, n.w, n.b};
    for (uint64_t p = 0; p < 3; p++) {
        part[p] = to_doubles(d, random_floats(d, count[p], p + 1), count[p]);
        const float *direction = random_floats(d, count[p], p + 11);
        for (int64_t i = 0; i < count[p]; i++)
            part[p][i] += h * (double)direction[i];
    }
    naive_forward(s, part[0], part[1], part[2], y);
    return dot(random_floats(d, n.y, 4), y, n.y);
}

/* Directional derivative along random dX, dW, db: ⟨gradient, direction⟩ against the central
 * difference of the definition. A shared x has the gradients of all models added up. */
Test(cpu_linear, gradient_against_central_differences)
{
    for (int i = 0; i < LAYERS; i++) {
        device d = device_open();
        layer s = layers[i];
        sizes n = sizes_of(s);
        layer_ops l = random_layer(&d, s);
        d.op->linear_forward(d.be, &l.forward);
        d.op->linear_backward(d.be, &l.backward);
        const float *dx = read_floats(&d, l.backward.dx, (int64_t)s.models * s.rows * s.in);
        const float *dw = read_floats(&d, l.backward.dweight, n.w);
        const float *db = read_floats(&d, l.backward.dbias, n.b);
        double slope = dot(dw, to_doubles(&d, random_floats(&d, n.w, 12), n.w), n.w) +
                       dot(db, to_doubles(&d, random_floats(&d, n.b, 13), n.b), n.b);
        const double *direction = to_doubles(&d, random_floats(&d, n.x, 11), n.x);
        for (int m = 0; m < s.models; m++)
            slope += dot(dx + (int64_t)m * s.rows * s.in,
                         direction + (s.shared_x ? 0 : (int64_t)m * s.rows * s.in),
                         (int64_t)s.rows * s.in);
        const double h = 1e-6;
        double want = (objective(&d, s, h) - objective(&d, s, -h)) / (2.0 * h);
        cr_assert(fabs(slope - want) <= 2e-5 * fabs(want), "layer %d: %.9g, expected %.9g", i,
                  slope, want);
        device_close(&d);
    }
}

/* Rows of y, dy and dx lie in wider arrays, as when two layers share one buffer; the gaps keep −7.
 */
Test(cpu_linear, leading_dimensions_leave_gaps_alone)
{
    device d = device_open();
    float gap[8];
    for (int i = 0; i < 8; i++)
        gap[i] = -7;
    const float x[4] = {1, -7, 2, -7}, dy[8] = {1, 0, -7, -7, 0, 1, -7, -7};
    dev_f32 *weight = device_floats(&d, 2, (float[]){3, 5}), *wide_x = device_floats(&d, 4, x);
    dev_f32 *y = device_floats(&d, 8, gap), *dx = device_floats(&d, 8, gap);
    linear_forward_args f = {.models = 1,
                             .rows = 2,
                             .in = 1,
                             .out = 2,
                             .act = ACT_RELU,
                             .x = wide_x,
                             .ldx = 2,
                             .weight = weight,
                             .y = y,
                             .ldy = 4};
    d.op->linear_forward(d.be, &f);
    expect_floats(&d, y, 8, (float[]){3, 5, -7, -7, 6, 10, -7, -7}, 0.0);
    linear_backward_args b = {.models = 1,
                              .rows = 2,
                              .in = 1,
                              .out = 2,
                              .act = ACT_RELU,
                              .x = wide_x,
                              .ldx = 2,
                              .weight = weight,
                              .y = y,
                              .ldy = 4,
                              .dy = device_floats(&d, 8, dy),
                              .dweight = device_floats(&d, 2, NULL),
                              .dbias = device_floats(&d, 2, NULL),
                              .dx = dx,
                              .lddx = 3};
    d.op->linear_backward(d.be, &b);
    expect_floats(&d, b.dweight, 2, (float[]){1, 2}, 0.0);
    expect_floats(&d, b.dbias, 2, (float[]){1, 1}, 0.0);
    expect_floats(&d, dx, 8, (float[]){3, -7, -7, 5, -7, -7, -7, -7}, 0.0);
    expect_floats(&d, b.dy, 8, dy, 0.0);
    device_close(&d);
}

/* A NaN must reach the loss, where the guard stops the run: no activation may swallow it. */
Test(cpu_linear, activations_pass_nan_on)
{
    const activation act[3] = {ACT_NONE, ACT_RELU, ACT_TANH};
    for (int i = 0; i < 3; i++) {
        device d = device_open();
        linear_forward_args a = {.models = 1,
                                 .rows = 1,
                                 .in = 1,
                                 .out = 1,
                                 .act = act[i],
                                 .x = device_floats(&d, 1, (float[]){NAN}),
                                 .ldx = 1,
                                 .weight = device_floats(&d, 1, (float[]){1}),
                                 .y = device_floats(&d, 1, NULL),
                                 .ldy = 1};
        d.op->linear_forward(d.be, &a);
        cr_assert(isnan(read_floats(&d, a.y, 1)[0]));
        device_close(&d);
    }
}

Test(cpu_linear, same_bits_for_any_number_of_threads)
{
    const layer s = {5, 128, 784, 64, ACT_TANH, true};
    sizes n = sizes_of(s);
    const float *want[3] = {NULL};
    device one = device_open_threads(1);
    for (int threads = 1; threads <= 3; threads++) {
        device other = {0}, *d = &one;
        if (threads > 1) {
            other = device_open_threads(threads);
            d = &other;
        }
        layer_ops l = random_layer(d, s);
        d->op->linear_forward(d->be, &l.forward);
        d->op->linear_backward(d->be, &l.backward);
        const float *got[3] = {read_floats(d, l.forward.y, n.y),
                               read_floats(d, l.backward.dweight, n.w),
                               read_floats(d, l.backward.dbias, n.b)};
        const int64_t count[3] = {n.y, n.w, n.b};
        for (int i = 0; i < 3; i++) {
            if (threads == 1)
                want[i] = got[i];
            cr_assert_eq(memcmp(got[i], want[i], (size_t)count[i] * sizeof(float)), 0,
                         "%d threads, output %d", threads, i);
        }
        if (threads > 1)
            device_close(&other);
    }
    device_close(&one);
}
