#include "response/response.h"

#include "draw/philox.h"
#include "response/components.h"
#include "response/conjugate_gradients.h"
#include "response/gauss_newton.h"
#include "response/kfac.h"
#include "response/weighted_gradients.h"

#include <math.h>
#include <stdlib.h>

enum { TILE = 1024 };

struct response {
    backend *be;
    generator *g; /* base: fixed features, ω = 1 */
    response_settings settings;
    components seen; /* the problem in components of its inputs: P' parameters, d' inputs */
    dev_f32 *state;  /* (E, N, V, P') */
    int vectors;     /* V */
    int rows, tile;  /* for G */
    weighted_gradients pull;
    gauss_newton product;
    kfac factors;
    conjugate_gradients solver;
    bool input_known; /* to components and factors */
    double lambda[AM_MAX_NODES];
    dev_f32 *c;                 /* (N, R) */
    dev_f32 *whole;             /* (E, N, P) networks at the nodes */
    dev_f32 *theta;             /* (E, N, P') */
    dev_f32 *gradient;          /* (N, V, P') of one network's nodes */
    dev_f32 *metric, *diagonal; /* (P), (P') M */
    float *metric_host;         /* (P) */
    dev_u32 *index;             /* (rows) */
    dev_u64 *counter;           /* snapshot, for draw_rows */
    dev_f32 *x;                 /* (rows, d') */
    int kept;                   /* of G; 0: all of the first layer */
    dev_f32 *components, *ones; /* (rows, kept), (rows) */
    /* of the system that is being solved */
    dev_f32 *at;            /* θ (P') */
    double shift, per_time; /* 2λ, 1/Δτ */
};

/* ---- open ---------------------------------------------------------------------------------------- */

int64_t response_vectors(const response_settings *settings, int64_t blocks)
{
    return settings->draws > 0 ? settings->draws : blocks;
}

am_status response_params(const target *t, const response_settings *settings, int64_t *params,
                          am_error *err)
{
    target own;
    AM_TRY(components_target(t, settings->inputs, &own, err));
    *params = own.params;
    return AM_OK;
}

static am_status open_components(response *r, am_error *err)
{
    backend *be = r->be;
    size_t rows = (size_t)r->rows;
    float *ones = am_alloc(rows, sizeof *ones, "rows of the response", err);
    if (ones == NULL)
        return AM_ERR_MEMORY;
    for (size_t i = 0; i < rows; i++)
        ones[i] = 1.0f;
    r->components = be->op->alloc(be, sizeof(float) * rows * (size_t)r->kept, "components");
    r->ones = be->op->alloc(be, sizeof(float) * rows, "components");
    be->op->upload(be, r->ones, ones, sizeof *ones * rows);
    am_status status = be->op->sync(be, err);
    free(ones);
    return status;
}

static am_status open_buffers(response *r, am_error *err)
{
    backend *be = r->be;
    const generator *g = r->g;
    size_t f32 = sizeof(float), params = (size_t)g->spec.target.params;
    size_t own = (size_t)r->seen.t.params;
    size_t nodes = (size_t)r->settings.nodes, rows = (size_t)r->rows;
    r->c = be->op->alloc(be, f32 * nodes * (size_t)g->f.features, "features");
    size_t networks = (size_t)g->networks * nodes;
    r->whole = be->op->alloc(be, f32 * networks * params, "networks at the nodes");
    r->theta = be->op->alloc(be, f32 * networks * own, "networks at the nodes");
    r->gradient =
        be->op->alloc(be, f32 * nodes * (size_t)r->vectors * own, "gradients of the blocks");
    r->metric = be->op->alloc(be, f32 * params, "metric");
    r->diagonal = be->op->alloc(be, f32 * own, "metric");
    r->index = be->op->alloc(be, sizeof(uint32_t) * rows, "rows of the response");
    r->counter = be->op->alloc(be, sizeof(uint64_t), "step counter");
    r->x = be->op->alloc(be, f32 * rows * (size_t)r->seen.t.size[0], "rows of the response");
    r->metric_host = am_alloc(params, sizeof(float), "metric", err);
    if (r->metric_host == NULL)
        return AM_ERR_MEMORY;
    if (r->kept > 0)
        AM_TRY(open_components(r, err));
    return be->op->sync(be, err);
}

