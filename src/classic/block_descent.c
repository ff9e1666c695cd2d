/* The generator trained by descent on its criterion, as a network would be: passes over the draws,
 * each giving the gradient
 *     ∂E/∂A = (2/M) Σ_m z_m (S_m Aᵀz_m − s_m)ᵀ,
 * of which conjugate gradients make steps. The preconditioner is the gradient's own structure at
 * independent z and S: E[zzᵀ] ⊗ E[S], both from one pass. */
#include "classic/block_ridge.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char WHAT[] = "descent of the generator";

typedef struct {
    const block_ridge *b;
    const block_draws *draws;
    int r, p;
    double *z;        /* (r × M) features */
    double *theta;    /* (p × M) Aᵀz */
    double *push;     /* (p × M) Sθ (− s) */
    double *weighted; /* (p × M) ω_k θ */
    double *zz;       /* (r × r) Cholesky factor of E[zzᵀ] */
    double *ss;       /* (p × p) Cholesky factor of E[S] */
} criterion;

static void release(criterion *c)
{
    free(c->z);
    free(c->theta);
    free(c->push);
    free(c->weighted);
    free(c->zz);
    free(c->ss);
}

static am_status allocate(criterion *c, am_error *err)
{
    size_t wide = (size_t)c->p * (size_t)c->draws->count;
    c->z = block_draws_features(c->draws, err);
    c->theta = am_alloc(wide, sizeof(double), WHAT, err);
    c->push = am_alloc(wide, sizeof(double), WHAT, err);
    c->weighted = am_alloc(wide, sizeof(double), WHAT, err);
    c->zz = am_alloc((size_t)c->r * (size_t)c->r, sizeof(double), WHAT, err);
    c->ss = am_alloc((size_t)c->p * (size_t)c->p, sizeof(double), WHAT, err);
    bool all = c->z && c->theta && c->push && c->weighted && c->zz && c->ss;
    return all ? AM_OK : AM_ERR_MEMORY;
}

/* Factors of E[zzᵀ] and E[S] = Σ_k ω̄_k G_k + λ̄I, means over the draws. */
static am_status prepare(criterion *c, am_error *err)
{
    int r = c->r, p = c->p, count = c->draws->count;
    double lambda = 0.0, omega = 0.0;
    size_t size = (size_t)p * (size_t)p;
    double *zz = am_alloc((size_t)r * (size_t)r, sizeof *zz, WHAT, err);
    double *ss = am_alloc(size, sizeof *ss, WHAT, err);
    am_status status = zz && ss ? AM_OK : AM_ERR_MEMORY;
    for (int m = 0; m < count; m++)
        lambda += c->draws->lambda[m] / count;
    for (int k = 0; status == AM_OK && k < c->b->blocks; k++) {
        omega = 0.0;
        for (int m = 0; m < count; m++)
            omega += c->draws->omega[linalg_at(k, m, c->b->blocks)] / count;
        for (size_t i = 0; i < size; i++)
            ss[i] += omega * c->b->gram[(size_t)k * size + i];
    }
    if (status == AM_OK) {
        linalg_multiply('n', 't', r, r, count, c->z, c->z, zz);
        for (int i = 0; i < r * r; i++)
            zz[i] /= count;
        status = linalg_factor(WHAT, p, ss, lambda, c->ss, err);
    }
    if (status == AM_OK)
        status = linalg_factor(WHAT, r, zz, 1e-12, c->zz, err);
    free(zz);
    free(ss);
    return status;
}

