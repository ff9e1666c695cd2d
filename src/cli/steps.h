/* steps — a histogram as the filled outline that a chart can draw. */
#ifndef AM_CLI_STEPS_H
#define AM_CLI_STEPS_H

#include "report/report.h"

typedef struct {
    int64_t count;
    double *x, *y, *low; /* (count), owned */
} steps;
/* From bins with the edges edge (bins + 1), of these heights (bins). */
am_status steps_open(steps *s, const double *edge, const double *height, int bins, am_error *err);
void steps_close(steps *s); /* safe on a zeroed one */
chart_series steps_series(const steps *s, const char *label);

/* Shares of value (n) in `bins` equal bins from low to high, both ends included: height (bins). */
void steps_shares(const double *value, int64_t n, double low, double high, int bins,
                  double *height);
/* `bins` + 1 equally spaced edges. */
void steps_edges(double low, double high, int bins, double *edge);

#endif
