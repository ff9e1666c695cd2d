/* classic/block_ridge: labels, and the generators against what they minimise. */
#include "classic/block_ridge.h"
#include "classic/ridge.h"
#include "linalg/linalg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR(value, expected) cr_expect_float_eq(value, expected, 1e-9)
#define OK(call)                                                                                   \
    do {                                                                                           \
        am_error error_ = {0};                                                                     \
        am_error *const err = &error_;                                                             \
        cr_assert_eq(call, AM_OK, "%s", error_.message);                                           \
    } while (0)

enum { N = 24, P = 3, K = 4, R = K + 1, SIZE = R * P };
static const double LOW = 1e-2, HIGH = 1;

typedef struct {
    design d;
    int *label;
    block_ridge b;
} problem;

static problem make_problem(void)
{
    const linear_model model = {.n = N, .p = P, .active = 2, .b = 1, .rho = 0.3, .sigma = 1};
    problem q;
    OK(simulate_linear(&model, 3, 0, 0, &q.d, err));
    OK(simulate_folds("blocks", N, K, 3, 0, &q.label, err));
    OK(block_ridge_open(&q.d, q.label, K, &q.b, err));
    return q;
}

static void free_problem(problem *q)
{
    design_free(&q->d);
    free(q->label);
    block_ridge_free(&q->b);
}

static block_draws draws_of(int count, draw_stream stream, uint32_t step)
{
    block_draws d;
    OK(block_draws_make(count, K, LOW, HIGH, 5, stream, step, &d, err));
    return d;
}

/* E(A) over the draws, up to its constant, from the rows themselves. */
static double criterion_of(const problem *q, const block_draws *draws, const double *a)
{
    am_error err = {0};
    double sum = 0, *z = block_draws_features(draws, &err);
    cr_assert_not_null(z);
    for (int m = 0; m < draws->count; m++) {
        double theta[P], value = 0;
        linalg_apply('t', R, P, a, z + linalg_at(0, m, R), theta);
        for (int i = 0; i < N; i++) {
            double residual = q->d.y[i];
            for (int j = 0; j < P; j++)
                residual -= q->d.x[linalg_at(i, j, N)] * theta[j];
            value += draws->omega[linalg_at(q->label[i], m, K)] * residual * residual / N;
        }
        for (int j = 0; j < P; j++)
            value += draws->lambda[m] * theta[j] * theta[j];
        sum += value / draws->count;
    }
    free(z);
    return sum;
}

/* ---- draws ------------------------------------------------------------------------------------- */

Test(classic_toy, draws_have_the_stated_distribution)
{
    enum { M = 4000 };
    block_draws d = draws_of(M, STREAM_OMEGA, 0), other = draws_of(M, STREAM_EVALUATION, 0);
    am_error err = {0};
    double *z = block_draws_features(&d, &err), mean[R] = {0}, square[R] = {0};
    int different = 0;
    for (int m = 0; m < M; m++) {
        double sum = 0;
        cr_assert(d.lambda[m] > LOW && d.lambda[m] < HIGH);
        for (int k = 0; k < K; k++)
            sum += d.omega[linalg_at(k, m, K)];
        cr_expect_float_eq(sum, K, 1e-12);
        different += d.lambda[m] != other.lambda[m] &&
                     d.omega[linalg_at(0, m, K)] != other.omega[linalg_at(0, m, K)];
        for (int i = 0; i < R; i++) {
            mean[i] += z[linalg_at(i, m, R)] / M;
            square[i] += z[linalg_at(i, m, R)] * z[linalg_at(i, m, R)] / M;
        }
    }
    cr_expect_eq(different, M);
    cr_expect(mean[0] == 1 || fabs(mean[0] - 1) < 1e-12);
    for (int i = 1; i < R; i++) {
        cr_expect_float_eq(mean[i], 0, 4 / sqrt(M));
        /* √3·u has variance 1, ω − 1 variance (K − 1)/(K + 1) = 0.6 */
        cr_expect_float_eq(square[i], i == 1 ? 1 : 0.6, 0.08);
    }
    free(z);
    block_draws_free(&d);
    block_draws_free(&other);
}

