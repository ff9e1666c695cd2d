/* generator: initial parameters, normalised λ, c from host-side draws, θ = cΘ. */
#include "draw/draw.h"
#include "support/must.h"
#include "support/reference.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* θ (draws, P) on the host at these λ (draws, G) and ω (draws, K) or NULL. */
static float *theta_at(device *d, generator *g, int draws, const double *lambda, const float *omega)
{
    am_error err = {0};
    int64_t params = g->spec.target.params;
    dev_f32 *c = device_floats(d, (int64_t)draws * g->f.features, NULL);
    dev_f32 *theta = device_floats(d, draws * params, NULL);
    must(generator_features(g, draws, lambda, omega, c, &err), &err);
    generator_theta(g, draws, c, theta);
    return read_floats(d, theta, draws * params);
}

Test(generator, residual_initialisation_is_the_same_ordinary_network_at_every_lambda)
{
    static const char *const text[] = {"poly:2", "cheb:6", "mlp:8,4", "split:8,4"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        device d = device_open();
        am_error err = {0};
        generator_spec spec =
            spec_of("4-5-3", ACT_RELU, LOSS_CROSS_ENTROPY, text[i], OMEGA_DIRICHLET, 5);
        generator g = generator_of(&d, &spec, 2);
        must(generator_init(&g, &err), &err);
        float *own = host_floats(&d, spec.target.params);
        target_init(&spec.target, spec.seed, 0, own);
        float *head = generator_head(&d, &g);
        for (int64_t k = 0; k < (int64_t)g.f.features * spec.target.params; k++)
            cr_assert_eq(head[k], k < spec.target.params ? own[k] : 0.0f);
        static const double lambda[] = {1e-3, 0.07};
        static const float omega[] = {1, 1, 1, 1, 1, 0, 3, 0.5f, 0.5f, 1};
        float *theta = theta_at(&d, &g, 2, lambda, omega);
        for (int64_t k = 0; k < 2 * spec.target.params; k++)
            cr_assert_eq(theta[k], own[k % spec.target.params]);
        if (g.phi != NULL) { /* the features themselves start away from zero */
            float *phi = generator_phi(&d, &g);
            cr_expect(phi[0] != 0.0f && phi[g.phi_size - 1] != 0.0f);
        }
        generator_close(&g);
        device_close(&d);
    }
}

/* r = 128 inputs of the head: every Θ uniform in ±1/√128. The mean square of 129·23 such numbers is
 * within 4 standard errors, 4·√(4/45)/√2967 = 2.2 %, of b²/3. */
Test(generator, paper_initialisation_is_uniform_in_every_row_of_the_head)
{
    device d = device_open();
    am_error err = {0};
    generator_spec spec = spec_of("3-4-1", ACT_RELU, LOSS_SQUARED, "paper", OMEGA_DIRICHLET, 16);
    generator g = generator_of(&d, &spec, 1);
    must(generator_init(&g, &err), &err);
    int64_t count = 129 * spec.target.params;
    float *head = generator_head(&d, &g);
    double bound = 1.0 / sqrt(128.0), squares = 0.0;
    for (int64_t i = 0; i < count; i++) {
        cr_assert(head[i] != 0.0f && fabs((double)head[i]) <= bound);
        squares += (double)head[i] * (double)head[i] / (bound * bound);
    }
    cr_expect_float_eq(squares / (double)count, 1.0 / 3.0, 4.0 * sqrt(4.0 / 45.0 / (double)count));
    for (int64_t i = 1; i < count; i++)
        cr_expect_neq(head[i], head[i - 1]);
    for (uint32_t i = 0; i < 8; i++) { /* counters 2: apart from the target's and the features' */
        double u = uniform_open(philox(spec.seed, STREAM_INIT, 2, 0, i / 4).x[i % 4]);
        cr_expect_eq(head[i], (float)(bound * (2.0 * u - 1.0)));
    }
    cr_expect_eq(g.phi_size, 18 * 128 + 129 * 128);
    float *phi = generator_phi(&d, &g);
    for (int64_t i = 0; i < g.phi_size; i++)
        cr_assert(fabs((double)phi[i]) <= 1.0 / sqrt(i < 18 * 128 ? 17.0 : 128.0));
    generator_close(&g);
    device_close(&d);
}

