/* kfac — Kronecker-factored approximation of the Gauss–Newton matrix of one network, layer by layer
 * (Martens & Grosse 2015): G_l ≈ S_l ⊗ A_l, A_l = mean of [x;1][x;1]ᵀ over the rows, S_l = mean of
 * JᵀHJ with J the derivative of the logits by the layer's pre-activations, exact in the classes. Held as
 * eigenbases, so that any multiple of the identity can be added before it is inverted. */
#ifndef AM_KFAC_H
#define AM_KFAC_H

#include "model/network.h"

typedef struct {
    int in, out;           /* d_in + 1, d_out */
    dev_f32 *a, *sum;      /* (d_in, d_in) mean of xxᵀ, (d_in) mean of x */
    dev_f32 *s;            /* (out, out) */
    double *a_value;       /* (in) eigenvalues, host */
    double *s_value;       /* (out) */
    dev_f32 *a_basis;      /* (in, in) eigenvectors in columns */
    dev_f32 *s_basis;      /* (out, out) */
    dev_f32 *inverse;      /* (out, in) 1/(s_i a_j + shift) */
    dev_f32 *back, *front; /* (C, B, out) derivatives of the logits, with and without H */
} kfac_layer;

typedef struct {
    backend *be;
    const target *t;
    int vectors, rows; /* capacity: K, B */
    network net;
    kfac_layer layer[AM_MAX_LAYERS];
    dev_f32 *unit;             /* (C, B, C) every class's unit vector */
    dev_f32 *ones;             /* (B) */
    dev_f32 *rotated, *scaled; /* (K, largest out·in) */
} kfac;

am_status kfac_open(kfac *k, backend *be, const target *t, int vectors, int rows, am_error *err);
void kfac_close(kfac *k); /* safe on a zeroed one */

/* A of the first layer, which depends on the rows x (rows,d) alone; rows may exceed the capacity. Once,
 * before kfac_finish. */
am_status kfac_set_input(kfac *k, const dev_f32 *x, int rows, am_error *err);
/* All other moments, of the network θ (P), from tiles of rows: begin, then add for every tile, each with
 * its share of all rows, then finish. */
void kfac_begin(kfac *k);
void kfac_add(kfac *k, const dev_f32 *x, int rows, double share, dev_f32 *theta);
am_status kfac_finish(kfac *k, am_error *err);

/* Sets the shift (layers) that is added before inverting. */
am_status kfac_shift(kfac *k, const double *shift, am_error *err);
/* z (K,P) = (S ⊗ A + shift)⁻¹ r (K,P), layer by layer. */
void kfac_solve(kfac *k, int vectors, const dev_f32 *r, dev_f32 *z);

#endif
