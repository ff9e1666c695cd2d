/* network and objective: hand-worked values, many models side by side, one layer at a time. */
#include "model/objective.h"
#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static target target_of(const char *text, activation act, loss_kind loss)
{
    target t;
    am_error err = {0};
    cr_assert_eq(target_parse(text, act, loss, &t, &err), AM_OK, "%s", err.message);
    return t;
}

static network network_of(device *d, const target *t, int models, int rows, bool backward)
{
    network net;
    am_error err = {0};
    cr_assert_eq(network_open(&net, d->be, t, models, rows, backward, &err), AM_OK, "%s",
                 err.message);
    return net;
}

static theta_view rows_of(dev_f32 *theta, const target *t)
{
    return (theta_view){.theta = theta, .stride = t->params};
}

/* 2-2-1, squared loss:
 *   x = (1, 2), W1 = (1 −1; ½ ½), b1 = (0, −1)   a = (−1, ½)   relu: y = (0, ½)
 *   W2 = (2, 4), b2 = ¼                           o = 9/4,  target 2,  ℓ = 1/16
 *   dO = ½   dW2 = (0, ¼)  db2 = ½   dy = (1, 2)  da = (0, 2)   dW1 = (0 0; 2 4)  db1 = (0, 2)
 * ‖θ‖² = 1+1+¼+¼+0+1+4+16+1/16 = 377/16 */
static const float small_theta[] = {1, -1, 0.5f, 0.5f, 0, -1, 2, 4, 0.25f};
static const float small_x[] = {1, 2};
static const float small_target[] = {2};

Test(network, a_small_network_by_hand)
{
    device d = device_open();
    target t = target_of("2-2-1", ACT_RELU, LOSS_SQUARED);
    network net = network_of(&d, &t, 1, 1, true);
    dev_f32 *theta = device_floats(&d, 9, small_theta), *gradient = device_floats(&d, 9, NULL);
    network_input in = {.x = device_floats(&d, 2, small_x), .sets = 1, .rows = 1, .models = 1};
    network_forward(&net, &in, rows_of(theta, &t), 0);
    expect_floats(&d, net.output[0], 2, (float[]){0, 0.5f}, 0);
    expect_floats(&d, network_logits(&net), 1, (float[]){2.25f}, 0);
    d.op->upload(d.be, network_dlogits(&net), (float[]){0.5f}, sizeof(float));
    network_backward(&net, &in, rows_of(theta, &t), rows_of(gradient, &t), 0, false);
    static const float want[] = {0, 0, 2, 4, 0, 2, 0, 0.25f, 0.5f};
    expect_floats(&d, gradient, 9, want, 0);
    network_close(&net);
    device_close(&d);
}

Test(network, the_objective_adds_data_and_penalty)
{
    device d = device_open();
    target t = target_of("2-2-1", ACT_RELU, LOSS_SQUARED);
    network net = network_of(&d, &t, 1, 1, true);
    dev_f32 *theta = device_floats(&d, 9, small_theta), *gradient = device_floats(&d, 9, NULL);
    dev_f64 *loss = device_doubles(&d, 1, (double[]){10.0});
    minibatch batch = {.models = 1,
                       .rows = 1,
                       .sets = 1,
                       .x = device_floats(&d, 2, small_x),
                       .target = device_floats(&d, 1, small_target),
                       .weight = device_floats(&d, 1, (float[]){3}),
                       .lambda = device_floats(&d, 1, (float[]){0.125f}),
                       .divisor = 1,
                       .grad_scale = 1};
    objective_gradient(&net, &batch, target_groups(&t, false), rows_of(theta, &t),
                       rows_of(gradient, &t), loss);
    /* added to what was there: 10 + 3/16 + 377/128;  3·(data gradient) + θ/4 */
    expect_doubles(&d, loss, 1, (double[]){10.0 + 0.1875 + 377.0 / 128.0}, 1e-12);
    static const float data[] = {0, 0, 2, 4, 0, 2, 0, 0.25f, 0.5f};
    float want[9];
    for (int i = 0; i < 9; i++)
        want[i] = 3 * data[i] + small_theta[i] / 4;
    expect_floats(&d, gradient, 9, want, 0);

    /* one λ per layer, and half of everything: the mean over two models would ask for that */
    batch.lambda = device_floats(&d, 2, (float[]){0.125f, 0.5f});
    batch.grad_scale = 0.5;
    objective_gradient(&net, &batch, target_groups(&t, true), rows_of(theta, &t),
                       rows_of(gradient, &t), loss);
    for (int i = 0; i < 9; i++)
        want[i] = 1.5f * data[i] + (i < 6 ? 0.125f : 0.5f) * small_theta[i];
    expect_floats(&d, gradient, 9, want, 0);
    network_close(&net);
    device_close(&d);
}

