/* experiment toy — one weighted ridge problem, generators of its solution trained in two ways (see
 * toy.c). */
#ifndef AM_EXPERIMENTS_TOY_H
#define AM_EXPERIMENTS_TOY_H

#include "classic/block_ridge.h"
#include "cli/experiments/estimate.h"
#include "cli/experiments/experiments.h"

enum { TOY_BLOCKS = 25, BUDGETS = 5, EVALUATED = 300 };

typedef enum {
    SUPERVISED, /* least squares on B labels θ̂ */
    DESCENT,    /* the criterion over M draws, by conjugate gradients */
    EXACT,      /* the same criterion, by its normal equations */
    WAYS
} toy_way;

/* Over the replications. */
typedef struct {
    int budget;         /* B labels or M draws */
    mean_estimate mean; /* of the IPL */
    double seconds;
    double *ipl; /* (replications), owned */
} toy_cell;

typedef struct {
    int n, p, blocks, replications;
    toy_cell cell[WAYS][BUDGETS];
    toy_cell expected; /* the criterion over all (ω, λ), in closed form: no budget */
    double steps;      /* of the descent, mean over its runs */
    double total_seconds;
} toy_result;

/* What is published for the reference data; NAN where nothing is. */
mean_estimate toy_published_at(toy_way way, int budget);

/* toy_report.c — table, summary.json, CSV, figure. */
am_status toy_report(const settings *set, const toy_result *r, const char *folder, am_error *err);

#endif
