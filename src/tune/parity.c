#include "tune/parity.h"

#include <stdlib.h>
#include <string.h>

/* ---- scores ---------------------------------------------------------------------------------- */

void network_scores_free(network_scores *s)
{
    free(s->criterion);
    free(s->validation);
    free(s->together);
    *s = (network_scores){0};
}

static void average(network_scores *s)
{
    int all = s->networks * s->models;
    for (int d = 0; d < s->models; d++)
        s->criterion_mean += s->criterion[d] / s->models;
    for (int m = 0; m < all; m++) {
        s->nll_mean += s->validation[m].nll / all;
        s->accuracy_mean += s->validation[m].accuracy / all;
    }
    for (int d = 0; d < s->models; d++) {
        s->together_nll += s->together[d].nll / s->models;
        s->together_accuracy += s->together[d].accuracy / s->models;
    }
}

am_status polish_score(const polish_request *q, dev_f32 *theta, const device_rows *train,
                       const device_rows *validation, network_scores *s, am_error *err)
{
    model_set set = {.be = q->g->be,
                     .t = &q->g->spec.target,
                     .theta = theta,
                     .models = q->models,
                     .networks = polish_networks(q)};
    model_set alone = set;
    alone.models *= set.networks;
    alone.networks = 1;
    *s = (network_scores){.networks = set.networks, .models = q->models};
    s->criterion = am_alloc((size_t)q->models, sizeof *s->criterion, "criteria", err);
    s->validation = am_alloc((size_t)alone.models, sizeof *s->validation, "metrics", err);
    s->together = am_alloc((size_t)q->models, sizeof *s->together, "metrics", err);
    am_status status = s->criterion && s->validation && s->together ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = evaluate_criterion(&set, train, q->g->groups, q->lambda, q->omega, q->blocks,
                                    s->criterion, err);
    if (status == AM_OK)
        status = evaluate(&alone, validation, s->validation, NULL, err);
    if (status == AM_OK && set.networks > 1)
        status = evaluate(&set, validation, s->together, NULL, err);
    else if (status == AM_OK)
        memcpy(s->together, s->validation, (size_t)q->models * sizeof *s->together);
    if (status == AM_OK)
        average(s);
    if (status != AM_OK)
        network_scores_free(s);
    return status;
}

/* ---- refits ---------------------------------------------------------------------------------- */

/* (λ, ω) of the D networks, R times, as a request for D·R networks. */
typedef struct {
    polish_request all;
    double *lambda; /* (R·D, G) */
    float *omega;   /* (R·D, K), or NULL */
    uint32_t *init; /* (R·D) */
} repeated;

static void repeated_close(repeated *r)
{
    free(r->lambda);
    free(r->omega);
    free(r->init);
}

static am_status repeated_open(repeated *r, const polish_request *q, int repeats, am_error *err)
{
    size_t models = (size_t)q->models, groups = (size_t)q->g->groups.count;
    size_t blocks = q->omega != NULL ? (size_t)q->blocks : 0, times = (size_t)repeats;
    *r = (repeated){.all = *q};
    r->all.networks = 1;
    r->lambda = am_alloc(times * models * groups, sizeof *r->lambda, "λ", err);
    r->init = am_alloc(times * models, sizeof *r->init, "initialisations", err);
    if (blocks > 0)
        r->omega = am_alloc(times * models * blocks, sizeof *r->omega, "block weights", err);
    if (r->lambda == NULL || r->init == NULL || (blocks > 0 && r->omega == NULL))
        return AM_ERR_MEMORY;
    for (size_t k = 0; k < times; k++) {
        memcpy(r->lambda + k * models * groups, q->lambda, models * groups * sizeof *r->lambda);
        if (blocks > 0)
            memcpy(r->omega + k * models * blocks, q->omega, models * blocks * sizeof *r->omega);
    }
    for (size_t m = 0; m < times * models; m++)
        r->init[m] = (uint32_t)m;
    r->all.models *= repeats;
    r->all.lambda = r->lambda;
    r->all.omega = r->omega;
    return AM_OK;
}

