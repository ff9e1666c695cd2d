/* Exact solves of LAD, quantile and hinge with any penalty, as one convex program
 *
 *     min_β Σ_i a_i·(t_i)₊ + b_i·(−t_i)₊ + ½ βᵀDβ,     t = c − Zβ,
 *     max_u uᵀc − ½ βᵀDβ   subject to   Zᵀu = Dβ, −b ≤ u ≤ a.
 *
 * Rows of Z are the observations (c = y, Z = x; hinge: c = 1, Z = y·x); an L1 part is one more row
 * e_j with c = 0 and a = b = λ·l1 for every penalised column; D = 2λ·l2. Solved by Mehrotra's
 * primal-dual interior point with split t = s⁺ − s⁻ (Portnoy and Koenker 1997 for quantiles): every
 * iteration is one q × q Cholesky. The certificate is the duality gap at the iterate made feasible. */
#include "classic/mest_solver.h"
#include "linalg/cholesky.h"
#include "linalg/linalg.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITERATIONS = 100, ROW_ARRAYS = 14 };

typedef struct {
    int n, rows, q;                  /* observations with ω > 0; those and the L1 rows; columns */
    int first;                       /* column of the first L1 row */
    double *z, *zw;                  /* (n × q), and scratch of the same shape */
    double *d;                       /* (q) diagonal of D */
    double *a, *b, *c;               /* (rows), as all below */
    double *u, *sp, *sm;             /* −b < u < a; s⁺, s⁻ > 0 */
    double *du, *dsp, *dsm;          /* directions */
    double *rp, *rsp, *rsm;          /* residuals of t = s⁺ − s⁻ and of complementarity */
    double *theta, *t;               /* diagonal; scratch */
    double *beta, *dbeta, *rd, *rhs; /* (q) */
    double *h;                       /* (q × q) */
    double *room;
} program;

/* ---- the program ------------------------------------------------------------------------------- */

static am_status program_open(const mest_problem *p, program *g, am_error *err)
{
    const size_t n = (size_t)p->n, q = (size_t)p->q, rows = n + q;
    *g = (program){.q = p->q, .first = p->intercept ? 1 : 0};
    g->room = am_alloc(2 * n * q + ROW_ARRAYS * rows + 5 * q + q * q, sizeof *g->room,
                       "interior point", err);
    if (g->room == NULL)
        return AM_ERR_MEMORY;
    double *at = g->room;
    double **row[ROW_ARRAYS] = {&g->a,   &g->b,   &g->c,  &g->u,   &g->sp,  &g->sm,    &g->du,
                                &g->dsp, &g->dsm, &g->rp, &g->rsp, &g->rsm, &g->theta, &g->t};
    for (int i = 0; i < ROW_ARRAYS; i++, at += rows)
        *row[i] = at;
    double **column[5] = {&g->d, &g->beta, &g->dbeta, &g->rd, &g->rhs};
    for (int i = 0; i < 5; i++, at += q)
        *column[i] = at;
    g->h = at;
    g->z = at + q * q;
    g->zw = g->z + n * q;
    return AM_OK;
}

/* Costs a, b of t above and below 0, without the weight. */
static void costs(const classic_loss *l, double *a, double *b)
{
    *a = l->kind == CLASSIC_QUANTILE ? l->quantile : 1.0;
    *b = l->kind == CLASSIC_QUANTILE ? 1.0 - l->quantile : l->kind == CLASSIC_LAD ? 1.0 : 0.0;
}

/* Everything times n, so that costs are of the order of 1; rows without weight are left out. */
static void program_fill(const mest_problem *p, const double *omega, double lambda, program *g)
{
    double above, below;
    costs(&p->loss, &above, &below);
    bool hinge = p->loss.kind == CLASSIC_HINGE;
    for (int i = 0; i < p->n; i++) {
        double w = omega != NULL ? omega[i] : 1.0;
        if (!(w > 0))
            continue;
        g->a[g->n] = w * above;
        g->b[g->n] = w * below;
        g->c[g->n++] = hinge ? 1.0 : p->y[i];
    }
    for (int j = 0; j < p->q; j++)
        for (int i = 0, row = 0; i < p->n; i++)
            if (omega == NULL || omega[i] > 0)
                g->z[linalg_at(row++, j, g->n)] =
                    p->x[linalg_at(i, j, p->n)] * (hinge ? p->y[i] : 1.0);
    g->rows = g->n;
    for (int j = g->first; j < p->q; j++) {
        g->d[j] = 2.0 * lambda * p->l2 * p->n;
        if (lambda * p->l1 > 0) {
            g->a[g->rows] = g->b[g->rows] = lambda * p->l1 * p->n;
            g->c[g->rows++] = 0;
        }
    }
}

/* out (rows) = Zx */
static void rows_of(const program *g, const double *x, double *out)
{
    linalg_apply('n', g->n, g->q, g->z, x, out);
    for (int i = g->n; i < g->rows; i++)
        out[i] = x[g->first + i - g->n];
}

