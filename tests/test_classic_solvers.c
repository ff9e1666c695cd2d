/* exact solvers of M-estimation: closed forms, and optimality conditions computed afresh. */
#include "support/estimation.h"

#include "classic/batch.h"
#include "linalg/cholesky.h"
#include "linalg/linalg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static void solve(const mest_problem *p, const double *omega, double lambda, double *beta,
                  mest_certificate *certificate)
{
    am_error err = {0};
    mest_solver *solver = mest_solver_new(p, &err);
    cr_assert_not_null(solver);
    cr_assert_eq(mest_solve(solver, omega, lambda, beta, certificate, &err), AM_OK, "%s",
                 err.message);
    mest_solver_free(solver);
}

static double objective(const mest_problem *p, const double *omega, double lambda,
                        const double *beta)
{
    double f[SIM_MOST_ROWS], scratch[SIM_MOST_ROWS];
    mest_predict(p, beta, f);
    return mest_objective(p, omega, lambda, beta, f, scratch);
}

/* ---- linear algebra ---------------------------------------------------------------------------- */

/* (4 2; 2 5) = L·Lᵀ with L = (2 0; 1 2). */
Test(classic_solvers, cholesky_by_hand)
{
    double a[4] = {4, 2, 2, 5}, b[2] = {8, 12};
    cr_assert(cholesky_factor(2, a));
    cr_expect_float_eq(a[0], 2, 1e-15);
    cr_expect_float_eq(a[1], 1, 1e-15);
    cr_expect_float_eq(a[3], 2, 1e-15);
    cholesky_solve(2, a, 1, b); /* 4x + 2y = 8, 2x + 5y = 12 */
    cr_expect_float_eq(b[0], 1, 1e-14);
    cr_expect_float_eq(b[1], 2, 1e-14);
    double singular[4] = {1, 1, 1, 1}, indefinite[4] = {1, 2, 2, 1};
    cr_expect_not(cholesky_factor(2, singular));
    cr_expect_not(cholesky_factor(2, indefinite));
}

Test(classic_solvers, batch_agrees_with_one_at_a_time_and_marks_the_unsound)
{
    enum { N = 7 };
    double a[N * (N + 1) / 2 * BATCH], b[N * BATCH];
    bool sound[BATCH];
    for (int d = 0; d < BATCH; d++)
        for (int i = 0; i < N; i++) {
            b[i * BATCH + d] = sim_normal(1, 50, (uint32_t)(i * BATCH + d));
            for (int j = 0; j <= i; j++)
                a[batch_at(i, j) + (size_t)d] =
                    (i == j ? 4.0 : 0.0) + cos(1.0 + i * j + 0.3 * d) * (d == 5 ? 9.0 : 0.4);
        }
    double one[BATCH][N * N], right[BATCH][N];
    for (int d = 0; d < BATCH; d++)
        for (int i = 0; i < N; i++) {
            right[d][i] = b[i * BATCH + d];
            for (int j = 0; j <= i; j++)
                one[d][j * N + i] = a[batch_at(i, j) + (size_t)d];
        }
    batch_factor(N, a, sound);
    batch_solve(N, a, b);
    for (int d = 0; d < BATCH; d++) {
        cr_expect_eq(cholesky_factor(N, one[d]), sound[d]);
        cr_expect_eq(sound[d], d != 5);
        cholesky_solve(N, one[d], 1, right[d]);
        for (int i = 0; i < N; i++)
            cr_expect(isfinite(b[i * BATCH + d]));
        for (int i = 0; i < N && sound[d]; i++)
            cr_expect_float_eq(b[i * BATCH + d], right[d][i], 1e-12);
    }
}

/* ---- closed forms ------------------------------------------------------------------------------ */

Test(classic_solvers, ridge_is_linalg_ridge)
{
    simulation s;
    simulate(&s, CLASSIC_SQUARED, 60, 6, 0, 1, 1);
    s.p.intercept = false;
    double beta[6] = {0}, expected[6];
    mest_certificate c;
    am_error err = {0};
    solve(&s.p, NULL, 0.7, beta, &c);
    cr_assert_eq(linalg_ridge("test", 60, 6, s.x, 1, s.y, 60 * 0.7, expected, &err), AM_OK);
    for (int j = 0; j < 6; j++)
        cr_expect_float_eq(beta[j], expected[j], 1e-12);
    cr_expect(c.converged);
}

/* Columns (1, 1, −1, −1) and (1, −1, 1, −1): XᵀX/n = I, so β_j = soft(z_j, λ·l1/2)/(1 + λ·l2) with
 * z = Xᵀy/n = (2, −0.25). */
