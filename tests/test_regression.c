/* The regression of labels on features: exact least squares in the head, what the labels leave open
 * stays, and feature networks that learn. */
#include "support/fitting.h"
#include "support/ridge.h"
#include "train/regression.h"

#include "data_files.h"

#include <math.h>

enum { MOST = 12 };

/* A generator, B draws with their features, and labels. */
typedef struct {
    device d;
    generator g;
    regression r;
    regression_data data;
    int labels, features;
    int64_t params;
    float *c; /* (B, R) */
} fixture;

/* u equally spaced over [−1, 1], and ω_b = 1 + ½·(random in [−1, 1]). */
static void fixture_open(fixture *f, const char *features_text, omega_kind weights, int labels)
{
    am_error err = {0};
    float u[MOST], omega[MOST * 4];
    *f = (fixture){.d = device_open(), .labels = labels};
    generator_spec spec = spec_of("3-2-2", ACT_TANH, LOSS_CROSS_ENTROPY, features_text, weights, 4);
    f->g = generator_of(&f->d, &spec, MOST);
    f->features = f->g.f.features;
    f->params = spec.target.params;
    for (int b = 0; b < labels; b++) {
        u[b] = (float)(2.0 * b / (labels - 1) - 1.0);
        for (int k = 0; k < 4; k++)
            omega[b * 4 + k] = (float)random_at(5, (uint32_t)(b * 4 + k), 0.5, 1.5);
    }
    dev_f32 *c = device_floats(&f->d, (int64_t)labels * f->features, NULL);
    f->data = (regression_data){.g = &f->g,
                                .u = device_floats(&f->d, labels, u),
                                .omega = device_floats(&f->d, labels * 4, omega),
                                .c = c};
    cr_assert_eq(regression_open(&f->r, f->d.be, labels, f->features, f->g.phi_size, &err), AM_OK,
                 "%s", err.message);
}

/* The features of the draws, for the generator's φ as it is. */
static void forward(fixture *f)
{
    features_forward(&f->g.f, f->labels, f->g.phi, f->data.u, f->data.omega, f->data.c);
    f->c = read_floats(&f->d, f->data.c, (int64_t)f->labels * f->features);
}

static void fixture_close(fixture *f)
{
    regression_close(&f->r);
    generator_close(&f->g);
    device_close(&f->d);
}

/* CΘ of some head, on the host. */
static float *predicted(fixture *f, const float *head)
{
    float *theta = host_floats(&f->d, f->labels * f->params);
    for (int b = 0; b < f->labels; b++)
        for (int64_t p = 0; p < f->params; p++) {
            double sum = 0.0;
            for (int k = 0; k < f->features; k++)
                sum += (double)f->c[b * f->features + k] * (double)head[k * f->params + p];
            theta[b * f->params + p] = (float)sum;
        }
    return theta;
}

static void regress(fixture *f, const float *label, bool learn)
{
    am_error err = {0};
    f->data.label = device_floats(&f->d, f->labels * f->params, label);
    am_status status =
        learn ? regression_features(&f->r, &f->data, &err) : regression_head(&f->r, &f->data, &err);
    cr_assert_eq(status, AM_OK, "%s", err.message);
}

/* Σ‖CΘ − θ̂‖² / Σ‖θ̂ − mean θ̂‖² */
static double unexplained(fixture *f, const float *label)
{
    float *theta = predicted(f, generator_head(&f->d, &f->g));
    double error = 0.0, spread = 0.0;
    for (int64_t p = 0; p < f->params; p++) {
        double mean = 0.0;
        for (int b = 0; b < f->labels; b++)
            mean += (double)label[b * f->params + p] / f->labels;
        for (int b = 0; b < f->labels; b++) {
            double y = (double)label[b * f->params + p];
            error += pow((double)theta[b * f->params + p] - y, 2.0);
            spread += pow(y - mean, 2.0);
        }
    }
    return error / spread;
}

/* ---- the head ------------------------------------------------------------------------------------ */

/* Against (CᵀC)⁻¹Cᵀθ̂ by elimination in double, for labels that no head gives. */
Test(regression, the_head_is_the_least_squares_solution)
{
    static const struct {
        const char *features;
        omega_kind weights;
    } families[] = {{"cheb:3", OMEGA_ONES}, {"poly:2", OMEGA_DIRICHLET}};
    for (int i = 0; i < 2; i++) {
        fixture f;
        fixture_open(&f, families[i].features, families[i].weights, MOST);
        generator_fill(&f.d, &f.g, 7, 1.0f); /* where it starts does not matter */
        forward(&f);
        float *label = random_floats(&f.d, f.labels * f.params, 8);
        regress(&f, label, false);
        float *head = generator_head(&f.d, &f.g);
        for (int64_t p = 0; p < f.params; p++) {
            int n = f.features;
            double a[8 * 8] = {0}, x[8] = {0};
            cr_assert_leq(n, 8);
            for (int b = 0; b < f.labels; b++)
                for (int j = 0; j < n; j++) {
                    x[j] += (double)f.c[b * n + j] * (double)label[b * f.params + p];
                    for (int k = 0; k < n; k++)
                        a[j * n + k] += (double)f.c[b * n + j] * (double)f.c[b * n + k];
                }
            solve(a, x, n);
            for (int k = 0; k < n; k++)
                cr_expect_float_eq((double)head[k * f.params + p], x[k], 2e-5,
                                   "%s: Θ[%d][%lld] is %g, expected %g", families[i].features, k,
                                   (long long)p, (double)head[k * f.params + p], x[k]);
        }
        fixture_close(&f);
    }
}

