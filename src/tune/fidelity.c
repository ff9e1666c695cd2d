#include "tune/fidelity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums of products of deviations over draws and values. */
enum { AA, BB, AB, GG, GA, GB, PRODUCTS };

/* The statistics, in the order of the struct. */
enum { SIGNAL, TOTAL, GENERATOR, REPRODUCIBLE, SPREAD, CAPTURED, FIDELITY, STATISTICS };

/* Variances below these say nothing: float predictions are rounded at 6e-8 of their size, and a
 * response a millionth of the refits' is none. */
static const double ROUNDING = 1e-14, NO_RESPONSE = 1e-12;

enum { BLOCK_BYTES = 128 << 10, MOST_COLUMNS = 512 }; /* three blocks of deviations stay in L2 */

typedef struct {
    const float *from[3]; /* g, a, b */
    int draws;
    int64_t values;
    int columns;     /* of a block */
    double *delta;   /* (3, D, columns) deviations of one block */
    double *product; /* (D, PRODUCTS) */
    double squares;  /* Σ a² + b²: their scale */
} deviations;

/* δ of values first..first+count, all draws of one source. */
static void centre(deviations *v, int source, int64_t first, int count)
{
    double *delta = v->delta + (size_t)source * (size_t)v->draws * (size_t)v->columns;
    double mean[MOST_COLUMNS] = {0};
    for (int d = 0; d < v->draws; d++) {
        const float *x = v->from[source] + d * v->values + first;
        for (int j = 0; j < count; j++) {
            mean[j] += (double)x[j];
            delta[d * v->columns + j] = (double)x[j];
            v->squares += source > 0 ? (double)x[j] * (double)x[j] : 0.0;
        }
    }
    for (int j = 0; j < count; j++)
        mean[j] /= v->draws;
    for (int d = 0; d < v->draws; d++)
        for (int j = 0; j < count; j++)
            delta[d * v->columns + j] -= mean[j];
}

static void add_products(deviations *v, int count)
{
    size_t source = (size_t)v->draws * (size_t)v->columns;
    for (int d = 0; d < v->draws; d++) {
        const double *g = v->delta + d * v->columns, *a = g + source, *b = a + source;
        double sum[PRODUCTS] = {0};
        for (int j = 0; j < count; j++) {
            sum[AA] += a[j] * a[j];
            sum[BB] += b[j] * b[j];
            sum[AB] += a[j] * b[j];
            sum[GG] += g[j] * g[j];
            sum[GA] += g[j] * a[j];
            sum[GB] += g[j] * b[j];
        }
        for (int k = 0; k < PRODUCTS; k++)
            v->product[d * PRODUCTS + k] += sum[k];
    }
}

static am_status measure(deviations *v, am_error *err)
{
    int64_t fitting = BLOCK_BYTES / (int64_t)sizeof(double) / (3 * (int64_t)v->draws);
    v->columns = (int)AM_MAX((int64_t)8, AM_MIN(fitting, (int64_t)MOST_COLUMNS));
    v->delta =
        am_alloc(3 * (size_t)v->draws * (size_t)v->columns, sizeof(double), "deviations", err);
    v->product = am_alloc((size_t)v->draws * PRODUCTS, sizeof(double), "deviations", err);
    if (v->delta == NULL || v->product == NULL)
        return AM_ERR_MEMORY;
    for (int64_t first = 0; first < v->values; first += v->columns) {
        int count = (int)AM_MIN(v->columns, v->values - first);
        for (int source = 0; source < 3; source++)
            centre(v, source, first, count);
        add_products(v, count);
    }
    return AM_OK;
}

