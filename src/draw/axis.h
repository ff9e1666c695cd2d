/* axis — where λ lies on u ∈ [−1, 1], and what λ is there.
 *
 * u is the normalised logarithm of λ + λ₀. The knee λ₀ = 0 makes it that of λ itself; a positive one
 * leaves less of the axis to the λ far below it, where networks hardly differ any more. */
#ifndef AM_AXIS_H
#define AM_AXIS_H

#include "draw/portable.h"

typedef struct {
    double low, high; /* natural logarithms of the range's ends, each plus the knee */
    double knee;      /* λ₀ ≥ 0 */
} lambda_axis;

/* λ = exp(low + (u+1)/2·(high − low)); low and high are natural logarithms. */
static inline AM_HD double lambda_of_u(double u, double log_low, double log_high)
{
    return portable_exp(log_low + 0.5 * (u + 1.0) * (log_high - log_low));
}

/* λ(u) = exp(low + (u+1)/2·(high − low)) − λ₀ */
static inline AM_HD double axis_lambda(lambda_axis a, double u)
{
    return lambda_of_u(u, a.low, a.high) - a.knee;
}

/* u(λ) = 2·(log(λ + λ₀) − low)/(high − low) − 1, clamped to [−1, 1] */
static inline AM_HD double axis_u(lambda_axis a, double lambda)
{
    double span = a.high - a.low;
    double u = 2.0 * (portable_log(lambda + a.knee) - a.low) / span - 1.0;
    return u < -1.0 ? -1.0 : u > 1.0 ? 1.0 : u;
}

/* The normalised log λ of u: u itself without a knee. */
static inline AM_HD double axis_level(lambda_axis a, double u)
{
    if (!(a.knee > 0.0))
        return u;
    double low = portable_log(axis_lambda(a, -1.0)), high = portable_log(axis_lambda(a, 1.0));
    return 2.0 * (portable_log(axis_lambda(a, u)) - low) / (high - low) - 1.0;
}

#endif
