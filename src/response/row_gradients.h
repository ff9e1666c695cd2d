/* row_gradients — sums of the rows' gradients under several weight vectors, for several networks θ at
 * once: g_s = (1/n) Σ_i w_si ∇ℓ_i(θ). A tile of rows goes forward once; the loss's derivative, times the
 * weights, goes backward once for every s: 2·(S + 1)·n·P multiply-adds a network. */
#ifndef AM_ROW_GRADIENTS_H
#define AM_ROW_GRADIENTS_H

#include "response/row_pass.h"

typedef struct {
    backend *be;
    row_pass pass;            /* of N networks */
    int64_t blocks;           /* K */
    int sums;                 /* S */
    const dev_f32 *of_blocks; /* (S, K) weights; the caller's */
    dev_f32 *weight;          /* (S, tile) those of a tile's rows, */
    dev_f32 *shared;          /* (S, N, tile) the same for every network */
    dev_f32 *ones;            /* (N) */
} row_gradients;

/* w_si = weight_sb of i's block b; weight (S,K). */
am_status row_gradients_open(row_gradients *r, backend *be, const target *t, int networks,
                             const device_rows *rows, int64_t blocks, int sums,
                             const dev_f32 *weight, am_error *err);
void row_gradients_close(row_gradients *r); /* safe on a zeroed one */

/* The sums (N,S,P) at θ (N,P). */
void row_gradients_compute(row_gradients *r, dev_f32 *theta, dev_f32 *g);

#endif
