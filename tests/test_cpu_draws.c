/* draw_lambda and draw_omega of the CPU backend: moments, strata, nodes, replay, extremes. */
#include "backend/backend.h"
#include "draw/draw.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static backend *open_cpu(int threads)
{
    am_error err = {0};
    backend *be = NULL;
    cr_assert_eq(backend_open(&be, "cpu", threads, &err), AM_OK, "%s", err.message);
    return be;
}

static float *floats(int64_t count)
{
    float *memory = calloc((size_t)count, sizeof *memory);
    cr_assert_not_null(memory);
    return memory;
}

/* ω of one step into omega (M, K) on a backend of its own */
static void omega_at(int threads, draw_omega_args a, uint64_t step, float *omega)
{
    backend *be = open_cpu(threads);
    a.step = (const dev_u64 *)&step;
    a.omega = (dev_f32 *)omega;
    be->op->draw_omega(be, &a);
    cr_assert_eq(be->failure.status, AM_OK, "%s", be->failure.message);
    backend_close(be);
}

/* ---- moments --------------------------------------------------------------------------------- */

enum { K = 16, M = 50, STEPS = 200 };

/* Mean 1 and the given variance, over 160 000 weights; every sum over blocks as told (0: free). */
static void expect_moments(draw_omega_args a, double variance, double block_sum)
{
    static float omega[M * K];
    double sum = 0.0, squares = 0.0, count = (double)M * K * STEPS;
    a.draws = M;
    a.blocks = K;
    for (uint64_t step = 0; step < STEPS; step++) {
        omega_at(1, a, step, omega);
        for (int m = 0; m < M; m++) {
            double row = 0.0;
            for (int b = 0; b < K; b++) {
                double w = omega[m * K + b];
                cr_assert(w >= 0.0 && isfinite(w));
                row += w;
                squares += (w - 1.0) * (w - 1.0);
            }
            sum += row;
            if (block_sum > 0.0)
                cr_assert_float_eq(row, block_sum, 1e-5);
        }
    }
    cr_expect_float_eq(sum / count, 1.0, 4.0 * sqrt(variance / count) + 1e-7, "kind %d: mean %g",
                       (int)a.kind, sum / count);
    /* Var (w−1)² < 20·variance² for every law here: 8 exponential, 13 when one block has all. */
    cr_expect_float_eq(squares / count, variance, 4.0 * variance * sqrt(20.0 / count),
                       "kind %d: variance %g, not %g", (int)a.kind, squares / count, variance);
}

Test(cpu_draws, moments_of_ones)
{
    expect_moments((draw_omega_args){.kind = OMEGA_ONES, .seed = 1}, 0.0, K);
}

/* Var ω_b = (K−1)/(αK+1) */
Test(cpu_draws, moments_of_dirichlet)
{
    const double alpha[] = {DIRICHLET_ALPHA_MIN, 0.5, 1.0, 4.0, 1000.0};
    for (int i = 0; i < 5; i++)
        expect_moments((draw_omega_args){.kind = OMEGA_DIRICHLET, .seed = 2, .alpha = alpha[i]},
                       (K - 1.0) / (alpha[i] * K + 1.0), K);
}

Test(cpu_draws, moments_of_exponential)
{
    expect_moments((draw_omega_args){.kind = OMEGA_EXPONENTIAL, .seed = 3}, 1.0, 0.0);
}

/* Var ω_b = 1 − 1/K */
Test(cpu_draws, moments_of_multinomial)
{
    expect_moments((draw_omega_args){.kind = OMEGA_MULTINOMIAL, .seed = 4}, 1.0 - 1.0 / K, K);
}

/* (1/K)·1 + (1 − 1/K)·(1/(K−1))² = 1/(K−1) */
Test(cpu_draws, moments_of_folds)
{
    expect_moments((draw_omega_args){.kind = OMEGA_FOLD, .seed = 5}, 1.0 / (K - 1.0), K);
}

/* ---- values and extremes --------------------------------------------------------------------- */

/* ω_b = K·g_b/Σg with g = −ln u straight from Philox; K = 600 runs over the 256 lanes. */
Test(cpu_draws, dirichlet_is_normalised_exponentials)
{
    const int size[2] = {3, 600};
    for (int k = 0; k < 2; k++) {
        int blocks = size[k];
        float omega[2 * 600];
        omega_at(
            1,
            (draw_omega_args){
                .kind = OMEGA_DIRICHLET, .seed = 9, .alpha = 1.0, .draws = 2, .blocks = blocks},
            7, omega);
        for (uint32_t m = 0; m < 2; m++) {
            double g[600], sum = 0.0;
            for (int b = 0; b < blocks; b++) {
                g[b] = -log((philox(9, STREAM_OMEGA, 7, m, (uint32_t)b).x[0] + 0.5) * 0x1p-32);
                sum += g[b];
            }
            for (int b = 0; b < blocks; b++) {
                double want = blocks * g[b] / sum;
                cr_assert_float_eq(omega[m * (uint32_t)blocks + (uint32_t)b], want, 1e-7 * want);
            }
        }
    }
}

