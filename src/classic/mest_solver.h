/* mest_solver — the workspace of exact solves; private to the solvers of M-estimation. */
#ifndef AM_CLASSIC_MEST_SOLVER_H
#define AM_CLASSIC_MEST_SOLVER_H

#include "classic/mest.h"
#include "classic/mest_quadratic.h"

struct mest_solver {
    const mest_problem *p;
    double scale;                  /* mest_gradient_scale */
    mest_quadratic m;              /* (q columns) */
    double *f, *score, *curvature; /* (n) */
    double *scratch;               /* (n·q + n) */
    double *g, *next, *ahead;      /* (q), (q), (n + q) */
    double *room;
};

/* mest_smooth.c — Newton and proximal Newton. */
am_status solve_smooth_loss(mest_solver *s, const double *omega, double lambda, double *beta,
                            mest_certificate *certificate, am_error *err);
/* mest_piecewise.c — a primal-dual interior point for LAD, quantile and hinge. */
am_status solve_piecewise_loss(mest_solver *s, const double *omega, double lambda, double *beta,
                               mest_certificate *certificate, am_error *err);

#endif
