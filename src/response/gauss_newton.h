/* gauss_newton — products of the Gauss–Newton matrix of one network with K vectors at once:
 *     G = Σ_b J_bᵀ H_b J_b,  J_b = ∂o_b/∂θ,  H_b = ∂²ℓ/∂o² at the logits o_b.
 * A layer costs two products forward and two backward, each over all K vectors. */
#ifndef AM_GAUSS_NEWTON_H
#define AM_GAUSS_NEWTON_H

#include "model/network.h"

typedef struct {
    backend *be;
    const target *t;
    int vectors, rows;               /* capacity: K, B */
    network net;                     /* one network's activations */
    dev_f32 *tangent[AM_MAX_LAYERS]; /* (K, B, size[l+1]) */
} gauss_newton;

am_status gauss_newton_open(gauss_newton *g, backend *be, const target *t, int vectors, int rows,
                            am_error *err);
void gauss_newton_close(gauss_newton *g); /* safe on a zeroed one */

/* y (K,P) += scale·G v_k over the rows x (rows,d) at θ (P). */
void gauss_newton_add(gauss_newton *g, const dev_f32 *x, int rows, dev_f32 *theta, int vectors,
                      double scale, const dev_f32 *v, dev_f32 *y);

#endif
