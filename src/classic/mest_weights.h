/* mest_weights — draws of the block weights ω, mean 1 over the blocks, in double. */
#ifndef AM_CLASSIC_MEST_WEIGHTS_H
#define AM_CLASSIC_MEST_WEIGHTS_H

#include "base/base.h"

typedef enum {
    MEST_DIRICHLET,   /* K·Dirichlet(α, …, α): the Bayesian bootstrap */
    MEST_EXPONENTIAL, /* −ln u: the weighted Bayesian bootstrap */
    MEST_MULTINOMIAL, /* the bootstrap of blocks */
    MEST_HALVES       /* 2 on a random half of the blocks, 0 on the other; draws 2k and 2k + 1 are
                         complementary (Shah and Samworth 2013); an odd block out goes with the first */
} mest_weight_kind;

/* ω (K × M) of draws first, first + 1, …; numbers of different `step` are independent. */
void mest_weights_draw(mest_weight_kind kind, double alpha, uint64_t seed, uint32_t step, int first,
                       int draws, int blocks, double *omega);
/* ω′ (K × M): draws of weights round given ones ω (K), mean ω_b and variance about ω_b — what a draw is
 * to the data, such a draw is to the draw: K·Dirichlet(α·ω) and Gamma(ω_b) in place of the Dirichlet and
 * the exponential, K trials with probabilities ω_b/K in place of the multinomial. Scaled to mean 1. */
void mest_weights_inner(mest_weight_kind kind, double alpha, uint64_t seed, uint32_t step,
                        int draws, int blocks, const double *omega, double *out);
/* ω (K × K): draw k leaves block k out, K/(K − 1) elsewhere. */
void mest_weights_folds(int blocks, double *omega);

#endif
