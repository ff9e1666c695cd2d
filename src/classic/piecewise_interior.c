/* The interior point method. With slacks r = u − v (u, v ≥ 0), s = high − d and t = d − low, the
 * conditions of a minimum are
 *
 *   b − Zβ = u − v,   Zᵀd + k = Qβ,   u·s = 0,   v·t = 0,   all of u, v, s, t ≥ 0
 *
 * and Newton's method follows the solutions of u·s = v·t = μ as μ → 0. Rows with low = high take part
 * in Zᵀd alone. */
#include "classic/piecewise.h"
#include "linalg/cholesky.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 80, ROW_VECTORS = 13, COLUMN_VECTORS = 4 };
static const double TO_BOUNDARY = 0.9995;

typedef struct {
    const piecewise_problem *p;
    size_t n;
    int columns;
    double *beta;
    double *d, *u, *v, *s, *t;                       /* (N) */
    double *dd, *du, *dv;                            /* (N) steps */
    double *residual, *w, *scratch;                  /* (N): b − Zβ; weights */
    double *cu, *cv;                                 /* (N) what u·s and v·t should change by */
    double *dbeta, *stationary, *quadratic, *column; /* (P) */
    double *h;                                       /* (P × P) */
    double *memory;
    double live; /* rows with low < high */
} interior;

static bool is_live(const interior *x, size_t i)
{
    return x->p->high[i] > x->p->low[i];
}

double piecewise_value(const piecewise_problem *p, const double *beta, double *residual,
                       double *column)
{
    double value = 0;
    p->forward(p->context, beta, residual);
    for (size_t i = 0; i < p->rows; i++) {
        double r = p->b[i] - residual[i];
        value += fmax(p->low[i] * r, p->high[i] * r);
    }
    p->quadratic(p->context, beta, column);
    for (int j = 0; j < p->columns; j++)
        value += beta[j] * (0.5 * column[j] - (p->linear != NULL ? p->linear[j] : 0));
    return value;
}

static am_status open_interior(interior *x, const piecewise_problem *p, double *beta, am_error *err)
{
    size_t n = p->rows, c = (size_t)p->columns;
    *x = (interior){.p = p, .n = n, .columns = p->columns, .beta = beta};
    x->memory =
        am_alloc(ROW_VECTORS * n + COLUMN_VECTORS * c + c * c, sizeof(double), "solver", err);
    if (x->memory == NULL)
        return AM_ERR_MEMORY;
    double **row[ROW_VECTORS] = {&x->d,  &x->u,        &x->v, &x->s,       &x->t,  &x->dd, &x->du,
                                 &x->dv, &x->residual, &x->w, &x->scratch, &x->cu, &x->cv};
    double **column[COLUMN_VECTORS] = {&x->dbeta, &x->stationary, &x->quadratic, &x->column};
    double *next = x->memory;
    for (int i = 0; i < ROW_VECTORS; i++, next += n)
        *row[i] = next;
    for (int i = 0; i < COLUMN_VECTORS; i++, next += c)
        *column[i] = next;
    x->h = next;
    return AM_OK;
}

/* β = 0, d in the middle of its box, u and v at least the mean |b|. */
static void start(interior *x)
{
    const piecewise_problem *p = x->p;
    double mean = 0;
    memset(x->beta, 0, (size_t)x->columns * sizeof *x->beta);
    for (size_t i = 0; i < x->n; i++)
        mean += fabs(p->b[i]) / (double)x->n;
    mean += mean > 0 ? 0 : 1;
    for (size_t i = 0; i < x->n; i++) {
        x->d[i] = 0.5 * (p->low[i] + p->high[i]);
        x->s[i] = x->t[i] = 0.5 * (p->high[i] - p->low[i]);
        x->live += is_live(x, i);
        x->u[i] = fmax(p->b[i], 0) + mean;
        x->v[i] = fmax(-p->b[i], 0) + mean;
    }
}

/* Residuals, primal, dual, stationarity; returns μ. */
static double measure(interior *x, double width, piecewise_certificate *c)
{
    const piecewise_problem *p = x->p;
    double mu = 0;
    p->forward(p->context, x->beta, x->residual);
    p->quadratic(p->context, x->beta, x->quadratic);
    p->backward(p->context, x->d, x->stationary);
    c->primal = c->dual = c->stationarity = 0;
    for (size_t i = 0; i < x->n; i++) {
        double r = p->b[i] - x->residual[i];
        x->residual[i] = r;
        c->primal += fmax(p->low[i] * r, p->high[i] * r);
        c->dual += x->d[i] * p->b[i];
        mu += is_live(x, i) ? x->u[i] * x->s[i] + x->v[i] * x->t[i] : 0;
    }
    for (int j = 0; j < x->columns; j++) {
        double k = p->linear != NULL ? p->linear[j] : 0, half = 0.5 * x->beta[j] * x->quadratic[j];
        c->primal += half - k * x->beta[j];
        c->dual -= half;
        x->stationary[j] += k - x->quadratic[j];
        c->stationarity = fmax(c->stationarity, fabs(x->stationary[j]) / width);
    }
    return mu / (2 * fmax(1, x->live));
}

/* W = 1/(u/s + v/t) and the factor of ZᵀWZ + Q. */
static am_status factor(interior *x, am_error *err)
{
    for (size_t i = 0; i < x->n; i++)
        x->w[i] = is_live(x, i) ? 1 / (x->u[i] / x->s[i] + x->v[i] / x->t[i]) : 0;
    x->p->curvature(x->p->context, x->w, x->h);
    if (cholesky_factor(x->columns, x->h))
        return AM_OK;
    return am_fail(err, AM_ERR_INPUT,
                   "piecewise linear loss: the normal equations are singular; drop constant or "
                   "repeated columns, or take a larger λ");
}

