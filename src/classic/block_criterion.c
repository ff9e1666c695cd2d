/* The generator that minimises the criterion exactly, by its normal equations.
 *
 * With θ = Aᵀz and θ ↦ L quadratic, up to a constant
 *     E(A) = E[θᵀSθ − 2sᵀθ],   ∂E/∂A = 2·E[z (S Aᵀz − s)ᵀ] = 0.
 * S and s are linear in the weights, S = Σ_k ω_k G_k + λI and s = Σ_k ω_k c_k, so that the expectation
 * enters through a few small moments of the features alone,
 *     T_k = E[ω_k zzᵀ],   T_λ = E[λ zzᵀ]   (r × r),      t_k = E[ω_k z]   (r),
 * and A solves Σ_k T_k A G_k + T_λ A = Σ_k t_k c_kᵀ: with vec A (column-major), r·p linear equations
 *     [Σ_k G_k ⊗ T_k + I ⊗ T_λ] vec A = Σ_k c_k ⊗ t_k.
 * Nothing is ever fitted: no θ̂, no integral over the posterior. The matrix is the Hessian of a convex
 * quadratic, positive definite as soon as the features are linearly independent over the draws.
 *
 * The moments are means over draws, or exact. For ω = K·Dirichlet(1, …, 1), with a product of powers
 * of ω of total degree q and e_k its exponents,
 *     E[Π ω_k^e_k] = K^q Π e_k! / (K(K+1)…(K+q−1)),
 * and for λ = exp(c + hu), u uniform on [−1, 1], independent of ω,
 *     E[λ] = eᶜ sinh h/h,   E[λu] = eᶜ (h cosh h − sinh h)/h²,
 *     E[λu²] = eᶜ (h² sinh h − 2h cosh h + 2 sinh h)/h³. */
#include "classic/block_ridge.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

static const char WHAT[] = "criterion of the generator";

typedef struct {
    int r, blocks;
    double *weight;  /* (r·r × K) the T_k, owned */
    double *penalty; /* (r × r) T_λ, owned */
    double *first;   /* (r × K) the t_k, owned */
} feature_moments;

static void release(feature_moments *t)
{
    free(t->weight);
    free(t->penalty);
    free(t->first);
}

static am_status allocate(int blocks, feature_moments *t, am_error *err)
{
    size_t r = (size_t)blocks + 1, k = (size_t)blocks;
    *t = (feature_moments){.r = blocks + 1, .blocks = blocks};
    t->weight = am_alloc(r * r * k, sizeof(double), WHAT, err);
    t->penalty = am_alloc(r * r, sizeof(double), WHAT, err);
    t->first = am_alloc(r * k, sizeof(double), WHAT, err);
    return t->weight && t->penalty && t->first ? AM_OK : AM_ERR_MEMORY;
}

/* ---- the normal equations ---------------------------------------------------------------------- */

/* h (rp × rp) ← Σ_k G_k ⊗ T_k + I ⊗ T_λ, from pairs (r·r × p·p) = Σ_k vec T_k · vec(G_k)ᵀ. */
static void arrange(const feature_moments *t, int p, const double *pairs, double *h)
{
    int r = t->r, side = r * p;
    for (int c = 0; c < p; c++)
        for (int d = 0; d < p; d++)
            for (int i = 0; i < r; i++)
                for (int j = 0; j < r; j++) {
                    double value = pairs[linalg_at(i + j * r, c + d * p, r * r)];
                    if (c == d)
                        value += t->penalty[linalg_at(i, j, r)];
                    h[linalg_at(i + c * r, j + d * r, side)] = value;
                }
}

static am_status solve(const block_ridge *b, const feature_moments *t, double *a, am_error *err)
{
    int r = t->r, p = b->p, side = r * p;
    size_t size = (size_t)side * (size_t)side;
    double *pairs = am_alloc(size, sizeof *pairs, WHAT, err);
    double *h = am_alloc(size, sizeof *h, WHAT, err);
    am_status status = pairs && h ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        linalg_multiply('n', 't', r * r, p * p, t->blocks, t->weight, b->gram, pairs);
        arrange(t, p, pairs, h);
        linalg_multiply('n', 't', r, p, t->blocks, t->first, b->moment, a);
        status = linalg_solve(WHAT, side, h, 1, a, err);
    }
    free(pairs);
    free(h);
    return status;
}

/* ---- moments over draws ------------------------------------------------------------------------ */

/* T = (1/M) Σ_m w_m z_m z_mᵀ; scaled (r × M). */
static void weighted_square(int r, int count, const double *z, const double *w, int stride,
                            double *scaled, double *t)
{
    for (int m = 0; m < count; m++)
        for (int i = 0; i < r; i++)
            scaled[linalg_at(i, m, r)] =
                w[(size_t)m * (size_t)stride] * z[linalg_at(i, m, r)] / count;
    linalg_multiply('n', 't', r, r, count, scaled, z, t);
}

