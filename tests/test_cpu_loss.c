/* loss: weighted softmax cross-entropy and squared error, with gradients. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* Logits (0, ln 3) → p = (¼, ¾). Row 1: y = 1, w = 2; row 2: y = 0, w = ½.
 *   loss = (2·ln(4/3) + ½·ln 4)/4;   dO = (8/4)·w·(p − 1[y]): 4·(¼, −¼), 1·(−¾, ¾) */
Test(cpu_loss, cross_entropy_worked_by_hand)
{
    device d = device_open();
    const float ln3 = 1.0986123F, logits[4] = {0, ln3, 0, ln3};
    loss_args a = {.kind = LOSS_CROSS_ENTROPY,
                   .models = 1,
                   .rows = 2,
                   .outputs = 2,
                   .divisor = 4,
                   .grad_scale = 8,
                   .logits = device_floats(&d, 4, logits),
                   .label = device_ints(&d, 2, (int32_t[]){1, 0}),
                   .weight = device_floats(&d, 2, (float[]){2, 0.5F}),
                   .dlogits = device_floats(&d, 4, NULL),
                   .loss = device_doubles(&d, 1, (double[]){100})};
    d.op->loss(d.be, &a);
    double want = (2.0 * log(4.0 / 3.0) + 0.5 * log(4.0)) / 4.0;
    expect_doubles(&d, a.loss, 1, (double[]){100 + want}, 1e-7); /* added to */
    expect_floats(&d, a.dlogits, 4, (float[]){1, -1, -0.75F, 0.75F}, 3e-7);
    a.weight = NULL; /* = 1; and the value alone */
    a.dlogits = NULL;
    d.op->loss(d.be, &a);
    want += (log(4.0 / 3.0) + log(4.0)) / 4.0;
    expect_doubles(&d, a.loss, 1, (double[]){100 + want}, 1e-7);
    device_close(&d);
}

/* o = (1 2; 0 −1), y = (0 0; 1 1): ℓ = 1 + 4 = 5 and 1 + 4 = 5; w = (1, 3): loss = (5 + 15)/2 = 10;
 * dO = (1/2)·w·2(o − y) = (1 2; −3 −6) */
Test(cpu_loss, squared_error_worked_by_hand)
{
    device d = device_open();
    loss_args a = {.kind = LOSS_SQUARED,
                   .models = 1,
                   .rows = 2,
                   .outputs = 2,
                   .divisor = 2,
                   .grad_scale = 1,
                   .logits = device_floats(&d, 4, (float[]){1, 2, 0, -1}),
                   .target = device_floats(&d, 4, (float[]){0, 0, 1, 1}),
                   .weight = device_floats(&d, 2, (float[]){1, 3}),
                   .dlogits = device_floats(&d, 4, NULL),
                   .loss = device_doubles(&d, 1, NULL)};
    d.op->loss(d.be, &a);
    expect_doubles(&d, a.loss, 1, (double[]){10}, 0.0);
    expect_floats(&d, a.dlogits, 4, (float[]){1, 2, -3, -6}, 0.0);
    device_close(&d);
}

/* Far logits neither overflow nor lose the gradient of a confident row:
 *   (1000, 0), y = 1: ℓ = 1000, dO = (1, −1);   (0, −20), y = 0: ℓ = log(1 + e⁻²⁰), dO = ±e⁻²⁰/(1 +
 * e⁻²⁰); (−1e30, 0), y = 1: ℓ = 0 */
Test(cpu_loss, extreme_logits)
{
    device d = device_open();
    loss_args a = {.kind = LOSS_CROSS_ENTROPY,
                   .models = 3,
                   .rows = 1,
                   .outputs = 2,
                   .divisor = 1,
                   .grad_scale = 1,
                   .logits = device_floats(&d, 6, (float[]){1000, 0, 0, -20, -1e30F, 0}),
                   .label = device_ints(&d, 3, (int32_t[]){1, 0, 1}),
                   .label_stride = 1,
                   .dlogits = device_floats(&d, 6, NULL),
                   .loss = device_doubles(&d, 3, NULL)};
    d.op->loss(d.be, &a);
    expect_doubles(&d, a.loss, 3, (double[]){1000, log1p(exp(-20.0)), 0}, 1e-15);
    const float tail = (float)(exp(-20.0) / (1.0 + exp(-20.0)));
    expect_floats(&d, a.dlogits, 6, (float[]){1, -1, -tail, tail, 0, 0}, 1e-15);
    device_close(&d);
}

Test(cpu_loss, nan_reaches_the_loss_of_its_model_only)
{
    device d = device_open();
    const float logits[8] = {0, 0, 0, NAN, 0, 0, 0, 0};
    loss_args a = {.kind = LOSS_CROSS_ENTROPY,
                   .models = 2,
                   .rows = 2,
                   .outputs = 2,
                   .divisor = 2,
                   .grad_scale = 1,
                   .logits = device_floats(&d, 8, logits),
                   .label = device_ints(&d, 2, (int32_t[]){0, 0}),
                   .loss = device_doubles(&d, 2, NULL)};
    d.op->loss(d.be, &a);
    const double *loss = read_doubles(&d, a.loss, 2);
    cr_assert(isnan(loss[0]));
    cr_assert_float_eq(loss[1], log(2.0), 1e-7);
    device_close(&d);
}

/* ---- against the definition in double -------------------------------------------------------- */

typedef struct {
    loss_kind kind;
    int models, rows, outputs;
    bool shared, weighted; /* labels and targets shared by the models */
} problem;

