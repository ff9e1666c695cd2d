/* The path of coefficients along λ, with the band of the draws. */
#include "classic/mest_interval.h"
#include "classic/mest_uses.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void mest_path_free(mest_path *r)
{
    free(r->lambda);
    free(r->beta);
    free(r->low);
    *r = (mest_path){0};
}

typedef struct {
    const mest_setup *s;
    mest_engine engine;
    mest_path *r;
    double *omega, *beta, *column; /* (K × M), (q × M), (M) */
    double *room;
} walk;

static am_status walk_open(walk *w, const double *lambda, am_error *err)
{
    const mest_setup *s = w->s;
    mest_path *r = w->r;
    const size_t q = (size_t)r->q, points = (size_t)r->points, m = (size_t)s->draws;
    r->lambda = am_alloc(points, sizeof *r->lambda, "path", err);
    r->beta = am_alloc(q * points, sizeof *r->beta, "path", err);
    if (m > 1)
        r->low = am_alloc(2 * q * points, sizeof *r->low, "path", err);
    w->room = am_alloc(((size_t)s->blocks + q + 1) * m + 1, sizeof *w->room, "path", err);
    if (!r->lambda || !r->beta || (m > 1 && !r->low) || !w->room)
        return AM_ERR_MEMORY;
    r->high = r->low != NULL ? r->low + q * points : NULL;
    memcpy(r->lambda, lambda, points * sizeof *lambda);
    w->omega = w->room;
    w->beta = w->omega + (size_t)s->blocks * m;
    w->column = w->beta + q * m;
    mest_time begin = mest_now();
    AM_TRY(mest_engine_open(s, s->blocks, r->points, lambda, &w->engine, err));
    r->seconds.fit = mest_since(begin);
    mest_weights_draw(s->weights, s->alpha, s->seed, 0, 0, s->draws, s->blocks, w->omega);
    return AM_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static am_status band_at(walk *w, int j, am_error *err)
{
    const mest_setup *s = w->s;
    mest_path *r = w->r;
    AM_TRY(mest_generator_draw(w->engine.generator, s->refit ? MEST_REFIT : MEST_GENERATE,
                               r->lambda[j], s->draws, w->omega, w->beta, &r->account, err));
    for (int m = 0; m < s->draws; m++)
        mest_data_restore(s->data, true, w->beta + linalg_at(0, m, r->q));
    for (int k = 0; k < r->q; k++) {
        for (int m = 0; m < s->draws; m++)
            w->column[m] = w->beta[linalg_at(k, m, r->q)];
        qsort(w->column, (size_t)s->draws, sizeof *w->column, compare_numbers);
        r->low[linalg_at(k, j, r->q)] =
            interval_quantile(s->draws, w->column, 0.5 * (1.0 - s->level));
        r->high[linalg_at(k, j, r->q)] =
            interval_quantile(s->draws, w->column, 0.5 * (1.0 + s->level));
    }
    return AM_OK;
}

static am_status run(walk *w, const double *lambda, am_error *err)
{
    mest_path *r = w->r;
    AM_TRY(walk_open(w, lambda, err));
    for (int j = 0; j < r->points; j++) {
        mest_certificate certificate;
        double *beta = r->beta + linalg_at(0, j, r->q);
        memcpy(beta, mest_generator_node(w->engine.generator, j, &certificate),
               (size_t)r->q * sizeof *beta);
        mest_data_restore(w->s->data, true, beta);
        r->residual = fmax(r->residual, certificate.residual);
    }
    mest_time begin = mest_now();
    for (int j = 0; j < r->points && r->low != NULL; j++)
        AM_TRY(band_at(w, j, err));
    r->seconds.draws = mest_since(begin);
    return AM_OK;
}

am_status mest_path_run(const mest_setup *s, int points, const double *lambda, mest_path *r,
                        am_error *err)
{
    walk w = {.s = s, .r = r};
    *r = (mest_path){.q = s->data->q, .points = points};
    am_status status = run(&w, lambda, err);
    mest_engine_close(&w.engine);
    free(w.room);
    if (status != AM_OK)
        mest_path_free(r);
    return status;
}
