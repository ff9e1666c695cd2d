#include "classic/block_ridge.h"
#include "linalg/linalg.h"

#include <stdlib.h>
#include <string.h>

static const char WHAT[] = "weighted ridge regression";

void block_ridge_free(block_ridge *b)
{
    free(b->gram);
    free(b->moment);
    *b = (block_ridge){0};
}

am_status block_ridge_open(const design *d, const int *label, int blocks, block_ridge *b,
                           am_error *err)
{
    size_t p = (size_t)d->p, k = (size_t)blocks;
    *b = (block_ridge){.n = d->n, .p = d->p, .blocks = blocks};
    b->gram = am_alloc(p * p * k, sizeof *b->gram, WHAT, err);
    b->moment = am_alloc(p * k, sizeof *b->moment, WHAT, err);
    am_status status = b->gram && b->moment ? AM_OK : AM_ERR_MEMORY;
    for (int g = 0; status == AM_OK && g < blocks; g++) {
        design part;
        double *gram = b->gram + (size_t)g * p * p, *moment = b->moment + (size_t)g * p;
        status = design_rows(d, label, g, true, &part, err);
        if (status != AM_OK)
            break;
        linalg_gram(part.n, part.p, part.x, gram);
        linalg_apply('t', part.n, part.p, part.x, part.y, moment);
        for (size_t i = 0; i < p * p; i++)
            gram[i] /= d->n;
        for (size_t i = 0; i < p; i++)
            moment[i] /= d->n;
        design_free(&part);
    }
    if (status != AM_OK)
        block_ridge_free(b);
    return status;
}

/* S = Σ_k ω_k G_k, s = Σ_k ω_k c_k, for one draw at a time; S + λI by the factorisation. */
am_status block_ridge_labels(const block_ridge *b, const block_draws *draws, double *theta,
                             am_error *err)
{
    size_t size = (size_t)b->p * (size_t)b->p;
    double *system = am_alloc(size, sizeof *system, WHAT, err);
    double *factor = am_alloc(size, sizeof *factor, WHAT, err);
    am_status status = system && factor ? AM_OK : AM_ERR_MEMORY;
    for (int m = 0; status == AM_OK && m < draws->count; m++) {
        const double *omega = draws->omega + linalg_at(0, m, b->blocks);
        double *at = theta + linalg_at(0, m, b->p);
        linalg_apply('n', b->p * b->p, b->blocks, b->gram, omega, system);
        linalg_apply('n', b->p, b->blocks, b->moment, omega, at);
        status = linalg_factor(WHAT, b->p, system, draws->lambda[m], factor, err);
        if (status == AM_OK)
            linalg_factor_solve(b->p, factor, 1, at);
    }
    free(system);
    free(factor);
    return status;
}

/* transposed (columns × rows) ← aᵀ, a (rows × columns) */
static void transpose(int rows, int columns, const double *a, double *transposed, int stride)
{
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++)
            transposed[linalg_at(j, i, stride)] = a[linalg_at(i, j, rows)];
}

am_status block_ridge_supervised(const block_ridge *b, const block_draws *draws, double *a,
                                 am_error *err)
{
    int r = b->blocks + 1, count = draws->count, rows = AM_MAX(count, r);
    double *z = block_draws_features(draws, err);
    double *theta = am_alloc((size_t)b->p * (size_t)count, sizeof *theta, WHAT, err);
    double *zt = am_alloc((size_t)count * (size_t)r, sizeof *zt, WHAT, err);
    double *target = am_alloc((size_t)rows * (size_t)b->p, sizeof *target, WHAT, err);
    am_status status = z && theta && zt && target ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = block_ridge_labels(b, draws, theta, err);
    if (status == AM_OK) { /* min ‖ZᵀA − Θ̂ᵀ‖ */
        transpose(r, count, z, zt, count);
        transpose(b->p, count, theta, target, rows);
        status = linalg_least_squares(WHAT, count, r, zt, b->p, target, NULL, err);
    }
    for (int j = 0; status == AM_OK && j < b->p; j++)
        memcpy(a + linalg_at(0, j, r), target + linalg_at(0, j, rows), (size_t)r * sizeof *a);
    free(z);
    free(theta);
    free(zt);
    free(target);
    return status;
}

am_status block_ridge_loss(const block_ridge *b, const block_draws *draws, const double *theta,
                           const double *a, double *loss, am_error *err)
{
    size_t size = (size_t)b->p * (size_t)draws->count;
    double *z = block_draws_features(draws, err);
    double *generated = am_alloc(size, sizeof *generated, WHAT, err);
    if (z != NULL && generated != NULL) {
        linalg_multiply('t', 'n', b->p, draws->count, b->blocks + 1, a, z, generated);
        *loss = 0.0;
        for (size_t i = 0; i < size; i++)
            *loss += (generated[i] - theta[i]) * (generated[i] - theta[i]) / draws->count;
    }
    am_status status = z && generated ? AM_OK : AM_ERR_MEMORY;
    free(z);
    free(generated);
    return status;
}