/* out (q) = Zᵀv */
static void columns_of(const program *g, const double *v, double *out)
{
    linalg_apply('t', g->n, g->q, g->z, v, out);
    for (int i = g->n; i < g->rows; i++)
        out[g->first + i - g->n] += v[i];
}

/* ---- one iteration ----------------------------------------------------------------------------- */

static void start(program *g)
{
    double size = 0;
    rows_of(g, g->beta, g->t);
    for (int i = 0; i < g->rows; i++)
        size += fabs(g->c[i] - g->t[i]) / g->rows;
    size = size > 0 ? size : 1.0;
    for (int i = 0; i < g->rows; i++) {
        double t = g->c[i] - g->t[i];
        g->u[i] = 0.5 * (g->a[i] - g->b[i]);
        g->sp[i] = fmax(t, 0.0) + size;
        g->sm[i] = fmax(-t, 0.0) + size;
    }
}

/* rp = c − Zβ − s⁺ + s⁻, rd = Dβ − Zᵀu; returns the mean complementarity μ. */
static double residuals(program *g)
{
    double mu = 0;
    rows_of(g, g->beta, g->t);
    columns_of(g, g->u, g->rd);
    for (int j = 0; j < g->q; j++)
        g->rd[j] = g->d[j] * g->beta[j] - g->rd[j];
    for (int i = 0; i < g->rows; i++) {
        g->rp[i] = g->c[i] - g->t[i] - g->sp[i] + g->sm[i];
        mu += g->sp[i] * (g->a[i] - g->u[i]) + g->sm[i] * (g->b[i] + g->u[i]);
    }
    return mu / (2.0 * g->rows);
}

/* Θ = s⁺/(a − u) + s⁻/(b + u),  H = D + ZᵀΘ⁻¹Z, factored. */
static bool factor(program *g)
{
    for (int i = 0; i < g->rows; i++) {
        g->theta[i] = g->sp[i] / (g->a[i] - g->u[i]) + g->sm[i] / (g->b[i] + g->u[i]);
        g->t[i] = sqrt(1.0 / g->theta[i]);
    }
    for (int j = 0; j < g->q; j++)
        for (int i = 0; i < g->n; i++)
            g->zw[linalg_at(i, j, g->n)] = g->t[i] * g->z[linalg_at(i, j, g->n)];
    linalg_gram(g->n, g->q, g->zw, g->h);
    for (int j = 0; j < g->q; j++)
        g->h[linalg_at(j, j, g->q)] += g->d[j];
    for (int i = g->n; i < g->rows; i++) {
        int j = g->first + i - g->n;
        g->h[linalg_at(j, j, g->q)] += 1.0 / g->theta[i];
    }
    return cholesky_factor(g->q, g->h);
}

/* The Newton direction for s⁺(a − u) = rsp + …, s⁻(b + u) = rsm + …:
 *   H·dβ = −rd + ZᵀΘ⁻¹v,   v = rp − rsp/(a − u) + rsm/(b + u),   du = Θ⁻¹(v − Z·dβ),
 *   ds⁺ = (rsp + s⁺du)/(a − u),   ds⁻ = (rsm − s⁻du)/(b + u) */
static void direction(program *g)
{
    for (int i = 0; i < g->rows; i++) {
        g->du[i] = g->rp[i] - g->rsp[i] / (g->a[i] - g->u[i]) + g->rsm[i] / (g->b[i] + g->u[i]);
        g->t[i] = g->du[i] / g->theta[i];
    }
    columns_of(g, g->t, g->dbeta);
    for (int j = 0; j < g->q; j++)
        g->dbeta[j] -= g->rd[j];
    cholesky_solve(g->q, g->h, 1, g->dbeta);
    rows_of(g, g->dbeta, g->t);
    for (int i = 0; i < g->rows; i++) {
        g->du[i] = (g->du[i] - g->t[i]) / g->theta[i];
        g->dsp[i] = (g->rsp[i] + g->sp[i] * g->du[i]) / (g->a[i] - g->u[i]);
        g->dsm[i] = (g->rsm[i] - g->sm[i] * g->du[i]) / (g->b[i] + g->u[i]);
    }
}

/* The longest steps ≤ 1 that stay inside: of β, s⁺, s⁻ and of u; one for both when D ≠ 0 ties them. */
static void longest(const program *g, bool tied, double *primal, double *dual)
{
    *primal = *dual = 1.0;
    for (int i = 0; i < g->rows; i++) {
        if (g->dsp[i] < 0)
            *primal = fmin(*primal, -g->sp[i] / g->dsp[i]);
        if (g->dsm[i] < 0)
            *primal = fmin(*primal, -g->sm[i] / g->dsm[i]);
        if (g->du[i] > 0)
            *dual = fmin(*dual, (g->a[i] - g->u[i]) / g->du[i]);
        if (g->du[i] < 0)
            *dual = fmin(*dual, -(g->b[i] + g->u[i]) / g->du[i]);
    }
    if (tied)
        *primal = *dual = fmin(*primal, *dual);
}

