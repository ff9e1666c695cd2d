/* collocation against a dense implementation in double. */
#include "backend/schedule.h"
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>

/* β₁ = ½, β₂ = ¾, lr = 0.1, ε = 0, at t = 0: bias corrections ½ and ¼. */
static adam_rule simple_rule(device *d)
{
    return (adam_rule){.rate = {.kind = SCHEDULE_CONSTANT, .peak = 0.1},
                       .beta1 = 0.5,
                       .beta2 = 0.75,
                       .step = device_counter(d, 0)};
}

/* R = M = 1, c = 1, ridge = 1: W = 1/(1 + 1) = ½. g = 4: v = ¼·16 = 4, v̂ = 16, D = 4/4 = 1;
 * m = ½·½·1 = ¼, Θ = 1 − 0.1·¼/½. With a clip factor of ½ v = 1 and D is still 1; with a tilt of 1 and a
 * mean u of 1 D is ½, so that m = ⅛ and Θ = 1 − 0.1·¼. */
Test(cpu_collocation, worked_by_hand)
{
    for (int variant = 0; variant < 4; variant++) {
        bool clipped = variant % 2 == 1, tilted = variant / 2 == 1;
        device d = device_open();
        collocation_args a = {.rule = simple_rule(&d),
                              .models = 1,
                              .features = 1,
                              .params = 1,
                              .groups = 2,
                              .ridge = 1,
                              .tilt = tilted ? 1 : 0,
                              .u = device_floats(&d, 2, (float[]){1.5F, 0.5F}),
                              .c = device_floats(&d, 1, (float[]){1}),
                              .grad = device_floats(&d, 1, (float[]){4}),
                              .theta = device_floats(&d, 1, (float[]){1}),
                              .moment1 = device_floats(&d, 1, NULL),
                              .moment2 = device_floats(&d, 1, NULL)};
        if (clipped)
            a.rule.guard = device_guard(&d, (guard_state){.clip_factor = 0.5});
        d.op->collocation(d.be, &a);
        expect_floats(&d, a.moment1, 1, (float[]){tilted ? 0.125F : 0.25F}, 0.0);
        expect_floats(&d, a.moment2, 1, (float[]){clipped ? 1 : 4}, 0.0);
        expect_floats(&d, a.theta, 1, (float[]){tilted ? 0.975F : 0.95F}, 1e-7);
        device_close(&d);
    }
}

/* With M = R, an invertible c and no ridge the projection interpolates the steps: c·N = D.
 * G = (4, 2), v before = (0, 20): v = (4, 16), v̂ = (16, 64), D = (1, ¼); c = [1 1; 1 −1]:
 * N = (⅝, ⅜), m = N/2. */
Test(cpu_collocation, square_basis_interpolates_the_steps)
{
    device d = device_open();
    collocation_args a = {.rule = simple_rule(&d),
                          .models = 2,
                          .features = 2,
                          .params = 1,
                          .groups = 1,
                          .u = device_floats(&d, 2, (float[]){1, -1}),
                          .c = device_floats(&d, 4, (float[]){1, 1, 1, -1}),
                          .grad = device_floats(&d, 2, (float[]){4, 2}),
                          .theta = device_floats(&d, 2, NULL),
                          .moment1 = device_floats(&d, 2, NULL),
                          .moment2 = device_floats(&d, 2, (float[]){0, 20})};
    d.op->collocation(d.be, &a);
    expect_floats(&d, a.moment1, 2, (float[]){0.3125F, 0.1875F}, 1e-7);
    expect_floats(&d, a.moment2, 2, (float[]){4, 16}, 0.0);
    device_close(&d);
}