static am_status moments_of_draws(const block_draws *draws, feature_moments *t, am_error *err)
{
    int r = t->r, count = draws->count;
    double *z = block_draws_features(draws, err);
    double *scaled = am_alloc((size_t)r * (size_t)count, sizeof *scaled, WHAT, err);
    if (z != NULL && scaled != NULL) {
        for (int k = 0; k < t->blocks; k++) {
            double *square = t->weight + (size_t)k * (size_t)r * (size_t)r;
            weighted_square(r, count, z, draws->omega + k, t->blocks, scaled, square);
            for (int i = 0; i < r; i++) /* z_0 = 1: t_k is the first column of T_k */
                t->first[linalg_at(i, k, r)] = square[i];
        }
        weighted_square(r, count, z, draws->lambda, 1, scaled, t->penalty);
    }
    am_status status = z && scaled ? AM_OK : AM_ERR_MEMORY;
    free(z);
    free(scaled);
    return status;
}

am_status block_ridge_criterion(const block_ridge *b, const block_draws *draws, double *a,
                                am_error *err)
{
    feature_moments t;
    am_status status = allocate(b->blocks, &t, err);
    if (status == AM_OK && draws->count < t.r)
        status = am_fail(err, AM_ERR_INPUT, "%s: %d draws for %d features; take at least as many",
                         WHAT, draws->count, t.r);
    if (status == AM_OK)
        status = moments_of_draws(draws, &t, err);
    if (status == AM_OK)
        status = solve(b, &t, a, err);
    release(&t);
    return status;
}

/* ---- exact moments ----------------------------------------------------------------------------- */

/* E[ω_i ω_j ω_k], E[ω_i ω_j] */
static double third(double blocks, int i, int j, int k)
{
    double repeats = i == j && j == k ? 6.0 : i == j || j == k || i == k ? 2.0 : 1.0;
    return blocks * blocks * repeats / ((blocks + 1.0) * (blocks + 2.0));
}

static double second(double blocks, int i, int j)
{
    return blocks * (i == j ? 2.0 : 1.0) / (blocks + 1.0);
}

/* E[ω_k z_i z_j] where z_0 = 1, z_1 = √3·u and z_{2+i} = ω_i − 1 */
static double weight_moment(double blocks, int k, int i, int j)
{
    if (i > j)
        return weight_moment(blocks, k, j, i);
    if (i == 1 || j == 1) /* u is independent of ω, E u = 0, E[3u²] = 1 */
        return i == j ? 1.0 : 0.0;
    if (j == 0)
        return 1.0;
    if (i == 0)
        return second(blocks, j - 2, k) - 1.0;
    return third(blocks, i - 2, j - 2, k) - second(blocks, i - 2, k) - second(blocks, j - 2, k) +
           1.0;
}

/* E[λ z_i z_j]; power (3) = E[λ], E[λ√3u], E[3λu²] */
static double penalty_moment(double blocks, const double *power, int i, int j)
{
    if (i < 2 && j < 2)
        return power[i + j];
    if (i < 2 || j < 2) /* E[ω − 1] = 0 */
        return 0.0;
    return power[0] * (second(blocks, i - 2, j - 2) - 1.0);
}

static void exact_moments(double low, double high, feature_moments *t)
{
    double c = 0.5 * (log(low) + log(high)), h = 0.5 * (log(high) - log(low));
    double scale = exp(c), s = sinh(h), q = cosh(h);
    const double power[3] = {scale * s / h, sqrt(3.0) * scale * (h * q - s) / (h * h),
                             3.0 * scale * (h * h * s - 2.0 * h * q + 2.0 * s) / (h * h * h)};
    int r = t->r;
    for (int j = 0; j < r; j++)
        for (int i = 0; i < r; i++) {
            t->penalty[linalg_at(i, j, r)] = penalty_moment(t->blocks, power, i, j);
            for (int k = 0; k < t->blocks; k++)
                t->weight[linalg_at(i + j * r, k, r * r)] = weight_moment(t->blocks, k, i, j);
        }
    for (int k = 0; k < t->blocks; k++)
        for (int i = 0; i < r; i++)
            t->first[linalg_at(i, k, r)] = weight_moment(t->blocks, k, i, 0);
}

am_status block_ridge_expected(const block_ridge *b, double low, double high, double *a,
                               am_error *err)
{
    feature_moments t;
    am_status status = allocate(b->blocks, &t, err);
    if (status == AM_OK) {
        exact_moments(low, high, &t);
        status = solve(b, &t, a, err);
    }
    release(&t);
    return status;
}
