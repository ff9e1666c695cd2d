/* report: charts are read back from their SVG. */
#include "support/scratch.h"

#include "report/report.h"

#include <criterion/criterion.h>

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(chart, .init = scratch_make, .fini = scratch_remove);

static int occurrences(const char *text, const char *part)
{
    int count = 0;
    for (const char *c = text; (c = strstr(c, part)); c += strlen(part))
        count++;
    return count;
}

/* Tags balance, nothing is left unescaped, numbers in tags have at most two decimals and are
 * finite. */
static void cr_well_formed(const char *svg)
{
    const char *open[32];
    int depth = 0, roots = 0;
    for (const char *c = svg; *c; c++) {
        cr_assert(*c != '>', "a bare > before: %.40s", c);
        if (*c == '&')
            cr_assert(strncmp(c, "&amp;", 5) == 0 || strncmp(c, "&lt;", 4) == 0 ||
                      strncmp(c, "&gt;", 4) == 0 || strncmp(c, "&quot;", 6) == 0 ||
                      strncmp(c, "&#39;", 5) == 0);
        if (*c != '<')
            continue;
        const char *name = c + 1, *end = strchr(c, '>');
        cr_assert(end != NULL && memchr(name, '<', (size_t)(end - name)) == NULL);
        for (const char *d = c; d + 3 < end; d++)
            cr_assert(!(d[0] == '.' && isdigit((unsigned char)d[1]) &&
                        isdigit((unsigned char)d[2]) && isdigit((unsigned char)d[3])),
                      "too many decimals: %.60s", c);
        cr_assert(!memmem(c, (size_t)(end - c), "nan", 3) &&
                  !memmem(c, (size_t)(end - c), "inf", 3));
        if (*name == '/') {
            size_t length = (size_t)(end - name - 1);
            cr_assert(depth > 0 && strncmp(open[--depth], name + 1, length) == 0);
        } else if (end[-1] != '/') {
            roots += depth == 0;
            cr_assert(depth < 32);
            open[depth++] = name;
        }
        c = end;
    }
    cr_assert(depth == 0 && roots == 1);
}

static char *draw(const char *title, const chart_panel *panel, int count)
{
    am_error err = {0};
    cr_assert(chart_write_svg(scratch("chart.svg"), title, panel, count, &err) == AM_OK, "%s",
              err.message);
    char *svg = scratch_text(scratch("chart.svg"));
    cr_well_formed(svg);
    return svg;
}

/* The value of ` name="…"` in the first tag after `from`. */
static double attribute(const char *from, const char *name)
{
    char key[32];
    snprintf(key, sizeof key, " %s=\"", name);
    const char *found = strstr(from, key);
    cr_assert(found != NULL);
    return strtod(found + strlen(key), NULL);
}

/* Start of the nth path of this class; its points go to (x, y): absolute M and L commands only. */
static int points_of(const char *svg, const char *class, double (*point)[2], int room)
{
    char key[64];
    int count = 0;
    snprintf(key, sizeof key, "<path class=\"%s\" d=\"", class);
    const char *c = strstr(svg, key);
    cr_assert(c != NULL, "no %s", class);
    for (c += strlen(key); *c != '"'; c++) {
        if (*c != 'M' && *c != 'L')
            continue;
        cr_assert(count < room);
        char *next;
        point[count][0] = strtod(c + 1, &next);
        point[count++][1] = strtod(next, NULL);
    }
    return count;
}

static const double decade[] = {1e-5, 1e-4, 1e-3, 1e-2, 1e-1}, curve[] = {0.3, 0.2, 0.1, 0.2, 0.3},
                    below[] = {0.25, 0.15, 0.05, 0.15, 0.25},
                    above[] = {0.35, 0.25, 0.15, 0.25, 0.35};

