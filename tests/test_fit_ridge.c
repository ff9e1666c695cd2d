/* Training reaches known answers: a target d–1 with squared loss has its minimiser in closed form,
 * θ̂(λ, ω) = (S + λI)⁻¹s, and so has the best polynomial path through it. */
#include "support/fitting.h"
#include "support/ridge.h"

#include "data_files.h"

#include <math.h>

enum { INPUTS = 4, SIZE = INPUTS + 1, ROWS = 64 };

typedef struct {
    const char *name;
    descent_kind descent;
    plan_kind plan;
    lambda_kind nodes;
} way;

static const way ways[] = {
    {"gradient, direct", DESCENT_GRADIENT, PLAN_DIRECT, LAMBDA_STRATIFIED},
    {"gradient, factored", DESCENT_GRADIENT, PLAN_FACTORED, LAMBDA_STRATIFIED},
    {"collocation", DESCENT_COLLOCATION, PLAN_DIRECT, LAMBDA_NODES},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Full batches, so that only the draws of λ are random; the cosine ends at rate 0. */
static fit_settings settings_for(const way *w, int draws, int64_t steps, double rate)
{
    return (fit_settings){
        .descent = w->descent,
        .plan = w->plan,
        .nodes = w->nodes,
        .draws = draws,
        .rows = ROWS,
        .sets = 1,
        .steps = steps,
        .ridge = 1e-3,
        .stretch = 1.0,
        .adam = {.rate = rate,
                 .schedule = SCHEDULE_COSINE,
                 .warmup = 20,
                 .beta1 = 0.9,
                 .beta2 = 0.99,
                 .epsilon = 1e-8},
    };
}

static void fit(fitting *r, const generator_spec *spec, const fit_settings *settings)
{
    am_error err = {0};
    fitting_open_with(r, spec, settings, ROWS, 1);
    cr_assert_eq(fit_run(r->f, NULL, &err), AM_OK, "%s", err.message);
}

static generator_spec spec_for(const char *features_text, double low, double high)
{
    generator_spec spec = spec_of("4-1", ACT_RELU, LOSS_SQUARED, features_text, OMEGA_ONES, 4);
    spec.lambda_low = low;
    spec.lambda_high = high;
    return spec;
}

static void theta_at(fitting *r, double lambda, const float *omega, double *theta)
{
    am_error err = {0};
    double at[1] = {lambda};
    dev_f32 *c = device_floats(&r->d, r->g.f.features, NULL),
            *out = device_floats(&r->d, SIZE, NULL);
    cr_assert_eq(generator_features(&r->g, 1, at, omega, c, &err), AM_OK, "%s", err.message);
    generator_theta(&r->g, 1, c, out);
    float *value = read_floats(&r->d, out, SIZE);
    for (int j = 0; j < SIZE; j++)
        theta[j] = (double)value[j];
}

static double distance(const double *a, const double *b)
{
    double most = 0.0;
    for (int j = 0; j < SIZE; j++)
        most = fmax(most, fabs(a[j] - b[j]));
    return most;
}

/* Worst error of θ(λ) over the range. */
static double worst_error(fitting *r)
{
    double worst = 0.0, got[SIZE], want[SIZE];
    for (int i = 0; i <= 20; i++) {
        double lambda = r->record.spec.lambda_low *
                        pow(r->record.spec.lambda_high / r->record.spec.lambda_low, i / 20.0);
        theta_at(r, lambda, NULL, got);
        ridge_solution(&r->p, lambda, NULL, want);
        worst = fmax(worst, distance(got, want));
    }
    return worst;
}

static double lambda_of(const generator_spec *spec, double u)
{
    return spec->lambda_low * pow(spec->lambda_high / spec->lambda_low, 0.5 * (u + 1.0));
}

/* Worst error of the polynomial of degree r that interpolates θ̂ at its Chebyshev points: what
 * degree r can do, to within the factor 1 + Λ_r < 3.5 (r = 6) by which interpolation misses the
 * best. */
static double interpolation_error(const fitting *r, int degree)
{
    double node[16], value[16][SIZE], worst = 0.0;
    for (int j = 0; j <= degree; j++) {
        node[j] = cos(3.14159265358979 * (j + 0.5) / (degree + 1));
        ridge_solution(&r->p, lambda_of(&r->record.spec, node[j]), NULL, value[j]);
    }
    for (int i = 0; i <= 40; i++) {
        double u = -1.0 + i / 20.0, got[SIZE] = {0}, want[SIZE];
        for (int j = 0; j <= degree; j++) {
            double basis = 1.0;
            for (int k = 0; k <= degree; k++)
                basis *= k != j ? (u - node[k]) / (node[j] - node[k]) : 1.0;
            for (int p = 0; p < SIZE; p++)
                got[p] += basis * value[j][p];
        }
        ridge_solution(&r->p, lambda_of(&r->record.spec, u), NULL, want);
        worst = fmax(worst, distance(got, want));
    }
    return worst;
}

/* Over three decades the path moves by more than 1, and degree 6 misses it by 0.003: the fit,
 * another polynomial of degree 6 close to the path, may miss it by twice that. */
Test(fit_ridge, the_fitted_path_is_the_ridge_path_as_far_as_the_features_can_follow)
{
    for (int i = 0; i < WAYS; i++) {
        fitting r;
        generator_spec spec = spec_for("cheb:6", 1e-3, 1.0);
        fit_settings settings = settings_for(&ways[i], 16, 2000, 0.02);
        fit(&r, &spec, &settings);
        double low[SIZE], high[SIZE], error = worst_error(&r), best = interpolation_error(&r, 6);
        ridge_solution(&r.p, 1e-3, NULL, low);
        ridge_solution(&r.p, 1.0, NULL, high);
        cr_expect_gt(distance(low, high), 1.0);
        cr_expect_lt(best, 0.004);
        cr_expect_lt(error, 2.0 * best, "%s: %g, interpolation %g", ways[i].name, error, best);
        fitting_close(&r);
    }
}

/* Over a third of a decade degree 6 is exact to 1e-6, and with full batches and a rate that ends at
 * 0 nothing but the rounding of floats remains: some ten units in the last place. */
Test(fit_ridge, a_path_that_the_features_can_follow_is_reached)
{
    for (int i = 0; i < WAYS; i++) {
        fitting r;
        generator_spec spec = spec_for("cheb:6", 0.05, 0.1);
        fit_settings settings = settings_for(&ways[i], 16, 2000, 0.02);
        fit(&r, &spec, &settings);
        double error = worst_error(&r), best = interpolation_error(&r, 6);
        cr_expect_lt(best, 1e-6);
        cr_expect_lt(error, best + 1e-6, "%s: %g", ways[i].name, error);
        fitting_close(&r);
    }
}

/* λ ≤ 1e-7 changes nothing that a float can hold: every θ(λ) is the least-squares solution. */
Test(fit_ridge, without_a_penalty_least_squares_is_reached)
{
    for (int i = 0; i < WAYS; i++) {
        fitting r;
        generator_spec spec = spec_for("cheb:3", 1e-9, 1e-7);
        fit_settings settings = settings_for(&ways[i], 8, 2000, 0.02);
        fit(&r, &spec, &settings);
        double want[SIZE], got[SIZE];
        ridge_solution(&r.p, 0.0, NULL, want);
        for (int k = 0; k <= 4; k++) {
            theta_at(&r, 1e-9 * pow(100.0, k / 4.0), NULL, got);
            cr_expect_lt(distance(got, want), 2e-6, "%s: %g", ways[i].name, distance(got, want));
        }
        fitting_close(&r);
    }
}

/* ---- the linear generator -------------------------------------------------------------------- */

/* (Θ_0, Θ_1) that minimises E L(Θ_0 + uΘ_1; λ(u)): the criterion is quadratic in them, with
 *   Σ_b E[u^{a+b}(S + λ(u)I)] Θ_b = E[u^a] s,   a = 0, 1.
 * u is uniform (stratified draws), or the cosine of a uniform angle (nodes). */
static void best_line(const fitting *r, lambda_kind nodes, double *theta)
{
    enum { POINTS = 2000 };
    double s_xx[SIZE * SIZE], s_xy[SIZE], a[4 * SIZE * SIZE] = {0};
    ridge_moments(&r->p, NULL, s_xx, s_xy);
    memset(theta, 0, sizeof *theta * 2 * SIZE);
    for (int i = 0; i < POINTS; i++) {
        double t = (i + 0.5) / POINTS,
               u = nodes == LAMBDA_NODES ? cos(3.14159265358979 * t) : 2.0 * t - 1.0;
        double power[3] = {1.0, u, u * u}, lambda = lambda_of(&r->record.spec, u);
        for (int b = 0; b < 4; b++)
            for (int j = 0; j < SIZE; j++)
                for (int k = 0; k < SIZE; k++)
                    a[(b / 2 * SIZE + j) * 2 * SIZE + b % 2 * SIZE + k] +=
                        power[b / 2 + b % 2] / POINTS * (s_xx[j * SIZE + k] + (j == k) * lambda);
        for (int j = 0; j < 2 * SIZE; j++)
            theta[j] += power[j / SIZE] / POINTS * s_xy[j % SIZE];
    }
    solve(a, theta, 2 * SIZE);
}

/* A line does not follow the path: every draw keeps a gradient of its own, of size up to ½, and its
 * place within its stratum is random. 256 strata leave 256^(-3/2)·½ = 1.2e-4 of that in the mean.
 */
Test(fit_ridge, the_linear_generator_reaches_the_best_line)
{
    for (int i = 0; i < WAYS; i++) {
        if (ways[i].descent == DESCENT_COLLOCATION)
            continue; /* scales every draw's step by itself, so that its line is another */
        fitting r;
        generator_spec spec = spec_for("poly:1", 1e-3, 1.0);
        fit_settings settings = settings_for(&ways[i], 256, 1000, 0.02);
        fit(&r, &spec, &settings);
        double want[2 * SIZE];
        best_line(&r, ways[i].nodes, want);
        float *head = generator_head(&r.d, &r.g);
        for (int j = 0; j < 2 * SIZE; j++)
            cr_expect(fabs((double)head[j] - want[j]) < 1.2e-4, "%s: Θ[%d] is %g, expected %g",
                      ways[i].name, j, (double)head[j], want[j]);
        fitting_close(&r);
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Four draws of `fold` weights are the four folds, each step; with ω as columns the generator has a
 * θ of its own for each, so that all four must be the ridge solutions without their block. */
Test(fit_ridge, every_fold_gets_the_solution_without_its_block)
{
    for (int i = 0; i < WAYS; i++) {
        fitting r;
        generator_spec spec = spec_of("4-1", ACT_RELU, LOSS_SQUARED, "poly:0", OMEGA_FOLD, 4);
        spec.lambda_low = 0.02, spec.lambda_high = 0.02 * (1 + 1e-9);
        fit_settings settings = settings_for(&ways[i], 4, 3000, 0.02);
        fit(&r, &spec, &settings);
        double all[SIZE];
        ridge_solution(&r.p, 0.02, NULL, all);
        for (int fold = 0; fold < 4; fold++) {
            float omega[4];
            double got[SIZE], want[SIZE];
            for (int b = 0; b < 4; b++)
                omega[b] = b == fold ? 0.0f : 4.0f / 3.0f;
            theta_at(&r, 0.02, omega, got);
            ridge_solution(&r.p, 0.02, omega, want);
            cr_expect_gt(distance(all, want), 0.01);
            cr_expect_lt(distance(got, want), 2e-6, "%s, fold %d: %g", ways[i].name, fold,
                         distance(got, want));
        }
        fitting_close(&r);
    }
}
