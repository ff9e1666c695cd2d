/* charts in characters: positions worked by hand, and what a terminal can show. */
#include "report/report.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *drawn(const chart_panel *panel, int count, chart_terminal t)
{
    char *text;
    size_t size;
    am_error err = {0};
    FILE *stream = open_memstream(&text, &size);
    cr_assert_not_null(stream);
    cr_assert_eq(chart_print(NULL, panel, count, &t, stream, &err), AM_OK, "%s", err.message);
    fclose(stream);
    return text;
}

/* 40 columns; y in 0..15 has the labels 0 and 10, so that the plot has 36 columns = 72 dots, and 4
 * rows = 16 dots: x in 0..71 and y in 0..15 are dots themselves. */
static const chart_terminal BRAILLE = {.columns = 40, .rows = 4, .utf8 = true};
static const chart_terminal ASCII = {.columns = 40, .rows = 4};

static void expect_chart(const chart_panel *panel, chart_terminal t, const char *expected)
{
    char *text = drawn(panel, 1, t);
    cr_expect_str_eq(text, expected, "\n%s\ninstead of\n%s", text, expected);
    free(text);
}

Test(terminal_chart, dots_fall_where_they_should)
{
    /* (0, 0): the lowest left dot of the lowest left cell, ⡀; (71, 15): the highest right, ⠈;
     * (36, 7): cell 18, dot 8 from above: the highest left one of row 2, ⠁; (37.4, 6.6) rounds to
     * (37, 7): the right one of the same cell, together ⠉ */
    static const double x[] = {0, 71, 36, 37.4}, y[] = {0, 15, 7, 6.6};
    const chart_series dots = {.count = 4, .x = x, .y = y, .marks = true, .small = true};
    const chart_panel panel = {.title = "dots", .series = &dots, .series_count = 1};
    expect_chart(&panel, BRAILLE,
                 "dots\n"
                 "   │                                   ⠈\n"
                 "10 ┤\n"
                 "   │                  ⠉\n"
                 " 0 ┤⡀\n"
                 "   └┬─────────┬─────────┬─────────┬─────\n"
                 "    0        20        40        60\n"
                 "\n");
    expect_chart(&panel, ASCII,
                 "dots\n"
                 "   |                                   *\n"
                 "10 +\n"
                 "   |                  *\n"
                 " 0 +*\n"
                 "   ++---------+---------+---------+-----\n"
                 "    0        20        40        60\n"
                 "\n");
}

Test(terminal_chart, lines_bands_marks_and_rules)
{
    /* a line at the top, ⠉; a band over the upper half: the left dots of the first and third row of
     * each cell, ⠅; a mark over cell 10 of the lowest row; a rule at x = 40, column 20, its label
     * centred there */
    static const double x[] = {0, 71}, y[] = {15, 15}, low[] = {8, 8}, at[] = {20}, value[] = {0};
    const chart_series series[] = {
        {.label = "own", .count = 2, .x = x, .y = y, .low = low, .high = y},
        {.label = "refit", .count = 1, .x = at, .y = value, .marks = true}};
    const chart_rule rule = {40, "here"};
    const chart_panel panel = {.title = "all",
                               .y_label = "nats",
                               .x_label = "λ",
                               .series = series,
                               .series_count = 2,
                               .rule = &rule,
                               .rule_count = 1};
    expect_chart(&panel, BRAILLE,
                 "all (nats)   ━━ own   ○ refit\n"
                 "                      here\n"
                 "   │⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉\n"
                 "10 ┤⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅┆⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅\n"
                 "   │                    ┆\n"
                 " 0 ┤          ○         ┆\n"
                 "   └┬─────────┬─────────┬─────────┬─────\n"
                 "    0        20        40        60\n"
                 "                     λ\n");
    expect_chart(&panel, ASCII,
                 "all (nats)   ** own   o refit\n"
                 "                      here\n"
                 "   |************************************\n"
                 "10 +....................:...............\n"
                 "   |                    :\n"
                 " 0 +          o         :\n"
                 "   ++---------+---------+---------+-----\n"
                 "    0        20        40        60\n"
                 "                   lambda\n");
}

