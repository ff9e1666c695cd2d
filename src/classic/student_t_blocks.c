/* Derivatives of ℓ = τ + φ(z), z = (y − μ)e^(−τ), φ(z) = (ν+1)/2·log(1 + z²/ν), summed over blocks. */
#include "classic/student_t.h"

#include <math.h>
#include <string.h>

void student_t_block_moments(const blocked_sample *s, double nu, location_scale at,
                             student_t_moments *moments)
{
    double inverse = 1.0 / at.sigma;
    memset(moments, 0, (size_t)s->blocks * sizeof *moments);
    for (int i = 0; i < s->n; i++) {
        double z = (s->y[i] - at.mu) * inverse, a = nu + z * z;
        double f1 = (nu + 1) * z / a;                                  /* φ′ */
        double f2 = (nu + 1) * (nu - z * z) / (a * a);                 /* φ″ */
        double f3 = (nu + 1) * 2 * z * (z * z - 3 * nu) / (a * a * a); /* φ‴ */
        double mixed = f1 + 3 * z * f2 + z * z * f3;
        student_t_moments *m = &moments[s->block[i]];
        /* ∂z/∂μ = −1/σ, ∂z/∂τ = −z */
        m->mu += -f1 * inverse;
        m->tau += 1 - z * f1;
        m->mu2 += f2 * inverse * inverse;
        m->mutau += (f1 + z * f2) * inverse;
        m->tau2 += z * (f1 + z * f2);
        m->mu3 += -f3 * inverse * inverse * inverse;
        m->mu2tau += -(2 * f2 + z * f3) * inverse * inverse;
        m->mutau2 += -mixed * inverse;
        m->tau3 += -z * mixed;
    }
}
