/* output — results as the commands write them: tables and JSON on stdout, files in a folder. */
#ifndef AM_OUTPUT_H
#define AM_OUTPUT_H

#include "cli/session.h"
#include "report/report.h"

/* Prints the document and deletes it. */
void output_json(cJSON *document, FILE *stream);
/* The document where it is asked for: on stdout with --json, in the file of --out. Deletes it. */
am_status output_document(const settings *set, cJSON *document, am_error *err);
/* The document as a file. Deletes it; NULL: there was no memory for it. */
am_status output_json_file(cJSON *document, const char *path, am_error *err);
/* FOLDER/summary.json. */
am_status output_summary(const cJSON *document, const char *folder, am_error *err);
/* "FOLDER/NAME", fresh; NULL without memory. */
char *output_path(const char *folder, const char *name);

/* The table of a curve on stdout: λ, loss, accuracy, band. */
am_status output_curve_table(const tuning_curve *curve, bool classes, FILE *stream, am_error *err);
/* curve.csv: lambda, val_nll, val_nll_se, val_acc, val_brier, val_ece, and the 5 and 95 % quantiles of
 * the band where there is one. */
am_status output_curve_csv(const tuning_curve *curve, const char *path, am_error *err);
cJSON *output_curve_json(const tuning_curve *curve);
/* output_npz.c: lambda and every metric (N); with draws of ω their loss and accuracy (N, D). */
am_status output_curve_npz(const tuning_curve *curve, const char *path, am_error *err);
/* "x/NAME.npz" ends in ".npz" and has a name; a NULL path does not. */
bool output_ends(const char *path, const char *ending);

cJSON *output_metrics_json(const metrics *m);
cJSON *output_selection_json(const selection *choice);

/* Refits to mark in the figure; NULL when there are none. */
typedef struct {
    int count;
    const double *lambda;
    const metrics *at;
} refit_marks;
/* path NULL: in the terminal, as --plot asks. */
am_status output_curve_svg(const tuning_curve *curve, const selection *choice,
                           const refit_marks *refits, bool classes, const char *title,
                           const char *path, am_error *err);
/* " λ = 1.0000e-03", with one value for every penalty group. */
void output_lambda(const selection *choice, FILE *stream);
cJSON *output_lambda_json(const selection *choice);
/* The words for a choice's alarms, empty when there are none. */
const char *output_alarm(const selection *choice);

#endif
