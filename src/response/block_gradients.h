/* block_gradients — what every block of observations pulls at: g_b = (1/n) Σ_{i∈b} ∇ℓ_i(θ), for
 * several networks θ at once, and sums of them. */
#ifndef AM_BLOCK_GRADIENTS_H
#define AM_BLOCK_GRADIENTS_H

#include "response/row_pass.h"

/* The rows in the order of their blocks. */
typedef struct {
    backend *be;
    row_pass pass;         /* of N networks */
    int64_t blocks;        /* K */
    int64_t *begin;        /* (K+1) block b is order[begin[b] .. begin[b+1]) */
    dev_u32 *order;        /* (n) */
    int64_t chunk;         /* most blocks at once */
    dev_f32 *raw;          /* (N, chunk, P) */
    int64_t sums;          /* V */
    const dev_f32 *mixing; /* (V, K): what is summed */
    dev_f32 *centring;     /* (K, K) I − 11ᵀ/K, or NULL */
} block_gradients;

/* V = K sums, centred over the blocks: g_b − ḡ, so that weights of mean 1 need no other part. */
am_status block_gradients_open(block_gradients *b, backend *be, const target *t, int networks,
                               const device_rows *rows, int64_t blocks, am_error *err);
/* Σ_b mixing_vb g_b; mixing (V,K) is the caller's. */
am_status block_gradients_open_sums(block_gradients *b, backend *be, const target *t, int networks,
                                    const device_rows *rows, int64_t blocks, int64_t sums,
                                    const dev_f32 *mixing, am_error *err);
void block_gradients_close(block_gradients *b); /* safe on a zeroed one */

/* The sums (N,V,P) at θ (N,P). */
void block_gradients_compute(block_gradients *b, dev_f32 *theta, dev_f32 *g);

#endif
