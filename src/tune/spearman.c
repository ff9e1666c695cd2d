#include "tune/audit.h"

#include <math.h>
#include <stdlib.h>

/* Ranks from 1, ties at the mean of theirs. */
static void ranks_of(const double *x, int n, double *rank)
{
    for (int i = 0; i < n; i++) {
        int below = 0, same = 0;
        for (int j = 0; j < n; j++) {
            below += x[j] < x[i];
            same += x[j] == x[i];
        }
        rank[i] = below + 0.5 * (same + 1);
    }
}

am_status spearman(const double *x, const double *y, int n, double *rho, am_error *err)
{
    double *a = am_alloc(2 * (size_t)n, sizeof *a, "ranks", err);
    if (a == NULL)
        return AM_ERR_MEMORY;
    double *b = a + n;
    ranks_of(x, n, a);
    ranks_of(y, n, b);
    double mean = 0.5 * (n + 1), xy = 0.0, xx = 0.0, yy = 0.0;
    bool finite = true;
    for (int i = 0; i < n; i++) {
        finite = finite && isfinite(x[i]) && isfinite(y[i]);
        xy += (a[i] - mean) * (b[i] - mean);
        xx += (a[i] - mean) * (a[i] - mean);
        yy += (b[i] - mean) * (b[i] - mean);
    }
    *rho = finite && xx > 0.0 && yy > 0.0 ? xy / sqrt(xx * yy) : NAN;
    free(a);
    return AM_OK;
}