/* 1-2, cross-entropy, θ = (w1, w2, b1, b2) = (1, −1, 0, 0), x = 0 and ln 3/2:
 *   row 1: o = (0, 0)          ℓ(1) = ln 2     p = (½, ½)
 *   row 2: o = ±ln 3/2         ℓ(0) = ln 4/3   p = (¾, ¼)
 * weights 2 and 4, divisor 2:  L = ln 2 + 2 ln 4/3;  dO = (½, −½), (−½, ½) */
Test(network, weighted_cross_entropy_by_hand)
{
    device d = device_open();
    target t = target_of("1-2", ACT_TANH, LOSS_CROSS_ENTROPY);
    network net = network_of(&d, &t, 1, 2, true);
    float half = (float)(log(3.0) / 2.0);
    dev_f32 *theta = device_floats(&d, 4, (float[]){1, -1, 0, 0});
    dev_f32 *gradient = device_floats(&d, 4, NULL);
    dev_f64 *loss = device_doubles(&d, 1, NULL);
    minibatch batch = {.models = 1,
                       .rows = 2,
                       .sets = 1,
                       .x = device_floats(&d, 2, (float[]){0, half}),
                       .label = device_ints(&d, 2, (int32_t[]){1, 0}),
                       .weight = device_floats(&d, 2, (float[]){2, 4}),
                       .lambda = device_floats(&d, 1, (float[]){0}),
                       .divisor = 2,
                       .grad_scale = 1};
    objective_gradient(&net, &batch, target_groups(&t, false), rows_of(theta, &t),
                       rows_of(gradient, &t), loss);
    expect_doubles(&d, loss, 1, (double[]){log(2.0) + 2.0 * log(4.0 / 3.0)}, 1e-6);
    expect_floats(&d, gradient, 4, (float[]){-half / 2, half / 2, 0, 0}, 1e-6);
    network_close(&net);
    device_close(&d);
}

/* 1-1-1 with tanh: o = w2·tanh(w1 x + b1) + b2; dw1 = dO·w2·(1 − y²)·x. */
Test(network, tanh_by_hand)
{
    device d = device_open();
    target t = target_of("1-1-1", ACT_TANH, LOSS_SQUARED);
    network net = network_of(&d, &t, 1, 1, true);
    dev_f32 *theta = device_floats(&d, 4, (float[]){0.5f, 0.25f, 3, -1});
    dev_f32 *gradient = device_floats(&d, 4, NULL);
    network_input in = {.x = device_floats(&d, 1, (float[]){2}), .sets = 1, .rows = 1, .models = 1};
    double y = tanh(1.25);
    network_forward(&net, &in, rows_of(theta, &t), 0);
    expect_floats(&d, network_logits(&net), 1, (float[]){(float)(3.0 * y - 1.0)}, 1e-6);
    d.op->upload(d.be, network_dlogits(&net), (float[]){2}, sizeof(float));
    network_backward(&net, &in, rows_of(theta, &t), rows_of(gradient, &t), 0, false);
    float db1 = (float)(2.0 * 3.0 * (1.0 - y * y));
    expect_floats(&d, gradient, 4, (float[]){2 * db1, db1, (float)(2.0 * y), 2}, 1e-6);
    network_close(&net);
    device_close(&d);
}