/* Newton's step for changes cu of u·s and cv of v·t:
 *   (ZᵀWZ + Q)Δβ = ZᵀWg + (Zᵀd + k − Qβ),   g = (b − Zβ − u + v) − cu/s + cv/t,
 *   Δd = W(g − ZΔβ),   Δu = (cu + uΔd)/s,   Δv = (cv − vΔd)/t. */
static void newton(interior *x)
{
    const piecewise_problem *p = x->p;
    for (size_t i = 0; i < x->n; i++) {
        if (!is_live(x, i)) {
            x->scratch[i] = x->dd[i] = 0;
            continue;
        }
        double g = x->residual[i] - x->u[i] + x->v[i] - x->cu[i] / x->s[i] + x->cv[i] / x->t[i];
        x->dd[i] = g;
        x->scratch[i] = x->w[i] * g;
    }
    p->backward(p->context, x->scratch, x->dbeta);
    for (int j = 0; j < x->columns; j++)
        x->dbeta[j] += x->stationary[j];
    cholesky_solve(x->columns, x->h, 1, x->dbeta);
    p->forward(p->context, x->dbeta, x->scratch);
    for (size_t i = 0; i < x->n; i++) {
        if (!is_live(x, i)) {
            x->du[i] = x->dv[i] = 0;
            continue;
        }
        x->dd[i] = x->w[i] * (x->dd[i] - x->scratch[i]);
        x->du[i] = (x->cu[i] + x->u[i] * x->dd[i]) / x->s[i];
        x->dv[i] = (x->cv[i] - x->v[i] * x->dd[i]) / x->t[i];
    }
}

static double limit(double length, double value, double step)
{
    return step < 0 ? fmin(length, -value / step) : length;
}

/* How far the step may go before one of u, v, s, t reaches 0; at most `most`. */
static double reach(const interior *x, double most)
{
    double length = most;
    for (size_t i = 0; i < x->n; i++) {
        if (!is_live(x, i))
            continue;
        length = limit(length, x->u[i], x->du[i]);
        length = limit(length, x->v[i], x->dv[i]);
        length = limit(length, x->s[i], -x->dd[i]);
        length = limit(length, x->t[i], x->dd[i]);
    }
    return length;
}

/* Predictor: cu = −u·s, cv = −v·t. Returns what μ it would reach. */
static double predict(interior *x)
{
    for (size_t i = 0; i < x->n; i++) {
        x->cu[i] = -x->u[i] * x->s[i];
        x->cv[i] = -x->v[i] * x->t[i];
    }
    newton(x);
    double a = reach(x, 1), mu = 0;
    for (size_t i = 0; i < x->n; i++)
        if (is_live(x, i))
            mu += (x->u[i] + a * x->du[i]) * (x->s[i] - a * x->dd[i]) +
                  (x->v[i] + a * x->dv[i]) * (x->t[i] + a * x->dd[i]);
    return mu / (2 * fmax(1, x->live));
}

/* Corrector with centring (μ_predicted/μ)³·μ, and the move. */
static void correct(interior *x, double mu, double predicted)
{
    double target = mu * pow(predicted / mu, 3);
    for (size_t i = 0; i < x->n; i++) {
        x->cu[i] += target + x->du[i] * x->dd[i];
        x->cv[i] += target - x->dv[i] * x->dd[i];
    }
    newton(x);
    double a = TO_BOUNDARY * reach(x, 1 / TO_BOUNDARY);
    for (int j = 0; j < x->columns; j++)
        x->beta[j] += a * x->dbeta[j];
    for (size_t i = 0; i < x->n; i++) {
        x->d[i] += a * x->dd[i];
        x->u[i] += a * x->du[i];
        x->v[i] += a * x->dv[i];
        x->s[i] -= a * x->dd[i];
        x->t[i] += a * x->dd[i];
    }
}

static bool is_solved(const piecewise_certificate *c, double tolerance)
{
    return c->primal - c->dual <= tolerance * fabs(c->primal) && c->stationarity <= tolerance;
}

am_status piecewise_solve(const piecewise_problem *p, double tolerance, double *beta,
                          piecewise_certificate *certificate, am_error *err)
{
    interior x;
    double width = 0;
    *certificate = (piecewise_certificate){0};
    for (size_t i = 0; i < p->rows; i++)
        width += p->high[i] - p->low[i];
    if (!(width > 0))
        return am_fail(err, AM_ERR_INPUT, "piecewise linear loss: no row has weight");
    am_status status = open_interior(&x, p, beta, err);
    if (status == AM_OK)
        start(&x);
    for (int i = 0; status == AM_OK; i++) {
        double mu = measure(&x, width, certificate);
        certificate->iterations = i;
        if (is_solved(certificate, tolerance))
            break;
        if (i == MOST || !isfinite(mu)) {
            status =
                am_fail(err, AM_ERR_DIVERGED,
                        "piecewise linear loss: the duality gap is %.1e after %d steps instead "
                        "of %.1e; rescale the columns",
                        certificate->primal - certificate->dual, i, tolerance);
            break;
        }
        status = factor(&x, err);
        if (status == AM_OK)
            correct(&x, mu, predict(&x));
    }
    free(x.memory);
    return status;
}
