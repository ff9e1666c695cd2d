/* The embedding of many blocks: its signs, and that it has no say at ω = 1. */
#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

Test(embedding, many_blocks_are_embedded_with_independent_signs)
{
    device d = device_open();
    generator_spec spec = spec_of("2-1", ACT_TANH, LOSS_SQUARED, "poly:0", OMEGA_DIRICHLET, 300);
    generator g = generator_of(&d, &spec, 1);
    features f = g.f;
    cr_expect_eq(f.embedding, AM_DIRECT_BLOCKS);
    int64_t count = 300 * (int64_t)f.embedding, plus = 0;
    float *e = read_floats(&d, f.embed, count);
    for (int64_t i = 0; i < count; i++) {
        cr_assert_eq(fabsf(e[i]), 1.0f / 16.0f);
        plus += e[i] > 0.0f;
    }
    /* 76 800 fair signs: within 4 standard deviations, 4·√76800/2 */
    cr_expect(llabs(plus - count / 2) < 555, "%lld of %lld", (long long)plus, (long long)count);
    generator_close(&g);
    spec.blocks = 256;
    g = generator_of(&d, &spec, 1);
    cr_expect(g.f.embed == NULL && g.f.embedding == 256);
    generator_close(&g);
    device_close(&d);
}

/* E has no say at ω = 1: two seeds, the same c up to the rounding of 1ᵀE in floats. */
Test(embedding, has_no_effect_at_unit_weights)
{
    static const char *const text[] = {"cheb:3", "mlp:6,4", "split:5", "paper"};
    enum { BLOCKS = 300, WIDTH = 24 };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        float *c[2][2]; /* seed, ω = 1 or not */
        device d = device_open();
        int r1 = 0;
        for (int seed = 0; seed < 2; seed++) {
            generator_spec spec =
                spec_of("2-1", ACT_TANH, LOSS_SQUARED, text[i], OMEGA_DIRICHLET, BLOCKS);
            spec.embedding = WIDTH;
            spec.seed = (uint64_t)seed + 1;
            generator g = generator_of(&d, &spec, 1);
            generator_fill(&d, &g, 5, 0.5f);
            r1 = g.f.features;
            for (int drawn = 0; drawn < 2; drawn++) {
                double lambda = 0.01;
                am_error err = {0};
                dev_f32 *out = device_floats(&d, r1, NULL);
                float *omega = host_floats(&d, BLOCKS);
                for (uint32_t b = 0; b < BLOCKS; b++)
                    omega[b] = drawn ? (float)random_at(9, b, 0.0, 2.0) : 1.0f;
                cr_assert_eq(generator_features(&g, 1, &lambda, omega, out, &err), AM_OK);
                c[seed][drawn] = read_floats(&d, out, r1);
            }
            generator_close(&g);
        }
        cr_expect_lt(normalised_error(c[0][0], to_doubles(&d, c[1][0], r1), r1), 2e-5, "%s",
                     text[i]);
        cr_expect_gt(normalised_error(c[0][1], to_doubles(&d, c[1][1], r1), r1), 1e-2, "%s",
                     text[i]);
        device_close(&d);
    }
}
