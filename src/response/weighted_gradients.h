/* weighted_gradients — what weights that deviate from 1 add to the gradient of the loss, in V directions
 * at once, for several networks: by themselves the K blocks of observations, g_b − ḡ; or S drawn weight
 * vectors ω^s, whatever K is,
 *     g_s = Σ_b (ω_sb − ω̄_s) g_b,   g_b = (1/n) Σ_{i∈b} ∇ℓ_i.
 * Deviations are from the vector's own mean, as the blocks' gradients are from theirs: the scale of all
 * weights together is no direction.
 *
 * ω^s is a function of the generator's seed, the kind of weights and K; row s does not depend on S. The
 * S·K numbers are held while the response is computed, and drawn again where they are needed after. */
#ifndef AM_WEIGHTED_GRADIENTS_H
#define AM_WEIGHTED_GRADIENTS_H

#include "response/block_gradients.h"
#include "response/row_gradients.h"

/* What is drawn. */
typedef struct {
    omega_kind kind;
    double alpha;   /* dirichlet's concentration */
    uint64_t seed;  /* the generator's */
    int64_t blocks; /* K */
} weight_source;

/* ω^s (S,K), s = 0..S−1, on the device. */
am_status weights_drawn(backend *be, const weight_source *from, int draws, dev_f32 *omega,
                        am_error *err);

/* One of the two ways is open; with `blocks`, over draws or not. */
typedef struct {
    backend *be;
    weight_source from;
    int draws;          /* S */
    bool by_rows;       /* a block has few rows: sums go over these */
    bool drawn;         /* deviation is filled */
    dev_f32 *deviation; /* (S, K) ω^s − ω̄_s, or NULL */
    block_gradients blocks;
    row_gradients rows;
} weighted_gradients;

/* draws: S, or 0 for the blocks by themselves. */
am_status weighted_gradients_open(weighted_gradients *w, backend *be, const target *t, int networks,
                                  const device_rows *rows, const weight_source *from, int draws,
                                  am_error *err);
void weighted_gradients_close(weighted_gradients *w); /* safe on a zeroed one */

/* g (N,V,P) at θ (N,P). */
am_status weighted_gradients_compute(weighted_gradients *w, dev_f32 *theta, dev_f32 *g,
                                     am_error *err);

#endif
