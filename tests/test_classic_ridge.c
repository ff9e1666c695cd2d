/* classic/ridge: closed forms against hand-worked values and against their definitions. */
#include "classic/ridge_generator.h"
#include "linalg/linalg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR(value, expected) cr_expect_float_eq(value, expected, 1e-10)
#define OK(call)                                                                                   \
    do {                                                                                           \
        am_error error_ = {0};                                                                     \
        am_error *const err = &error_;                                                             \
        cr_assert_eq(call, AM_OK, "%s", error_.message);                                           \
    } while (0)

enum { POINTS = 12 };

static design sample(int n, int p, double rho)
{
    const linear_model model = {.n = n, .p = p, .active = 2, .b = 1, .rho = rho, .sigma = 1};
    design d;
    OK(simulate_linear(&model, 11, 0, 0, &d, err));
    return d;
}

static int *folds_of(int n, int folds)
{
    int *label;
    OK(simulate_folds("folds", n, folds, 11, 0, &label, err));
    return label;
}

/* ---- one fit ----------------------------------------------------------------------------------- */

/* x = (1, 2), y = (3, 5): 13/(5 + 2λ); with weights (2, 0): 6/(2 + 2λ). */
Test(classic_ridge, fit_by_hand)
{
    double x[2] = {1, 2}, y[2] = {3, 5}, omega[2] = {2, 0}, theta, error;
    const design d = {2, 1, x, y};
    OK(ridge_fit(&d, NULL, 0.75, &theta, err));
    NEAR(theta, 2);
    OK(ridge_fit(&d, omega, 0.5, &theta, err));
    NEAR(theta, 2);
    OK(ridge_error(&d, &theta, &error, err)); /* residuals 1 and 1 */
    NEAR(error, 1);
}

/* Constant, repeated and zero columns have their regularised answer. */
Test(classic_ridge, degenerate_columns)
{
    double x[12] = {1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0}, y[4] = {1, 2, 3, 4}, theta[3];
    const design d = {4, 3, x, y};
    OK(ridge_fit(&d, NULL, 1.0, theta, err)); /* θ ∝ (1, 2, 0)·10/(4·5 + 4) */
    NEAR(theta[0], 10.0 / 24);
    NEAR(theta[1], 20.0 / 24);
    NEAR(theta[2], 0);
}

/* ---- GCV --------------------------------------------------------------------------------------- */

/* V(λ) from its definition: the hat matrix column by column, each the fit to a unit vector. */
static double gcv_by_definition(const design *d, double lambda)
{
    double *theta = calloc((size_t)d->p, sizeof *theta), *unit = calloc((size_t)d->n, sizeof *unit);
    double trace = 0, error;
    for (int i = 0; i < d->n; i++) {
        design one = {d->n, d->p, d->x, unit};
        unit[i] = 1;
        OK(ridge_fit(&one, NULL, lambda, theta, err));
        for (int j = 0; j < d->p; j++)
            trace += d->x[linalg_at(i, j, d->n)] * theta[j];
        unit[i] = 0;
    }
    OK(ridge_fit(d, NULL, lambda, theta, err));
    OK(ridge_error(d, theta, &error, err));
    free(theta);
    free(unit);
    return error / ((1 - trace / d->n) * (1 - trace / d->n));
}

static void check_gcv(int n, int p)
{
    design d = sample(n, p, 0.3);
    ridge_spectrum s;
    OK(ridge_spectrum_open(&d, &s, err));
    for (double lambda = 1e-3; lambda < 100; lambda *= 10) {
        double expected = gcv_by_definition(&d, lambda);
        cr_expect_float_eq(ridge_gcv(&s, lambda) / expected, 1, 1e-9, "n %d p %d λ %g", n, p,
                           lambda);
    }
    cr_expect_float_eq(ridge_gcv(&s, 0) / ridge_gcv(&s, 1e-11), 1, 1e-6, "n %d p %d", n, p);
    ridge_spectrum_free(&s);
    design_free(&d);
}

