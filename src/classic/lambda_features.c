#include "classic/ridge_generator.h"

#include <math.h>

static double mix(double low, double high, double share)
{
    return low + share * (high - low);
}

/* t = λ/(λ + κ) in (0, 1), and back */
static double to_share(double lambda, double kappa)
{
    return lambda / (lambda + kappa);
}

static double from_share(double t, double kappa)
{
    return kappa * t / (1.0 - t);
}

/* The coordinate that is −1 at low and 1 at high. */
static double coordinate(const lambda_features *f, double lambda)
{
    double low = log(f->low), high = log(f->high), at = log(lambda);
    if (f->basis == RATIONAL) {
        low = to_share(f->low, f->kappa);
        high = to_share(f->high, f->kappa);
        at = to_share(lambda, f->kappa);
    }
    return 2.0 * (at - low) / (high - low) - 1.0;
}

void lambda_features_at(const lambda_features *f, double lambda, double *c)
{
    double u = f->basis == LOG_POLYNOMIAL ? log(lambda) : coordinate(f, lambda);
    for (int k = 0; k < f->r; k++) {
        if (k < 2)
            c[k] = k == 0 ? 1.0 : u;
        else if (f->basis == LOG_POLYNOMIAL)
            c[k] = c[k - 1] * u;
        else /* T_k = 2u·T_{k−1} − T_{k−2} */
            c[k] = 2.0 * u * c[k - 1] - c[k - 2];
    }
}

void lambda_features_nodes(const lambda_features *f, int count, double *lambda)
{
    const double pi = 3.14159265358979323846;
    for (int i = 0; i < count; i++) {
        double share = 0.5 - 0.5 * cos(pi * (i + 0.5) / count);
        if (f->basis == RATIONAL)
            lambda[i] = from_share(
                mix(to_share(f->low, f->kappa), to_share(f->high, f->kappa), share), f->kappa);
        else
            lambda[i] = exp(mix(log(f->low), log(f->high), share));
    }
}
