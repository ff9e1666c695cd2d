/* A chart in characters. Positions: a plot of W columns and H rows has 2W × 4H dots; what lies at the
 * share f of an axis falls on the nearest dot, round(f·(2W − 1)) from the left or round(f·(4H − 1))
 * from below, and marks, ticks and rules on that dot's cell. */
#include "report/terminal_layout.h"

#include <stdlib.h>

/* Where the pieces of a frame come from. */
typedef enum { CORNER, LEFT, LEFT_TICK, BELOW, BELOW_TICK, MARK, LINE_KEY } piece;

static uint32_t glyph_of(const terminal_plot *p, piece which)
{
    static const uint32_t pretty[] = {0x2514, 0x2502, 0x2524, 0x2500, 0x252C, 0x25CB, 0x2501};
    static const uint32_t plain[] = {'+', '|', '+', '-', '+', 'o', '*'};
    return p->terminal->utf8 ? pretty[which] : plain[which];
}

static int put_text(terminal_plot *p, int column, int row, const char *text, int ink)
{
    char plain[TERMINAL_TEXT];
    return canvas_text(&p->c, column, row, terminal_text(p, text, plain), ink);
}

/* ---- positions --------------------------------------------------------------------------------- */

static int nearest(double share, int dots)
{
    return (int)floor(share * (dots - 1) + 0.5);
}

/* Dots of the canvas. */
static int dot_x(const terminal_plot *p, double x)
{
    return CANVAS_DOTS_ACROSS * p->left +
           nearest(axis_fraction(&p->x, x), CANVAS_DOTS_ACROSS * p->columns);
}

static int dot_y(const terminal_plot *p, double y)
{
    int dots = CANVAS_DOTS_DOWN * p->rows;
    return CANVAS_DOTS_DOWN * p->top + dots - 1 - nearest(axis_fraction(&p->y, y), dots);
}

/* A tick holds a position, not a value. */
static int tick_dot(const axis *a, double at, int dots)
{
    return nearest((at - a->low) / (a->high - a->low), dots);
}

static bool inside(const terminal_plot *p, double x)
{
    double share = axis_shows(p->x.log, x) ? axis_fraction(&p->x, x) : -1.0;
    return share >= -1e-9 && share <= 1.0 + 1e-9;
}

/* ---- series ------------------------------------------------------------------------------------ */

static bool is_shown(const terminal_plot *p, const chart_series *s, int64_t i)
{
    return axis_shows(p->x.log, s->x[i]) && axis_shows(false, s->y[i]);
}

/* Every second dot of every second row between the band's ends, which are linear between points. */
static void draw_band(terminal_plot *p, const chart_series *s, int ink)
{
    for (int64_t i = 0; i + 1 < s->count; i++) {
        if (!terminal_has_band(s, i) || !terminal_has_band(s, i + 1) ||
            !axis_shows(p->x.log, s->x[i]) || !axis_shows(p->x.log, s->x[i + 1]))
            continue;
        int from = dot_x(p, s->x[i]), to = dot_x(p, s->x[i + 1]);
        for (int x = AM_MIN(from, to); x <= AM_MAX(from, to); x++) {
            double t = to == from ? 0.0 : (double)(x - from) / (to - from);
            int high = dot_y(p, s->high[i] + t * (s->high[i + 1] - s->high[i]));
            int low = dot_y(p, s->low[i] + t * (s->low[i + 1] - s->low[i]));
            for (int y = high; y <= low; y++)
                if (x % 2 == 0 && y % 2 == 0)
                    canvas_shade(&p->c, x, y, ink);
        }
    }
}

static void draw_line(terminal_plot *p, const chart_series *s, int ink)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (!is_shown(p, s, i))
            continue;
        int x = dot_x(p, s->x[i]), y = dot_y(p, s->y[i]);
        if (i + 1 < s->count && is_shown(p, s, i + 1))
            canvas_line(&p->c, x, y, dot_x(p, s->x[i + 1]), dot_y(p, s->y[i + 1]), ink);
        else
            canvas_dot(&p->c, x, y, ink);
    }
}

static void draw_marks(terminal_plot *p, const chart_series *s, int ink)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (!is_shown(p, s, i))
            continue;
        int x = dot_x(p, s->x[i]), y = dot_y(p, s->y[i]);
        if (s->small)
            canvas_dot(&p->c, x, y, ink);
        else
            canvas_glyph(&p->c, x / CANVAS_DOTS_ACROSS, y / CANVAS_DOTS_DOWN, glyph_of(p, MARK),
                         ink);
    }
}

static int ink_of(int series)
{
    return INK_SERIES + series % (INK_COUNT - INK_SERIES);
}

static void draw_series(terminal_plot *p)
{
    for (int k = 0; k < p->panel->series_count; k++)
        if (p->panel->series[k].low != NULL && !p->panel->series[k].marks)
            draw_band(p, &p->panel->series[k], INK_DIM);
    for (int k = 0; k < p->panel->series_count; k++) {
        const chart_series *s = &p->panel->series[k];
        if (s->marks)
            draw_marks(p, s, ink_of(k));
        else
            draw_line(p, s, ink_of(k));
    }
}

/* ---- frame and texts --------------------------------------------------------------------------- */

