/* chart: many small marks. */
#include "report/report.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(chart_dots, .init = scratch_make, .fini = scratch_remove);

static int occurrences(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

/* A dot for every point that can be shown, without a tooltip; the legend's key is an ordinary mark. */
Test(chart_dots, small_marks_are_dots)
{
    enum { N = 300 };
    double x[N], y[N];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = i == 7 ? NAN : sin(0.1 * i);
    }
    chart_series series = {
        .label = "points", .count = N, .x = x, .y = y, .marks = true, .small = true};
    chart_panel panel = {.x_label = "x", .series = &series, .series_count = 1};
    am_error err = {0};
    cr_assert_eq(chart_write_svg(scratch("dots.svg"), NULL, &panel, 1, &err), AM_OK, "%s",
                 err.message);
    char *text = scratch_text(scratch("dots.svg"));
    cr_expect_eq(occurrences(text, "<circle class=\"dot c0\""), N - 1);
    cr_expect_eq(occurrences(text, "<title>"), 1, "that of the figure alone");
    cr_expect_eq(occurrences(text, "class=\"mark c0\""), 1);
    free(text);
}
