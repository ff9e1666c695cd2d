/* axis — ranges and ticks of a chart's axis. Private to the report room.
 *
 * Positions on an axis are x itself, or log10 x when it is logarithmic. */
#ifndef AM_AXIS_H
#define AM_AXIS_H

#include "base/base.h"

#include <math.h>

typedef struct {
    double low, high; /* positions; low > high: nothing is on it yet */
    bool log;
} axis;

enum { AXIS_MAX_TICKS = 128, TICK_TEXT = 40 };
typedef struct {
    double at;            /* position */
    bool labelled;        /* else a minor tick: no label, no grid line */
    char text[TICK_TEXT]; /* "0.25", or what stands before the power: "10", "2×10" */
    bool power;           /* a raised exponent follows */
    int exponent;
} axis_tick;
typedef struct {
    int count;
    axis_tick tick[AXIS_MAX_TICKS];
} axis_ticks;

/* false for what no chart can show: NaN, infinities, sizes whose differences overflow, x ≤ 0 on a
 * logarithmic axis. */
static inline bool axis_shows(bool log, double x)
{
    return fabs(x) < 1e300 && (!log || x > 0.0);
}
static inline double axis_position(bool log, double x)
{
    return log ? log10(x) : x;
}
/* 0 at the low end, 1 at the high end. */
static inline double axis_fraction(const axis *a, double x)
{
    return (axis_position(a->log, x) - a->low) / (a->high - a->low);
}

void axis_clear(axis *a, bool log);
void axis_add(axis *a, double x); /* widens to x, when it can be shown */
void axis_join(axis *a, const axis *other);
/* Adds `share` of the length at both ends; gives a length to a single point or to nothing. */
void axis_pad(axis *a, double share);

/* At most about `target` labels at 1, 2 or 5 times a power of ten; a logarithmic axis has its
 * decades, with 2 and 5 between them when there are few. percent: labels of 100·x with " %". */
void axis_find_ticks(const axis *a, int target, bool percent, axis_ticks *ticks);

#endif
