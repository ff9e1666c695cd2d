#include "tune/pass.h"

#include "backend/tally.h"

#include <stdlib.h>

enum { MOST_TILE_ROWS = 1024, TILE_FLOATS = 4 << 20 }; /* activations of one layer, 16 MiB */

static int widest(const target *t)
{
    int width = 1;
    for (int l = 1; l <= t->layers; l++)
        width = AM_MAX(width, t->size[l]);
    return width;
}

static int networks_of(const model_set *set)
{
    return set->g != NULL ? set->g->networks : AM_MAX(1, set->networks);
}

/* A generator's networks take turns, others run side by side. */
static int tile_rows(const model_set *set, int64_t n)
{
    int64_t models = set->g != NULL ? set->models : (int64_t)networks_of(set) * set->models;
    int64_t rows = TILE_FLOATS / (models * widest(set->t));
    rows = AM_MAX((int64_t)16, AM_MIN(rows, (int64_t)MOST_TILE_ROWS));
    return (int)AM_MIN(rows, n);
}

void pass_close(pass *p)
{
    backend *be = p->set->be;
    plan_close(&p->plan);
    network_close(&p->net);
    void *owned[] = {p->logits, p->mean, p->share, p->x, p->target, p->label};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        be->op->release(be, owned[i]);
}

/* What the mean over the networks needs. */
static am_status open_networks(pass *p, am_error *err)
{
    backend *be = p->set->be;
    size_t values = (size_t)p->set->models * (size_t)p->tile * (size_t)pass_outputs(p);
    size_t networks = (size_t)p->networks;
    float *share = am_alloc(networks, sizeof *share, "networks", err);
    if (share == NULL)
        return AM_ERR_MEMORY;
    for (size_t e = 0; e < networks; e++)
        share[e] = 1.0f / (float)p->networks;
    p->logits = be->op->alloc(be, sizeof(float) * networks * values, "outputs of the networks");
    p->mean = be->op->alloc(be, sizeof(float) * values, "mean of the networks");
    p->share = be->op->alloc(be, sizeof(float) * networks, "networks");
    be->op->upload(be, p->share, share, sizeof(float) * networks);
    am_status status = be->op->sync(be, err);
    free(share);
    return status;
}

static am_status open_models(pass *p, am_error *err)
{
    const model_set *set = p->set;
    if (p->networks > 1)
        AM_TRY(open_networks(p, err));
    if (set->g == NULL)
        return network_open(&p->net, set->be, set->t, p->networks * set->models, p->tile, false,
                            err);
    p->one = generator_network(set->g, 0);
    return plan_open(&p->plan, &p->one, PLAN_AUTO, set->models, p->tile, false, err);
}

static am_status open_pass(pass *p, const model_set *set, const device_rows *rows, am_error *err)
{
    backend *be = set->be;
    const device_data *d = &rows->data;
    *p = (pass){
        .set = set, .rows = rows, .tile = tile_rows(set, d->n), .networks = networks_of(set)};
    size_t tile = (size_t)p->tile;
    p->x = be->op->alloc(be, tile * (size_t)d->inputs * sizeof(float), "rows");
    if (d->label != NULL)
        p->label = be->op->alloc(be, tile * sizeof(int32_t), "labels");
    else
        p->target = be->op->alloc(be, tile * (size_t)d->outputs * sizeof(float), "targets");
    am_status status = be->op->sync(be, err);
    if (status == AM_OK)
        status = open_models(p, err);
    if (status != AM_OK)
        pass_close(p);
    return status;
}

/* Is there room? Opened on a tally first. */
static am_status pass_memory(const model_set *set, const device_rows *rows, am_error *err)
{
    pass p;
    generator g;
    model_set counted = *set;
    AM_TRY(tally_open(&counted.be, err));
    if (set->g != NULL) {
        g = *set->g;
        g.be = counted.be;
        counted.g = &g;
    }
    am_status status = open_pass(&p, &counted, rows, err);
    if (status == AM_OK) {
        status = tally_check(counted.be, set->be, "evaluation", err);
        pass_close(&p);
    }
    backend_close(counted.be);
    return status;
}

am_status pass_open(pass *p, const model_set *set, const device_rows *rows, am_error *err)
{
    AM_TRY(pass_memory(set, rows, err));
    return open_pass(p, set, rows, err);
}

/* The networks of a generator, one after the other. */
static dev_f32 *generator_logits(pass *p, int count)
{
    const model_set *set = p->set;
    int64_t values = (int64_t)set->models * count * pass_outputs(p);
    for (int e = 0; e < p->networks; e++) {
        p->one = generator_network(set->g, e);
        plan_prepare(&p->plan, p->x, count);
        plan_logits(&p->plan, p->x, count, set->models, set->c);
        if (p->networks > 1)
            set->be->op->copy(set->be, f32_at(p->logits, e * values), network_logits(&p->plan.net),
                              sizeof(float) * (size_t)values);
    }
    return p->networks > 1 ? p->logits : network_logits(&p->plan.net);
}

dev_f32 *pass_logits(pass *p, int64_t first, int count)
{
    const model_set *set = p->set;
    gather_args gather = {.data = &p->rows->data,
                          .first = first,
                          .count = count,
                          .x = p->x,
                          .label = p->label,
                          .target = p->target};
    set->be->op->gather(set->be, &gather);
    if (set->g != NULL)
        return generator_logits(p, count);
    network_input in = {p->x, 1, count, p->networks * set->models};
    network_forward(&p->net, &in, (theta_view){set->theta, set->t->params}, 0);
    return network_logits(&p->net);
}

dev_f32 *pass_mean(pass *p, dev_f32 *values, int count)
{
    if (p->networks == 1)
        return values;
    int64_t n = (int64_t)p->set->models * count * pass_outputs(p);
    matmul_args a = {.batch = 1, /* mean = shareᵀ·values */
                     .m = 1,
                     .n = n,
                     .k = p->networks,
                     .alpha = 1,
                     .a = p->share,
                     .lda = p->networks,
                     .b = values,
                     .ldb = n,
                     .c = p->mean,
                     .ldc = n};
    p->set->be->op->matmul(p->set->be, &a);
    return p->mean;
}
