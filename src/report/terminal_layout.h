/* terminal_layout — the plots of a chart in characters before they are drawn. Private to the report
 * room. */
#ifndef AM_TERMINAL_LAYOUT_H
#define AM_TERMINAL_LAYOUT_H

#include "report/axis.h"
#include "report/canvas.h"
#include "report/report.h"

enum { TERMINAL_TEXT = 160, TERMINAL_LABEL_LINES = 4 };

typedef struct {
    const chart_panel *panel;
    const chart_terminal *terminal;
    axis x, y;
    axis_ticks x_ticks, y_ticks;
    int left, top, columns, rows; /* the plot's place on the canvas */
    bool legend_beside;           /* the title, else below it, an entry a line */
    int label_lines;              /* above the plot, of its rules */
    canvas c;
} terminal_plot;

/* The text as the terminal can show it ("" for NULL), in `out` when it has to be spelt out. */
const char *terminal_text(const terminal_plot *p, const char *text, char out[TERMINAL_TEXT]);
int terminal_width(const terminal_plot *p, const char *text); /* in columns */
/* "2×10⁻⁴", in ASCII "2e-4". */
void terminal_tick(const terminal_plot *p, const axis_tick *tick, char out[TERMINAL_TEXT]);
/* "title (unit of y)" */
void terminal_title(const terminal_plot *p, char out[TERMINAL_TEXT]);
/* Columns of a legend's sign, and of its whole entry. */
int terminal_key_width(const chart_series *s);
int terminal_entry_width(const terminal_plot *p, const chart_series *s);

/* The band of a curve can be shown at point i. */
bool terminal_has_band(const chart_series *s, int64_t i);

/* Everything above but the canvas, from panel and terminal. All plots begin at one column; neighbours
 * with one x label share the range of x. */
void terminal_arrange(terminal_plot *p, int count);

#endif
