/* fidelity: hand-worked deviations, simulated ones with known answers, and what says nothing. */
#include "tune/fidelity.h"

#include "draw/draw.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static fidelity computed(const float *g, const float *a, const float *b, int draws, int64_t values)
{
    fidelity f;
    am_error err = {0};
    cr_assert_eq(fidelity_compute(g, a, b, draws, values, &f, &err), AM_OK, "%s", err.message);
    return f;
}

static void expect_estimate(estimate e, double value, double se, const char *name)
{
    cr_expect_float_eq(e.value, value, 1e-12, "%s: %g, expected %g", name, e.value, value);
    cr_expect_float_eq(e.se, se, 1e-12, "%s: ± %g, expected %g", name, e.se, se);
}

/* ---- by hand --------------------------------------------------------------------------------- */

/* δ_a = −1, 0, 1; δ_b = −2, 0, 2; δ_g = −½, 0, ½, each divided by D − 1 = 2:
 * S = 4/2, V = ½(2 + 8)/2, G = ½/2, C = ½(1 + 2)/2. One draw left out, D − 1 = 1:
 * S = 1, 4, 1, their jackknife error √(⅔·6); G/S and C/S stay as they are, as do C²/(SG). */
Test(fidelity, by_hand)
{
    const float g[] = {7.0f, 7.5f, 8.0f}, a[] = {0, 1, 2}, b[] = {3, 5, 7};
    fidelity f = computed(g, a, b, 3, 1);
    expect_estimate(f.signal, 2.0, 2.0, "signal");
    expect_estimate(f.total, 2.5, 2.5, "total");
    expect_estimate(f.generator, 0.25, 0.25, "generator");
    expect_estimate(f.reproducible, 0.8, 0.0, "reproducible");
    expect_estimate(f.spread, 0.125, 0.0, "spread");
    expect_estimate(f.captured, 0.375, 0.0, "captured");
    expect_estimate(f.fidelity, 0.75 / sqrt(0.5), 0.0, "fidelity");
    cr_expect_null(f.note);
}

/* Two values, four draws: deviations a = (±3, ±1, …) by columns, everything from its definition. */
Test(fidelity, by_definition)
{
    enum { D = 4, N = 2 };
    const float g[D * N] = {1, 0, 2, 0, 4, 1, 1, 3};
    const float a[D * N] = {1, 1, 3, 1, 5, 2, 3, 4};
    const float b[D * N] = {0, 2, 2, 0, 6, 3, 4, 3};
    /* δ by columns: g −1 0 2 −1 | −1 −1 0 2;  a −2 0 2 0 | −1 −1 0 2;  b −3 −1 3 1 | 0 −2 1 1 */
    double ab = 12 + 4, aa = 8 + 6, bb = 20 + 6, gg = 6 + 6, ga = 6 + 6, gb = 8 + 4, n = 3 * N;
    fidelity f = computed(g, a, b, D, N);
    cr_expect_float_eq(f.signal.value, ab / n, 1e-12);
    cr_expect_float_eq(f.total.value, 0.5 * (aa + bb) / n, 1e-12);
    cr_expect_float_eq(f.generator.value, gg / n, 1e-12);
    cr_expect_float_eq(f.reproducible.value, ab / (0.5 * (aa + bb)), 1e-12);
    cr_expect_float_eq(f.spread.value, gg / ab, 1e-12);
    cr_expect_float_eq(f.captured.value, 0.5 * (ga + gb) / ab, 1e-12);
    cr_expect_float_eq(f.fidelity.value, 0.5 * (ga + gb) / sqrt(ab * gg), 1e-12);
    cr_expect_eq(f.draws, D);
    cr_expect_eq(f.values, N);
}

/* ---- simulated ------------------------------------------------------------------------------- */

/* Refits and generators of D draws, N values: signal of variance s², two noises of variance e². The
 * generator is scale·signal plus noise of variance h². */
typedef struct {
    int draws, values;
    double signal, noise, scale, own;
} simulation;

static double normal(uint64_t seed, int kind, int draw, int value)
{
    return draw_normal(seed, STREAM_TEST, (uint32_t)kind, (uint32_t)draw, (uint32_t)value);
}

