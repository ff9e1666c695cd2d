/* Exact solves of smooth losses: Newton's method on the objective, with an L1 part the proximal one
 * (Lee, Sun and Saunders 2014), whose every step is a penalised quadratic. */
#include "classic/mest_solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 200, MAX_HALVINGS = 40 };
/* Separated classes: the Hessian is this much flatter, along some direction, than the design. */
static const double flat = 1e-7;

typedef struct {
    mest_solver *s;
    const double *omega;
    double lambda;
    double *beta;
} iterate;

/* score, curvature and g at f. */
static void evaluate(const iterate *it)
{
    mest_solver *s = it->s;
    loss_derivatives(&s->p->loss, s->p->n, s->p->y, s->f, s->score, s->curvature);
    mest_gradient(s->p, it->omega, s->score, s->scratch, s->g);
}

static bool has_negative(const double *x, int n)
{
    for (int i = 0; i < n; i++)
        if (x[i] < 0)
            return true;
    return false;
}

/* Whether the quadratic's H is positive definite, with an L1 part too. */
static bool is_convex(mest_quadratic *m)
{
    double l1 = m->l1;
    m->l1 = 0;
    bool convex = quadratic_prepare(m);
    m->l1 = l1;
    return convex;
}

/* The quadratic model at β: the Hessian, or where that is not positive definite — Huber's with all
 * residuals clipped, Student's far from the minimum — the majorising weights', which always lead
 * downhill. */
static bool model(const iterate *it)
{
    mest_solver *s = it->s;
    const mest_problem *p = s->p;
    s->m.l1 = it->lambda * p->l1;
    s->m.l2 = it->lambda * p->l2;
    bool signs = has_negative(s->curvature, p->n);
    if (signs)
        mest_signed_hessian(p, it->omega, s->curvature, s->scratch, s->m.h);
    else
        mest_hessian(p, it->omega, s->curvature, s->scratch, s->m.h);
    if (signs ? is_convex(&s->m) : quadratic_prepare(&s->m))
        return true;
    loss_weights(&p->loss, p->n, p->y, s->f, s->curvature);
    mest_hessian(p, it->omega, s->curvature, s->scratch, s->m.h);
    return quadratic_prepare(&s->m);
}

static double objective_at(const iterate *it, const double *beta, const double *f)
{
    return mest_objective(it->s->p, it->omega, it->lambda, beta, f, it->s->scratch);
}

/* The slope of the objective along next − β, at β for an L1 part: the decrease that the model's
 * linear part promises. */
static double slope_along(const iterate *it)
{
    const mest_solver *s = it->s;
    double slope = 0;
    for (int j = 0; j < s->p->q; j++)
        slope += (s->g[j] + 2.0 * it->lambda * mest_share(s->p, s->p->l2, j) * it->beta[j]) *
                 (s->next[j] - it->beta[j]);
    for (int j = 0; j < s->p->q; j++)
        slope +=
            it->lambda * mest_share(s->p, s->p->l1, j) * (fabs(s->next[j]) - fabs(it->beta[j]));
    return slope;
}

static bool is_quadratic(const mest_problem *p)
{
    return p->loss.kind == CLASSIC_SQUARED;
}

/* Without an L1 part a convex objective has fallen when its slope at the new point does not point
 * back uphill by more than a tenth: no value is needed, and the derivatives serve the next step. */
static bool accepted_by_slope(const iterate *it, double slope)
{
    mest_solver *s = it->s;
    const mest_problem *p = s->p;
    if (p->l1 > 0 || p->loss.kind == CLASSIC_STUDENT)
        return false;
    double *step = s->ahead + p->n, back = 0;
    for (int j = 0; j < p->q; j++)
        step[j] = s->next[j] - it->beta[j];
    mest_predict(p, s->next, s->f);
    evaluate(it);
    for (int j = 0; j < p->q; j++)
        back += (s->g[j] + 2.0 * it->lambda * mest_share(p, p->l2, j) * s->next[j]) * step[j];
    return back <= 0.1 * fabs(slope);
}

