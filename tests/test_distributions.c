/* Distributions one number at a time: their laws, by Kolmogorov–Smirnov and χ², and exact cases. */
#include "draw/distributions.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 20000 };
/* sup |F_n − F|·√n exceeds this with probability 10⁻³ (Kolmogorov) */
static const double KS_LIMIT = 1.95;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* √n·sup |F_n − F|, where value[i] = F(sample i) should be uniform; sorts value */
static double kolmogorov(double *value, int n)
{
    double worst = 0.0;
    qsort(value, (size_t)n, sizeof *value, compare);
    for (int i = 0; i < n; i++)
        worst = fmax(worst, fmax((i + 1.0) / n - value[i], value[i] - (double)i / n));
    return worst * sqrt(n);
}

/* P(α, x) = x^α e^{−x} Σ_k x^k/Γ(α+k+1) */
static double gamma_cdf(double alpha, double x)
{
    double term = 1.0 / alpha, sum = term;
    for (int k = 1; term > 1e-17 * sum; k++) {
        term *= x / (alpha + k);
        sum += term;
    }
    return x > 0.0 ? sum * exp(alpha * log(x) - x - lgamma(alpha)) : 0.0;
}

Test(distributions, exponential_law)
{
    static double value[SAMPLES];
    for (uint32_t b = 0; b < SAMPLES; b++)
        value[b] = 1.0 - exp(-draw_exponential(11, STREAM_TEST, 2, 3, b));
    double ks = kolmogorov(value, SAMPLES);
    cr_assert_lt(ks, KS_LIMIT, "KS %g", ks);
}

/* Known answer: word 0 of Philox at counter 0, key 0, is 6627e8d5. */
Test(distributions, exponential_by_hand)
{
    double u = (0x6627e8d5 + 0.5) / 4294967296.0;
    cr_assert_float_eq(draw_exponential(0, 0, 0, 0, 0), -log(u), 1e-15);
}

Test(distributions, gamma_law)
{
    static double value[SAMPLES];
    const double alpha[] = {DIRICHLET_ALPHA_MIN, 0.3, 0.999, 1.0, 1.5, 2.0, 7.0, 100.0};
    for (unsigned a = 0; a < sizeof alpha / sizeof *alpha; a++) {
        for (uint32_t b = 0; b < SAMPLES; b++) {
            double g = draw_gamma(12, STREAM_TEST, a, 1, b, alpha[a]);
            cr_assert(g > 0.0 && isfinite(g), "gamma(%g) gave %g", alpha[a], g);
            value[b] = gamma_cdf(alpha[a], g);
        }
        double ks = kolmogorov(value, SAMPLES);
        cr_expect_lt(ks, KS_LIMIT, "gamma(%g): KS %g", alpha[a], ks);
    }
}

/* Gamma(10⁶) is normal to 10⁻³: mean α, variance α. */
Test(distributions, gamma_of_the_largest_alpha)
{
    double sum = 0.0, squares = 0.0;
    for (uint32_t b = 0; b < SAMPLES; b++) {
        double z = (draw_gamma(13, STREAM_TEST, 0, 0, b, DIRICHLET_ALPHA_MAX) - 1e6) / 1e3;
        sum += z;
        squares += z * z;
    }
    cr_assert_float_eq(sum / SAMPLES, 0.0, 4.0 / sqrt(SAMPLES));
    cr_assert_float_eq(squares / SAMPLES, 1.0, 4.0 * sqrt(2.0 / SAMPLES));
}

/* Neighbours in element, draw and step are uncorrelated, rejected attempts included. */
Test(distributions, gamma_neighbours_are_independent)
{
    const uint32_t shift[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}; /* element, draw, step */
    const double alpha = 1.0; /* rejects most often: 5 % of attempts */
    for (int k = 0; k < 3; k++) {
        double product = 0.0;
        for (uint32_t b = 0; b < SAMPLES; b++) {
            double x = draw_gamma(14, STREAM_TEST, 0, 0, 2 * b, alpha);
            double y =
                draw_gamma(14, STREAM_TEST, shift[k][2], shift[k][1], 2 * b + shift[k][0], alpha);
            product += (x - 1.0) * (y - 1.0);
        }
        cr_expect_float_eq(product / SAMPLES, 0.0, 4.0 / sqrt(SAMPLES), "neighbour %d", k);
    }
}

Test(distributions, dirichlet_gamma_of_one_is_exponential)
{
    for (uint32_t b = 0; b < 100; b++)
        cr_assert(dirichlet_gamma(1, STREAM_OMEGA, 2, 3, b, 1.0) ==
                  draw_exponential(1, STREAM_OMEGA, 2, 3, b));
}

Test(distributions, dirichlet_tree_adds_every_lane)
{
    double lane[DIRICHLET_LANES];
    for (int l = 0; l < DIRICHLET_LANES; l++)
        lane[l] = l;
    cr_assert(dirichlet_tree(lane) == 32640.0); /* 255·256/2 */
}

/* Lanes 1 and 129 meet before they meet lane 0: 1 + 2·2⁻⁵³ is kept, where adding one lane after the
 * other would lose both. */
Test(distributions, dirichlet_tree_has_its_shape)
{
    double lane[DIRICHLET_LANES] = {1.0, 0x1p-53};
    lane[129] = 0x1p-53;
    cr_assert(dirichlet_tree(lane) == 1.0 + 0x1p-52);
}

Test(distributions, multinomial_blocks_are_uniform)
{
    uint32_t count[7] = {0};
    for (uint32_t trial = 0; trial < 70000; trial++) {
        uint32_t block = multinomial_block(15, STREAM_TEST, 0, 0, trial, 7);
        cr_assert_lt(block, 7);
        count[block]++;
    }
    double chi = 0.0;
    for (int b = 0; b < 7; b++)
        chi += (count[b] - 1e4) * (count[b] - 1e4) / 1e4;
    cr_assert_lt(chi, 22.46, "chi-square %g", chi); /* 6 degrees of freedom, p = 10⁻³ */
}

/* ⌊K·r/2⁶⁴⌋ with the known answer r = 6627e8d5e169c58d: r/2⁶⁴ = 0.39904647… */
Test(distributions, multinomial_block_by_hand)
{
    cr_assert_eq(multinomial_block(0, 0, 0, 0, 0, 1), 0);
    cr_assert_eq(multinomial_block(0, 0, 0, 0, 0, 10), 3);
    cr_assert_eq(multinomial_block(0, 0, 0, 0, 0, 100000000), 39904647);
}

Test(distributions, folds_take_turns)
{
    /* M = 2, K = 3: draws 0, 1 of step 0 leave out 0, 1; of step 1: 2, 0. */
    const uint64_t left_out[2][2] = {{0, 1}, {2, 0}};
    for (uint64_t step = 0; step < 2; step++)
        for (uint64_t m = 0; m < 2; m++)
            for (uint64_t b = 0; b < 3; b++)
                cr_assert(fold_weight(step, 2, m, b, 3) == (b == left_out[step][m] ? 0.0 : 1.5));
}

Test(distributions, lambda_of_u_is_log_uniform)
{
    double low = log(1e-5), high = log(1e-1);
    cr_assert_float_eq(lambda_of_u(-1.0, low, high), 1e-5, 1e-18);
    cr_assert_float_eq(lambda_of_u(0.0, low, high), 1e-3, 1e-16);
    cr_assert_float_eq(lambda_of_u(1.0, low, high), 1e-1, 1e-14);
}
