/* network — M target networks run side by side on one minibatch (or one each), given their θ.
 *
 * Holds the activations; θ and its gradient belong to the caller. Layers can be run from `first`, so
 * that another execution plan may supply the first layer's output (generator's factored plan). */
#ifndef AM_NETWORK_H
#define AM_NETWORK_H

#include "model/target.h"

typedef struct {
    backend *be;
    const target *t;
    int models, rows;                 /* capacity: M, B */
    dev_f32 *output[AM_MAX_LAYERS];   /* layer l's output, (M, B, size[l+1]); the last: logits */
    dev_f32 *gradient[AM_MAX_LAYERS]; /* dL/d output[l]; NULL in a forward-only network */
} network;

/* θ of M models: model m's starts m·stride after theta (stride 0: shared). */
typedef struct {
    dev_f32 *theta; /* (M, P) */
    int64_t stride;
} theta_view;

/* Inputs of a minibatch: S sets of rows, model m looking at set ⌊m/(M/S)⌋; S divides M. */
typedef struct {
    const dev_f32 *x; /* (S, rows, d) */
    int sets;         /* S: 1 shared by all, …, M one each */
    int rows;         /* of this minibatch, ≤ capacity */
    int models;       /* of this call, ≤ capacity */
} network_input;

am_status network_open(network *net, backend *be, const target *t, int models, int rows,
                       bool backward, am_error *err);
void network_close(network *net); /* safe on a zeroed one */

/* Layers first..L−1; first > 0 takes output[first−1] as given. */
void network_forward(const network *net, const network_input *in, theta_view theta, int first);
/* Given gradient[L−1] = dL/dlogits: layers L−1..first; writes (or, with accumulate, adds to) dtheta's
 * slices of these layers; leaves dL/d output[first−1] in gradient[first−1] when first > 0. */
void network_backward(const network *net, const network_input *in, theta_view theta,
                      theta_view dtheta, int first, bool accumulate);

static inline dev_f32 *network_logits(const network *net)
{
    return net->output[net->t->layers - 1];
}
static inline dev_f32 *network_dlogits(const network *net)
{
    return net->gradient[net->t->layers - 1];
}

#endif
