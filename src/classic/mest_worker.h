/* mest_worker — one thread's memory while it draws; private to the generator of M-estimation.
 *
 * Draws are made in chunks of BATCH. Without an L1 part the systems of a chunk are solved side by side
 * (batch.h); with one, each draw has its own coordinate descent. */
#ifndef AM_CLASSIC_MEST_WORKER_H
#define AM_CLASSIC_MEST_WORKER_H

#include "classic/mest_local.h"

enum { MOST_POLISH = 8, SKETCH_POLISH = 2 };

typedef struct {
    const mest_generator *g;
    mest_effort effort;
    double lambda;
    int start;             /* node where coordinate descent begins */
    int draws;             /* in this chunk */
    const double *omega;   /* (K × draws) of this chunk */
    double *beta;          /* (q × draws) of this chunk */
    mest_quadratic m;      /* the penalty; H of the draw at hand with an L1 part */
    mest_solver *solver;   /* of refits; made when it is needed */
    double *statistics;    /* (BATCH × T); without an L1 part the Hessians become factors */
    double *lanes;         /* (BATCH × max(K, q)) */
    double *hessian;       /* (q × q × BATCH) with an L1 part */
    double *f, *r;         /* (n × BATCH) predictions, weighted scores */
    double *gradient;      /* (q × BATCH) of the active draws */
    double *next;          /* (q × BATCH), theirs */
    int active[BATCH];     /* draws that are polished on */
    double *step, *change; /* (q × MOST_POLISH × BATCH) steps and changes of gradient, by draw */
    double *row, *scratch; /* (n), (n·q + 2n + q²) */
    double last[BATCH];    /* size of the last step, */
    double left[BATCH];    /* estimated error; in standard deviations, ∞: given up */
    double *room;
    mest_account account;
} worker;

static inline bool worker_has_l1(const worker *w)
{
    return w->m.l1 > 0;
}

/* mest_step.c — β of the chunk's draws: argmin of the local model at each ω. */
void worker_minimise(worker *w);
/* One round of polishing of the draws that need it; false when none does. */
bool worker_polish(worker *w, int round);

#endif
