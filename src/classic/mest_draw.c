/* Draws of the generator, in chunks over the threads; refits. */
#include "classic/mest_worker.h"
#include "linalg/linalg.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static void worker_close(worker *w)
{
    quadratic_close(&w->m);
    mest_solver_free(w->solver);
    free(w->room);
}

/* Slices of one piece of memory. */
static size_t slice(double **to, double *room, size_t at, size_t count)
{
    *to = room != NULL ? room + at : NULL;
    return at + count;
}

/* With room NULL: only how much is needed. */
static size_t worker_slice(worker *w, double *room)
{
    const size_t n = (size_t)w->g->exact.n, q = (size_t)w->m.q, c = BATCH;
    const size_t t = (size_t)w->g->statistics, k = (size_t)w->g->blocks;
    size_t at = 0;
    at = slice(&w->statistics, room, at, t * c);
    at = slice(&w->lanes, room, at, AM_MAX(k, q) * c);
    at = slice(&w->hessian, room, at, worker_has_l1(w) ? q * q * c : 0);
    at = slice(&w->f, room, at, n * c);
    at = slice(&w->r, room, at, n * c);
    at = slice(&w->gradient, room, at, q * c);
    at = slice(&w->next, room, at, q * c);
    at = slice(&w->step, room, at, q * MOST_POLISH * c);
    at = slice(&w->change, room, at, q * MOST_POLISH * c);
    at = slice(&w->row, room, at, n);
    return slice(&w->scratch, room, at, n * q + 2 * n + q * q);
}

static am_status worker_open(const mest_generator *g, mest_effort effort, double lambda, worker *w,
                             am_error *err)
{
    *w = (worker){.g = g, .effort = effort, .lambda = lambda};
    w->start = mest_generator_nearest(g, lambda);
    if (quadratic_open(g->exact.q, g->exact.intercept ? 1 : 0, &w->m, err) != AM_OK)
        return AM_ERR_MEMORY;
    w->m.l1 = lambda * g->drawn.l1;
    w->m.l2 = lambda * g->drawn.l2;
    w->room = am_alloc(worker_slice(w, NULL), sizeof *w->room, "draws", err);
    if (w->room == NULL)
        return AM_ERR_MEMORY;
    worker_slice(w, w->room);
    return AM_OK;
}

/* Exactly, from where the draw stands. What cannot be solved keeps its place. */
static void refit(worker *w, int d)
{
    const int q = w->m.q;
    double *beta = w->beta + linalg_at(0, d, q);
    mest_certificate certificate;
    am_error ignored = {0};
    if (w->solver == NULL)
        w->solver =
            mest_solver_new(w->effort == MEST_REFIT ? &w->g->exact : &w->g->drawn, &ignored);
    local_row_weights(w->g, w->omega + linalg_at(0, d, w->g->blocks), w->row);
    memcpy(w->next, beta, (size_t)q * sizeof *beta);
    bool solved = w->solver != NULL && mest_solve(w->solver, w->row, w->lambda, w->next,
                                                  &certificate, &ignored) == AM_OK;
    if (solved && linalg_finite(w->next, (size_t)q))
        memcpy(beta, w->next, (size_t)q * sizeof *beta);
    w->account.refits++;
    w->account.failed += !(solved && certificate.converged);
    w->left[d] = 0;
}

static void generate_chunk(worker *w)
{
    const int most = w->effort == MEST_SKETCH ? SKETCH_POLISH : MOST_POLISH;
    worker_minimise(w);
    for (int round = 0; round < most && worker_polish(w, round); round++)
        ;
    for (int d = 0; d < w->draws; d++) {
        if (w->effort == MEST_GENERATE && w->left[d] > MEST_ERROR)
            refit(w, d);
        if (isfinite(w->left[d]))
            w->account.worst = fmax(w->account.worst, w->left[d]);
    }
}

static void refit_chunk(worker *w)
{
    const int q = w->m.q;
    for (int d = 0; d < w->draws; d++) {
        memcpy(w->beta + linalg_at(0, d, q), w->g->node + linalg_at(0, w->start, q),
               (size_t)q * sizeof *w->beta);
        refit(w, d);
    }
}

static void add_accounts(const worker *w, int workers, int draws, mest_account *account)
{
    account->draws += draws;
    for (int i = 0; i < workers; i++) {
        account->refits += w[i].account.refits;
        account->failed += w[i].account.failed;
        account->worst = fmax(account->worst, w[i].account.worst);
    }
}

am_status draw_all(mest_generator *g, mest_effort effort, double lambda, int draws,
                   const double *omega, double *beta, mest_account *account, am_error *err)
{
    const int chunks = (draws + BATCH - 1) / BATCH;
    const int workers = AM_MAX(1, AM_MIN(g->threads, chunks));
    worker *w = am_alloc((size_t)workers, sizeof *w, "draws", err);
    am_status status = w != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int i = 0; i < workers && status == AM_OK; i++)
        status = worker_open(g, effort, lambda, &w[i], err);
    if (status == AM_OK) {
#pragma omp parallel for schedule(dynamic) num_threads(workers)
        for (int c = 0; c < chunks; c++) {
            worker *own = &w[omp_get_thread_num()];
            own->draws = AM_MIN(BATCH, draws - c * BATCH);
            own->omega = omega + linalg_at(0, c * BATCH, g->blocks);
            own->beta = beta + linalg_at(0, c * BATCH, g->exact.q);
            if (effort == MEST_REFIT)
                refit_chunk(own);
            else
                generate_chunk(own);
        }
        add_accounts(w, workers, draws, account);
    }
    for (int i = 0; i < workers && w != NULL; i++)
        worker_close(&w[i]);
    free(w);
    return status;
}
