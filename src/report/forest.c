/* A forest plot: names down the left, intervals to the right of them. */
#include "report/axis.h"
#include "report/chart_layout.h"
#include "report/chart_marks.h"
#include "report/report.h"
#include "report/svg.h"

#include <math.h>

enum {
    EDGE = 16,
    WIDTH = 760,
    MOST_NAME = 240, /* px for names; longer ones are set smaller */
    ROW = 12,        /* px for an interval */
    ROW_GAP = 10,    /* px between names */
    HEAD = 40,       /* title */
    LEGEND = 24,
    FOOT = 54, /* ticks and the axis's name */
    TARGET_TICKS = 7
};

typedef struct {
    const char *const *name;
    int names, count;
    const forest_series *series;
    axis x;
    axis_ticks ticks;
    double left, right, top, bottom, row;
} forest;

static double place(const forest *f, double x)
{
    return f->left + axis_fraction(&f->x, x) * (f->right - f->left);
}

static void arrange(forest *f)
{
    double widest = 0;
    axis_clear(&f->x, false);
    axis_add(&f->x, 0.0); /* the line of no effect is always in view */
    for (int i = 0; i < f->names; i++) {
        widest = fmax(widest, svg_text_width(f->name[i], FONT_TEXT, false));
        for (int s = 0; s < f->count; s++) {
            axis_add(&f->x, f->series[s].low[i]);
            axis_add(&f->x, f->series[s].high[i]);
            axis_add(&f->x, f->series[s].at[i]);
        }
    }
    axis_pad(&f->x, 0.04);
    axis_find_ticks(&f->x, TARGET_TICKS, false, &f->ticks);
    f->left = EDGE + fmin(widest, MOST_NAME) + 14.0;
    f->right = WIDTH - 2.0 * EDGE;
    f->row = f->count * ROW + ROW_GAP;
    f->top = HEAD + LEGEND;
    f->bottom = f->top + f->names * f->row;
}

static void put_line(FILE *stream, const char *class, int colour, const double end[4])
{
    static const char *const key[4] = {"x1", "y1", "x2", "y2"};
    fprintf(stream, "<line class=\"%s", class);
    if (colour >= 0)
        fprintf(stream, " c%d", colour);
    fputc('"', stream);
    for (int i = 0; i < 4; i++)
        svg_attribute(stream, key[i], end[i]);
    fputs("/>\n", stream);
}

static void put_dot(FILE *stream, double x, double y, int colour)
{
    fprintf(stream, "<circle class=\"mark c%d\"", colour);
    svg_attribute(stream, "cx", x);
    svg_attribute(stream, "cy", y);
    fputs(" r=\"3.5\"/>\n", stream);
}

static void put_legend(FILE *stream, const forest *f)
{
    double x = f->left;
    for (int s = 0; s < f->count; s++) {
        double y = HEAD + 4.0, width = svg_text_width(f->series[s].label, FONT_TEXT, false);
        put_line(stream, "line", s % CHART_COLOURS, (double[4]){x, y, x + LEGEND_LINE_KEY, y});
        put_dot(stream, x + 0.5 * LEGEND_LINE_KEY, y, s % CHART_COLOURS);
        x += LEGEND_LINE_KEY + LEGEND_GAP;
        svg_line_of_text(stream, (svg_font){"label", "start", FONT_TEXT, f->right - x, false}, x,
                         y + 4.0, f->series[s].label);
        x += width + LEGEND_SPACE;
    }
}

static void put_axis(FILE *stream, const forest *f, const char *x_label)
{
    svg_font tick = {"tick", "middle", FONT_TEXT, 80.0, false};
    svg_font label = {"label", "middle", FONT_TEXT, f->right - f->left, false};
    for (int t = 0; t < f->ticks.count; t++) {
        const axis_tick *own = &f->ticks.tick[t];
        double x = place(f, own->at);
        char text[TICK_TEXT + 16];
        snprintf(text, sizeof text, own->power ? "%s^%d" : "%s", own->text, own->exponent);
        put_line(stream, "grid", -1, (double[4]){x, f->top, x, f->bottom});
        put_line(stream, "axis", -1, (double[4]){x, f->bottom, x, f->bottom + 5.0});
        svg_line_of_text(stream, tick, x, f->bottom + 20.0, text);
    }
    put_line(stream, "axis", -1, (double[4]){f->left, f->bottom, f->right, f->bottom});
    double zero = place(f, 0.0);
    put_line(stream, "rule", -1, (double[4]){zero, f->top, zero, f->bottom});
    svg_line_of_text(stream, label, 0.5 * (f->left + f->right), f->bottom + 41.0, x_label);
}

static void put_intervals(FILE *stream, const forest *f)
{
    svg_font font = {"label", "end", FONT_TEXT, MOST_NAME, false};
    for (int i = 0; i < f->names; i++) {
        double top = f->top + i * f->row;
        svg_line_of_text(stream, font, f->left - 10.0, top + 0.5 * f->row + 4.0, f->name[i]);
        for (int s = 0; s < f->count; s++) {
            const forest_series *own = &f->series[s];
            double y = top + 0.5 * ROW_GAP + (s + 0.5) * ROW;
            if (!axis_shows(false, own->low[i]) || !axis_shows(false, own->high[i]))
                continue;
            put_line(stream, "line", s % CHART_COLOURS,
                     (double[4]){place(f, own->low[i]), y, place(f, own->high[i]), y});
            if (axis_shows(false, own->at[i]))
                put_dot(stream, place(f, own->at[i]), y, s % CHART_COLOURS);
        }
    }
}

static void put_document(FILE *stream, const char *title, const char *x_label, const forest *f)
{
    double height = f->bottom + FOOT;
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"am-chart\" role=\"img\" "
          "viewBox=\"0 0 ",
          stream);
    svg_number(stream, WIDTH);
    fputc(' ', stream);
    svg_number(stream, height);
    fputc('"', stream);
    svg_attribute(stream, "width", WIDTH);
    svg_attribute(stream, "height", height);
    fputs(" style=\"max-width:100%;height:auto\">\n<title>", stream);
    svg_text(stream, title);
    fprintf(stream, "</title>\n<desc>Intervals of %d coefficients.</desc>\n", f->names);
    chart_put_style(stream);
    fputs("<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n", stream);
    svg_font heading = {"title", "start", FONT_TITLE, WIDTH - 2.0 * EDGE, true};
    svg_line_of_text(stream, heading, EDGE, 26.0, title);
    put_legend(stream, f);
    put_axis(stream, f, x_label);
    put_intervals(stream, f);
    fputs("</svg>\n", stream);
}

am_status forest_write_svg(const char *path, const char *title, const char *x_label,
                           const char *const *name, int names, const forest_series *series,
                           int series_count, am_error *err)
{
    forest f = {.name = name, .names = names, .count = series_count, .series = series};
    arrange(&f);
    am_output out;
    AM_TRY(am_output_open(&out, path, err));
    put_document(out.stream, title, x_label, &f);
    return am_output_commit(&out, err);
}
