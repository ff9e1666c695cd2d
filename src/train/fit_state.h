/* fit_state — the inside of a generator_fit, shared by the files that are its parts: fit.c opens and
 * runs it, fit_step.c issues a step, fit_response.c takes the snapshots of the response. */
#ifndef AM_FIT_STATE_H
#define AM_FIT_STATE_H

#include "train/supervised.h"

struct generator_fit {
    backend *be;
    generator *g;
    fit_settings settings;
    plan plan;
    batch_buffers batch;
    int models;             /* E·M: the draws of every network */
    draw_buffers drawn;     /* (ω, λ) of M draws; λ (E·M, G): every network has the same */
    dev_f32 *c, *dc, *dphi; /* (M, R), (M, R), (φ) */
    dev_f64 *loss;          /* (E·M) */
    arena state;            /* what a checkpoint holds beside the parameters: */
    dev_u64 *step;
    dev_guard *guard;
    dev_f32 *head_m1, *head_m2; /* (E·R, P); collocation's second moment is (E·M, P) */
    dev_f32 *phi_m1, *phi_m2;
    response *answer;  /* NULL: none */
    dev_f32 *response; /* (E, N·V, P') its state */
    dev_u64 *snapshot; /* snapshots done */
    int64_t snapshots; /* the same on the host */
    double response_seconds;
    train_loop loop;        /* of criterion mode: steps done, and how to save */
    supervised *supervised; /* NULL in criterion mode */
};

/* fit_step.c: the ops of one step; context is the fit. */
void fit_issue(void *context);

/* fit_response.c */
void fit_set_pause(generator_fit *f);
am_status fit_take_snapshot(void *context, am_error *err);
am_status fit_resume_snapshots(generator_fit *f, am_error *err);

#endif
