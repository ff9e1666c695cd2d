/* The local model's minimisers, and their polishing. */
#include "backend/cpu/cpu.h"
#include "classic/mest_worker.h"
#include "linalg/linalg.h"

#include <math.h>
#include <string.h>

static const double LEAST_RATIO = 0.25;

/* The largest |a − b| in standard deviations. */
static double distance(const worker *w, const double *a, const double *b)
{
    double most = 0;
    for (int j = 0; j < w->m.q; j++) {
        double d = fabs(a[j] - b[j]) * w->g->inverse_sd[j];
        most = d > most ? d : most;
    }
    return most;
}

static bool is_finite(const worker *w, const double *x)
{
    return linalg_finite(x, (size_t)w->m.q);
}

static double l2_of(const worker *w, int j)
{
    return j < w->m.first ? 0.0 : w->m.l2;
}

/* Step and change of gradient of round k of draw d. */
static size_t history(const worker *w, int d, int k)
{
    return ((size_t)d * MOST_POLISH + (size_t)k) * (size_t)w->m.q;
}

/* ---- the local model --------------------------------------------------------------------------- */

/* b (lanes) = gradient of model and penalty at the centre, then the Newton step. */
static void solve_chunk(worker *w, const double *centre, bool sound[BATCH])
{
    const int q = w->m.q;
    double *b = w->lanes, *h = w->statistics + (size_t)q * BATCH;
    for (int j = 0; j < q; j++)
        for (int d = 0; d < BATCH; d++) {
            b[linalg_at(d, j, BATCH)] =
                w->statistics[linalg_at(d, j, BATCH)] + 2.0 * l2_of(w, j) * centre[j];
            h[batch_at(j, j) + (size_t)d] += 2.0 * l2_of(w, j);
        }
    for (int d = 0; d < w->draws; d++) /* what the first polishing step compares with */
        for (int j = 0; j < q; j++)
            w->change[history(w, d, 0) + (size_t)j] = b[linalg_at(d, j, BATCH)];
    batch_factor(q, h, sound);
    batch_solve(q, h, b);
    for (int d = 0; d < w->draws; d++)
        for (int j = 0; j < q; j++)
            w->beta[linalg_at(j, d, q)] = centre[j] - b[linalg_at(d, j, BATCH)];
}

/* By coordinate descent from β, which is the node's. */
static bool descend(worker *w, int d, const double *centre)
{
    const int q = w->m.q;
    const double *packed = w->statistics + (size_t)q * BATCH + (size_t)d;
    double *gradient = w->lanes; /* (q) */
    w->m.h = w->hessian + linalg_at(0, d, q * q);
    for (int j = 0; j < q; j++)
        gradient[j] = w->statistics[linalg_at(d, j, BATCH)];
    for (int i = 0; i < q; i++)
        for (int j = 0; j <= i; j++)
            w->m.h[linalg_at(i, j, q)] = w->m.h[linalg_at(j, i, q)] = packed[batch_at(i, j)];
    return quadratic_minimise(&w->m, centre, gradient, w->beta + linalg_at(0, d, q));
}

void worker_minimise(worker *w)
{
    const mest_generator *g = w->g;
    const int q = w->m.q;
    const double *centre = g->centre + linalg_at(0, g->at, q);
    const double *start = g->centre + linalg_at(0, w->start, q);
    bool sound[BATCH] = {false};
    local_statistics(g, w->draws, w->omega, w->statistics, w->lanes, w->scratch);
    if (!worker_has_l1(w))
        solve_chunk(w, centre, sound);
    for (int d = 0; d < w->draws; d++) {
        double *beta = w->beta + linalg_at(0, d, q);
        if (worker_has_l1(w)) {
            memcpy(beta, start, (size_t)q * sizeof *beta);
            sound[d] = descend(w, d, centre);
        }
        sound[d] = sound[d] && is_finite(w, beta);
        if (!sound[d])
            memcpy(beta, start, (size_t)q * sizeof *beta);
        w->last[d] = sound[d] ? distance(w, beta, centre) : INFINITY;
        w->left[d] = sound[d] && g->drawn.loss.kind == CLASSIC_SQUARED ? 0.0 : INFINITY;
        for (int j = 0; j < q; j++)
            w->step[history(w, d, 0) + (size_t)j] = beta[j] - centre[j];
    }
}

/* ---- polishing --------------------------------------------------------------------------------- */

/* Draws that are worth another step; returns how many. */
static int choose_active(worker *w)
{
    int count = 0;
    for (int d = 0; d < w->draws; d++)
        if (w->left[d] > MEST_ERROR && !isinf(w->last[d]))
            w->active[count++] = d;
    return count;
}

/* r_i ← ω_{b(i)}·r_i */
AM_CLONES static void weigh_rows(int n, const uint32_t *block, const double *omega, double *r)
{
    for (int i = 0; i < n; i++)
        r[i] *= omega[block[i]];
}

