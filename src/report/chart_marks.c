#include "report/chart_marks.h"

#include "report/svg.h"

static const double mark_size = 4.0;

static bool shows_point(const panel_layout *p, const chart_series *s, int64_t i)
{
    return axis_shows(p->x.log, s->x[i]) && axis_shows(false, s->y[i]);
}

static bool shows_band(const panel_layout *p, const chart_series *s, int64_t i)
{
    return s->low && s->high && axis_shows(p->x.log, s->x[i]) && axis_shows(false, s->low[i]) &&
           axis_shows(false, s->high[i]);
}

static void put_point(FILE *stream, char command, double x, double y)
{
    fputc(command, stream);
    svg_number(stream, x);
    fputc(' ', stream);
    svg_number(stream, y);
}

/* ---- lines and bands ------------------------------------------------------------------------- */

/* One closed path for each run of points: along the upper edge and back along the lower. */
static void put_band(FILE *stream, const chart_layout *l, const panel_layout *p,
                     const chart_series *s, int colour)
{
    bool open = false;
    for (int64_t i = 0; i < s->count; i++) {
        if (!shows_band(p, s, i))
            continue;
        int64_t first = i;
        if (!open)
            fprintf(stream, "<path class=\"band c%d\" d=\"", colour);
        open = true;
        for (; i < s->count && shows_band(p, s, i); i++)
            put_point(stream, i == first ? 'M' : 'L', chart_x(l, p, s->x[i]),
                      chart_y(p, s->high[i]));
        for (int64_t j = i - 1; j >= first; j--)
            put_point(stream, 'L', chart_x(l, p, s->x[j]), chart_y(p, s->low[j]));
        fputc('Z', stream);
    }
    if (open)
        fputs("\"/>\n", stream);
}

/* A point without neighbours would be an invisible line: it gets a dot. */
static bool is_alone(const panel_layout *p, const chart_series *s, int64_t i)
{
    return (i == 0 || !shows_point(p, s, i - 1)) &&
           (i + 1 == s->count || !shows_point(p, s, i + 1));
}

static void put_dot(FILE *stream, double x, double y, int colour)
{
    fprintf(stream, "<circle class=\"mark c%d\"", colour);
    svg_attribute(stream, "cx", x);
    svg_attribute(stream, "cy", y);
    fputs(" r=\"3\"/>\n", stream);
}

static void put_line(FILE *stream, const chart_layout *l, const panel_layout *p,
                     const chart_series *s, int colour, int dash)
{
    bool open = false, joined = false;
    for (int64_t i = 0; i < s->count; i++) {
        bool shown = shows_point(p, s, i);
        if (shown && !is_alone(p, s, i)) {
            if (!open)
                fprintf(stream, "<path class=\"line c%d d%d\" d=\"", colour, dash);
            open = true;
            put_point(stream, joined ? 'L' : 'M', chart_x(l, p, s->x[i]), chart_y(p, s->y[i]));
        }
        joined = shown;
    }
    if (open)
        fputs("\"/>\n", stream);
    for (int64_t i = 0; i < s->count; i++)
        if (shows_point(p, s, i) && is_alone(p, s, i))
            put_dot(stream, chart_x(l, p, s->x[i]), chart_y(p, s->y[i]), colour);
}

/* ---- marks ----------------------------------------------------------------------------------- */

/* Disc, square, triangle, diamond, all of about the same area. */
static void put_mark(FILE *stream, double x, double y, int colour, int shape)
{
    const double r = mark_size;
    fprintf(stream, "<path class=\"mark c%d\" d=\"", colour);
    switch (shape % 4) {
    case 0:
        put_point(stream, 'M', x - r, y);
        fputs("a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", stream);
        break;
    case 1:
        put_point(stream, 'M', x - 0.9 * r, y - 0.9 * r);
        fputs("h7.2v7.2h-7.2", stream);
        break;
    case 2:
        put_point(stream, 'M', x, y - 1.25 * r);
        fputs("l5 8.6h-10", stream);
        break;
    default:
        put_point(stream, 'M', x, y - 1.3 * r);
        fputs("l5.2 5.2l-5.2 5.2l-5.2 -5.2", stream);
        break;
    }
    fputs("Z\"", stream);
}

static void put_bar(FILE *stream, double x, double low, double high, int colour)
{
    fprintf(stream, "<path class=\"bar c%d\" d=\"", colour);
    put_point(stream, 'M', x, low);
    put_point(stream, 'L', x, high);
    put_point(stream, 'M', x - 3.0, low);
    fputs("h6", stream);
    put_point(stream, 'M', x - 3.0, high);
    fputs("h6\"/>\n", stream);
}

