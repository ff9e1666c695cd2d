#include "report/chart_layout.h"

#include "report/svg.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 760,
    EDGE = 20,         /* free space round everything */
    ONE_PLOT = 330,    /* height of a single plot */
    MANY_PLOTS = 220,  /* of each of several */
    TICK = 9,          /* tick mark and gap to its label */
    PANEL_SPACE = 30,  /* below a panel with x labels */
    SHARED_SPACE = 18, /* below one without */
    Y_LABEL = 22       /* width of the rotated label */
};

double chart_entry_width(const chart_series *series)
{
    return chart_key_width(series) + LEGEND_GAP + svg_text_width(series->label, FONT_TEXT, false) +
           LEGEND_SPACE;
}

double chart_tick_width(const axis_tick *tick)
{
    double width = svg_text_width(tick->text, FONT_TEXT, false);
    if (tick->power) {
        char exponent[16];
        snprintf(exponent, sizeof exponent, "%d", tick->exponent);
        width += svg_text_width(exponent, FONT_POWER, false);
    }
    return width;
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static void add_series(panel_layout *p, const chart_series *series)
{
    for (int64_t i = 0; i < series->count; i++) {
        if (!axis_shows(p->x.log, series->x[i]))
            continue;
        double x = series->x[i], y = series->y[i];
        bool band = series->low && axis_shows(false, series->low[i]) && series->high &&
                    axis_shows(false, series->high[i]);
        if (axis_shows(false, y) || band)
            axis_add(&p->x, x);
        axis_add(&p->y, y);
        if (band) {
            axis_add(&p->y, series->low[i]);
            axis_add(&p->y, series->high[i]);
        }
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool shares_axis(const chart_panel *a, const chart_panel *b)
{
    return a->log_x == b->log_x && same_text(a->x_label, b->x_label);
}

/* Neighbours that share an axis get the union of their ranges. */
static void share_ranges(chart_layout *layout)
{
    for (int first = 0; first < layout->panels;) {
        axis joint = layout->panel[first].x;
        int next = first + 1;
        for (; next < layout->panels; next++) {
            if (!shares_axis(layout->panel[first].panel, layout->panel[next].panel))
                break;
            axis_join(&joint, &layout->panel[next].x);
        }
        axis_pad(&joint, 0.025);
        for (; first < next; first++) {
            layout->panel[first].x = joint;
            layout->panel[first].x_labels = first == next - 1;
        }
    }
}

/* No label beyond 0 or 100 % when no data are there. */
static void drop_impossible_percents(const axis *data, axis_ticks *ticks)
{
    int kept = 0;
    for (int i = 0; i < ticks->count; i++) {
        const axis_tick tick = ticks->tick[i];
        bool beyond =
            (tick.at > 1.0 + 1e-9 && data->high <= 1.0) || (tick.at < -1e-9 && data->low >= 0.0);
        if (!beyond)
            ticks->tick[kept++] = tick;
    }
    ticks->count = kept;
}

static void find_ranges(chart_layout *layout)
{
    for (int i = 0; i < layout->panels; i++) {
        panel_layout *p = &layout->panel[i];
        axis_clear(&p->x, p->panel->log_x);
        axis_clear(&p->y, false);
        for (int s = 0; s < p->panel->series_count; s++)
            add_series(p, &p->panel->series[s]);
        for (int r = 0; r < p->panel->rule_count; r++)
            axis_add(&p->x, p->panel->rule[r].x);
    }
    share_ranges(layout);
    for (int i = 0; i < layout->panels; i++) {
        panel_layout *p = &layout->panel[i];
        axis data = p->y;
        axis_pad(&p->y, 0.06);
        axis_find_ticks(&p->x, 6, false, &p->x_ticks);
        axis_find_ticks(&p->y, layout->panels > 1 ? 6 : 8, p->panel->percent_y, &p->y_ticks);
        if (p->panel->percent_y)
            drop_impossible_percents(&data, &p->y_ticks);
    }
}

/* ---- places ---------------------------------------------------------------------------------- */

static void set_sides(chart_layout *layout)
{
    double labels = 0.0, y_label = 0.0, overhang = 0.0;
    for (int i = 0; i < layout->panels; i++) {
        const panel_layout *p = &layout->panel[i];
        for (int t = 0; t < p->y_ticks.count; t++)
            labels = fmax(labels, chart_tick_width(&p->y_ticks.tick[t]));
        for (int t = 0; t < p->x_ticks.count; t++)
            if (p->x_ticks.tick[t].labelled)
                overhang = fmax(overhang, 0.5 * chart_tick_width(&p->x_ticks.tick[t]));
        if (p->panel->y_label)
            y_label = Y_LABEL;
    }
    layout->width = WIDTH;
    layout->left = EDGE + y_label + labels + TICK;
    layout->right = WIDTH - fmax(EDGE, overhang + 4.0);
}

/* Lines that the legend needs below the title. */
static int arrange_legend(const chart_layout *layout, panel_layout *p)
{
    double room = layout->right - layout->left, at = 0.0;
    int lines = 1;
    for (int s = 0; s < p->panel->series_count; s++) {
        const chart_series *series = &p->panel->series[s];
        if (!series->label)
            continue;
        double width = chart_entry_width(series);
        p->legend_width += width;
        if (at > 0.0 && at + width - LEGEND_SPACE > room) {
            lines++;
            at = 0.0;
        }
        at += width;
    }
    double title = p->panel->title ? svg_text_width(p->panel->title, FONT_PANEL, true) : 0.0;
    p->legend_beside = title + LEGEND_SPACE + p->legend_width <= room;
    return p->legend_width == 0.0 || p->legend_beside ? 0 : lines;
}

static bool repeats_rule(const chart_panel *panel, const chart_panel *above, int r)
{
    return above && shares_axis(panel, above) && r < above->rule_count &&
           same_text(panel->rule[r].label, above->rule[r].label);
}

static bool collides(const panel_layout *p, int r)
{
    const rule_label *label = &p->rule[r];
    for (int i = 0; i < r; i++)
        if (p->rule[i].line == label->line &&
            fabs(p->rule[i].x - label->x) < 0.5 * (p->rule[i].width + label->width) + 10.0)
            return true;
    return false;
}

/* Lines that the labels of rules need above the plot; labels keep within the plot's sides. */
static int arrange_rules(const chart_layout *layout, panel_layout *p, const chart_panel *above)
{
    int lines = 0;
    double room = layout->right - layout->left;
    for (int r = 0; r < AM_MIN(p->panel->rule_count, MAX_RULE_LABELS); r++) {
        const chart_rule *rule = &p->panel->rule[r];
        rule_label *label = &p->rule[r];
        *label = (rule_label){.line = -1};
        if (!rule->label || !axis_shows(p->x.log, rule->x) || repeats_rule(p->panel, above, r))
            continue;
        label->width = fmin(svg_text_width(rule->label, FONT_TEXT, false), room);
        double half = 0.5 * label->width;
        label->x =
            fmin(fmax(chart_x(layout, p, rule->x), layout->left + half), layout->right - half);
        do
            label->line++;
        while (collides(p, r));
        lines = AM_MAX(lines, label->line + 1);
    }
    return lines;
}

/* Places one panel below `y`; returns where the next may begin. */
static double arrange_panel(chart_layout *layout, int index, double y)
{
    panel_layout *p = &layout->panel[index];
    const chart_panel *above = index > 0 ? p[-1].panel : NULL;
    int legend_lines = arrange_legend(layout, p), rule_lines = arrange_rules(layout, p, above);
    if (p->panel->title || (p->legend_width > 0.0 && p->legend_beside)) {
        p->title_y = y + FONT_PANEL;
        p->legend_y = p->title_y - 5.0;
        y += FONT_PANEL + 10.0;
    }
    if (legend_lines > 0) {
        p->legend_y = y + 0.5 * LEGEND_HEIGHT;
        y += legend_lines * LEGEND_HEIGHT + 4.0;
    }
    p->top = y + rule_lines * RULE_LINE;
    p->bottom = p->top + (layout->panels > 1 ? MANY_PLOTS : ONE_PLOT);
    y = p->bottom;
    if (!p->x_labels)
        return y + SHARED_SPACE;
    y += TICK + FONT_TEXT + 4.0;
    if (p->panel->x_label)
        y += FONT_TEXT + 8.0;
    return y + (index + 1 < layout->panels ? PANEL_SPACE : 0);
}

am_status chart_arrange(const char *path, const char *title, const chart_panel *panel,
                        int panel_count, chart_layout *layout, am_error *err)
{
    *layout = (chart_layout){.panels = panel_count};
    layout->panel = am_alloc((size_t)panel_count, sizeof *layout->panel, path, err);
    if (!layout->panel)
        return err->status;
    for (int i = 0; i < panel_count; i++)
        layout->panel[i].panel = &panel[i];
    find_ranges(layout);
    set_sides(layout);
    double y = EDGE;
    if (title) {
        layout->title_y = y + FONT_TITLE - 2.0;
        y += FONT_TITLE + 18.0;
    }
    for (int i = 0; i < panel_count; i++)
        y = arrange_panel(layout, i, y);
    layout->height = y + 14.0;
    return AM_OK;
}
