/* explore — what a report needs to let its reader move along λ: the curve at many λ with its confusion
 * matrices, a gallery of rows with their predictions over draws of ω, and the generator itself, small
 * enough to be carried along and evaluated by the reader's browser. */
#ifndef AM_EXPLORE_H
#define AM_EXPLORE_H

#include "tune/tune.h"

/* ---- explore.c: along λ, at ω = 1, on the validation rows ------------------------------------- */

typedef struct {
    int positions, classes; /* N, C; classes 0 in regression */
    double *lambda;         /* (N) ascending */
    metrics *at;            /* (N) */
    int32_t *confusion;     /* (N, C, C) rows by their class and by the predicted one; or NULL */
} exploration;

/* Positions for `points` λ of a curve (ascending): these, so many equally spaced in log λ between
 * neighbours that there are about a hundred, and `extra` where it is none of them. */
am_status explore_positions(const double *curve, int points, double extra, exploration *e,
                            am_error *err);
/* Fills in what the generator does there. host: the same rows, with their labels. */
am_status explore_evaluate(generator *g, const device_rows *validation, const am_rows *host,
                           exploration *e, am_error *err);
void exploration_free(exploration *e); /* safe on a zeroed one */

/* ---- gallery.c: some rows, and what many draws of ω make of them ------------------------------- */

typedef enum { GALLERY_UNSURE, GALLERY_WRONG, GALLERY_TYPICAL, GALLERY_KINDS } gallery_kind;
enum { GALLERY_ROWS = 48 };

typedef struct {
    int rows;                  /* at most GALLERY_ROWS */
    int64_t row[GALLERY_ROWS]; /* of the rows that it was chosen from */
    gallery_kind kind[GALLERY_ROWS];
    am_rows host; /* owned, as all below */
    device_rows device;
    int draws, blocks; /* D of ω; 0: the generator does not see it */
    float *omega;      /* (D, K): what the generator is given for them */
    /* the precomputed predictions, where the browser cannot compute them: */
    int points;
    double *lambda; /* (points) */
    float *plain;   /* (points, rows, C) probabilities at ω = 1 */
    float *mean;    /* (points, rows, C) their mean over the draws; NULL without draws */
    float *draw;    /* (points, D, rows, C); NULL without draws */
} gallery;

/* Chooses rows at λ of the request: those that the draws are least sure of, those that are wrong with
 * the most confidence, and for every class the first ones that are neither. */
am_status gallery_open(const posterior_request *q, const am_rows *host, int rows, gallery *v,
                       am_error *err);
/* Predictions at the λ, for readers that do not evaluate the generator. */
am_status gallery_predict(const posterior_request *q, const double *lambda, int points, gallery *v,
                          am_error *err);
void gallery_close(gallery *v); /* safe on a zeroed one */

/* ---- compact.c: the generator in few bytes ------------------------------------------------------ */

/* θ(λ) = Σ_k T_k(u) Θ_k in 16 bits a weight, a scale for every feature and unit. What ω adds is carried
 * in 12 bits: for the layers behind the first as weights, for the first as what it adds to the hidden
 * units of the gallery's rows, so that these follow any draw of ω at any λ. */
typedef struct {
    bool fits;         /* else the rest is empty */
    int terms;         /* features of λ alone, with the constant */
    int answers;       /* features of ω: nodes·K; 0 without ω */
    int64_t base_rows; /* scales a feature: one per unit of every layer, one per bias vector */
    int16_t *base;     /* (terms, P) */
    float *base_scale; /* (terms, base_rows) */
    int64_t behind, behind_rows; /* parameters behind the first layer, and their scales */
    int16_t *upper;              /* (answers, behind) of ±2047 */
    float *upper_scale;          /* (answers, behind_rows) */
    int16_t *hidden;             /* (rows, answers, first layer's units) of ±2047 */
    float *hidden_scale;         /* (rows, answers) */
} compact;

enum { COMPACT_MOST = 2300000 }; /* characters that the reader is to load for it */

/* v: the gallery whose rows are to follow ω; NULL: none. */
am_status compact_open(const generator *g, const gallery *v, compact *c, am_error *err);
void compact_close(compact *c); /* safe on a zeroed one */

#endif