/* gradient (q × count) = Xᵀ(ω∘ℓ′(Xβ))/n + 2·l2·β of the active draws, whose β are put into next. */
static void gradients(worker *w, int count)
{
    const mest_generator *g = w->g;
    const mest_problem *p = &g->drawn;
    for (int a = 0; a < count; a++)
        memcpy(w->next + linalg_at(0, a, p->q), w->beta + linalg_at(0, w->active[a], p->q),
               (size_t)p->q * sizeof *w->beta);
    linalg_multiply('n', 'n', p->n, count, p->q, p->x, w->next, w->f);
    for (int a = 0; a < count; a++) {
        double *r = w->r + linalg_at(0, a, p->n);
        loss_derivatives(&p->loss, p->n, p->y, w->f + linalg_at(0, a, p->n), r, NULL);
        weigh_rows(p->n, g->block, w->omega + linalg_at(0, w->active[a], g->blocks), r);
    }
    linalg_multiply('t', 'n', p->q, count, p->n, p->x, w->r, w->gradient);
    for (int a = 0; a < count; a++)
        for (int j = 0; j < p->q; j++) {
            double *own = &w->gradient[linalg_at(j, a, p->q)];
            double l2 = worker_has_l1(w) ? 0.0 : l2_of(w, j); /* else coordinate descent adds it */
            *own = *own / p->n + 2.0 * l2 * w->next[linalg_at(j, a, p->q)];
        }
}

static double dot(int n, const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add(int n, double factor, const double *x, double *y)
{
    for (int i = 0; i < n; i++)
        y[i] += factor * x[i];
}

/* share (MOST_POLISH × BATCH): v −= Σ share·y, newest pair first; the first half of limited-memory
 * BFGS. false when the last step met no curvature. */
static bool before_solve(worker *w, int d, int pairs, const double *gradient, double *v,
                         double *share)
{
    const int q = w->m.q;
    double *last = w->change + history(w, d, pairs - 1);
    for (int j = 0; j < q; j++)
        last[j] = gradient[j] - last[j];
    memcpy(v, gradient, (size_t)q * sizeof *v);
    if (!(dot(q, w->step + history(w, d, pairs - 1), last) > 0))
        return false;
    for (int k = pairs - 1; k >= 0; k--) {
        const double *s = w->step + history(w, d, k), *y = w->change + history(w, d, k);
        share[k] = dot(q, s, v) / dot(q, s, y);
        add(q, -share[k], y, v);
    }
    return true;
}

/* The second half: v += Σ (share − yᵀv/sᵀy)·s, oldest pair first. */
static void after_solve(const worker *w, int d, int pairs, double *v, const double *share)
{
    const int q = w->m.q;
    for (int k = 0; k < pairs; k++) {
        const double *s = w->step + history(w, d, k), *y = w->change + history(w, d, k);
        add(q, share[k] - dot(q, y, v) / dot(q, s, y), s, v);
    }
}

/* next = β − B⁻¹·∇L, B the draw's local Hessian updated by the steps made so far (Nocedal 1980): by
 * what the curvature has changed where it mattered. */
static void secant_steps(worker *w, int count, int pairs, bool sound[BATCH])
{
    const int q = w->m.q;
    double share[BATCH][MOST_POLISH], *b = w->lanes;
    memset(b, 0, (size_t)q * BATCH * sizeof *b);
    for (int a = 0; a < count; a++) {
        int d = w->active[a];
        double *v = w->next + linalg_at(0, a, q);
        sound[a] = before_solve(w, d, pairs, w->gradient + linalg_at(0, a, q), v, share[a]);
        for (int j = 0; j < q; j++)
            b[linalg_at(d, j, BATCH)] = v[j];
    }
    batch_solve(q, w->statistics + (size_t)q * BATCH, b);
    for (int a = 0; a < count; a++) {
        int d = w->active[a];
        double *v = w->next + linalg_at(0, a, q);
        const double *beta = w->beta + linalg_at(0, d, q);
        for (int j = 0; j < q; j++)
            v[j] = b[linalg_at(d, j, BATCH)];
        if (sound[a])
            after_solve(w, d, pairs, v, share[a]);
        for (int j = 0; j < q; j++)
            v[j] = beta[j] - v[j];
    }
}

/* Takes the step of active draw a. Steps shrink by a ratio ρ, so that about |step|·ρ/(1 − ρ) is left;
 * the first one follows the local model's, whose length says little about ρ: it counts as LEAST_RATIO
 * at least. A step that grows is not taken. */
static void take_step(worker *w, int a, int round, bool sound)
{
    const int q = w->m.q, d = w->active[a];
    const size_t bytes = (size_t)q * sizeof(double);
    double *beta = w->beta + linalg_at(0, d, q), *next = w->next + linalg_at(0, a, q);
    double size = sound && is_finite(w, next) ? distance(w, next, beta) : INFINITY;
    if (!(size < w->last[d])) {
        w->left[d] = w->last[d] = INFINITY;
        return;
    }
    double ratio = fmax(size / w->last[d], round == 0 ? LEAST_RATIO : 0.0);
    w->left[d] = size * ratio / (1.0 - ratio);
    w->last[d] = size;
    if (round + 1 < MOST_POLISH) {
        double *step = w->step + history(w, d, round + 1);
        for (int j = 0; j < q; j++)
            step[j] = next[j] - beta[j];
        memcpy(w->change + history(w, d, round + 1), w->gradient + linalg_at(0, a, q), bytes);
    }
    memcpy(beta, next, bytes);
}

bool worker_polish(worker *w, int round)
{
    const int q = w->m.q, count = choose_active(w);
    bool sound[BATCH] = {false};
    if (count == 0)
        return false;
    gradients(w, count);
    if (!worker_has_l1(w))
        secant_steps(w, count, round + 1, sound);
    for (int a = 0; a < count; a++) {
        if (worker_has_l1(w)) {
            w->m.h = w->hessian + linalg_at(0, w->active[a], q * q);
            sound[a] =
                quadratic_minimise(&w->m, w->beta + linalg_at(0, w->active[a], q),
                                   w->gradient + linalg_at(0, a, q), w->next + linalg_at(0, a, q));
        }
        take_step(w, a, round, sound[a]);
    }
    return true;
}
