#include "classic/ridge_generator.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char WHAT[] = "generator of ridge fits";

/* Poles as shares of the mean eigenvalue of G/n: one where most eigenvalues lie, one for the small
 * ones, which decide θ at small λ. */
enum { POLES = 2, POWERS = 3, SPACE = 1 + POLES * POWERS };
static const double POLE_SHARE[POLES] = {0.3, 0.01};

static double norm(int p, const double *v)
{
    double sum = 0.0;
    for (int i = 0; i < p; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

/* Columns m, (G + nκ_j)^(−i) m, each scaled to length 1: B (p × SPACE). */
static am_status krylov(int n, int p, const double *gram, const double *moment, double *factor,
                        double *b, am_error *err)
{
    double trace = 0.0, length = norm(p, moment);
    for (int i = 0; i < p; i++)
        trace += gram[linalg_at(i, i, p)];
    for (int i = 0; i < p; i++)
        b[i] = length > 0.0 ? moment[i] / length : 0.0;
    double *column = b + p;
    for (int j = 0; j < POLES; j++) {
        double penalty = trace > 0.0 ? POLE_SHARE[j] * trace / p : n;
        const double *from = b;
        AM_TRY(linalg_factor(WHAT, p, gram, penalty, factor, err));
        for (int i = 0; i < POWERS; i++, from = column, column += p) {
            memcpy(column, from, (size_t)p * sizeof *column);
            linalg_factor_solve(p, factor, 1, column);
            double scale = norm(p, column);
            for (int k = 0; k < p && scale > 0.0; k++)
                column[k] /= scale;
        }
    }
    return AM_OK;
}

/* QᵀGQ = W·diag(μ)·Wᵀ; direction_k = (w_kᵀQᵀm)·Qw_k. h (r × r), gq and q (p × r). */
static am_status project(ridge_space *s, const double *gram, const double *moment, const double *q,
                         double *gq, double *h, am_error *err)
{
    linalg_multiply('n', 'n', s->p, s->r, s->p, gram, q, gq);
    linalg_multiply('t', 'n', s->r, s->r, s->p, q, gq, h);
    AM_TRY(linalg_eigen(WHAT, s->r, h, s->ritz, err));
    linalg_multiply('n', 'n', s->p, s->r, s->r, q, h, s->direction);
    for (int k = 0; k < s->r; k++) {
        double *w = s->direction + linalg_at(0, k, s->p), share = 0.0;
        s->ritz[k] = fmax(s->ritz[k], 0.0);
        for (int i = 0; i < s->p; i++)
            share += w[i] * moment[i];
        for (int i = 0; i < s->p; i++)
            w[i] *= share;
    }
    return AM_OK;
}

am_status ridge_space_open(int n, int p, const double *gram, const double *moment, ridge_space *s,
                           am_error *err)
{
    size_t side = (size_t)p, r = (size_t)AM_MIN(SPACE, p);
    *s = (ridge_space){.n = n, .p = p, .r = (int)r};
    s->direction = am_alloc(side * r, sizeof(double), WHAT, err);
    s->ritz = am_alloc(r, sizeof(double), WHAT, err);
    double *factor = am_alloc(side * side, sizeof *factor, WHAT, err);
    double *q = am_alloc(side * SPACE, sizeof *q, WHAT, err);
    double *gq = am_alloc(side * r, sizeof *gq, WHAT, err);
    double *h = am_alloc(r * r, sizeof *h, WHAT, err);
    bool all = s->direction && s->ritz && factor && q && gq && h;
    am_status status = all ? krylov(n, p, gram, moment, factor, q, err) : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = linalg_orthonormal(WHAT, p, s->r, q, err);
    if (status == AM_OK)
        status = project(s, gram, moment, q, gq, h, err);
    free(factor);
    free(q);
    free(gq);
    free(h);
    if (status != AM_OK)
        ridge_space_free(s);
    return status;
}

void ridge_space_free(ridge_space *s)
{
    free(s->direction);
    free(s->ritz);
    *s = (ridge_space){0};
}

void ridge_space_features(const ridge_space *s, const double *lambda, int points, double *c)
{
    for (int j = 0; j < points; j++)
        for (int k = 0; k < s->r; k++)
            c[linalg_at(k, j, s->r)] = 1.0 / (s->ritz[k] + s->n * lambda[j]);
}
