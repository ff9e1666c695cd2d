/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; 2011). */
#ifndef AM_PHILOX_H
#define AM_PHILOX_H

#include <stdint.h>

#ifdef __CUDACC__
#define AM_HD __host__ __device__
#else
#define AM_HD
#endif

/* Every use of random numbers has a stream of its own. Numbers are part of the file format: a new
 * use takes a new number, none is ever given again. */
typedef enum {
    STREAM_TEST = 0,
    STREAM_LAMBDA = 1,       /* u of a training draw */
    STREAM_LAMBDA_ORDER = 2, /* its permutation of strata */
    STREAM_OMEGA = 3,
    STREAM_OMEGA0 = 4,
    STREAM_ROWS = 5,  /* epoch shuffles */
    STREAM_SPLIT = 6, /* train/validation */
    STREAM_BLOCKS = 7,
    STREAM_INIT = 8,        /* initial weights */
    STREAM_EMBED = 9,       /* linear embedding of ω */
    STREAM_POSTERIOR = 10,  /* ω of posterior draws */
    STREAM_SIMULATE = 11,   /* simulated data */
    STREAM_REFIT = 12,      /* initial weights and batch order of refits */
    STREAM_FOLDS = 13,      /* folds of cross-validation */
    STREAM_EVALUATION = 14, /* λ and ω of the draws that a generator is judged on */
    STREAM_AUDIT = 15,      /* ω, initial weights and batch order of an audit */
    STREAM_POLISH = 16,     /* minibatches of polish */
    STREAM_LABELS = 17,     /* λ, ω and minibatches of the labels of supervised mode */
    STREAM_RESPONSE = 20,   /* rows of the implicit response */
    STREAM_PROBES = 21,     /* signs of its probes */
    STREAM_DRAWN = 22,      /* weight vectors that a sampled response is for */
    STREAM_MIXTURES = 23    /* mixtures of them */
} draw_stream;

typedef struct {
    uint32_t x[4];
} philox4;

static inline AM_HD philox4 philox(uint64_t seed, uint32_t stream, uint32_t step, uint32_t draw,
                                   uint32_t element)
{
    uint32_t c0 = element, c1 = draw, c2 = step, c3 = stream;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t h0 = (uint32_t)(p0 >> 32), l0 = (uint32_t)p0;
        uint32_t h1 = (uint32_t)(p1 >> 32), l1 = (uint32_t)p1;
        c0 = h1 ^ c1 ^ k0;
        c1 = l1;
        c2 = h0 ^ c3 ^ k1;
        c3 = l0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    philox4 out = {{c0, c1, c2, c3}};
    return out;
}

/* A seed of its own for one purpose, for runs that must not share numbers with `seed` itself. */
static inline AM_HD uint64_t seed_for(uint64_t seed, draw_stream purpose)
{
    philox4 r = philox(seed, (uint32_t)purpose, 0, 0, 0);
    return (uint64_t)r.x[1] << 32 | r.x[0];
}

/* (x + ½)/2³², in (0,1): never 0 nor 1, exact in double. */
static inline AM_HD double uniform_open(uint32_t x)
{
    return ((double)x + 0.5) * (1.0 / 4294967296.0);
}

#endif