/* X ← A⁻¹X by Gauss–Jordan elimination with pivoting; A (n,n), X (n,columns) */
static void solve(double *a, int n, double *x, int columns)
{
    for (int p = 0; p < n; p++) {
        int pivot = p;
        for (int i = p + 1; i < n; i++)
            if (fabs(a[i * n + p]) > fabs(a[pivot * n + p]))
                pivot = i;
        for (int j = 0; j < n; j++) {
            double t = a[p * n + j];
            a[p * n + j] = a[pivot * n + j];
            a[pivot * n + j] = t;
        }
        for (int j = 0; j < columns; j++) {
            double t = x[p * columns + j];
            x[p * columns + j] = x[pivot * columns + j];
            x[pivot * columns + j] = t;
        }
        double scale = 1.0 / a[p * n + p];
        for (int j = 0; j < n; j++)
            a[p * n + j] *= scale;
        for (int j = 0; j < columns; j++)
            x[p * columns + j] *= scale;
        for (int i = 0; i < n; i++) {
            double factor = a[i * n + p];
            if (i == p || factor == 0.0)
                continue;
            for (int j = 0; j < n; j++)
                a[i * n + j] -= factor * a[p * n + j];
            for (int j = 0; j < columns; j++)
                x[i * columns + j] -= factor * x[p * columns + j];
        }
    }
}

static const double TILT = 0.7;

typedef struct {
    int models, features;
    int64_t params;
    double clip_factor;
} problem;

/* W (R,M) = (cᵀc/M + ridge·I)⁻¹cᵀ/M */
static double *projection(device *d, problem p, const float *c, double ridge)
{
    int M = p.models, R = p.features;
    double *normal = host_doubles(d, (int64_t)R * R), *w = host_doubles(d, (int64_t)R * M);
    for (int i = 0; i < R; i++) {
        for (int j = 0; j < R; j++) {
            for (int m = 0; m < M; m++)
                normal[i * R + j] += (double)c[m * R + i] * (double)c[m * R + j] / M;
            normal[i * R + j] += i == j ? ridge : 0.0;
        }
        for (int m = 0; m < M; m++)
            w[i * M + m] = (double)c[m * R + i] / M;
    }
    solve(normal, R, w, M);
    return w;
}

/* u_m of the problems: cos(π(m+0.3)/M). */
static double node(problem p, int m)
{
    return cos(acos(-1.0) * (m + 0.3) / p.models);
}

typedef struct {
    double *theta, *moment1, *moment2;
} state;

/* `step_of` holds the M steps D_j of one parameter. */
static void naive_step(problem p, const double *w, const float *g, schedule rate, int t, state s,
                       double *step_of)
{
    double lr = schedule_rate(rate, (uint64_t)t);
    for (int64_t i = 0; i < p.params; i++) {
        for (int m = 0; m < p.models; m++) {
            double own = p.clip_factor * (double)g[m * p.params + i];
            double *v = s.moment2 + m * p.params + i;
            *v = 0.999 * *v + 0.001 * own * own;
            step_of[m] = own / (sqrt(*v / (1.0 - pow(0.999, t + 1))) + 1e-8);
            step_of[m] *= pow(2.0, -TILT * node(p, m));
        }
        for (int k = 0; k < p.features; k++) {
            double projected = 0.0;
            for (int m = 0; m < p.models; m++)
                projected += w[k * p.models + m] * step_of[m];
            double *moment = s.moment1 + k * p.params + i;
            *moment = 0.9 * *moment + 0.1 * projected;
            s.theta[k * p.params + i] -= lr * *moment / (1.0 - pow(0.9, t + 1));
        }
    }
}

/* Features as in training: Chebyshev polynomials of the nodes u_j = cos(π(j+φ)/M). */
static const float *chebyshev_rows(device *d, problem p)
{
    float *c = host_floats(d, (int64_t)p.models * p.features);
    for (int m = 0; m < p.models; m++)
        for (int k = 0; k < p.features; k++)
            c[m * p.features + k] = (float)cos(k * acos(-1.0) * (m + 0.3) / p.models);
    return c;
}

