/* A generator whose response was sampled: what its posterior draws are, and that an audit is under the
 * weights that it answers to. */
#include "response/weighted_gradients.h"
#include "support/must.h"
#include "support/response_scene.h"
#include "support/ridge.h"
#include "tune/audit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- posterior draws ----------------------------------------------------------------------------- */

/* Of a generator with S = 3 draws of weights for 7 blocks. */
typedef struct {
    device d;
    generator g;
} carrier;

static carrier carrier_open(void)
{
    carrier c = {.d = device_open()};
    generator_spec spec =
        spec_of("4-3", ACT_TANH, LOSS_CROSS_ENTROPY, "cheb:1+response:2", OMEGA_DIRICHLET, 7);
    spec.sampled = 3;
    c.g = generator_of(&c.d, &spec, 4);
    generator_fill(&c.d, &c.g, 13, 0.6f);
    return c;
}

static void carrier_close(carrier *c)
{
    generator_close(&c->g);
    device_close(&c->d);
}

static float *seen_by(carrier *c, int draws, uint64_t seed)
{
    am_error err = {0};
    float *seen, *omega0;
    must(posterior_seen(&c->g, draws, seed, &seen, &omega0, &err), &err);
    for (int i = 0; i < draws; i++)
        cr_expect_eq(omega0[i], 1.0f);
    free(omega0);
    return seen;
}

Test(sampled_draws, draws_are_the_drawn_vectors_and_then_mixtures)
{
    enum { DRAWS = 6, S = 3 };
    carrier c = carrier_open();
    float *seen = seen_by(&c, DRAWS, 5), *other = seen_by(&c, DRAWS, 6);
    float *again = seen_by(&c, DRAWS, 5);
    cr_expect_eq(memcmp(seen, again, sizeof *seen * DRAWS * S), 0);
    for (int i = 0; i < S * S; i++) {
        cr_expect_eq(seen[i], i / S == i % S ? 2.0f : 1.0f);
        cr_expect_eq(seen[i], other[i]);
    }
    for (int d = S; d < DRAWS; d++) {
        double squares = 0.0, different = 0.0;
        for (int i = d * S; i < (d + 1) * S; i++) {
            squares += ((double)seen[i] - 1.0) * ((double)seen[i] - 1.0);
            different += fabs((double)seen[i] - (double)other[i]);
        }
        cr_expect_float_eq(squares, 1.0, 1e-6);
        cr_expect_gt(different, 1e-3);
    }
    free(seen), free(other), free(again);
    carrier_close(&c);
}

/* E z = 0, E zzᵀ = I/S: round ω = 1 they scatter as the S vectors do. */
Test(sampled_draws, mixtures_have_the_moments_of_the_vectors)
{
    enum { DRAWS = 8000, S = 3 };
    carrier c = carrier_open();
    float *seen = seen_by(&c, DRAWS, 5);
    double mean[S] = {0}, square[S][S] = {{0}};
    for (int d = S; d < DRAWS; d++)
        for (int i = 0; i < S; i++) {
            mean[i] += ((double)seen[d * S + i] - 1.0) / (DRAWS - S);
            for (int j = 0; j < S; j++)
                square[i][j] +=
                    ((double)seen[d * S + i] - 1.0) * ((double)seen[d * S + j] - 1.0) / (DRAWS - S);
        }
    for (int i = 0; i < S; i++) { /* four standard errors of 1/√(3·8000), below 1/√(15·8000) */
        cr_expect_float_eq(mean[i], 0.0, 0.026);
        for (int j = 0; j < S; j++)
            cr_expect_float_eq(square[i][j], i == j ? 1.0 / S : 0.0, 0.014);
    }
    free(seen);
    carrier_close(&c);
}

Test(sampled_draws, draws_stand_for_weights_of_the_observations)
{
    enum { DRAWS = 5, S = 3, BLOCKS = 7 };
    carrier c = carrier_open();
    am_error err = {0};
    float *seen = seen_by(&c, DRAWS, 5), *omega;
    const float *vector = drawn_weights(&c.d, &c.g.spec, S);
    must(posterior_behind(&c.g, DRAWS, seen, &omega, &err), &err);
    cr_expect_eq(memcmp(omega, vector, sizeof *omega * S * BLOCKS), 0, "not the vectors' bits");
    for (int d = S; d < DRAWS; d++)
        for (int b = 0; b < BLOCKS; b++) {
            double want = 1.0;
            for (int s = 0; s < S; s++)
                want += ((double)seen[d * S + s] - 1.0) * ((double)vector[s * BLOCKS + b] - 1.0);
            cr_expect_float_eq((double)omega[d * BLOCKS + b], want, 1e-6);
        }
    free(seen), free(omega);
    carrier_close(&c);
}

/* ---- the audit ------------------------------------------------------------------------------------ */

enum { ROWS = 48, INPUTS = 3, PARAMS = INPUTS + 1, AUDITED = 8 };
static const double LOW = 2e-3, HIGH = 3e-3;