/* Marks tell their values when pointed at. */
static void put_tooltip(FILE *stream, const chart_series *s, int64_t i, bool percent)
{
    fputs("><title>", stream);
    if (s->label) {
        svg_text(stream, s->label);
        fputs(": ", stream);
    }
    fprintf(stream, percent ? "%.4g, %.2f\u00a0%%" : "%.4g, %.5g", s->x[i],
            percent ? 100.0 * s->y[i] : s->y[i]);
    fputs("</title></path>\n", stream);
}

static void put_small_marks(FILE *stream, const chart_layout *l, const panel_layout *p,
                            const chart_series *s, int colour)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (!shows_point(p, s, i))
            continue;
        fprintf(stream, "<circle class=\"dot c%d\"", colour);
        svg_attribute(stream, "cx", chart_x(l, p, s->x[i]));
        svg_attribute(stream, "cy", chart_y(p, s->y[i]));
        fputs(" r=\"2\"/>\n", stream);
    }
}

static void put_marks(FILE *stream, const chart_layout *l, const panel_layout *p,
                      const chart_series *s, int colour, int shape)
{
    if (s->small) {
        put_small_marks(stream, l, p, s, colour);
        return;
    }
    for (int64_t i = 0; i < s->count; i++)
        if (shows_band(p, s, i))
            put_bar(stream, chart_x(l, p, s->x[i]), chart_y(p, s->low[i]), chart_y(p, s->high[i]),
                    colour);
    for (int64_t i = 0; i < s->count; i++) {
        if (!shows_point(p, s, i))
            continue;
        put_mark(stream, chart_x(l, p, s->x[i]), chart_y(p, s->y[i]), colour, shape);
        put_tooltip(stream, s, i, p->panel->percent_y);
    }
}

/* ---- all of a panel -------------------------------------------------------------------------- */

/* How many series of the same kind stand before series `index`: decides dash or shape, so that a
 * figure without colours can be read. */
static int rank_of(const chart_panel *panel, int index)
{
    int rank = 0;
    for (int s = 0; s < index; s++)
        rank += panel->series[s].marks == panel->series[index].marks;
    return rank;
}

void chart_put_data(FILE *stream, const chart_layout *layout, const panel_layout *p)
{
    const chart_panel *panel = p->panel;
    for (int s = 0; s < panel->series_count; s++)
        if (!panel->series[s].marks)
            put_band(stream, layout, p, &panel->series[s], s % CHART_COLOURS);
    for (int s = 0; s < panel->series_count; s++)
        if (!panel->series[s].marks)
            put_line(stream, layout, p, &panel->series[s], s % CHART_COLOURS,
                     rank_of(panel, s) % 4);
    for (int s = 0; s < panel->series_count; s++)
        if (panel->series[s].marks)
            put_marks(stream, layout, p, &panel->series[s], s % CHART_COLOURS, rank_of(panel, s));
}

static void put_key(FILE *stream, const chart_series *s, double x, double y, int colour, int rank)
{
    double middle = x + 0.5 * chart_key_width(s);
    if (s->marks) {
        put_mark(stream, middle, y, colour, rank);
        fputs("/>\n", stream);
        return;
    }
    if (s->low && s->high) {
        fprintf(stream, "<rect class=\"band c%d\" width=\"%d\" height=\"12\"", colour,
                LEGEND_LINE_KEY);
        svg_attribute(stream, "x", x);
        svg_attribute(stream, "y", y - 6.0);
        fputs("/>\n", stream);
    }
    fprintf(stream, "<path class=\"line c%d d%d\" d=\"", colour, rank % 4);
    put_point(stream, 'M', x, y);
    fprintf(stream, "h%d\"/>\n", LEGEND_LINE_KEY);
}

void chart_put_legend(FILE *stream, const chart_layout *layout, const panel_layout *p)
{
    double start = layout->left, y = p->legend_y;
    if (p->legend_beside)
        start = layout->right - p->legend_width + LEGEND_SPACE;
    double x = start;
    for (int s = 0; s < p->panel->series_count; s++) {
        const chart_series *series = &p->panel->series[s];
        if (!series->label)
            continue;
        double width = chart_entry_width(series), room = layout->right - start;
        if (x > start && x + width - LEGEND_SPACE > layout->right + 1e-6) {
            x = start;
            y += LEGEND_HEIGHT;
        }
        put_key(stream, series, x, y, s % CHART_COLOURS, rank_of(p->panel, s));
        int key = chart_key_width(series) + LEGEND_GAP;
        svg_font font = {"label", "start", FONT_TEXT, room - key, false};
        svg_line_of_text(stream, font, x + key, y + 4.0, series->label);
        x += width;
    }
}
