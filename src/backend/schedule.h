/* schedule_rate — the step size at step t, the same bits on every backend (see backend.h). */
#ifndef AM_SCHEDULE_H
#define AM_SCHEDULE_H

#include "backend/backend.h"
#include "draw/portable.h"

static inline AM_HD double schedule_rate(schedule s, uint64_t step)
{
    double t = (double)step, warmup = (double)s.warmup, total = (double)s.total;
    double ramp = (s.warmup > 0 && t + 1.0 < warmup) ? (t + 1.0) / warmup : 1.0;
    if (s.kind == SCHEDULE_CONSTANT)
        return s.peak * ramp;
    double done = (t - warmup) / (total - warmup > 1.0 ? total - warmup : 1.0);
    done = done < 0.0 ? 0.0 : done > 1.0 ? 1.0 : done;
    return s.peak * ramp * 0.5 * (1.0 + portable_cospi(done));
}

#endif