Test(classic_solvers, lasso_and_elastic_net_of_an_orthogonal_design_by_hand)
{
    const double x[8] = {1, 1, -1, -1, 1, -1, 1, -1}, y[4] = {1.75, 2.25, -2.25, -1.75};
    mest_problem p = {.n = 4, .q = 2, .x = x, .y = y, .loss = {.kind = CLASSIC_SQUARED}, .l1 = 1};
    double beta[2] = {5, 5}, f[4];
    mest_certificate c;
    mest_predict(&p, (const double[]){2, -0.25}, f);
    for (int i = 0; i < 4; i++)
        cr_assert_float_eq(f[i], y[i], 1e-15);
    solve(&p, NULL, 0.4, beta, &c);
    cr_expect_float_eq(beta[0], 1.8, 1e-13);
    cr_expect_float_eq(beta[1], -0.05, 1e-13);
    solve(&p, NULL, 1.0, beta, &c);
    cr_expect_float_eq(beta[0], 1.5, 1e-13);
    cr_expect_eq(beta[1], 0.0);
    p.l1 = p.l2 = 0.5;
    solve(&p, NULL, 2.0, beta, &c); /* soft(2, 0.5)/(1 + 1) */
    cr_expect_float_eq(beta[0], 0.75, 1e-13);
    cr_expect_eq(beta[1], 0.0);
    double lambda;
    am_error err = {0};
    p.l1 = 1;
    p.l2 = 0;
    cr_assert_eq(mest_lambda_max(&p, &lambda, &err), AM_OK);
    cr_expect_float_eq(lambda, 4, 1e-7); /* 2·2 */
}

Test(classic_solvers, a_constant_alone_by_hand)
{
    const double ones[5] = {1, 1, 1, 1, 1}, y[5] = {1, 7, 2, 30, 4};
    const double omega[5] = {1, 1, 1, 1, 6};
    mest_problem p = {.n = 5, .q = 1, .intercept = true, .x = ones, .y = y};
    double beta = 0;
    mest_certificate c;
    p.loss = (classic_loss){.kind = CLASSIC_LAD}; /* the median */
    solve(&p, NULL, 0, &beta, &c);
    cr_expect_float_eq(beta, 4, 1e-7);
    cr_expect(c.converged);
    p.loss = (classic_loss){.kind = CLASSIC_QUANTILE, .quantile = 0.7};
    beta = 0;
    solve(&p, NULL, 0, &beta, &c); /* the fourth of five: 3/5 < 0.7 < 4/5 */
    cr_expect_float_eq(beta, 7, 1e-7);
    p.loss = (classic_loss){.kind = CLASSIC_SQUARED};
    solve(&p, omega, 0, &beta, &c); /* (1 + 7 + 2 + 30 + 24)/10 */
    cr_expect_float_eq(beta, 6.4, 1e-12);
    p.loss = (classic_loss){.kind = CLASSIC_HUBER, .delta = 3};
    solve(&p, NULL, 0, &beta, &c); /* 1 and 30 are clipped: −3 + (2 + 4 + 7 − 3β) + 3 = 0 */
    cr_expect_float_eq(beta, 13.0 / 3, 1e-9);
    const double classes[5] = {1, 0, 0, 1, 1};
    p.y = classes;
    p.loss = (classic_loss){.kind = CLASSIC_LOGISTIC};
    beta = 0;
    solve(&p, NULL, 0, &beta, &c);
    cr_expect_float_eq(beta, log(1.5), 1e-10);
}

/* x = ±1, y = x, no intercept: min (1 − β)₊ + λβ² is at min(1, 1/(2λ)). */
Test(classic_solvers, support_vectors_by_hand)
{
    const double x[2] = {1, -1}, y[2] = {1, -1};
    mest_problem p = {.n = 2, .q = 1, .x = x, .y = y, .loss = {.kind = CLASSIC_HINGE}, .l2 = 1};
    double beta = 0;
    mest_certificate c;
    solve(&p, NULL, 1, &beta, &c);
    cr_expect_float_eq(beta, 0.5, 1e-8);
    solve(&p, NULL, 0.1, &beta, &c);
    cr_expect_float_eq(beta, 1, 1e-7);
    p.l1 = 1;
    p.l2 = 0;
    solve(&p, NULL, 0.5, &beta, &c); /* (1 − β)₊ + β/2 */
    cr_expect_float_eq(beta, 1, 1e-7);
    solve(&p, NULL, 1.5, &beta, &c);
    cr_expect_eq(beta, 0.0);
}

/* ---- optimality conditions --------------------------------------------------------------------- */

enum { Q = 9, N = 120 };
static const double shares[4][2] = {{0, 0}, {0, 1}, {1, 0}, {0.4, 0.6}};