static am_status open_parts(response *r, const device_rows *data, am_error *err)
{
    AM_TRY(components_open(&r->seen, r->be, &r->g->spec.target, data, r->settings.inputs, err));
    r->kept = r->settings.components < r->seen.t.size[0] ? r->settings.components : 0;
    const target *t = &r->seen.t;
    const generator_spec *spec = &r->g->spec;
    weight_source from = {r->settings.weights, spec->alpha, spec->seed, spec->blocks};
    AM_TRY(open_buffers(r, err));
    AM_TRY(weighted_gradients_open(&r->pull, r->be, t, r->settings.nodes, &r->seen.rows, &from,
                                   r->settings.draws, err));
    AM_TRY(gauss_newton_open(&r->product, r->be, t, r->vectors, r->tile, r->kept, err));
    AM_TRY(kfac_open(&r->factors, r->be, t, r->vectors, r->tile, err));
    r->product.basis = r->factors.layer[0].a_basis;
    return conjugate_gradients_open(&r->solver, r->be, r->vectors, t->params, err);
}

am_status response_open(response **out, generator *g, const response_settings *settings,
                        const device_rows *data, dev_f32 *state, am_error *err)
{
    *out = NULL;
    response *r = am_alloc(1, sizeof *r, "response", err);
    if (r == NULL)
        return AM_ERR_MEMORY;
    r->be = g->be;
    r->g = g;
    r->settings = *settings;
    r->state = state;
    r->vectors = (int)response_vectors(settings, g->spec.blocks);
    r->rows = (int)AM_MIN((int64_t)settings->rows, data->data.n);
    r->tile = AM_MIN(TILE, r->rows);
    for (int j = 0; j < settings->nodes; j++)
        r->lambda[j] = generator_lambda(&g->spec, feature_node(settings->nodes, j));
    am_status status = open_parts(r, data, err);
    if (status != AM_OK) {
        response_close(r);
        return status;
    }
    *out = r;
    return AM_OK;
}

void response_close(response *r)
{
    if (r == NULL)
        return;
    void *owned[] = {r->c,     r->whole,   r->theta, r->gradient,   r->metric, r->diagonal,
                     r->index, r->counter, r->x,     r->components, r->ones};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        r->be->op->release(r->be, owned[i]);
    free(r->metric_host);
    weighted_gradients_close(&r->pull);
    gauss_newton_close(&r->product);
    kfac_close(&r->factors);
    conjugate_gradients_close(&r->solver);
    components_close(&r->seen); /* last: the others close by its target */
    free(r);
}

void response_follow(response *r, generator *g)
{
    r->g = g;
}

/* ---- the system (M/Δτ + G + 2λI) y = b ------------------------------------------------------------- */

/* out += (G + 2λI + per_time·M)·in */
static void add_curvature(response *r, int vectors, double per_time, const dev_f32 *in,
                          dev_f32 *out)
{
    gauss_newton_rows rows = {r->x, r->components, r->rows};
    gauss_newton_add(&r->product, &rows, r->at, vectors, 1.0 / r->rows, in, out);
    add_diagonal_args a = {.vectors = vectors,
                           .count = r->seen.t.params,
                           .shift = r->shift,
                           .factor = per_time,
                           .d = r->diagonal,
                           .x = in,
                           .y = out};
    r->be->op->add_diagonal(r->be, &a);
}

static size_t bytes_of(const response *r, int vectors)
{
    return sizeof(float) * (size_t)vectors * (size_t)r->seen.t.params;
}

