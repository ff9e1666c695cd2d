/* The objective of an M-estimation problem, its gradient, Hessian and optimality conditions. */
#include "classic/mest.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void mest_predict(const mest_problem *p, const double *beta, double *f)
{
    linalg_apply('n', p->n, p->q, p->x, beta, f);
}

double mest_penalty(const mest_problem *p, double lambda, const double *beta)
{
    double l1 = 0, l2 = 0;
    for (int j = p->intercept ? 1 : 0; j < p->q; j++) {
        l1 += fabs(beta[j]);
        l2 += beta[j] * beta[j];
    }
    return lambda * (p->l1 * l1 + p->l2 * l2);
}

double mest_objective(const mest_problem *p, const double *omega, double lambda, const double *beta,
                      const double *f, double *scratch)
{
    double sum = 0;
    loss_values(&p->loss, p->n, p->y, f, scratch);
    for (int i = 0; i < p->n; i++)
        sum += omega != NULL ? omega[i] * scratch[i] : scratch[i];
    return sum / p->n + mest_penalty(p, lambda, beta);
}

void mest_gradient(const mest_problem *p, const double *omega, const double *score,
                   double *weighted, double *g)
{
    for (int i = 0; i < p->n; i++)
        weighted[i] = (omega != NULL ? omega[i] : 1.0) * score[i] / p->n;
    linalg_apply('t', p->n, p->q, p->x, weighted, g);
}

void mest_hessian(const mest_problem *p, const double *omega, const double *curvature,
                  double *scratch, double *h)
{
    double *root = scratch + (size_t)p->n * (size_t)p->q;
    for (int i = 0; i < p->n; i++)
        root[i] = sqrt((omega != NULL ? omega[i] : 1.0) * curvature[i] / p->n);
    for (int j = 0; j < p->q; j++) /* diag(ωκ/n)^½ X */
        for (int i = 0; i < p->n; i++)
            scratch[linalg_at(i, j, p->n)] = root[i] * p->x[linalg_at(i, j, p->n)];
    linalg_gram(p->n, p->q, scratch, h);
}

void mest_signed_hessian(const mest_problem *p, const double *omega, const double *curvature,
                         double *scratch, double *h)
{
    for (int j = 0; j < p->q; j++) /* diag(ωκ/n) X */
        for (int i = 0; i < p->n; i++)
            scratch[linalg_at(i, j, p->n)] = (omega != NULL ? omega[i] : 1.0) * curvature[i] /
                                             p->n * p->x[linalg_at(i, j, p->n)];
    linalg_multiply('t', 'n', p->q, p->q, p->n, p->x, scratch, h);
}

double mest_violation(const mest_problem *p, double lambda, const double *beta, const double *g)
{
    double worst = 0;
    for (int j = 0; j < p->q; j++) {
        double l1 = lambda * mest_share(p, p->l1, j), v;
        double smooth = g[j] + 2.0 * lambda * mest_share(p, p->l2, j) * beta[j];
        if (beta[j] != 0)
            v = fabs(smooth + copysign(l1, beta[j]));
        else /* 0 ∈ smooth + l1·[−1, 1] */
            v = fmax(fabs(smooth) - l1, 0.0);
        worst = fmax(worst, v);
    }
    return worst;
}

double mest_gradient_scale(const mest_problem *p, double *scratch)
{
    double *score = scratch, *zero = scratch + p->n, worst = 0;
    memset(zero, 0, (size_t)p->n * sizeof *zero);
    loss_derivatives(&p->loss, p->n, p->y, zero, score, NULL);
    for (int j = 0; j < p->q; j++) {
        double sum = 0;
        for (int i = 0; i < p->n; i++)
            sum += fabs(score[i] * p->x[linalg_at(i, j, p->n)]);
        worst = fmax(worst, sum / p->n);
    }
    return worst > 0 ? worst : 1.0;
}

/* The largest gradient of a penalised coefficient at the fit of the intercept alone; bend is the
 * typical curvature there, the harmonic mean of the majorising weights. */
static am_status null_gradient(const mest_problem *p, double *slope, double *bend, am_error *err)
{
    const size_t n = (size_t)p->n, q = (size_t)p->q;
    mest_problem null = *p;
    null.q = p->intercept ? 1 : 0;
    null.l1 = null.l2 = 0;
    double *room = am_alloc(4 * n + 2 * q, sizeof *room, "penalty range", err);
    if (room == NULL)
        return AM_ERR_MEMORY;
    double *f = room, *score = f + n, *weighted = score + n, *curvature = weighted + n;
    double *beta = curvature + n, *g = beta + q;
    am_status status = AM_OK;
    if (null.q > 0) {
        mest_certificate certificate;
        mest_solver *solver = mest_solver_new(&null, err);
        status =
            solver != NULL ? mest_solve(solver, NULL, 0, beta, &certificate, err) : AM_ERR_MEMORY;
        mest_solver_free(solver);
    }
    if (status == AM_OK) {
        mest_predict(p, beta, f);
        loss_derivatives(&p->loss, p->n, p->y, f, score, NULL);
        loss_weights(&p->loss, p->n, p->y, f, curvature);
        mest_gradient(p, NULL, score, weighted, g);
        double flat = 0;
        *slope = 0;
        for (int j = null.q; j < p->q; j++)
            *slope = fmax(*slope, fabs(g[j]));
        for (int i = 0; i < p->n; i++)
            flat += 1.0 / curvature[i] / p->n;
        *bend = 1.0 / flat;
    }
    free(room);
    return status;
}

am_status mest_lambda_max(const mest_problem *p, double *lambda, am_error *err)
{
    double slope = 0, bend = 0;
    AM_TRY(null_gradient(p, &slope, &bend, err));
    slope *= 1.0 + 1e-8; /* rounding lets none in */
    *lambda = p->l1 > 0 ? slope / p->l1 : p->l2 > 0 ? 50.0 * bend / p->l2 : 0.0;
    if (!(*lambda > 0) || !isfinite(*lambda))
        *lambda = 1.0;
    return AM_OK;
}
