/* mest_local — what a generator holds, and the block statistics round one of its nodes; private to
 * the generator of M-estimation. */
#ifndef AM_CLASSIC_MEST_LOCAL_H
#define AM_CLASSIC_MEST_LOCAL_H

#include "classic/batch.h"
#include "classic/mest_generator.h"
#include "classic/mest_quadratic.h"

struct mest_generator {
    mest_problem exact,
        drawn; /* the problem; the one that is drawn from, smoothed where it must be */
    int blocks, nodes, threads;
    const uint32_t *block;         /* (n) */
    double *lambda;                /* (nodes) */
    bool *ready;                   /* (nodes) centre has been found, where it is not node */
    double *node, *centre;         /* (q × nodes) minimisers of exact and drawn at ω = 1 */
    mest_certificate *certificate; /* (nodes), of node */
    /* the expansion round centre `at`; −1: none yet */
    int at, statistics; /* T = q + q(q + 1)/2: the gradient, then the Hessian as batch.h has it */
    double *sum;  /* (T × K) by block, scaled by 1/n; NULL: too large, summed for each draw */
    double *rows; /* (q × n) xᵀ */
    double *score, *curvature; /* (n) */
    bool trained;              /* they are lines fitted to pilot draws */
    double *inverse_sd;        /* (q) 1/the scale that errors are measured in */
    double *scratch;           /* (n·q + 2n), at least K */
    mest_quadratic m;
};

am_status local_open(mest_generator *g, am_error *err);
void local_close(mest_generator *g);
/* Makes the expansion round centre `node`; free when it is the one that is held, or when one serves
 * all: squared loss. */
am_status local_expand(mest_generator *g, int node, am_error *err);
/* sum, from score and curvature. */
void local_sum_blocks(mest_generator *g);
/* mest_train.c — replaces score and curvature of every row by the line that fits its scores over these
 * pilot draws (K × draws), statistical linearisation: right over the spread of the draws where the
 * tangent is right at the centre. */
am_status local_train(mest_generator *g, double lambda, int draws, const double *omega,
                      am_error *err);
/* The statistics (BATCH × T, lanes first) of at most BATCH draws ω (K × M); the other lanes are 0.
 * lanes (BATCH·K) and scratch (n·q + 2n + q²) are scratch. */
void local_statistics(const mest_generator *g, int draws, const double *omega, double *out,
                      double *lanes, double *scratch);
/* ω of the rows, from the blocks'. */
void local_row_weights(const mest_generator *g, const double *omega, double *row);

/* mest_draw.c — mest_generator_draw's work once the expansion is made, without the anchor. */
am_status draw_all(mest_generator *g, mest_effort effort, double lambda, int draws,
                   const double *omega, double *beta, mest_account *account, am_error *err);

#endif
