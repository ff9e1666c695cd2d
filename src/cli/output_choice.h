/* output_choice — the choice of λ and how sure it is, for people and machines. */
#ifndef AM_OUTPUT_CHOICE_H
#define AM_OUTPUT_CHOICE_H

#include "cli/output.h"

typedef struct {
    const tuning_curve *curve;
    const char *data, *rule, *metric; /* names */
    bool classes;
    metric_kind kind; /* of the choice's value */
    selection choice; /* by the rule */
    selection one_se; /* by one standard error, whatever the rule */
    const int *count; /* (points) how often each is the best over the draws of ω */
    double range[3];  /* 5, 50 and 95 % of the best λ over the draws; NaN without draws */
    double edges;     /* share of the draws whose best is an end of the range; NaN */
} choice_result;

void output_choice_print(const choice_result *r, FILE *stream);
cJSON *output_choice_json(const choice_result *r);
/* The figure in the terminal. */
am_status output_choice_plot(const choice_result *r, am_error *err);
/* choice.json, choice.csv and choice.svg in the folder. */
am_status output_choice_files(const choice_result *r, const char *folder, am_error *err);

#endif
