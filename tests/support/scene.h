/* scene — a generator with random parameters, draws and a minibatch, run through either plan. */
#ifndef AM_TEST_SCENE_H
#define AM_TEST_SCENE_H

#include "model/objective.h"
#include "support/problem.h"

enum { SCENE_DRAWS = 64, SCENE_GROUPS = 3 }; /* at most */

typedef struct {
    const char *target, *features;
    activation act;
    loss_kind loss;
    omega_kind weights;
    bool per_layer;
    int blocks, embedding, draws, rows;
} setting;

/* A generator with random parameters, M draws of (λ, ω) and a minibatch; everything on the device,
 * and on the host where the reference needs it. */
typedef struct {
    const setting *k;
    device d;
    problem p;
    generator g;
    double lambda[SCENE_DRAWS * SCENE_GROUPS], u[SCENE_DRAWS * SCENE_GROUPS]; /* (M, G) */
    float *omega;                                                             /* (M, K), or NULL */
    dev_f32 *u_device, *omega_device;
    minibatch batch;
} scene;

void scene_open(scene *s, const setting *k);
void scene_close(scene *s);

/* What a plan gives, on the host: L_m, dΘ (R,P), dc (M,R), dφ, all of the mean over the draws. */
typedef struct {
    double *loss;
    float *head, *dc, *phi;
} plan_result;
plan_result run_plan(scene *s, plan_kind kind);

#endif