Test(chart, points_stand_where_their_numbers_say)
{
    const chart_series series = {NULL, 5, decade, curve, below, above, false, false};
    const chart_rule rule = {1e-3, "chosen"};
    const chart_panel panel = {"Loss", "λ", "NLL", true, false, &series, 1, &rule, 1};
    char *svg = draw("Title", &panel, 1);
    double line[5][2], band[10][2];
    cr_assert(points_of(svg, "line c0 d0", line, 5) == 5);
    cr_assert(points_of(svg, "band c0", band, 10) == 10);
    for (int i = 0; i < 5; i++) {
        /* Decades are equally spaced; the upper edge goes forth, the lower back. */
        cr_assert_float_eq(line[i][0] - line[0][0], i * (line[4][0] - line[0][0]) / 4.0, 0.011);
        cr_assert(band[i][0] == line[i][0] && band[9 - i][0] == line[i][0]);
        cr_assert_float_eq(line[i][1] - band[i][1], band[9 - i][1] - line[i][1], 0.021);
        cr_assert_float_eq(line[i][1], line[4 - i][1], 0.001);
    }
    /* The band spans 0.3 of y, the line 0.2 of it; up is less in SVG. */
    double unit = (band[7][1] - band[0][1]) / 0.3;
    cr_assert(unit > 0.0);
    cr_assert_float_eq(line[2][1] - line[0][1], 0.2 * unit, 0.02);
    const char *vertical = strstr(svg, "<line class=\"rule\"");
    cr_assert(vertical != NULL);
    cr_assert(attribute(vertical, "x1") == line[2][0] && attribute(vertical, "x2") == line[2][0]);
    cr_assert(attribute(vertical, "y1") < band[0][1] && attribute(vertical, "y2") > band[7][1]);
    free(svg);
}

Test(chart, texts_are_all_there)
{
    const double x[] = {1e-4, 1e-2}, y[] = {0.96, 0.97};
    const chart_series series[] = {{"generator", 5, decade, curve, NULL, NULL, false, false},
                                   {"refits", 2, x, y, NULL, NULL, true, false}};
    const chart_rule rule = {4.28e-5, "chosen λ = 4.28e-05"};
    const chart_panel panel = {"Accuracy", "λ", "accuracy", true, true, series, 2, &rule, 1};
    char *svg = draw("Tuning curve", &panel, 1);
    const char *wanted[] = {"<title>Tuning curve</title>",
                            ">Tuning curve</text>",
                            ">Accuracy</text>",
                            ">λ</text>",
                            ">accuracy</text>",
                            ">generator</text>",
                            ">refits</text>",
                            ">chosen λ = 4.28e-05</text>",
                            ">10<tspan class=\"power\" dy=\"-5\">−5</tspan></text>",
                            ">10<tspan class=\"power\" dy=\"-5\">−1</tspan></text>",
                            ">20\u00a0%</text>",
                            "<title>refits: 0.0001, 96.00\u00a0%</title>",
                            "<desc>Line chart with 1 panel. Accuracy against λ: generator, refits; "
                            "chosen λ = 4.28e-05.</desc>",
                            "prefers-color-scheme:dark",
                            "viewBox=\"0 0 760 "};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_assert(strstr(svg, wanted[i]), "missing: %s", wanted[i]);
    free(svg);
}

Test(chart, texts_are_escaped)
{
    const chart_series series = {"<b>&\"'", 5, decade, curve, NULL, NULL, true, false};
    const chart_panel panel = {"a < b", "x\x01y", "\xFF", true, false, &series, 1, NULL, 0};
    char *svg = draw("R&D", &panel, 1);
    cr_assert(strstr(svg, ">R&amp;D</text>") && strstr(svg, ">a &lt; b</text>"));
    cr_assert(strstr(svg, ">&lt;b&gt;&amp;&quot;&#39;</text>"));
    cr_assert(strstr(svg, ">x\uFFFDy</text>") && strstr(svg, ">\uFFFD</text>"));
    free(svg);
}