static const dev_f32 *node_rows(device *d, problem p)
{
    float *u = host_floats(d, p.models);
    for (int m = 0; m < p.models; m++)
        u[m] = (float)node(p, m);
    return device_floats(d, p.models, u);
}

static void run_problem(problem p)
{
    device d = device_open();
    int64_t n = p.features * p.params;
    const float *c = chebyshev_rows(&d, p), *theta = random_floats(&d, n, 1);
    state want = {to_doubles(&d, theta, n), host_doubles(&d, n),
                  host_doubles(&d, p.models * p.params)};
    const double *w = projection(&d, p, c, 1e-3);
    dev_u64 *step = device_counter(&d, 0);
    collocation_args a = {
        .rule = {.rate = {SCHEDULE_COSINE, 3e-3, 2, 5},
                 .beta1 = 0.9,
                 .beta2 = 0.999,
                 .epsilon = 1e-8,
                 .step = step,
                 .guard = device_guard(&d, (guard_state){.clip_factor = p.clip_factor})},
        .models = p.models,
        .features = p.features,
        .params = p.params,
        .groups = 1,
        .ridge = 1e-3,
        .tilt = TILT,
        .u = node_rows(&d, p),
        .c = device_floats(&d, (int64_t)p.models * p.features, c),
        .theta = device_floats(&d, n, theta),
        .moment1 = device_floats(&d, n, NULL),
        .moment2 = device_floats(&d, p.models * p.params, NULL)};
    for (int t = 0; t < 3; t++) {
        const float *g = random_floats(&d, p.models * p.params, 10 + (uint64_t)t);
        a.grad = device_floats(&d, p.models * p.params, g);
        d.op->collocation(d.be, &a);
        d.op->advance(d.be, step);
        naive_step(p, w, g, a.rule.rate, t, want, host_doubles(&d, p.models));
    }
    expect_close(&d, a.moment1, n, want.moment1, 1e-6);
    expect_close(&d, a.moment2, p.models * p.params, want.moment2, 1e-6);
    expect_close(&d, a.theta, n, want.theta, 1e-6);
    device_close(&d);
}

Test(cpu_collocation, steps_against_dense_implementation)
{
    const problem problems[] = {{1, 1, 1, 1.0},
                                {10, 7, 257, 1.0},
                                {16, 7, 5003, 0.25},
                                {3, 31, 33, 1.0},
                                {33, 129, 300, 0.5}};
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        run_problem(problems[i]);
}

Test(cpu_collocation, halted_guard_freezes_everything)
{
    enum { M = 4, R = 3, P = 50 };
    device d = device_open();
    const float *theta = random_floats(&d, R * P, 1), *moment1 = random_floats(&d, R * P, 2);
    const float *moment2 = random_floats(&d, M * P, 3);
    collocation_args a = {.rule = {.rate = {.kind = SCHEDULE_CONSTANT, .peak = 0.1},
                                   .beta1 = 0.9,
                                   .beta2 = 0.999,
                                   .epsilon = 1e-8,
                                   .step = device_counter(&d, 5),
                                   .guard = device_guard(&d, (guard_state){.halted = 5})},
                          .models = M,
                          .features = R,
                          .params = P,
                          .groups = 1,
                          .ridge = 1e-3,
                          .u = device_floats(&d, M, NULL),
                          .c = device_floats(&d, M * R, random_floats(&d, M * R, 4)),
                          .grad = device_floats(&d, M * P, random_floats(&d, M * P, 5)),
                          .theta = device_floats(&d, R * P, theta),
                          .moment1 = device_floats(&d, R * P, moment1),
                          .moment2 = device_floats(&d, M * P, moment2)};
    d.op->collocation(d.be, &a);
    expect_floats(&d, a.theta, R * P, theta, 0.0);
    expect_floats(&d, a.moment1, R * P, moment1, 0.0);
    expect_floats(&d, a.moment2, M * P, moment2, 0.0);
    device_close(&d);
}
