/* draw — random numbers that are the same bits on every backend.
 *
 * Everything is a pure function of (seed, stream, step, draw, element): nothing is stored, any step
 * can be replayed. Generator: Philox4x32-10 (Salmon et al. 2011),
 *     counter = {element, draw, step, stream},  key = {low32(seed), high32(seed)},
 * which is cuRAND's layout for subsequence = stream<<32 | step, offset = 4·(draw<<32 | element).
 * Real-valued functions come from portable.h, not from libm, so that host and device agree bit for
 * bit. All functions here are `static inline` and marked AM_HD: the CUDA kernels include the same
 * headers. Compile without contraction of a*b+c (-ffp-contract=off, nvcc -fmad=false). */
#ifndef AM_DRAW_H
#define AM_DRAW_H

#include "draw/axis.h"          /* where λ lies on u */
#include "draw/distributions.h" /* ω, λ: one element or one draw at a time */
#include "draw/permutation.h"   /* keyed bijection of 0..n−1 */
#include "draw/philox.h"        /* Philox4x32-10, uniform numbers */
#include "draw/portable.h"      /* log, exp, cos(πx), in double, from + − × ÷ and sqrt only */

#endif
