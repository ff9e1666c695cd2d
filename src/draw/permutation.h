/* permutation — a keyed bijection of 0..n−1, computed one element at a time; nothing is stored.
 *
 * A Feistel network (Luby, Rackoff 1988) over the smallest 2ᵃ⁺ᵇ ≥ n, a and b equal to within one
 * bit: left ← left ⊕ F(right) mod 2ᵃ,   right ← right ⊕ F(left) mod 2ᵇ,   alternately, then cycle
 * walking (Black, Rogaway 2002): values outside 0..n−1 are mapped again until one falls inside, on
 * average fewer than two passes for n > 32. Every round has a 32-bit key of its own from Philox. */
#ifndef AM_PERMUTATION_H
#define AM_PERMUTATION_H

#include "draw/philox.h"

/* A Feistel network on a tiny domain mixes slowly: with a million keys, 8 rounds over 5 bits are
 * visibly uneven, 12 rounds over 6 bits or more are not. */
enum { PERMUTATION_ROUNDS = 12, PERMUTATION_MIN_BITS = 6, PERMUTATION_MAX_BITS = 40 };

typedef struct {
    uint64_t seed;
    uint32_t stream, key, draw;
    uint64_t n;
    /* private */
    uint32_t left_bits, right_bits;
    uint32_t round_key[PERMUTATION_ROUNDS];
} permutation;

/* The bijection of 0..n−1, 1 ≤ n ≤ 2⁴⁰, for (seed, stream, key, draw): key counts epochs or steps,
 * draw tells apart the orders that one of them needs. */
static inline AM_HD permutation permutation_of_draw(uint64_t seed, uint32_t stream, uint32_t key,
                                                    uint32_t draw, uint64_t n)
{
    permutation p;
    p.seed = seed;
    p.stream = stream;
    p.key = key;
    p.draw = draw;
    p.n = n;
    uint32_t bits = PERMUTATION_MIN_BITS;
    while (bits < PERMUTATION_MAX_BITS && ((uint64_t)1 << bits) < n)
        bits++;
    p.left_bits = bits / 2;
    p.right_bits = bits - p.left_bits;
    for (uint32_t i = 0; i < PERMUTATION_ROUNDS; i += 4) {
        philox4 words = philox(seed, stream, key, draw, i / 4);
        for (uint32_t j = 0; j < 4; j++)
            p.round_key[i + j] = words.x[j];
    }
    return p;
}

static inline AM_HD permutation permutation_of(uint64_t seed, uint32_t stream, uint32_t key,
                                               uint64_t n)
{
    return permutation_of_draw(seed, stream, key, 0, n);
}

/* F: 32-bit finaliser with full avalanche (multipliers of C. Wellons' "lowbias32"). */
static inline AM_HD uint32_t permutation_mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ (x >> 16);
}

/* One pass of the network over i < 2ᵃ⁺ᵇ. */
static inline AM_HD uint64_t permutation_pass(const permutation *p, uint64_t i)
{
    uint32_t left_mask = ((uint32_t)1 << p->left_bits) - 1;
    uint32_t right_mask = ((uint32_t)1 << p->right_bits) - 1;
    uint32_t left = (uint32_t)(i >> p->right_bits), right = (uint32_t)i & right_mask;
    for (int r = 0; r < PERMUTATION_ROUNDS; r += 2) {
        left ^= permutation_mix(right ^ p->round_key[r]) & left_mask;
        right ^= permutation_mix(left ^ p->round_key[r + 1]) & right_mask;
    }
    return (uint64_t)left << p->right_bits | right;
}

/* π(i) for i < n. */
static inline AM_HD uint64_t permutation_at(const permutation *p, uint64_t i)
{
    do
        i = permutation_pass(p, i);
    while (i >= p->n);
    return i;
}

#endif
