#include "cli/steps.h"

#include <stdlib.h>

am_status steps_open(steps *s, const double *edge, const double *height, int bins, am_error *err)
{
    size_t count = 2 * (size_t)bins + 2; /* two for every bin, and the ends on the ground */
    *s = (steps){.count = (int64_t)count};
    s->x = am_alloc(3 * count, sizeof *s->x, "figure", err);
    if (s->x == NULL)
        return AM_ERR_MEMORY;
    s->y = s->x + count;
    s->low = s->y + count; /* stays 0 */
    s->x[0] = edge[0];
    s->x[count - 1] = edge[bins];
    for (int b = 0; b < bins; b++) {
        s->x[2 * b + 1] = edge[b];
        s->x[2 * b + 2] = edge[b + 1];
        s->y[2 * b + 1] = s->y[2 * b + 2] = height[b];
    }
    return AM_OK;
}

void steps_close(steps *s)
{
    free(s->x);
    *s = (steps){0};
}

chart_series steps_series(const steps *s, const char *label)
{
    return (chart_series){
        .label = label, .count = s->count, .x = s->x, .y = s->y, .low = s->low, .high = s->y};
}

void steps_shares(const double *value, int64_t n, double low, double high, int bins, double *height)
{
    for (int b = 0; b < bins; b++)
        height[b] = 0.0;
    for (int64_t i = 0; i < n; i++) {
        int b = (int)((value[i] - low) / (high - low) * bins);
        height[AM_MIN(AM_MAX(b, 0), bins - 1)] += 1.0 / (double)n;
    }
}

void steps_edges(double low, double high, int bins, double *edge)
{
    for (int b = 0; b <= bins; b++)
        edge[b] = low + (high - low) * b / bins;
}