/* The statistics from sums over values with `freedom` = draws − 1. */
static void statistics_of(const double *sum, double freedom, double values, double *t)
{
    double per = 1.0 / (freedom * values);
    double shared = 0.5 * (sum[GA] + sum[GB]) * per; /* C */
    t[SIGNAL] = sum[AB] * per;
    t[TOTAL] = 0.5 * (sum[AA] + sum[BB]) * per;
    t[GENERATOR] = sum[GG] * per;
    t[REPRODUCIBLE] = t[TOTAL] > 0.0 ? t[SIGNAL] / t[TOTAL] : NAN;
    bool signal = t[SIGNAL] > 0.0, response = t[GENERATOR] > NO_RESPONSE * t[SIGNAL];
    t[SPREAD] = signal ? t[GENERATOR] / t[SIGNAL] : NAN;
    t[CAPTURED] = signal ? shared / t[SIGNAL] : NAN;
    t[FIDELITY] = !signal ? NAN : response ? shared / sqrt(t[SIGNAL] * t[GENERATOR]) : 0.0;
}

/* Leaving draw d out of a sum of centred products takes D/(D−1) of its own product away:
 * Σ_{i≠d} (x_i − x̄_{−d})(y_i − ȳ_{−d}) = Σ_i δx_i δy_i − D/(D−1)·δx_d δy_d. */
static void jackknife(const deviations *v, const double *sum, double *se)
{
    double n = v->draws, mean[STATISTICS] = {0}, squares[STATISTICS] = {0};
    for (int pass = 0; pass < 2; pass++)
        for (int d = 0; d < v->draws; d++) {
            double left[PRODUCTS], t[STATISTICS];
            for (int k = 0; k < PRODUCTS; k++)
                left[k] = sum[k] - n / (n - 1.0) * v->product[d * PRODUCTS + k];
            statistics_of(left, n - 2.0, (double)v->values, t);
            for (int i = 0; i < STATISTICS; i++)
                if (pass == 0)
                    mean[i] += t[i] / n;
                else
                    squares[i] += (t[i] - mean[i]) * (t[i] - mean[i]);
        }
    for (int i = 0; i < STATISTICS; i++)
        se[i] = sqrt((n - 1.0) / n * squares[i]);
}

static const char *note_on(const double *t)
{
    for (int k = SIGNAL; k <= GENERATOR; k++)
        if (!isfinite(t[k]))
            return "a prediction is not finite";
    if (isnan(t[SPREAD]))
        return "the refits show no reproducible response to ω: there is nothing to follow";
    if (!(t[GENERATOR] > NO_RESPONSE * t[SIGNAL]))
        return "the predictions do not respond to ω";
    return NULL;
}

static void summarise(const deviations *v, fidelity *f)
{
    double sum[PRODUCTS] = {0}, t[STATISTICS], se[STATISTICS];
    for (int d = 0; d < v->draws; d++)
        for (int k = 0; k < PRODUCTS; k++)
            sum[k] += v->product[d * PRODUCTS + k];
    bool rounding = fabs(sum[AB]) <= ROUNDING * v->squares;
    if (rounding) /* what is left of identical refits */
        sum[AB] = 0.0;
    statistics_of(sum, v->draws - 1.0, (double)v->values, t);
    jackknife(v, sum, se);
    estimate *out[STATISTICS] = {&f->signal, &f->total,    &f->generator, &f->reproducible,
                                 &f->spread, &f->captured, &f->fidelity};
    for (int i = 0; i < STATISTICS; i++)
        *out[i] = (estimate){t[i], isnan(t[i]) ? NAN : se[i]};
    f->note = note_on(t);
}

am_status fidelity_compute(const float *g, const float *a, const float *b, int draws,
                           int64_t values, fidelity *f, am_error *err)
{
    *f = (fidelity){.draws = draws, .values = values};
    if (draws < 3 || values < 1)
        return am_fail(err, AM_ERR_USAGE,
                       "fidelity of %d draws, %lld values: give at least 3 draws of one value",
                       draws, (long long)values);
    deviations v = {.from = {g, a, b}, .draws = draws, .values = values};
    am_status status = measure(&v, err);
    if (status == AM_OK)
        summarise(&v, f);
    free(v.delta);
    free(v.product);
    return status;
}