Test(cpu_draws, one_block)
{
    const omega_kind kind[] = {OMEGA_ONES, OMEGA_DIRICHLET, OMEGA_MULTINOMIAL};
    for (int k = 0; k < 3; k++) {
        float omega[4] = {0};
        omega_at(1, (draw_omega_args){.kind = kind[k], .alpha = 0.05, .draws = 4, .blocks = 1}, 3,
                 omega);
        for (int m = 0; m < 4; m++)
            cr_assert(omega[m] == 1.0f);
    }
}

/* As many blocks as observations: right sums, and the same bits for any number of threads. */
Test(cpu_draws, many_blocks_and_threads)
{
    const int64_t blocks = 100003;
    const draw_omega_args args[] = {
        {.kind = OMEGA_DIRICHLET, .seed = 6, .alpha = 1.0, .draws = 5, .blocks = blocks},
        {.kind = OMEGA_DIRICHLET, .seed = 6, .alpha = 0.5, .draws = 5, .blocks = blocks},
        {.kind = OMEGA_EXPONENTIAL, .seed = 6, .draws = 5, .blocks = blocks},
        {.kind = OMEGA_MULTINOMIAL, .seed = 6, .draws = 5, .blocks = blocks},
        {.kind = OMEGA_FOLD, .seed = 6, .draws = 5, .blocks = blocks}};
    float *one = floats(5 * blocks), *many = floats(5 * blocks);
    for (int k = 0; k < 5; k++) {
        omega_at(1, args[k], 2, one);
        omega_at(3, args[k], 2, many);
        cr_assert_arr_eq(one, many, 5 * (size_t)blocks * sizeof *one);
        for (int m = 0; m < 5; m++) {
            double sum = 0.0;
            for (int64_t b = 0; b < blocks; b++)
                sum += one[m * blocks + b];
            /* exponential: sd 1/√K = 0.0032; the others sum to K but for rounding */
            double tolerance = args[k].kind == OMEGA_EXPONENTIAL ? 0.0127 : 1e-6;
            cr_assert_float_eq(sum / (double)blocks, 1.0, tolerance, "case %d", k);
        }
    }
    free(one);
    free(many);
}

/* ---- replay ---------------------------------------------------------------------------------- */

Test(cpu_draws, omega_replays_and_every_counter_matters)
{
    draw_omega_args a = {.kind = OMEGA_DIRICHLET, .seed = 8, .alpha = 2.0, .draws = 2, .blocks = 8};
    float base[16], again[16], other[16];
    omega_at(1, a, 5, base);
    omega_at(2, a, 5, again);
    cr_assert_arr_eq(base, again, sizeof base);
    cr_assert(memcmp(base, base + 8, sizeof base / 2) != 0, "draws 0 and 1 are alike");
    omega_at(1, a, 6, other);
    for (int i = 0; i < 16; i++)
        cr_assert(base[i] != other[i], "steps 5 and 6 share weight %d", i);
    a.seed = 8 + ((uint64_t)1 << 32);
    omega_at(1, a, 5, other);
    for (int i = 0; i < 16; i++)
        cr_assert(base[i] != other[i], "the seed's high word does not count");
}

/* Draw m of M is the same draw whatever M: more draws extend, never reshuffle. */
Test(cpu_draws, omega_of_a_draw_does_not_depend_on_their_number)
{
    draw_omega_args a = {.kind = OMEGA_EXPONENTIAL, .seed = 8, .draws = 2, .blocks = 8};
    float few[16], more[40];
    omega_at(1, a, 5, few);
    a.draws = 5;
    omega_at(1, a, 5, more);
    cr_assert_arr_eq(few, more, sizeof few);
}

