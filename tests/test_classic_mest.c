/* the generator of weighted M-estimation against exact refits. */
#include "support/estimation.h"

#include "classic/mest_generator.h"
#include "classic/mest_weights.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { K = 40 };

/* ---- generator ----------------------------------------------------------------------------------- */

enum { ROWS = 200, Q = 6, DRAWS = 300 };
static const double shares[4][2] = {{0, 0}, {0, 1}, {1, 0}, {0.5, 0.5}};

typedef struct {
    simulation s;
    uint32_t block[ROWS];
    mest_generator *g;
    double omega[K * DRAWS], drawn[Q * DRAWS], refit[Q * DRAWS];
    mest_account account;
} bench;

static bench *open_bench(classic_loss_kind kind, int penalty, double lambda, int threads)
{
    bench *b = calloc(1, sizeof *b);
    am_error err = {0};
    simulate(&b->s, kind, ROWS, Q, shares[penalty][0], shares[penalty][1], 29);
    for (uint32_t i = 0; i < ROWS; i++)
        b->block[i] = i * K / ROWS;
    const mest_generator_request request = {.problem = &b->s.p,
                                            .blocks = K,
                                            .block = b->block,
                                            .nodes = 1,
                                            .lambda = &lambda,
                                            .threads = threads};
    cr_assert_eq(mest_generator_new(&request, &b->g, &err), AM_OK, "%s", err.message);
    mest_weights_draw(MEST_DIRICHLET, 1, 31, 0, 0, DRAWS, K, b->omega);
    return b;
}

static void close_bench(bench *b)
{
    mest_generator_free(b->g);
    free(b);
}

static void draw(bench *b, mest_effort effort, double lambda, int draws, double *beta)
{
    am_error err = {0};
    cr_assert_eq(
        mest_generator_draw(b->g, effort, lambda, draws, b->omega, beta, &b->account, &err), AM_OK,
        "%s", err.message);
}

/* Root mean square of the difference, in standard deviations of the refits; over all columns. */
static double distance(const bench *b)
{
    double sum = 0;
    int counted = 0;
    for (int j = 0; j < Q; j++) {
        double mean = 0, variance = 0, square = 0;
        for (int m = 0; m < DRAWS; m++)
            mean += b->refit[m * Q + j] / DRAWS;
        for (int m = 0; m < DRAWS; m++) {
            double d = b->drawn[m * Q + j] - b->refit[m * Q + j];
            variance += pow(b->refit[m * Q + j] - mean, 2) / DRAWS;
            square += d * d / DRAWS;
        }
        if (variance > 0) {
            sum += square / variance;
            counted++;
        }
    }
    return sqrt(sum / counted);
}

Test(classic_mest, generator_is_exact_for_squared_loss)
{
    for (int penalty = 0; penalty < 4; penalty++) {
        double lambda = penalty == 0 ? 0 : 0.2;
        bench *b = open_bench(CLASSIC_SQUARED, penalty, lambda, 1);
        draw(b, MEST_GENERATE, lambda, DRAWS, b->drawn);
        cr_expect(b->account.refits == 0 && b->account.draws == DRAWS);
        draw(b, MEST_REFIT, lambda, DRAWS, b->refit);
        for (int i = 0; i < Q * DRAWS; i++)
            cr_expect_float_eq(b->drawn[i], b->refit[i], 1e-9);
        close_bench(b);
    }
}

Test(classic_mest, generator_of_smooth_losses_is_within_its_error)
{
    static const classic_loss_kind kinds[] = {CLASSIC_LOGISTIC, CLASSIC_HUBER, CLASSIC_STUDENT};
    for (int k = 0; k < 3; k++)
        for (int penalty = 0; penalty < 4; penalty++) {
            double lambda = penalty == 0 ? 0 : 0.02;
            bench *b = open_bench(kinds[k], penalty, lambda, 1);
            draw(b, MEST_GENERATE, lambda, DRAWS, b->drawn);
            draw(b, MEST_REFIT, lambda, DRAWS, b->refit);
            cr_expect_eq(b->account.failed, 0);
            cr_expect_leq(distance(b), MEST_ERROR, "%s, penalty %d: %g",
                          classic_loss_names[kinds[k]], penalty, distance(b));
            close_bench(b);
        }
}

/* The smoothed loss is another loss: its draws follow the exact ones at a distance. */
Test(classic_mest, generator_of_piecewise_losses_follows_the_refits)
{
    static const classic_loss_kind kinds[] = {CLASSIC_LAD, CLASSIC_QUANTILE, CLASSIC_HINGE};
    for (int k = 0; k < 3; k++) {
        bench *b = open_bench(kinds[k], 1, 0.02, 1);
        draw(b, MEST_GENERATE, 0.02, DRAWS, b->drawn);
        draw(b, MEST_REFIT, 0.02, DRAWS, b->refit);
        cr_expect_leq(distance(b), 0.5, "%s: %g", classic_loss_names[kinds[k]], distance(b));
        close_bench(b);
    }
}

