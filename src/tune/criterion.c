/* The criterion that is trained, over all rows. */
#include "tune/pass.h"

#include <stdlib.h>

typedef struct {
    backend *be;
    dev_f32 *lambda, *omega, *weight; /* (M,G), (M,K), (M,tile) */
    dev_f32 *theta;                   /* (E, M, P) of a generator */
    dev_f64 *loss;                    /* (E, M) */
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
    b->loss = be->op->alloc(be, (size_t)p->networks * models * sizeof(double), "losses");
    if (omega != NULL) {
        size_t bytes = models * (size_t)b->blocks * sizeof(float);
        b->omega = be->op->alloc(be, bytes, "block weights");
        b->weight = be->op->alloc(be, models * (size_t)p->tile * sizeof(float), "row weights");
        be->op->upload(be, b->omega, omega, bytes);
    }
    if (p->set->g != NULL)
        b->theta = be->op->alloc(
            be, (size_t)p->networks * models * (size_t)p->set->t->params * sizeof(float),
            "weights");
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
    const dev_f32 *logits = pass_logits(p, first, count);
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
    int64_t values = (int64_t)set->models * count * pass_outputs(p);
    for (int64_t e = 0; e < p->networks; e++) {
        loss_args a = {.kind = set->t->loss,
                       .models = set->models,
                       .rows = count,
                       .outputs = pass_outputs(p),
                       .divisor = (double)p->rows->data.n,
                       .grad_scale = 1,
                       .logits = f32_at(logits, e * values),
                       .label = p->label,
                       .target = p->target,
                       .weight = b->weight,
                       .loss = f64_at(b->loss, e * set->models)};
        b->be->op->loss(b->be, &a);
    }
}

/* Σ_g λ_g‖θ_g‖² of every network's models. */
static void add_penalty(const pass *p, const criterion_buffers *b, penalty_groups groups)
{
    const model_set *set = p->set;
    const dev_f32 *theta = set->g != NULL ? b->theta : set->theta;
    if (set->g != NULL)
        generator_theta(set->g, set->models, set->c, b->theta);
    for (int64_t e = 0; e < p->networks; e++) {
        l2_penalty_args a = {.models = set->models,
                             .groups = groups,
                             .grad_scale = 1,
                             .lambda = b->lambda,
                             .theta = f32_at(theta, e * set->models * set->t->params),
                             .theta_stride = set->t->params,
                             .loss = f64_at(b->loss, e * set->models)};
        b->be->op->l2_penalty(b->be, &a);
    }
}

/* value (M) = mean over the networks of loss (E,M). */
static am_status read_values(const pass *p, const criterion_buffers *b, double *value,
                             am_error *err)
{
    int models = p->set->models;
    size_t count = (size_t)p->networks * (size_t)models;
    double *loss = am_alloc(count, sizeof *loss, "losses", err);
    if (loss == NULL)
        return AM_ERR_MEMORY;
    am_status status = b->be->op->download(b->be, loss, b->loss, count * sizeof *loss, err);
    for (int m = 0; m < models; m++) {
        double sum = 0.0;
        for (int e = 0; e < p->networks; e++)
            sum += loss[e * models + m];
        value[m] = sum / p->networks;
    }
    free(loss);
    return status;
}

am_status evaluate_criterion(const model_set *set, const device_rows *rows, penalty_groups groups,
                             const double *lambda, const float *omega, int64_t blocks,
                             double *value, am_error *err)
{
    pass p;
    AM_TRY(pass_open(&p, set, rows, err));
    criterion_buffers b = {.be = set->be, .blocks = blocks};
    am_status status = criterion_open(&b, &p, groups.count, lambda, omega, err);
    if (status == AM_OK) {
        for (int64_t first = 0; first < rows->data.n; first += p.tile)
            criterion_tile(&p, &b, first, (int)AM_MIN(p.tile, rows->data.n - first));
        add_penalty(&p, &b, groups);
        status = read_values(&p, &b, value, err);
    }
    criterion_close(&b);
    pass_close(&p);
    return status;
}
