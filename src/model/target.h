/* target — the network that is tuned: a multi-layer perceptron d–h1–…–C of any depth.
 *
 * θ is one flat vector of P floats: fc1.weight (out,in), fc1.bias (out), fc2.weight, … — the same
 * names, shapes and order as a PyTorch nn.Sequential of nn.Linear layers. One table (target_tensors)
 * drives slicing, files and tests. */
#ifndef AM_TARGET_H
#define AM_TARGET_H

#include "backend/backend.h"

enum { AM_MAX_LAYERS = 15 };

typedef struct {
    char name[24];    /* "fc1.weight" */
    int rank;         /* 2 weight, 1 bias */
    int64_t shape[2]; /* (out, in) or (out) */
    int64_t offset;   /* of its first element in θ */
    int64_t count;
} target_tensor;

typedef struct {
    int layers;                  /* linear layers, L */
    int size[AM_MAX_LAYERS + 1]; /* d, h1, …, C */
    activation act;              /* of the hidden layers; the last layer is linear */
    loss_kind loss;
    int64_t params;   /* P */
    int tensor_count; /* 2·L */
    target_tensor tensor[2 * AM_MAX_LAYERS];
} target;

/* "784-64-10" → target. AM_ERR_USAGE on anything that is no such list of positive sizes. */
am_status target_parse(const char *text, activation act, loss_kind loss, target *t, am_error *err);
/* The reverse, into text[size]. */
void target_text(const target *t, char *text, size_t size);
am_status activation_parse(const char *text, activation *act, am_error *err);
const char *activation_name(activation act);

static inline const target_tensor *target_weight(const target *t, int layer)
{
    return &t->tensor[2 * layer];
}
static inline const target_tensor *target_bias(const target *t, int layer)
{
    return &t->tensor[2 * layer + 1];
}

/* One penalty group for all of θ, or one per layer (weights and bias together). */
penalty_groups target_groups(const target *t, bool per_layer);

/* θ (P) ~ uniform ±1/√fan_in, weights and biases, the default initialisation of PyTorch's Linear;
 * a function of (seed, index) alone. */
void target_init(const target *t, uint64_t seed, uint32_t index, float *theta);

#endif
