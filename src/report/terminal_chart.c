/* A chart in characters. Positions: a plot of W columns and H rows has 2W × 4H dots; what lies at the
 * share f of an axis falls on the nearest dot, round(f·(2W − 1)) from the left or round(f·(4H − 1))
 * from below, and marks, ticks and rules on that dot's cell. */
#include "report/axis.h"
#include "report/canvas.h"
#include "report/plain_text.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 160, MOST_LABEL_LINES = 4, ROWS_A_TICK = 3, COLUMNS_A_TICK = 12 };

typedef struct {
    const chart_panel *panel;
    const chart_terminal *terminal;
    axis x, y;
    axis_ticks x_ticks, y_ticks;
    int left, top, columns, rows; /* the plot's place on the canvas */
    int label_lines;              /* above the plot, of its rules */
    canvas c;
} plot;

/* Where the pieces of a frame come from. */
typedef enum { CORNER, LEFT, LEFT_TICK, BELOW, BELOW_TICK, MARK, LINE_KEY } piece;

static uint32_t glyph_of(const plot *p, piece which)
{
    static const uint32_t pretty[] = {0x2514, 0x2502, 0x2524, 0x2500, 0x252C, 0x25CB, 0x2501};
    static const uint32_t plain[] = {'+', '|', '+', '-', '+', 'o', '*'};
    return p->terminal->utf8 ? pretty[which] : plain[which];
}

/* The text as the terminal can show it. */
static const char *readable(const plot *p, const char *text, char out[MOST_TEXT])
{
    if (text == NULL)
        return "";
    if (p->terminal->utf8)
        return text;
    plain_text(text, out, MOST_TEXT);
    return out;
}

static int put_text(plot *p, int column, int row, const char *text, int ink)
{
    char plain[MOST_TEXT];
    return canvas_text(&p->c, column, row, readable(p, text, plain), ink);
}

static int width_of(const plot *p, const char *text)
{
    char plain[MOST_TEXT];
    int width = 0;
    for (const char *at = readable(p, text, plain); *at != '\0'; at++)
        width += ((unsigned char)*at & 0xC0) != 0x80;
    return width;
}

/* "2×10⁻⁴", in ASCII "2e-4". */
static void tick_text(const plot *p, const axis_tick *tick, char out[MOST_TEXT])
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits[16];
    snprintf(out, MOST_TEXT, "%s", tick->text);
    if (!tick->power)
        return;
    snprintf(digits, sizeof digits, "%d", tick->exponent);
    if (!p->terminal->utf8) {
        char *ten = strstr(out, "×10");
        *(ten != NULL ? ten : out) = '\0';
        snprintf(out + strlen(out), MOST_TEXT - strlen(out), "%se%s", ten != NULL ? "" : "1",
                 digits);
        return;
    }
    for (const char *d = digits; *d != '\0'; d++)
        strncat(out, *d == '-' ? "⁻" : raised[*d - '0'], MOST_TEXT - strlen(out) - 1);
}

/* ---- ranges ------------------------------------------------------------------------------------ */

static bool has_band(const chart_series *s, int64_t i)
{
    return s->low != NULL && s->high != NULL && !s->marks && axis_shows(false, s->low[i]) &&
           axis_shows(false, s->high[i]);
}

static void add_ranges(plot *p)
{
    axis_clear(&p->x, p->panel->log_x);
    axis_clear(&p->y, false);
    for (int k = 0; k < p->panel->series_count; k++) {
        const chart_series *s = &p->panel->series[k];
        for (int64_t i = 0; i < s->count; i++) {
            if (!axis_shows(p->x.log, s->x[i]))
                continue;
            if (axis_shows(false, s->y[i]) || has_band(s, i))
                axis_add(&p->x, s->x[i]);
            axis_add(&p->y, s->y[i]);
            if (has_band(s, i)) {
                axis_add(&p->y, s->low[i]);
                axis_add(&p->y, s->high[i]);
            }
        }
    }
    axis_pad(&p->y, 0);
}

/* ---- positions --------------------------------------------------------------------------------- */

static int nearest(double share, int dots)
{
    return (int)floor(share * (dots - 1) + 0.5);
}