/* ---- many models ----------------------------------------------------------------------------- */

typedef struct {
    device d;
    target t;
    dev_f32 *theta, *gradient;
    dev_f64 *loss;
    minibatch batch;
} scene;

enum { MODELS = 4, ROWS = 7 };

/* Four 5-6-4-3 networks with weights and λ of their own, on `sets` minibatches. */
static scene scene_open(int sets)
{
    scene s = {.d = device_open(), .t = target_of("5-6-4-3", ACT_TANH, LOSS_CROSS_ENTROPY)};
    int32_t label[MODELS * ROWS];
    float lambda[MODELS] = {0, 0.01f, 0.1f, 1}, *weight = random_floats(&s.d, MODELS * ROWS, 3);
    for (int i = 0; i < MODELS * ROWS; i++) {
        label[i] = i * 5 % 3;
        weight[i] += 1.5f;
    }
    s.theta = device_floats(&s.d, MODELS * s.t.params, random_floats(&s.d, MODELS * s.t.params, 1));
    s.gradient = device_floats(&s.d, MODELS * s.t.params, NULL);
    s.loss = device_doubles(&s.d, MODELS, NULL);
    s.batch = (minibatch){
        .models = MODELS,
        .rows = ROWS,
        .sets = sets,
        .x = device_floats(&s.d, sets * ROWS * 5, random_floats(&s.d, sets * ROWS * 5, 2)),
        .label = device_ints(&s.d, sets * ROWS, label),
        .weight = device_floats(&s.d, MODELS * ROWS, weight),
        .lambda = device_floats(&s.d, MODELS, lambda),
        .divisor = ROWS,
        .grad_scale = 1};
    return s;
}

/* Model m of the scene's batch alone. */
static minibatch only(const scene *s, int m)
{
    minibatch b = s->batch;
    int64_t set = m / (MODELS / b.sets);
    b.models = b.sets = 1;
    b.x = f32_at(b.x, set * ROWS * 5);
    b.label = i32_at(b.label, set * ROWS);
    b.weight = f32_at(b.weight, m * ROWS);
    b.lambda = f32_at(b.lambda, m);
    return b;
}

static void check_models_apart(int sets)
{
    scene s = scene_open(sets);
    int64_t params = s.t.params;
    penalty_groups groups = target_groups(&s.t, false);
    network net = network_of(&s.d, &s.t, MODELS + 2, ROWS + 3, true); /* larger than needed */
    objective_gradient(&net, &s.batch, groups, rows_of(s.theta, &s.t), rows_of(s.gradient, &s.t),
                       s.loss);
    float *together = read_floats(&s.d, s.gradient, MODELS * params);
    double *losses = read_doubles(&s.d, s.loss, MODELS);
    for (int m = 0; m < MODELS; m++) {
        minibatch one = only(&s, m);
        dev_f32 *gradient = device_floats(&s.d, params, NULL);
        dev_f64 *loss = device_doubles(&s.d, 1, NULL);
        objective_gradient(&net, &one, groups, rows_of(f32_at(s.theta, m * params), &s.t),
                           rows_of(gradient, &s.t), loss);
        float *alone = read_floats(&s.d, gradient, params);
        cr_expect_eq(memcmp(alone, together + m * params, sizeof(float) * (size_t)params), 0,
                     "model %d", m);
        cr_expect_eq(read_doubles(&s.d, loss, 1)[0], losses[m], "model %d", m);
        cr_expect_gt(losses[m], 0.0);
    }
    network_close(&net);
    device_close(&s.d);
}

Test(network, models_on_shared_rows_do_not_touch_each_other)
{
    check_models_apart(1);
}

Test(network, models_on_rows_of_their_own_do_not_touch_each_other)
{
    check_models_apart(MODELS);
}

Test(network, pairs_of_models_on_rows_of_their_own_do_not_touch_each_other)
{
    check_models_apart(2);
}