Test(chart, missing_points_interrupt_the_line)
{
    const double x[] = {1, 2, 3, 4, 5, 6, 7}, y[] = {1, 2, NAN, 4, INFINITY, 6, 7};
    const chart_series series = {NULL, 7, x, y, NULL, NULL, false, false};
    const chart_panel panel = {NULL, "x", NULL, false, false, &series, 1, NULL, 0};
    char *svg = draw(NULL, &panel, 1);
    double line[7][2];
    cr_assert(points_of(svg, "line c0 d0", line, 7) == 4);
    const char *path_data = strstr(svg, "<path class=\"line c0 d0\"");
    int moves = 0;
    for (const char *c = path_data; *c != '>'; c++)
        moves += *c == 'M';
    cr_assert(moves == 2);
    /* 4 stands alone between gaps: a dot midway between 1 and 7. */
    cr_assert(occurrences(svg, "<circle") == 1);
    cr_assert_float_eq(attribute(strstr(svg, "<circle"), "cx"), 0.5 * (line[0][0] + line[3][0]),
                       0.011);
    free(svg);
}

Test(chart, unusable_points_are_left_out)
{
    const double x[] = {0.0, -1.0, NAN, 1e-3, 1e-2}, y[] = {1, 1, 1, 1e305, 2};
    const chart_series series = {"y", 5, x, y, NULL, NULL, true, false};
    const chart_panel panel = {NULL, NULL, NULL, true, false, &series, 1, NULL, 0};
    char *svg = draw(NULL, &panel, 1);
    cr_assert(occurrences(svg, "<title>y: ") == 1 && strstr(svg, "<title>y: 0.01, 2</title>"));
    free(svg);
}

Test(chart, nothing_at_all_says_so)
{
    const double nan[] = {NAN};
    const chart_series series = {"y", 1, decade, nan, NULL, NULL, false, false};
    const chart_panel panels[] = {{"A", "x", "y", true, true, &series, 1, NULL, 0},
                                  {NULL, NULL, NULL, false, false, NULL, 0, NULL, 0}};
    char *svg = draw(NULL, panels, 2);
    cr_assert(occurrences(svg, ">no data</text>") == 2);
    free(svg);
    free(draw("Empty", NULL, 0));
}

Test(chart, constant_and_single_values_are_drawn)
{
    const double same[] = {0.97, 0.97, 0.97, 0.97, 0.97};
    const chart_series series[] = {{"same", 5, decade, same, NULL, NULL, false, false},
                                   {"one", 1, decade, curve, NULL, NULL, false, false}};
    const chart_panel panels[] = {{"A", "λ", "y", true, true, &series[0], 1, NULL, 0},
                                  {"B", "x", "y", true, false, &series[1], 1, NULL, 0}};
    char *svg = draw(NULL, panels, 2);
    cr_assert(occurrences(svg, "<circle") == 1);
    cr_assert(strstr(svg, ">100\u00a0%</text>") && !strstr(svg, ">102\u00a0%</text>"));
    free(svg);
}

Test(chart, neighbours_share_axis_and_rule_label)
{
    const double more[] = {1e-7};
    const chart_series series[] = {{NULL, 5, decade, curve, NULL, NULL, false, false},
                                   {NULL, 1, more, curve, NULL, NULL, true, false}};
    const chart_rule rule = {1e-4, "chosen"};
    const chart_panel panels[] = {{"A", "λ", "a", true, false, &series[0], 1, &rule, 1},
                                  {"B", "λ", "b", true, false, &series[1], 1, &rule, 1}};
    char *svg = draw(NULL, panels, 2);
    cr_assert(occurrences(svg, ">λ</text>") == 1);
    cr_assert(occurrences(svg, ">chosen</text>") == 1);
    cr_assert(occurrences(svg, "<line class=\"rule\"") == 2);
    const char *first = strstr(svg, "<line class=\"rule\"");
    const char *second = strstr(first + 1, "<line class=\"rule\"");
    cr_assert(attribute(first, "x1") == attribute(second, "x1"));
    cr_assert(strstr(svg, ">−7</tspan>") != NULL);
    free(svg);
}