/* Dots of the canvas. */
static int dot_x(const plot *p, double x)
{
    return CANVAS_DOTS_ACROSS * p->left +
           nearest(axis_fraction(&p->x, x), CANVAS_DOTS_ACROSS * p->columns);
}

static int dot_y(const plot *p, double y)
{
    int dots = CANVAS_DOTS_DOWN * p->rows;
    return CANVAS_DOTS_DOWN * p->top + dots - 1 - nearest(axis_fraction(&p->y, y), dots);
}

/* A tick holds a position, not a value. */
static int tick_dot(const axis *a, double at, int dots)
{
    return nearest((at - a->low) / (a->high - a->low), dots);
}

static bool inside(const plot *p, double x)
{
    double share = axis_shows(p->x.log, x) ? axis_fraction(&p->x, x) : -1.0;
    return share >= -1e-9 && share <= 1.0 + 1e-9;
}

/* ---- series ------------------------------------------------------------------------------------ */

static bool is_shown(const plot *p, const chart_series *s, int64_t i)
{
    return axis_shows(p->x.log, s->x[i]) && axis_shows(false, s->y[i]);
}

/* Every second dot of every second row between the band's ends, which are linear between points. */
static void draw_band(plot *p, const chart_series *s, int ink)
{
    for (int64_t i = 0; i + 1 < s->count; i++) {
        if (!has_band(s, i) || !has_band(s, i + 1) || !axis_shows(p->x.log, s->x[i]) ||
            !axis_shows(p->x.log, s->x[i + 1]))
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

static void draw_line(plot *p, const chart_series *s, int ink)
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

static void draw_marks(plot *p, const chart_series *s, int ink)
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

static void draw_series(plot *p)
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

static void draw_y_axis(plot *p)
{
    char text[MOST_TEXT];
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
        tick_text(p, tick, text);
        canvas_glyph(&p->c, p->left - 1, row, glyph_of(p, LEFT_TICK), INK_DIM);
        put_text(p, p->left - 2 - width_of(p, text), row, text, INK_PLAIN);
    }
}

/* Labels that would touch the one before are left out, their ticks stay. */
static void draw_x_axis(plot *p)
{
    char text[MOST_TEXT];
    int row = p->top + p->rows, dots = CANVAS_DOTS_ACROSS * p->columns, end = -1;
    for (int column = 0; column < p->columns; column++)
        canvas_glyph(&p->c, p->left + column, row, glyph_of(p, BELOW), INK_DIM);
    for (int i = 0; i < p->x_ticks.count; i++) {
        const axis_tick *tick = &p->x_ticks.tick[i];
        int column = p->left + tick_dot(&p->x, tick->at, dots) / CANVAS_DOTS_ACROSS;
        if (!tick->labelled)
            continue;
        canvas_glyph(&p->c, column, row, glyph_of(p, BELOW_TICK), INK_DIM);
        tick_text(p, tick, text);
        int width = width_of(p, text);
        int at = AM_MAX(AM_MIN(column - width / 2, p->c.columns - width), 0);
        if (at <= end)
            continue;
        put_text(p, at, row + 1, text, INK_PLAIN);
        end = at + width;
    }
    const char *label = p->panel->x_label;
    put_text(p, p->left + (p->columns - width_of(p, label)) / 2, row + 2, label, INK_PLAIN);
}

/* The rules, and their labels above the plot: each as near to it as those to its left allow. */
static void draw_rules(plot *p, int lines)
{
    int end[MOST_LABEL_LINES] = {0}; /* columns that are taken, from the lowest line up */
    for (int i = 0; i < p->panel->rule_count; i++) {
        const chart_rule *rule = &p->panel->rule[i];
        if (!inside(p, rule->x))
            continue;
        int column = dot_x(p, rule->x) / CANVAS_DOTS_ACROSS, line = 0;
        int width = width_of(p, rule->label);
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

static int key_width(const chart_series *s)
{
    return s->marks ? 1 : 2;
}

static int entry_width(const plot *p, const chart_series *s)
{
    return key_width(s) + 1 + width_of(p, s->label);
}

/* Title on the left, then the legend: beside it when it fits, else below, an entry a line. put false
 * only counts the rows. */
static int draw_head(plot *p, bool put)
{
    char title[MOST_TEXT];
    const char *unit = p->panel->y_label;
    bool has_unit = unit != NULL && *unit != '\0';
    snprintf(title, sizeof title, "%s%s%s%s", p->panel->title ? p->panel->title : "",
             has_unit ? " (" : "", has_unit ? unit : "", has_unit ? ")" : "");
    int column = width_of(p, title), total = column, row = 0;
    if (put)
        put_text(p, 0, 0, title, INK_BOLD);
    for (int k = 0; k < p->panel->series_count; k++)
        total += 3 + entry_width(p, &p->panel->series[k]);
    bool beside = total <= p->terminal->columns;
    for (int k = 0; k < p->panel->series_count; k++) {
        const chart_series *s = &p->panel->series[k];
        if (s->label == NULL)
            continue;
        row += !beside;
        column = beside ? column + 3 : 2;
        for (int i = 0; put && i < key_width(s); i++)
            canvas_glyph(&p->c, column + i, row, glyph_of(p, s->marks ? MARK : LINE_KEY),
                         ink_of(k));
        if (put)
            put_text(p, column + key_width(s) + 1, row, s->label, INK_PLAIN);
        column += entry_width(p, s);
    }
    return row + 1;
}

/* ---- all panels ----------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Neighbours with one x label share the range of x. */
static void share_ranges(plot *p, int count)
{
    for (int first = 0, next; first < count; first = next) {
        const chart_panel *own = p[first].panel;
        for (next = first + 1; next < count; next++) {
            if (p[next].panel->log_x != own->log_x ||
                !same_text(p[next].panel->x_label, own->x_label))
                break;
            axis_join(&p[first].x, &p[next].x);
        }
        axis_pad(&p[first].x, 0);
        for (int i = first; i < next; i++)
            p[i].x = p[first].x;
    }
}

/* Columns that the labels of y take. */
static int find_y_ticks(plot *p)
{
    char text[MOST_TEXT];
    int widest = 0;
    p->rows = AM_MAX(p->terminal->rows, 4);
    axis_find_ticks(&p->y, AM_MAX(p->rows / ROWS_A_TICK, 2), p->panel->percent_y, &p->y_ticks);
    for (int i = 0; i < p->y_ticks.count; i++)
        if (p->y_ticks.tick[i].labelled) {
            tick_text(p, &p->y_ticks.tick[i], text);
            widest = AM_MAX(widest, width_of(p, text));
        }
    return widest;
}

/* All plots begin at one column. */
static void arrange(plot *p, int count)
{
    int widest = 0;
    for (int i = 0; i < count; i++)
        add_ranges(&p[i]);
    share_ranges(p, count);
    for (int i = 0; i < count; i++)
        widest = AM_MAX(widest, find_y_ticks(&p[i]));
    for (int i = 0; i < count; i++, p++) {
        p->left = widest + 2; /* a blank, the axis */
        p->columns = AM_MAX(p->terminal->columns, CHART_LEAST_COLUMNS) - p->left;
        axis_find_ticks(&p->x, AM_MAX(p->columns / COLUMNS_A_TICK, 2), false, &p->x_ticks);
        p->label_lines = AM_MIN(p->panel->rule_count, MOST_LABEL_LINES);
        p->top = draw_head(p, false) + p->label_lines;
    }
}

static am_status print_plot(plot *p, FILE *stream, am_error *err)
{
    AM_TRY(canvas_open(p->left + p->columns, p->top + p->rows + 3, &p->c, err));
    draw_head(p, true);
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
    char plain[MOST_TEXT];
    plot texts = {.terminal = terminal};
    if (title != NULL)
        fprintf(stream, terminal->colour ? "\033[1m%s\033[0m\n" : "%s\n",
                readable(&texts, title, plain));
    plot *p = am_alloc((size_t)AM_MAX(panel_count, 1), sizeof *p, "plot", err);
    am_status status = p != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int i = 0; i < panel_count && status == AM_OK; i++)
        p[i] = (plot){.panel = &panel[i], .terminal = terminal};
    if (status == AM_OK)
        arrange(p, panel_count);
    for (int i = 0; i < panel_count && status == AM_OK; i++) {
        if (i > 0 || title != NULL)
            fputc('\n', stream);
        status = print_plot(&p[i], stream, err);
    }
    free(p);
    return status;
}