static const problem problems[] = {
    {LOSS_CROSS_ENTROPY, 1, 1, 1, true, false},    {LOSS_CROSS_ENTROPY, 3, 31, 10, true, true},
    {LOSS_CROSS_ENTROPY, 2, 257, 33, false, true}, {LOSS_CROSS_ENTROPY, 5, 33, 257, false, false},
    {LOSS_SQUARED, 4, 33, 1, true, true},          {LOSS_SQUARED, 2, 31, 31, false, false}};
enum { PROBLEMS = sizeof problems / sizeof *problems };
static const double divisor = 60000.0, grad_scale = 500.0;

typedef struct {
    float *logits, *target, *weight;
    int32_t *label;
    int64_t count, sets; /* of logits; of labels or targets */
} loss_data;

static loss_data random_data(device *d, problem p)
{
    loss_data x = {.count = (int64_t)p.models * p.rows * p.outputs,
                   .sets = p.shared ? 1 : p.models};
    x.logits = random_floats(d, x.count, 1);
    for (int64_t i = 0; i < x.count; i++)
        x.logits[i] *= 4;
    x.target = random_floats(d, x.sets * p.rows * p.outputs, 2);
    x.weight = random_floats(d, (int64_t)p.models * p.rows, 3);
    const float *u = random_floats(d, x.sets * p.rows, 4);
    x.label = (int32_t *)(void *)host_floats(d, x.sets * p.rows);
    for (int64_t i = 0; i < x.sets * p.rows; i++)
        x.label[i] = (int32_t)((double)(u[i] + 1) / 2.0 * p.outputs);
    return x;
}

static loss_args upload(device *d, problem p, const loss_data *x)
{
    return (loss_args){
        .kind = p.kind,
        .models = p.models,
        .rows = p.rows,
        .outputs = p.outputs,
        .divisor = divisor,
        .grad_scale = grad_scale,
        .logits = device_floats(d, x->count, x->logits),
        .label = p.kind == LOSS_SQUARED ? NULL : device_ints(d, x->sets * p.rows, x->label),
        .target = p.kind == LOSS_SQUARED ? device_floats(d, x->sets * p.rows * p.outputs, x->target)
                                         : NULL,
        .label_stride = p.shared ? 0 : p.rows,
        .target_stride = p.shared ? 0 : (int64_t)p.rows * p.outputs,
        .weight = p.weighted ? device_floats(d, (int64_t)p.models * p.rows, x->weight) : NULL,
        .dlogits = device_floats(d, x->count, NULL),
        .loss = device_doubles(d, p.models, NULL)};
}

/* loss_m with the logits moved by h along a direction (NULL: not moved) */
static double naive_loss(problem p, const loss_data *x, int m, const float *direction, double h)
{
    double total = 0.0;
    for (int r = 0; r < p.rows; r++) {
        int64_t row = (int64_t)m * p.rows + r, set = (p.shared ? 0 : m) * (int64_t)p.rows + r;
        double sum = 0.0, chosen = 0.0;
        for (int c = 0; c < p.outputs; c++) {
            int64_t i = row * p.outputs + c;
            double o = (double)x->logits[i] + (direction ? h * (double)direction[i] : 0.0);
            double difference = o - (double)x->target[set * p.outputs + c];
            sum += p.kind == LOSS_SQUARED ? difference * difference : exp(o);
            chosen = c == x->label[set] ? o : chosen;
        }
        double w = p.weighted ? (double)x->weight[row] : 1.0;
        total += w * (p.kind == LOSS_SQUARED ? sum : log(sum) - chosen);
    }
    return total / divisor;
}

Test(cpu_loss, value_and_gradient_against_definition)
{
    for (int i = 0; i < PROBLEMS; i++) {
        device d = device_open();
        problem p = problems[i];
        loss_data x = random_data(&d, p);
        loss_args a = upload(&d, p, &x);
        d.op->loss(d.be, &a);
        const double *loss = read_doubles(&d, a.loss, p.models);
        const float *gradient = read_floats(&d, a.dlogits, x.count);
        const float *direction = random_floats(&d, x.count, 5);
        const double *along = to_doubles(&d, direction, x.count);
        int64_t per_model = (int64_t)p.rows * p.outputs;
        for (int m = 0; m < p.models; m++) {
            double want = naive_loss(p, &x, m, NULL, 0.0);
            cr_assert(fabs(loss[m] - want) <= 1e-6 * fabs(want) + 1e-20,
                      "problem %d: %.9g, not %.9g", i, loss[m], want);
            double slope = dot(gradient + m * per_model, along + m * per_model, per_model);
            double difference =
                grad_scale *
                (naive_loss(p, &x, m, direction, 1e-6) - naive_loss(p, &x, m, direction, -1e-6)) /
                2e-6;
            cr_assert(fabs(slope - difference) <= 1e-6 * fabs(difference) + 1e-9,
                      "problem %d: slope %.9g, not %.9g", i, slope, difference);
        }
        device_close(&d);
    }
}

Test(cpu_loss, gradient_may_overwrite_the_logits)
{
    for (int i = 0; i < PROBLEMS; i++) {
        device d = device_open();
        problem p = problems[i];
        loss_data x = random_data(&d, p);
        loss_args apart = upload(&d, p, &x), alias = upload(&d, p, &x);
        d.op->loss(d.be, &apart);
        alias.dlogits = f32_at(alias.logits, 0);
        d.op->loss(d.be, &alias);
        cr_assert_eq(memcmp(read_floats(&d, apart.dlogits, x.count),
                            read_floats(&d, alias.dlogits, x.count),
                            (size_t)x.count * sizeof(float)),
                     0);
        cr_assert_eq(memcmp(read_doubles(&d, apart.loss, p.models),
                            read_doubles(&d, alias.loss, p.models),
                            (size_t)p.models * sizeof(double)),
                     0);
        device_close(&d);
    }
}
