/* vmath — exp and tanh in float, branch-free so that a loop over them becomes vector code, in
 * + − × ÷ alone. Both are NaN for NaN. Errors are measured against double over all floats. */
#ifndef AM_CPU_VMATH_H
#define AM_CPU_VMATH_H

#include <stdint.h>
#include <string.h>

/* eˣ for x ≤ 88, at most 1 ulp; 0 below ln FLT_MIN (−87.34), where the result would be subnormal.
 *   x = k·ln 2 + r, |r| ≤ ½ ln 2;  eʳ = 1 + r + r²·Q(r), minimax polynomial of Cephes expf. */
static inline float vexp(float x)
{
    const float round =
        12582912.0F; /* 1.5·2²³: adding it leaves the nearest integer in the low bits */
    float shifted = x * 1.44269504088896341F + round;
    float k = shifted - round;
    float r = x - k * 0.693359375F; /* ln 2 in two parts; the first product is exact */
    r = r - k * -2.12194440e-4F;
    float q = 1.9875691500e-4F;
    q = q * r + 1.3981999507e-3F;
    q = q * r + 8.3334519073e-3F;
    q = q * r + 4.1665795894e-2F;
    q = q * r + 1.6666665459e-1F;
    q = q * r + 5.0000001201e-1F;
    float e = q * (r * r) + r + 1.0F;
    uint32_t bits, power;
    memcpy(&bits, &shifted, sizeof bits);
    power = (bits + 127U) << 23; /* 2ᵏ: the low bits of `shifted` are k in two's complement */
    float scale;
    memcpy(&scale, &power, sizeof scale);
    return x < -87.33654F ? 0.0F : e * scale;
}

/* tanh x, at most 2 ulp.
 *   |x| < 0.625: x + x³·P(x²), Cephes tanhf;  else sign(x)·(1 − 2/(e^{2|x|} + 1)) */
static inline float vtanh(float x)
{
    float size = x < 0.0F ? -x : x;
    float z = x * x;
    float p = -5.70498872745e-3F;
    p = p * z + 2.06390887954e-2F;
    p = p * z - 5.37397155531e-2F;
    p = p * z + 1.33314422036e-1F;
    p = p * z - 3.33332819422e-1F;
    float small = p * z * x + x;
    float capped = size > 10.0F ? 10.0F : size; /* tanh 10 rounds to 1 */
    float large = 1.0F - 2.0F / (vexp(2.0F * capped) + 1.0F);
    large = x < 0.0F ? -large : large;
    return size < 0.625F ? small : large;
}

#endif
