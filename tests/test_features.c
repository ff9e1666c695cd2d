/* features: the families, their columns at known points, their networks, the embedding of ω. */
#include "draw/draw.h"
#include "support/reference.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static feature_spec spec_from(const char *text, bool with_omega)
{
    feature_spec spec;
    am_error err = {0};
    cr_assert_eq(feature_spec_parse(text, with_omega, &spec, &err), AM_OK, "%s", err.message);
    return spec;
}

/* ---- families -------------------------------------------------------------------------------- */

Test(features, families_are_read_from_text)
{
    feature_spec poly = spec_from("poly:0", true), cheb = spec_from("cheb:6", false);
    cr_expect(poly.basis == BASIS_POLYNOMIAL && poly.degree == 0 && poly.columns_omega);
    cr_expect(cheb.basis == BASIS_CHEBYSHEV && cheb.degree == 6 && !cheb.columns_omega);
    cr_expect(poly.layers == 0 && cheb.layers == 0 && poly.omega_scale == 1.0f);

    feature_spec mlp = spec_from("mlp:32,16,8", true), split = spec_from("split:5", true);
    cr_expect(mlp.layers == 3 && mlp.size[0] == 32 && mlp.size[1] == 16 && mlp.size[2] == 8);
    cr_expect(mlp.network_omega && !mlp.columns_omega && mlp.centre == 1.0f && !mlp.relu_output);
    cr_expect(split.layers == 1 && split.size[0] == 5 && split.columns_omega &&
              !split.network_omega && split.omega_scale == 0.1f);
    cr_expect(mlp.basis == BASIS_NONE && split.basis == BASIS_NONE && !mlp.paper_init);

    feature_spec paper = spec_from("paper", true);
    cr_expect(paper.layers == 2 && paper.size[0] == 128 && paper.size[1] == 128);
    cr_expect(paper.relu_output && paper.paper_init && paper.centre == 0.0f && paper.network_omega);
    cr_expect_str_eq(paper.text, "paper");
}

Test(features, a_text_that_is_no_family_is_a_usage_error_naming_it)
{
    static const char *const text[] = {
        "",
        "poly",
        "poly:",
        "poly:-1",
        "poly:33",
        "poly:2.5",
        "cheb:x",
        "cheb: 3",
        "mlp",
        "mlp:",
        "mlp:0",
        "mlp:8,",
        "mlp:,8",
        "mlp:8,,8",
        "mlp:8 8",
        "mlp:1024",
        "mlp:8,-3",
        "split:",
        "paper:1",
        "fourier:3",
        "mlp:8,9999999999999",
        "mlp:1,2,3,4,5,6,7",
        "cheb:2+response:0",
        "cheb:2+response:17",
        "cheb:2+response:",
        "cheb:+response:3",
        "mlp:8+response:3",
        "mlp:111111111111111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        feature_spec spec;
        am_error err = {0};
        cr_expect_eq(feature_spec_parse(text[i], true, &spec, &err), AM_ERR_USAGE, "'%s' was taken",
                     text[i]);
        cr_expect(strncmp(err.message, "features '", 10) == 0, "%s", err.message);
        cr_expect_not_null(strstr(err.message, text[i]), "%s", err.message);
    }
}

static features features_of(device *d, const feature_spec *spec, int groups, int64_t blocks,
                            int embedding, int draws)
{
    features f;
    am_error err = {0};
    cr_assert_eq(features_open(&f, d->be, spec, groups, blocks, embedding, 11, draws, &err), AM_OK,
                 "%s", err.message);
    return f;
}

/* u = ½ between the nodes −1, 0, 1; ω = (3, 0): columns ℓ_j(u)·(ω_b − 1), and zeros at ω = 1. */
Test(features, a_response_is_omega_at_nodes_in_u)
{
    device d = device_open();
    am_error err = {0};
    feature_spec spec = spec_from("cheb:1+response:3", true), blind;
    cr_expect_eq(feature_spec_parse("cheb:1+response:3", false, &blind, &err), AM_ERR_USAGE);
    features f = features_of(&d, &spec, 1, 2, 0, 2);
    cr_assert_eq(f.features, 1 + 1 + 3 * 2);
    cr_expect_eq(features_count(&spec, 1, 2, 0), 8);
    dev_f32 *c = device_floats(&d, 16, NULL);
    features_forward(&f, 2, NULL, device_floats(&d, 2, (float[]){0.5f, 0.5f}),
                     device_floats(&d, 4, (float[]){3, 0, 1, 1}), c);
    static const double want[16] = {1, 0.5, -0.25, 0.125, 1.5, -0.75, 0.75, -0.375, /* */
                                    1, 0.5, 0,     0,     0,   0,     0,    0};
    const float *got = read_floats(&d, c, 16);
    for (int i = 0; i < 16; i++)
        cr_expect_float_eq((double)got[i], want[i], 1e-7, "column %d: %g", i, (double)got[i]);
    features_close(&f);
    cr_expect_eq(features_open(&f, d.be, &spec, 2, 2, 0, 1, 1, &err), AM_ERR_USAGE);
    cr_expect_not_null(strstr(err.message, "one λ in all"), "%s", err.message);
    cr_expect_eq(features_open(&f, d.be, &spec, 1, 300, 0, 1, 1, &err), AM_ERR_USAGE);
    cr_expect(feature_node(4, 0) == -1.0 && feature_node(4, 3) == 1.0);
    cr_expect_float_eq(feature_node(4, 1), -0.5, 1e-15);
    device_close(&d);
}