/* ---- labels ------------------------------------------------------------------------------------ */

Test(classic_toy, labels_are_the_weighted_fits)
{
    problem q = make_problem();
    block_draws d = draws_of(5, STREAM_OMEGA, 1);
    double theta[P * 5], omega[N], expected[P];
    OK(block_ridge_labels(&q.b, &d, theta, err));
    for (int m = 0; m < 5; m++) {
        for (int i = 0; i < N; i++)
            omega[i] = d.omega[linalg_at(q.label[i], m, K)];
        OK(ridge_fit(&q.d, omega, d.lambda[m], expected, err));
        for (int j = 0; j < P; j++)
            NEAR(theta[linalg_at(j, m, P)], expected[j]);
    }
    block_draws_free(&d);
    free_problem(&q);
}

/* As many labels as features are met exactly; fewer too. */
Test(classic_toy, supervised_training_meets_its_labels)
{
    problem q = make_problem();
    static const int counts[2] = {R, R - 2};
    for (int i = 0; i < 2; i++) {
        block_draws d = draws_of(counts[i], STREAM_OMEGA, 2);
        double a[SIZE], theta[P * R], loss;
        OK(block_ridge_supervised(&q.b, &d, a, err));
        OK(block_ridge_labels(&q.b, &d, theta, err));
        OK(block_ridge_loss(&q.b, &d, theta, a, &loss, err));
        cr_expect_lt(loss, 1e-20);
        memset(a, 0, sizeof a); /* then the loss is the mean of ‖θ̂‖² */
        double square = 0;
        for (int j = 0; j < P * counts[i]; j++)
            square += theta[j] * theta[j] / counts[i];
        OK(block_ridge_loss(&q.b, &d, theta, a, &loss, err));
        NEAR(loss, square);
        block_draws_free(&d);
    }
    free_problem(&q);
}

/* More labels than features: the normal equations hold, no direction improves the squared error. */
Test(classic_toy, supervised_training_is_least_squares)
{
    problem q = make_problem();
    block_draws d = draws_of(40, STREAM_OMEGA, 3);
    double a[SIZE], theta[P * 40], at, beside;
    OK(block_ridge_supervised(&q.b, &d, a, err));
    OK(block_ridge_labels(&q.b, &d, theta, err));
    OK(block_ridge_loss(&q.b, &d, theta, a, &at, err));
    for (int i = 0; i < SIZE; i++)
        for (int side = -1; side <= 1; side += 2) {
            a[i] += side * 1e-3;
            OK(block_ridge_loss(&q.b, &d, theta, a, &beside, err));
            cr_expect_gt(beside, at);
            a[i] -= side * 1e-3;
        }
    block_draws_free(&d);
    free_problem(&q);
}

/* ---- the criterion ----------------------------------------------------------------------------- */

/* E is quadratic: at its minimiser the central difference vanishes in every direction. */
Test(classic_toy, exact_training_minimises_the_criterion)
{
    problem q = make_problem();
    block_draws d = draws_of(30, STREAM_OMEGA, 4);
    double a[SIZE];
    OK(block_ridge_criterion(&q.b, &d, a, err));
    double at = criterion_of(&q, &d, a);
    for (int i = 0; i < SIZE; i++) {
        double side[2];
        for (int k = 0; k < 2; k++) {
            a[i] += k == 0 ? 1e-2 : -2e-2;
            side[k] = criterion_of(&q, &d, a);
        }
        a[i] += 1e-2;
        cr_expect(side[0] > at && side[1] > at);
        NEAR(side[0], side[1]);
    }
    block_draws_free(&d);
    free_problem(&q);
}

