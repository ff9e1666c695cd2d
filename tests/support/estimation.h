/* estimation — simulated M-estimation problems for tests. */
#ifndef AM_TEST_ESTIMATION_H
#define AM_TEST_ESTIMATION_H

#include "classic/mest.h"

enum { SIM_MOST_ROWS = 400, SIM_MOST_COLUMNS = 24 };

typedef struct {
    mest_problem p;
    double x[SIM_MOST_ROWS * SIM_MOST_COLUMNS], y[SIM_MOST_ROWS], omega[SIM_MOST_ROWS];
} simulation;

/* n rows, an intercept and q − 1 normal columns, effects ±½ on the first four; y as the loss wants it,
 * with heavy tails where it is a number; ω exponential. Penalty shares l1, l2. */
void simulate(simulation *s, classic_loss_kind kind, int n, int q, double l1, double l2,
              uint64_t seed);
/* A normal number. */
double sim_normal(uint64_t seed, uint32_t draw, uint32_t element);

#endif
