/* fit_state — the inside of a generator_fit, shared by the files that are its parts: fit.c opens and
 * runs it, fit_step.c issues a step, fit_response.c takes the snapshots of the response, fit_coarse.c
 * goes through the stage before it. */
#ifndef AM_FIT_STATE_H
#define AM_FIT_STATE_H

#include "train/supervised.h"

typedef struct coarse coarse;

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
    coarse *coarse;         /* the stage before `loop`, or NULL */
    int late;               /* features that this had not (collocation_args) */
    supervised *supervised; /* NULL in criterion mode */
};

/* fit.c: what a step needs beside the state. */
am_status fit_open_buffers(generator_fit *f, const device_rows *data, am_error *err);
void fit_close_buffers(generator_fit *f);

/* fit_step.c: the ops of one step; context is the fit. */
void fit_issue(void *context);

/* fit_response.c */
void fit_set_pause(generator_fit *f);
am_status fit_take_snapshot(void *context, am_error *err);
am_status fit_resume_snapshots(generator_fit *f, am_error *err);

/* fit_coarse.c. A state at or before the stage's last step is one of the stage; what it leaves is
 * handed over when the later steps begin. */
am_status coarse_check(const generator *g, const fit_settings *settings, am_error *err);
int64_t coarse_steps(const fit_settings *settings);
am_status coarse_open(generator_fit *f, dev_f32 *moment2, const device_rows *data, am_error *err);
void coarse_close(coarse *c); /* NULL is fine */
const generator_fit *coarse_fit(const coarse *c);
void coarse_set_save(coarse *c, am_status (*save)(void *context, const char *path, am_error *err),
                     void *context);
/* Runs what is left of the stage and hands over; nothing when f is past it. */
am_status coarse_run(generator_fit *f, const train_hooks *hooks, double begin, am_error *err);
void coarse_resume(generator_fit *f, int64_t step);

#endif
