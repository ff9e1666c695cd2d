/* log, exp and cos(πx): accuracy against long double, exact cases, and the very bits. */
#include "draw/portable.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

enum { SAMPLES = 200000 };
static const double TOLERANCE = 4.0 * 0x1p-53; /* documented: 3·2⁻⁵³ */

/* uniform on (low, high), replayable */
static double point(uint32_t i, double low, double high)
{
    philox4 r = philox(7, STREAM_TEST, 0, 0, i);
    return low + (high - low) * (((double)r.x[0] + (double)r.x[1] * 0x1p-32) * 0x1p-32);
}

static double relative_error(double got, long double want)
{
    return (double)(fabsl((long double)got - want) / fabsl(want));
}

/* cos(πx) with the argument brought, exactly, to where neither sin nor cos loses digits */
static long double reference_cospi(double x)
{
    const long double pi = 3.14159265358979323846264338327950288L;
    long double r = fmodl(fabsl((long double)x), 2.0L);
    r = r > 1.0L ? 2.0L - r : r; /* cos is even about 1 */
    if (r < 0.25L)
        return cosl(pi * r);
    if (r > 0.75L)
        return -cosl(pi * (1.0L - r));
    return sinl(pi * (0.5L - r));
}

Test(portable, log_is_accurate)
{
    double worst = 0.0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        double x[3] = {portable_from_bits((uint64_t)point(i, 1.0, 0x7E3p52)), /* any exponent */
                       point(i, 0.0, 1.0), 1.0 + point(i, -1e-3, 1e-3)};
        for (int j = 0; j < 3; j++)
            worst = fmax(worst, relative_error(portable_log(x[j]), logl((long double)x[j])));
    }
    cr_assert_lt(worst, TOLERANCE, "relative error %g", worst);
}

Test(portable, log_exact_and_extreme)
{
    cr_assert(portable_log(1.0) == 0.0);
    cr_assert(portable_log(2.0) == 0x1.62e42fefa39efp-1);
    cr_assert(portable_log(0.5) == -0x1.62e42fefa39efp-1);
    cr_assert_float_eq(portable_log(DBL_TRUE_MIN), -744.44007192138126, 1e-12); /* −1074 ln 2 */
    cr_assert_float_eq(portable_log(DBL_MAX), 709.78271289338397, 1e-12);
}

Test(portable, exp_is_accurate)
{
    double worst = 0.0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        double x[2] = {point(i, -700.0, 700.0), point(i, -1.0, 1.0)};
        for (int j = 0; j < 2; j++)
            worst = fmax(worst, relative_error(portable_exp(x[j]), expl((long double)x[j])));
    }
    cr_assert_lt(worst, TOLERANCE, "relative error %g", worst);
}

Test(portable, exp_exact_and_extreme)
{
    cr_assert(portable_exp(0.0) == 1.0);
    cr_assert(portable_exp(-0.0) == 1.0);
    cr_assert_float_eq(portable_exp(1.0), 2.718281828459045, 9e-16);
    cr_assert(portable_exp(710.0) == (double)INFINITY);
    cr_assert(portable_exp((double)INFINITY) == (double)INFINITY);
    cr_assert(portable_exp(-746.0) == 0.0);
    cr_assert(portable_exp(-(double)INFINITY) == 0.0);
    cr_assert(isnan(portable_exp((double)NAN)));
    double subnormal = portable_exp(-740.0); /* e⁻⁷⁴⁰ = 4.1996e−322 = 85 · 2⁻¹⁰⁷⁴ */
    cr_assert(subnormal == 85.0 * DBL_TRUE_MIN, "got %g", subnormal);
}

Test(portable, cospi_is_accurate)
{
    double worst = 0.0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        double x[3] = {point(i, -1e6, 1e6), point(i, -2.0, 2.0),
                       (double)i + 0.5 + point(i, -1e-6, 1e-6)}; /* close to a zero */
        for (int j = 0; j < 3; j++)
            worst = fmax(worst, relative_error(portable_cospi(x[j]), reference_cospi(x[j])));
    }
    cr_assert_lt(worst, TOLERANCE, "relative error %g", worst);
}

Test(portable, cospi_exact)
{
    for (int k = -8; k <= 8; k++) {
        cr_assert(portable_cospi(k) == (k % 2 ? -1.0 : 1.0), "at %d", k);
        cr_assert(portable_cospi(k + 0.5) == 0.0, "at %d + 1/2", k);
    }
    cr_assert(portable_cospi(1e6 + 1.0) == -1.0);
    cr_assert(portable_cospi(0x1p52 + 1.0) == -1.0);
    cr_assert(portable_cospi(0x1p60) == 1.0);
    cr_assert(isnan(portable_cospi((double)INFINITY)));
    cr_assert_float_eq(portable_cospi(1.0 / 3.0), 0.5, 4e-16);
    cr_assert_float_eq(portable_cospi(0.25), 0.70710678118654752, 1e-16);
}

Test(portable, rounds_to_the_nearest_float)
{
    for (uint32_t i = 0; i < SAMPLES; i++) {
        double u = point(i, 0.0, 1.0), x = point(i, -20.0, 20.0);
        cr_assert((float)portable_log(u) == (float)logl((long double)u), "log(%a)", u);
        cr_assert((float)portable_exp(x) == (float)expl((long double)x), "exp(%a)", x);
        cr_assert((float)portable_cospi(x) == (float)reference_cospi(x), "cospi(%a)", x);
    }
}

static uint64_t digest(uint64_t hash, double value) /* FNV-1a over 64-bit words */
{
    return (hash ^ portable_bits(value)) * 0x100000001B3u;
}

/* The bits that every machine, compiler and backend must give. Contraction of a·b+c changes them.
 */
Test(portable, bits_never_change)
{
    uint64_t log_hash = 0, exp_hash = 0, cospi_hash = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        log_hash = digest(log_hash, portable_log(point(i, 0.0, 3.0)));
        exp_hash = digest(exp_hash, portable_exp(point(i, -40.0, 40.0)));
        cospi_hash = digest(cospi_hash, portable_cospi(point(i, -3.0, 3.0)));
    }
    cr_expect_eq(log_hash, 0x6c04a93aa7b00f81u, "log %#llx", (unsigned long long)log_hash);
    cr_expect_eq(exp_hash, 0xa7efbe8bfed1171eu, "exp %#llx", (unsigned long long)exp_hash);
    cr_expect_eq(cospi_hash, 0x613856df91341d8fu, "cospi %#llx", (unsigned long long)cospi_hash);
}
