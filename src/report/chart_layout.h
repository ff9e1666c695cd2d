/* chart_layout — where everything in a chart stands, in px of its view box. Private to the report
 * room. */
#ifndef AM_CHART_LAYOUT_H
#define AM_CHART_LAYOUT_H

#include "report/axis.h"
#include "report/report.h"

enum {
    FONT_TITLE = 17,
    FONT_PANEL = 14,
    FONT_TEXT = 12,
    FONT_POWER = 9, /* raised exponents */
    LEGEND_LINE_KEY = 26,
    LEGEND_MARK_KEY = 10,
    LEGEND_GAP = 7,    /* key to text */
    LEGEND_SPACE = 18, /* entry to entry */
    LEGEND_HEIGHT = 20,
    RULE_LINE = 17,
    MAX_RULE_LABELS = 16
};

typedef struct {
    double x, width; /* centre */
    int line;        /* 0: nearest to the plot; −1: no label */
} rule_label;

typedef struct {
    const chart_panel *panel;
    axis x, y;
    axis_ticks x_ticks, y_ticks;
    double title_y;      /* baseline */
    double legend_y;     /* middle of its first line */
    double legend_width; /* of all entries in one line; 0: no legend */
    bool legend_beside;  /* in the line of the title, to the right; else below, from the left */
    rule_label rule[MAX_RULE_LABELS];
    double top, bottom; /* of the plot */
    bool x_labels;      /* the last of the panels that share an axis carries them */
} panel_layout;

typedef struct {
    double width, height, left, right; /* left, right: of every plot */
    double title_y;
    int panels;
    panel_layout *panel; /* (panels), owned */
} chart_layout;

am_status chart_arrange(const char *path, const char *title, const chart_panel *panel,
                        int panel_count, chart_layout *layout, am_error *err);

static inline double chart_x(const chart_layout *layout, const panel_layout *p, double x)
{
    return layout->left + axis_fraction(&p->x, x) * (layout->right - layout->left);
}
static inline double chart_y(const panel_layout *p, double y)
{
    return p->bottom - axis_fraction(&p->y, y) * (p->bottom - p->top);
}
static inline int chart_key_width(const chart_series *series)
{
    return series->marks ? LEGEND_MARK_KEY : LEGEND_LINE_KEY;
}
/* Of one legend entry, its space behind included. */
double chart_entry_width(const chart_series *series);
double chart_tick_width(const axis_tick *tick);

#endif