Test(classic_toy, descent_ends_at_the_same_generator)
{
    problem q = make_problem();
    block_draws d = draws_of(50, STREAM_OMEGA, 5);
    double a[SIZE], exact[SIZE];
    int steps = 0;
    OK(block_ridge_criterion(&q.b, &d, exact, err));
    OK(block_ridge_descent(&q.b, &d, 1e-12, 200, a, &steps, err));
    cr_expect(steps > 3 && steps < 60, "%d", steps);
    for (int i = 0; i < SIZE; i++)
        NEAR(a[i], exact[i]);
    double start[SIZE] = {0}, before = criterion_of(&q, &d, start);
    for (int most = 1; most <= 4; most++) { /* every step goes down */
        OK(block_ridge_descent(&q.b, &d, 0, most, a, &steps, err));
        cr_expect_eq(steps, most);
        double now = criterion_of(&q, &d, a);
        cr_expect_lt(now, before);
        before = now;
    }
    block_draws_free(&d);
    free_problem(&q);
}

/* Means over draws tend to the closed form at the rate 1/√M: 64 times the draws, an eighth of the
 * distance, give or take a factor of 2. */
Test(classic_toy, closed_form_is_the_limit_of_many_draws)
{
    problem q = make_problem();
    static const int counts[2] = {1000, 64000};
    double expected[SIZE], a[SIZE], distance[2] = {0}, size = 0;
    OK(block_ridge_expected(&q.b, LOW, HIGH, expected, err));
    for (int i = 0; i < 2; i++) {
        block_draws d = draws_of(counts[i], STREAM_OMEGA, 6);
        OK(block_ridge_criterion(&q.b, &d, a, err));
        for (int j = 0; j < SIZE; j++)
            distance[i] += (a[j] - expected[j]) * (a[j] - expected[j]);
        block_draws_free(&d);
    }
    for (int j = 0; j < SIZE; j++)
        size += expected[j] * expected[j];
    cr_expect_lt(sqrt(distance[1] / size), 0.003);
    double ratio = sqrt(distance[0] / distance[1]);
    cr_expect(ratio > 4 && ratio < 16, "%g", ratio);
    free_problem(&q);
}

/* K = 2, one column of ones in block 1 and nothing in block 2: S = ω₁/2 + λ, s = ω₁y/2. With few
 * features the equations can be integrated by hand numerically: a fine grid over ω₁ uniform on [0, 2]
 * and u uniform on [−1, 1] stands for the expectation. */
Test(classic_toy, closed_form_of_two_blocks_by_quadrature)
{
    enum { GRID = 400 };
    double x[2] = {1, 0}, y[2] = {3, 5}, a[3], h[9] = {0}, right[3] = {0};
    const int label[2] = {0, 1};
    const design d = {2, 1, x, y};
    block_ridge b;
    OK(block_ridge_open(&d, label, 2, &b, err));
    OK(block_ridge_expected(&b, LOW, HIGH, a, err));
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            double omega = 2 * (i + 0.5) / GRID, u = 2 * (j + 0.5) / GRID - 1;
            double z[3] = {1, sqrt(3) * u, omega - 1}, lambda = 0.1 * pow(10, u);
            for (int r = 0; r < 3; r++) {
                right[r] += z[r] * omega * 1.5 / GRID / GRID;
                for (int c = 0; c < 3; c++)
                    h[3 * r + c] += z[r] * z[c] * (omega / 2 + lambda) / GRID / GRID;
            }
        }
    OK(linalg_solve("quadrature", 3, h, 1, right, err));
    for (int r = 0; r < 3; r++) /* the midpoint rule's error is of order GRID⁻² */
        cr_expect_float_eq(a[r], right[r], 1e-4);
    block_ridge_free(&b);
}

Test(classic_toy, too_few_draws_are_refused)
{
    problem q = make_problem();
    block_draws d = draws_of(R - 1, STREAM_OMEGA, 7);
    double a[SIZE];
    am_error err = {0};
    cr_expect_eq(block_ridge_criterion(&q.b, &d, a, &err), AM_ERR_INPUT);
    cr_expect_str_eq(err.message, "criterion of the generator: 4 draws for 5 features; take at "
                                  "least as many");
    block_draws_free(&d);
    free_problem(&q);
}