Test(regression, labels_that_a_head_gives_give_that_head)
{
    fixture f;
    fixture_open(&f, "cheb:3", OMEGA_DIRICHLET, MOST);
    forward(&f);
    float *want = random_floats(&f.d, f.features * f.params, 9);
    regress(&f, predicted(&f, want), false);
    float *head = generator_head(&f.d, &f.g);
    for (int64_t i = 0; i < f.features * f.params; i++)
        cr_expect_float_eq((double)head[i], (double)want[i], 2e-5);
    fixture_close(&f);
}

/* Three labels for four features: they are met, and the head has moved in their span alone, so that
 * no part of it lies along the direction v with Cv = 0. */
Test(regression, what_the_labels_leave_open_stays)
{
    fixture f;
    fixture_open(&f, "poly:3", OMEGA_ONES, 3);
    generator_fill(&f.d, &f.g, 7, 1.0f);
    forward(&f);
    /* u = −1, 0, 1 with columns 1, u, u², u³: u³ = u there */
    const double v[4] = {0, 1, 0, -1};
    float *before = generator_head(&f.d, &f.g);
    float *label = random_floats(&f.d, f.labels * f.params, 8);
    regress(&f, label, false);
    float *after = generator_head(&f.d, &f.g);
    cr_expect_lt(unexplained(&f, label), 1e-8);
    for (int64_t p = 0; p < f.params; p++) {
        double along = 0.0;
        for (int k = 0; k < 4; k++)
            along += v[k] * ((double)after[k * f.params + p] - (double)before[k * f.params + p]);
        cr_expect_float_eq(along, 0.0, 1e-5);
    }
    fixture_close(&f);
}

/* At ω = 1 the columns of ω are zero for every label. */
Test(regression, a_feature_that_no_label_wakes_keeps_its_row)
{
    fixture f;
    float ones[MOST * 4];
    fixture_open(&f, "poly:1", OMEGA_DIRICHLET, MOST);
    for (int i = 0; i < MOST * 4; i++)
        ones[i] = 1.0f;
    f.data.omega = device_floats(&f.d, MOST * 4, ones);
    generator_fill(&f.d, &f.g, 7, 1.0f);
    forward(&f);
    float *before = generator_head(&f.d, &f.g);
    regress(&f, random_floats(&f.d, f.labels * f.params, 8), false);
    float *after = generator_head(&f.d, &f.g);
    for (int k = 0; k < f.features; k++)
        for (int64_t p = 0; p < f.params; p++)
            if (k < 2) /* 1, u */
                cr_expect_neq(after[k * f.params + p], before[k * f.params + p]);
            else
                cr_expect_eq(after[k * f.params + p], before[k * f.params + p]);
    fixture_close(&f);
}

/* ---- the features -------------------------------------------------------------------------------- */

/* θ̂_b = a + tanh(6u)·d + ω_1·e: a bend that three random features of u and ω cannot follow. */
static float *bent_labels(fixture *f)
{
    float *direction = random_floats(&f->d, 3 * f->params, 4);
    float *label = host_floats(&f->d, f->labels * f->params);
    float *u = read_floats(&f->d, f->data.u, f->labels);
    float *omega = read_floats(&f->d, f->data.omega, f->labels * 4);
    for (int b = 0; b < f->labels; b++)
        for (int64_t p = 0; p < f->params; p++)
            label[b * f->params + p] = direction[p] +
                                       tanhf(6.0f * u[b]) * direction[f->params + p] +
                                       (omega[b * 4] - 1.0f) * direction[2 * f->params + p];
    return label;
}

Test(regression, a_feature_network_learns_what_its_random_start_cannot_follow)
{
    fixture f;
    am_error err = {0};
    fixture_open(&f, "mlp:16,3", OMEGA_DIRICHLET, MOST);
    cr_assert_eq(generator_init(&f.g, &err), AM_OK);
    forward(&f);
    float *label = bent_labels(&f);
    regress(&f, label, false);
    double fixed = unexplained(&f, label);
    regress(&f, label, true);
    f.c = read_floats(&f.d, f.data.c, (int64_t)f.labels * f.features);
    double learned = unexplained(&f, label);
    cr_expect_gt(fixed, 0.05);
    cr_expect_lt(learned, 0.01 * fixed, "random features leave %g, learned ones %g", fixed,
                 learned);
    float *c = f.c;
    forward(&f); /* data.c are the features of the φ that was found */
    for (int i = 0; i < f.labels * f.features; i++)
        cr_expect_eq(c[i], f.c[i]);
    fixture_close(&f);
}

Test(regression, labels_without_differences_move_no_feature)
{
    fixture f;
    am_error err = {0};
    fixture_open(&f, "mlp:5,3", OMEGA_DIRICHLET, 6);
    cr_assert_eq(generator_init(&f.g, &err), AM_OK);
    forward(&f);
    float *head = generator_head(&f.d, &f.g), *phi = generator_phi(&f.d, &f.g);
    float *label = host_floats(&f.d, f.labels * f.params);
    for (int64_t i = 0; i < f.labels * f.params; i++)
        label[i] = head[i % f.params]; /* all at Θ_0 */
    regress(&f, label, true);
    float *after = generator_head(&f.d, &f.g), *phi_after = generator_phi(&f.d, &f.g);
    for (int64_t i = 0; i < f.features * f.params; i++)
        cr_expect_eq(after[i], head[i]);
    for (int64_t i = 0; i < f.g.phi_size; i++)
        cr_expect_eq(phi_after[i], phi[i]);
    fixture_close(&f);
}