static void apply(void *context, int vectors, const dev_f32 *in, dev_f32 *out)
{
    response *r = context;
    r->be->op->zero(r->be, out, bytes_of(r, vectors));
    add_curvature(r, vectors, r->per_time, in, out);
}

static void precondition(void *context, int vectors, const dev_f32 *in, dev_f32 *out)
{
    response *r = context;
    kfac_solve(&r->factors, vectors, in, out);
}

/* M = √v̂ + ε on the device, and the preconditioner's shift: its mean over each layer. */
static am_status set_metric(response *r, const response_metric *m, am_error *err)
{
    const target *t = &r->g->spec.target;
    size_t params = (size_t)t->params;
    double shift[AM_MAX_LAYERS] = {0};
    AM_TRY(r->be->op->download(r->be, r->metric_host, m->moment2, sizeof(float) * params, err));
    for (int l = 0; l < t->layers; l++) {
        int64_t begin = target_weight(t, l)->offset;
        int64_t count = target_weight(t, l)->count + target_bias(t, l)->count;
        double sum = 0.0;
        for (int64_t i = begin; i < begin + count; i++) {
            double value = sqrt((double)r->metric_host[i] / m->correction) + m->epsilon;
            r->metric_host[i] = (float)value;
            sum += value;
        }
        shift[l] = sum / (double)count * r->per_time + r->shift;
    }
    r->be->op->upload(r->be, r->metric, r->metric_host, sizeof(float) * params);
    components_diagonal(&r->seen, r->metric, r->diagonal);
    return kfac_shift(&r->factors, shift, err);
}

/* The Kronecker factors of the network that is solved for, from the rows of G. */
static am_status set_factors(response *r, am_error *err)
{
    int inputs = r->seen.t.size[0];
    kfac_begin(&r->factors);
    for (int first = 0; first < r->rows; first += r->tile) {
        int count = AM_MIN(r->tile, r->rows - first);
        kfac_add(&r->factors, f32_at(r->x, (int64_t)first * inputs), count, (double)count / r->rows,
                 r->at);
    }
    return kfac_finish(&r->factors, err);
}

/* b = −(g + (G + 2λI)O): the state's residual. O is 0 at the first snapshot. */
static void set_residual(response *r, const dev_f32 *state, bool first, dev_f32 *gradient)
{
    int64_t values = (int64_t)r->vectors * r->seen.t.params;
    if (!first)
        add_curvature(r, r->vectors, 0.0, state, gradient);
    r->be->op->zero(r->be, r->solver.residual, bytes_of(r, r->vectors));
    add_diagonal_args negative = {.vectors = 1,
                                  .count = values,
                                  .shift = -1,
                                  .d = gradient,
                                  .x = gradient,
                                  .y = r->solver.residual};
    r->be->op->add_diagonal(r->be, &negative);
}

/* ---- a snapshot ------------------------------------------------------------------------------------ */

/* Which rows a snapshot sees. */
static am_status draw_rows(response *r, uint64_t index, am_error *err)
{
    backend *be = r->be;
    be->op->upload(be, r->counter, &index, sizeof index);
    draw_rows_args rows = {.seed = seed_for(r->g->spec.seed, STREAM_RESPONSE),
                           .n = r->seen.data->n,
                           .rows = r->rows,
                           .sets = 1,
                           .step = r->counter,
                           .index = r->index};
    be->op->draw_rows(be, &rows);
    return be->op->sync(be, err);
}

static am_status gather_rows(response *r, am_error *err)
{
    gather_args gather = {
        .data = &r->seen.rows.data, .index = r->index, .count = r->rows, .x = r->x};
    r->be->op->gather(r->be, &gather);
    return r->be->op->sync(r->be, err);
}

/* The principal components of the inputs, and their moments there: those of the first snapshot's rows,
 * also in a run that goes on from a later one. */
