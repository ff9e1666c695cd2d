#include "classic/mest_weights.h"

#include "draw/draw.h"

#include <string.h>

/* K·g_b/Σg with g ~ Gamma(α). */
static void dirichlet(double alpha, uint64_t seed, uint32_t step, uint32_t draw, int blocks,
                      double *omega)
{
    double sum = 0;
    for (int b = 0; b < blocks; b++) {
        omega[b] = dirichlet_gamma(seed, STREAM_POSTERIOR, step, draw, (uint32_t)b, alpha);
        sum += omega[b];
    }
    for (int b = 0; b < blocks; b++)
        omega[b] *= blocks / sum;
}

static void multinomial(uint64_t seed, uint32_t step, uint32_t draw, int blocks, double *omega)
{
    memset(omega, 0, (size_t)blocks * sizeof *omega);
    for (int trial = 0; trial < blocks; trial++)
        omega[multinomial_block(seed, STREAM_POSTERIOR, step, draw, (uint32_t)trial,
                                (uint32_t)blocks)] += 1.0;
}

static void halves(uint64_t seed, uint32_t step, uint32_t draw, int blocks, double *omega)
{
    permutation order =
        permutation_of_draw(seed, STREAM_POSTERIOR, step, draw / 2, (uint64_t)blocks);
    uint64_t half = ((uint64_t)blocks + 1) / 2;
    for (int b = 0; b < blocks; b++) {
        bool first = permutation_at(&order, (uint64_t)b) < half;
        omega[b] = first == (draw % 2 == 0) ? 2.0 : 0.0;
    }
}

void mest_weights_draw(mest_weight_kind kind, double alpha, uint64_t seed, uint32_t step, int first,
                       int draws, int blocks, double *omega)
{
    for (int m = 0; m < draws; m++, omega += blocks) {
        uint32_t draw = (uint32_t)(first + m);
        if (kind == MEST_DIRICHLET)
            dirichlet(alpha, seed, step, draw, blocks, omega);
        else if (kind == MEST_MULTINOMIAL)
            multinomial(seed, step, draw, blocks, omega);
        else if (kind == MEST_HALVES)
            halves(seed, step, draw, blocks, omega);
        else
            for (int b = 0; b < blocks; b++)
                omega[b] = draw_exponential(seed, STREAM_POSTERIOR, step, draw, (uint32_t)b);
    }
}

/* Gamma(shape); a shape that leaves nothing of it is 0. */
static double gamma_draw(uint64_t seed, uint32_t step, uint32_t draw, int b, double shape)
{
    return shape > 1e-6 ? draw_gamma(seed, STREAM_POSTERIOR, step, draw, (uint32_t)b, shape) : 0.0;
}

/* K trials, trial t hits the block in whose part of [0, Σω) the number u·Σω falls. */
static void hit_blocks(uint64_t seed, uint32_t step, uint32_t draw, int blocks, const double *omega,
                       double *out)
{
    double sum = 0;
    memset(out, 0, (size_t)blocks * sizeof *out);
    for (int b = 0; b < blocks; b++)
        sum += omega[b];
    for (int trial = 0; trial < blocks; trial++) {
        philox4 r = philox(seed, STREAM_POSTERIOR, step, draw, (uint32_t)trial);
        double u = uniform_open(r.x[0]) * sum;
        int b = 0;
        while (b < blocks - 1 && u >= omega[b])
            u -= omega[b++];
        out[b] += 1.0;
    }
}

void mest_weights_inner(mest_weight_kind kind, double alpha, uint64_t seed, uint32_t step,
                        int draws, int blocks, const double *omega, double *out)
{
    for (int m = 0; m < draws; m++, out += blocks) {
        double sum = 0;
        if (kind == MEST_MULTINOMIAL)
            hit_blocks(seed, step, (uint32_t)m, blocks, omega, out);
        else
            for (int b = 0; b < blocks; b++)
                out[b] = gamma_draw(seed, step, (uint32_t)m, b, alpha * omega[b]);
        for (int b = 0; b < blocks; b++)
            sum += out[b];
        for (int b = 0; b < blocks; b++)
            out[b] = sum > 0 ? out[b] * blocks / sum : omega[b];
    }
}

void mest_weights_folds(int blocks, double *omega)
{
    for (int k = 0; k < blocks; k++)
        for (int b = 0; b < blocks; b++)
            omega[(size_t)k * (size_t)blocks + (size_t)b] =
                b == k ? 0.0 : (double)blocks / (blocks - 1);
}
