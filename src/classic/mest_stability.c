/* Stability selection along the path. */
#include "classic/mest_uses.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void mest_stability_free(mest_stability *r)
{
    free(r->lambda);
    free(r->frequency);
    free(r->most);
    *r = (mest_stability){0};
}

typedef struct {
    const mest_setup *s;
    mest_engine engine;
    mest_stability *r;
    double *omega, *beta; /* (K × M), (q × M) */
    bool *seen;           /* (q × M) selected at some λ */
} halving;

static am_status halving_open(halving *h, const double *lambda, am_error *err)
{
    const mest_setup *s = h->s;
    mest_stability *r = h->r;
    const size_t q = (size_t)r->q, points = (size_t)r->points, m = (size_t)s->draws;
    r->lambda = am_alloc(points, sizeof *r->lambda, "stability selection", err);
    r->frequency = am_alloc(q * points, sizeof *r->frequency, "stability selection", err);
    r->most = am_alloc(q, sizeof *r->most, "stability selection", err);
    h->omega = am_alloc((size_t)s->blocks * m, sizeof *h->omega, "stability selection", err);
    h->beta = am_alloc(q * m, sizeof *h->beta, "stability selection", err);
    h->seen = am_alloc(q * m, sizeof *h->seen, "stability selection", err);
    if (!r->lambda || !r->frequency || !r->most || !h->omega || !h->beta || !h->seen)
        return AM_ERR_MEMORY;
    memcpy(r->lambda, lambda, points * sizeof *lambda);
    mest_time begin = mest_now();
    AM_TRY(mest_engine_open(s, s->blocks, r->points, lambda, &h->engine, err));
    r->seconds.fit = mest_since(begin);
    mest_weights_draw(MEST_HALVES, 1.0, s->seed, 0, 0, s->draws, s->blocks, h->omega);
    return AM_OK;
}

static am_status count_at(halving *h, int j, am_error *err)
{
    mest_stability *r = h->r;
    const int first = h->s->data->intercept ? 1 : 0, draws = h->s->draws;
    AM_TRY(mest_generator_draw(h->engine.generator, h->s->refit ? MEST_REFIT : MEST_GENERATE,
                               r->lambda[j], draws, h->omega, h->beta, &r->account, err));
    for (int m = 0; m < draws; m++)
        for (int k = first; k < r->q; k++)
            if (h->beta[linalg_at(k, m, r->q)] != 0) {
                r->frequency[linalg_at(k, j, r->q)] += 1.0 / draws;
                h->seen[linalg_at(k, m, r->q)] = true;
            }
    return AM_OK;
}

/* Mean number of columns selected so far, and the bound that follows. */
static void bound(const halving *h, double threshold, double *selected, double *most)
{
    const mest_stability *r = h->r;
    const int first = h->s->data->intercept ? 1 : 0;
    *selected = 0;
    for (size_t i = 0; i < (size_t)r->q * (size_t)h->s->draws; i++)
        *selected += h->seen[i] ? 1.0 / h->s->draws : 0.0;
    *most =
        threshold > 0.5 ? *selected * *selected / ((2.0 * threshold - 1.0) * (r->q - first)) : NAN;
}

static void find_largest(halving *h)
{
    mest_stability *r = h->r;
    const int first = h->s->data->intercept ? 1 : 0;
    for (int k = 0; k < r->q; k++) {
        r->most[k] = k < first ? NAN : 0.0;
        for (int j = 0; j < r->points && k >= first; j++)
            r->most[k] = fmax(r->most[k], r->frequency[linalg_at(k, j, r->q)]);
    }
}

static am_status run(halving *h, double threshold, double most_false, const double *lambda,
                     am_error *err)
{
    mest_stability *r = h->r;
    AM_TRY(halving_open(h, lambda, err));
    mest_time begin = mest_now();
    for (int j = 0; j < r->points; j++) {
        double selected, most;
        AM_TRY(count_at(h, j, err));
        bound(h, threshold, &selected, &most);
        if (j > 1 && most > most_false) {
            r->points = j; /* without this λ */
            break;
        }
        r->selected = selected;
        r->bound = most;
    }
    r->seconds.draws = mest_since(begin);
    find_largest(h);
    return AM_OK;
}

am_status mest_stability_run(const mest_setup *s, double threshold, double most_false, int points,
                             const double *lambda, mest_stability *r, am_error *err)
{
    halving h = {.s = s, .r = r};
    *r = (mest_stability){.q = s->data->q, .points = points};
    if (!(s->l1 > 0))
        return am_fail(err, AM_ERR_USAGE,
                       "stability selection needs coefficients that can be 0; give --penalty l1 or "
                       "elastic-net");
    if (s->blocks < 2)
        return am_fail(err, AM_ERR_USAGE,
                       "--blocks %d: stability selection halves the blocks; give 2 or more",
                       s->blocks);
    am_status status = run(&h, threshold, most_false, lambda, err);
    mest_engine_close(&h.engine);
    free(h.omega);
    free(h.beta);
    free(h.seen);
    if (status != AM_OK)
        mest_stability_free(r);
    return status;
}