static am_status know_inputs(response *r, am_error *err)
{
    if (r->input_known)
        return AM_OK;
    AM_TRY(draw_rows(r, 0, err));
    AM_TRY(components_find(&r->seen, r->index, r->rows, err));
    AM_TRY(gather_rows(r, err));
    AM_TRY(kfac_set_input(&r->factors, r->x, r->rows, err));
    r->input_known = true;
    return AM_OK;
}

/* Fresh rows for G, and the networks at the nodes. */
static am_status begin_snapshot(response *r, int index, am_error *err)
{
    backend *be = r->be;
    AM_TRY(know_inputs(r, err));
    AM_TRY(draw_rows(r, (uint64_t)index, err));
    AM_TRY(gather_rows(r, err));
    if (r->kept > 0)
        gauss_newton_project(&r->product, r->x, r->ones, r->rows, r->components);
    AM_TRY(generator_features(r->g, r->settings.nodes, r->lambda, NULL, r->c, err));
    generator_theta(r->g, r->settings.nodes, r->c, r->whole);
    components_restrict(&r->seen, r->g->networks * r->settings.nodes, r->whole, r->theta);
    return be->op->sync(be, err);
}

/* One step of one network at one node. */
static am_status advance_node(response *r, int which, int node, bool first,
                              const response_metric *metric, am_error *err)
{
    linear_problem system = {r, apply, precondition};
    int64_t at = (int64_t)which * r->settings.nodes + node, params = r->seen.t.params;
    dev_f32 *state = f32_at(r->state, at * r->vectors * params);
    r->at = f32_at(r->theta, at * params);
    r->shift = 2.0 * r->lambda[node];
    r->per_time = 1.0 / metric->time;
    AM_TRY(set_factors(r, err));
    AM_TRY(set_metric(r, metric, err));
    set_residual(r, state, first, f32_at(r->gradient, (int64_t)node * r->vectors * params));
    return conjugate_gradients_solve(&r->solver, &system, r->settings.iterations, state, err);
}

am_status response_advance(response *r, int index,
                           response_metric (*metric_at)(void *context, int network, double u),
                           void *context, am_error *err)
{
    AM_TRY(begin_snapshot(r, index, err));
    int64_t own = r->settings.nodes * r->seen.t.params;
    for (int e = 0; e < r->g->networks; e++) {
        AM_TRY(weighted_gradients_compute(&r->pull, f32_at(r->theta, e * own), r->gradient, err));
        for (int j = 0; j < r->settings.nodes; j++) {
            response_metric metric = metric_at(context, e, feature_node(r->settings.nodes, j));
            AM_TRY(advance_node(r, e, j, index == 0, &metric, err));
        }
    }
    return AM_OK;
}

/* ---- the generator with the response --------------------------------------------------------------- */

am_status response_spec(const generator_spec *base, const response_settings *settings,
                        generator_spec *spec, am_error *err)
{
    char text[sizeof base->features.text];
    *spec = *base;
    int length =
        snprintf(text, sizeof text, "%s+response:%d", base->features.text, settings->nodes);
    if (length < 0 || (size_t)length >= sizeof text)
        return am_fail(err, AM_ERR_USAGE, "features %s: too long for a response",
                       base->features.text);
    spec->weights = settings->weights;
    spec->sampled = settings->draws;
    return feature_spec_parse(text, true, &spec->features, err);
}

am_status response_attach(response *r, generator *full, am_error *err)
{
    backend *be = r->be;
    const generator *base = r->g;
    int64_t params = base->spec.target.params, curve = base->f.features * params;
    int columns = full->f.features - base->f.features; /* N·V */
    AM_TRY(know_inputs(r, err));
    for (int e = 0; e < base->networks; e++) {
        generator from = generator_network(base, e), to = generator_network(full, e);
        be->op->copy(be, to.head, from.head, sizeof(float) * (size_t)curve);
        components_embed(&r->seen, columns, f32_at(r->state, e * columns * r->seen.t.params),
                         f32_at(to.head, curve));
    }
    return be->op->sync(be, err);
}