Test(classic_ridge, gcv_is_its_definition)
{
    check_gcv(20, 5);
    check_gcv(9, 9);
    check_gcv(9, 30); /* by the 9 × 9 matrix XXᵀ */
    check_gcv(5, 1);
}

/* y = 0 is fitted perfectly; a design of zeros leaves V = ‖y‖²/n. */
Test(classic_ridge, gcv_of_degenerate_data)
{
    double x[3] = {0, 0, 0}, y[3] = {1, 2, 3};
    const design d = {3, 1, x, y}, square = {1, 1, y, y};
    ridge_spectrum s;
    OK(ridge_spectrum_open(&d, &s, err));
    NEAR(ridge_gcv(&s, 0.1), 14.0 / 3);
    NEAR(ridge_gcv(&s, 0), 14.0 / 3);
    ridge_spectrum_free(&s);
    OK(ridge_spectrum_open(&square, &s, err)); /* n = p = 1: V(0) = y²/d·d… = g² */
    cr_expect(isfinite(ridge_gcv(&s, 0)) && ridge_gcv(&s, 0) > 0);
    ridge_spectrum_free(&s);
}

/* ‖θ̂ − β‖² + σ² from the fit itself. */
static void check_risk(int n, int p)
{
    design d = sample(n, p, 0);
    ridge_spectrum s;
    double *theta = calloc((size_t)p, sizeof *theta), *fitted = calloc((size_t)n, sizeof *fitted);
    double *h = calloc((size_t)n, sizeof *h), expected = 1;
    OK(ridge_spectrum_open(&d, &s, err));
    for (int i = 0; i < n; i++) /* β = (1, 1, 0, …) */
        fitted[i] = d.x[i] + d.x[linalg_at(i, 1, n)];
    linalg_apply('t', n, s.k, s.u, fitted, h);
    OK(ridge_fit(&d, NULL, 0.2, theta, err));
    for (int j = 0; j < p; j++)
        expected += (theta[j] - (j < 2)) * (theta[j] - (j < 2));
    NEAR(ridge_risk(&s, h, 2, 1, 0.2), expected);
    cr_expect_float_eq(ridge_risk(&s, h, 2, 1, 0), ridge_risk(&s, h, 2, 1, 1e-12), 1e-7);
    ridge_spectrum_free(&s);
    design_free(&d);
    free(theta);
    free(fitted);
    free(h);
}

Test(classic_ridge, risk_under_a_known_truth)
{
    check_risk(12, 4);
    check_risk(6, 15);
}

/* ---- cross-validation -------------------------------------------------------------------------- */

/* One row at a time: the fit without its fold, with the whole sample's n in the penalty. */
static void cv_by_definition(const cv_problem *c, double *error)
{
    const design *d = c->d;
    double *theta = calloc((size_t)d->p, sizeof *theta);
    memset(error, 0, (size_t)c->points * sizeof *error);
    for (int f = 0; f < c->folds; f++) {
        design outside, inside;
        OK(design_rows(d, c->fold, f, false, &outside, err));
        OK(design_rows(d, c->fold, f, true, &inside, err));
        for (int j = 0; j < c->points; j++) {
            double mean;
            OK(ridge_fit(&outside, NULL, c->lambda[j] * d->n / outside.n, theta, err));
            OK(ridge_error(&inside, theta, &mean, err));
            error[j] += mean * inside.n / d->n;
        }
        design_free(&outside);
        design_free(&inside);
    }
    free(theta);
}

static void expect_same_curve(const double *a, const double *b, double tolerance)
{
    for (int i = 0; i < POINTS; i++)
        cr_expect_float_eq(a[i] / b[i], 1, tolerance, "point %d: %g %g", i, a[i], b[i]);
}

