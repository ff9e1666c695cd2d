/* What drawn weights add to the gradient: sums over the blocks' gradients, or over the rows, against the
 * gradients of the blocks by themselves, which are held against differences elsewhere. */
#include "response/weighted_gradients.h"
#include "support/must.h"
#include "support/problem.h"

#include <criterion/criterion.h>

enum { ROWS = 2100, DRAWS = 5, NETWORKS = 2 }; /* more rows than a tile holds */

/* ω^s (S,K) on the host, owned by the device. */
static float *drawn(device *d, const weight_source *from, int draws)
{
    am_error err = {0};
    dev_f32 *omega = device_floats(d, draws * from->blocks, NULL);
    must(weights_drawn(d->be, from, draws, omega, &err), &err);
    return read_floats(d, omega, draws * from->blocks);
}

/* g_s = Σ_b (ω_sb − 1) g_b of centred g_b, for every network. */
static double *expected(device *d, const problem *p, const target *t, const float *omega,
                        dev_f32 *theta)
{
    am_error err = {0};
    block_gradients b;
    int64_t blocks = p->blocks, params = t->params;
    dev_f32 *g = device_floats(d, NETWORKS * blocks * params, NULL);
    must(block_gradients_open(&b, d->be, t, NETWORKS, &p->data, blocks, &err), &err);
    block_gradients_compute(&b, theta, g);
    const float *each = read_floats(d, g, NETWORKS * blocks * params);
    double *want = host_doubles(d, (int64_t)NETWORKS * DRAWS * params);
    for (int64_t e = 0; e < NETWORKS; e++)
        for (int64_t s = 0; s < DRAWS; s++)
            for (int64_t k = 0; k < blocks; k++)
                for (int64_t j = 0; j < params; j++)
                    want[(e * DRAWS + s) * params + j] +=
                        ((double)omega[s * blocks + k] - 1.0) *
                        (double)each[(e * blocks + k) * params + j];
    block_gradients_close(&b);
    return want;
}

static void check_sums(loss_kind loss, int64_t blocks, bool by_rows)
{
    device d = device_open();
    am_error err = {0};
    target t;
    weighted_gradients w;
    must(target_parse("4-6-3", ACT_TANH, loss, &t, &err), &err);
    problem p = problem_open(&d, loss, ROWS, 4, 3, blocks, 8);
    for (int64_t i = 0; i < ROWS; i++) /* of unequal sizes, in no order */
        p.block[i] = (uint32_t)(i * i % 1999 % blocks);
    problem_upload(&d, &p);
    weight_source from = {OMEGA_DIRICHLET, 1.0, 17, blocks};
    int64_t values = NETWORKS * DRAWS * t.params;
    dev_f32 *theta = device_floats(&d, NETWORKS * t.params, random_floats(&d, 2 * t.params, 21));
    double *want = expected(&d, &p, &t, drawn(&d, &from, DRAWS), theta);
    must(weighted_gradients_open(&w, d.be, &t, NETWORKS, &p.data, &from, DRAWS, &err), &err);
    cr_expect_eq(w.by_rows, by_rows);
    for (int repeat = 0; repeat < 2; repeat++) { /* nothing of the first is left */
        dev_f32 *g = device_floats(&d, values, random_floats(&d, values, 3));
        must(weighted_gradients_compute(&w, theta, g, &err), &err);
        expect_close(&d, g, values, want, 1e-5);
    }
    weighted_gradients_close(&w);
    problem_close(&p);
    device_close(&d);
}

Test(weighted_gradients, over_blocks_are_sums_of_the_blocks)
{
    check_sums(LOSS_CROSS_ENTROPY, 70, false); /* more blocks than are held at once */
    check_sums(LOSS_SQUARED, 70, false);
    check_sums(LOSS_SQUARED, 4, false);
}

Test(weighted_gradients, over_rows_are_sums_of_the_blocks)
{
    check_sums(LOSS_CROSS_ENTROPY, 300, true);
    check_sums(LOSS_SQUARED, 300, true);
}

/* Exponential weights do not sum to K: their common scale is no direction. */
Test(weighted_gradients, the_scale_of_all_weights_adds_nothing)
{
    enum { BLOCKS = 7 };
    device d = device_open();
    am_error err = {0};
    target t;
    must(target_parse("4-3", ACT_TANH, LOSS_SQUARED, &t, &err), &err);
    problem p = problem_open(&d, LOSS_SQUARED, 21, 4, 3, BLOCKS, 8);
    weight_source from = {OMEGA_EXPONENTIAL, 1.0, 4, BLOCKS};
    const float *omega = drawn(&d, &from, 1);
    dev_f32 *theta = device_floats(&d, t.params, random_floats(&d, t.params, 5));
    block_gradients b;
    weighted_gradients w;
    must(block_gradients_open(&b, d.be, &t, 1, &p.data, BLOCKS, &err), &err);
    must(weighted_gradients_open(&w, d.be, &t, 1, &p.data, &from, 1, &err), &err);
    dev_f32 *each = device_floats(&d, BLOCKS * t.params, NULL);
    dev_f32 *g = device_floats(&d, t.params, NULL);
    block_gradients_compute(&b, theta, each);
    must(weighted_gradients_compute(&w, theta, g, &err), &err);
    const float *centred = read_floats(&d, each, BLOCKS * t.params);
    double *want = host_doubles(&d, t.params), sum = 0.0;
    for (int k = 0; k < BLOCKS; k++)
        sum += (double)omega[k];
    cr_expect(sum < 0.95 * BLOCKS || sum > 1.05 * BLOCKS, "of scale 1 already: %g", sum);
    for (int k = 0; k < BLOCKS; k++)
        for (int64_t j = 0; j < t.params; j++)
            want[j] += (double)omega[k] * (double)centred[k * t.params + j];
    expect_close(&d, g, t.params, want, 1e-5);
    block_gradients_close(&b);
    weighted_gradients_close(&w);
    problem_close(&p);
    device_close(&d);
}

Test(weighted_gradients, a_drawn_vector_depends_on_seed_and_blocks_alone)
{
    enum { BLOCKS = 500 };
    device d = device_open();
    weight_source from = {OMEGA_DIRICHLET, 1.0, 17, BLOCKS}, other = from;
    other.seed = 18;
    const float *few = drawn(&d, &from, 2), *many = drawn(&d, &from, 6);
    const float *seed = drawn(&d, &other, 2);
    cr_expect_eq(memcmp(few, many, sizeof *few * 2 * BLOCKS), 0);
    cr_expect_neq(memcmp(few, seed, sizeof *few * BLOCKS), 0);
    for (int s = 0; s < 6; s++) {
        double sum = 0.0, squares = 0.0;
        for (int k = 0; k < BLOCKS; k++) {
            sum += (double)many[s * BLOCKS + k];
            squares += ((double)many[s * BLOCKS + k] - 1.0) * ((double)many[s * BLOCKS + k] - 1.0);
        }
        cr_expect_float_eq(sum / BLOCKS, 1.0, 1e-6);
        /* a variance of (K−1)/(K+1), whose estimate has a standard error of 0.13 */
        cr_expect_float_eq(squares / BLOCKS, 1.0, 0.5, "vector %d: %g", s, squares / BLOCKS);
    }
    device_close(&d);
}
