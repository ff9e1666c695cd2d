#include "report/chart_layout.h"
#include "report/chart_marks.h"
#include "report/report.h"
#include "report/svg.h"

#include <stdlib.h>

/* Colours: Okabe & Ito (2008), safe for colour-blind readers; on a dark ground, their lighter ones
 * first. Every rule is bound to .am-chart, so that several figures can stand in one page. */
static const char style[] =
    "<style>\n"
    ".am-chart{background:#fff}\n"
    ".am-chart .ground{fill:#fff}\n"
    ".am-chart text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica "
    "Neue\",Arial,"
    "\"Liberation Sans\",\"DejaVu Sans\",sans-serif;font-size:12px;fill:#24292f}\n"
    ".am-chart .title{font-size:17px;font-weight:600}\n"
    ".am-chart .panel{font-size:14px;font-weight:600}\n"
    ".am-chart .tick{fill:#57606a}\n"
    ".am-chart .power{font-size:9px}\n"
    ".am-chart .grid{stroke:#e7eaee;fill:none}\n"
    ".am-chart .axis{stroke:#57606a;fill:none}\n"
    ".am-chart .rule{stroke:#24292f;stroke-dasharray:4 3;fill:none}\n"
    ".am-chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\n"
    ".am-chart .bar{fill:none;stroke-width:1.3}\n"
    ".am-chart .band{stroke:none;fill-opacity:.2}\n"
    ".am-chart .mark{stroke-width:1;paint-order:stroke}\n"
    ".am-chart circle.dot{stroke:none;fill-opacity:.45}\n"
    ".am-chart .d1{stroke-dasharray:7 4}\n"
    ".am-chart .d2{stroke-dasharray:1 4}\n"
    ".am-chart .d3{stroke-dasharray:8 4 1 4}\n";

static const char *const light[CHART_COLOURS] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                 "#E69F00", "#56B4E9", "#6E7781"};
static const char *const dark[CHART_COLOURS] = {"#56B4E9", "#E69F00", "#2DC79B", "#E09AC0",
                                                "#F0E442", "#F0813A", "#B1BAC4"};

static void put_colours(FILE *stream, const char *const colour[CHART_COLOURS], const char *ground)
{
    for (int i = 0; i < CHART_COLOURS; i++)
        fprintf(stream,
                ".am-chart .c%d{stroke:%s;fill:%s}\n"
                ".am-chart .line.c%d,.am-chart .bar.c%d{fill:none}\n"
                ".am-chart .band.c%d{stroke:none}\n"
                ".am-chart .mark.c%d{stroke:%s}\n",
                i, colour[i], colour[i], i, i, i, i, ground);
}

void chart_put_style(FILE *stream)
{
    fputs(style, stream);
    put_colours(stream, light, "#fff");
    fputs("@media screen and (prefers-color-scheme:dark){\n"
          ".am-chart{background:#14171c}\n"
          ".am-chart .ground{fill:#14171c}\n"
          ".am-chart text{fill:#e6edf3}\n"
          ".am-chart .tick{fill:#9aa4af}\n"
          ".am-chart .grid{stroke:#262c34}\n"
          ".am-chart .axis{stroke:#7d8590}\n"
          ".am-chart .rule{stroke:#e6edf3}\n"
          ".am-chart .band{fill-opacity:.25}\n",
          stream);
    put_colours(stream, dark, "#14171c");
    fputs("}\n</style>\n", stream);
}

/* ---- ticks and lines ------------------------------------------------------------------------- */

static void put_segment(FILE *stream, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(stream, "<line class=\"%s\"", class);
    svg_attribute(stream, "x1", x1);
    svg_attribute(stream, "y1", y1);
    svg_attribute(stream, "x2", x2);
    svg_attribute(stream, "y2", y2);
    fputs("/>\n", stream);
}

static void put_tick_label(FILE *stream, const axis_tick *tick, double x, double y,
                           const char *anchor)
{
    fprintf(stream, "<text class=\"tick\" text-anchor=\"%s\"", anchor);
    svg_attribute(stream, "x", x);
    svg_attribute(stream, "y", y);
    fputc('>', stream);
    svg_text(stream, tick->text);
    if (tick->power)
        fprintf(stream, "<tspan class=\"power\" dy=\"-5\">%s%d</tspan>",
                tick->exponent < 0 ? "\u2212" : "", abs(tick->exponent));
    fputs("</text>\n", stream);
}

/* ---- a panel --------------------------------------------------------------------------------- */

static double tick_x(const chart_layout *l, const panel_layout *p, const axis_tick *tick)
{
    return l->left + (tick->at - p->x.low) / (p->x.high - p->x.low) * (l->right - l->left);
}

static void put_x_axis(FILE *stream, const chart_layout *l, const panel_layout *p)
{
    for (int t = 0; t < p->x_ticks.count; t++) {
        const axis_tick *tick = &p->x_ticks.tick[t];
        double x = tick_x(l, p, tick), length = tick->labelled ? 5.0 : 3.0;
        if (tick->labelled)
            put_segment(stream, "grid", x, p->top, x, p->bottom);
        put_segment(stream, "axis", x, p->bottom, x, p->bottom + length);
        if (tick->labelled && p->x_labels)
            put_tick_label(stream, tick, x, p->bottom + 20.0, "middle");
    }
    svg_font font = {"label", "middle", FONT_TEXT, l->right - l->left, false};
    if (p->x_labels && p->panel->x_label)
        svg_line_of_text(stream, font, 0.5 * (l->left + l->right), p->bottom + 41.0,
                         p->panel->x_label);
}

