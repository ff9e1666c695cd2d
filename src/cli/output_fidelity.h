/* output_fidelity — fidelity of generators whose refits are exact, as a table and as JSON: what the
 * classical experiments and mest share. */
#ifndef AM_OUTPUT_FIDELITY_H
#define AM_OUTPUT_FIDELITY_H

#include "report/report.h"
#include "tune/fidelity.h"

/* One generator at one place of the hyper-parameter, over fresh draws of ω. */
typedef struct {
    const char *name, *key; /* of the generator: for people, for programs */
    double at;              /* the hyper-parameter; NaN: there is none */
    fidelity f;
} exact_fidelity;

/* Rows of several generators, generator by generator at each place. */
typedef struct {
    const char *parameter, *key; /* "λ", "lambda" */
    const char *what;            /* whose deviations: "fitted values at the test rows" */
    const exact_fidelity *row;
    int count;
} exact_fidelities;

/* A heading, the table and the rule of its verdicts, on stdout. */
am_status output_fidelity_table(const exact_fidelities *all, am_error *err);
/* {what, draws, rule, at[] {key, generator, spread_ratio, captured_signal, fidelity,
 * reproducible_share and their _se, verdict, note}} */
cJSON *output_fidelity_json(const exact_fidelities *all);

#endif
