#include "tune/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TILE_ROWS = 1024, TILE_FLOATS = 4 << 20 }; /* activations of one layer, 16 MiB */

/* Workspace for one pass over the rows in tiles. */
typedef struct {
    const model_set *set;
    const device_rows *rows;
    int tile;
    plan plan;   /* generator */
    network net; /* explicit θ */
    dev_f32 *x, *target;
    dev_i32 *label;
} pass;

static int widest(const target *t)
{
    int width = 1;
    for (int l = 1; l <= t->layers; l++)
        width = AM_MAX(width, t->size[l]);
    return width;
}

static int tile_rows(const model_set *set, int64_t n)
{
    int64_t rows = TILE_FLOATS / ((int64_t)set->models * widest(set->t));
    rows = AM_MAX((int64_t)16, AM_MIN(rows, (int64_t)MOST_TILE_ROWS));
    return (int)AM_MIN(rows, n);
}

static void pass_close(pass *p)
{
    backend *be = p->set->be;
    plan_close(&p->plan);
    network_close(&p->net);
    be->op->release(be, p->x);
    be->op->release(be, p->target);
    be->op->release(be, p->label);
}

static am_status pass_open(pass *p, const model_set *set, const device_rows *rows, bool backward,
                           plan_kind kind, am_error *err)
{
    backend *be = set->be;
    const device_data *d = &rows->data;
    *p = (pass){.set = set, .rows = rows, .tile = tile_rows(set, d->n)};
    size_t tile = (size_t)p->tile;
    p->x = be->op->alloc(be, tile * (size_t)d->inputs * sizeof(float), "rows");
    if (d->label != NULL)
        p->label = be->op->alloc(be, tile * sizeof(int32_t), "labels");
    else
        p->target = be->op->alloc(be, tile * (size_t)d->outputs * sizeof(float), "targets");
    am_status status = be->op->sync(be, err);
    if (status == AM_OK && set->g != NULL)
        status = plan_open(&p->plan, set->g, kind, set->models, p->tile, backward, err);
    else if (status == AM_OK)
        status = network_open(&p->net, be, set->t, set->models, p->tile, backward, err);
    if (status != AM_OK)
        pass_close(p);
    return status;
}

/* Gathers rows first..first+count and runs all models on them; returns their logits (M,count,C). */
static dev_f32 *pass_tile(pass *p, int64_t first, int count)
{
    const model_set *set = p->set;
    gather_args gather = {.data = &p->rows->data,
                          .first = first,
                          .count = count,
                          .x = p->x,
                          .label = p->label,
                          .target = p->target};
    set->be->op->gather(set->be, &gather);
    if (set->g != NULL) {
        plan_prepare(&p->plan, p->x, count);
        plan_logits(&p->plan, p->x, count, set->models, set->c);
        return network_logits(&p->plan.net);
    }
    network_input in = {p->x, 1, count, set->models};
    network_forward(&p->net, &in, (theta_view){set->theta, set->t->params}, 0);
    return network_logits(&p->net);
}

static int outputs_of(const model_set *set)
{
    return set->t->size[set->t->layers];
}

/* ---- metrics --------------------------------------------------------------------------------- */

static double standard_error(double sum, double squares, double n)
{
    double mean = sum / n, variance = (squares / n - mean * mean) * n / (n - 1.0);
    return n > 1.0 ? sqrt(fmax(variance, 0.0) / n) : NAN;
}

metrics metrics_of(const double *score, int64_t rows, loss_kind kind)
{
    double n = (double)rows, correct = score[SCORE_CORRECT];
    metrics m = {.nll = score[SCORE_NLL] / n,
                 .nll_se = standard_error(score[SCORE_NLL], score[SCORE_NLL2], n)};
    if (kind == LOSS_SQUARED) {
        m.accuracy = m.accuracy_se = m.brier = m.ece = NAN;
        return m;
    }
    m.accuracy = correct / n;
    m.accuracy_se = standard_error(correct, correct, n); /* indicators: their own squares */
    m.brier = score[SCORE_BRIER] / n;
    for (int b = 0; b < AM_ECE_BINS; b++) {
        m.bin_count[b] = score[SCORE_BINS + b];
        m.bin_confidence[b] = score[SCORE_BINS + AM_ECE_BINS + b];
        m.bin_correct[b] = score[SCORE_BINS + 2 * AM_ECE_BINS + b];
        m.ece += fabs(m.bin_correct[b] - m.bin_confidence[b]) / n;
    }
    return m;
}