Test(chart, legend_stays_above_the_plot_and_inside)
{
    char label[12][64];
    chart_series series[12];
    for (int i = 0; i < 12; i++) {
        snprintf(label[i], sizeof label[i], "entry %d with a rather long name of its own", i);
        series[i] = (chart_series){label[i], 5, decade, curve, NULL, NULL, i % 2 == 0, false};
    }
    const chart_panel panel = {"A title", "λ", "y", true, false, series, 12, NULL, 0};
    char *svg = draw(NULL, &panel, 1);
    double top = attribute(strstr(svg, "<line class=\"grid\""), "y1");
    double last = 0.0;
    for (int i = 0; i < 12; i++) {
        char *text = strstr(svg, label[i]);
        cr_assert(text != NULL);
        while (*text != '<')
            text--;
        double x = attribute(text, "x"), y = attribute(text, "y");
        cr_assert(y < top && y >= last && x > 20.0 && x < 700.0);
        last = y;
    }
    free(svg);
}

Test(chart, labels_of_close_rules_do_not_overlap)
{
    const chart_series series = {"y", 5, decade, curve, NULL, NULL, false, false};
    const chart_rule rules[] = {{1e-5, "left"}, {1.1e-5, "close by"}, {1e-1, "at the right end"}};
    const chart_panel panel = {NULL, "λ", NULL, true, false, &series, 1, rules, 3};
    char *svg = draw(NULL, &panel, 1);
    double y[3], x[3];
    for (int i = 0; i < 3; i++) {
        char *text = strstr(strstr(svg, "<line class=\"rule\""), rules[i].label);
        cr_assert(text != NULL);
        while (*text != '<')
            text--;
        x[i] = attribute(text, "x");
        y[i] = attribute(text, "y");
    }
    cr_assert(y[1] < y[0] - 10.0 && y[2] == y[0]);
    /* The last label is moved to the left of its line, to stay within the plot. */
    const char *last = strstr(svg, "<line class=\"rule\"");
    for (int i = 0; i < 2; i++)
        last = strstr(last + 1, "<line class=\"rule\"");
    cr_assert(x[2] < attribute(last, "x1") - 20.0);
    cr_assert(x[0] < x[1]);
    free(svg);
}

Test(chart, long_titles_are_set_smaller)
{
    char title[300];
    memset(title, 'm', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    const chart_series series = {title, 5, decade, curve, NULL, NULL, false, false};
    const chart_rule rule = {1e-3, title};
    const chart_panel panel = {title, title, title, true, false, &series, 1, &rule, 1};
    char *svg = draw(title, &panel, 1);
    cr_assert(occurrences(svg, "style=\"font-size:") == 6);
    /* 299 wide letters in at most 740 px: no more than 2.6 px each. */
    for (const char *size = strstr(svg, "style=\"font-size:"); size;
         size = strstr(size + 1, "style=\"font-size:"))
        cr_assert(strtod(size + 17, NULL) < 3.0);
    free(svg);
}

Test(chart, error_bars_belong_to_marks)
{
    const chart_series series = {"y", 5, decade, curve, below, above, true, false};
    const chart_panel panel = {NULL, "λ", NULL, true, false, &series, 1, NULL, 0};
    char *svg = draw(NULL, &panel, 1);
    cr_assert(occurrences(svg, "<path class=\"bar c0\"") == 5);
    cr_assert(occurrences(svg, "<path class=\"band") == 0);
    free(svg);
}

Test(chart, unwritable_place_is_an_error)
{
    am_error err = {0};
    const chart_series series = {"y", 5, decade, curve, NULL, NULL, false, false};
    const chart_panel panel = {NULL, "λ", NULL, true, false, &series, 1, NULL, 0};
    cr_assert(chart_write_svg("/nowhere/chart.svg", NULL, &panel, 1, &err) == AM_ERR_IO);
    cr_assert(strstr(err.message, "/nowhere/chart.svg"), "%s", err.message);
}
