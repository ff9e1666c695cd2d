/* report — the measurements as a Markdown document and as CSV. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "measure.h"

#include <stdio.h>

/* One op of one scenario. */
typedef struct {
    const char *scenario;
    op_use use;
    int op, times; /* a step */
    double error, seconds;
} op_row;

void report_head(FILE *md, const backend *be, const char *precision, const ceilings *c);
void report_scenario(FILE *md, const char *name, const char *what);
void report_op(FILE *md, FILE *csv, const op_row *row, const ceilings *c);
/* floor: the sum over the ops of a step. */
void report_step(FILE *md, FILE *csv, const char *name, double seconds, double floor, int calls);
void report_csv_head(FILE *csv);

/* What counts as right: normalised error in this precision. */
double report_tolerance(const char *precision);

#endif
