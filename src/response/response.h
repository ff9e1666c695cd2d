/* response — how the fitted networks answer to the weights ω, by implicit differentiation along the
 * path of training (METHOD §6).
 *
 * A refit under weights ω follows θ(ω) = θ(1) + Σ_b (ω_b − 1) O_b to first order. Training moves θ by
 * Adam's steps −lr_t·g/√v̂, in continuous time τ = Σ lr_t the flow θ' = −M⁻¹∇L with the metric
 * M = √v̂ + ε, so that O_b obeys M O_b' = −(g_b − ḡ + (G + 2λI)O_b), O_b = 0 at the start: g_b the
 * gradient of block b's share of the loss, G the Gauss–Newton matrix. At S snapshots of the training,
 * each standing for the time Δτ around it, one step of implicit Euler:
 *     (M/Δτ + G + 2λI)(O_b⁺ − O_b) = −(g_b − ḡ + (G + 2λI)O_b)
 * for all K blocks at once, by conjugate gradients preconditioned with Kronecker factors. Early stopping
 * needs no damping constant of its own: M/Δτ is it. G is estimated on fresh rows at every snapshot,
 * g_b − ḡ on all rows.
 *
 * All of it is linear in ω. For more blocks than can be answered one by one, up to a weight for every
 * observation, the response is sampled: to S drawn weight vectors ω^s, O_s = Σ_b (ω_sb − 1) O_b, from the
 * right-hand sides of weighted_gradients.h. The generator then takes z (S) in place of ω − 1:
 * θ = θ(1) + Σ_s z_s O_s is the network under ω = 1 + Σ_s z_s (ω^s − 1).
 *
 * It is done at N nodes in u, the normalised log λ, for each of the generator's E networks; between
 * the nodes O is interpolated by the features F+response:N. */
#ifndef AM_RESPONSE_H
#define AM_RESPONSE_H

#include "model/device_rows.h"
#include "model/generator.h"

typedef struct {
    int nodes;      /* N; 0: no response */
    int snapshots;  /* S, equally spaced over the steps, the last at the end */
    int rows;       /* for G, at most */
    int inputs;     /* principal components of the inputs in which the response is computed
                       (components.h); no fewer than inputs: all */
    int components; /* of these, how many G's first layer sees (gauss_newton.h); at least as many: no
                       restriction */
    int iterations;     /* of the conjugate gradients */
    omega_kind weights; /* of the weights that the response is for */
    int draws;          /* S of them that are drawn; 0: the blocks by themselves */
} response_settings;

enum { RESPONSE_DRAWS = 64 }; /* S by default where there are too many blocks */

/* V, the directions at once: S, or K. */
int64_t response_vectors(const response_settings *settings, int64_t blocks);

typedef struct response response;

/* P', the parameters that are computed with: those of the target in components of its inputs. */
am_status response_params(const target *t, const response_settings *settings, int64_t *params,
                          am_error *err);

/* state (E, N·V, P'): device memory of the caller's, zero at the start of the training, that carries O
 * from snapshot to snapshot. g, its data and state must outlive the response. */
am_status response_open(response **r, generator *g, const response_settings *settings,
                        const device_rows *data, dev_f32 *state, am_error *err);
void response_close(response *r); /* NULL is fine */

/* From here on its networks are those of g: of as many features as the one that it was opened for, or
 * of the first of them. */
void response_follow(response *r, generator *g);

/* Adam at a snapshot, for one network and node. */
typedef struct {
    const dev_f32 *moment2; /* (P) v, uncorrected */
    double correction;      /* 1 − β₂^(steps done) */
    double epsilon;
    double time; /* Δτ: the step sizes that this snapshot stands for, summed */
} response_metric;

/* The step of snapshot `index`: metric_at(context, network, u) tells Adam's state at a node. */
am_status response_advance(response *r, int index,
                           response_metric (*metric_at)(void *context, int network, double u),
                           void *context, am_error *err);

/* The spec of the generator with the response, from that of the base. */
am_status response_spec(const generator_spec *base, const response_settings *settings,
                        generator_spec *spec, am_error *err);
/* Fills the head of `full`, open with that spec, from the base's and the response. */
am_status response_attach(response *r, generator *full, am_error *err);

#endif
