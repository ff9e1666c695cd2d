/* output_audit — an audit for people and machines: tables and JSON on stdout, files in a folder. */
#ifndef AM_OUTPUT_AUDIT_H
#define AM_OUTPUT_AUDIT_H

#include "cli/auditing.h"
#include "report/report.h"

/* Tables of the step sizes, the curve, the posterior, and the verdicts. */
am_status output_audit_print(const audit_result *r, const audit_cost *cost, FILE *stream,
                             am_error *err);
/* The object of summary.json → audit. */
cJSON *output_audit_json(const audit_result *r, const audit_cost *cost);
/* audit.json (document; NULL: not written), audit_curve.csv, audit_posterior.csv, audit_rates.csv and
 * the figures audit_curve.svg, audit_gap.svg, audit_draws.svg, audit_spread.svg. title names what is
 * audited. */
am_status output_audit_files(const audit_result *r, const cJSON *document, const char *title,
                             const char *folder, am_error *err);
/* output_audit_figures.c — one of the figures; the name decides which. path NULL: in the terminal,
 * audit_curve.svg alone. */
am_status output_audit_figure(const audit_result *r, const char *name, const char *title,
                              const char *path, am_error *err);

/* "0.041 ± 0.012" with so many decimals, without the error where there is none; "-" for NaN. */
void output_estimate(estimate e, int decimals, bool sign, char *text, size_t size);

#endif