/* C(G+d, d) − 1 monomials of degree 1..d in G variables. */
Test(features, terms_are_all_multi_indices_up_to_the_degree)
{
    static const int shape[][3] = {{1, 0, 0},  {1, 1, 1},  {1, 6, 6},    {2, 3, 9},   {3, 2, 9},
                                   {3, 4, 34}, {5, 3, 55}, {2, 32, 560}, {15, 2, 135}};
    device d = device_open();
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        int groups = shape[i][0], degree = shape[i][1];
        feature_spec spec = spec_from("cheb:0", false);
        spec.degree = degree;
        features f = features_of(&d, &spec, groups, 1, 0, 1);
        cr_expect_eq(f.terms, shape[i][2], "G %d d %d: %d terms", groups, degree, f.terms);
        cr_expect_eq(f.features, 1 + f.terms);
        for (int t = 0; t < f.terms; t++) {
            int total = 0;
            for (int g = 0; g < groups; g++) {
                cr_expect_geq(f.degree_host[t * groups + g], 0);
                total += f.degree_host[t * groups + g];
            }
            cr_expect(total >= 1 && total <= degree);
            for (int s = 0; s < t; s++)
                cr_expect_neq(memcmp(f.degree_host + t * groups, f.degree_host + s * groups,
                                     sizeof(int32_t) * (size_t)groups),
                              0, "terms %d, %d", s, t);
        }
        features_close(&f);
    }
    device_close(&d);
}

Test(features, terms_go_by_degree_then_from_the_first_variable_on)
{
    static const int32_t two[] = {1, 0, 0, 1, 2, 0, 1, 1, 0, 2};
    static const int32_t three[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0, 1, 1,
                                    0, 1, 0, 1, 0, 2, 0, 0, 1, 1, 0, 0, 2};
    device d = device_open();
    feature_spec spec = spec_from("poly:2", false);
    features f = features_of(&d, &spec, 2, 1, 0, 1), g = features_of(&d, &spec, 3, 1, 0, 1);
    cr_expect(f.terms == 5 && memcmp(f.degree_host, two, sizeof two) == 0);
    cr_expect(g.terms == 9 && memcmp(g.degree_host, three, sizeof three) == 0);
    features_close(&f);
    features_close(&g);
    device_close(&d);
}

Test(features, more_features_than_fit_are_a_usage_error)
{
    device d = device_open();
    feature_spec spec = spec_from("poly:32", false), omega = spec_from("mlp:1023", true);
    features f;
    am_error err = {0};
    cr_expect_eq(features_open(&f, d.be, &spec, 15, 1, 0, 1, 1, &err), AM_ERR_USAGE);
    cr_expect_not_null(strstr(err.message, "features poly:32: more than 1024 features"), "%s",
                       err.message);
    features_close(&f);
    cr_expect_eq(features_open(&f, d.be, &omega, 1, 5, 0, 1, 1, &err), AM_OK);
    cr_expect_eq(f.features, 1024);
    features_close(&f);
    omega = spec_from("split:1023", true); /* its columns of ω come on top */
    cr_expect_eq(features_open(&f, d.be, &omega, 1, 5, 0, 1, 1, &err), AM_ERR_USAGE);
    features_close(&f);
    device_close(&d);
}

/* ---- columns at known points ----------------------------------------------------------------- */

static void expect_columns(device *d, features *f, int draws, const float *u, const float *omega,
                           const float *want)
{
    dev_f32 *c = device_floats(d, (int64_t)draws * f->features, NULL);
    dev_f32 *w = omega != NULL ? device_floats(d, draws * f->blocks, omega) : NULL;
    features_forward(f, draws, NULL, device_floats(d, (int64_t)draws * f->groups, u), w, c);
    expect_floats(d, c, (int64_t)draws * f->features, want, 1e-7);
}

