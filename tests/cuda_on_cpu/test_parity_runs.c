/* Parity of whole runs: a fit, refits and a curve, on the CPU backend and on the one under test. */
#include "support/fitting.h"
#include "tune/tune.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The backend under test is what device_open opens; the CPU for the time being. */
static void on_cpu(bool cpu)
{
    static char *chosen;
    if (cpu) {
        const char *name = getenv("AMORTUNE_TEST_DEVICE");
        chosen = name != NULL ? strdup(name) : NULL;
        setenv("AMORTUNE_TEST_DEVICE", "cpu", 1);
    } else if (chosen != NULL) {
        setenv("AMORTUNE_TEST_DEVICE", chosen, 1);
        free(chosen);
    } else {
        unsetenv("AMORTUNE_TEST_DEVICE");
    }
}

/* ---- fit ---- */

enum { STEPS = 6 };

typedef struct {
    double loss;
    int64_t step;
} last_report;

static void keep_report(void *context, const train_progress *p)
{
    *(last_report *)context = (last_report){p->loss, p->step};
}

/* Mean loss of the first `steps` steps, and the parameters after them. */
static double fit_for(fitting *r, const recipe *k, int64_t steps)
{
    am_error err = {0};
    last_report report = {0};
    train_hooks hooks = {.context = &report, .progress = keep_report};
    fitting_open(r, k, steps, 1);
    cr_assert_eq(fit_run(r->f, &hooks, &err), AM_OK, "%s", err.message);
    cr_assert_eq(report.step, steps);
    return report.loss;
}

Test(parity, fits_go_the_same_way)
{
    for (int i = 0; i < recipe_count; i++)
        for (int64_t steps = 1; steps <= STEPS; steps += STEPS - 1) {
            fitting cpu, other;
            size_t size = 0;
            if ((recipes[i].mode != MODE_CRITERION || recipes[i].coarse) && steps < STEPS)
                continue; /* their rounds and stages take more steps */
            on_cpu(true);
            double want = fit_for(&cpu, &recipes[i], steps);
            on_cpu(false);
            double got = fit_for(&other, &recipes[i], steps);
            cr_expect(fabs(got - want) <= 1e-5 * want, "%s, %d steps: loss %.9g, %.9g on the CPU",
                      recipes[i].name, (int)steps, got, want);
            const float *a = (const float *)fitting_params(&other, &size);
            const float *b = (const float *)fitting_params(&cpu, &size);
            int64_t n = (int64_t)(size / sizeof(float));
            /* a thousand more steps, of the features' regression, carry rounding further */
            bool learns = recipes[i].mode == MODE_SUPERVISED && cpu.g.phi != NULL;
            cr_expect_leq(normalised_error(a, to_doubles(&cpu.d, b, n), n), learns ? 1e-2 : 1e-5,
                          "%s", recipes[i].name);
            fitting_close(&cpu), fitting_close(&other);
        }
}

/* ---- refits ---- */

enum { MODELS = 5, BLOCKS = 4, PARAMS = 6 * 5 + 5 + 5 * 3 + 3 };

static void refit_on(device *d, float *theta)
{
    am_error err = {0};
    target t;
    double lambda[MODELS];
    float omega[MODELS * BLOCKS];
    cr_assert_eq(target_parse("6-5-3", ACT_RELU, LOSS_CROSS_ENTROPY, &t, &err), AM_OK);
    problem p = problem_open(d, LOSS_CROSS_ENTROPY, 40, 6, 3, BLOCKS, 81);
    for (int m = 0; m < MODELS; m++)
        lambda[m] = pow(10.0, random_at(82, (uint32_t)m, -4.0, -1.0));
    for (int i = 0; i < MODELS * BLOCKS; i++)
        omega[i] = (float)random_at(83, (uint32_t)i, 0.0, 2.0);
    refit_request request = {.t = &t,
                             .models = MODELS,
                             .lambda = lambda,
                             .omega = omega,
                             .blocks = BLOCKS,
                             .seed = 4,
                             .separate = true,
                             .rows = 8,
                             .steps = STEPS,
                             .adam = {.rate = 0.02,
                                      .schedule = SCHEDULE_COSINE,
                                      .warmup = 3,
                                      .beta1 = 0.9,
                                      .beta2 = 0.99,
                                      .epsilon = 1e-8}};
    dev_f32 *out = NULL;
    cr_assert_eq(refit_run(d->be, &request, &p.data, NULL, &out, &err), AM_OK, "%s", err.message);
    cr_assert_eq(d->op->download(d->be, theta, out, sizeof(float) * MODELS * PARAMS, &err), AM_OK);
    d->op->release(d->be, out);
    problem_close(&p);
}

Test(parity, refits_go_the_same_way)
{
    float want[MODELS * PARAMS], got[MODELS * PARAMS];
    device cpu = device_open_named("cpu", 1), other = device_open();
    refit_on(&cpu, want);
    refit_on(&other, got);
    cr_expect_leq(normalised_error(got, to_doubles(&cpu, want, MODELS * PARAMS), MODELS * PARAMS),
                  1e-5);
    device_close(&cpu), device_close(&other);
}

/* ---- curve ---- */

enum { POINTS = 7, DRAWS = 3, VALIDATION = 257 };

static void curve_on(device *d, tuning_curve *curve)
{
    am_error err = {0};
    generator_spec spec =
        spec_of("6-5-3", ACT_RELU, LOSS_CROSS_ENTROPY, "split:5,3", OMEGA_DIRICHLET, BLOCKS);
    problem p = problem_open(d, LOSS_CROSS_ENTROPY, VALIDATION, 6, 3, BLOCKS, 91);
    generator g = generator_of(d, &spec, DRAWS);
    generator_fill(d, &g, 92, 0.5F);
    cr_assert_eq(curve_compute(&g, &p.data, POINTS, DRAWS, curve, &err), AM_OK, "%s", err.message);
    generator_close(&g);
    problem_close(&p);
}

static void expect_same_metrics(const metrics *got, const metrics *want)
{
    cr_expect(fabs(got->nll - want->nll) <= 1e-6 * want->nll, "NLL %.9g, %.9g on the CPU", got->nll,
              want->nll);
    cr_expect(fabs(got->nll_se - want->nll_se) <= 1e-5 * want->nll_se);
    cr_expect(fabs(got->brier - want->brier) <= 1e-6 * want->brier);
    cr_expect_eq(got->accuracy, want->accuracy);
}

Test(parity, curves_are_the_same)
{
    tuning_curve want = {0}, got = {0};
    device cpu = device_open_named("cpu", 1), other = device_open();
    curve_on(&cpu, &want);
    curve_on(&other, &got);
    cr_assert_eq(memcmp(got.lambda, want.lambda, sizeof(double) * POINTS), 0);
    for (int i = 0; i < POINTS; i++) {
        expect_same_metrics(&got.at[i], &want.at[i]);
        for (int k = 0; k < DRAWS; k++)
            expect_same_metrics(&got.draw[i * DRAWS + k], &want.draw[i * DRAWS + k]);
    }
    curve_free(&want), curve_free(&got);
    device_close(&cpu), device_close(&other);
}
