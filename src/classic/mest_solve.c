/* The workspace of a solve, and which method solves what. */
#include "classic/mest_solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

mest_solver *mest_solver_new(const mest_problem *p, am_error *err)
{
    const size_t n = (size_t)p->n, q = (size_t)p->q;
    mest_solver *s = am_alloc(1, sizeof *s, "solver", err);
    if (s == NULL)
        return NULL;
    s->p = p;
    s->room = am_alloc(n * q + 6 * n + 3 * q, sizeof *s->room, "solver", err);
    if (s->room == NULL || quadratic_open(p->q, p->intercept ? 1 : 0, &s->m, err) != AM_OK) {
        mest_solver_free(s);
        return NULL;
    }
    s->f = s->room;
    s->score = s->f + n;
    s->curvature = s->score + n;
    s->scratch = s->curvature + n;
    s->ahead = s->scratch + n * q + n;
    s->g = s->ahead + n + q;
    s->next = s->g + q;
    s->scale = mest_gradient_scale(p, s->scratch);
    return s;
}

void mest_solver_free(mest_solver *s)
{
    if (s == NULL)
        return;
    quadratic_close(&s->m);
    free(s->room);
    free(s);
}

am_status mest_solve(mest_solver *s, const double *omega, double lambda, double *beta,
                     mest_certificate *certificate, am_error *err)
{
    for (int j = 0; j < s->p->q; j++)
        if (!isfinite(beta[j]))
            beta[j] = 0;
    if (loss_is_smooth(&s->p->loss))
        return solve_smooth_loss(s, omega, lambda, beta, certificate, err);
    return solve_piecewise_loss(s, omega, lambda, beta, certificate, err);
}
