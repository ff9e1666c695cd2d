/* audit_job — what the parts of an audit share; private to audit*.c. */
#ifndef AM_AUDIT_JOB_H
#define AM_AUDIT_JOB_H

#include "tune/audit.h"

typedef struct {
    const audit_request *q;
    audit_result *r;
    generator *g;
    backend *be;
    optimiser adam;    /* of the refits */
    train_hooks hooks; /* handed to their loops: they report the progress of the whole audit */
    double begin;
    int64_t done, total; /* steps × refits */
    int64_t trained;     /* of those, computed and not found in the cache, */
    double seconds;      /* in this time */
    int models;          /* of the batch that runs */
} audit_job;

/* Every use of random numbers has a seed of its own, apart from those of training and of `sample`. */
typedef enum {
    AUDIT_RATE,
    AUDIT_CURVE,
    AUDIT_DRAW,
    AUDIT_OMEGA,
    AUDIT_PREDICTIVE,
    AUDIT_SCATTER
} audit_part;
uint64_t audit_seed(const audit_job *job, audit_part part, uint32_t index, uint32_t chunk);

/* Refits from scratch, in as many batches as memory asks for. */
typedef struct {
    int models;              /* D */
    const double *lambda;    /* (D, G) */
    const float *omega;      /* (D, K), or NULL for ω = 1 */
    const float *rate_scale; /* (D), or NULL */
    bool apart;      /* an initialisation and a batch order for each; else the same for all */
    audit_part part; /* with index: the seed */
    uint32_t index;
    /* Handed models first, first + 1, … as they come. */
    am_status (*take)(void *context, const model_set *set, int first, am_error *err);
    void *context;
} audit_batch;
am_status audit_refit(audit_job *job, const audit_batch *batch, am_error *err);

/* λ (count·times, G): each λ for all groups and `times` models; NULL without memory. */
double *audit_spread(const audit_job *job, const double *lambda, int count, int times,
                     am_error *err);

/* The parts. */
am_status audit_find_rate(audit_job *job, am_error *err);
am_status audit_compare_curves(audit_job *job, am_error *err);
am_status audit_compare_draws(audit_job *job, am_error *err);

#endif
