/* The second-order expansion of the objective, by blocks. */
#include "classic/mest_local.h"

#include "linalg/cholesky.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Statistics of all blocks: at most this many numbers (256 MiB). */
static const double most_statistics = 1 << 25;

am_status local_open(mest_generator *g, am_error *err)
{
    const size_t n = (size_t)g->exact.n, q = (size_t)g->exact.q;
    const double all = ((double)q + 0.5 * (double)q * ((double)q + 1.0)) * g->blocks;
    g->at = -1;
    g->statistics = (int)(q + q * (q + 1) / 2);
    g->rows = am_alloc(n * q, sizeof *g->rows, "generator", err);
    g->score = am_alloc(2 * n + q + n * q + 2 * n, sizeof *g->score, "generator", err);
    if (g->rows == NULL || g->score == NULL)
        return AM_ERR_MEMORY;
    g->curvature = g->score + n;
    g->inverse_sd = g->curvature + n;
    g->scratch = g->inverse_sd + q;
    if (all <= most_statistics) {
        g->sum = am_alloc((size_t)g->statistics * (size_t)g->blocks, sizeof *g->sum,
                          "block statistics", err);
        if (g->sum == NULL)
            return AM_ERR_MEMORY;
    }
    for (size_t j = 0; j < q; j++)
        for (size_t i = 0; i < n; i++)
            g->rows[i * q + j] = g->exact.x[j * n + i];
    return quadratic_open((int)q, g->exact.intercept ? 1 : 0, &g->m, err);
}

void local_close(mest_generator *g)
{
    quadratic_close(&g->m);
    free(g->rows);
    free(g->score);
    free(g->sum);
}

void local_row_weights(const mest_generator *g, const double *omega, double *row)
{
    for (int i = 0; i < g->exact.n; i++)
        row[i] = omega[g->block[i]];
}

/* sum_b += (score·x, curvature·x xᵀ)/n over the rows of block b. */
void local_sum_blocks(mest_generator *g)
{
    const int n = g->exact.n, q = g->exact.q;
    if (g->sum == NULL)
        return;
    memset(g->sum, 0, (size_t)g->statistics * (size_t)g->blocks * sizeof *g->sum);
    for (int i = 0; i < n; i++) {
        const double *x = g->rows + (size_t)i * (size_t)q;
        double *to = g->sum + (size_t)g->statistics * g->block[i];
        for (int j = 0; j < q; j++)
            *to++ += g->score[i] / n * x[j];
        for (int j = 0; j < q; j++) {
            double c = g->curvature[i] / n * x[j];
            for (int k = 0; k <= j; k++)
                *to++ += c * x[k];
        }
    }
}

/* Whether the curvatures give a Hessian that can be solved with; H stays in m. */
static bool is_definite(mest_generator *g)
{
    mest_signed_hessian(&g->drawn, NULL, g->curvature, g->scratch, g->m.h);
    double l1 = g->m.l1;
    g->m.l1 = 0;
    bool definite = quadratic_prepare(&g->m);
    g->m.l1 = l1;
    return definite;
}

/* What a coefficient moves by over mean-1 weights of variance 1, the others held:
 * sd_j = √(Σ_b (g_bj − ḡ_j)²)/H_jj. */
static void measure_scale(mest_generator *g)
{
    const int n = g->exact.n, q = g->exact.q;
    for (int j = 0; j < q; j++) {
        double sum = 0, mean = 0, bend = g->m.h[linalg_at(j, j, q)];
        memset(g->scratch, 0, (size_t)g->blocks * sizeof *g->scratch);
        for (int i = 0; i < n; i++)
            g->scratch[g->block[i]] += g->score[i] * g->exact.x[linalg_at(i, j, n)] / n;
        for (int b = 0; b < g->blocks; b++)
            mean += g->scratch[b] / g->blocks;
        for (int b = 0; b < g->blocks; b++)
            sum += (g->scratch[b] - mean) * (g->scratch[b] - mean);
        double sd = bend > 0 ? sqrt(sum) / bend : 0.0;
        double least = 1e-9 * (1.0 + fabs(g->centre[linalg_at(j, g->at, q)]));
        g->inverse_sd[j] = 1.0 / fmax(sd, least);
    }
}

am_status local_expand(mest_generator *g, int node, am_error *err)
{
    const mest_problem *p = &g->drawn;
    if (g->at == node || (g->at >= 0 && p->loss.kind == CLASSIC_SQUARED))
        return AM_OK;
    g->at = node;
    g->trained = false;
    double *f = g->scratch + (size_t)p->n * (size_t)p->q;
    mest_predict(p, g->centre + linalg_at(0, node, p->q), f);
    loss_derivatives(&p->loss, p->n, p->y, f, g->score, g->curvature);
    g->m.l1 = g->lambda[node] * p->l1;
    g->m.l2 = g->lambda[node] * p->l2;
    if (!is_definite(g)) {
        mest_predict(p, g->centre + linalg_at(0, node, p->q), f);
        loss_weights(&p->loss, p->n, p->y, f, g->curvature);
        if (!is_definite(g) && !(g->m.l1 > 0))
            return am_fail(err, AM_ERR_INPUT,
                           "the design is singular: some columns are combinations of others; "
                           "remove them or give --penalty l2");
    }
    local_sum_blocks(g);
    measure_scale(g);
    return AM_OK;
}

/* One draw's statistics by sums over all rows, into lane d. */
static void sum_rows(const mest_generator *g, int d, const double *omega, double *out,
                     double *scratch)
{
    const mest_problem *p = &g->drawn;
    const int q = p->q;
    double *row = scratch + (size_t)p->n * (size_t)q, *weighted = row + p->n;
    double *h = weighted + p->n;
    local_row_weights(g, omega, row);
    mest_gradient(p, row, g->score, weighted, h);
    for (int j = 0; j < q; j++)
        out[(size_t)j * BATCH + (size_t)d] = h[j];
    mest_signed_hessian(p, row, g->curvature, scratch, h);
    for (int i = 0; i < q; i++)
        for (int j = 0; j <= i; j++)
            out[(size_t)q * BATCH + batch_at(i, j) + (size_t)d] = h[linalg_at(i, j, q)];
}

void local_statistics(const mest_generator *g, int draws, const double *omega, double *out,
                      double *lanes, double *scratch)
{
    const int blocks = g->blocks;
    if (g->sum == NULL) {
        memset(out, 0, (size_t)g->statistics * BATCH * sizeof *out);
        for (int d = 0; d < draws; d++)
            sum_rows(g, d, omega + linalg_at(0, d, blocks), out, scratch);
        return;
    }
    for (int b = 0; b < blocks; b++)
        for (int d = 0; d < BATCH; d++)
            lanes[linalg_at(d, b, BATCH)] = d < draws ? omega[linalg_at(b, d, blocks)] : 0.0;
    linalg_multiply('n', 't', BATCH, g->statistics, blocks, lanes, g->sum, out); /* Ωᵀ·Sᵀ */
}
