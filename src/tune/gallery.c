#include "tune/explore.h"
#include "tune/uncertainty.h"

#include <stdlib.h>
#include <string.h>

/* What is known of every row that may be chosen. */
typedef struct {
    const am_rows *host;
    row_uncertainty *doubt; /* (n) over the draws, at ω = 1 without */
    float *plain;           /* (n, C) at ω = 1 */
    bool *taken;            /* (n) */
} candidates;

static int predicted(const candidates *c, int64_t i)
{
    const float *p = c->plain + i * c->host->outputs;
    int best = 0;
    for (int k = 1; k < c->host->outputs; k++)
        best = p[k] > p[best] ? k : best;
    return best;
}

/* How well a row stands for its kind; rows below 0 do not. */
static double fitness(const candidates *c, gallery_kind kind, int64_t i)
{
    int best = predicted(c, i);
    bool right = best == c->host->label[i];
    switch (kind) {
    case GALLERY_UNSURE:
        return c->doubt[i].entropy;
    case GALLERY_WRONG:
        return right ? -1.0 : (double)c->plain[i * c->host->outputs + best];
    default:
        return right ? 1.0 : -1.0;
    }
}

static void take(candidates *c, gallery *v, gallery_kind kind, int64_t i)
{
    c->taken[i] = true;
    v->row[v->rows] = i;
    v->kind[v->rows++] = kind;
}

/* The best `count` rows of a kind, the first ones on ties; fewer when there are no more. */
static void take_best(candidates *c, gallery *v, gallery_kind kind, int count)
{
    for (; count > 0; count--) {
        int64_t best = -1;
        double value = 0.0;
        for (int64_t i = 0; i < c->host->n; i++) {
            double own = c->taken[i] ? -1.0 : fitness(c, kind, i);
            if (own >= 0 && (best < 0 || own > value)) {
                best = i;
                value = own;
            }
        }
        if (best < 0)
            return;
        take(c, v, kind, best);
    }
}

/* Class after class, its first row that is predicted as it should be, until there are `count`. */
static void take_typical(candidates *c, gallery *v, int count)
{
    for (int round = 0; round < count; round++) {
        int class_wanted = round % c->host->outputs;
        for (int64_t i = 0; i < c->host->n; i++)
            if (!c->taken[i] && c->host->label[i] == class_wanted &&
                fitness(c, GALLERY_TYPICAL, i) > 0) {
                take(c, v, GALLERY_TYPICAL, i);
                break;
            }
    }
}

/* The chosen rows, copied. */
static am_status copy_rows(const am_rows *from, gallery *v, am_error *err)
{
    size_t d = (size_t)from->inputs, n = (size_t)v->rows;
    v->host = (am_rows){.n = v->rows,
                        .inputs = from->inputs,
                        .outputs = from->outputs,
                        .scale = from->scale,
                        .shift = from->shift};
    v->host.label = am_alloc(n, sizeof *v->host.label, "gallery", err);
    if (from->bytes != NULL)
        v->host.bytes = am_alloc(n * d, 1, "gallery", err);
    else
        v->host.floats = am_alloc(n * d, sizeof(float), "gallery", err);
    if (err->status != AM_OK)
        return err->status;
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)v->row[i] * d;
        v->host.label[i] = from->label[v->row[i]];
        if (from->bytes != NULL)
            memcpy(v->host.bytes + i * d, from->bytes + at, d);
        else
            memcpy(v->host.floats + i * d, from->floats + at, d * sizeof(float));
    }
    return AM_OK;
}