static void check_cv(int n, int p, int folds, double tolerance)
{
    design d = sample(n, p, 0.3);
    int *fold = folds_of(n, folds);
    double lambda[POINTS], expected[POINTS], error[POINTS];
    lambda_grid(1e-3, 10, POINTS, lambda);
    const cv_problem c = {&d, fold, folds, lambda, POINTS};
    const cv_method krylov = cv_rational_krylov();
    cv_by_definition(&c, expected);
    OK(ridge_cv(&c, &cv_exact, error, err));
    expect_same_curve(error, expected, 1e-9);
    OK(ridge_cv(&c, &cv_refits, error, err));
    expect_same_curve(error, expected, 1e-9);
    OK(ridge_cv(&c, &krylov, error, err));
    expect_same_curve(error, expected, tolerance);
    free(fold);
    design_free(&d);
}

Test(classic_ridge, cross_validation_is_its_definition)
{
    check_cv(40, 6, 5, 1e-8); /* p ≤ 7: the generator's space is the whole space */
    check_cv(60, 20, 4, 1e-3);
    check_cv(12, 3, 12, 1e-8); /* every fold one row */
    check_cv(10, 25, 5, 1e-3); /* more columns than rows */
    check_cv(9, 1, 2, 1e-8);
}

Test(classic_ridge, one_fold_is_refused)
{
    double x[2] = {1, 2}, y[2] = {1, 1}, lambda = 1, error;
    const int fold[2] = {0, 0};
    const design d = {2, 1, x, y};
    const cv_problem c = {&d, fold, 1, &lambda, 1};
    am_error err = {0};
    cr_expect_eq(ridge_cv(&c, &cv_exact, &error, &err), AM_ERR_INPUT);
    cr_expect(strstr(err.message, "one fold leaves no rows") != NULL, "%s", err.message);
}

/* Columns of zeros, repeated columns and y = 0 give numbers, by every method. */
Test(classic_ridge, cross_validation_of_degenerate_data)
{
    double x[24] = {0}, y[8] = {1, -1, 2, 0, 1, 3, -2, 1}, lambda[POINTS], error[POINTS];
    const int fold[8] = {0, 1, 0, 1, 0, 1, 0, 1};
    const cv_method krylov = cv_rational_krylov();
    const cv_method *const method[3] = {&cv_exact, &cv_refits, &krylov};
    lambda_grid(1e-6, 10, POINTS, lambda);
    for (int i = 0; i < 8; i++)
        x[8 + i] = x[16 + i] = i;
    for (int zero = 0; zero < 2; zero++)
        for (int m = 0; m < 3; m++) {
            const design d = {8, zero ? 1 : 3, x, y};
            const cv_problem c = {&d, fold, 2, lambda, POINTS};
            OK(ridge_cv(&c, method[m], error, err));
            for (int i = 0; i < POINTS; i++)
                cr_expect(isfinite(error[i]), "%d %d", zero, m);
            if (zero) /* nothing to fit: the mean of y² */
                NEAR(error[0], 21.0 / 8);
        }
}

/* ---- generators -------------------------------------------------------------------------------- */

Test(classic_ridge, features_by_hand)
{
    const lambda_features power = {.basis = LOG_POLYNOMIAL, .r = 3, .low = 0.1, .high = 10};
    const lambda_features cheb = {.basis = CHEBYSHEV, .r = 4, .low = 0.01, .high = 1};
    const lambda_features rational = {
        .basis = RATIONAL, .r = 2, .low = 1, .high = 3, .kappa = 1}; /* t from ½ to ¾ */
    double c[4];
    lambda_features_at(&power, exp(2), c);
    cr_expect(c[0] == 1 && fabs(c[1] - 2) < 1e-15 && fabs(c[2] - 4) < 1e-14);
    lambda_features_at(&cheb, pow(10, -0.5), c); /* u = ½: T = 1, ½, −½, −1 */
    NEAR(c[1], 0.5);
    NEAR(c[2], -0.5);
    NEAR(c[3], -1);
    lambda_features_at(&rational, 5.0 / 3, c); /* t = 5/8, in the middle */
    NEAR(c[1], 0);
}

