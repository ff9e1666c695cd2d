/* portable — log, exp and cos(πx) in double, the same bits on every processor.
 *
 * Only + − × ÷, IEEE square root, conversions and bit operations, each correctly rounded by IEEE
 * 754; compile without contraction of a·b+c. Each series is cut where its remainder is below 10⁻¹⁷
 * of the result, bounded beside it; with rounding the relative error is at most 3·2⁻⁵³ (measured
 * against 64-bit mantissas), so that a result rounded to float is the nearest float but for one
 * argument in some 10⁷. */
#ifndef AM_PORTABLE_H
#define AM_PORTABLE_H

#include "draw/philox.h" /* AM_HD */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline AM_HD uint64_t portable_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline AM_HD double portable_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Correctly rounded everywhere by IEEE 754. */
static inline AM_HD double portable_sqrt(double x)
{
    return sqrt(x);
}

/* ln 2 in two parts: HIGH has 21 trailing zero bits, so k·HIGH is exact for |k| < 2²⁰. */
#define PORTABLE_LN2_HIGH 0x1.62e42fee00000p-1
#define PORTABLE_LN2_LOW 0x1.a39ef35793c76p-33

/* Natural logarithm of a positive finite x.
 *
 *   x = 2ᵉ·m, √½ ≤ m < √2;   s = (m−1)/(m+1), |s| ≤ 0.1716
 *   log x = e·ln 2 + 2·atanh s,   atanh s = s + s³/3 + s⁵/5 + … + s²¹/21
 * Truncation: Σ_{k≥11} s²ᵏ/(2k+1) < 6·10⁻¹⁹ of the result. e = 0 all round x = 1, where log
 * vanishes, so nothing cancels. Free of branches, so that loops over it vectorise. */
static inline AM_HD double portable_log(double x)
{
    bool subnormal = x < 0x1p-1022;
    x *= subnormal ? 0x1p54 : 1.0;
    /* Offset the bits so that the exponent field counts from √½ instead of 1. */
    const uint64_t sqrt_half = 0x3FE6A09E667F3BCDu;
    uint64_t offset = portable_bits(x) - sqrt_half;
    int32_t field = (int32_t)(offset >> 52);
    field -= field >= 2048 ? 4096 : 0; /* sign of a 12-bit number */
    int32_t e = field - (subnormal ? 54 : 0);
    double m = portable_from_bits((offset & 0x000FFFFFFFFFFFFFu) + sqrt_half);

    double f = m - 1.0, s = f / (2.0 + f), z = s * s;
    double p = 1.0 / 21.0;
    p = p * z + 1.0 / 19.0;
    p = p * z + 1.0 / 17.0;
    p = p * z + 1.0 / 15.0;
    p = p * z + 1.0 / 13.0;
    p = p * z + 1.0 / 11.0;
    p = p * z + 1.0 / 9.0;
    p = p * z + 1.0 / 7.0;
    p = p * z + 1.0 / 5.0;
    p = p * z + 1.0 / 3.0;
    /* 2 atanh s = 2s + 2s·z·p, and 2s = f − s·f exactly, the rounding of s entering at order f². */
    double tail = s * (2.0 * z * p - f);
    return e * PORTABLE_LN2_HIGH + (f + (tail + e * PORTABLE_LN2_LOW));
}

/* eˣ. Overflows to +∞ above 709.78, underflows gradually to 0 below −708.
 *
 *   k = nearest integer to x/ln 2;   r = x − k·ln 2, |r| ≤ 0.3466
 *   eˣ = 2ᵏ·(1 + r + r²/2! + … + r¹³/13!)
 * Truncation: r¹⁴/14!·(1+…) < 6·10⁻¹⁸ of the result. */
static inline AM_HD double portable_exp(double x)
{
    if (!(x < 710.0))
        return x * 0x1p1023; /* +∞, or NaN */
    if (x < -746.0)
        return 0.0;
    double scaled = x * 1.4426950408889634; /* 1/ln 2 */
    int64_t k = (int64_t)(scaled + (x < 0.0 ? -0.5 : 0.5));
    double r = (x - (double)k * PORTABLE_LN2_HIGH) - (double)k * PORTABLE_LN2_LOW;

    double p = 1.0 / 6227020800.0; /* 1/13! */
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    double y = 1.0 + (r + r * r * p);
    /* 2ᵏ in two factors: k itself may lie outside the range of a double's exponent. */
    int64_t half = k / 2;
    return y * portable_from_bits((uint64_t)(1023 + half) << 52) *
           portable_from_bits((uint64_t)(1023 + k - half) << 52);
}

/* cos(πx). The reduction is exact for every finite x.
 *
 *   2|x| = q + f, q integer, |f| ≤ ½;   t = πf/2, |t| ≤ π/4
 *   q mod 4 = 0, 1, 2, 3:   cos(πx) = cos t, −sin t, −cos t, sin t, by Taylor to t¹⁶ and t¹⁷
 * Truncation: cos t¹⁸/18! < 3·10⁻¹⁸, sin t¹⁸/19! < 2·10⁻¹⁹ of the result. The error stays relative
 * near the zeros, since f is exact. */
static inline AM_HD double portable_cospi(double x)
{
    double a = x < 0.0 ? -x : x;
    if (!(a < 0x1p53))
        return x - x + 1.0; /* an even integer; NaN for ±∞ and NaN */
    int64_t q = (int64_t)(2.0 * a);
    double f = 2.0 * a - (double)q;
    if (f > 0.5) {
        f -= 1.0;
        q += 1;
    }
    double t = f * 1.5707963267948966, z = t * t; /* π/2 */
    double c = 1.0 / 20922789888000.0;            /* 1/16! */
    c = c * z - 1.0 / 87178291200.0;
    c = c * z + 1.0 / 479001600.0;
    c = c * z - 1.0 / 3628800.0;
    c = c * z + 1.0 / 40320.0;
    c = c * z - 1.0 / 720.0;
    c = c * z + 1.0 / 24.0;
    c = 1.0 - z * (0.5 - z * c);
    double s = 1.0 / 355687428096000.0; /* 1/17! */
    s = s * z - 1.0 / 1307674368000.0;
    s = s * z + 1.0 / 6227020800.0;
    s = s * z - 1.0 / 39916800.0;
    s = s * z + 1.0 / 362880.0;
    s = s * z - 1.0 / 5040.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 6.0;
    s = t + t * z * s;
    double y = (q & 1) ? s : c;
    return ((q + 1) & 2) ? -y : y; /* q = 1, 2: negative */
}

#endif