static void draw_y_axis(terminal_plot *p)
{
    char text[TERMINAL_TEXT];
    for (int row = 0; row < p->rows; row++)
        canvas_glyph(&p->c, p->left - 1, p->top + row, glyph_of(p, LEFT), INK_DIM);
    canvas_glyph(&p->c, p->left - 1, p->top + p->rows, glyph_of(p, CORNER), INK_DIM);
    int dots = CANVAS_DOTS_DOWN * p->rows, before = -1;
    for (int i = 0; i < p->y_ticks.count; i++) {
        const axis_tick *tick = &p->y_ticks.tick[i];
        int row = p->top + (dots - 1 - tick_dot(&p->y, tick->at, dots)) / CANVAS_DOTS_DOWN;
        if (!tick->labelled || row == before)
            continue;
        before = row;
        terminal_tick(p, tick, text);
        canvas_glyph(&p->c, p->left - 1, row, glyph_of(p, LEFT_TICK), INK_DIM);
        put_text(p, p->left - 2 - terminal_width(p, text), row, text, INK_PLAIN);
    }
}

/* Labels that would touch the one before are left out, their ticks stay. */
static void draw_x_axis(terminal_plot *p)
{
    char text[TERMINAL_TEXT];
    int row = p->top + p->rows, dots = CANVAS_DOTS_ACROSS * p->columns, end = -1;
    for (int column = 0; column < p->columns; column++)
        canvas_glyph(&p->c, p->left + column, row, glyph_of(p, BELOW), INK_DIM);
    for (int i = 0; i < p->x_ticks.count; i++) {
        const axis_tick *tick = &p->x_ticks.tick[i];
        int column = p->left + tick_dot(&p->x, tick->at, dots) / CANVAS_DOTS_ACROSS;
        if (!tick->labelled)
            continue;
        canvas_glyph(&p->c, column, row, glyph_of(p, BELOW_TICK), INK_DIM);
        terminal_tick(p, tick, text);
        int width = terminal_width(p, text);
        int at = AM_MAX(AM_MIN(column - width / 2, p->c.columns - width), 0);
        if (at <= end)
            continue;
        put_text(p, at, row + 1, text, INK_PLAIN);
        end = at + width;
    }
    const char *label = p->panel->x_label;
    put_text(p, p->left + (p->columns - terminal_width(p, label)) / 2, row + 2, label, INK_PLAIN);
}

/* The rules, and their labels above the plot: each as near to it as those to its left allow. */
static void draw_rules(terminal_plot *p, int lines)
{
    int end[TERMINAL_LABEL_LINES] = {0}; /* columns that are taken, from the lowest line up */
    for (int i = 0; i < p->panel->rule_count; i++) {
        const chart_rule *rule = &p->panel->rule[i];
        if (!inside(p, rule->x))
            continue;
        int column = dot_x(p, rule->x) / CANVAS_DOTS_ACROSS, line = 0;
        int width = terminal_width(p, rule->label);
        int at = AM_MAX(AM_MIN(column - width / 2, p->c.columns - width), 0);
        while (line + 1 < lines && at < end[line])
            line++;
        if (lines > 0 && at >= end[line]) {
            put_text(p, at, p->top - 1 - line, rule->label, INK_RULE);
            end[line] = at + width + 2;
        }
        for (int row = p->top - line; row < p->top + p->rows; row++)
            canvas_rule(&p->c, column, row);
    }
}

/* Title on the left, then the legend. */
static void draw_head(terminal_plot *p)
{
    char title[TERMINAL_TEXT];
    terminal_title(p, title);
    put_text(p, 0, 0, title, INK_BOLD);
    int column = terminal_width(p, title), row = 0;
    for (int k = 0; k < p->panel->series_count; k++) {
        const chart_series *s = &p->panel->series[k];
        if (s->label == NULL)
            continue;
        row += !p->legend_beside;
        column = p->legend_beside ? column + 3 : 2;
        int key = terminal_key_width(s);
        for (int i = 0; i < key; i++)
            canvas_glyph(&p->c, column + i, row, glyph_of(p, s->marks ? MARK : LINE_KEY),
                         ink_of(k));
        put_text(p, column + key + 1, row, s->label, INK_PLAIN);
        column += terminal_entry_width(p, s);
    }
}

/* ---- all panels ----------------------------------------------------------------------------------- */

static am_status print_plot(terminal_plot *p, FILE *stream, am_error *err)
{
    AM_TRY(canvas_open(p->left + p->columns, p->top + p->rows + 3, &p->c, err));
    draw_head(p);
    draw_y_axis(p);
    draw_x_axis(p);
    draw_series(p);
    draw_rules(p, p->label_lines);
    canvas_print(&p->c, p->terminal->utf8, p->terminal->colour, stream);
    canvas_close(&p->c);
    return AM_OK;
}

am_status chart_print(const char *title, const chart_panel *panel, int panel_count,
                      const chart_terminal *terminal, FILE *stream, am_error *err)
{
    char plain[TERMINAL_TEXT];
    terminal_plot texts = {.terminal = terminal};
    if (title != NULL)
        fprintf(stream, terminal->colour ? "\033[1m%s\033[0m\n" : "%s\n",
                terminal_text(&texts, title, plain));
    terminal_plot *p = am_alloc((size_t)AM_MAX(panel_count, 1), sizeof *p, "plot", err);
    am_status status = p != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int i = 0; i < panel_count && status == AM_OK; i++)
        p[i] = (terminal_plot){.panel = &panel[i], .terminal = terminal};
    if (status == AM_OK)
        terminal_arrange(p, panel_count);
    for (int i = 0; i < panel_count && status == AM_OK; i++) {
        if (i > 0 || title != NULL)
            fputc('\n', stream);
        status = print_plot(&p[i], stream, err);
    }
    free(p);
    return status;
}