Test(cpu_draws, random_penalty_weight)
{
    enum { DRAWS = 10000 };
    static float omega[DRAWS], omega0[DRAWS];
    double sum = 0.0, product = 0.0;
    omega_at(1,
             (draw_omega_args){.kind = OMEGA_EXPONENTIAL,
                               .seed = 3,
                               .draws = DRAWS,
                               .blocks = 1,
                               .omega0 = (dev_f32 *)omega0},
             4, omega);
    for (int m = 0; m < DRAWS; m++) {
        sum += omega0[m];
        product += (omega0[m] - 1.0) * (omega[m] - 1.0);
    }
    cr_assert_float_eq(sum / DRAWS, 1.0, 0.04);     /* sd 0.01 */
    cr_assert_float_eq(product / DRAWS, 0.0, 0.04); /* independent of ω */
}

/* ---- refusals -------------------------------------------------------------------------------- */

Test(cpu_draws, impossible_requests_are_refused_and_change_nothing)
{
    const draw_omega_args bad[] = {
        {.kind = OMEGA_DIRICHLET, .alpha = 0.01, .draws = 1, .blocks = 4},
        {.kind = OMEGA_DIRICHLET, .alpha = 1e7, .draws = 1, .blocks = 4},
        {.kind = OMEGA_DIRICHLET, .alpha = (double)NAN, .draws = 1, .blocks = 4},
        {.kind = OMEGA_FOLD, .draws = 1, .blocks = 1},
        {.kind = OMEGA_ONES, .draws = 1, .blocks = 0},
        {.kind = OMEGA_ONES, .draws = 0, .blocks = 4}};
    uint64_t step = 0;
    for (unsigned k = 0; k < sizeof bad / sizeof *bad; k++) {
        backend *be = open_cpu(1);
        float omega[4] = {-1, -1, -1, -1}, untouched[4] = {-1, -1, -1, -1};
        draw_omega_args a = bad[k];
        a.step = (const dev_u64 *)&step;
        a.omega = (dev_f32 *)omega;
        be->op->draw_omega(be, &a);
        cr_expect_eq(be->failure.status, AM_ERR_USAGE, "case %u", k);
        cr_expect_not_null(strstr(be->failure.message, "draw_omega"), "%s", be->failure.message);
        a.kind = OMEGA_ONES; /* a good one after the failure is ignored */
        a.draws = 1;
        a.blocks = 4;
        be->op->draw_omega(be, &a);
        cr_expect_arr_eq(omega, untouched, sizeof omega);
        backend_close(be);
    }
}

/* ---- λ --------------------------------------------------------------------------------------- */

/* λ and u (M, G) of one step, G = 2: λ in 10⁻⁵..10⁻¹ and in e⁻²..e² */
static void lambda_at(lambda_kind kind, uint64_t step, int draws, float *lambda, float *u)
{
    backend *be = open_cpu(1);
    draw_lambda_args a = {.kind = kind,
                          .sets = 1,
                          .stretch = 1.0,
                          .seed = 21,
                          .draws = draws,
                          .groups = 2,
                          .axis = {{log(1e-5), log(1e-1), 0.0}, {-2.0, 2.0, 0.0}},
                          .step = (const dev_u64 *)&step,
                          .lambda = (dev_f32 *)lambda,
                          .u = (dev_f32 *)u};
    be->op->draw_lambda(be, &a);
    cr_assert_eq(be->failure.status, AM_OK, "%s", be->failure.message);
    backend_close(be);
}

Test(cpu_draws, one_lambda_in_every_stratum)
{
    float lambda[2 * 100], u[2 * 100];
    const int size[] = {1, 2, 7, 10, 64, 100};
    int moved = 0;
    for (int k = 0; k < 6; k++) {
        int draws = size[k];
        for (uint64_t step = 0; step < 20; step++) {
            int hits[2][100] = {{0}};
            lambda_at(LAMBDA_STRATIFIED, step, draws, lambda, u);
            for (int m = 0; m < draws; m++) {
                int stratum[2];
                for (int g = 0; g < 2; g++) {
                    stratum[g] = (int)((u[2 * m + g] + 1.0) * 0.5 * draws);
                    cr_assert(stratum[g] >= 0 && stratum[g] < draws);
                    hits[g][stratum[g]]++;
                }
                moved += stratum[0] != stratum[1];
            }
            for (int m = 0; m < draws; m++)
                cr_assert(hits[0][m] == 1 && hits[1][m] == 1, "M = %d, stratum %d", draws, m);
        }
    }
    /* Groups have orders of their own: of 3680 draws about one in M agrees. */
    cr_assert_gt(moved, 3300, "%d", moved);
}

