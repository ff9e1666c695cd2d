/* mest_interval — confidence intervals from draws of an estimate. */
#ifndef AM_CLASSIC_MEST_INTERVAL_H
#define AM_CLASSIC_MEST_INTERVAL_H

/* Φ and its inverse, 0 < p < 1. */
double normal_cdf(double x);
double normal_quantile(double p);

/* The quantile of order p of sorted numbers, linear between them: place p·(count − 1). */
double interval_quantile(int count, const double *sorted, double p);
/* Σ u³ / (6·(Σ u²)^{3/2}) of centred influences (count): BCa's acceleration; 0 when all are 0. */
double interval_acceleration(int count, const double *influence);
/* Φ⁻¹ of the share of draws below the estimate, ties half: BCa's bias correction. The share is kept
 * half a draw away from 0 and 1. */
double interval_bias(int count, const double *sorted, double estimate);
/* The order of the quantile that BCa takes in place of p (Efron 1987):
 *   Φ(z0 + (z0 + z_p)/(1 − a·(z0 + z_p))) */
double interval_bca_order(double p, double z0, double acceleration);

#endif
