/* distributions — one number at a time, each a pure function of
 * (seed, stream, step, draw, element).
 *
 * Counters of Philox are {element, draw, step, stream}; no two numbers of a stream share one:
 *
 *   normal, exponential   element b, draw m
 *
 *   gamma         element b, draw m + 2¹⁶·attempt: the attempts of the rejection method stay
 *                 apart as long as m < 2¹⁶
 *
 *   multinomial   element = trial, draw m
 *
 *   λ             element = group, draw m (nodes: one φ for all draws of a group, draw 0)
 *
 * Results are double; the caller rounds to float once, at the end. */
#ifndef AM_DISTRIBUTIONS_H
#define AM_DISTRIBUTIONS_H

#include "draw/axis.h"
#include "draw/permutation.h"
#include "draw/philox.h"
#include "draw/portable.h"

enum {
    DRAW_MAX_DRAWS = 1 << 16,  /* M */
    DRAW_MAX_BLOCKS = 1 << 28, /* K */
    GAMMA_ATTEMPT_SHIFT = 16,  /* DRAW_MAX_DRAWS = 2^16 */
    GAMMA_MAX_ATTEMPTS = 64,   /* each succeeds with probability > 0.95 */
    DIRICHLET_LANES = 256
};

/* Concentrations for which gamma variates keep their precision: below, all of them may underflow at
 * once; above, the weights differ from 1 by less than a float resolves the bootstrap. */
#define DIRICHLET_ALPHA_MIN 0.05
#define DIRICHLET_ALPHA_MAX 1e6

/* N(0, 1) by Box and Muller: √(−2 ln u)·cos(2πv). */
static inline AM_HD double draw_normal(uint64_t seed, uint32_t stream, uint32_t step, uint32_t draw,
                                       uint32_t element)
{
    philox4 r = philox(seed, stream, step, draw, element);
    return portable_sqrt(-2.0 * portable_log(uniform_open(r.x[0]))) *
           portable_cospi(2.0 * uniform_open(r.x[1]));
}

/* Exp(1) = −ln u. */
static inline AM_HD double draw_exponential(uint64_t seed, uint32_t stream, uint32_t step,
                                            uint32_t draw, uint32_t element)
{
    return -portable_log(uniform_open(philox(seed, stream, step, draw, element).x[0]));
}

/* Gamma(α, 1) by Marsaglia and Tsang (ACM TOMS 26(3), 2000), d = α − ⅓, c = 1/√(9d):
 *   x ~ N(0,1) (Box–Muller), v = (1 + cx)³; accept d·v when ln u < x²/2 + d − dv + d ln v.
 * For α < 1: Gamma(α + 1)·w^{1/α} with w uniform. */
static inline AM_HD double draw_gamma(uint64_t seed, uint32_t stream, uint32_t step, uint32_t draw,
                                      uint32_t element, double alpha)
{
    double d = (alpha < 1.0 ? alpha + 1.0 : alpha) - 1.0 / 3.0;
    double c = 1.0 / portable_sqrt(9.0 * d);
    double value = d, boost = 1.0;
    for (uint32_t attempt = 0; attempt < GAMMA_MAX_ATTEMPTS; attempt++) {
        philox4 r = philox(seed, stream, step, draw | attempt << GAMMA_ATTEMPT_SHIFT, element);
        if (attempt == 0 && alpha < 1.0)
            boost = portable_exp(portable_log(uniform_open(r.x[3])) / alpha);
        double x = portable_sqrt(-2.0 * portable_log(uniform_open(r.x[0]))) *
                   portable_cospi(2.0 * uniform_open(r.x[1]));
        double t = 1.0 + c * x, v = t * t * t;
        if (v > 0.0 &&
            portable_log(uniform_open(r.x[2])) < 0.5 * x * x + d - d * v + d * portable_log(v)) {
            value = d * v;
            break;
        }
    }
    return value * boost;
}

/* ---- ω --------------------------------------------------------------------------------------- */

/* Dirichlet: ω_b = g_b·(K/Σg), g_b = dirichlet_gamma(…, b, α). The sum has a fixed shape, so that a
 * block of DIRICHLET_LANES threads gets the same bits: lane l adds g_l, g_{l+256}, g_{l+512}, … in
 * this order, starting from 0; then lanes are added pairwise, dirichlet_tree. */