Test(features, polynomials_at_known_points)
{
    device d = device_open();
    feature_spec spec = spec_from("cheb:6", false);
    features cheb = features_of(&d, &spec, 1, 1, 0, 4);
    static const float at[] = {0.5f, -1, 1, 0};
    static const float want[] = {1, 0.5f, -0.5f, -1, -0.5f, 0.5f, 1, 1, -1, 1,  -1, 1, -1, 1,
                                 1, 1,    1,     1,  1,     1,    1, 1, 0,  -1, 0,  1, 0,  -1};
    expect_columns(&d, &cheb, 4, at, NULL, want);
    features_close(&cheb);
    spec = spec_from("poly:3", false);
    features poly = features_of(&d, &spec, 1, 1, 0, 2);
    expect_columns(&d, &poly, 2, (float[]){-0.5f, 1}, NULL,
                   (float[]){1, -0.5f, 0.25f, -0.125f, 1, 1, 1, 1});
    features_close(&poly);
    spec = spec_from("cheb:2", false); /* u, v, T2(u), uv, T2(v) */
    features two = features_of(&d, &spec, 2, 1, 0, 1);
    expect_columns(&d, &two, 1, (float[]){0.5f, -0.25f}, NULL,
                   (float[]){1, 0.5f, -0.25f, -0.5f, -0.125f, -0.875f});
    features_close(&two);
    device_close(&d);
}

Test(features, weights_enter_a_polynomial_family_linearly)
{
    device d = device_open();
    feature_spec spec = spec_from("poly:1", true);
    features f = features_of(&d, &spec, 1, 3, 0, 2);
    cr_expect_eq(f.features, 5);
    cr_expect(features_use_omega(&f));
    expect_columns(&d, &f, 2, (float[]){0.5f, -1}, (float[]){1, 1, 1, 0, 2.5f, 0.5f},
                   (float[]){1, 0.5f, 0, 0, 0, 1, -1, -1, 1.5f, -0.5f});
    features_close(&f);
    spec = spec_from("poly:1", false); /* the same family, but ω does not enter */
    f = features_of(&d, &spec, 1, 3, 0, 2);
    cr_expect(f.features == 2 && !features_use_omega(&f));
    features_close(&f);
    device_close(&d);
}

/* ---- every family against the reference ------------------------------------------------------ */

typedef struct {
    const char *features;
    int layers; /* of the target: the number of λ with a λ per layer */
    bool per_layer;
    omega_kind weights;
    int blocks, embedding, columns; /* columns: R */
} family_case;

static const family_case families[] = {
    {"poly:3", 1, false, OMEGA_ONES, 5, 0, 4},
    {"poly:2", 2, true, OMEGA_DIRICHLET, 5, 0, 11},
    {"cheb:6", 1, false, OMEGA_DIRICHLET, 7, 0, 14},
    {"cheb:3", 3, true, OMEGA_ONES, 5, 0, 20},
    {"cheb:2", 1, false, OMEGA_FOLD, 40, 6, 9},
    {"mlp:9", 2, true, OMEGA_DIRICHLET, 5, 0, 10},
    {"mlp:12,7,5", 1, false, OMEGA_ONES, 5, 0, 6},
    {"mlp:6,4", 1, false, OMEGA_DIRICHLET, 33, 8, 5},
    {"split:8,4", 2, true, OMEGA_DIRICHLET, 5, 0, 10},
    {"split:4", 1, false, OMEGA_FOLD, 300, 0, 261},
    {"paper", 1, false, OMEGA_DIRICHLET, 16, 0, 129},
    {"paper", 3, true, OMEGA_ONES, 16, 0, 129},
};
enum { FAMILIES = sizeof families / sizeof *families };

static generator family_generator(device *d, const family_case *k, int draws)
{
    static const char *const target_text[] = {"", "2-1", "2-2-1", "2-2-2-1"};
    generator_spec spec =
        spec_of(target_text[k->layers], ACT_TANH, LOSS_SQUARED, k->features, k->weights, k->blocks);
    spec.per_layer = k->per_layer;
    spec.embedding = k->embedding;
    generator g = generator_of(d, &spec, draws);
    generator_fill(d, &g, 5, 0.5f);
    return g;
}

/* ω (draws, K) with mean near 1. */
static float *some_omega(device *d, int64_t count, uint64_t seed)
{
    float *omega = host_floats(d, count);
    for (int64_t i = 0; i < count; i++)
        omega[i] = (float)random_at(seed, (uint32_t)i, 0.0, 2.0);
    return omega;
}

enum { DRAWS = 6 };

