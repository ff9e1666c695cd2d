/* K-fold cross-validation: K fold masks as weights, all λ, one generator. */
#include "classic/mest_uses.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void mest_cv_free(mest_cv *r)
{
    free(r->lambda);
    free(r->fold);
    free(r->beta);
    free(r->refit_mean);
    *r = (mest_cv){0};
}

typedef struct {
    const mest_setup *s;
    mest_engine engine;
    mest_cv *r;
    int *rows;                    /* (K) in each fold */
    double *omega, *beta, *f, *v; /* (K × K), (q × K), (n × K), (n) */
    double *room;
} cross;

static am_status cross_open(cross *c, const double *lambda, am_error *err)
{
    const mest_setup *s = c->s;
    mest_cv *r = c->r;
    const size_t q = (size_t)s->data->q, n = (size_t)s->data->n;
    const size_t k = (size_t)r->folds, points = (size_t)r->points;
    r->lambda = am_alloc(3 * points, sizeof *r->lambda, "cross-validation", err);
    r->fold = am_alloc(points * k, sizeof *r->fold, "cross-validation", err);
    r->beta = am_alloc(q * points, sizeof *r->beta, "cross-validation", err);
    c->rows = am_alloc(k, sizeof *c->rows, "cross-validation", err);
    c->room = am_alloc(k * k + q * k + n * k + n, sizeof *c->room, "cross-validation", err);
    if (!r->lambda || !r->fold || !r->beta || !c->rows || !c->room)
        return AM_ERR_MEMORY;
    r->mean = r->lambda + points;
    r->se = r->mean + points;
    memcpy(r->lambda, lambda, points * sizeof *lambda);
    c->omega = c->room;
    c->beta = c->omega + k * k;
    c->f = c->beta + q * k;
    c->v = c->f + n * k;
    mest_time begin = mest_now();
    AM_TRY(mest_engine_open(s, r->folds, r->points, lambda, &c->engine, err));
    r->seconds.fit = mest_since(begin);
    for (size_t i = 0; i < n; i++)
        c->rows[c->engine.block[i]]++;
    mest_weights_folds(r->folds, c->omega);
    return AM_OK;
}

/* Mean loss of the rows that each fold's fit has not seen. */
static void hold_out(const cross *c, double *mean)
{
    const mest_problem *p = &c->engine.problem;
    memset(mean, 0, (size_t)c->r->folds * sizeof *mean);
    linalg_multiply('n', 'n', p->n, c->r->folds, p->q, p->x, c->beta, c->f);
    for (int i = 0; i < p->n; i++)
        c->v[i] = c->f[linalg_at(i, (int)c->engine.block[i], p->n)];
    loss_values(&p->loss, p->n, p->y, c->v, c->f);
    for (int i = 0; i < p->n; i++)
        mean[c->engine.block[i]] += c->f[i] / c->rows[c->engine.block[i]];
}

/* Over rows; the standard error from the folds' means, each with the share of its rows. */
static void average(const cross *c, const double *fold, double *mean, double *se)
{
    const double n = c->s->data->n;
    double square = 0;
    *mean = 0;
    for (int k = 0; k < c->r->folds; k++)
        *mean += c->rows[k] / n * fold[k];
    for (int k = 0; k < c->r->folds; k++)
        square += c->rows[k] / n * (fold[k] - *mean) * (fold[k] - *mean);
    *se = sqrt(square / (c->r->folds - 1));
}

static am_status sweep(cross *c, mest_effort effort, double *mean, double *se, double *fold,
                       mest_account *account, am_error *err)
{
    for (int j = 0; j < c->r->points; j++) {
        double *own = fold + linalg_at(0, j, c->r->folds);
        AM_TRY(mest_generator_draw(c->engine.generator, effort, c->r->lambda[j], c->r->folds,
                                   c->omega, c->beta, account, err));
        hold_out(c, own);
        average(c, own, &mean[j], &se[j]);
    }
    return AM_OK;
}

static int least(int count, const double *x)
{
    int best = 0;
    for (int j = 1; j < count; j++)
        if (x[j] < x[best])
            best = j;
    return best;
}

static am_status audit(cross *c, am_error *err)
{
    mest_cv *r = c->r;
    const size_t points = (size_t)r->points;
    mest_account account = {0};
    double *fold = am_alloc(points * ((size_t)r->folds + 1), sizeof *fold, "audit", err);
    r->refit_mean = am_alloc(points, sizeof *r->refit_mean, "audit", err);
    am_status status = fold && r->refit_mean ? AM_OK : AM_ERR_MEMORY;
    mest_time begin = mest_now();
    if (status == AM_OK)
        status = sweep(c, MEST_REFIT, r->refit_mean, fold + points * (size_t)r->folds, fold,
                       &account, err);
    r->seconds.refits = mest_since(begin);
    if (status == AM_OK)
        r->refit_best = least(r->points, r->refit_mean);
    free(fold);
    return status;
}

static am_status run(cross *c, const double *lambda, am_error *err)
{
    mest_cv *r = c->r;
    AM_TRY(cross_open(c, lambda, err));
    mest_time begin = mest_now();
    AM_TRY(sweep(c, c->s->refit ? MEST_REFIT : MEST_GENERATE, r->mean, r->se, r->fold, &r->account,
                 err));
    r->seconds.draws = mest_since(begin);
    r->best = least(r->points, r->mean);
    r->one_se = r->best; /* λ falls */
    for (int j = r->best; j >= 0; j--)
        if (r->mean[j] <= r->mean[r->best] + r->se[r->best])
            r->one_se = j;
    for (int j = 0; j < r->points; j++) {
        double *beta = r->beta + linalg_at(0, j, r->q);
        memcpy(beta, mest_generator_node(c->engine.generator, j, NULL),
               (size_t)r->q * sizeof *beta);
        mest_data_restore(c->s->data, true, beta);
    }
    return c->s->audit > 0 && !c->s->refit ? audit(c, err) : AM_OK;
}

am_status mest_cv_run(const mest_setup *s, int folds, int points, const double *lambda, mest_cv *r,
                      am_error *err)
{
    cross c = {.s = s, .r = r};
    *r = (mest_cv){.q = s->data->q, .points = points, .folds = folds};
    if (folds < 2 || folds > s->data->n)
        return am_fail(err, AM_ERR_USAGE, "--folds %d: %d rows can be cut into 2 to %d folds",
                       folds, s->data->n, s->data->n);
    am_status status = run(&c, lambda, err);
    mest_engine_close(&c.engine);
    free(c.rows);
    free(c.room);
    if (status != AM_OK)
        mest_cv_free(r);
    return status;
}
