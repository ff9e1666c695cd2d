/* What the plots of a chart in characters hold and where they stand: ranges and ticks of both axes, the
 * columns that the labels take, the rows above. */
#include "report/terminal_layout.h"
#include "report/plain_text.h"

#include <string.h>

enum { ROWS_A_TICK = 3, COLUMNS_A_TICK = 12 };

/* ---- texts -------------------------------------------------------------------------------------- */

const char *terminal_text(const terminal_plot *p, const char *text, char out[TERMINAL_TEXT])
{
    if (text == NULL)
        return "";
    if (p->terminal->utf8)
        return text;
    plain_text(text, out, TERMINAL_TEXT);
    return out;
}

int terminal_width(const terminal_plot *p, const char *text)
{
    char plain[TERMINAL_TEXT];
    int width = 0;
    for (const char *at = terminal_text(p, text, plain); *at != '\0'; at++)
        width += ((unsigned char)*at & 0xC0) != 0x80;
    return width;
}

void terminal_tick(const terminal_plot *p, const axis_tick *tick, char out[TERMINAL_TEXT])
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits[16];
    snprintf(out, TERMINAL_TEXT, "%s", tick->text);
    if (!tick->power)
        return;
    snprintf(digits, sizeof digits, "%d", tick->exponent);
    if (!p->terminal->utf8) {
        char *ten = strstr(out, "×10");
        *(ten != NULL ? ten : out) = '\0';
        snprintf(out + strlen(out), TERMINAL_TEXT - strlen(out), "%se%s", ten != NULL ? "" : "1",
                 digits);
        return;
    }
    for (const char *d = digits; *d != '\0'; d++)
        strncat(out, *d == '-' ? "⁻" : raised[*d - '0'], TERMINAL_TEXT - strlen(out) - 1);
}

void terminal_title(const terminal_plot *p, char out[TERMINAL_TEXT])
{
    const char *title = p->panel->title, *unit = p->panel->y_label;
    bool has_unit = unit != NULL && *unit != '\0';
    snprintf(out, TERMINAL_TEXT, "%s%s%s%s", title != NULL ? title : "", has_unit ? " (" : "",
             has_unit ? unit : "", has_unit ? ")" : "");
}

int terminal_key_width(const chart_series *s)
{
    return s->marks ? 1 : 2;
}

int terminal_entry_width(const terminal_plot *p, const chart_series *s)
{
    return terminal_key_width(s) + 1 + terminal_width(p, s->label);
}

/* Into `entries` how many series have a name. */
static bool fits_beside(const terminal_plot *p, int *entries)
{
    char title[TERMINAL_TEXT];
    terminal_title(p, title);
    int total = terminal_width(p, title);
    *entries = 0;
    for (int k = 0; k < p->panel->series_count; k++) {
        const chart_series *s = &p->panel->series[k];
        if (s->label == NULL)
            continue;
        total += 3 + terminal_entry_width(p, s);
        *entries += 1;
    }
    return total <= p->terminal->columns;
}

/* ---- ranges ------------------------------------------------------------------------------------- */

bool terminal_has_band(const chart_series *s, int64_t i)
{
    return s->low != NULL && s->high != NULL && !s->marks && axis_shows(false, s->low[i]) &&
           axis_shows(false, s->high[i]);
}

static void add_ranges(terminal_plot *p)
{
    axis_clear(&p->x, p->panel->log_x);
    axis_clear(&p->y, false);
    for (int k = 0; k < p->panel->series_count; k++) {
        const chart_series *s = &p->panel->series[k];
        for (int64_t i = 0; i < s->count; i++) {
            if (!axis_shows(p->x.log, s->x[i]))
                continue;
            if (axis_shows(false, s->y[i]) || terminal_has_band(s, i))
                axis_add(&p->x, s->x[i]);
            axis_add(&p->y, s->y[i]);
            if (terminal_has_band(s, i)) {
                axis_add(&p->y, s->low[i]);
                axis_add(&p->y, s->high[i]);
            }
        }
    }
    axis_pad(&p->y, 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Neighbours with one x label share the range of x. */
static void share_ranges(terminal_plot *p, int count)
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
static int find_y_ticks(terminal_plot *p)
{
    char text[TERMINAL_TEXT];
    int widest = 0;
    p->rows = AM_MAX(p->terminal->rows, 4);
    axis_find_ticks(&p->y, AM_MAX(p->rows / ROWS_A_TICK, 2), p->panel->percent_y, &p->y_ticks);
    for (int i = 0; i < p->y_ticks.count; i++)
        if (p->y_ticks.tick[i].labelled) {
            terminal_tick(p, &p->y_ticks.tick[i], text);
            widest = AM_MAX(widest, terminal_width(p, text));
        }
    return widest;
}

void terminal_arrange(terminal_plot *p, int count)
{
    int widest = 0, entries;
    for (int i = 0; i < count; i++)
        add_ranges(&p[i]);
    share_ranges(p, count);
    for (int i = 0; i < count; i++)
        widest = AM_MAX(widest, find_y_ticks(&p[i]));
    for (int i = 0; i < count; i++, p++) {
        p->left = widest + 2; /* a blank, the axis */
        p->columns = AM_MAX(p->terminal->columns, CHART_LEAST_COLUMNS) - p->left;
        axis_find_ticks(&p->x, AM_MAX(p->columns / COLUMNS_A_TICK, 2), false, &p->x_ticks);
        p->label_lines = AM_MIN(p->panel->rule_count, TERMINAL_LABEL_LINES);
        p->legend_beside = fits_beside(p, &entries);
        p->top = 1 + (p->legend_beside ? 0 : entries) + p->label_lines;
    }
}
