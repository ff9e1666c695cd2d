/* row_pass — training rows, a tile at a time, through N networks θ: forward, then the loss's derivative
 * backward, added to gradients. What block_gradients and row_gradients sum differs, not how a row is
 * passed. */
#ifndef AM_ROW_PASS_H
#define AM_ROW_PASS_H

#include "model/device_rows.h"
#include "model/network.h"

typedef struct {
    backend *be;
    const device_rows *rows;
    int tile;    /* most rows at once */
    network net; /* N networks on the same rows */
    dev_f32 *x, *target;
    dev_i32 *label;
    dev_f64 *loss; /* (N) */
    int count;     /* of the rows that went forward */
} row_pass;

/* The rows need blocks, as all rows of a response do. tile: at most all rows are taken at once. */
am_status row_pass_open(row_pass *p, backend *be, const target *t, int networks,
                        const device_rows *rows, int tile, am_error *err);
void row_pass_close(row_pass *p); /* safe on a zeroed one */

/* Rows index[0 .. count), or first .. first + count where index is NULL, at θ (N,P). */
void row_pass_forward(row_pass *p, const dev_u32 *index, int64_t first, int count, dev_f32 *theta);
/* to += (1/n) Σ_i w_i ∇ℓ_i over the rows that went forward; weight (N, count), or NULL for 1. */
void row_pass_backward(row_pass *p, const dev_f32 *weight, dev_f32 *theta, theta_view to);

#endif
