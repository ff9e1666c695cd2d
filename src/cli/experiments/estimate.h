/* estimate — a mean over replications with its standard error. */
#ifndef AM_EXPERIMENTS_ESTIMATE_H
#define AM_EXPERIMENTS_ESTIMATE_H

#include <math.h>
#include <stdio.h>

typedef struct {
    double mean, se; /* se: NAN for one replication */
} mean_estimate;

static inline mean_estimate estimate_of(const double *value, int count)
{
    mean_estimate e = {0};
    double square = 0.0;
    for (int i = 0; i < count; i++)
        e.mean += value[i] / count;
    for (int i = 0; i < count; i++)
        square += (value[i] - e.mean) * (value[i] - e.mean);
    e.se = count > 1 ? sqrt(square / (count - 1.0) / count) : (double)NAN;
    return e;
}

/* "0.0640 ± 0.0017"; the mean alone where there is no standard error. */
typedef struct {
    char text[48];
} estimate_text;

static inline estimate_text estimate_print(mean_estimate e, int digits)
{
    estimate_text t;
    if (isfinite(e.se))
        (void)snprintf(t.text, sizeof t.text, "%.*f ± %.*f", digits, e.mean, digits, e.se);
    else
        (void)snprintf(t.text, sizeof t.text, "%.*f", digits, e.mean);
    return t;
}

#endif