Test(classic_ridge, nodes_are_zeros_of_the_next_polynomial)
{
    static const lambda_basis basis[2] = {CHEBYSHEV, RATIONAL};
    for (int b = 0; b < 2; b++) {
        const lambda_features f = {.basis = basis[b], .r = 6, .low = 1e-3, .high = 2, .kappa = 0.1};
        double node[5], c[6];
        lambda_features_nodes(&f, 5, node);
        for (int i = 0; i < 5; i++) {
            cr_expect(node[i] > f.low && node[i] < f.high && (i == 0 || node[i] > node[i - 1]));
            lambda_features_at(&f, node[i], c);
            NEAR(c[5], 0);
        }
    }
}

/* At its own nodes an interpolating generator is the refit. */
Test(classic_ridge, a_supervised_generator_interpolates)
{
    design d = sample(30, 8, 0.3);
    int *fold = folds_of(30, 3);
    double lambda[POINTS], exact[POINTS], error[POINTS];
    const double *at[3] = {lambda, lambda, lambda};
    lambda_grid(1e-3, 10, POINTS, lambda);
    const cv_problem c = {&d, fold, 3, lambda, POINTS};
    OK(ridge_cv(&c, &cv_exact, exact, err));
    const supervised_generator g = {CHEBYSHEV, POINTS, POINTS, at, 0};
    const cv_method method = cv_supervised(&g);
    OK(ridge_cv(&c, &method, error, err));
    expect_same_curve(error, exact, 1e-6);
    const supervised_generator r = {RATIONAL, 10, 10, NULL, 0};
    const cv_method rational = cv_supervised(&r);
    OK(ridge_cv(&c, &rational, error, err));
    expect_same_curve(error, exact, 1e-3);
    free(fold);
    design_free(&d);
}

/* Over its space the generator minimises the criterion: no multiple of it does better, and it is no
 * better than the exact fit. */
Test(classic_ridge, the_space_holds_the_minimiser)
{
    enum { P = 30 };
    design d = sample(90, P, 0.6);
    double gram[P * P], moment[P], theta[P], c[16], lambda = 0.01;
    ridge_space s;
    linalg_gram(d.n, P, d.x, gram);
    linalg_apply('t', d.n, P, d.x, d.y, moment);
    OK(ridge_space_open(d.n, P, gram, moment, &s, err));
    cr_assert_eq(s.r, 7);
    ridge_space_features(&s, &lambda, 1, c);
    linalg_apply('n', P, s.r, s.direction, c, theta);
    double value[3];
    for (int k = 0; k < 3; k++) { /* θ·(0.99, 1, 1.01) */
        double scaled[P], error, square = 0;
        for (int j = 0; j < P; j++) {
            scaled[j] = theta[j] * (0.99 + 0.01 * k);
            square += scaled[j] * scaled[j];
        }
        OK(ridge_error(&d, scaled, &error, err));
        value[k] = error + lambda * square;
    }
    cr_expect(value[1] < value[0] && value[1] < value[2]);
    double error, square = 0;
    OK(ridge_fit(&d, NULL, lambda, theta, err));
    OK(ridge_error(&d, theta, &error, err));
    for (int j = 0; j < P; j++)
        square += theta[j] * theta[j];
    double best = error + lambda * square;
    cr_expect(value[1] >= best * (1 - 1e-12) && value[1] < best * (1 + 1e-5), "%g %g", value[1],
              best);
    ridge_space_free(&s);
    design_free(&d);
}

Test(classic_ridge, grid_and_argmin)
{
    double lambda[3];
    const double value[4] = {3, 1, 1, 2};
    lambda_grid(0.01, 1, 3, lambda);
    NEAR(lambda[0], 0.01);
    NEAR(lambda[1], 0.1);
    NEAR(lambda[2], 1);
    cr_expect_eq(curve_argmin(value, 4), 1);
}
