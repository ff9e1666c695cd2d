/* A generator's nodes, its anchor, and the influence of the blocks. */
#include "classic/mest_generator.h"

#include "classic/mest_local.h"
#include "linalg/cholesky.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PILOT_DRAWS = 16, TRAINING_PAYS = 8 * PILOT_DRAWS };

void mest_generator_free(mest_generator *g)
{
    if (g == NULL)
        return;
    local_close(g);
    free(g->lambda);
    free(g->node);
    free(g->certificate);
    free(g->ready);
    free(g);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 1.4826 times the median of |t| about its median: the standard deviation of normal residuals. */
static double robust_scale(int n, double *t)
{
    qsort(t, (size_t)n, sizeof *t, compare_numbers);
    double median = 0.5 * (t[(n - 1) / 2] + t[n / 2]);
    for (int i = 0; i < n; i++)
        t[i] = fabs(t[i] - median);
    qsort(t, (size_t)n, sizeof *t, compare_numbers);
    return 1.4826 * 0.5 * (t[(n - 1) / 2] + t[n / 2]);
}

/* h = ¼·s·((q + log n)/n)^0.4, from the residuals at the node of least λ. */
static void choose_bandwidth(mest_generator *g)
{
    const mest_problem *p = &g->exact;
    int least = 0;
    double *t = g->scratch;
    for (int j = 1; j < g->nodes; j++)
        if (g->lambda[j] < g->lambda[least])
            least = j;
    mest_predict(p, g->node + linalg_at(0, least, p->q), t);
    for (int i = 0; i < p->n; i++)
        t[i] = p->loss.kind == CLASSIC_HINGE ? 1.0 - p->y[i] * t[i] : p->y[i] - t[i];
    double size = 0;
    for (int i = 0; i < p->n; i++)
        size += fabs(t[i]) / p->n;
    double scale = fmax(robust_scale(p->n, t), 0.1 * size);
    double share = pow((p->q + log(p->n)) / p->n, 0.4);
    g->drawn.loss.bandwidth = scale > 0 ? 0.25 * scale * share : 1.0;
}

/* Exact minimisers at all nodes at ω = 1, from the largest λ down, each from the one before. */
static am_status solve_nodes(mest_generator *g, am_error *err)
{
    const int q = g->exact.q;
    mest_solver *solver = mest_solver_new(&g->exact, err);
    am_status status = solver != NULL ? AM_OK : AM_ERR_MEMORY;
    double above = INFINITY;
    int last = -1;
    for (int k = 0; k < g->nodes && status == AM_OK; k++) {
        int at = -1; /* the largest λ that is not done yet */
        for (int j = 0; j < g->nodes; j++)
            if (g->lambda[j] < above && (at < 0 || g->lambda[j] > g->lambda[at]))
                at = j;
        if (at < 0)
            break;
        double *beta = g->node + linalg_at(0, at, q);
        if (last >= 0)
            memcpy(beta, g->node + linalg_at(0, last, q), (size_t)q * sizeof *beta);
        status = mest_solve(solver, NULL, g->lambda[at], beta, &g->certificate[at], err);
        above = g->lambda[at];
        last = at;
    }
    mest_solver_free(solver);
    return status;
}

static am_status prepare(mest_generator *g, const mest_generator_request *request, am_error *err)
{
    const size_t nodes = (size_t)g->nodes, q = (size_t)g->exact.q;
    g->lambda = am_alloc(nodes, sizeof *g->lambda, "generator", err);
    g->node = am_alloc(2 * nodes * q, sizeof *g->node, "generator", err);
    g->certificate = am_alloc(nodes, sizeof *g->certificate, "generator", err);
    g->ready = am_alloc(nodes, sizeof *g->ready, "generator", err);
    if (!g->lambda || !g->node || !g->certificate || !g->ready)
        return AM_ERR_MEMORY;
    g->centre = g->node;
    memcpy(g->lambda, request->lambda, nodes * sizeof *g->lambda);
    AM_TRY(local_open(g, err));
    AM_TRY(solve_nodes(g, err));
    if (!loss_is_smooth(&g->exact.loss)) {
        choose_bandwidth(g);
        g->centre = g->node + nodes * q;
    }
    return AM_OK;
}

/* The expansion round a node; of a smoothed loss its own minimiser is found first. */
static am_status expand(mest_generator *g, int node, am_error *err)
{
    const int q = g->exact.q;
    if (g->centre != g->node && !g->ready[node]) {
        double *centre = g->centre + linalg_at(0, node, q);
        mest_certificate certificate;
        mest_solver *solver = mest_solver_new(&g->drawn, err);
        if (solver == NULL)
            return AM_ERR_MEMORY;
        memcpy(centre, g->node + linalg_at(0, node, q), (size_t)q * sizeof *centre);
        am_status status = mest_solve(solver, NULL, g->lambda[node], centre, &certificate, err);
        mest_solver_free(solver);
        AM_TRY(status);
        g->ready[node] = true;
    }
    return local_expand(g, node, err);
}

am_status mest_generator_new(const mest_generator_request *request, mest_generator **generator,
                             am_error *err)
{
    *generator = NULL;
    mest_generator *g = am_alloc(1, sizeof *g, "generator", err);
    if (g == NULL)
        return AM_ERR_MEMORY;
    g->exact = g->drawn = *request->problem;
    g->blocks = request->blocks;
    g->block = request->block;
    g->nodes = request->nodes;
    g->threads = AM_MAX(1, request->threads);
    am_status status = prepare(g, request, err);
    if (status == AM_OK)
        *generator = g;
    else
        mest_generator_free(g);
    return status;
}

int mest_generator_nearest(const mest_generator *g, double lambda)
{
    int best = 0;
    for (int j = 1; j < g->nodes && lambda > 0; j++)
        if (fabs(log(g->lambda[j] / lambda)) < fabs(log(g->lambda[best] / lambda)))
            best = j;
    return best;
}

const double *mest_generator_node(const mest_generator *g, int node, mest_certificate *certificate)
{
    if (certificate != NULL)
        *certificate = g->certificate[node];
    return g->node + linalg_at(0, node, g->exact.q);
}

am_status mest_generator_draw(mest_generator *g, mest_effort effort, double lambda, int draws,
                              const double *omega, double *beta, mest_account *account,
                              am_error *err)
{
    const int node = mest_generator_nearest(g, lambda), q = g->exact.q;
    if (effort != MEST_REFIT)
        AM_TRY(expand(g, node, err));
    if (effort == MEST_GENERATE && !g->trained && draws >= TRAINING_PAYS &&
        g->drawn.loss.kind != CLASSIC_SQUARED)
        AM_TRY(local_train(g, lambda, PILOT_DRAWS, omega, err));
    AM_TRY(draw_all(g, effort, lambda, draws, omega, beta, account, err));
    if (effort == MEST_REFIT || g->centre == g->node || g->exact.l1 > 0)
        return AM_OK;
    const double *exact = g->node + linalg_at(0, node, q);
    const double *smooth = g->centre + linalg_at(0, node, q);
    for (int d = 0; d < draws; d++)
        for (int j = 0; j < q; j++)
            beta[linalg_at(j, d, q)] += exact[j] - smooth[j];
    return AM_OK;
}

/* ---- influence --------------------------------------------------------------------------------- */

/* The columns that are not 0 under an L1 part; returns how many. */
static int moving(const mest_generator *g, int node, int *column)
{
    int count = 0;
    for (int j = 0; j < g->exact.q; j++)
        if (mest_share(&g->exact, g->lambda[node] * g->exact.l1, j) == 0 ||
            g->centre[linalg_at(j, node, g->exact.q)] != 0)
            column[count++] = j;
    return count;
}

/* −g_b + ḡ on those columns: rhs (count × K). */
static void centred_gradients(const mest_generator *g, int count, const int *column, double *rhs)
{
    const int n = g->exact.n, blocks = g->blocks;
    memset(rhs, 0, (size_t)count * (size_t)blocks * sizeof *rhs);
    for (int i = 0; i < n; i++)
        for (int a = 0; a < count; a++)
            rhs[linalg_at(a, (int)g->block[i], count)] -=
                g->score[i] / n * g->exact.x[linalg_at(i, column[a], n)];
    for (int a = 0; a < count; a++) {
        double mean = 0;
        for (int b = 0; b < blocks; b++)
            mean += rhs[linalg_at(a, b, count)] / blocks;
        for (int b = 0; b < blocks; b++)
            rhs[linalg_at(a, b, count)] -= mean;
    }
}

/* U = −(H_AA + 2·λ·l2·I)⁻¹(g_b − ḡ)_A; rhs, h and column are scratch. */
static am_status solve_influence(mest_generator *g, int node, double *u, double *rhs, double *h,
                                 int *column, am_error *err)
{
    const mest_problem *p = &g->drawn;
    const int q = p->q, count = moving(g, node, column);
    mest_signed_hessian(p, NULL, g->curvature, g->scratch, g->m.h);
    for (int a = 0; a < count; a++)
        for (int i = 0; i < count; i++)
            h[linalg_at(i, a, count)] =
                g->m.h[linalg_at(column[i], column[a], q)] +
                (i == a ? 2.0 * g->lambda[node] * mest_share(p, p->l2, column[a]) : 0.0);
    if (!cholesky_factor(count, h))
        return am_fail(err, AM_ERR_INPUT,
                       "the design is singular: some columns are combinations of others; remove "
                       "them or give --penalty l2");
    centred_gradients(g, count, column, rhs);
    cholesky_solve(count, h, g->blocks, rhs);
    memset(u, 0, (size_t)q * (size_t)g->blocks * sizeof *u);
    for (int b = 0; b < g->blocks; b++)
        for (int a = 0; a < count; a++)
            u[linalg_at(column[a], b, q)] = rhs[linalg_at(a, b, count)];
    return AM_OK;
}

am_status mest_generator_influence(mest_generator *g, double lambda, double *u, am_error *err)
{
    const size_t q = (size_t)g->exact.q, blocks = (size_t)g->blocks;
    const int node = mest_generator_nearest(g, lambda);
    if (g->trained || g->drawn.loss.kind == CLASSIC_SQUARED)
        g->at = -1; /* the scores at this node itself are wanted */
    AM_TRY(expand(g, node, err));
    double *room = am_alloc(q * blocks + q * q, sizeof *room, "influence", err);
    int *column = am_alloc(q, sizeof *column, "influence", err);
    am_status status = room != NULL && column != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = solve_influence(g, node, u, room, room + q * blocks, column, err);
    free(room);
    free(column);
    return status;
}