static void put_y_axis(FILE *stream, const chart_layout *l, const panel_layout *p)
{
    for (int t = 0; t < p->y_ticks.count; t++) {
        const axis_tick *tick = &p->y_ticks.tick[t];
        double y = chart_y(p, tick->at);
        put_segment(stream, "grid", l->left, y, l->right, y);
        put_segment(stream, "axis", l->left - 5.0, y, l->left, y);
        put_tick_label(stream, tick, l->left - 9.0, y + 4.2, "end");
    }
    if (!p->panel->y_label)
        return;
    double x = 27.0, y = 0.5 * (p->top + p->bottom);
    svg_font font = {"label", "middle", FONT_TEXT, p->bottom - p->top, false};
    fputs("<g transform=\"rotate(-90 ", stream);
    svg_number(stream, x);
    fputc(' ', stream);
    svg_number(stream, y);
    fputs(")\">", stream);
    svg_line_of_text(stream, font, x, y, p->panel->y_label);
    fputs("</g>\n", stream);
}

static void put_rules(FILE *stream, const chart_layout *l, const panel_layout *p)
{
    for (int r = 0; r < p->panel->rule_count; r++) {
        const chart_rule *rule = &p->panel->rule[r];
        if (!axis_shows(p->x.log, rule->x))
            continue;
        double x = chart_x(l, p, rule->x);
        put_segment(stream, "rule", x, p->top, x, p->bottom);
        if (r >= MAX_RULE_LABELS || p->rule[r].line < 0)
            continue;
        const rule_label *label = &p->rule[r];
        svg_font font = {"label", "middle", FONT_TEXT, label->width, false};
        svg_line_of_text(stream, font, label->x, p->top - 6.0 - label->line * RULE_LINE,
                         rule->label);
    }
}

static bool is_empty(const panel_layout *p)
{
    axis y;
    axis_clear(&y, false);
    for (int s = 0; s < p->panel->series_count; s++)
        for (int64_t i = 0; i < p->panel->series[s].count; i++)
            if (axis_shows(p->x.log, p->panel->series[s].x[i]))
                axis_add(&y, p->panel->series[s].y[i]);
    return y.low > y.high;
}

static void put_panel(FILE *stream, const chart_layout *l, const panel_layout *p)
{
    double room = l->right - l->left;
    fputs("<g>\n", stream);
    svg_font heading = {"panel", "start", FONT_PANEL, room, true};
    if (p->panel->title)
        svg_line_of_text(stream, heading, l->left, p->title_y, p->panel->title);
    chart_put_legend(stream, l, p);
    put_x_axis(stream, l, p);
    put_y_axis(stream, l, p);
    put_rules(stream, l, p);
    chart_put_data(stream, l, p);
    put_segment(stream, "axis", l->left, p->bottom, l->right, p->bottom);
    put_segment(stream, "axis", l->left, p->top, l->left, p->bottom);
    svg_font note = {"label", "middle", FONT_TEXT, room, false};
    if (is_empty(p))
        svg_line_of_text(stream, note, 0.5 * (l->left + l->right), 0.5 * (p->top + p->bottom),
                         "no data");
    fputs("</g>\n", stream);
}

/* ---- the document ---------------------------------------------------------------------------- */

/* In words, for those who cannot see the figure. */
static void put_description(FILE *stream, const chart_panel *panel, int count)
{
    fprintf(stream, "<desc>Line chart with %d panel%s.", count, count == 1 ? "" : "s");
    for (int i = 0; i < count; i++) {
        const char *name = panel[i].title ? panel[i].title : panel[i].y_label;
        fputc(' ', stream);
        svg_text(stream, name ? name : "Values");
        fputs(" against ", stream);
        svg_text(stream, panel[i].x_label ? panel[i].x_label : "x");
        for (int s = 0; s < panel[i].series_count; s++) {
            fputs(s == 0 ? ": " : ", ", stream);
            svg_text(stream, panel[i].series[s].label ? panel[i].series[s].label : "unnamed");
        }
        for (int r = 0; r < panel[i].rule_count; r++) {
            if (!panel[i].rule[r].label)
                continue;
            fputs("; ", stream);
            svg_text(stream, panel[i].rule[r].label);
        }
        fputc('.', stream);
    }
    fputs("</desc>\n", stream);
}

static void put_document(FILE *stream, const char *title, const chart_panel *panel,
                         const chart_layout *l)
{
    fputs(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"am-chart\" role=\"img\" viewBox=\"0 0 ",
        stream);
    svg_number(stream, l->width);
    fputc(' ', stream);
    svg_number(stream, l->height);
    fputc('"', stream);
    svg_attribute(stream, "width", l->width);
    svg_attribute(stream, "height", l->height);
    fputs(" style=\"max-width:100%;height:auto\">\n<title>", stream);
    svg_text(stream, title ? title : "Chart");
    fputs("</title>\n", stream);
    put_description(stream, panel, l->panels);
    chart_put_style(stream);
    fputs("<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n", stream);
    svg_font heading = {"title", "start", FONT_TITLE, l->right - l->left, true};
    if (title)
        svg_line_of_text(stream, heading, l->left, l->title_y, title);
    for (int i = 0; i < l->panels; i++)
        put_panel(stream, l, &l->panel[i]);
    fputs("</svg>\n", stream);
}

am_status chart_write_svg(const char *path, const char *title, const chart_panel *panel,
                          int panel_count, am_error *err)
{
    chart_layout layout;
    AM_TRY(chart_arrange(path, title, panel, panel_count, &layout, err));
    am_output out;
    am_status status = am_output_open(&out, path, err);
    if (status == AM_OK) {
        put_document(out.stream, title, panel, &layout);
        status = am_output_commit(&out, err);
    }
    free(layout.panel);
    return status;
}
