#include "classic/ridge.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char WHAT[] = "generalised cross-validation";

static am_status allocate(ridge_spectrum *s, am_error *err)
{
    size_t n = (size_t)s->n, k = (size_t)s->k;
    s->u = am_alloc(n * k, sizeof *s->u, WHAT, err);
    s->d = am_alloc(k, sizeof *s->d, WHAT, err);
    s->g = am_alloc(k, sizeof *s->g, WHAT, err);
    return s->u && s->d && s->g ? AM_OK : AM_ERR_MEMORY;
}

/* p ≤ n: X = U·diag(s)·Vᵀ, d = s² */
static am_status decompose_tall(const design *data, ridge_spectrum *s, am_error *err)
{
    size_t size = (size_t)data->n * (size_t)data->p;
    double *x = am_alloc(size, sizeof *x, WHAT, err);
    double *vt = am_alloc((size_t)data->p * (size_t)data->p, sizeof *vt, WHAT, err);
    am_status status = x && vt ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        memcpy(x, data->x, size * sizeof *x);
        status = linalg_svd(WHAT, data->n, data->p, x, s->u, s->d, vt, err);
    }
    for (int i = 0; status == AM_OK && i < s->k; i++)
        s->d[i] *= s->d[i];
    free(x);
    free(vt);
    return status;
}

/* p > n: XXᵀ = U·diag(d)·Uᵀ; rounding may leave a tiny negative d */
static am_status decompose_wide(const design *data, ridge_spectrum *s, am_error *err)
{
    linalg_multiply('n', 't', data->n, data->n, data->p, data->x, data->x, s->u);
    AM_TRY(linalg_eigen(WHAT, data->n, s->u, s->d, err));
    for (int i = 0; i < s->k; i++)
        s->d[i] = fmax(s->d[i], 0.0);
    return AM_OK;
}

/* g = Uᵀy, rest = ‖y − Ug‖² */
static am_status project(const design *data, ridge_spectrum *s, am_error *err)
{
    double *fitted = am_alloc((size_t)s->n, sizeof *fitted, WHAT, err);
    if (fitted == NULL)
        return AM_ERR_MEMORY;
    linalg_apply('t', s->n, s->k, s->u, data->y, s->g);
    linalg_apply('n', s->n, s->k, s->u, s->g, fitted);
    s->rest = 0.0;
    for (int i = 0; s->k < s->n && i < s->n; i++)
        s->rest += (data->y[i] - fitted[i]) * (data->y[i] - fitted[i]);
    free(fitted);
    return AM_OK;
}

am_status ridge_spectrum_open(const design *data, ridge_spectrum *s, am_error *err)
{
    *s = (ridge_spectrum){.n = data->n, .p = data->p, .k = AM_MIN(data->n, data->p)};
    am_status status = allocate(s, err);
    if (status == AM_OK)
        status = data->p <= data->n ? decompose_tall(data, s, err) : decompose_wide(data, s, err);
    if (status == AM_OK)
        status = project(data, s, err);
    if (status != AM_OK)
        ridge_spectrum_free(s);
    return status;
}

void ridge_spectrum_free(ridge_spectrum *s)
{
    free(s->u);
    free(s->d);
    free(s->g);
    *s = (ridge_spectrum){0};
}

/* With r_i = 1/(d_i + nλ):   ‖y − Xθ̂‖² = rest + (nλ)² Σ r_i² g_i²,   n − tr A = (n − k) + nλ Σ r_i.
 * For n = k the factor nλ cancels, and V stays exact as λ → 0. */
double ridge_gcv(const ridge_spectrum *s, double lambda)
{
    double penalty = s->n * lambda, scale = s->k == s->n ? 1.0 : penalty;
    double residual = s->rest, free_directions = s->n - s->k;
    for (int i = 0; i < s->k; i++) {
        double r = scale / (s->d[i] + penalty);
        if (scale == 0.0)
            r = s->d[i] > 0.0 ? 0.0 : 1.0;
        residual += r * s->g[i] * (r * s->g[i]);
        free_directions += r;
    }
    double v = s->n * residual / (free_directions * free_directions);
    return isfinite(v) ? v : INFINITY;
}

/* θ̂ = XᵀU(D + nλ)⁻¹g:   ‖θ̂‖² = Σ d_i g_i²/(d_i + nλ)²,   βᵀθ̂ = Σ h_i g_i/(d_i + nλ). Directions in
 * which X has no rows give nothing as λ → 0. */
double ridge_risk(const ridge_spectrum *s, const double *h, double beta_squared, double sigma,
                  double lambda)
{
    double penalty = s->n * lambda, gap = beta_squared;
    for (int i = 0; i < s->k; i++) {
        double r = s->d[i] + penalty > 0.0 ? s->g[i] / (s->d[i] + penalty) : 0.0;
        gap += s->d[i] * r * r - 2.0 * h[i] * r;
    }
    return sigma * sigma + gap;
}
