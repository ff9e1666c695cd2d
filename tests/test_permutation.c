/* The keyed permutation: a bijection for every n, uniform over the keys, the same for ever. */
#include "draw/permutation.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static void expect_bijection(uint64_t n, uint32_t key)
{
    bool *seen = calloc(n, sizeof *seen);
    cr_assert_not_null(seen);
    permutation p = permutation_of(42, STREAM_TEST, key, n);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = permutation_at(&p, i);
        cr_assert_lt(at, n, "n = %llu", (unsigned long long)n);
        cr_assert_not(seen[at], "n = %llu: %llu twice", (unsigned long long)n,
                      (unsigned long long)at);
        seen[at] = true;
    }
    free(seen);
}

Test(permutation, is_a_bijection)
{
    for (uint64_t n = 1; n <= 300; n++)
        expect_bijection(n, (uint32_t)n);
    const uint64_t large[] = {1000, 32768, 32769, 50000, 60000, 65535, 65536, 65537};
    for (unsigned i = 0; i < sizeof large / sizeof *large; i++)
        for (uint32_t key = 0; key < 2; key++)
            expect_bijection(large[i], key);
}

/* 2⁴⁰ and its neighbourhood: inside, and no two of a thousand neighbours alike. */
Test(permutation, largest_n)
{
    const uint64_t n[] = {(uint64_t)1 << 40, ((uint64_t)1 << 39) + 1};
    for (int k = 0; k < 2; k++) {
        permutation p = permutation_of(1, STREAM_TEST, 0, n[k]);
        uint64_t at[1000], high = 0;
        for (unsigned i = 0; i < 1000; i++) {
            at[i] = permutation_at(&p, n[k] - 1 - i);
            cr_assert_lt(at[i], n[k]);
            high += at[i] >= n[k] / 2;
            for (unsigned j = 0; j < i; j++)
                cr_assert_neq(at[i], at[j]);
        }
        cr_assert(high > 430 && high < 570, "%llu of 1000 in the upper half",
                  (unsigned long long)high); /* sd 15.8 */
    }
}

/* (χ² − df)/√(2 df), about standard normal when every cell is equally likely */
static double chi_square_z(const uint32_t *count, unsigned cells, double expected, double df)
{
    double chi = 0.0;
    for (unsigned i = 0; i < cells; i++)
        chi += (count[i] - expected) * (count[i] - expected) / expected;
    return (chi - df) / sqrt(2.0 * df);
}

/* All n! orders equally likely, n ≤ 5: the smallest domains are the hardest for a Feistel network.
 */
Test(permutation, small_orders_are_uniform)
{
    const uint32_t keys = 100000;
    for (unsigned n = 2, orders = 2; n <= 5; n++, orders *= n) {
        uint32_t count[120] = {0};
        for (uint32_t key = 0; key < keys; key++) {
            permutation p = permutation_of(3, STREAM_TEST, key, n);
            unsigned code = 0, value[5]; /* Lehmer code */
            for (unsigned i = 0; i < n; i++) {
                value[i] = (unsigned)permutation_at(&p, i);
                unsigned rank = value[i];
                for (unsigned j = 0; j < i; j++)
                    rank -= value[j] < value[i];
                code = code * (n - i) + rank;
            }
            count[code]++;
        }
        double z = chi_square_z(count, orders, (double)keys / orders, orders - 1.0);
        cr_expect(fabs(z) < 4.0, "n = %u: z = %g", n, z);
    }
}

Test(permutation, positions_are_uniform)
{
    const uint32_t keys = 100000;
    const unsigned size[] = {10, 16, 60, 100, 128, 1000};
    for (unsigned s = 0; s < sizeof size / sizeof *size; s++) {
        unsigned n = size[s], element[3] = {0, 1, n - 1};
        for (int e = 0; e < 3; e++) {
            uint32_t count[1000] = {0};
            for (uint32_t key = 0; key < keys; key++) {
                permutation p = permutation_of(4, STREAM_TEST, key, n);
                count[permutation_at(&p, element[e])]++;
            }
            double z = chi_square_z(count, n, (double)keys / n, n - 1.0);
            cr_expect(fabs(z) < 4.0, "n = %u, element %u: z = %g", n, element[e], z);
        }
    }
}

/* Where two elements go, jointly: n(n−1) cells, the diagonal empty. */
Test(permutation, pairs_are_uniform)
{
    enum { N = 20, KEYS = 200000 };
    const unsigned pair[4][2] = {{0, 1}, {0, 19}, {9, 10}, {4, 12}};
    for (int k = 0; k < 4; k++) {
        uint32_t count[N * N] = {0};
        for (uint32_t key = 0; key < KEYS; key++) {
            permutation p = permutation_of(5, STREAM_TEST, key, N);
            count[permutation_at(&p, pair[k][0]) * N + permutation_at(&p, pair[k][1])]++;
        }
        const double cells = N * (N - 1), expected = KEYS / cells;
        /* The empty diagonal adds N·expected to the sum over N² cells. */
        double z = chi_square_z(count, N * N, expected, cells - 1.0) -
                   N * expected / sqrt(2.0 * (cells - 1.0));
        cr_expect(fabs(z) < 4.0, "pair %d: z = %g", k, z);
    }
}

/* Fixed points are Poisson(1): mean 1, variance 1, whatever n. */
Test(permutation, fixed_points_are_as_chance_has_them)
{
    const unsigned n = 200, keys = 5000;
    double sum = 0.0, squares = 0.0;
    for (uint32_t key = 0; key < keys; key++) {
        permutation p = permutation_of(6, STREAM_TEST, key, n);
        unsigned fixed = 0;
        for (uint64_t i = 0; i < n; i++)
            fixed += permutation_at(&p, i) == i;
        sum += fixed;
        squares += (double)fixed * fixed;
    }
    double mean = sum / keys, variance = squares / keys - mean * mean;
    cr_assert_float_eq(mean, 1.0, 4.0 / sqrt(keys));
    cr_assert_float_eq(variance, 1.0, 4.0 * sqrt(3.0 / keys)); /* Var s² ≈ (μ₄ − 1)/N, μ₄ = 4 */
}

/* Neighbouring keys, seeds, streams and draws give unrelated orders: about one agreement in n. */
Test(permutation, every_counter_matters)
{
    const uint64_t n = 10000;
    permutation base = permutation_of(1, STREAM_TEST, 0, n);
    permutation other[] = {permutation_of(2, STREAM_TEST, 0, n),
                           permutation_of((uint64_t)1 << 32 | 1, STREAM_TEST, 0, n),
                           permutation_of(1, STREAM_ROWS, 0, n),
                           permutation_of(1, STREAM_TEST, 1, n),
                           permutation_of_draw(1, STREAM_TEST, 0, 1, n)};
    for (unsigned k = 0; k < sizeof other / sizeof *other; k++) {
        unsigned agree = 0;
        for (uint64_t i = 0; i < n; i++)
            agree += permutation_at(&base, i) == permutation_at(&other[k], i);
        cr_expect_lt(agree, 8, "%u agreements with variant %u", agree, k); /* Poisson(1) */
    }
}

/* Splits, blocks and epochs of saved models depend on these numbers. */
Test(permutation, order_never_changes)
{
    permutation p = permutation_of(42, STREAM_SPLIT, 0, 60000);
    const uint64_t want[8] = {34972, 21134, 29521, 57426, 24859, 7451, 11139, 55521};
    for (uint64_t i = 0; i < 8; i++)
        cr_expect_eq(permutation_at(&p, i), want[i], "%llu: %llu", (unsigned long long)i,
                     (unsigned long long)permutation_at(&p, i));
}
