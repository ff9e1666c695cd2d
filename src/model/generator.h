/* generator — g(ω, λ) = Θ_0 + Σ_k c_k(ω, λ) Θ_k, the network's weights as a function of penalty and
 * bootstrap weights (METHOD §3). Θ, (R,P), is the head; c comes from features.
 *
 * A generator may hold E networks: E heads, each fitted from a start of its own, that share the
 * features; what is predicted is then the mean of their predictions. */
#ifndef AM_GENERATOR_H
#define AM_GENERATOR_H

#include "model/arena.h"
#include "model/features.h"
#include "model/target.h"

enum { AM_MAX_NETWORKS = 64 };

/* Largest knee, in units of the range's low end: beyond, λ + λ₀ as a double forgets λ. */
#define AM_MAX_KNEE 1e9

/* Everything that decides what a generator is; recorded in the model file. */
typedef struct {
    target target;
    feature_spec features;
    bool per_layer;                 /* one λ per layer instead of one in all */
    double lambda_low, lambda_high; /* range of every λ */
    double knee;        /* λ₀ of its axis (draw/axis.h); 0: u is the normalised log λ */
    omega_kind weights; /* OMEGA_ONES: ω does not enter */
    double alpha;       /* dirichlet's concentration */
    int64_t blocks;     /* K */
    bool omega0;        /* random penalty weight: λ is multiplied by ω₀ */
    int embedding;      /* columns that ω is embedded into; 0: chosen by K */
    int networks;       /* E; 0 stands for 1 */
    int sampled; /* S: a response to so many drawn ω^s, see features (response.h); 0: to ω itself */
    uint64_t seed;
} generator_spec;

/* W, how many weights the generator is asked for: K, or where it is sampled S, 1 + z. */
static inline int64_t generator_weights_count(const generator_spec *spec)
{
    return spec->sampled > 0 ? spec->sampled : spec->blocks;
}

typedef struct generator generator;
struct generator {
    backend *be;
    generator_spec spec;
    penalty_groups groups;
    features f;
    arena params;  /* "head" (E·R,P) and, with a feature network, "features" (its φ, flat) */
    int networks;  /* E */
    dev_f32 *head; /* (E, R, P) */
    int64_t head_stride; /* between networks */
    dev_f32 *phi;        /* the feature network's parameters, or NULL */
    int64_t phi_size;
    generator *curve; /* with a response: the same without it, a view; else NULL */
};

/* draws: how many rows of c are computed in one go. Parameters are zero until generator_init or
 * arena_restore(&g->params, …). */
am_status generator_open(generator *g, backend *be, const generator_spec *spec, int draws,
                         am_error *err);
void generator_close(generator *g); /* safe on a zeroed one */

/* One network of the generator, as a generator: a view, valid as long as g, never closed. */
generator generator_network(const generator *g, int network);

/* The generator of the first columns of c alone, those of u up to `degree`; one penalty group. A view
 * too. */
generator generator_leading(const generator *g, int degree);

/* What g is at ω = 1, with as few features as that takes: what belongs to a response is left out. */
generator *generator_at_one(generator *g);

/* residual: Θ_0 an ordinary initialisation of the target, all other Θ_k zero.
 * paper: uniform ±1/√r everywhere, Θ_0 (the bias of the head) included. */
am_status generator_init(generator *g, am_error *err);

/* The axis that every λ lies on. */
lambda_axis generator_axis(const generator_spec *spec);
/* λ at u, and ∂u/∂v there, v the normalised log λ: 1 without a knee. */
double generator_lambda(const generator_spec *spec, double u);
double generator_axis_slope(const generator_spec *spec, double lambda);
/* u of one λ (G values both), clamped to the trained range. */
void generator_normalise(const generator_spec *spec, int groups, const double *lambda, float *u);

/* c (M,R) on the device for host-side draws: lambda (M,G), omega (M,W) or NULL for ω = 1. */
am_status generator_features(generator *g, int draws, const double *lambda, const float *omega,
                             dev_f32 *c, am_error *err);
/* θ (E,M,P) = cΘ */
void generator_theta(const generator *g, int draws, const dev_f32 *c, dev_f32 *theta);
/* θ (M,P) = g(ω, λ) of the first network on the host, one draw after the other, so that a draw's bits do not depend on M:
 * lambda (M,G), omega (M,W) or NULL for ω = 1. */
am_status generator_weights(generator *g, int draws, const double *lambda, const float *omega,
                            float *theta, am_error *err);

#endif
