/* Fidelity where θ̂ is exact: deviations are formed in double, then rounded. */
#include "tune/fidelity.h"

#include <math.h>
#include <stdlib.h>

/* Deviations below this share of the values are rounding of double arithmetic. */
static const double ROUNDING = 1e-12;

static double mean_of(const double *x, int draws, int64_t values, int64_t j)
{
    double mean = 0.0;
    for (int d = 0; d < draws; d++)
        mean += x[d * values + j] / draws;
    return mean;
}

/* delta (D, values) = x − its mean over the draws; all 0 when only rounding differs. */
static void centre(const double *x, int draws, int64_t values, float *delta)
{
    double moved = 0.0, size = 0.0;
    for (int64_t j = 0; j < values; j++) {
        double mean = mean_of(x, draws, values, j);
        for (int d = 0; d < draws; d++) {
            double own = x[d * values + j];
            delta[d * values + j] = (float)(own - mean);
            moved += (own - mean) * (own - mean);
            size += own * own;
        }
    }
    if (moved <= ROUNDING * ROUNDING * size)
        for (int64_t i = 0; i < draws * values; i++)
            delta[i] = 0.0F;
}

am_status fidelity_against_exact(const double *g, const double *exact, int draws, int64_t values,
                                 fidelity *f, am_error *err)
{
    *f = (fidelity){.draws = draws, .values = values};
    size_t count = (size_t)AM_MAX(draws, 0) * (size_t)AM_MAX(values, (int64_t)0);
    float *delta = am_alloc(AM_MAX(2 * count, (size_t)1), sizeof *delta, "deviations", err);
    if (delta == NULL)
        return AM_ERR_MEMORY;
    centre(g, draws, values, delta);
    centre(exact, draws, values, delta + count);
    am_status status = fidelity_compute(delta, delta + count, delta + count, draws, values, f, err);
    free(delta);
    return status;
}

const char *fidelity_exact_verdict(const fidelity *f)
{
    if (isnan(f->spread.value))
        return "-";
    bool spread = f->spread.value >= 0.95 && f->spread.value <= 1.05;
    return spread && f->fidelity.value >= 0.99 ? "PASS" : "FAIL";
}
