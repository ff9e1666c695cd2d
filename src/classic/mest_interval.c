#include "classic/mest_interval.h"

#include <math.h>

double normal_cdf(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752); /* 1/√2 */
}

/* Abramowitz and Stegun 26.2.23, within 4.5e-4, then Newton's method on Φ in the lower tail, where
 * it loses no digits. */
double normal_quantile(double p)
{
    double tail = p < 0.5 ? p : 1.0 - p, t = sqrt(-2.0 * log(tail));
    double x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                         (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
    for (int i = 0; i < 4; i++) {
        double density = 0.39894228040143268 * exp(-0.5 * x * x); /* 1/√(2π) */
        x -= (normal_cdf(x) - tail) / density;
    }
    return p < 0.5 ? x : -x;
}

double interval_quantile(int count, const double *sorted, double p)
{
    double place = fmin(fmax(p, 0.0), 1.0) * (count - 1);
    int low = (int)place;
    if (low >= count - 1)
        return sorted[count - 1];
    return sorted[low] + (place - low) * (sorted[low + 1] - sorted[low]);
}

double interval_acceleration(int count, const double *u)
{
    double square = 0, cube = 0;
    for (int i = 0; i < count; i++) {
        square += u[i] * u[i];
        cube += u[i] * u[i] * u[i];
    }
    return square > 0 ? cube / (6.0 * square * sqrt(square)) : 0.0;
}

double interval_bias(int count, const double *sorted, double estimate)
{
    double below = 0;
    for (int i = 0; i < count; i++)
        below += sorted[i] < estimate ? 1.0 : sorted[i] == estimate ? 0.5 : 0.0;
    double share = fmin(fmax(below / count, 0.5 / count), 1.0 - 0.5 / count);
    return normal_quantile(share);
}

double interval_bca_order(double p, double z0, double a)
{
    double z = z0 + normal_quantile(p), d = 1.0 - a * z;
    if (d > 0)
        return normal_cdf(z0 + z / d);
    return z > 0 ? 1.0 : 0.0; /* beyond the pole of the transformation */
}