/* β + t(next − β), t = 1, ½, ¼, …, until the objective falls by a share of the promise (Armijo). */
static bool backtrack(iterate *it, double slope)
{
    mest_solver *s = it->s;
    const mest_problem *p = s->p;
    mest_predict(p, it->beta, s->f);
    double before = objective_at(it, it->beta, s->f), t = 1.0;
    for (int halving = 0; halving < MAX_HALVINGS; halving++) {
        mest_predict(p, s->next, s->ahead);
        double after = objective_at(it, s->next, s->ahead);
        if (after <= before + 1e-4 * t * slope + 1e-14 * fabs(before)) {
            memcpy(s->f, s->ahead, (size_t)p->n * sizeof *s->f);
            evaluate(it);
            return true;
        }
        for (int j = 0; j < p->q; j++)
            s->next[j] = 0.5 * (s->next[j] + it->beta[j]);
        t *= 0.5;
    }
    return false;
}

/* One step; false when there is none that leads downhill. f, score, curvature and g belong to β
 * before and after. */
static bool step(iterate *it)
{
    mest_solver *s = it->s;
    const size_t bytes = (size_t)s->p->q * sizeof(double);
    memcpy(s->next, it->beta, bytes); /* where coordinate descent starts */
    quadratic_minimise(&s->m, it->beta, s->g, s->next);
    double slope = slope_along(it);
    if (!(slope < 0))
        return false;
    if (is_quadratic(s->p)) {
        mest_predict(s->p, s->next, s->f);
        evaluate(it);
    } else if (!accepted_by_slope(it, slope) && !backtrack(it, slope)) {
        return false;
    }
    memcpy(it->beta, s->next, bytes);
    return true;
}

static am_status singular(const mest_problem *p, am_error *err)
{
    if (p->loss.kind == CLASSIC_LOGISTIC)
        return am_fail(err, AM_ERR_INPUT,
                       "logistic regression: the columns separate the classes, or the design is "
                       "singular, and no finite minimum exists; give --penalty l2");
    return am_fail(err, AM_ERR_INPUT,
                   "the design is singular under these weights: some columns are combinations of "
                   "others; remove them or give --penalty l2");
}

/* Classes that a hyperplane separates let the coefficients grow for ever while the Hessian fades:
 * compared with the design's own Gram matrix, a pivot of its Cholesky factor vanishes. */
static bool is_separated(iterate *it)
{
    mest_solver *s = it->s;
    const mest_problem *p = s->p;
    const size_t q = (size_t)p->q;
    if (p->loss.kind != CLASSIC_LOGISTIC || it->lambda * (p->l1 + p->l2) > 0 || !model(it))
        return false;
    double most = 0;
    for (int i = 0; i < p->n; i++)
        most = fmax(most, fabs(s->f[i]));
    if (most < 12.0) /* no probability within 1e-5 of 0 or 1 */
        return false;
    double *pivot = s->next;
    for (size_t j = 0; j < q; j++)
        pivot[j] = s->m.factor[(q + 1) * j];
    for (int i = 0; i < p->n; i++)
        s->curvature[i] = 0.25;
    mest_hessian(p, it->omega, s->curvature, s->scratch, s->m.h);
    if (!quadratic_prepare(&s->m))
        return true;
    for (size_t j = 0; j < q; j++) {
        double ratio = pivot[j] / s->m.factor[(q + 1) * j];
        if (ratio * ratio < flat)
            return true;
    }
    return false;
}

am_status solve_smooth_loss(mest_solver *s, const double *omega, double lambda, double *beta,
                            mest_certificate *certificate, am_error *err)
{
    iterate it = {.s = s, .omega = omega, .lambda = lambda, .beta = beta};
    *certificate = (mest_certificate){.residual = INFINITY};
    mest_predict(s->p, beta, s->f);
    evaluate(&it);
    for (; certificate->iterations < MAX_STEPS; certificate->iterations++) {
        certificate->residual = mest_violation(s->p, lambda, beta, s->g) / s->scale;
        if (certificate->residual <= 0.1 * MEST_TOLERANCE)
            break;
        if (!model(&it))
            return singular(s->p, err);
        if (!step(&it)) { /* as low as rounding allows */
            mest_predict(s->p, beta, s->f);
            evaluate(&it);
            break;
        }
    }
    certificate->converged = certificate->residual <= MEST_TOLERANCE;
    return is_separated(&it) ? singular(s->p, err) : AM_OK;
}