Test(features, every_family_agrees_with_the_reference)
{
    for (int i = 0; i < FAMILIES; i++) {
        device d = device_open();
        const family_case *k = &families[i];
        generator g = family_generator(&d, k, DRAWS + 2); /* capacity beyond need */
        int groups = g.groups.count, r1 = g.f.features;
        float *u = random_floats(&d, DRAWS * groups, 21), *omega = NULL;
        if (k->weights != OMEGA_ONES)
            omega = some_omega(&d, (int64_t)DRAWS * k->blocks, 22);
        cr_expect_eq(r1, k->columns, "%s: %d columns", k->features, r1);
        cr_expect_eq(features_count(&g.spec.features, groups, k->blocks, k->embedding), r1);
        dev_f32 *c = device_floats(&d, DRAWS * r1, NULL);
        dev_f32 *w = omega ? device_floats(&d, (int64_t)DRAWS * k->blocks, omega) : NULL;
        features_forward(&g.f, DRAWS, g.phi, device_floats(&d, DRAWS * groups, u), w, c);
        reference r = reference_of(&d, &g);
        double *want = host_doubles(&d, DRAWS * r1), *ud = to_doubles(&d, u, DRAWS * groups);
        for (int m = 0; m < DRAWS; m++)
            reference_features(&r, ud + m * groups, omega ? omega + m * k->blocks : NULL,
                               want + m * r1);
        expect_close(&d, c, DRAWS * r1, want, 1e-6);
        generator_close(&g);
        device_close(&d);
    }
}

/* du of a random dc, by central differences of the reference in double. */
Test(features, the_gradient_in_u_agrees_with_differences)
{
    for (int i = 0; i < FAMILIES; i++) {
        device d = device_open();
        generator g = family_generator(&d, &families[i], 1);
        int groups = g.groups.count, r1 = g.f.features;
        const float *u = random_floats(&d, groups, 31), *weight = random_floats(&d, r1, 32);
        dev_f32 *ud = device_floats(&d, groups, u), *c = device_floats(&d, r1, NULL);
        dev_f32 *dc = device_floats(&d, r1, weight),
                *dphi = device_floats(&d, g.phi_size + 1, NULL);
        dev_f32 *ones = NULL;
        if (features_use_omega(&g.f)) {
            float *omega = host_floats(&d, families[i].blocks);
            for (int b = 0; b < families[i].blocks; b++)
                omega[b] = 1.0f;
            ones = device_floats(&d, families[i].blocks, omega);
        }
        features_forward(&g.f, 1, g.phi, ud, ones, c);
        features_backward(&g.f, 1, g.phi, c, dc, dphi);
        double du[AM_MAX_GROUPS], high[1024], low[1024], at[AM_MAX_GROUPS];
        am_error err = {0};
        cr_assert_eq(features_input_gradient(&g.f, 1, ud, dc, du, &err), AM_OK, "%s", err.message);
        reference r = reference_of(&d, &g);
        for (int j = 0; j < groups; j++) {
            const double h = 1e-6;
            double want = 0.0, size = 0.0;
            for (int q = 0; q < groups; q++)
                at[q] = (double)u[q];
            at[j] += h;
            reference_features(&r, at, NULL, high);
            at[j] -= 2.0 * h;
            reference_features(&r, at, NULL, low);
            for (int q = 0; q < r1; q++) {
                double slope = (high[q] - low[q]) / (2.0 * h);
                want += (double)weight[q] * slope;
                size += fabs((double)weight[q] * slope);
            }
            cr_expect(fabs(du[j] - want) <= 1e-5 * (size + 1e-3), "%s: du[%d] %g, expected %g",
                      families[i].features, j, du[j], want);
        }
        generator_close(&g);
        device_close(&d);
    }
}

/* ---- initial features ------------------------------------------------------------------------ */

Test(features, the_network_starts_within_one_over_the_root_of_fan_in)
{
    device d = device_open();
    feature_spec spec = spec_from("mlp:40,9", true);
    features f = features_of(&d, &spec, 2, 14, 0, 1); /* 16 → 40 → 9 */
    float *a = host_floats(&d, f.params), *b = host_floats(&d, f.params);
    float largest[2] = {0};
    cr_assert_eq(f.params, 17 * 40 + 41 * 9);
    features_init(&f, 5, a);
    features_init(&f, 5, b);
    cr_expect_eq(memcmp(a, b, sizeof *a * (size_t)f.params), 0);
    for (int64_t i = 0; i < f.params; i++)
        largest[i >= 680] = fmaxf(largest[i >= 680], fabsf(a[i]));
    cr_expect(largest[0] <= 0.25f && largest[0] > 0.24f);
    cr_expect((double)largest[1] <= 1.0 / sqrt(40.0) && (double)largest[1] > 0.95 / sqrt(40.0));
    for (uint32_t i = 0; i < 8; i++) { /* counters 1: apart from the target's initial weights */
        double u = uniform_open(philox(5, STREAM_INIT, 1, 0, i).x[0]);
        cr_expect_eq(a[i], (float)(0.25 * (2.0 * u - 1.0)));
    }
    features_init(&f, 6, b);
    for (int64_t i = 0; i < f.params; i++)
        cr_expect_neq(a[i], b[i]);
    features_close(&f);
    device_close(&d);
}
