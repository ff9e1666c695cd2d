/* polishing — from a session's generator to polished networks, as polish and am_polish make them. */
#ifndef AM_POLISHING_H
#define AM_POLISHING_H

#include "api/session.h"
#include "tune/parity.h"

/* (λ, ω) of the networks. */
typedef struct {
    int models;     /* D */
    double *lambda; /* (D, G), owned like ω */
    float *omega;   /* (D, K), or NULL for ω = 1 */
    float *seen;    /* (D, W) what the generator is given for them, or NULL: ω */
} polish_draws;
/* draws 0: one network at λ (G) and ω = 1. Else D draws of ω by `seed`, as refit --weights-seed and
 * (with the model's own seed) sample draw them; λ is multiplied by ω₀ where the model was fitted so. Of a
 * sampled response the first of the weight vectors that it is for, whatever the seed; AM_ERR_USAGE for
 * more than there are. */
am_status polish_draws_open(const session *s, const double *lambda, int draws, uint64_t seed,
                            polish_draws *d, am_error *err);
void polish_draws_free(polish_draws *d); /* safe on a zeroed one */

/* For D networks with these λ (D,G) and ω (D,K; NULL: 1), which are borrowed. steps −1, rate 0: by
 * the rule. */
polish_request polishing_request(session *s, int models, const double *lambda, const float *omega,
                                 int64_t steps, double rate);
/* Refits as long as the generator's fit, with the recipe's step size. */
parity_refits polishing_refits(const session *s, int repeats);

#endif
