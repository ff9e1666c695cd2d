/* labels — the answers that supervised mode learns from: θ̂(ω_b, λ_b) of B draws, refitted from where
 * the generator is, in parts of bounded memory. */
#ifndef AM_LABELS_H
#define AM_LABELS_H

#include "train/model_batch.h"

typedef struct {
    backend *be;
    generator *g;
    int count, part;     /* B, and how many are refitted at a time */
    draw_buffers draws;  /* B pairs (ω, λ), the same for every network */
    optimiser adam;      /* of the refits, */
    double warm;         /* with this factor on the step size where they do not start cold */
    double tilt;         /* fall of the step size along λ: 2^(−tilt·ū) */
    dev_u64 *round;      /* counter of the draws */
    dev_f32 *c;          /* (B, R) */
    dev_f32 *rate_scale; /* (B) */
    model_batch batch;
    arena *state; /* not owned: what a checkpoint holds of the labels, at */
    int theta_slot, moment1_slot, moment2_slot, step_slot, guard_slot;
} labels;

/* Adds the labels' slots to `state`, which is opened before anything else is done. */
am_status labels_open(labels *l, generator *g, const fit_settings *settings,
                      const device_rows *data, arena *state, am_error *err);
void labels_close(labels *l); /* safe on a zeroed one */

/* One run of refits. Cold, every label starts at the network's ordinary initialisation, common to all,
 * so that they end in one basin; else at g(ω_b, λ_b). */
typedef struct {
    int round, network, part;
    bool cold;
    int64_t steps;
} label_run;

/* How many parts the labels are refitted in. */
int labels_parts(const labels *l);
/* (ω, λ) of the round, λ spread over the range by the settings' nodes, and their features. */
am_status labels_draw(labels *l, int round, am_error *err);
/* All labels of the network where they start. */
am_status labels_start(labels *l, const label_run *run, am_error *err);
/* Points l->batch at a part; fresh: at the beginning of its refits. */
am_status labels_select(labels *l, const label_run *run, bool fresh, am_error *err);
dev_f32 *labels_theta(const labels *l); /* (B, P) */

#endif