Test(network, one_theta_can_serve_all_models)
{
    scene s = scene_open(MODELS);
    network net = network_of(&s.d, &s.t, MODELS, ROWS, false);
    network_input in = {.x = s.batch.x, .sets = MODELS, .rows = ROWS, .models = MODELS};
    network_forward(&net, &in, (theta_view){s.theta, 0}, 0);
    float *shared = read_floats(&s.d, network_logits(&net), MODELS * ROWS * 3);
    for (int m = 0; m < MODELS; m++) {
        network_input one = {
            .x = f32_at(s.batch.x, m * ROWS * 5), .sets = 1, .rows = ROWS, .models = 1};
        network_forward(&net, &one, rows_of(s.theta, &s.t), 0);
        float *alone = read_floats(&s.d, network_logits(&net), ROWS * 3);
        cr_expect_eq(memcmp(alone, shared + m * ROWS * 3, sizeof(float) * ROWS * 3), 0);
    }
    network_close(&net);
    device_close(&s.d);
}

Test(network, layers_above_the_first_run_on_an_output_supplied_from_outside)
{
    scene s = scene_open(1);
    network net = network_of(&s.d, &s.t, MODELS, ROWS, true);
    network_input in = {.x = s.batch.x, .sets = 1, .rows = ROWS, .models = MODELS};
    theta_view theta = rows_of(s.theta, &s.t), gradient = rows_of(s.gradient, &s.t);
    size_t logits = sizeof(float) * MODELS * ROWS * 3;
    int64_t first = target_weight(&s.t, 1)->offset;
    network_forward(&net, &in, theta, 0);
    float *whole = read_floats(&s.d, network_logits(&net), MODELS * ROWS * 3);
    float *dlogits = random_floats(&s.d, MODELS * ROWS * 3, 9);
    s.d.op->upload(s.d.be, network_dlogits(&net), dlogits, logits);
    network_backward(&net, &in, theta, gradient, 0, false);
    float *all = read_floats(&s.d, s.gradient, MODELS * s.t.params);

    s.d.op->zero(s.d.be, network_logits(&net), logits);
    network_forward(&net, &in, theta, 1);
    cr_expect_eq(memcmp(read_floats(&s.d, network_logits(&net), MODELS * ROWS * 3), whole, logits),
                 0);
    s.d.op->zero(s.d.be, s.gradient, sizeof(float) * MODELS * (size_t)s.t.params);
    s.d.op->upload(s.d.be, network_dlogits(&net), dlogits, logits);
    network_backward(&net, &in, theta, gradient, 1, false);
    float *upper = read_floats(&s.d, s.gradient, MODELS * s.t.params);
    for (int64_t i = 0; i < MODELS * s.t.params; i++)
        cr_expect_eq(upper[i], i % s.t.params < first ? 0.0f : all[i]);
    network_close(&net);
    device_close(&s.d);
}

Test(network, accumulating_adds_the_gradient_of_a_second_pass)
{
    scene s = scene_open(1);
    network net = network_of(&s.d, &s.t, MODELS, ROWS, true);
    network_input in = {.x = s.batch.x, .sets = 1, .rows = ROWS, .models = MODELS};
    theta_view theta = rows_of(s.theta, &s.t), gradient = rows_of(s.gradient, &s.t);
    float *dlogits = random_floats(&s.d, MODELS * ROWS * 3, 9), *seen[2];
    network_forward(&net, &in, theta, 0);
    for (int pass = 0; pass < 2; pass++) {
        s.d.op->upload(s.d.be, network_dlogits(&net), dlogits, sizeof(float) * MODELS * ROWS * 3);
        network_backward(&net, &in, theta, gradient, 0, pass > 0);
        seen[pass] = read_floats(&s.d, s.gradient, MODELS * s.t.params);
    }
    for (int64_t i = 0; i < MODELS * s.t.params; i++)
        cr_expect_float_eq(seen[1][i], 2.0f * seen[0][i], 1e-6f * fabsf(seen[0][i]) + 1e-7f);
    network_close(&net);
    device_close(&s.d);
}
