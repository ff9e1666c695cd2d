/* objective — L(θ_m; ω_m, λ_m) = (1/divisor) Σ_b ω_mb ℓ(y_b, f_θm(x_b)) + Σ_g λ_mg‖θ_mg‖² of M models
 * on a minibatch, and its gradients, along the two execution plans of METHOD §3. */
#ifndef AM_OBJECTIVE_H
#define AM_OBJECTIVE_H

#include "model/generator.h"
#include "model/network.h"

/* A minibatch with the draws that look at it; all on the device, owned by the caller. */
typedef struct {
    int models, rows;      /* M, B */
    int sets;              /* S: model m looks at set ⌊m/(M/S)⌋ of the rows; S divides M */
    const dev_f32 *x;      /* (S, B, d) */
    const dev_i32 *label;  /* (S, B), or NULL */
    const dev_f32 *target; /* (S, B, C), or NULL */
    const dev_f32 *weight; /* (M, B) or NULL = 1 */
    const dev_f32 *lambda; /* (M, G) */
    double divisor;        /* B for a minibatch, n for a pass over all data */
    double grad_scale;     /* 1: every model's own gradient; 1/M: of the mean over models */
} minibatch;

/* Adds the data term of L_m, at the network's logits, to loss (M); leaves dL/dlogits in the network. */
void objective_loss(const network *net, const minibatch *batch, dev_f64 *loss);
/* Given θ: adds L_m to loss (M) and writes dθ_m (M,P). */
void objective_gradient(const network *net, const minibatch *batch, penalty_groups groups,
                        theta_view theta, theta_view dtheta, dev_f64 *loss);

typedef enum { PLAN_AUTO, PLAN_DIRECT, PLAN_FACTORED } plan_kind;
am_status plan_parse(const char *text, plan_kind *plan, am_error *err);
const char *plan_name(plan_kind plan);
/* Which plan costs fewer floating-point operations for M draws of B rows a step: the first layer's
 * forward and weight gradient, M models in the direct plan against R = r+1 products in the factored,
 * plus what each plan does beside them. */
plan_kind plan_choose(const generator *g, int draws, int rows);

/* The generator's objective through one plan. Workspace for M draws × B rows. With E networks, in the
 * direct plan only, the models are (E, M): every network's draws, one after the other. */
typedef struct {
    generator *g;
    plan_kind kind; /* direct or factored */
    network net;
    dev_f32 *theta;    /* direct: (E·M, P); factored: the columns behind layer 1 only */
    dev_f32 *dtheta;   /* the same columns of every dθ_m */
    dev_f32 *z;        /* factored: (R, B, H) first-layer products */
    dev_f32 *e;        /* factored: (R, B, H) */
    dev_f32 *dhead;    /* factored: (R, P) */
    dev_f32 *gram, *s; /* factored: (G, R, R) */
} plan;

am_status plan_open(plan *p, generator *g, plan_kind kind, int draws, int rows, bool backward,
                    am_error *err);
void plan_close(plan *p); /* safe on a zeroed one */

/* From c (M,R): adds L_m to loss (E·M). direct writes dtheta; factored writes dhead, the gradient of the
 * head. dc (M,R), if not NULL, is overwritten by dL/dc (one network only). */
void plan_gradient(plan *p, const minibatch *batch, const dev_f32 *c, dev_f32 *dc, dev_f64 *loss);

/* Logits of M models for `rows` shared rows x, forward only; in p->net afterwards. plan_prepare
 * computes what does not depend on the draws: call it once per (x, rows), then any number of draws. */
void plan_prepare(plan *p, const dev_f32 *x, int rows);
void plan_logits(plan *p, const dev_f32 *x, int rows, int draws, const dev_f32 *c);

#endif
