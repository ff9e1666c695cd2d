/* experiment mnist — the published MNIST experiment, end to end (see mnist.c). */
#ifndef AM_EXPERIMENTS_MNIST_H
#define AM_EXPERIMENTS_MNIST_H

#include "api/fit_job.h"
#include "api/sampling.h"
#include "cli/experiments/experiments.h"
#include "cli/output.h"
#include "cli/output_audit.h"

/* Everything the experiment measures; what the reports are written from. */
typedef struct {
    const char *protocol, *dataset, *rows; /* rows: "test" or "validation" */
    fit_settings fit;
    double fit_loss;
    plan_kind plan;
    tuning_curve curve;
    selection choice;
    const char *metric;  /* that it was made by */
    selection one_se;    /* by one standard error, whatever the rule */
    int *count;          /* (points) how often each is the best over the draws of ω */
    fit_history history; /* of the generator */
    metrics generator_test, refit_test;
    posterior post;
    int repeats;             /* refits at every λ of the curve, each with its own seed */
    metrics *refit;          /* (points) their validation metrics, averaged over the repeats */
    double *criterion;       /* (points) L(g(λ); 1, λ) on the training rows, penalty included */
    double *refit_criterion; /* (points) the same of the refits, averaged */
    bool audited;            /* with --audit */
    audit_result audit;
    audit_cost audit_cost;
    ledger ledger;
    double data_seconds, total_seconds;
} mnist_result;

/* mnist_report.c — table on stdout (or JSON with --json), and the files in `folder`. */
am_status mnist_report(const session *s, const settings *set, const mnist_result *r,
                       const char *folder, am_error *err);

/* mnist_figures.c — choice.json, .csv and .svg, reliability.csv and .svg, history.csv and .svg. */
am_status mnist_figures(const session *s, const settings *set, const mnist_result *r,
                        const char *folder, am_error *err);
/* {step: [], loss: []} */
cJSON *mnist_history_json(const mnist_result *r);

#endif
