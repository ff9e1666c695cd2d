/* fidelity — whether predictions follow what ω does to a refit: statistics of deviations, on the host
 * (METHOD §6). Knows nothing of models. */
#ifndef AM_FIDELITY_H
#define AM_FIDELITY_H

#include "base/base.h"

/* A number and its standard error; NaN where there is none. */
typedef struct {
    double value, se;
} estimate;

/* With δ = a prediction minus its mean over the D draws of ω; every variance is per value (example ×
 * class) and unbiased for finite D. a and b are refits of the same ω with noise of their own, so the
 * noise drops out of their product and, on average, nothing but the response to ω is left.
 * Standard errors: jackknife, one draw of ω left out at a time. */
typedef struct {
    int draws;
    int64_t values;
    estimate signal;       /* S = mean δ_a·δ_b: what ω does, noise apart */
    estimate total;        /* V = mean of δ_a² and δ_b²: what a refit does, noise included */
    estimate generator;    /* G = mean δ_g² */
    estimate reproducible; /* S/V */
    estimate spread;       /* G/S, ideal 1 */
    estimate captured;     /* C/S with C = mean δ_g·(δ_a + δ_b)/2, ideal 1 */
    estimate fidelity;     /* C/√(S·G), the correlation with what ω does, ideal 1 */
    const char *note;      /* why some of it says nothing, or NULL */
} fidelity;

/* g, a, b (D, values): one row for every draw. Where the refits show no reproducible response the
 * ratios are NaN; a generator that does not respond at all has spread, captured and fidelity 0; note
 * says so. AM_ERR_USAGE for fewer than 3 draws, the fewest with a standard error. */
am_status fidelity_compute(const float *g, const float *a, const float *b, int draws,
                           int64_t values, fidelity *f, am_error *err);

/* The same where the optimum is exact (fidelity_exact.c): two refits of one ω are equal, so that S = V
 * and all that a refit does is reproducible. g, exact (D, values): one row for every draw. */
am_status fidelity_against_exact(const double *g, const double *exact, int draws, int64_t values,
                                 fidelity *f, am_error *err);
/* What a generator of an exact optimum is held to: PASS for a spread ratio within 0.95..1.05 and a
 * fidelity of 0.99 at least, else FAIL; "-" where there is no response to follow. */
#define FIDELITY_EXACT_RULE "PASS: spread ratio within 0.95..1.05 and fidelity at least 0.99"
const char *fidelity_exact_verdict(const fidelity *f);

#endif
