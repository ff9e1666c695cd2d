/* student_t_generator — (μ, σ) as a function of degrees of freedom ν and block weights ω, without a
 * fit: the published linear generator, a richer one on the same training pairs, and one that needs
 * no pairs, from derivatives per block. */
#ifndef AM_CLASSIC_STUDENT_T_GENERATOR_H
#define AM_CLASSIC_STUDENT_T_GENERATOR_H

#include "classic/student_t.h"

/* ---- fitted to pairs (ν, ω) → (μ, σ) ----------------------------------------------------------- */

typedef enum {
    STUDENT_T_LINEAR, /* (μ, σ) = A·(1, ν, ν², ω_1..ω_K), as published */
    STUDENT_T_CHEBYSHEV /* (μ, log σ) = A·(T_0..T_3(u) ⊗ (1, ω_1−1..ω_K−1)), u the normalised log ν */
} student_t_features;

typedef struct {
    int count, blocks;
    const double *nu;             /* (count) */
    const double *omega;          /* (count, K), row-major */
    const location_scale *target; /* (count) */
} student_t_pairs;

typedef struct {
    student_t_features kind;
    int blocks, features;
    double nu_low, nu_high;
    double *a; /* (features × 2), column-major, owned */
} student_t_linear;

/* Least squares with 1e-8 on the diagonal of the normal equations, as published. nu_low, nu_high:
 * the range of ν, for STUDENT_T_CHEBYSHEV. */
am_status student_t_linear_fit(student_t_linear *g, student_t_features kind,
                               const student_t_pairs *pairs, double nu_low, double nu_high,
                               am_error *err);
void student_t_linear_free(student_t_linear *g); /* safe on a zeroed one */
/* omega (K); NULL: all 1. */
location_scale student_t_linear_at(const student_t_linear *g, double nu, const double *omega);

/* ---- from derivatives -------------------------------------------------------------------------- */

/* The criterion's gradient is expanded about the fit at ω = 1, block by block, to second order in
 * δ = (μ, τ) − (μ̂, τ̂)(1, ν), and the expansion is solved under the weights ω:
 *
 *   Σ_b ω_b (g_b + H_b δ + ½ T_b[δ, δ]) = 0        (infinitesimal jackknife: H_b only, at ω = 1)
 *
 * The fit and the moments g, H, T are interpolated through Chebyshev nodes in log ν. At ω = 1 the
 * answer is the fit itself, up to the interpolation. */
enum { STUDENT_T_NODES = 10 };
typedef struct {
    int blocks;
    double nu_low, nu_high;
    double *table; /* (NODES, 2 + 9K): μ̂, τ̂, moments of all blocks; owned */
} student_t_response;

am_status student_t_response_open(student_t_response *r, const blocked_sample *s, double nu_low,
                                  double nu_high, am_error *err);
void student_t_response_free(student_t_response *r); /* safe on a zeroed one */
/* Interpolates the row (2 + 9K) at ν, for any number of draws there. */
void student_t_response_row(const student_t_response *r, double nu, double *row);
int student_t_response_width(const student_t_response *r); /* 2 + 9K */
/* The answer at omega (K), NULL: all 1, from the row at some ν. */
location_scale student_t_respond(int blocks, const double *row, const double *omega);

#endif
