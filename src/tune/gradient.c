/* The exact gradient of the outer criterion J in log λ, through the generator (METHOD §5). */
#include "tune/evaluate.h"

enum { TILE = 512 };

typedef struct {
    backend *be;
    generator *g;
    const device_rows *rows;
    network net;
    dev_f32 *x, *target, *c, *dc, *dphi, *u, *theta, *dtheta;
    dev_i32 *label;
    dev_f64 *loss;
} chain;

static am_status chain_open(chain *k, am_error *err)
{
    const backend_ops *op = k->be->op;
    const device_data *d = &k->rows->data;
    size_t f32 = sizeof(float), r1 = (size_t)k->g->f.features;
    size_t params = (size_t)k->g->spec.target.params;
    k->x = op->alloc(k->be, f32 * TILE * (size_t)d->inputs, "rows");
    k->label = op->alloc(k->be, sizeof(int32_t) * TILE, "labels");
    k->target = op->alloc(k->be, f32 * TILE * (size_t)d->outputs, "targets");
    k->c = op->alloc(k->be, f32 * r1, "features");
    k->dc = op->alloc(k->be, f32 * r1, "features");
    k->dphi = op->alloc(k->be, f32 * (size_t)(k->g->phi_size + 1), "features");
    k->u = op->alloc(k->be, f32 * (size_t)k->g->groups.count, "penalties");
    k->theta = op->alloc(k->be, f32 * params, "weights");
    k->dtheta = op->alloc(k->be, f32 * params, "gradient");
    k->loss = op->alloc(k->be, sizeof(double), "loss");
    AM_TRY(op->sync(k->be, err));
    return network_open(&k->net, k->be, &k->g->spec.target, 1, TILE, true, err);
}

static void chain_close(chain *k)
{
    void *owned[] = {k->x,    k->label, k->target, k->c,      k->dc,
                     k->dphi, k->u,     k->theta,  k->dtheta, k->loss};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        k->be->op->release(k->be, owned[i]);
    network_close(&k->net);
}

/* Adds one tile's share of J and of dJ/dθ. */
static void chain_tile(chain *k, int64_t first, int count)
{
    const target *t = &k->g->spec.target;
    const device_data *d = &k->rows->data;
    bool labels = d->label != NULL;
    gather_args gather = {.data = d,
                          .first = first,
                          .count = count,
                          .x = k->x,
                          .label = labels ? k->label : NULL,
                          .target = labels ? NULL : k->target};
    k->be->op->gather(k->be, &gather);
    network_input in = {k->x, 1, count, 1};
    theta_view theta = {k->theta, t->params}, dtheta = {k->dtheta, t->params};
    network_forward(&k->net, &in, theta, 0);
    loss_args loss = {.kind = t->loss,
                      .models = 1,
                      .rows = count,
                      .outputs = d->outputs,
                      .divisor = (double)d->n,
                      .grad_scale = 1,
                      .logits = network_logits(&k->net),
                      .label = gather.label,
                      .target = gather.target,
                      .dlogits = network_dlogits(&k->net),
                      .loss = k->loss};
    k->be->op->loss(k->be, &loss);
    network_backward(&k->net, &in, theta, dtheta, 0, true);
}

/* dJ/dc = Θ dJ/dθ, then back through the features to u. */
static am_status chain_finish(chain *k, const double *lambda, double *j, double *du, am_error *err)
{
    generator *g = k->g;
    int64_t params = g->spec.target.params;
    matmul_args a = {.batch = 1,
                     .transpose_b = true,
                     .m = 1,
                     .n = g->f.features,
                     .k = params,
                     .alpha = 1,
                     .a = k->dtheta,
                     .lda = params,
                     .b = g->head,
                     .ldb = params,
                     .c = k->dc,
                     .ldc = g->f.features};
    k->be->op->matmul(k->be, &a);
    features_backward(&g->f, 1, g->phi, k->c, k->dc, k->dphi);
    AM_TRY(features_input_gradient(&g->f, 1, k->u, k->dc, du, err));
    for (int i = 0; i < g->groups.count; i++) /* from u to the normalised log λ */
        du[i] *= generator_axis_slope(&g->spec, lambda[i]);
    return k->be->op->download(k->be, j, k->loss, sizeof *j, err);
}

/* J and du of one network. */
static am_status network_gradient(generator *g, const device_rows *rows, const double *lambda,
                                  double *j, double *du, am_error *err)
{
    chain k = {.be = g->be, .g = g, .rows = rows};
    am_status status = chain_open(&k, err);
    if (status == AM_OK)
        status = generator_features(g, 1, lambda, NULL, k.c, err);
    if (status == AM_OK) {
        float u[AM_MAX_GROUPS];
        generator_normalise(&g->spec, g->groups.count, lambda, u);
        g->be->op->upload(g->be, k.u, u, sizeof(float) * (size_t)g->groups.count);
        generator_theta(g, 1, k.c, k.theta);
        for (int64_t first = 0; first < rows->data.n; first += TILE)
            chain_tile(&k, first, (int)AM_MIN(TILE, rows->data.n - first));
        status = chain_finish(&k, lambda, j, du, err);
    }
    chain_close(&k);
    return status;
}

am_status evaluate_gradient(generator *g, const device_rows *rows, const double *lambda, double *j,
                            double *du, am_error *err)
{
    g = generator_at_one(g);
    *j = 0.0;
    for (int i = 0; i < g->groups.count; i++)
        du[i] = 0.0;
    for (int e = 0; e < g->networks; e++) {
        generator one = generator_network(g, e);
        double value, gradient[AM_MAX_GROUPS];
        AM_TRY(network_gradient(&one, rows, lambda, &value, gradient, err));
        *j += value / g->networks;
        for (int i = 0; i < g->groups.count; i++)
            du[i] += gradient[i] / g->networks;
    }
    return AM_OK;
}
