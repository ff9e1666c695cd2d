/* supervised — the stage of a fit that learns from refits (METHOD §4, A and hybrid).
 *
 * In each of R rounds, B fresh draws (ω, λ) are refitted, all on the same minibatches, from where the
 * generator g(ω, λ) is, and g is regressed on the θ̂ they reach. In supervised mode the first round
 * starts cold, every label at the same ordinary initialisation, and takes four fifths of the steps; a feature
 * network is regressed too. In hybrid mode criterion mode has gone before: g starts near, and its
 * features stay as that has learned them. Several networks are regressed one after the other, on
 * labels from their own initialisations and minibatches, at the same draws. */
#ifndef AM_SUPERVISED_H
#define AM_SUPERVISED_H

#include "train/train.h"

/* Steps in criterion mode, and of every label in each round; together they are settings->steps. */
int64_t criterion_steps(const fit_settings *settings);
int64_t round_steps(const fit_settings *settings, int round);
/* AM_ERR_USAGE unless every round has a step, and criterion mode where it is to go first. */
am_status supervised_check(const fit_settings *settings, am_error *err);

typedef struct supervised supervised;

/* Adds its slots to `state`, which must outlive it and is opened before it runs. */
am_status supervised_open(supervised **s, generator *g, const fit_settings *settings,
                          const device_rows *data, arena *state, am_error *err);
void supervised_close(supervised *s); /* NULL is fine */
/* Goes on from where it is, to the end. begin: am_seconds() when the fit began, for reports. */
am_status supervised_run(supervised *s, const train_hooks *hooks, double begin, am_error *err);
/* As those of a fit (train.h). */
int64_t supervised_step(const supervised *s);
am_status supervised_resume(supervised *s, am_error *err);
void supervised_set_save(supervised *s,
                         am_status (*save)(void *context, const char *path, am_error *err),
                         void *context);

#endif
