/* chart_marks — the data of a chart: bands, lines, error bars, marks and legend keys. Private to
 * the report room. */
#ifndef AM_CHART_MARKS_H
#define AM_CHART_MARKS_H

#include "report/chart_layout.h"

enum { CHART_COLOURS = 7 };

/* chart.c — the style sheet that every figure carries. */
void chart_put_style(FILE *stream);

/* Bands below lines below marks, whatever the order of the series. */
void chart_put_data(FILE *stream, const chart_layout *layout, const panel_layout *p);
void chart_put_legend(FILE *stream, const chart_layout *layout, const panel_layout *p);

#endif
