/* case — one thing to be timed, kept ready: a fit with its data and settings, the refits that compete
 * with it, and the models that come out of it. bench/run starts one process for every contender and
 * has them take turns. */
#ifndef BENCH_CASE_H
#define BENCH_CASE_H

#include "api/fit_options.h"

enum { CASE_POINTS = 20 };

/* What the command line says; a response_settings member of 0 leaves the recipe's. */
typedef struct {
    const char *device, *data;
    int64_t threads;
    double validation; /* share of the rows, or their number */
    am_fit_options fit;
    int64_t response_nodes, response_snapshots, response_rows, response_inputs, response_components,
        response_iterations;
} case_options;

extern const char case_usage[];
bool case_parse(int count, char **word, case_options *o);

/* Metrics of the models along λ. */
typedef struct {
    double seconds;
    int64_t steps;
    double response_seconds;
    metrics at[CASE_POINTS];
} case_result;

/* The session, its data on the device, and record.fit as asked for. */
am_status case_open(session *s, const case_options *o, am_error *err);
/* A fit from the start, of so many steps; s->g is then what it fitted, with its response if it has
 * one. Opening memory is not timed, taking the snapshots of a response is. */
am_status case_fit(session *s, int64_t steps, case_result *r, am_error *err);
/* The curve of s->g on the validation rows. */
am_status case_curve(session *s, case_result *r, am_error *err);
/* CASE_POINTS × draws models of s->g on the validation rows. */
am_status case_surface(session *s, int draws, case_result *r, am_error *err);
/* So many refits as one batch, at λ along the range; CASE_POINTS of them are judged too. */
am_status case_refits(session *s, const case_options *o, int models, int64_t steps, case_result *r,
                      am_error *err);

/* What the machine reaches, printed as one line of JSON: bytes a second of an update in place by the
 * size of what is updated, and operations a second of matrix products. */
am_status case_ceilings(backend *be, am_error *err);

#endif