typedef struct {
    device d;
    problem train, held_out;
    generator g;
    refit_cache cache;
    posterior_request sample;
    audit_request request;
    audit_result r;
    double lambda[2];
} audited;

/* A ridge regression with a weight for every row; the nodes of the response are the ends of the range,
 * where the audit looks. */
static void audited_open(audited *s)
{
    *s = (audited){.d = device_open_threads(1), .lambda = {LOW, HIGH}};
    s->train = problem_open(&s->d, LOSS_SQUARED, ROWS, INPUTS, 1, ROWS, 21);
    s->held_out = problem_open(&s->d, LOSS_SQUARED, 40, INPUTS, 1, 1, 22);
    for (int i = 0; i < ROWS; i++) /* small weights, within reach */
        s->train.rows.target[i] *= 0.2f;
    problem_upload(&s->d, &s->train);
    generator_spec spec =
        spec_of("3-1", ACT_RELU, LOSS_SQUARED, "poly:1+response:2", OMEGA_DIRICHLET, ROWS);
    spec.lambda_low = LOW;
    spec.lambda_high = HIGH;
    spec.sampled = AUDITED;
    s->g = generator_of(&s->d, &spec, 8);
    s->cache = (refit_cache){.data = "", .precision = "fp32"};
    s->sample = (posterior_request){.g = &s->g,
                                    .train = &s->train.data,
                                    .blocks = ROWS,
                                    .weights = OMEGA_DIRICHLET,
                                    .alpha = 1.0,
                                    .rows = ROWS,
                                    .rate = 1e-3,
                                    .steps = 20};
    s->request = (audit_request){.sample = &s->sample,
                                 .validation = &s->held_out.data,
                                 .rows = ROWS,
                                 .steps = 1200,
                                 .points = 2,
                                 .repeats = 1,
                                 .draws = AUDITED,
                                 .lambdas = 2,
                                 .lambda = s->lambda,
                                 .seed = 5,
                                 .cache = &s->cache};
}

static void audited_close(audited *s)
{
    audit_free(&s->r);
    problem_close(&s->train);
    problem_close(&s->held_out);
    generator_close(&s->g);
    device_close(&s->d);
}

/* Fills Θ so that g at the ends of the range is exact under vector s + shift for draw s. */
static void make_exact(audited *s, int shift)
{
    enum { FEATURES = 2 + 2 * AUDITED };
    const float *omega = drawn_weights(&s->d, &s->g.spec, AUDITED);
    float head[FEATURES * PARAMS];
    double one[2][PARAMS], theta[PARAMS];
    cr_assert_eq(s->g.f.features, FEATURES);
    for (int end = 0; end < 2; end++)
        ridge_solution(&s->train, s->lambda[end], NULL, one[end]);
    for (int j = 0; j < PARAMS; j++) { /* g(1, λ), linear in u */
        head[j] = (float)(0.5 * (one[1][j] + one[0][j]));
        head[PARAMS + j] = (float)(0.5 * (one[1][j] - one[0][j]));
    }
    for (int i = 0; i < 2 * AUDITED; i++) {
        int end = i / AUDITED, draw = (i % AUDITED + shift) % AUDITED;
        ridge_solution(&s->train, s->lambda[end], omega + (ptrdiff_t)draw * ROWS, theta);
        for (int j = 0; j < PARAMS; j++)
            head[(2 + i) * PARAMS + j] = (float)(theta[j] - one[end][j]);
    }
    generator_set_head(&s->g, head);
}

Test(sampled_draws, an_exact_generator_passes_its_audit)
{
    audited s;
    am_error err = {0};
    audited_open(&s);
    make_exact(&s, 0);
    must(audit_run(&s.request, &s.r, &err), &err);
    cr_expect(s.r.from_generator);
    for (int i = 0; i < 2; i++) {
        const fidelity *f = &s.r.at[i].f;
        cr_expect(f->reproducible.value > 0.999, "full batches leave no noise: %g",
                  f->reproducible.value);
        cr_expect_float_eq(f->spread.value, 1.0, 0.02, "%g", f->spread.value);
        cr_expect_float_eq(f->captured.value, 1.0, 0.01, "%g", f->captured.value);
        cr_expect(f->fidelity.value > 0.9999, "%g", f->fidelity.value);
    }
    audited_close(&s);
}

/* The right answers to the wrong vectors. */
Test(sampled_draws, an_audit_is_under_the_generators_own_vectors)
{
    audited s;
    am_error err = {0};
    audited_open(&s);
    make_exact(&s, 1);
    must(audit_run(&s.request, &s.r, &err), &err);
    for (int i = 0; i < 2; i++)
        cr_expect(s.r.at[i].f.fidelity.value < 0.5, "%g", s.r.at[i].f.fidelity.value);
    audit_free(&s.r);
    s.request.draws = AUDITED + 1;
    refused(audit_run(&s.request, &s.r, &err), &err, "answers to 8 drawn weight vectors");
    audited_close(&s);
}
