#include "model/generator.h"

#include "draw/philox.h"

#include <math.h>
#include <stdlib.h>

/* The first columns of c, those of u alone, and their rows of every head. */
static am_status open_curve(generator *g, am_error *err)
{
    g->curve = am_alloc(1, sizeof *g->curve, "generator", err);
    if (g->curve == NULL)
        return AM_ERR_MEMORY;
    *g->curve = *g;
    g->curve->curve = NULL;
    features *f = &g->curve->f;
    f->spec.nodes = 0;
    f->spec.columns_omega = false;
    f->embedding = 0;
    f->features = 1 + f->terms;
    return AM_OK;
}

am_status generator_open(generator *g, backend *be, const generator_spec *spec, int draws,
                         am_error *err)
{
    *g = (generator){.be = be, .spec = *spec, .networks = AM_MAX(1, spec->networks)};
    g->groups = target_groups(&spec->target, spec->per_layer);
    AM_TRY(features_open(&g->f, be, &spec->features, g->groups.count, generator_weights_count(spec),
                         spec->embedding, spec->seed, draws, err));
    if (g->networks > 1 && g->f.params > 0) {
        am_status refused = am_fail(err, AM_ERR_USAGE,
                                    "features %s: several networks need fixed features (poly:D or "
                                    "cheb:D); give --networks 1",
                                    spec->features.text);
        generator_close(g);
        return refused;
    }
    int64_t rows = (int64_t)g->networks * g->f.features;
    arena_add(&g->params, AM_DTYPE_F32, rows, spec->target.params, "head");
    if (g->f.params > 0)
        arena_add(&g->params, AM_DTYPE_F32, g->f.params, 0, "features");
    am_status status = arena_open(&g->params, be, "generator", err);
    if (status != AM_OK) {
        generator_close(g);
        return status;
    }
    g->head = arena_at(&g->params, 0);
    g->head_stride = (int64_t)g->f.features * spec->target.params;
    g->phi = g->f.params > 0 ? arena_at(&g->params, 1) : NULL;
    g->phi_size = g->f.params;
    if (spec->features.nodes > 0)
        status = open_curve(g, err);
    if (status != AM_OK)
        generator_close(g);
    return status;
}

generator generator_network(const generator *g, int network)
{
    generator one = *g;
    one.networks = 1;
    one.head = f32_at(g->head, network * g->head_stride);
    return one;
}

generator generator_leading(const generator *g, int degree)
{
    generator first = *g;
    first.curve = NULL;
    first.f.terms = first.f.spec.degree = degree;
    first.f.features = 1 + degree;
    return first;
}

generator *generator_at_one(generator *g)
{
    return g->curve != NULL ? g->curve : g;
}

void generator_close(generator *g)
{
    free(g->curve);
    features_close(&g->f);
    arena_close(&g->params);
    *g = (generator){0};
}

/* Θ ~ uniform ±1/√r, r = R − 1 inputs of the head; one counter a number. */
static void paper_head(const generator *g, float *head)
{
    int64_t count = (int64_t)g->f.features * g->spec.target.params;
    double bound = 1.0 / sqrt((double)(g->f.features - 1));
    for (int64_t i = 0; i < count; i += 4) {
        philox4 r =
            philox(g->spec.seed, STREAM_INIT, 2, (uint32_t)(i / 4 >> 32), (uint32_t)(i / 4));
        for (int64_t j = i; j < AM_MIN(i + 4, count); j++)
            head[j] = (float)(bound * (2.0 * uniform_open(r.x[j - i]) - 1.0));
    }
}

am_status generator_init(generator *g, am_error *err)
{
    int64_t rows = g->spec.features.paper_init ? g->f.features : 1; /* the rest stays zero */
    size_t count = (size_t)rows * (size_t)g->spec.target.params;
    float *head = am_alloc(count, sizeof *head, "initial generator", err);
    float *phi = am_alloc((size_t)g->phi_size + 1, sizeof *phi, "initial features", err);
    am_status status = head && phi ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        for (int e = 0; e < g->networks; e++) {
            if (g->spec.features.paper_init)
                paper_head(g, head);
            else
                target_init(&g->spec.target, g->spec.seed, (uint32_t)e, head);
            g->be->op->upload(g->be, generator_network(g, e).head, head, count * sizeof *head);
            if (status == AM_OK)
                status = g->be->op->sync(g->be, err);
        }
        features_init(&g->f, g->spec.seed, phi);
        if (g->phi != NULL)
            g->be->op->upload(g->be, g->phi, phi, (size_t)g->phi_size * sizeof *phi);
        if (status == AM_OK)
            status = g->be->op->sync(g->be, err);
    }
    free(head);
    free(phi);
    return status;
}

lambda_axis generator_axis(const generator_spec *spec)
{
    return (lambda_axis){.low = log(spec->lambda_low + spec->knee),
                         .high = log(spec->lambda_high + spec->knee),
                         .knee = spec->knee};
}