/* Decade k of 1e-5..1e-1 lies at dot round(71·k/4) = 0, 18, 36, 53, 71: column 0, 9, 18, 26, 35. */
Test(terminal_chart, decades_of_a_logarithmic_axis)
{
    static const double x[] = {1e-5, 1e-1, 0}, y[] = {0, 15, 1e9};
    const chart_series dots = {.count = 3, .x = x, .y = y, .marks = true, .small = true};
    const chart_panel panel = {.log_x = true, .series = &dots, .series_count = 1};
    char *text = drawn(&panel, 1, BRAILLE);
    cr_expect_not_null(strstr(text, "\n   └┬────────┬────────┬───────┬────────┬\n"), "%s", text);
    cr_expect_not_null(strstr(text, "\n  10⁻⁵     10⁻⁴     10⁻³    10⁻²    10⁻¹\n"), "%s", text);
    free(text);
    text = drawn(&panel, 1, ASCII);
    cr_expect_not_null(strstr(text, "\n  1e-5     1e-4     1e-3    1e-2    1e-1\n"), "%s", text);
    free(text);
}

Test(terminal_chart, what_is_not_finite_interrupts_the_line)
{
    static const double x[] = {0, 20, 30, 40, 71}, y[] = {15, 15, (double)NAN, 15, 0};
    chart_series line = {.count = 5, .x = x, .y = y};
    const chart_panel panel = {.series = &line, .series_count = 1};
    char *text = drawn(&panel, 1, ASCII);
    cr_expect_not_null(strstr(text, "\n   |***********         ***"), "%s", text);
    free(text);
    line.count = 0; /* nothing to show is an empty frame */
    text = drawn(&panel, 1, ASCII);
    cr_expect_null(strchr(text, '*'));
    cr_expect_null(strstr(text, "nan"));
    free(text);
}

static int columns_of(const char *line, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)line[i] & 0xC0) != 0x80;
    return columns;
}

/* No line is wider than the terminal, ASCII is ASCII, no blank ends a line, colours only on request. */
Test(terminal_chart, keeps_to_the_terminal)
{
    double x[50], y[50], low[50], high[50];
    for (int i = 0; i < 50; i++) {
        x[i] = pow(10, -5 + 4 * i / 49.0);
        y[i] = 0.9 + 0.08 * sin(i);
        low[i] = y[i] - 0.01;
        high[i] = y[i] + 0.01;
    }
    const chart_series series[] = {{.label = "generator, ω = 1 (band: 5–95 % of draws)",
                                    .count = 50,
                                    .x = x,
                                    .y = y,
                                    .low = low,
                                    .high = high},
                                   {.label = "refit from scratch, with a long name",
                                    .count = 50,
                                    .x = x,
                                    .y = y,
                                    .marks = true}};
    const chart_rule rule[] = {{1e-5, "at the left end"}, {2e-5, "near it"}, {1e-1, "right end"}};
    const chart_panel panel = {.title = "Validation accuracy",
                               .x_label = "penalty λ",
                               .log_x = true,
                               .percent_y = true,
                               .series = series,
                               .series_count = 2,
                               .rule = rule,
                               .rule_count = 3};
    for (int width = CHART_LEAST_COLUMNS; width <= 150; width += 11)
        for (int look = 0; look < 3; look++) {
            chart_terminal t = {
                .columns = width, .rows = 12, .utf8 = look != 1, .colour = look == 2};
            char *text = drawn(&panel, 1, t);
            cr_expect_eq(strchr(text, '\033') != NULL, t.colour);
            for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
                size_t length = strcspn(line, "\n");
                cr_expect(length == 0 || line[length - 1] != ' ', "'%.*s'", (int)length, line);
                /* a legend that does not fit is cut, as is the label in ASCII's longer spelling */
                cr_expect(t.colour || columns_of(line, length) <= width, "%d: '%.*s'", width,
                          (int)length, line);
                for (size_t i = 0; !t.utf8 && i < length; i++)
                    cr_expect(line[i] >= ' ' && line[i] < 127, "'%.*s'", (int)length, line);
            }
            cr_expect_not_null(strstr(text, "at the left end"));
            cr_expect_not_null(strstr(text, "right end"));
            free(text);
        }
}

/* Two panels with one x label share the range of x and begin at one column. */
Test(terminal_chart, panels_share_their_axis)
{
    static const double a[] = {0, 71}, b[] = {20, 40}, y[] = {0, 1000000};
    const chart_series series[] = {{.count = 2, .x = a, .y = a}, {.count = 2, .x = b, .y = y}};
    const chart_panel panel[] = {{.x_label = "x", .series = &series[0], .series_count = 1},
                                 {.x_label = "x", .series = &series[1], .series_count = 1}};
    char *text = drawn(panel, 2, BRAILLE);
    char *first = strstr(text, "└"), *second = strstr(first + 1, "└");
    cr_assert_not_null(second);
    size_t length = strcspn(first, "\n");
    cr_expect_eq(strncmp(first, second, length + 1), 0, "%s", text);
    free(text);
}
