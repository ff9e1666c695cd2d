/* piecewise — minimise a sum of two-sided linear losses and a quadratic:
 *
 *   F(β) = Σ_i max(low_i·r_i, high_i·r_i) + ½ βᵀQβ − kᵀβ,   r = b − Zβ,   low ≤ high,   Q ⪰ 0
 *
 * Check loss: low = ω(q−1)/n, high = ωq/n, b = y. LAD: q = ½. Hinge: low = 0, high = ω/n, b = 1, row i
 * of Z is y_i·x_iᵀ. The design Z (N × P) is an operator, so that one solver serves a single fit and
 * the training of a whole generator (piecewise_design.h). */
#ifndef AM_CLASSIC_PIECEWISE_H
#define AM_CLASSIC_PIECEWISE_H

#include "base/base.h"

typedef struct {
    size_t rows;                  /* N */
    int columns;                  /* P */
    const double *b, *low, *high; /* (N) */
    const double *linear;         /* k (P), or NULL: 0 */
    void *context;                /* first argument of what follows */
    void (*forward)(void *context, const double *beta, double *out);   /* Zβ (N) */
    void (*backward)(void *context, const double *d, double *out);     /* Zᵀd (P) */
    void (*quadratic)(void *context, const double *beta, double *out); /* Qβ (P) */
    /* ZᵀWZ + Q (P × P), its lower triangle; w (N) ≥ 0 */
    void (*curvature)(void *context, const double *w, double *h);
} piecewise_problem;

typedef struct {
    double primal;       /* F(β) */
    double dual;         /* a lower bound of F, up to the stationarity */
    double stationarity; /* max |Zᵀd + k − Qβ|, relative to Σ(high − low) */
    int iterations;
} piecewise_certificate;

/* The minimiser by a primal–dual interior point method with Mehrotra's corrector, in beta (P); the
 * Frisch–Newton method of Portnoy and Koenker (1997) with a quadratic. With d ∈ [low, high] and
 * Zᵀd + k = Qβ, dᵀb − ½βᵀQβ ≤ min F: it ends when F(β) is above that by no more than `tolerance`·F(β).
 * AM_ERR_INPUT when the normal equations are singular, AM_ERR_DIVERGED when the gap does not close. */
am_status piecewise_solve(const piecewise_problem *p, double tolerance, double *beta,
                          piecewise_certificate *certificate, am_error *err);

/* The minimiser through the variance–mean envelope (Polson and Scott 2011, 2016): |r| is the least of
 * ½(r²·û + 1/û) over û, taken at û = sgn(r)/r = 1/|r| of the last step; with w = ½(high − low)·û and
 * m = ½(high + low) the next β is a weighted least-squares step with working response z = b + m/w
 *
 *   (ZᵀWZ + Q)β = ZᵀWz + k       (check loss: z_i = y_i − (1 − 2q)/û_i)
 *
 * û is bounded by 1/ε; ε falls from a tenth of the mean |r| to `precision` times it. F_ε, where |r| is
 * ½(r²/ε + ε) below ε, never rises at fixed ε. It ends when F changes by less than precision·F, or
 * after `most` steps. `after`, where there is one, is called behind every step: it may change Q through
 * the context (ECME). beta: where to start, and the result. */
typedef struct {
    double precision; /* 1e-5 */
    int most;         /* steps */
    void (*after)(void *context, const double *beta);
} piecewise_envelope_options;
am_status piecewise_envelope(const piecewise_problem *p, const piecewise_envelope_options *options,
                             double *beta, piecewise_certificate *certificate, am_error *err);

/* F(β) for beta (P); residual (N) and column (P) are scratch. */
double piecewise_value(const piecewise_problem *p, const double *beta, double *residual,
                       double *column);

#endif