/* product (r × p) ← (1/M) Σ_m z_m (S_m Aᵀz_m)ᵀ, half the Hessian times A: one pass. */
static void apply(criterion *c, const double *a, double *product)
{
    int r = c->r, p = c->p, count = c->draws->count, blocks = c->b->blocks;
    linalg_multiply('t', 'n', p, count, r, a, c->z, c->theta);
    for (int m = 0; m < count; m++)
        for (int i = 0; i < p; i++)
            c->push[linalg_at(i, m, p)] = c->draws->lambda[m] * c->theta[linalg_at(i, m, p)];
    for (int k = 0; k < blocks; k++) {
        const double *gram = c->b->gram + (size_t)k * (size_t)p * (size_t)p;
        for (int m = 0; m < count; m++)
            for (int i = 0; i < p; i++)
                c->weighted[linalg_at(i, m, p)] =
                    c->draws->omega[linalg_at(k, m, blocks)] * c->theta[linalg_at(i, m, p)];
        linalg_add_product(p, count, p, gram, c->weighted, c->push);
    }
    linalg_multiply('n', 't', r, p, count, c->z, c->push, product);
    for (int i = 0; i < r * p; i++)
        product[i] /= count;
}

/* residual (r × p) ← (1/M) Σ_m z_m s_mᵀ: minus half the gradient at A = 0. */
static void start(criterion *c, double *residual)
{
    int count = c->draws->count;
    linalg_multiply('n', 'n', c->p, count, c->b->blocks, c->b->moment, c->draws->omega, c->push);
    linalg_multiply('n', 't', c->r, c->p, count, c->z, c->push, residual);
    for (int i = 0; i < c->r * c->p; i++)
        residual[i] /= count;
}

/* direction ← E[zzᵀ]⁻¹ · residual · E[S]⁻¹; transposed (p × r) is scratch. */
static void precondition(const criterion *c, const double *residual, double *transposed,
                         double *direction)
{
    int r = c->r, p = c->p;
    memcpy(direction, residual, (size_t)r * (size_t)p * sizeof *direction);
    linalg_factor_solve(r, c->zz, p, direction);
    for (int j = 0; j < p; j++)
        for (int i = 0; i < r; i++)
            transposed[linalg_at(j, i, p)] = direction[linalg_at(i, j, r)];
    linalg_factor_solve(p, c->ss, r, transposed);
    for (int j = 0; j < p; j++)
        for (int i = 0; i < r; i++)
            direction[linalg_at(i, j, r)] = transposed[linalg_at(j, i, p)];
}

static double dot(int count, const double *x, const double *y)
{
    double sum = 0.0;
    for (int i = 0; i < count; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Preconditioned conjugate gradients (Hestenes and Stiefel 1952); scratch (5 × rp). */
static int descend(criterion *c, double tolerance, int most_steps, double *a, double *scratch)
{
    int size = c->r * c->p, step = 0;
    double *residual = scratch, *direction = scratch + size, *product = scratch + 2 * size,
           *steepest = scratch + 3 * size, *transposed = scratch + 4 * size;
    memset(a, 0, (size_t)size * sizeof *a);
    start(c, residual);
    precondition(c, residual, transposed, direction);
    double slope = dot(size, residual, direction), first = slope;
    while (step < most_steps && slope > tolerance * tolerance * first) {
        apply(c, direction, product);
        double along = slope / dot(size, direction, product);
        for (int i = 0; i < size; i++) {
            a[i] += along * direction[i];
            residual[i] -= along * product[i];
        }
        precondition(c, residual, transposed, steepest);
        double next = dot(size, residual, steepest);
        for (int i = 0; i < size; i++)
            direction[i] = steepest[i] + next / slope * direction[i];
        slope = next;
        step++;
    }
    return step;
}

am_status block_ridge_descent(const block_ridge *b, const block_draws *draws, double tolerance,
                              int most_steps, double *a, int *steps, am_error *err)
{
    criterion c = {.b = b, .draws = draws, .r = b->blocks + 1, .p = b->p};
    size_t size = (size_t)c.r * (size_t)c.p;
    double *scratch = am_alloc(5 * size, sizeof *scratch, WHAT, err);
    am_status status = scratch != NULL ? allocate(&c, err) : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = prepare(&c, err);
    if (status == AM_OK)
        *steps = descend(&c, tolerance, most_steps, a, scratch);
    if (status == AM_OK && !linalg_finite(a, size))
        status = am_fail(err, AM_ERR_DIVERGED, "%s: no finite result; take more draws", WHAT);
    free(scratch);
    release(&c);
    return status;
}
