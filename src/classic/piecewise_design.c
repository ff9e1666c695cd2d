#include "classic/piecewise_design.h"

#include "linalg/linalg.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- one fit ----------------------------------------------------------------------------------- */

static void matrix_forward(void *context, const double *beta, double *out)
{
    const matrix_design *m = context;
    linalg_apply('n', m->n, m->p, m->x, beta, out);
}

static void matrix_backward(void *context, const double *d, double *out)
{
    const matrix_design *m = context;
    linalg_apply('t', m->n, m->p, m->x, d, out);
}

static void matrix_quadratic(void *context, const double *beta, double *out)
{
    const matrix_design *m = context;
    for (int j = 0; j < m->p; j++)
        out[j] = 2 * m->lambda * m->penalised[j] * beta[j];
}

static void matrix_curvature(void *context, const double *w, double *h)
{
    const matrix_design *m = context;
    linalg_weighted_gram(m->n, m->p, m->x, w, m->scratch, h);
    for (int j = 0; j < m->p; j++)
        h[linalg_at(j, j, m->p)] += 2 * m->lambda * m->penalised[j];
}

void matrix_design_use(matrix_design *m, piecewise_problem *problem)
{
    problem->rows = (size_t)m->n;
    problem->columns = m->p;
    problem->context = m;
    problem->forward = matrix_forward;
    problem->backward = matrix_backward;
    problem->quadratic = matrix_quadratic;
    problem->curvature = matrix_curvature;
}

/* ---- training of a generator ------------------------------------------------------------------- */

static int all_draws(const product_design *d)
{
    return d->draws + d->conditions;
}

/* Rows before those of the conditions. */
static size_t data_rows(const product_design *d)
{
    return (size_t)d->n * (size_t)d->draws;
}

/* Columns of theta that belong to the conditions. */
static double *condition_theta(const product_design *d)
{
    return d->theta + (size_t)d->p * (size_t)d->draws;
}

/* Θ = A·Zᵀ (p × M + C), then XΘ (n × M) and grid·Θ (g × C) */
static void product_forward(void *context, const double *a, double *out)
{
    product_design *d = context;
    linalg_multiply('n', 't', d->p, all_draws(d), d->features, a, d->z, d->theta);
    linalg_multiply('n', 'n', d->n, d->draws, d->p, d->x, d->theta, out);
    if (d->conditions > 0)
        linalg_multiply('n', 'n', d->grid, d->conditions, d->p, d->grid_x, condition_theta(d),
                        out + data_rows(d));
}

/* XᵀD and gridᵀD (p × M + C), then times Z (p × R) */
static void product_backward(void *context, const double *rows, double *out)
{
    product_design *d = context;
    linalg_multiply('t', 'n', d->p, d->draws, d->n, d->x, rows, d->theta);
    if (d->conditions > 0)
        linalg_multiply('t', 'n', d->p, d->conditions, d->grid, d->grid_x, rows + data_rows(d),
                        condition_theta(d));
    linalg_multiply('n', 'n', d->p, d->features, all_draws(d), d->theta, d->z, out);
}

/* (2/M) diag(penalised)·A·Zᵀ·diag(λ, 0)·Z + ridge·A */
static void product_quadratic(void *context, const double *a, double *out)
{
    product_design *d = context;
    linalg_multiply('n', 't', d->p, all_draws(d), d->features, a, d->z, d->theta);
    for (int m = 0; m < all_draws(d); m++) {
        double factor = m < d->draws ? 2 * d->lambda[m] / d->draws : 0;
        for (int j = 0; j < d->p; j++)
            d->theta[linalg_at(j, m, d->p)] *= factor * d->penalised[j];
    }
    linalg_multiply('n', 'n', d->p, d->features, all_draws(d), d->theta, d->z, out);
    for (int j = 0; j < d->p * d->features; j++)
        out[j] += d->ridge * a[j];
}

/* S_m = XᵀW_mX + (2λ_m/M)·diag(penalised) for every draw, gridᵀW_m·grid for a condition */
static void product_grams(product_design *d, const double *w)
{
    size_t n = (size_t)d->n, grid = (size_t)d->grid, p = (size_t)d->p;
    size_t room = AM_MAX(n, grid) * p, first = data_rows(d);
#pragma omp parallel for schedule(dynamic)
    for (int m = 0; m < all_draws(d); m++) {
        double *scratch = d->thread_scratch + (size_t)omp_get_thread_num() * room;
        double *gram = d->gram + (size_t)m * p * p;
        if (m >= d->draws) {
            size_t row = first + (size_t)(m - d->draws) * grid;
            linalg_weighted_gram(d->grid, d->p, d->grid_x, w + row, scratch, gram);
            continue;
        }
        linalg_weighted_gram(d->n, d->p, d->x, w + (size_t)m * n, scratch, gram);
        for (int j = 0; j < d->p; j++)
            gram[linalg_at(j, j, d->p)] += 2 * d->lambda[m] / d->draws * d->penalised[j];
    }
}

/* Block (k, l) of ZᵀWZ + Q, k ≥ l, is Σ_m z_mk·z_ml·S_m: one product for all blocks. */
static void product_curvature(void *context, const double *w, double *h)
{
    product_design *d = context;
    int p = d->p, size = p * d->features, pairs = d->features * (d->features + 1) / 2;
    product_grams(d, w);
    linalg_multiply('n', 'n', p * p, pairs, all_draws(d), d->gram, d->square, d->block);
    for (int l = 0, pair = 0; l < d->features; l++)
        for (int k = l; k < d->features; k++, pair++)
            for (int j = 0; j < p; j++)
                memcpy(h + linalg_at(k * p, l * p + j, size),
                       d->block + (size_t)pair * (size_t)(p * p) + (size_t)(j * p),
                       (size_t)p * sizeof *h);
    for (int j = 0; j < size; j++)
        h[linalg_at(j, j, size)] += d->ridge;
}

am_status product_design_open(product_design *d, piecewise_problem *problem, am_error *err)
{
    size_t rows = (size_t)AM_MAX(d->n, d->grid), p = (size_t)d->p, draws = (size_t)all_draws(d);
    size_t pairs = (size_t)d->features * ((size_t)d->features + 1) / 2;
    size_t threads = (size_t)omp_get_max_threads();
    d->theta = am_alloc(p * draws, sizeof *d->theta, "generator", err);
    d->gram = am_alloc(p * p * draws, sizeof *d->gram, "generator", err);
    d->square = am_alloc(draws * pairs, sizeof *d->square, "generator", err);
    d->block = am_alloc(p * p * pairs, sizeof *d->block, "generator", err);
    d->thread_scratch = am_alloc(threads * rows * p, sizeof *d->thread_scratch, "generator", err);
    if (!d->theta || !d->gram || !d->square || !d->block || !d->thread_scratch)
        return AM_ERR_MEMORY;
    double *square = d->square;
    for (int l = 0; l < d->features; l++)
        for (int k = l; k < d->features; k++)
            for (int m = 0; m < all_draws(d); m++)
                *square++ =
                    d->z[linalg_at(m, k, all_draws(d))] * d->z[linalg_at(m, l, all_draws(d))];
    problem->rows = data_rows(d) + (size_t)d->grid * (size_t)d->conditions;
    problem->columns = d->p * d->features;
    problem->context = d;
    problem->forward = product_forward;
    problem->backward = product_backward;
    problem->quadratic = product_quadratic;
    problem->curvature = product_curvature;
    return AM_OK;
}

void product_design_free(product_design *d)
{
    free(d->theta);
    free(d->gram);
    free(d->square);
    free(d->block);
    free(d->thread_scratch);
}