Test(cpu_draws, lambda_follows_from_u)
{
    float lambda[20], u[20];
    for (int kind = LAMBDA_STRATIFIED; kind <= LAMBDA_NODES; kind++) {
        lambda_at((lambda_kind)kind, 3, 10, lambda, u);
        for (int m = 0; m < 10; m++) {
            double first = 1e-3 * pow(100.0, u[2 * m]), second = exp(2.0 * u[2 * m + 1]);
            cr_assert_float_eq(lambda[2 * m], first, 1e-6 * first);
            cr_assert_float_eq(lambda[2 * m + 1], second, 1e-6 * second);
        }
    }
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Sorted, u_j = cos(π(j+φ)/M) with one φ for all; another φ for the other group and step. */
Test(cpu_draws, nodes_are_shifted_chebyshev_nodes)
{
    const double pi = acos(-1.0);
    float lambda[20], u[20];
    double phi[2][2];
    for (uint64_t step = 0; step < 2; step++) {
        lambda_at(LAMBDA_NODES, step, 10, lambda, u);
        for (int g = 0; g < 2; g++) {
            double node[10];
            for (int m = 0; m < 10; m++)
                node[m] = u[2 * m + g];
            qsort(node, 10, sizeof *node, descending);
            phi[step][g] = acos(node[5]) * 10.0 / pi - 5.0;
            cr_assert(phi[step][g] > 0.0 && phi[step][g] < 1.0);
            for (int j = 0; j < 10; j++)
                cr_assert_float_eq(node[j], cos(pi * (j + phi[step][g]) / 10.0), 2e-7);
        }
        cr_assert_gt(fabs(phi[step][0] - phi[step][1]), 1e-3);
    }
    cr_assert_gt(fabs(phi[0][0] - phi[1][0]), 1e-3);
}

/* In the first group draw m keeps the node (m mod M/S)·S + ⌊m/(M/S)⌋, stretched over the ends. */
Test(cpu_draws, nodes_of_the_first_group_keep_their_places_and_alternate_between_sets)
{
    const double pi = acos(-1.0), stretch = 1.25;
    float lambda[6], u[6];
    backend *be = open_cpu(1);
    for (uint64_t step = 0; step < 20; step++) {
        draw_lambda_args a = {.kind = LAMBDA_NODES,
                              .sets = 2,
                              .stretch = stretch,
                              .seed = 3,
                              .draws = 6,
                              .groups = 1,
                              .axis = {{-2.0, 2.0, 0.0}},
                              .step = (const dev_u64 *)&step,
                              .lambda = (dev_f32 *)lambda,
                              .u = (dev_f32 *)u};
        be->op->draw_lambda(be, &a);
        cr_assert_eq(be->failure.status, AM_OK, "%s", be->failure.message);
        double t2 = acos((double)u[1]) / pi; /* node 2, inside: gives φ */
        double phi = ((t2 - 0.5) / stretch + 0.5) * 6.0 - 2.0;
        static const int node[6] = {0, 2, 4, 1, 3, 5};
        cr_assert(phi > -1e-6 && phi < 1.0 + 1e-6, "phi %g", phi);
        for (int m = 0; m < 6; m++) {
            double t = 0.5 + stretch * ((node[m] + phi) / 6.0 - 0.5);
            double expected = cos(pi * fmin(fmax(t, 0.0), 1.0));
            cr_assert_float_eq(u[m], expected, 1e-5, "draw %d", m);
        }
    }
    backend_close(be);
}

/* Over the steps u of every draw is uniform on [−1, 1]; for the nodes acos(u)/π is on [0, 1], for the
 * second group, which takes them in a random order. */
Test(cpu_draws, every_draw_covers_the_range)
{
    enum { N = 5000 };
    float lambda[12], u[12];
    for (int kind = LAMBDA_STRATIFIED; kind <= LAMBDA_NODES; kind++) {
        int tenth[6][10] = {{0}};
        for (uint64_t step = 0; step < N; step++) {
            lambda_at((lambda_kind)kind, step, 6, lambda, u);
            for (int m = 0; m < 6; m++) {
                double x = kind == LAMBDA_NODES ? acos((double)u[2 * m + 1]) / acos(-1.0)
                                                : (u[2 * m] + 1.0) * 0.5;
                tenth[m][AM_MIN((int)(x * 10.0), 9)]++; /* u may round to the end */
            }
        }
        for (int m = 0; m < 6; m++) {
            double chi = 0.0;
            for (int t = 0; t < 10; t++)
                chi += (tenth[m][t] - N / 10.0) * (tenth[m][t] - N / 10.0) / (N / 10.0);
            cr_expect_lt(chi, 27.88, "draw %d: chi-square %g", m, chi); /* 9 df, p = 10⁻³ */
        }
    }
}