static fidelity simulated(const simulation *s, uint64_t seed)
{
    int count = s->draws * s->values;
    float *g = calloc(3 * (size_t)count, sizeof *g), *a = g + count, *b = a + count;
    for (int i = 0; i < count; i++) {
        int d = i / s->values, j = i % s->values;
        double level = 10.0 * normal(seed, 9, 0, j); /* common to the draws: drops out */
        double truth = s->signal * normal(seed, 0, d, j);
        a[i] = (float)(level + truth + s->noise * normal(seed, 1, d, j));
        b[i] = (float)(level + truth + s->noise * normal(seed, 2, d, j));
        g[i] = (float)(s->scale * truth + s->own * normal(seed, 3, d, j));
    }
    fidelity f = computed(g, a, b, s->draws, s->values);
    free(g);
    return f;
}

/* Within four standard errors, and these small enough to mean something. */
static void expect_near(estimate e, double truth, double largest_se, const char *name)
{
    cr_expect(e.se > 0.0 && e.se < largest_se, "%s: ± %g", name, e.se);
    cr_expect(fabs(e.value - truth) < 4.0 * e.se, "%s: %g ± %g, truth %g", name, e.value, e.se,
              truth);
}

Test(fidelity, an_exact_generator_is_ideal)
{
    const simulation exact = {20, 3000, 1.0, 1.7, 1.0, 0.0};
    fidelity f = simulated(&exact, 1);
    expect_near(f.signal, 1.0, 0.05, "signal");
    expect_near(f.total, 1.0 + 1.7 * 1.7, 0.1, "total");
    expect_near(f.reproducible, 1.0 / (1.0 + 1.7 * 1.7), 0.02, "reproducible");
    expect_near(f.spread, 1.0, 0.05, "spread");
    expect_near(f.captured, 1.0, 0.05, "captured");
    expect_near(f.fidelity, 1.0, 0.05, "fidelity");
}

Test(fidelity, one_that_shrinks_has_its_factor)
{
    const simulation half = {20, 3000, 1.0, 1.0, 0.5, 0.0};
    fidelity f = simulated(&half, 2);
    expect_near(f.spread, 0.25, 0.02, "spread");
    expect_near(f.captured, 0.5, 0.03, "captured");
    expect_near(f.fidelity, 1.0, 0.03, "fidelity"); /* the direction is right */
}

/* Right in size, unrelated in what it does: only fidelity and the captured signal tell. */
Test(fidelity, noise_of_the_right_size_fails)
{
    const simulation noise = {20, 3000, 1.0, 1.0, 0.0, 1.0};
    fidelity f = simulated(&noise, 3);
    expect_near(f.spread, 1.0, 0.05, "spread");
    expect_near(f.captured, 0.0, 0.05, "captured");
    expect_near(f.fidelity, 0.0, 0.05, "fidelity");
}

/* A refit in the generator's place: all of the signal, and noise: 1, V/S, √(S/V). */
Test(fidelity, a_refit_is_held_back_by_its_own_noise)
{
    const simulation refit = {20, 3000, 1.0, 1.5, 1.0, 1.5};
    fidelity f = simulated(&refit, 4);
    expect_near(f.spread, 3.25, 0.15, "spread");
    expect_near(f.captured, 1.0, 0.05, "captured");
    expect_near(f.fidelity, 1.0 / sqrt(3.25), 0.03, "fidelity");
}

/* Few draws: the mean over many data sets is the truth, and the mean error is their spread. */
Test(fidelity, is_unbiased_for_few_draws)
{
    enum { SETS = 400 };
    const simulation few = {4, 60, 1.0, 0.8, 0.7, 0.5};
    double sum[4] = {0}, squares[4] = {0}, se[4] = {0};
    const double truth[4] = {1.0, 1.64, 0.74, 0.0};
    for (int k = 0; k < SETS; k++) {
        fidelity f = simulated(&few, 100 + (uint64_t)k);
        const estimate e[4] = {f.signal, f.total, f.generator, f.captured};
        for (int i = 0; i < 4; i++) {
            sum[i] += e[i].value / SETS;
            squares[i] += e[i].value * e[i].value / SETS;
            se[i] += e[i].se / SETS;
        }
    }
    for (int i = 0; i < 4; i++) {
        double sd = sqrt(squares[i] - sum[i] * sum[i]);
        if (i < 3)
            cr_expect(fabs(sum[i] - truth[i]) < 4.0 * sd / sqrt(SETS), "%d: %g, truth %g", i,
                      sum[i], truth[i]);
        cr_expect(se[i] > 0.75 * sd && se[i] < 1.3 * sd, "%d: error %g, spread %g", i, se[i], sd);
    }
}