/* The largest violation of 0 ∈ ∂L, from sums over the rows alone. */
static double violation(const simulation *s, double lambda, const double *beta)
{
    const mest_problem *p = &s->p;
    double worst = 0;
    for (int j = 0; j < p->q; j++) {
        double g = 0;
        for (int i = 0; i < p->n; i++) {
            double f = 0, score;
            for (int k = 0; k < p->q; k++)
                f += s->x[k * p->n + i] * beta[k];
            loss_derivatives(&p->loss, 1, &s->y[i], &f, &score, NULL);
            g += s->omega[i] * score * s->x[j * p->n + i] / p->n;
        }
        double l1 = j == 0 ? 0 : lambda * p->l1, l2 = j == 0 ? 0 : lambda * p->l2;
        g += 2 * l2 * beta[j];
        double v = beta[j] > 0 ? fabs(g + l1) : beta[j] < 0 ? fabs(g - l1) : fmax(fabs(g) - l1, 0);
        worst = fmax(worst, v);
    }
    return worst;
}

Test(classic_solvers, smooth_losses_satisfy_the_optimality_conditions)
{
    static const classic_loss_kind kinds[] = {CLASSIC_SQUARED, CLASSIC_LOGISTIC, CLASSIC_HUBER,
                                              CLASSIC_STUDENT};
    for (int k = 0; k < 4; k++)
        for (int penalty = 0; penalty < 4; penalty++) {
            simulation s;
            simulate(&s, kinds[k], N, Q, shares[penalty][0], shares[penalty][1], 3);
            double beta[Q] = {0}, lambda;
            mest_certificate c;
            am_error err = {0};
            cr_assert_eq(mest_lambda_max(&s.p, &lambda, &err), AM_OK);
            lambda *= penalty == 0 ? 0 : 0.3;
            solve(&s.p, s.omega, lambda, beta, &c);
            cr_expect(c.converged, "%s", classic_loss_names[kinds[k]]);
            cr_expect_leq(violation(&s, lambda, beta), 1e-8, "%s, penalty %d: %g",
                          classic_loss_names[kinds[k]], penalty, violation(&s, lambda, beta));
            int zeros = 0;
            for (int j = 1; j < Q; j++)
                zeros += beta[j] == 0;
            cr_expect(penalty < 2 ? zeros == 0 : penalty > 2 || zeros > 0);
        }
}

/* No step along any column or random direction goes down: for a convex function that is the minimum
 * as far as one can see. */
Test(classic_solvers, piecewise_losses_cannot_be_improved)
{
    static const classic_loss_kind kinds[] = {CLASSIC_LAD, CLASSIC_QUANTILE, CLASSIC_HINGE};
    for (int k = 0; k < 3; k++)
        for (int penalty = 0; penalty < 4; penalty++) {
            simulation s;
            simulate(&s, kinds[k], N, Q, shares[penalty][0], shares[penalty][1], 5);
            double beta[Q] = {0}, lambda = penalty == 0 ? 0 : 0.03, moved[Q];
            mest_certificate c;
            solve(&s.p, s.omega, lambda, beta, &c);
            cr_expect(c.converged && c.residual < 1e-9, "%s, penalty %d: %g",
                      classic_loss_names[kinds[k]], penalty, c.residual);
            double best = objective(&s.p, s.omega, lambda, beta);
            for (uint32_t t = 0; t < 200; t++)
                for (double size = 1e-4; size < 1; size *= 10) {
                    for (int j = 0; j < Q; j++)
                        moved[j] = beta[j] + size * sim_normal(9, t, (uint32_t)j);
                    cr_expect_geq(objective(&s.p, s.omega, lambda, moved), best - 1e-9 * best);
                }
        }
}

/* A LAD line passes through two of the points: the best of all pairs is the minimum. */
Test(classic_solvers, lad_line_by_enumeration)
{
    enum { ROWS = 25 };
    simulation s;
    simulate(&s, CLASSIC_LAD, ROWS, 2, 0, 0, 7);
    double beta[2] = {0}, best = INFINITY, best_line[2] = {0};
    for (int a = 0; a < ROWS; a++)
        for (int b = 0; b < a; b++) {
            double slope = (s.y[a] - s.y[b]) / (s.x[ROWS + a] - s.x[ROWS + b]);
            double line[2] = {s.y[a] - slope * s.x[ROWS + a], slope};
            double value = objective(&s.p, s.omega, 0, line);
            if (value < best) {
                best = value;
                memcpy(best_line, line, sizeof line);
            }
        }
    mest_certificate c;
    solve(&s.p, s.omega, 0, beta, &c);
    cr_expect_float_eq(objective(&s.p, s.omega, 0, beta), best, 1e-9);
    cr_expect_float_eq(beta[0], best_line[0], 1e-6);
    cr_expect_float_eq(beta[1], best_line[1], 1e-6);
}