typedef struct {
    dev_f64 *each, *mean; /* (M, columns), (1, columns) */
    dev_f32 *average;     /* (tile, C) */
} score_buffers;

static void score_tile(pass *p, const score_buffers *s, const dev_f32 *logits, int count)
{
    const model_set *set = p->set;
    backend *be = set->be;
    score_args score = {.kind = set->t->loss,
                        .models = set->models,
                        .rows = count,
                        .outputs = outputs_of(set),
                        .output = logits,
                        .label = p->label,
                        .target = p->target,
                        .score = s->each};
    be->op->score(be, &score);
    if (s->mean == NULL)
        return;
    softmax_args softmax = {.models = set->models,
                            .rows = count,
                            .outputs = outputs_of(set),
                            .logits = logits,
                            .mean = s->average};
    be->op->softmax(be, &softmax);
    score.probabilities = true;
    score.models = 1;
    score.output = s->average;
    score.score = s->mean;
    be->op->score(be, &score);
}

static am_status read_metrics(const pass *p, const dev_f64 *device, int models, metrics *out,
                              am_error *err)
{
    size_t count = (size_t)models * AM_SCORE_COLUMNS;
    double *host = am_alloc(count, sizeof *host, "scores", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    backend *be = p->set->be;
    am_status status = be->op->download(be, host, device, count * sizeof *host, err);
    for (int m = 0; status == AM_OK && m < models; m++)
        out[m] = metrics_of(host + (size_t)m * AM_SCORE_COLUMNS, p->rows->data.n, p->set->t->loss);
    free(host);
    return status;
}

am_status evaluate(const model_set *set, const device_rows *rows, metrics *each, metrics *mean,
                   am_error *err)
{
    backend *be = set->be;
    pass p;
    AM_TRY(pass_open(&p, set, rows, false, PLAN_AUTO, err));
    size_t row = AM_SCORE_COLUMNS * sizeof(double);
    score_buffers s = {.each = be->op->alloc(be, row * (size_t)set->models, "scores")};
    if (mean != NULL) {
        s.mean = be->op->alloc(be, row, "scores");
        s.average = be->op->alloc(be, sizeof(float) * (size_t)(p.tile * outputs_of(set)),
                                  "predictive mean");
    }
    for (int64_t first = 0; first < rows->data.n; first += p.tile) {
        int count = (int)AM_MIN(p.tile, rows->data.n - first);
        score_tile(&p, &s, pass_tile(&p, first, count), count);
    }
    am_status status = be->op->sync(be, err);
    if (status == AM_OK && each != NULL)
        status = read_metrics(&p, s.each, set->models, each, err);
    if (status == AM_OK && mean != NULL)
        status = read_metrics(&p, s.mean, 1, mean, err);
    be->op->release(be, s.each);
    be->op->release(be, s.mean);
    be->op->release(be, s.average);
    pass_close(&p);
    return status;
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* Tile (M,count,C) at `first` → its place in prediction (M,n,C). */
static void place_tile(const float *tile, int models, int64_t first, int64_t count, int64_t n,
                       int outputs, float *prediction)
{
    size_t row = sizeof(float) * (size_t)outputs;
    for (int64_t m = 0; m < models; m++)
        memcpy(prediction + (m * n + first) * outputs, tile + m * count * outputs,
               (size_t)count * row);
}

am_status evaluate_predictions(const model_set *set, const device_rows *rows, float *prediction,
                               am_error *err)
{
    backend *be = set->be;
    pass p;
    AM_TRY(pass_open(&p, set, rows, false, PLAN_AUTO, err));
    int outputs = outputs_of(set);
    size_t values = (size_t)set->models * (size_t)p.tile * (size_t)outputs;
    float *host = am_alloc(values, sizeof *host, "predictions", err);
    am_status status = host != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int64_t first = 0; status == AM_OK && first < rows->data.n; first += p.tile) {
        int count = (int)AM_MIN(p.tile, rows->data.n - first);
        dev_f32 *output = pass_tile(&p, first, count);
        softmax_args softmax = {.models = set->models,
                                .rows = count,
                                .outputs = outputs,
                                .logits = output,
                                .probability = output};
        if (set->t->loss == LOSS_CROSS_ENTROPY)
            be->op->softmax(be, &softmax);
        size_t bytes = sizeof *host * (size_t)set->models * (size_t)count * (size_t)outputs;
        status = be->op->download(be, host, output, bytes, err);
        if (status == AM_OK)
            place_tile(host, set->models, first, count, rows->data.n, outputs, prediction);
    }
    free(host);
    pass_close(&p);
    return status;
}

/* ---- criterion ------------------------------------------------------------------------------- */

typedef struct {
    backend *be;
    dev_f32 *lambda, *omega, *weight, *theta;
    dev_f64 *loss;
    int64_t blocks;
} criterion_buffers;

static am_status criterion_open(criterion_buffers *b, const pass *p, int groups,
                                const double *lambda, const float *omega, am_error *err)
{
    backend *be = b->be;
    size_t models = (size_t)p->set->models, count = models * (size_t)groups;
    float *host = am_alloc(count, sizeof *host, "penalties", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        host[i] = (float)lambda[i];
    b->lambda = be->op->alloc(be, count * sizeof *host, "penalties");
    be->op->upload(be, b->lambda, host, count * sizeof *host);
    b->loss = be->op->alloc(be, models * sizeof(double), "losses");
    if (omega != NULL) {
        size_t bytes = models * (size_t)b->blocks * sizeof(float);
        b->omega = be->op->alloc(be, bytes, "block weights");
        b->weight = be->op->alloc(be, models * (size_t)p->tile * sizeof(float), "row weights");
        be->op->upload(be, b->omega, omega, bytes);
    }
    if (p->set->g != NULL)
        b->theta = be->op->alloc(be, models * (size_t)p->set->t->params * sizeof(float), "weights");
    am_status status = be->op->sync(be, err);
    free(host);
    return status;
}

static void criterion_close(criterion_buffers *b)
{
    void *owned[] = {b->lambda, b->omega, b->weight, b->theta, b->loss};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        b->be->op->release(b->be, owned[i]);
}

static void criterion_tile(pass *p, const criterion_buffers *b, int64_t first, int count)
{
    const model_set *set = p->set;
    const dev_f32 *logits = pass_tile(p, first, count);
    if (b->omega != NULL) {
        row_weights_args w = {.data = &p->rows->data,
                              .first = first,
                              .models = set->models,
                              .rows = count,
                              .sets = 1,
                              .blocks = b->blocks,
                              .omega = b->omega,
                              .weight = b->weight};
        b->be->op->row_weights(b->be, &w);
    }
    loss_args a = {.kind = set->t->loss,
                   .models = set->models,
                   .rows = count,
                   .outputs = outputs_of(set),
                   .divisor = (double)p->rows->data.n,
                   .grad_scale = 1,
                   .logits = logits,
                   .label = p->label,
                   .target = p->target,
                   .weight = b->weight,
                   .loss = b->loss};
    b->be->op->loss(b->be, &a);
}

am_status evaluate_criterion(const model_set *set, const device_rows *rows, penalty_groups groups,
                             const double *lambda, const float *omega, int64_t blocks,
                             double *value, am_error *err)
{
    pass p;
    AM_TRY(pass_open(&p, set, rows, false, PLAN_AUTO, err));
    criterion_buffers b = {.be = set->be, .blocks = blocks};
    am_status status = criterion_open(&b, &p, groups.count, lambda, omega, err);
    if (status == AM_OK) {
        for (int64_t first = 0; first < rows->data.n; first += p.tile)
            criterion_tile(&p, &b, first, (int)AM_MIN(p.tile, rows->data.n - first));
        if (set->g != NULL)
            generator_theta(set->g, set->models, set->c, b.theta);
        l2_penalty_args penalty = {.models = set->models,
                                   .groups = groups,
                                   .grad_scale = 1,
                                   .lambda = b.lambda,
                                   .theta = set->g != NULL ? b.theta : set->theta,
                                   .theta_stride = set->t->params,
                                   .loss = b.loss};
        set->be->op->l2_penalty(set->be, &penalty);
        status = set->be->op->download(set->be, value, b.loss, sizeof(double) * (size_t)set->models,
                                       err);
    }
    criterion_close(&b);
    pass_close(&p);
    return status;
}
