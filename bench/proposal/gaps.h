/* gaps — how far a generator that is being fitted is from its minimum along λ. */
#ifndef BENCH_GAPS_H
#define BENCH_GAPS_H

#include "api/session.h"
#include "train/train.h"

enum { BINS = 8 }; /* of the range that λ is drawn from, evenly spaced as the draws are */

typedef struct {
    double gap[BINS]; /* at the middles, smoothed over the looks */
    int looks;
} gap_state;

/* One look, on minibatches of its own. relative: over the criterion. */
am_status gaps_measure(gap_state *gaps, session *s, bool relative, am_error *err);

#endif
