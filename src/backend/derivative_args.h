/* derivative_args — ops for products with the derivatives of one network, for K vectors at once; they
 * make Gauss–Newton products (response/gauss_newton.h). Rules common to all ops: backend.h. */
#ifndef AM_DERIVATIVE_ARGS_H
#define AM_DERIVATIVE_ARGS_H

#include "backend/args.h"

/* t_k ← act'(Y)∘t_k with one Y for all k; act' from the output: relu 1[y>0], tanh 1−y². */
typedef struct {
    int vectors;   /* K */
    int64_t count; /* B·H */
    activation act;
    const dev_f32 *y; /* (count) */
    dev_f32 *t;       /* (K, count) in/out */
} slope_args;

/* t_kb ← scale·∂²ℓ/∂o²(o_b)·t_kb with one set of logits for all k:
 * cross-entropy diag(p) − ppᵀ, p = softmax(o_b); squared 2I. */
typedef struct {
    loss_kind kind;
    int vectors, rows, outputs; /* K, B, C */
    double scale;
    const dev_f32 *logits; /* (B, C) */
    dev_f32 *t;            /* (K, B, C) in/out */
} curvature_args;

/* y_k ← y_k + (shift + factor·d)∘x_k */
typedef struct {
    int vectors; /* K */
    int64_t count;
    double shift, factor;
    const dev_f32 *d; /* (count) */
    const dev_f32 *x; /* (K, count) */
    dev_f32 *y;       /* (K, count) in/out */
} add_diagonal_args;

#endif