/* μ after steps of these lengths. */
static double mu_ahead(const program *g, double primal, double dual)
{
    double mu = 0;
    for (int i = 0; i < g->rows; i++) {
        double u = g->u[i] + dual * g->du[i];
        mu += (g->sp[i] + primal * g->dsp[i]) * (g->a[i] - u) +
              (g->sm[i] + primal * g->dsm[i]) * (g->b[i] + u);
    }
    return mu / (2.0 * g->rows);
}

/* Predictor with target 0, then corrector with target σμ, σ = (μ_aff/μ)³, and second-order terms. */
static void iterate(program *g, bool tied, double mu)
{
    double primal, dual;
    for (int i = 0; i < g->rows; i++) {
        g->rsp[i] = -g->sp[i] * (g->a[i] - g->u[i]);
        g->rsm[i] = -g->sm[i] * (g->b[i] + g->u[i]);
    }
    direction(g);
    longest(g, tied, &primal, &dual);
    double share = mu_ahead(g, primal, dual) / mu, target = share * share * share * mu;
    for (int i = 0; i < g->rows; i++) {
        g->rsp[i] += target + g->dsp[i] * g->du[i];
        g->rsm[i] += target - g->dsm[i] * g->du[i];
    }
    direction(g);
    longest(g, tied, &primal, &dual);
    primal = fmin(1.0, 0.9995 * primal);
    dual = fmin(1.0, 0.9995 * dual);
    cblas_daxpy(g->q, primal, g->dbeta, 1, g->beta, 1);
    cblas_daxpy(g->rows, primal, g->dsp, 1, g->sp, 1);
    cblas_daxpy(g->rows, primal, g->dsm, 1, g->sm, 1);
    cblas_daxpy(g->rows, dual, g->du, 1, g->u, 1);
}

/* ---- certificate ------------------------------------------------------------------------------- */

/* (primal − dual)/|primal| with s⁺, s⁻ replaced by the parts of t, and |β|ᵀ|rd| for what Zᵀu lacks of
 * Dβ. */
static double gap(program *g)
{
    double primal = 0, dual = 0, quadratic = 0, lacking = 0, size = 0;
    rows_of(g, g->beta, g->t);
    for (int i = 0; i < g->rows; i++) {
        double t = g->c[i] - g->t[i];
        primal += t > 0 ? g->a[i] * t : -g->b[i] * t;
        dual += g->u[i] * g->c[i];
        size += fmax(g->a[i], g->b[i]) * fabs(g->c[i]);
    }
    for (int j = 0; j < g->q; j++) {
        quadratic += 0.5 * g->d[j] * g->beta[j] * g->beta[j];
        lacking += fabs(g->beta[j] * g->rd[j]);
    }
    primal += quadratic;
    dual -= quadratic;
    return (fabs(primal - dual) + lacking) / fmax(fabs(primal), 1e-6 * size + 1e-300);
}

/* An L1 row whose dual lies strictly inside ±λ·l1 says that its coefficient is 0; what is left of it
 * is far below the residuals. */
static void set_zeros(const program *g, double *beta)
{
    double size = 0;
    rows_of(g, beta, g->t);
    for (int i = 0; i < g->n; i++)
        size += fabs(g->c[i] - g->t[i]) / g->n;
    for (int i = g->n; i < g->rows; i++) {
        int j = g->first + i - g->n;
        if (g->a[i] - fabs(g->u[i]) > 1e-6 * g->a[i] && fabs(beta[j]) <= 1e-6 * size)
            beta[j] = 0;
    }
}

am_status solve_piecewise_loss(mest_solver *s, const double *omega, double lambda, double *beta,
                               mest_certificate *certificate, am_error *err)
{
    const mest_problem *p = s->p;
    const size_t bytes = (size_t)p->q * sizeof *beta;
    program g;
    *certificate = (mest_certificate){.residual = INFINITY};
    AM_TRY(program_open(p, &g, err));
    program_fill(p, omega, lambda, &g);
    memcpy(g.beta, beta, bytes);
    start(&g);
    bool tied = lambda * p->l2 > 0, sound = true;
    for (; certificate->iterations < MAX_ITERATIONS; certificate->iterations++) {
        double mu = residuals(&g), now = gap(&g);
        if (now < certificate->residual) {
            certificate->residual = now;
            memcpy(beta, g.beta, bytes);
        }
        if (now <= 0.1 * MEST_TOLERANCE || !(mu > 0))
            break;
        sound = factor(&g);
        if (!sound)
            break;
        iterate(&g, tied, mu);
    }
    set_zeros(&g, beta);
    certificate->converged = certificate->residual <= MEST_TOLERANCE;
    free(g.room);
    if (!sound && !certificate->converged && certificate->residual > 1e-6)
        return am_fail(err, AM_ERR_INPUT,
                       "the design is singular under these weights: some columns are combinations "
                       "of others; remove them or give --penalty l2");
    return AM_OK;
}
