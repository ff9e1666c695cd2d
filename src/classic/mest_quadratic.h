/* mest_quadratic — the penalised quadratic that every step of a smooth M-estimation solves:
 *
 *     argmin_b gᵀ(b − c) + ½ (b − c)ᵀH(b − c) + l1·Σ|b_j| + l2·Σ b_j²      (columns from `first`)
 *
 * Without an L1 part by one Cholesky factor, which serves many right-hand sides. With one by cyclic
 * coordinate descent on H, with covariance updates (Friedman, Hastie and Tibshirani 2010): the active
 * set is the support of the start, screened and completed by the optimality conditions of all
 * columns; as soon as its signs settle, they are solved for at once, which makes the result exact. */
#ifndef AM_CLASSIC_MEST_QUADRATIC_H
#define AM_CLASSIC_MEST_QUADRATIC_H

#include "base/base.h"

typedef struct {
    int q, first;  /* columns; the first one that is penalised */
    double l1, l2; /* ≥ 0, λ included */
    double *h;     /* (q × q) both triangles; the caller fills it */
    /* private */
    double *factor;   /* (q × q) */
    double *r, *step; /* (q) */
    int *active;      /* (q) */
    double *room;
} mest_quadratic;

am_status quadratic_open(int q, int first, mest_quadratic *m, am_error *err);
void quadratic_close(mest_quadratic *m); /* safe on a zeroed one */

/* To be called after h, l1 or l2 changed. false: without L1 part, H + 2·l2·I is not positive
 * definite. */
bool quadratic_prepare(mest_quadratic *m);
/* b (q): with an L1 part the start in; the minimiser out. c, g (q). false when coordinate descent
 * did not converge (b is then its last point). */
bool quadratic_minimise(mest_quadratic *m, const double *c, const double *g, double *b);

#endif
