/* Gradients of the whole criterion in head and feature network, through both plans and every
 * feature family: held against central differences of the reference in double, whose value the
 * criterion must match too. */
#include "support/reference.h"
#include "support/scene.h"

#include <criterion/criterion.h>
#include <math.h>

/* L of draw m. */
static double criterion(const scene *s, const reference *r, int m)
{
    double c[AM_MAX_FEATURES], theta[512];
    int groups = s->g.groups.count;
    const float *omega = s->omega != NULL ? s->omega + m * s->k->blocks : NULL;
    reference_features(r, s->u + m * groups, omega, c);
    reference_theta(r, c, theta);
    return reference_criterion(&s->g.spec.target, theta, &s->p, s->lambda + m * groups, groups,
                               omega);
}

/* d/dε of the mean criterion, with `parameter` moved by ε in `direction`: central differences. */
static double slope(const scene *s, const reference *r, double *parameter, const float *direction,
                    int64_t count)
{
    const double h = 1e-6;
    double value[2] = {0.0, 0.0};
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < count; i++)
            parameter[i] += (side == 0 ? h : -2.0 * h) * (double)direction[i];
        for (int m = 0; m < s->k->draws; m++)
            value[side] += criterion(s, r, m) / s->k->draws;
    }
    for (int64_t i = 0; i < count; i++)
        parameter[i] += h * (double)direction[i];
    return (value[0] - value[1]) / (2.0 * h);
}

/* Two directions: the gradient's own with noise mixed in, and noise alone. */
static void check_slope(scene *s, const reference *r, double *parameter, const float *gradient,
                        int64_t count, const char *what)
{
    double *wanted = to_doubles(&s->d, gradient, count);
    double length = sqrt(dot(gradient, wanted, count));
    for (uint64_t seed = 0; seed < 2; seed++) {
        float *direction = random_floats(&s->d, count, 60 + seed);
        for (int64_t i = 0; i < count; i++)
            direction[i] += seed == 0 ? gradient[i] / (float)(length + 1e-6) : 0.0f;
        double got = dot(direction, wanted, count);
        double want = slope(s, r, parameter, direction, count);
        cr_expect(fabs(got - want) <= 2e-5 * length + 1e-8,
                  "%s, %s, G %d, ω %d, act %d, loss %d: d%s is %.9g, differences give %.9g",
                  s->k->target, s->k->features, s->g.groups.count, (int)s->k->weights,
                  (int)s->k->act, (int)s->k->loss, what, got, want);
    }
}

/* dc of the last draw, some of its columns: c moved by ±h. */
static void check_dc(scene *s, const reference *r, const float *dc)
{
    double c[AM_MAX_FEATURES], theta[512], value[2];
    const double h = 1e-6;
    int groups = s->g.groups.count, r1 = s->g.f.features, m = s->k->draws - 1;
    const float *omega = s->omega != NULL ? s->omega + m * s->k->blocks : NULL;
    double length = sqrt(dot(dc + m * r1, to_doubles(&s->d, dc + m * r1, r1), r1));
    for (int k = 0; k < r1; k += 1 + r1 / 8) {
        reference_features(r, s->u + m * groups, omega, c);
        for (int side = 0; side < 2; side++) {
            c[k] += side == 0 ? h : -2.0 * h;
            reference_theta(r, c, theta);
            value[side] = reference_criterion(&s->g.spec.target, theta, &s->p,
                                              s->lambda + m * groups, groups, omega);
        }
        double want = (value[0] - value[1]) / (2.0 * h) / s->k->draws;
        cr_expect(fabs((double)dc[m * r1 + k] - want) <= 1e-5 * length + 1e-8,
                  "%s, %s: dc[%d] is %.9g, differences give %.9g", s->k->target, s->k->features, k,
                  (double)dc[m * r1 + k], want);
    }
}

static void check_setting(const setting *k)
{
    scene s;
    scene_open(&s, k);
    int64_t head = (int64_t)s.g.f.features * s.g.spec.target.params;
    reference r = reference_of(&s.d, &s.g);
    plan_result plans[] = {run_plan(&s, PLAN_DIRECT), run_plan(&s, PLAN_FACTORED)};
    for (int i = 0; i < 2; i++) {
        for (int m = 0; m < k->draws; m++) {
            double want = criterion(&s, &r, m);
            cr_expect(fabs(plans[i].loss[m] - want) <= 2e-6 * want, "%s, %s: L %.9g, expected %.9g",
                      k->target, k->features, plans[i].loss[m], want);
        }
        check_dc(&s, &r, plans[i].dc);
        check_slope(&s, &r, r.head, plans[i].head, head, "Θ");
        if (s.g.phi != NULL)
            check_slope(&s, &r, r.phi, plans[i].phi, s.g.phi_size, "φ");
    }
    scene_close(&s);
}

/* ---- every family ---------------------------------------------------------------------------- */

/* Targets of 1, 2 and 3 layers × both losses × both activations × λ scalar or per layer × with or
 * without ω; five draws share eleven rows. */
static void check_family(const char *text)
{
    static const char *const targets[] = {"4-3", "4-6-3", "4-6-5-3"};
    for (int i = 0; i < 48; i++) {
        setting k = {.target = targets[i % 3],
                     .features = text,
                     .loss = i / 3 % 2 ? LOSS_SQUARED : LOSS_CROSS_ENTROPY,
                     .per_layer = i / 6 % 2,
                     .weights = i / 12 % 2 ? OMEGA_DIRICHLET : OMEGA_ONES,
                     .act = i / 24 % 2 ? ACT_TANH : ACT_RELU,
                     .blocks = 4,
                     .draws = 5,
                     .rows = 11};
        check_setting(&k);
    }
}

Test(gradients, of_the_polynomial_family)
{
    check_family("poly:2");
}

Test(gradients, of_the_chebyshev_family)
{
    check_family("cheb:3");
}

Test(gradients, of_the_network_family)
{
    check_family("mlp:7,5");
}

Test(gradients, of_the_split_family)
{
    check_family("split:6,4");
}

Test(gradients, of_the_papers_family)
{
    static const setting cases[] = {
        {"4-6-3", "paper", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_DIRICHLET, false, 16, 0, 4, 9},
        {"4-6-3", "paper", ACT_TANH, LOSS_SQUARED, OMEGA_ONES, true, 16, 0, 4, 9},
        {"4-3", "paper", ACT_TANH, LOSS_CROSS_ENTROPY, OMEGA_DIRICHLET, false, 16, 0, 4, 9},
        {"4-6-5-3", "paper", ACT_RELU, LOSS_SQUARED, OMEGA_DIRICHLET, true, 16, 0, 4, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_setting(&cases[i]);
}

Test(gradients, through_an_embedding_of_the_weights)
{
    static const setting cases[] = {
        {"4-6-3", "poly:2", ACT_TANH, LOSS_SQUARED, OMEGA_DIRICHLET, false, 30, 6, 5, 30},
        {"4-6-3", "mlp:7,5", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_DIRICHLET, true, 30, 6, 5, 30},
        {"4-3", "split:6,4", ACT_TANH, LOSS_SQUARED, OMEGA_DIRICHLET, false, 30, 6, 5, 30},
        {"4-6-3", "paper", ACT_RELU, LOSS_CROSS_ENTROPY, OMEGA_DIRICHLET, false, 30, 6, 5, 30},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_setting(&cases[i]);
}
