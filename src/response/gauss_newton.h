/* gauss_newton — products of the Gauss–Newton matrix of one network with K vectors at once:
 *     G = Σ_b J_bᵀ H_b J_b,  J_b = ∂o_b/∂θ,  H_b = ∂²ℓ/∂o² at the logits o_b.
 * A layer costs two products forward and two backward, each over all K vectors.
 *
 * The first layer, mostly the largest by far, may be restricted to the Q leading principal components of
 * its inputs [x;1]: G is then that of the network whose first layer sees those only, embedded in the
 * whole. What it leaves out are directions in which the inputs hardly vary. */
#ifndef AM_GAUSS_NEWTON_H
#define AM_GAUSS_NEWTON_H

#include "model/network.h"

typedef struct {
    backend *be;
    const target *t;
    int vectors, rows;               /* capacity: K, B */
    network net;                     /* one network's activations */
    dev_f32 *tangent[AM_MAX_LAYERS]; /* (K, B, size[l+1]) */
    int kept;                        /* Q; 0: the whole first layer */
    const dev_f32 *basis; /* (d+1, d+1) orthonormal, components in columns, leading ones last; the
                             caller's, set before the first product */
    dev_f32 *in, *out;    /* (K, size[1], Q): the first layer's weights in the components */
} gauss_newton;

am_status gauss_newton_open(gauss_newton *g, backend *be, const target *t, int vectors, int rows,
                            int kept, am_error *err);
void gauss_newton_close(gauss_newton *g); /* safe on a zeroed one */

/* Rows (rows,d), any number, and with components the rows in them (rows,Q), by gauss_newton_project. */
typedef struct {
    const dev_f32 *x, *components;
    int rows;
} gauss_newton_rows;
/* components (rows,Q) = [x 1]·basis's leading columns; ones (rows) */
void gauss_newton_project(const gauss_newton *g, const dev_f32 *x, const dev_f32 *ones, int rows,
                          dev_f32 *components);

/* y (K,P) += scale·G v_k over the rows at θ (P). */
void gauss_newton_add(gauss_newton *g, const gauss_newton_rows *rows, dev_f32 *theta, int vectors,
                      double scale, const dev_f32 *v, dev_f32 *y);

#endif