/* ω = 1 gives the exact fit, whatever the loss: the smoothed ones by their anchor. */
Test(classic_mest, generator_at_ones_is_the_node)
{
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++) {
        bench *b = open_bench((classic_loss_kind)kind, 1, 0.05, 1);
        mest_certificate c;
        const double *node = mest_generator_node(b->g, 0, &c);
        for (int i = 0; i < K * 20; i++)
            b->omega[i] = 1;
        draw(b, MEST_GENERATE, 0.05, 20, b->drawn);
        cr_expect(c.converged);
        for (int i = 0; i < Q * 20; i++)
            cr_expect_float_eq(b->drawn[i], node[i % Q], 1e-7, "%s", classic_loss_names[kind]);
        close_bench(b);
    }
}

/* A fold mask is the fit to the other rows. */
Test(classic_mest, fold_masks_leave_rows_out)
{
    bench *b = open_bench(CLASSIC_LOGISTIC, 2, 0.02, 1);
    double folds[K * K];
    mest_weights_folds(K, folds);
    memcpy(b->omega, folds, sizeof folds);
    draw(b, MEST_GENERATE, 0.02, K, b->drawn);
    draw(b, MEST_REFIT, 0.02, K, b->refit);
    for (int i = 0; i < Q * K; i++)
        cr_expect_float_eq(b->drawn[i], b->refit[i], 2e-3);
    close_bench(b);
}

Test(classic_mest, results_do_not_depend_on_the_threads)
{
    bench *one = open_bench(CLASSIC_LOGISTIC, 1, 0.01, 1);
    bench *three = open_bench(CLASSIC_LOGISTIC, 1, 0.01, 3);
    draw(one, MEST_GENERATE, 0.01, DRAWS, one->drawn);
    draw(three, MEST_GENERATE, 0.01, DRAWS, three->drawn);
    cr_expect_arr_eq(one->drawn, three->drawn, sizeof one->drawn);
    close_bench(one);
    close_bench(three);
}

/* Hopeless weights: two blocks hold everything. The draws are still finite. */
Test(classic_mest, extreme_weights_give_finite_draws)
{
    for (int kind = 0; kind < CLASSIC_LOSSES; kind++)
        for (int effort = MEST_GENERATE; effort <= MEST_REFIT; effort++) {
            bench *b = open_bench((classic_loss_kind)kind, 0, 0, 1);
            memset(b->omega, 0, sizeof b->omega);
            for (int m = 0; m < 32; m++)
                b->omega[m * K + m % K] = K;
            draw(b, (mest_effort)effort, 0, 32, b->drawn);
            for (int i = 0; i < Q * 32; i++)
                cr_expect(isfinite(b->drawn[i]), "%s", classic_loss_names[kind]);
            close_bench(b);
        }
}

/* dβ/dω_b against the difference of two exact fits. */
Test(classic_mest, influence_is_the_derivative)
{
    static const classic_loss_kind kinds[] = {CLASSIC_SQUARED, CLASSIC_LOGISTIC, CLASSIC_STUDENT};
    for (int k = 0; k < 3; k++)
        for (int penalty = 0; penalty < 3; penalty++) {
            double lambda = penalty == 0 ? 0 : 0.02, u[Q * K], row[ROWS], beta[2][Q], mean[Q] = {0};
            bench *b = open_bench(kinds[k], penalty, lambda, 1);
            am_error err = {0};
            mest_certificate c;
            cr_assert_eq(mest_generator_influence(b->g, lambda, u, &err), AM_OK);
            mest_solver *solver = mest_solver_new(&b->s.p, &err);
            double difference[Q * K];
            for (int block = 0; block < K; block++) {
                for (int side = 0; side < 2; side++) {
                    for (int i = 0; i < ROWS; i++)
                        row[i] = b->block[i] == (uint32_t)block ? (side ? 1 + 1e-4 : 1 - 1e-4) : 1;
                    memcpy(beta[side], mest_generator_node(b->g, 0, NULL), sizeof beta[side]);
                    cr_assert_eq(mest_solve(solver, row, lambda, beta[side], &c, &err), AM_OK);
                }
                for (int j = 0; j < Q; j++) {
                    difference[block * Q + j] = (beta[1][j] - beta[0][j]) / 2e-4;
                    mean[j] += difference[block * Q + j] / K;
                }
            }
            for (int i = 0; i < Q * K; i++)
                cr_expect_float_eq(u[i], difference[i] - mean[i % Q], 2e-5, "%s, penalty %d",
                                   classic_loss_names[kinds[k]], penalty);
            mest_solver_free(solver);
            close_bench(b);
        }
}
