/* features — c(ω, λ) ∈ R^R, the only part in which generator families differ (METHOD §3):
 *     c = [1 | basis terms in u | scaled columns of ω−1 | outputs of a feature network]
 * u is the normalised log λ, one per penalty group.
 *
 *   poly:d, cheb:d   monomials / Chebyshev polynomials of total degree ≤ d in (u_1..u_G), linear in ω
 *   mlp:h1,…,r       network on (u, ω−1): ReLU hidden layers, r linear outputs
 *   split:h1,…,r     the same network on u alone, beside scaled columns of ω−1
 *   paper            network on (u, ω) with two ReLU layers of 128, the second being the features
 *   F+response:N     those of poly or cheb in u alone, and ω − 1 at N nodes in u, interpolated: the
 *                    implicit response of the fitted curve (response.h); one λ, K ≤ AM_DIRECT_BLOCKS.
 *                    Where that is sampled, S drawn weight vectors are the blocks here, and z is ω − 1
 *
 * With many blocks (K > AM_DIRECT_BLOCKS) ω enters through a fixed random ±1/√I embedding of ω−1 to I
 * columns, and 1 + (ω−1)E takes ω's place above. */
#ifndef AM_FEATURES_H
#define AM_FEATURES_H

#include "backend/backend.h"

enum { AM_MAX_FEATURE_LAYERS = 6, AM_MAX_FEATURES = 1024, AM_DIRECT_BLOCKS = 256 };

typedef struct {
    char text[64];                   /* as given */
    basis_kind basis;                /* BASIS_NONE without polynomial terms */
    int degree;                      /* d */
    int layers;                      /* feature network: linear layers, 0 = none */
    int size[AM_MAX_FEATURE_LAYERS]; /* outputs of each */
    bool relu_output;                /* paper: the last layer has ReLU too */
    bool network_omega;              /* the network sees ω */
    bool columns_omega;              /* ω−1 are columns of c */
    int nodes;                       /* … at so many nodes in u; 0: the same for every u */
    float omega_scale, centre;
    bool paper_init;
} feature_spec;

/* Reads the family. with_omega: whether the generator is to depend on ω at all. */
am_status feature_spec_parse(const char *text, bool with_omega, feature_spec *spec, am_error *err);

typedef struct {
    backend *be;
    feature_spec spec;
    int groups;     /* G */
    int64_t blocks; /* K */
    int embedding;  /* I columns of ω that the features see: 0, K, or the embedding's width */
    int terms;      /* basis terms */
    int features;   /* R */
    int draws;      /* capacity M */
    int64_t params; /* of the feature network, φ */
    int64_t phi_offset[AM_MAX_FEATURE_LAYERS]; /* layer's weight; its bias follows */
    int32_t *degree_host;                      /* (terms, G) */
    dev_i32 *degree;
    dev_f32 *embed;                         /* (K, I) or NULL */
    dev_f32 *embed_base;                    /* (M, I): 1 − 1ᵀE in every row */
    dev_f32 *omega_in;                      /* (M, I): 1 + (ω−1)E */
    dev_f32 *input;                         /* (M, G+I) */
    dev_f32 *output[AM_MAX_FEATURE_LAYERS]; /* hidden outputs; the last layer writes into c */
    dev_f32 *gradient[AM_MAX_FEATURE_LAYERS];
    dev_f32 *dinput; /* (M, G+I) */
} features;

/* Where in u the N nodes of a response lie: −cos(πj/(N−1)), both ends included. */
double feature_node(int nodes, int j);

/* R of the family: columns of c. */
int features_count(const feature_spec *spec, int groups, int64_t blocks, int embedding);

am_status features_open(features *f, backend *be, const feature_spec *spec, int groups,
                        int64_t blocks, int embedding, uint64_t seed, int draws, am_error *err);
void features_close(features *f);

/* φ ~ uniform ±1/√fan_in, on the host. */
void features_init(const features *f, uint64_t seed, float *phi);

/* c (M,R) from u (M,G) and ω (M,K; NULL when the family ignores it). */
void features_forward(features *f, int draws, const dev_f32 *phi, const dev_f32 *u,
                      const dev_f32 *omega, dev_f32 *c);
/* dφ (overwritten) from dc (M,R; the network's columns are changed in place). c as left by forward.
 * dphi NULL when there is no network. */
void features_backward(features *f, int draws, const dev_f32 *phi, const dev_f32 *c, dev_f32 *dc,
                       dev_f32 *dphi);
/* du (M,G) host = dc·∂c/∂u, for the gradient of the outer criterion in log λ; call after
 * features_backward when there is a feature network. */
am_status features_input_gradient(features *f, int draws, const dev_f32 *u, const dev_f32 *dc,
                                  double *du, am_error *err);

static inline bool features_use_omega(const features *f)
{
    return f->embedding > 0;
}

#endif
