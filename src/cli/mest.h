/* mest — what the files of the command mest share. */
#ifndef AM_CLI_MEST_H
#define AM_CLI_MEST_H

#include "classic/mest_uses.h"
#include "cli/output.h"

typedef struct {
    const settings *set;
    mest_data data;
    mest_setup setup;
    double *lambda; /* (set->points) of cv, stability and path; owned */
} mest_job;

/* One use: run, print, write. */
am_status mest_bootstrap_command(mest_job *job, am_error *err);
am_status mest_cv_command(mest_job *job, am_error *err);
am_status mest_stability_command(mest_job *job, am_error *err);
am_status mest_path_command(mest_job *job, am_error *err);

/* The grid of λ, from --range or from the data. */
am_status mest_job_grid(mest_job *job, am_error *err);

/* ---- cmd_mest_output.c ------------------------------------------------------------------------- */

/* "logistic regression of 'died' (1: yes) on 30 columns, 500 rows" on stdout, unless --json. */
void mest_print_head(const mest_job *job);
/* A document with what all uses have. */
cJSON *mest_document(const mest_job *job);
cJSON *mest_account_json(const mest_account *account);
/* Adds "seconds" and "cpu_seconds"; null for what was not done. */
void mest_add_seconds(cJSON *document, const mest_seconds *seconds);
/* Numbers of a row or a column; NULL without memory. */
cJSON *mest_numbers(int count, const double *value);
/* FOLDER/summary.json and, with --json, stdout; deletes it. */
am_status mest_finish(const mest_job *job, cJSON *document, am_error *err);
/* Text of a number for a CSV: "" for NaN. */
void mest_cell(double value, char text[AM_NUMBER_TEXT]);
/* Lines of every coefficient along λ; the largest have labels, and bands where there are any. */
typedef struct {
    const char *file, *title, *y_label;
    int points;
    const double *lambda;     /* (points) */
    const double *y;          /* (q × points) */
    const double *low, *high; /* (q × points) or NULL */
    bool scale;               /* to one standard deviation of the column */
    const chart_rule *rule;
    int rules;
} mest_lines;
am_status mest_path_figure(const mest_job *job, const mest_lines *lines, am_error *err);
/* CSV: lambda, then one column per coefficient and array: NAME, NAME_suffix, …; suffix[0] is "". */
am_status mest_path_csv(const mest_job *job, int points, const double *lambda, int arrays,
                        const double *const *value, const char *const *suffix, const char *name,
                        am_error *err);

#endif
