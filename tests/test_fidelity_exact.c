/* fidelity against exact solutions, by hand. */
#include "tune/fidelity.h"

#include <criterion/criterion.h>
#include <math.h>

enum { DRAWS = 4, VALUES = 2 };

/* Deviations (−3, −1, 1, 3) and (2, 0, 0, −2) about 10 and 1000: Σδ² = 28, per value and draw, with
 * freedom 3, S = 28/6. */
static const double EXACT[DRAWS * VALUES] = {7, 1002, 9, 1000, 11, 1000, 13, 998};

/* shift + factor·(exact − mean) + tilt·(1, −1, −1, 1) on the first value */
static fidelity judge(double shift, double factor, double tilt)
{
    static const double mean[VALUES] = {10, 1000}, across[DRAWS] = {1, -1, -1, 1};
    double g[DRAWS * VALUES];
    fidelity f;
    am_error err = {0};
    for (int d = 0; d < DRAWS; d++)
        for (int j = 0; j < VALUES; j++)
            g[d * VALUES + j] = shift + factor * (EXACT[d * VALUES + j] - mean[j]) +
                                (j == 0 ? tilt * across[d] : 0);
    cr_assert_eq(fidelity_against_exact(g, EXACT, DRAWS, VALUES, &f, &err), AM_OK, "%s",
                 err.message);
    return f;
}

static void expect(const fidelity *f, double spread, double captured, double share,
                   const char *verdict)
{
    cr_expect_float_eq(f->signal.value, 28.0 / 6.0, 1e-5);
    cr_expect_float_eq(f->reproducible.value, 1, 1e-12);
    cr_expect_float_eq(f->spread.value, spread, 1e-6);
    cr_expect_float_eq(f->captured.value, captured, 1e-6);
    cr_expect_float_eq(f->fidelity.value, share, 1e-6);
    cr_expect_str_eq(fidelity_exact_verdict(f), verdict);
}

/* Where the mean lies does not matter, however far: deviations are formed in double. */
Test(fidelity_exact, by_hand)
{
    fidelity f = judge(0, 1, 0);
    expect(&f, 1, 1, 1, "PASS");
    f = judge(1e7, 1, 0);
    expect(&f, 1, 1, 1, "PASS");
    f = judge(0, 1.5, 0);
    expect(&f, 2.25, 1.5, 1, "FAIL");
    f = judge(0, -1, 0);
    expect(&f, 1, -1, -1, "FAIL");
    /* (1, −1, −1, 1) is orthogonal to (−3, −1, 1, 3): G = S + 4·tilt²/6, C = S */
    f = judge(0, 1, sqrt(7));
    expect(&f, 2, 1, sqrt(0.5), "FAIL");
    cr_expect_null(f.note);
}

Test(fidelity_exact, verdicts_at_their_limits)
{
    fidelity f = judge(0, sqrt(1.049), 0);
    cr_expect_str_eq(fidelity_exact_verdict(&f), "PASS");
    f = judge(0, sqrt(1.051), 0);
    cr_expect_str_eq(fidelity_exact_verdict(&f), "FAIL");
    f = judge(0, sqrt(0.949), 0);
    cr_expect_str_eq(fidelity_exact_verdict(&f), "FAIL");
    /* spread ratio 1 with fidelity cos a: δ_g = cos a·δ + tilt across, 4·tilt² = 28·sin² a */
    f = judge(0, 0.991, sqrt(7 * (1 - 0.991 * 0.991)));
    expect(&f, 1, 0.991, 0.991, "PASS");
    f = judge(0, 0.989, sqrt(7 * (1 - 0.989 * 0.989)));
    expect(&f, 1, 0.989, 0.989, "FAIL");
}

Test(fidelity_exact, a_generator_that_ignores_omega_fails)
{
    fidelity f = judge(3, 0, 0);
    expect(&f, 0, 0, 0, "FAIL");
    cr_expect_str_eq(f.note, "the predictions do not respond to ω");
}

/* Solutions that differ in the last bits alone do not respond to ω: there is nothing to follow. */
Test(fidelity_exact, rounding_is_no_response)
{
    double exact[DRAWS], g[DRAWS] = {1, 2, 3, 4};
    fidelity f;
    am_error err = {0};
    for (int d = 0; d < DRAWS; d++)
        exact[d] = 0.1 * (1 + d * 0x1p-52);
    cr_assert_eq(fidelity_against_exact(g, exact, DRAWS, 1, &f, &err), AM_OK);
    cr_expect(isnan(f.spread.value) && isnan(f.fidelity.value));
    cr_expect_str_eq(fidelity_exact_verdict(&f), "-");
    cr_expect_not_null(f.note);
}

Test(fidelity_exact, what_is_not_finite_is_said)
{
    double g[DRAWS] = {1, (double)NAN, 3, 4}, exact[DRAWS] = {1, 2, 3, 4};
    fidelity f;
    am_error err = {0};
    cr_assert_eq(fidelity_against_exact(g, exact, DRAWS, 1, &f, &err), AM_OK);
    cr_expect_str_eq(f.note, "a prediction is not finite");
    cr_expect_str_neq(fidelity_exact_verdict(&f), "PASS");
    cr_expect_eq(fidelity_against_exact(g, exact, 2, 1, &f, &err), AM_ERR_USAGE);
}