Test(generator, initial_parameters_are_a_function_of_the_seed)
{
    static const char *const text[] = {"mlp:8,4", "paper"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        device d = device_open();
        float *head[3], *phi[3];
        int64_t count = 0, phi_count = 0;
        for (int run = 0; run < 3; run++) {
            am_error err = {0};
            generator_spec spec =
                spec_of("4-3", ACT_RELU, LOSS_CROSS_ENTROPY, text[i], OMEGA_ONES, 5);
            spec.seed = run < 2 ? 17 : 18;
            generator g = generator_of(&d, &spec, 1);
            must(generator_init(&g, &err), &err);
            count = spec.target.params;
            phi_count = g.phi_size;
            head[run] = generator_head(&d, &g);
            phi[run] = generator_phi(&d, &g);
            generator_close(&g);
        }
        cr_expect_eq(memcmp(head[0], head[1], sizeof(float) * (size_t)count), 0);
        cr_expect_eq(memcmp(phi[0], phi[1], sizeof(float) * (size_t)phi_count), 0);
        cr_expect_neq(memcmp(head[0], head[2], sizeof(float) * (size_t)count), 0);
        cr_expect_neq(memcmp(phi[0], phi[2], sizeof(float) * (size_t)phi_count), 0);
        device_close(&d);
    }
}

/* ---- λ --------------------------------------------------------------------------------------- */

Test(generator, lambda_is_normalised_on_the_logarithm_and_clamped)
{
    generator_spec spec = {.lambda_low = 1e-4, .lambda_high = 1.0};
    static const double lambda[] = {1e-4, 1e-2, 1.0, 1e-3, 1e-9, 50.0};
    static const float want[] = {-1, 0, 1, -0.5f, -1, 1};
    float u[6];
    generator_normalise(&spec, 6, lambda, u);
    for (int i = 0; i < 6; i++)
        cr_expect_float_eq(u[i], want[i], 1e-7f, "λ %g: u %g", lambda[i], (double)u[i]);
}

/* Θ_0 = 1, Θ_1 = 10, Θ_2 = 100 on poly:2: θ = 1 + 10u + 100u². */
Test(generator, theta_is_the_combination_of_the_heads_rows)
{
    device d = device_open();
    generator_spec spec = spec_of("1-1", ACT_TANH, LOSS_SQUARED, "poly:2", OMEGA_ONES, 5);
    spec.lambda_low = 1e-4, spec.lambda_high = 1.0;
    generator g = generator_of(&d, &spec, 3);
    generator_set_head(&g, (float[]){1, 2, 10, 20, 100, 200});
    static const double lambda[] = {1e-4, 1e-3, 1.0};
    static const float want[] = {91, 182, 21, 42, 111, 222};
    float *theta = theta_at(&d, &g, 3, lambda, NULL);
    for (int i = 0; i < 6; i++)
        cr_expect_float_eq(theta[i], want[i], 1e-4f);
    generator_close(&g);
    device_close(&d);
}

Test(generator, every_layer_may_have_a_lambda_of_its_own)
{
    device d = device_open();
    generator_spec spec = spec_of("2-2-1", ACT_TANH, LOSS_SQUARED, "poly:1", OMEGA_ONES, 5);
    spec.per_layer = true;
    spec.lambda_low = 1e-4, spec.lambda_high = 1.0;
    generator g = generator_of(&d, &spec, 1);
    cr_assert(g.groups.count == 2 && g.f.features == 3);
    float head[27];
    for (int i = 0; i < 27; i++)
        head[i] = i < 9 ? 1.0f : i < 18 ? 10.0f : 100.0f;
    generator_set_head(&g, head);
    static const double lambda[] = {1e-3, 1.0}; /* u = (−½, 1) */
    float *theta = theta_at(&d, &g, 1, lambda, NULL);
    for (int i = 0; i < 9; i++)
        cr_expect_float_eq(theta[i], 1.0f - 5.0f + 100.0f, 1e-4f);
    generator_close(&g);
    device_close(&d);
}

/* ---- draws ----------------------------------------------------------------------------------- */

enum { DRAWS = 10, BLOCKS = 40 };