static inline AM_HD double dirichlet_gamma(uint64_t seed, uint32_t stream, uint32_t step,
                                           uint32_t draw, uint32_t element, double alpha)
{
    if (alpha == 1.0)
        return draw_exponential(seed, stream, step, draw, element);
    return draw_gamma(seed, stream, step, draw, element, alpha);
}

/* lane[l] += lane[l+w] for l < w, w = 128, 64, …, 1; the sum is lane[0]. */
static inline AM_HD double dirichlet_tree(double lane[DIRICHLET_LANES])
{
    for (int width = DIRICHLET_LANES / 2; width > 0; width /= 2)
        for (int l = 0; l < width; l++)
            lane[l] += lane[l + width];
    return lane[0];
}

/* Block hit by one of the K trials of a multinomial draw: ⌊K·r/2⁶⁴⌋, r 64 random bits, K < 2³². */
static inline AM_HD uint32_t multinomial_block(uint64_t seed, uint32_t stream, uint32_t step,
                                               uint32_t draw, uint32_t trial, uint32_t blocks)
{
    philox4 r = philox(seed, stream, step, draw, trial);
    uint64_t low = ((uint64_t)r.x[1] * blocks) >> 32;
    return (uint32_t)(((uint64_t)r.x[0] * blocks + low) >> 32);
}

/* Cross-validation, K ≥ 2: 0 on block (step·M + draw) mod K, left out, and K/(K−1) elsewhere. */
static inline AM_HD double fold_weight(uint64_t step, uint64_t draws, uint64_t draw, uint64_t block,
                                       uint64_t blocks)
{
    uint64_t left_out = (step * draws + draw) % blocks;
    return block == left_out ? 0.0 : (double)blocks / (double)(blocks - 1);
}

/* ---- λ --------------------------------------------------------------------------------------- */

/* Place of draw m among the M strata or nodes: a permutation per (step, group). */
static inline AM_HD uint32_t lambda_place(uint64_t seed, uint32_t step, uint32_t draws,
                                          uint32_t draw, uint32_t group)
{
    permutation order = permutation_of_draw(seed, STREAM_LAMBDA_ORDER, step, group, draws);
    return (uint32_t)permutation_at(&order, draw);
}

/* u = −1 + 2(place + v)/M, v uniform: one point in each of the M strata of [−1, 1]. */
static inline AM_HD double lambda_stratified(uint64_t seed, uint32_t step, uint32_t draws,
                                             uint32_t draw, uint32_t group)
{
    double place = (double)lambda_place(seed, step, draws, draw, group);
    double v = uniform_open(philox(seed, STREAM_LAMBDA, step, draw, group).x[0]);
    return 2.0 * (place + v) / (double)draws - 1.0;
}

/* Node of draw m in the first group: neighbouring nodes belong to different sets. */
static inline AM_HD uint32_t lambda_own_node(uint32_t draws, uint32_t sets, uint32_t draw)
{
    uint32_t size = draws / sets; /* M/S */
    return draw % size * sets + draw / size;
}

/* Chebyshev nodes, u = cos(πt), t = ½ + stretch·((j + φ)/M − ½) in [0, 1]; φ uniform, common to the
 * M draws of a group. */
static inline AM_HD double lambda_node(uint64_t seed, uint32_t step, uint32_t draws, uint32_t sets,
                                       double stretch, uint32_t draw, uint32_t group)
{
    uint32_t node = group == 0 ? lambda_own_node(draws, sets, draw)
                               : lambda_place(seed, step, draws, draw, group);
    double phi = uniform_open(philox(seed, STREAM_LAMBDA, step, 0, group).x[0]);
    double t = 0.5 + stretch * (((double)node + phi) / (double)draws - 0.5);
    return portable_cospi(t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The order in which set s goes through the n examples in one epoch. */
static inline AM_HD permutation rows_order(uint64_t seed, uint64_t epoch, uint32_t set, uint64_t n)
{
    return permutation_of_draw(seed, STREAM_ROWS, (uint32_t)epoch, set, n);
}

#endif
