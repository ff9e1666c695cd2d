/* vexp and vtanh against double, in units in the last place. */
#include "backend/cpu/vmath.h"

#include <criterion/criterion.h>
#include <math.h>

/* |got − want| in units of the last place of a float of want's size (normal numbers) */
static double ulps(float got, double want)
{
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1.0, exponent - 24);
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Every 997th float of either sign; 0x7F800000 is infinity. */
enum { STRIDE = 997 };

Test(cpu_vmath, exponential_within_one_ulp)
{
    double worst = 0.0;
    for (uint32_t bits = 0; bits < 0x7F800000U; bits += STRIDE)
        for (int sign = 0; sign < 2; sign++) {
            float x = float_of(bits | (sign ? 0x80000000U : 0U));
            if (x <= 88.0F && x >= -87.336F) /* where the result is a normal float */
                worst = fmax(worst, ulps(vexp(x), exp((double)x)));
        }
    cr_assert_leq(worst, 1.0, "%.3f ulp", worst);
}

Test(cpu_vmath, hyperbolic_tangent_within_two_ulp)
{
    double worst = 0.0;
    for (uint32_t bits = 0x00800000U; bits < 0x7F800000U; bits += STRIDE)
        for (int sign = 0; sign < 2; sign++) {
            float x = float_of(bits | (sign ? 0x80000000U : 0U));
            worst = fmax(worst, ulps(vtanh(x), tanh((double)x)));
        }
    cr_assert_leq(worst, 2.0, "%.3f ulp", worst);
}

Test(cpu_vmath, special_values)
{
    cr_assert_eq(vexp(0.0F), 1.0F);
    cr_assert_eq(vexp(-INFINITY), 0.0F);
    cr_assert_eq(vexp(-1e30F), 0.0F);
    cr_assert_eq(vexp(-87.34F), 0.0F); /* a subnormal result is 0 */
    cr_assert(isnan(vexp(NAN)));
    cr_assert_eq(vtanh(0.0F), 0.0F);
    cr_assert_eq(vtanh(INFINITY), 1.0F);
    cr_assert_eq(vtanh(-INFINITY), -1.0F);
    cr_assert(isnan(vtanh(NAN)));
}
