/* polish — a few steps along the true gradient of L, from g(ω, λ) to networks that need no generator
 * any more: what remains of the generator's error at one (ω, λ) is trained away there. */
#ifndef AM_POLISH_H
#define AM_POLISH_H

#include "train/train.h"

/* D draws, each with its own (ω, λ), of E networks, polished as one batch on the same minibatches, so
 * that the noise of these is no difference between the draws. */
typedef struct {
    generator *g;
    int networks;         /* E: the generator's first; 0: all it has */
    int models;           /* D */
    const double *lambda; /* (D, G) */
    const float *omega;   /* (D, K), or NULL for ω = 1 */
    /* (D, W) what the generator is given for ω, or NULL: ω itself. A generator that does not see ω, or
     * answers to drawn weight vectors and is not told which, starts at g(1, λ). */
    const float *seen;
    int64_t blocks; /* K */
    uint64_t seed;  /* of the minibatches */
    int rows;       /* of a minibatch: polish_rows() */
    int64_t steps;  /* 0: the networks as the generator gives them */
    optimiser adam; /* polish_optimiser() */
} polish_request;

/* The rule. A generator is fitted to the mean over many minibatches and has less noise in it than the
 * steps of a single network: polish is limited by the noise of its gradients, not by their number. So
 * its minibatches are eight times those of a refit, cut so that the steps make whole passes over the n
 * training rows, which cancels most of what the rows differ in; and what it hands out is the mean of
 * the iterates of its second half at a constant step size (Polyak and Juditsky 1992), which is nearer
 * to the minimum than the end of a falling one. Chosen by bench/polish. */
/* A twentieth of the steps of a refit, at least 1. */
int64_t polish_steps(int64_t refit);
/* Rows of a minibatch so that `steps` of them are whole passes, at least one, each about 8·B rows; at
 * most n. batch: B of a refit. */
int polish_rows(int64_t steps, int batch, int64_t n);
/* Adam at a constant step size after a warm-up of a fifth. rate 0: by the rule. */
optimiser polish_optimiser(int64_t steps, double rate);

/* E of the request. */
int polish_networks(const polish_request *request);
/* θ (E,D,P) = g(ω, λ) on the host: where the steps begin. */
am_status polish_start(const polish_request *request, float *theta, am_error *err);
/* The polished θ (E,D,P) in fresh device memory for the caller to release. train: rows, with the
 * block map where ω is given. */
am_status polish_run(const polish_request *request, const device_rows *train,
                     const train_hooks *hooks, dev_f32 **theta, am_error *err);

#endif