static am_status score_refits(const polish_request *q, const parity_refits *f,
                              const device_rows *train, const device_rows *validation,
                              const train_hooks *hooks, parity *p, am_error *err)
{
    repeated r;
    dev_f32 *theta = NULL;
    network_scores s = {0};
    am_status status = repeated_open(&r, q, f->repeats, err);
    refit_request request = {
        .t = &q->g->spec.target,
        .per_layer = q->g->spec.per_layer,
        .models = r.all.models,
        .lambda = r.lambda,
        .omega = r.omega,
        .blocks = q->blocks,
        .init = r.init,
        .seed = f->seed,
        .separate = true,
        .rows = f->rows,
        .steps = f->steps,
        .adam = f->adam,
    };
    if (status == AM_OK)
        status = refit_run(q->g->be, &request, train, hooks, &theta, err);
    if (status == AM_OK)
        status = polish_score(&r.all, theta, train, validation, &s, err);
    if (status == AM_OK) {
        p->criterion = s.criterion_mean;
        p->nll = s.nll_mean;
        p->accuracy = s.accuracy_mean;
    }
    network_scores_free(&s);
    q->g->be->op->release(q->g->be, theta);
    repeated_close(&r);
    return status;
}

/* ---- polish, longer and longer --------------------------------------------------------------- */

/* What so many steps cost. */
static parity_point point_at(const parity_refits *refits, int64_t steps, int64_t n)
{
    double of_rows = (double)refits->rows * (double)refits->steps;
    int rows = polish_rows(steps, refits->rows, n);
    return (parity_point){.steps = steps,
                          .rows = rows,
                          .share = (double)steps / (double)refits->steps,
                          .row_share = (double)steps * rows / of_rows};
}

static am_status score_point(const polish_request *polish, double rate, const device_rows *train,
                             const device_rows *validation, const train_hooks *hooks,
                             parity_point *point, am_error *err)
{
    polish_request q = *polish;
    q.steps = point->steps;
    q.rows = point->rows;
    q.adam = polish_optimiser(q.steps, rate);
    dev_f32 *theta;
    network_scores s;
    AM_TRY(polish_run(&q, train, hooks, &theta, err));
    am_status status = polish_score(&q, theta, train, validation, &s, err);
    q.g->be->op->release(q.g->be, theta);
    AM_TRY(status);
    point->criterion = s.criterion_mean;
    point->nll = s.nll_mean;
    point->accuracy = s.accuracy_mean;
    network_scores_free(&s);
    return AM_OK;
}

/* Takes a point in; what was reached once is kept. */
static void note(parity *p, const parity_point *point)
{
    bool criterion = point->criterion <= p->criterion, nll = point->nll <= p->nll;
    p->point[p->points++] = *point;
    if (criterion && p->criterion_steps < 0)
        p->criterion_steps = point->steps;
    if (nll && p->nll_steps < 0)
        p->nll_steps = point->steps;
    if (criterion && nll)
        p->steps = point->steps;
}

am_status parity_find(const polish_request *polish, double rate, const parity_refits *refits,
                      const device_rows *train, const device_rows *validation,
                      const train_hooks *hooks, parity *p, am_error *err)
{
    static const double share[PARITY_POINTS] = {0,     0.01, 0.025, 0.05, 0.075, 0.1,
                                                0.125, 0.2,  0.3,   0.5,  0.75,  1};
    *p = (parity){.criterion_steps = -1, .nll_steps = -1, .steps = -1};
    AM_TRY(score_refits(polish, refits, train, validation, hooks, p, err));
    for (int i = 0; i < PARITY_POINTS && p->steps < 0; i++) {
        int64_t steps = (int64_t)(share[i] * (double)refits->steps + 0.5);
        parity_point point = point_at(refits, steps, train->data.n);
        if (p->points > 0 && steps == p->point[p->points - 1].steps)
            continue;
        if (point.row_share > 1.05) /* from scratch is no dearer */
            break;
        AM_TRY(score_point(polish, rate, train, validation, hooks, &point, err));
        note(p, &point);
    }
    return AM_OK;
}
