/* What a generator is given for draws of the posterior, and the weights that these stand for. */
#include "tune/tune.h"

#include "draw/distributions.h"
#include "response/weighted_gradients.h"

#include <math.h>
#include <stdlib.h>

/* z (S), Gaussian in direction and of norm 1. */
static void mixture(uint64_t seed, uint32_t draw, int count, double *z)
{
    double squares = 0.0;
    for (int s = 0; s < count; s++) {
        z[s] = draw_normal(seed, STREAM_MIXTURES, 0, draw, (uint32_t)s);
        squares += z[s] * z[s];
    }
    for (int s = 0; s < count; s++)
        z[s] /= sqrt(squares);
}

/* 1 + z (D,S): the drawn weight vectors themselves, then mixtures of them. */
static am_status sampled_seen(int count, int draws, uint64_t seed, float **seen, float **omega0,
                              am_error *err)
{
    double *z = am_alloc((size_t)count, sizeof *z, "posterior weights", err);
    *seen = am_alloc((size_t)draws * (size_t)count, sizeof **seen, "posterior weights", err);
    *omega0 = am_alloc((size_t)draws, sizeof **omega0, "posterior weights", err);
    if (z == NULL || *seen == NULL || *omega0 == NULL) {
        free(z);
        free(*seen);
        free(*omega0);
        *seen = *omega0 = NULL;
        return AM_ERR_MEMORY;
    }
    for (int d = 0; d < draws; d++) {
        float *row = *seen + (size_t)d * (size_t)count;
        if (d >= count)
            mixture(seed, (uint32_t)d, count, z);
        for (int s = 0; s < count; s++)
            row[s] = (float)(1.0 + (d >= count ? z[s] : s == d ? 1.0 : 0.0));
        (*omega0)[d] = 1.0f;
    }
    free(z);
    return AM_OK;
}

am_status posterior_seen(const generator *g, int draws, uint64_t seed, float **seen, float **omega0,
                         am_error *err)
{
    const generator_spec *spec = &g->spec;
    if (spec->sampled > 0)
        return sampled_seen(spec->sampled, draws, seed, seen, omega0, err);
    return posterior_omega(g->be, spec->weights, spec->alpha, spec->blocks, draws, seed, seen,
                           omega0, err);
}

/* ω_d (K) = 1 + Σ_s z_ds (ω^s − 1); exactly ω^s where z = e_s. */
static void mix(const float *drawn, const float *seen, int count, int64_t blocks, float *omega)
{
    for (int64_t b = 0; b < blocks; b++) {
        double sum = 0.0;
        for (int s = 0; s < count; s++)
            sum += ((double)seen[s] - 1.0) * ((double)drawn[s * blocks + b] - 1.0);
        omega[b] = (float)(1.0 + sum);
    }
}

/* ω^s (S,K) on the host. */
static am_status drawn_weights(const generator *g, float **drawn, am_error *err)
{
    const generator_spec *spec = &g->spec;
    weight_source from = {spec->weights, spec->alpha, spec->seed, spec->blocks};
    size_t count = (size_t)spec->sampled * (size_t)spec->blocks;
    *drawn = am_alloc(count, sizeof **drawn, "drawn weights", err);
    dev_f32 *device = g->be->op->alloc(g->be, count * sizeof **drawn, "drawn weights");
    am_status status = *drawn != NULL ? g->be->op->sync(g->be, err) : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = weights_drawn(g->be, &from, spec->sampled, device, err);
    if (status == AM_OK)
        status = g->be->op->download(g->be, *drawn, device, count * sizeof **drawn, err);
    g->be->op->release(g->be, device);
    return status;
}

am_status posterior_behind(const generator *g, int draws, const float *seen, float **omega,
                           am_error *err)
{
    int width = (int)generator_weights_count(&g->spec);
    int64_t blocks = g->spec.blocks;
    float *drawn = NULL;
    *omega = am_alloc((size_t)draws * (size_t)blocks, sizeof **omega, "posterior weights", err);
    am_status status = *omega != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK && g->spec.sampled > 0)
        status = drawn_weights(g, &drawn, err);
    for (int d = 0; status == AM_OK && d < draws; d++) {
        const float *row = seen + (size_t)d * (size_t)width;
        for (int64_t b = 0; drawn == NULL && b < blocks; b++)
            (*omega)[d * blocks + b] = row[b];
        if (drawn != NULL)
            mix(drawn, row, width, blocks, *omega + d * blocks);
    }
    free(drawn);
    if (status != AM_OK) {
        free(*omega);
        *omega = NULL;
    }
    return status;
}