/* More values than a block holds, and a number of them that no block divides. */
Test(fidelity, blocks_change_nothing)
{
    enum { D = 5, N = 2111 };
    float *x = calloc((size_t)3 * D * N, sizeof *x), *g = x, *a = g + D * N, *b = a + D * N;
    double ab = 0.0, gg = 0.0;
    for (int i = 0; i < 3 * D * N; i++)
        x[i] = (float)normal(7, 0, i / N, i % N);
    for (int j = 0; j < N; j++) {
        double mean[3] = {0};
        for (int i = 0; i < 3 * D; i++)
            mean[i / D] += (double)x[i * N + j] / D;
        for (int d = 0; d < D; d++) {
            ab += ((double)a[d * N + j] - mean[1]) * ((double)b[d * N + j] - mean[2]);
            gg += pow((double)g[d * N + j] - mean[0], 2.0);
        }
    }
    fidelity f = computed(g, a, b, D, N);
    cr_expect_float_eq(f.signal.value, ab / ((D - 1.0) * N), 1e-12);
    cr_expect_float_eq(f.generator.value, gg / ((D - 1.0) * N), 1e-12);
    free(x);
}

/* ---- what says nothing ----------------------------------------------------------------------- */

static void expect_note(const fidelity *f, const char *part)
{
    cr_assert_not_null(f->note);
    cr_expect(strstr(f->note, part) != NULL, "'%s' is not in: %s", part, f->note);
}

Test(fidelity, one_that_ignores_omega_captures_nothing)
{
    enum { D = 6, N = 50 };
    float g[D * N], a[D * N], b[D * N];
    for (int i = 0; i < D * N; i++) {
        g[i] = 0.1f * (float)(i % N); /* the same at every draw */
        a[i] = (float)normal(5, 0, i / N, i % N);
        b[i] = a[i] + 0.1f * (float)normal(5, 1, i / N, i % N);
    }
    fidelity f = computed(g, a, b, D, N);
    cr_expect_eq(f.generator.value, 0.0);
    cr_expect_eq(f.spread.value, 0.0);
    cr_expect_eq(f.captured.value, 0.0);
    cr_expect_eq(f.fidelity.value, 0.0);
    cr_expect(f.signal.value > 0.5);
    expect_note(&f, "do not respond");
}

Test(fidelity, refits_without_a_response_say_nothing)
{
    enum { D = 5, N = 20 };
    float g[D * N], same[D * N], opposite[D * N], a[D * N];
    for (int i = 0; i < D * N; i++) {
        same[i] = 0.3f + 0.01f * (float)(i % N);
        g[i] = a[i] = (float)normal(6, 0, i / N, i % N);
        opposite[i] = -a[i];
    }
    fidelity still = computed(g, same, same, D, N), apart = computed(g, a, opposite, D, N);
    const fidelity *both[] = {&still, &apart};
    for (int i = 0; i < 2; i++) {
        cr_expect(isnan(both[i]->spread.value) && isnan(both[i]->captured.value));
        cr_expect(isnan(both[i]->fidelity.value) && isnan(both[i]->spread.se));
        expect_note(both[i], "no reproducible response");
    }
    cr_expect_eq(still.signal.value, 0.0);
    cr_expect(isnan(still.reproducible.value));
    cr_expect(apart.signal.value < 0.0 && apart.reproducible.value < 0.0);
}

Test(fidelity, what_is_not_finite_is_said)
{
    const float g[] = {0, 1, NAN}, a[] = {0, 1, 2};
    fidelity f = computed(g, a, a, 3, 1);
    expect_note(&f, "not finite");
}

Test(fidelity, needs_three_draws)
{
    const float x[] = {0, 1};
    fidelity f;
    am_error err = {0};
    cr_expect_eq(fidelity_compute(x, x, x, 2, 1, &f, &err), AM_ERR_USAGE);
    cr_expect(strstr(err.message, "at least 3 draws") != NULL, "%s", err.message);
}
