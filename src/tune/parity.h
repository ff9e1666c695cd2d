/* parity — how good are polished networks, and how many steps make them as good as refits from
 * scratch? */
#ifndef AM_PARITY_H
#define AM_PARITY_H

#include "train/polish.h"
#include "tune/evaluate.h"

/* What D draws of E networks reach. */
typedef struct {
    int networks, models; /* E, D */
    double *criterion;   /* (D) L(θ_d; ω_d, λ_d) on all training rows, penalty included; the mean
                             over the E networks */
    metrics *validation; /* (E, D) of every network by itself */
    metrics *together;   /* (D) of the E networks' mean prediction */
    /* means over all networks */
    double criterion_mean, nll_mean, accuracy_mean;
    /* of the E networks' mean prediction, mean over the draws; of one network the same as above */
    double together_nll, together_accuracy;
} network_scores;
void network_scores_free(network_scores *s); /* safe on a zeroed one */

/* Scores of θ (E,D,P), each draw on its own (ω, λ) of the request. */
am_status polish_score(const polish_request *q, dev_f32 *theta, const device_rows *train,
                       const device_rows *validation, network_scores *s, am_error *err);

/* The refits that the networks are held against. */
typedef struct {
    int repeats;    /* R of every (ω, λ), with an initialisation and an order of the rows each */
    int rows;       /* B */
    int64_t steps;  /* of each */
    optimiser adam; /* tuned: a baseline that is handicapped proves nothing */
    uint64_t seed;
} parity_refits;

enum { PARITY_POINTS = 12 };

/* After so many steps of polish, a run of its own: means over all networks. */
typedef struct {
    int64_t steps;
    int rows;                /* of a minibatch */
    double share, row_share; /* of a refit's steps; of the rows that these look at */
    double criterion, nll, accuracy;
} parity_point;

typedef struct {
    double criterion, nll, accuracy; /* of the refits, means over all D·R */
    int points;
    parity_point point[PARITY_POINTS]; /* up to the first that is at parity */
    /* The fewest steps of those tried whose networks are on average at least as good as the refits, by
     * the training criterion, by the validation NLL, by both; −1: none that looks at no more rows
     * than a refit. */
    int64_t criterion_steps, nll_steps, steps;
} parity;

/* polish: its steps, rows and step size are not used but those of the rule; rate as in
 * polish_optimiser. */
am_status parity_find(const polish_request *polish, double rate, const parity_refits *refits,
                      const device_rows *train, const device_rows *validation,
                      const train_hooks *hooks, parity *p, am_error *err);

#endif