double generator_lambda(const generator_spec *spec, double u)
{
    lambda_axis a = generator_axis(spec);
    return exp(a.low + 0.5 * (u + 1.0) * (a.high - a.low)) - a.knee;
}

/* du/dv = dλ/dv ÷ dλ/du = λ·log(high/low)/2 ÷ (λ + λ₀)·log((high + λ₀)/(low + λ₀))/2 */
double generator_axis_slope(const generator_spec *spec, double lambda)
{
    lambda_axis a = generator_axis(spec);
    double span = log(spec->lambda_high) - log(spec->lambda_low);
    return lambda / (lambda + a.knee) * (span / (a.high - a.low));
}

void generator_normalise(const generator_spec *spec, int groups, const double *lambda, float *u)
{
    double low = log(spec->lambda_low + spec->knee), high = log(spec->lambda_high + spec->knee);
    for (int g = 0; g < groups; g++) {
        double value = 2.0 * (log(lambda[g] + spec->knee) - low) / (high - low) - 1.0;
        u[g] = (float)(value < -1.0 ? -1.0 : value > 1.0 ? 1.0 : value);
    }
}

am_status generator_features(generator *g, int draws, const double *lambda, const float *omega,
                             dev_f32 *c, am_error *err)
{
    backend *be = g->be;
    int groups = g->groups.count;
    int64_t blocks = features_use_omega(&g->f) ? generator_weights_count(&g->spec) : 0;
    size_t u_bytes = sizeof(float) * (size_t)draws * (size_t)groups;
    size_t omega_bytes = sizeof(float) * (size_t)draws * (size_t)blocks;
    float *u = am_alloc((size_t)draws * (size_t)groups, sizeof *u, "features", err);
    float *w = am_alloc((size_t)draws * (size_t)blocks + 1, sizeof *w, "weights", err);
    dev_f32 *u_device = be->op->alloc(be, u_bytes, "features");
    dev_f32 *w_device = blocks > 0 ? be->op->alloc(be, omega_bytes, "weights") : NULL;
    am_status status = u && w ? be->op->sync(be, err) : AM_ERR_MEMORY;
    if (status == AM_OK) {
        for (int m = 0; m < draws; m++)
            generator_normalise(&g->spec, groups, lambda + (size_t)m * (size_t)groups,
                                u + (size_t)m * (size_t)groups);
        for (int64_t i = 0; i < draws * blocks; i++)
            w[i] = omega != NULL ? omega[i] : 1.0f;
        be->op->upload(be, u_device, u, u_bytes);
        if (blocks > 0)
            be->op->upload(be, w_device, w, omega_bytes);
        for (int m = 0; m < draws; m += g->f.draws)
            features_forward(&g->f, AM_MIN(g->f.draws, draws - m), g->phi,
                             f32_at(u_device, (int64_t)m * groups), f32_at(w_device, m * blocks),
                             f32_at(c, (int64_t)m * g->f.features));
        status = be->op->sync(be, err);
    }
    be->op->release(be, u_device);
    be->op->release(be, w_device);
    free(u);
    free(w);
    return status;
}

void generator_theta(const generator *g, int draws, const dev_f32 *c, dev_f32 *theta)
{
    int64_t params = g->spec.target.params;
    matmul_args a = {.batch = g->networks,
                     .m = draws,
                     .n = params,
                     .k = g->f.features,
                     .alpha = 1,
                     .a = c,
                     .lda = g->f.features,
                     .b = g->head,
                     .ldb = params,
                     .b_stride = g->head_stride,
                     .c = theta,
                     .ldc = params,
                     .c_stride = draws * params};
    g->be->op->matmul(g->be, &a);
}

am_status generator_weights(generator *g, int draws, const double *lambda, const float *omega,
                            float *theta, am_error *err)
{
    backend *be = g->be;
    g = omega == NULL ? generator_at_one(g) : g;
    generator first = generator_network(g, 0);
    size_t r1 = (size_t)g->f.features, params = (size_t)g->spec.target.params;
    dev_f32 *c = be->op->alloc(be, sizeof(float) * r1, "features");
    dev_f32 *row = be->op->alloc(be, sizeof(float) * params, "weights");
    am_status status = be->op->sync(be, err);
    for (int m = 0; status == AM_OK && m < draws; m++) {
        const float *w = omega != NULL ? omega + m * generator_weights_count(&g->spec) : NULL;
        status = generator_features(g, 1, lambda + m * g->groups.count, w, c, err);
        if (status != AM_OK)
            break;
        generator_theta(&first, 1, c, row);
        status = be->op->download(be, theta + (size_t)m * params, row, sizeof(float) * params, err);
    }
    be->op->release(be, c);
    be->op->release(be, row);
    return status;
}
