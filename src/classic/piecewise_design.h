/* piecewise_design — the two designs that piecewise problems have here.
 *
 * matrix:   one fit. Z = X (n × p), Q = 2λ·diag(penalised).
 * product:  the training of a generator θ_m = θ⁰_m + A·z_m on M draws at once, A (p × R) the unknown,
 *           Z the Kronecker product of the draws' features (M × R) and X: row i of draw m is
 *           x_iᵀA z_m. Mean of the M criteria, so that Q = (2/M) Σ_m λ_m diag(penalised) ⊗ z_m z_mᵀ.
 *           Behind them may stand C further draws on a grid of places (g × p) in the place of X,
 *           without penalty: conditions on what the generator predicts there. */
#ifndef AM_CLASSIC_PIECEWISE_DESIGN_H
#define AM_CLASSIC_PIECEWISE_DESIGN_H

#include "classic/piecewise.h"

typedef struct {
    int n, p;
    const double *x;         /* (n × p), column-major */
    const double *penalised; /* (p) 0 or 1 */
    double lambda;
    double *scratch; /* (n × p) */
} matrix_design;
/* Fills the problem's operators, rows and columns; b, low and high are the caller's. */
void matrix_design_use(matrix_design *m, piecewise_problem *problem);

typedef struct {
    int n, p, draws, features;
    const double *x;         /* (n × p) */
    const double *penalised; /* (p) */
    const double *z;         /* (M + C × R), column-major */
    const double *lambda;    /* (M) */
    double ridge;            /* added to the diagonal of Q: features may be collinear */
    int grid, conditions;    /* g, C; 0: none */
    const double *grid_x;    /* (g × p) */
    double *theta;           /* (p × M + C) scratch, owned as all below */
    double *gram;            /* (p² × M + C) */
    double *square;          /* (M + C × R(R+1)/2): z_mk·z_ml, k ≥ l */
    double *block;           /* (p² × R(R+1)/2) */
    double *thread_scratch;  /* (threads, max(n, g) × p) */
} product_design;
/* Rows: n of each of the M draws, then g of each of the C. */
am_status product_design_open(product_design *d, piecewise_problem *problem, am_error *err);
void product_design_free(product_design *d); /* safe on one whose open failed */

#endif
