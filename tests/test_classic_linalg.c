/* classic/linalg: products and decompositions on matrices small enough to work by hand. */
#include "linalg/linalg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define NEAR(value, expected) cr_expect_float_eq(value, expected, 1e-12)

/* X = [1 2; 3 4; 5 6], column by column */
static const double X[6] = {1, 3, 5, 2, 4, 6};

Test(classic_linalg, products)
{
    double g[4], y[3], back[2], c[9], scratch[6];
    const double ones[2] = {1, 1}, weight[3] = {1, 0, 4};
    linalg_gram(3, 2, X, g); /* [35 44; 44 56] */
    cr_expect(g[0] == 35 && g[1] == 44 && g[2] == 44 && g[3] == 56);
    linalg_weighted_gram(3, 2, X, weight, scratch, g); /* row 1 + 4·row 3 */
    cr_expect(g[0] == 101 && g[1] == 122 && g[2] == 122 && g[3] == 148);
    linalg_apply('n', 3, 2, X, ones, y);
    cr_expect(y[0] == 3 && y[1] == 7 && y[2] == 11);
    linalg_apply('t', 3, 2, X, y, back); /* (3 + 21 + 55, 6 + 28 + 66) */
    cr_expect(back[0] == 79 && back[1] == 100);
    linalg_multiply('n', 't', 3, 3, 2, X, X, c); /* XXᵀ: first row 5, 11, 17 */
    cr_expect(c[0] == 5 && c[3] == 11 && c[6] == 17 && c[8] == 61);
    linalg_multiply('t', 'n', 2, 2, 3, X, X, g);
    cr_expect(g[0] == 35 && g[1] == 44 && g[2] == 44 && g[3] == 56);
    linalg_add_product(3, 1, 2, X, ones, y);
    cr_expect(y[0] == 6 && y[1] == 14 && y[2] == 22);
}

Test(classic_linalg, finite)
{
    const double numbers[3] = {1, -1e300, NAN};
    cr_expect(linalg_finite(numbers, 2) && !linalg_finite(numbers, 3));
    cr_expect_eq(linalg_at(2, 3, 5), 17);
}

/* [2 1; 1 2] has eigenvalues 1 and 3, with eigenvectors (1, −1)/√2 and (1, 1)/√2. */
Test(classic_linalg, eigen)
{
    double a[4] = {2, 1, NAN, 2}, d[2]; /* the upper triangle is not read, but must be finite */
    am_error err = {0};
    cr_expect_eq(linalg_eigen("numbers", 2, a, d, &err), AM_ERR_INPUT);
    cr_expect_str_eq(err.message,
                     "numbers: numbers too large for double precision; rescale the columns");
    a[2] = 77;
    cr_assert_eq(linalg_eigen("numbers", 2, a, d, &err), AM_OK);
    NEAR(d[0], 1);
    NEAR(d[1], 3);
    NEAR(a[0] + a[1], 0);
    NEAR(a[2] - a[3], 0);
    NEAR(fabs(a[3]), sqrt(0.5));
}

/* U·diag(s)·Vᵀ gives the matrix back, s² are the eigenvalues of XᵀX: s₁²s₂² = 35·56 − 44² = 24. */
Test(classic_linalg, singular_values)
{
    double a[6], u[6], s[2], vt[4];
    am_error err = {0};
    memcpy(a, X, sizeof a);
    cr_assert_eq(linalg_svd("numbers", 3, 2, a, u, s, vt, &err), AM_OK);
    cr_expect(s[0] >= s[1]);
    NEAR(s[0] * s[0] + s[1] * s[1], 91);
    NEAR(s[0] * s[0] * s[1] * s[1], 24);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2; j++)
            NEAR(u[i] * s[0] * vt[2 * j] + u[3 + i] * s[1] * vt[2 * j + 1], X[linalg_at(i, j, 3)]);
}

/* [4 2; 2 3]·(1, 2) = (8, 8) */
Test(classic_linalg, solve)
{
    double a[4] = {4, 2, 2, 3}, b[4] = {8, 8, 4, 2};
    am_error err = {0};
    cr_assert_eq(linalg_solve("numbers", 2, a, 2, b, &err), AM_OK);
    NEAR(b[0], 1);
    NEAR(b[1], 2);
    NEAR(b[2], 1);
    NEAR(b[3], 0);
}

/* Units do not matter: diag(1e−150, 1e150) is as well conditioned as 1. */
Test(classic_linalg, solve_is_indifferent_to_units)
{
    double a[4] = {1e-150, 0.5, 0.5, 1e150}, b[2] = {1.5e-150, 2.5}; /* (1 + ½·10^-150…) */
    am_error err = {0};
    b[0] = 1e-150 + 0.5e-150; /* x = (1, 1e−150) */
    b[1] = 0.5 + 1;
    cr_assert_eq(linalg_solve("numbers", 2, a, 1, b, &err), AM_OK, "%s", err.message);
    NEAR(b[0], 1);
    NEAR(b[1] * 1e150, 1);
}