static generator drawing_generator(device *d, const char *text, int embedding, int capacity)
{
    generator_spec spec =
        spec_of("3-4-2", ACT_TANH, LOSS_CROSS_ENTROPY, text, OMEGA_DIRICHLET, BLOCKS);
    spec.embedding = embedding;
    generator g = generator_of(d, &spec, capacity);
    generator_fill(d, &g, 8, 0.5f);
    return g;
}

static void some_draws(double *lambda, float *omega)
{
    for (int m = 0; m < DRAWS; m++)
        lambda[m] = exp(random_at(1, (uint32_t)m, log(1e-3), log(1e-1)));
    for (int i = 0; i < DRAWS * BLOCKS; i++)
        omega[i] = (float)random_at(2, (uint32_t)i, 0.0, 2.0);
}

Test(generator, theta_agrees_with_the_reference_in_any_number_of_slices)
{
    static const struct {
        const char *text;
        int embedding;
    } cases[] = {{"cheb:4", 0}, {"cheb:4", 7}, {"mlp:9,5", 0}, {"split:6", 9}, {"paper", 0}};
    static const int capacity[] = {DRAWS, 3, 1, 64};
    double lambda[DRAWS], theta[26], c[AM_MAX_FEATURES], u;
    float omega[DRAWS * BLOCKS];
    some_draws(lambda, omega);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < sizeof capacity / sizeof *capacity; k++) {
            device d = device_open();
            generator g = drawing_generator(&d, cases[i].text, cases[i].embedding, capacity[k]);
            reference r = reference_of(&d, &g);
            float *got = theta_at(&d, &g, DRAWS, lambda, omega);
            cr_assert_eq(g.spec.target.params, 26);
            for (int m = 0; m < DRAWS; m++) {
                u = 2.0 * log(lambda[m] / 1e-3) / log(1e2) - 1.0;
                reference_features(&r, &u, omega + m * BLOCKS, c);
                reference_theta(&r, c, theta);
                double error = normalised_error(got + m * 26, theta, 26);
                cr_expect_lt(error, 2e-6, "%s, %d at a time: %g", cases[i].text, capacity[k],
                             error);
            }
            generator_close(&g);
            device_close(&d);
        }
    }
}

Test(generator, weights_of_networks_come_to_the_host)
{
    static const char *const text[] = {"cheb:2", "split:5"};
    double lambda[DRAWS];
    float omega[DRAWS * BLOCKS];
    some_draws(lambda, omega);
    for (int i = 0; i < 4; i++) {
        device d = device_open();
        am_error err = {0};
        generator g = drawing_generator(&d, text[i % 2], 0, DRAWS);
        const float *weights = i / 2 ? omega : NULL;
        float *got = host_floats(&d, DRAWS * 26), *want = theta_at(&d, &g, DRAWS, lambda, weights);
        must(generator_weights(&g, DRAWS, lambda, weights, got, &err), &err);
        cr_expect_lt(normalised_error(got, to_doubles(&d, want, DRAWS * 26), DRAWS * 26), 1e-6);
        generator_close(&g);
        device_close(&d);
    }
}

Test(generator, no_omega_means_unit_weights)
{
    static const char *const text[] = {"cheb:2", "mlp:6,4", "split:5", "paper"};
    double lambda[DRAWS];
    float omega[DRAWS * BLOCKS];
    some_draws(lambda, omega);
    for (int i = 0; i < DRAWS * BLOCKS; i++)
        omega[i] = 1.0f;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        device d = device_open();
        generator g = drawing_generator(&d, text[i], 0, DRAWS);
        float *with = theta_at(&d, &g, DRAWS, lambda, omega);
        float *without = theta_at(&d, &g, DRAWS, lambda, NULL);
        cr_expect_eq(memcmp(with, without, sizeof(float) * DRAWS * 26), 0, "%s", text[i]);
        generator_close(&g);
        device_close(&d);
    }
}

Test(generator, too_many_features_leave_nothing_open)
{
    device d = device_open();
    am_error err = {0};
    generator_spec spec = spec_of("3-2", ACT_TANH, LOSS_SQUARED, "split:1000", OMEGA_DIRICHLET, 40);
    generator g;
    cr_expect_eq(generator_open(&g, d.be, &spec, 1, &err), AM_ERR_USAGE);
    cr_expect_not_null(strstr(err.message, "features split:1000"), "%s", err.message);
    generator_close(&g);
    device_close(&d);
}
