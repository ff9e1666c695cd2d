#include "gaps.h"

#include "draw/philox.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 1000 };
static const double KEPT = 0.7; /* of a gap, at the next look */
static const double PI = 3.14159265358979323846;

/* Middle of a bin as u. */
static double middle(const session *s, int bin)
{
    double t = (bin + 0.5) / BINS;
    return s->record.fit.nodes == LAMBDA_NODES ? -cos(PI * t) : 2.0 * t - 1.0;
}

/* Gradients of the networks at λ (BINS) on two minibatches, host (2, BINS, P), and their losses. */
static am_status gradients(const gap_state *gaps, session *s, const double *lambda, float *gradient,
                           double *loss, am_error *err)
{
    generator *g = &s->g;
    backend *be = s->be;
    int64_t params = g->spec.target.params;
    size_t bytes = sizeof(float) * BINS * (size_t)params;
    float single[BINS];
    network net;
    batch_buffers rows;
    for (int i = 0; i < BINS; i++)
        single[i] = (float)lambda[i];
    dev_u64 *step = be->op->alloc(be, sizeof(uint64_t), "step counter");
    AM_TRY(network_open(&net, be, &g->spec.target, BINS, ROWS, true, err));
    AM_TRY(batch_open(&rows, be, &s->train, seed_for(g->spec.seed, STREAM_AUDIT), BINS, ROWS, 1,
                      g->spec.blocks, step, err));
    dev_f32 *c = be->op->alloc(be, sizeof(float) * BINS * (size_t)g->f.features, "features");
    dev_f32 *theta = be->op->alloc(be, bytes, "networks");
    dev_f32 *dtheta = be->op->alloc(be, bytes, "gradients");
    dev_f32 *device_lambda = be->op->alloc(be, sizeof single, "penalties");
    dev_f64 *device_loss = be->op->alloc(be, sizeof(double) * BINS, "losses");
    be->op->upload(be, device_lambda, single, sizeof single);
    am_status status = generator_features(g, BINS, lambda, NULL, c, err);
    generator_theta(g, BINS, c, theta);
    for (int k = 0; status == AM_OK && k < 2; k++) {
        uint64_t at = (uint64_t)(2 * gaps->looks + k);
        be->op->upload(be, step, &at, sizeof at);
        minibatch batch = batch_next(&rows, device_lambda, NULL, 1.0);
        objective_gradient(&net, &batch, g->groups, (theta_view){theta, params},
                           (theta_view){dtheta, params}, device_loss);
        status = be->op->download(be, gradient + k * BINS * params, dtheta, bytes, err);
    }
    if (status == AM_OK)
        status = be->op->download(be, loss, device_loss, sizeof(double) * BINS, err);
    void *owned[] = {step, c, theta, dtheta, device_lambda, device_loss};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        be->op->release(be, owned[i]);
    network_close(&net);
    batch_close(&rows);
    return status;
}

am_status gaps_measure(gap_state *gaps, session *s, bool relative, am_error *err)
{
    const generator_spec *spec = &s->g.spec;
    int64_t params = spec->target.params;
    double lambda[BINS], loss[BINS];
    float *gradient = am_alloc(2 * BINS * (size_t)params, sizeof *gradient, "gradients", err);
    if (gradient == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i < BINS; i++)
        lambda[i] = generator_lambda(spec, middle(s, i));
    am_status status = gradients(gaps, s, lambda, gradient, loss, err);
    for (int i = 0; status == AM_OK && i < BINS; i++) {
        double gap = 0.0;
        for (int64_t j = i * params; j < (i + 1) * params; j++) {
            double x = (double)gradient[j], y = (double)gradient[BINS * params + j];
            gap += x * y / (sqrt(0.5 * (x * x + y * y)) + 1e-8);
        }
        gap = fmax(relative ? gap / (0.5 * loss[i]) : gap, 0.0);
        gaps->gap[i] = gaps->looks > 0 ? KEPT * gaps->gap[i] + (1.0 - KEPT) * gap : gap;
    }
    gaps->looks++;
    free(gradient);
    return status;
}