Test(classic_linalg, singular_systems_are_refused)
{
    static const double systems[4][4] = {
        {1, 1, 1, 1}, {1, 0, 0, 0}, {1, 2, 2, 1}, {1, 1 - 1e-16, 1 - 1e-16, 1}};
    for (int i = 0; i < 4; i++) {
        double a[4], b[2] = {1, 1}, factor[4];
        am_error err = {0};
        memcpy(a, systems[i], sizeof a);
        cr_expect_eq(linalg_solve("two columns", 2, a, 1, b, &err), AM_ERR_INPUT, "%d", i);
        cr_expect_str_eq(err.message, "two columns: the system is singular; drop constant or "
                                      "repeated columns, or take a larger λ");
        if (i == 2)
            cr_expect_eq(linalg_factor("two columns", 2, systems[i], 0.5, factor, &err),
                         AM_ERR_INPUT);
    }
}

/* [1 1; 1 1] + 1·I = [2 1; 1 2]: solves (3, 3) with (1, 1), (1, −1) with (1, −1). */
Test(classic_linalg, factor_with_a_shift)
{
    const double a[4] = {1, 1, 1, 1};
    double factor[4], b[4] = {3, 3, 1, -1};
    am_error err = {0};
    cr_assert_eq(linalg_factor("numbers", 2, a, 1, factor, &err), AM_OK);
    linalg_factor_solve(2, factor, 2, b);
    NEAR(b[0], 1);
    NEAR(b[1], 1);
    NEAR(b[2], 1);
    NEAR(b[3], -1);
}

/* Columns stay orthonormal and span (1,1,1) and (1,2,3), dependent ones are completed. */
Test(classic_linalg, orthonormal_columns)
{
    double a[6] = {1, 1, 1, 1, 2, 3}, same[6] = {1, 1, 1, 2, 2, 2}, g[4];
    am_error err = {0};
    cr_assert_eq(linalg_orthonormal("numbers", 3, 2, a, &err), AM_OK);
    NEAR(fabs(a[0]), sqrt(1.0 / 3));
    NEAR(fabs(a[3]), sqrt(0.5)); /* (−1, 0, 1)/√2 */
    NEAR(a[4], 0);
    cr_assert_eq(linalg_orthonormal("numbers", 3, 2, same, &err), AM_OK);
    linalg_gram(3, 2, same, g);
    NEAR(g[0], 1);
    NEAR(g[1], 0);
    NEAR(g[3], 1);
}

/* The line through (0,1), (1,3), (2,5) is 1 + 2x. */
Test(classic_linalg, least_squares)
{
    double a[6] = {1, 1, 1, 0, 1, 2}, b[3] = {1, 3, 5};
    int rank = 0;
    am_error err = {0};
    cr_assert_eq(linalg_least_squares("numbers", 3, 2, a, 1, b, &rank, &err), AM_OK);
    cr_expect_eq(rank, 2);
    NEAR(b[0], 1);
    NEAR(b[1], 2);
}

/* Two equal columns share the coefficient; one equation for two unknowns takes the shortest answer:
 * x + 2y = 5 gives (1, 2). */
Test(classic_linalg, least_squares_of_least_norm)
{
    double repeated[4] = {1, 2, 1, 2}, b[2] = {2, 4}, wide[2] = {1, 2}, c[2] = {5, 0};
    int rank = 0;
    am_error err = {0};
    cr_assert_eq(linalg_least_squares("numbers", 2, 2, repeated, 1, b, &rank, &err), AM_OK);
    cr_expect_eq(rank, 1);
    NEAR(b[0], 1);
    NEAR(b[1], 1);
    cr_assert_eq(linalg_least_squares("numbers", 1, 2, wide, 1, c, &rank, &err), AM_OK);
    NEAR(c[0], 1);
    NEAR(c[1], 2);
}

/* One column (1, 2), y = (3, 5): 13/(5 + 1.5) = 2. */
Test(classic_linalg, ridge)
{
    const double x[2] = {1, 2}, y[2] = {3, 5};
    double b;
    am_error err = {0};
    cr_assert_eq(linalg_ridge("numbers", 2, 1, x, 1, y, 1.5, &b, &err), AM_OK);
    NEAR(b, 2);
}

/* More columns than rows: x = (1, 2), y = 7, penalty 2: b = xᵀ·7/(5 + 2) = (1, 2). */
Test(classic_linalg, ridge_with_more_columns_than_rows)
{
    const double x[2] = {1, 2}, y = 7;
    double b[2];
    am_error err = {0};
    cr_assert_eq(linalg_ridge("numbers", 1, 2, x, 1, &y, 2, b, &err), AM_OK);
    NEAR(b[0], 1);
    NEAR(b[1], 2);
    cr_expect_eq(linalg_ridge("numbers", 1, 2, x, 1, &y, 0, b, &err), AM_ERR_INPUT);
    cr_expect(strstr(err.message, "singular") != NULL, "%s", err.message);
}