Test(classic_solvers, all_coefficients_are_zero_from_lambda_max_on)
{
    static const classic_loss_kind kinds[] = {CLASSIC_SQUARED, CLASSIC_LOGISTIC, CLASSIC_HUBER};
    for (int k = 0; k < 3; k++) {
        simulation s;
        simulate(&s, kinds[k], N, Q, 0.5, 0.5, 11);
        double beta[Q] = {0}, lambda;
        mest_certificate c;
        am_error err = {0};
        cr_assert_eq(mest_lambda_max(&s.p, &lambda, &err), AM_OK);
        for (int below = 0; below < 2; below++) {
            solve(&s.p, NULL, lambda * (below ? 0.99 : 1.0001), beta, &c);
            int count = 0;
            for (int j = 1; j < Q; j++)
                count += beta[j] != 0;
            cr_expect_eq(count, below);
        }
    }
}

Test(classic_solvers, rows_without_weight_do_not_count)
{
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++) {
        simulation s;
        simulate(&s, (classic_loss_kind)kind, N, 4, 0, 1, 13);
        double beta[4] = {0}, again[4] = {0};
        mest_certificate c;
        for (int i = 0; i < N; i++)
            s.omega[i] = i % 3 == 0 ? 0.0 : 1.5;
        solve(&s.p, s.omega, 0.05, beta, &c);
        for (int i = 0; i < N; i += 3) {
            s.y[i] = kind == CLASSIC_LOGISTIC ? 1 - s.y[i] : -s.y[i];
            s.x[2 * N + i] = 100;
        }
        solve(&s.p, s.omega, 0.05, again, &c);
        for (int j = 0; j < 4; j++)
            cr_expect_float_eq(beta[j], again[j], 1e-6, "%s", classic_loss_names[kind]);
    }
}

/* ---- bad input --------------------------------------------------------------------------------- */

Test(classic_solvers, separated_classes_are_an_error_unless_penalised)
{
    for (int quasi = 0; quasi < 2; quasi++) {
        simulation s;
        simulate(&s, CLASSIC_LOGISTIC, 80, 3, 0, 0, 17);
        for (int i = 0; i < 80; i++)
            s.y[i] = s.x[80 + i] + s.x[160 + i] > 0.2;
        if (quasi) { /* one point of either class on the border */
            s.x[80] = s.x[81] = 0.2;
            s.x[160] = s.x[161] = 0;
            s.y[0] = 0;
            s.y[1] = 1;
        }
        double beta[3] = {0};
        mest_certificate c;
        am_error err = {0};
        mest_solver *solver = mest_solver_new(&s.p, &err);
        cr_expect_eq(mest_solve(solver, NULL, 0, beta, &c, &err), AM_ERR_INPUT);
        cr_expect(strstr(err.message, "separate the classes") && strstr(err.message, "--penalty"));
        mest_solver_free(solver);
        s.p.l2 = 1;
        memset(beta, 0, sizeof beta);
        solve(&s.p, NULL, 0.01, beta, &c);
        cr_expect(c.converged && isfinite(beta[1]));
    }
}

Test(classic_solvers, a_singular_design_is_an_error_unless_penalised)
{
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++) {
        simulation s;
        simulate(&s, (classic_loss_kind)kind, 80, 4, 0, 0, 19);
        for (int i = 0; i < 80; i++)
            s.x[3 * 80 + i] = s.x[80 + i] - 2 * s.x[160 + i];
        double beta[4] = {0};
        mest_certificate c;
        am_error err = {0};
        mest_solver *solver = mest_solver_new(&s.p, &err);
        am_status status = mest_solve(solver, NULL, 0, beta, &c, &err);
        cr_expect(status == AM_ERR_INPUT || isfinite(beta[0] + beta[1] + beta[2] + beta[3]), "%s",
                  classic_loss_names[kind]);
        cr_expect(status == AM_OK || strstr(err.message, "--penalty"), "%s", err.message);
        mest_solver_free(solver);
        static const double again[2][2] = {{0, 1}, {1, 0}};
        for (int a = 0; a < 2; a++) {
            s.p.l1 = again[a][0];
            s.p.l2 = again[a][1];
            memset(beta, 0, sizeof beta);
            solve(&s.p, NULL, 0.01, beta, &c);
            cr_expect(isfinite(beta[0] + beta[1] + beta[2] + beta[3]), "%s",
                      classic_loss_names[kind]);
            cr_expect(c.converged, "%s, penalty %d: %g", classic_loss_names[kind], a, c.residual);
        }
    }
}

Test(classic_solvers, more_columns_than_rows_with_a_penalty)
{
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++)
        for (int a = 1; a < 4; a++) {
            simulation s;
            simulate(&s, (classic_loss_kind)kind, 15, 22, shares[a][0], shares[a][1], 23);
            double beta[22] = {0};
            mest_certificate c;
            solve(&s.p, NULL, 0.05, beta, &c);
            cr_expect(c.converged && c.residual <= MEST_TOLERANCE, "%s, penalty %d: %g",
                      classic_loss_names[kind], a, c.residual);
        }
}
