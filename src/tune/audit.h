/* audit — is the generator right? It is held against refits from scratch (METHOD §6): the curve, the
 * posterior, and a verdict for every property. */
#ifndef AM_AUDIT_H
#define AM_AUDIT_H

#include "train/refit_cache.h"
#include "tune/fidelity.h"
#include "tune/tune.h"

enum {
    AUDIT_MOST_LAMBDAS = 16, /* of the posterior */
    AUDIT_RATE_LAMBDAS = 5,  /* that step sizes are compared at */
    AUDIT_MOST_RATES = 10,
    AUDIT_PREDICTIVE_DRAWS = 50, /* of the generator's predictive mean and of its band */
    AUDIT_SAMPLES = 400,         /* points of the scatter at one λ */
    AUDIT_MOST_LINES = 16        /* properties with a verdict */
};

/* What is audited, and how much of it. */
typedef struct {
    const posterior_request
        *sample;                   /* how `sample` draws: generator, training rows, distribution of
                                        ω, short refits; its λ, draws, rows and seed are not used */
    const device_rows *validation; /* the rows to predict */
    int rows;                      /* B of the refits */
    int64_t steps;                 /* of the refits: as many as the generator was fitted in */
    int points, repeats;           /* of the curve; refits at each, each repeat a seed of its own */
    int draws;                     /* D of ω */
    int lambdas;                   /* λ of the posterior, at most AUDIT_MOST_LAMBDAS */
    const double *lambda;
    uint64_t seed;
    refit_cache *cache;
    const train_hooks *hooks; /* progress and stop, or NULL */
} audit_request;

/* The step size of the refits, found by search (audit_rates.c). */
typedef struct {
    int count; /* rates tried, ascending */
    double rate[AUDIT_MOST_RATES];
    double lambda[AUDIT_RATE_LAMBDAS];
    double nll[AUDIT_MOST_RATES][AUDIT_RATE_LAMBDAS]; /* on the validation rows */
    double accuracy[AUDIT_MOST_RATES][AUDIT_RATE_LAMBDAS];
    double nll_mean[AUDIT_MOST_RATES], accuracy_mean[AUDIT_MOST_RATES];
    bool tied[AUDIT_MOST_RATES]; /* with the least NLL, within a standard error */
    int best;                    /* the least mean NLL */
    int chosen;                  /* the most accurate of those tied with it */
    bool edge;                   /* the best is the smallest or largest that was tried */
    double
        advantage; /* accuracy that the most accurate of all has over the chosen; NaN: no classes */
} audit_rates;

/* The generator's curve against that of refits; gaps are generator minus refits. */
typedef struct {
    tuning_curve curve;      /* the generator's, with a band where it sees ω */
    int repeats;             /* R */
    metrics *refit;          /* (R, points) validation metrics; owned, like all below */
    double *criterion;       /* (points) L(g; 1, λ) on all training rows, penalty included */
    double *refit_criterion; /* (R, points) */
    /* Standard errors over the repeats; NaN for one. Accuracy as a share, gap worst: least. */
    estimate acc_gap_mean, acc_gap_worst;
    estimate nll_gap_mean, nll_gap_worst;             /* worst: largest */
    estimate criterion_gap_mean, criterion_gap_worst; /* E = L(g)/L(refit) − 1; worst: largest */
    estimate rank_correlation; /* Spearman's, of the two validation NLL curves */
    estimate rank_correlation_acc;
    estimate regret; /* refits' NLL at the generator's best λ over that at their own; its error: the
                        validation rows' */
    double regret_acc;
    int worst_acc, worst_nll, worst_criterion; /* points */
    int best, refit_best;                      /* points: least NLL */
} audit_curve;

typedef struct {
    double lambda;
    fidelity f;
    metrics generator; /* of the predictive mean over AUDIT_PREDICTIVE_DRAWS draws, */
    metrics refits;    /* and over the D refits of one set; NaN in regression */
    /* Quantiles over both sets of refits, one metric of each: 5 %, median, 95 %. */
    double refit_nll[3], refit_accuracy[3];
    int samples;
    double generator_delta[AUDIT_SAMPLES]; /* deviations at random draws and values, */
    double refit_delta[AUDIT_SAMPLES];     /* of the mean of both refits */
} audit_posterior;

typedef enum { VERDICT_PASS, VERDICT_WARN, VERDICT_FAIL } audit_verdict;

/* One property, judged. */
typedef struct {
    const char *property, *unit;
    char rule[96]; /* the thresholds: "≥ -0.25, fails < -1" */
    audit_verdict verdict;
    double value, se;
    double lambda;    /* where it is worst; NaN for properties of the whole curve */
    const char *note; /* what else there is to say, or NULL */
} audit_line;

typedef struct {
    audit_rates rates;
    audit_curve curve;
    int lambdas, draws;
    int64_t predicted;   /* validation rows that the posterior is judged on */
    bool from_generator; /* draws are g(ω, λ), else the short weighted refits of `sample` */
    int sampled; /* ω are the first of so many that the response is for; 0: nobody has seen them */
    audit_posterior at[AUDIT_MOST_LAMBDAS];
    int lines;
    audit_line line[AUDIT_MOST_LINES];
    audit_verdict verdict; /* the worst */
    int refits;            /* in all */
    int64_t steps;         /* of each */
    double seconds;
} audit_result;

/* How many refits it will take, when the step size is found at once. */
int audit_refits(const audit_request *q);
am_status audit_run(const audit_request *q, audit_result *r, am_error *err);
void audit_free(audit_result *r); /* safe on a zeroed one */

/* audit_verdict.c — fills r->line and r->verdict from the table of thresholds. */
void audit_judge(audit_result *r);
const char *audit_verdict_name(audit_verdict verdict);

/* Mean over the repeats of what the refits at a point reach. */
double audit_refit_mean(const audit_curve *c, int point, metric_kind kind);
double audit_refit_criterion(const audit_curve *c, int point);
/* What the generator has less the refits, over the repeats; criterion: E = L(g)/L(refit) − 1. */
typedef enum { GAP_ACCURACY, GAP_NLL, GAP_CRITERION } audit_gap_kind;
estimate audit_gap(const audit_curve *c, audit_gap_kind kind, int point);

/* Spearman's rank correlation of x and y (n), ties at their mean rank; NaN where one is constant. */
am_status spearman(const double *x, const double *y, int n, double *rho, am_error *err);

#endif