static am_status choose_rows(const posterior_request *q, const posterior_models *m, int rows,
                             candidates *c, gallery *v, am_error *err)
{
    model_set plain;
    size_t n = (size_t)c->host->n;
    c->doubt = am_alloc(n, sizeof *c->doubt, "gallery", err);
    c->plain = am_alloc(n * (size_t)c->host->outputs, sizeof *c->plain, "gallery", err);
    c->taken = am_alloc(n, sizeof *c->taken, "gallery", err);
    if (c->doubt == NULL || c->plain == NULL || c->taken == NULL)
        return AM_ERR_MEMORY;
    AM_TRY(models_at(q->g, q->lambda, 1, &plain, err));
    am_status status = evaluate_predictions(&plain, q->evaluation, c->plain, err);
    if (status == AM_OK)
        status = uncertainty_measure(m != NULL ? &m->set : &plain, q->evaluation, 0, c->doubt, err);
    q->g->be->op->release(q->g->be, (void *)(uintptr_t)plain.c);
    AM_TRY(status);
    rows = (int)AM_MIN((int64_t)AM_MIN(rows, (int)GALLERY_ROWS), c->host->n);
    take_best(c, v, GALLERY_UNSURE, rows / 3);
    take_best(c, v, GALLERY_WRONG, rows / 3);
    take_typical(c, v, rows - v->rows);
    return AM_OK;
}

am_status gallery_open(const posterior_request *q, const am_rows *host, int rows, gallery *v,
                       am_error *err)
{
    candidates c = {.host = host};
    posterior_models m = {0};
    bool sees = features_use_omega(&q->g->f) && q->draws > 0;
    *v = (gallery){0};
    am_status status = sees ? posterior_open(q, &m, err) : AM_OK;
    if (status == AM_OK)
        status = choose_rows(q, sees ? &m : NULL, rows, &c, v, err);
    if (status == AM_OK)
        status = copy_rows(host, v, err);
    if (status == AM_OK)
        status = device_rows_open(&v->device, q->g->be, &v->host, NULL, err);
    if (status == AM_OK && sees) {
        v->draws = q->draws;
        v->blocks = (int)generator_weights_count(&q->g->spec);
        v->omega = m.omega;
        m.omega = NULL;
    }
    posterior_close(&m);
    free(c.doubt);
    free(c.plain);
    free(c.taken);
    if (status != AM_OK)
        gallery_close(v);
    return status;
}

/* ---- predictions ------------------------------------------------------------------------------- */

/* Of the draws at one λ. */
static am_status predict_draws(const posterior_request *q, int point, gallery *v, am_error *err)
{
    posterior_models m;
    posterior_request here = *q;
    double lambda[AM_MAX_GROUPS];
    int64_t values = (int64_t)v->rows * v->host.outputs;
    for (int i = 0; i < AM_MAX_GROUPS; i++)
        lambda[i] = v->lambda[point];
    here.lambda = lambda;
    AM_TRY(posterior_open(&here, &m, err));
    float *draw = v->draw + point * v->draws * values, *mean = v->mean + point * values;
    am_status status = evaluate_predictions(&m.set, &v->device, draw, err);
    for (int64_t i = 0; i < values && status == AM_OK; i++) {
        double sum = 0.0;
        for (int d = 0; d < v->draws; d++)
            sum += (double)draw[d * values + i];
        mean[i] = (float)(sum / v->draws);
    }
    posterior_close(&m);
    return status;
}

am_status gallery_predict(const posterior_request *q, const double *lambda, int points, gallery *v,
                          am_error *err)
{
    model_set plain;
    size_t values = (size_t)points * (size_t)v->rows * (size_t)v->host.outputs;
    v->points = points;
    v->lambda = am_alloc((size_t)points, sizeof *v->lambda, "gallery", err);
    v->plain = am_alloc(values, sizeof *v->plain, "gallery", err);
    if (v->draws > 0) {
        v->mean = am_alloc(values, sizeof *v->mean, "gallery", err);
        v->draw = am_alloc(values * (size_t)v->draws, sizeof *v->draw, "gallery", err);
    }
    if (err->status != AM_OK)
        return err->status;
    memcpy(v->lambda, lambda, (size_t)points * sizeof *lambda);
    AM_TRY(models_at(q->g, lambda, points, &plain, err));
    am_status status = evaluate_predictions(&plain, &v->device, v->plain, err);
    q->g->be->op->release(q->g->be, (void *)(uintptr_t)plain.c);
    for (int i = 0; i < points && v->draws > 0 && status == AM_OK; i++)
        status = predict_draws(q, i, v, err);
    return status;
}

void gallery_close(gallery *v)
{
    device_rows_close(&v->device);
    rows_free(&v->host);
    free(v->omega);
    free(v->lambda);
    free(v->plain);
    free(v->mean);
    free(v->draw);
    *v = (gallery){0};
}
