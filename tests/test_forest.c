/* forest: the figure of intervals. */
#include "support/program.h"

#include "report/report.h"

#include <math.h>

Test(forest, holds_names_and_intervals_and_leaves_out_what_is_not_finite)
{
    test_folder folder = make_folder();
    const double at[3] = {1, 0, 2}, low[3] = {0.5, -1, NAN}, high[3] = {1.5, 1, 3};
    const char *const name[3] = {"age", "sex & <weight>", "dose"};
    const forest_series series[2] = {{"percentile", at, low, high}, {"BCa", at, low, high}};
    am_error err = {0};
    cr_assert_eq(forest_write_svg(in_folder(&folder, "f.svg"), "Intervals", "effect", name, 3,
                                  series, 2, &err),
                 AM_OK, "%s", err.message);
    expect_svg(&folder, "f.svg");
    char *text = file_text(&folder, "f.svg");
    expect_holds(text, ">age<");
    expect_holds(text, "sex &amp; &lt;weight&gt;");
    expect_holds(text, ">percentile<");
    expect_lacks(text, "nan");
    int lines = 0;
    for (const char *c = text; (c = strstr(c, "class=\"line c")) != NULL; c++)
        lines++;
    cr_expect_eq(lines, 2 + 2 * 2); /* keys of the legend, two names of two series */
    free(text);
    remove_folder(&folder);
}

Test(forest, a_single_point_and_a_place_that_cannot_be_written)
{
    test_folder folder = make_folder();
    const double zero[1] = {0};
    const char *const name[1] = {"a"};
    const forest_series series = {"percentile", zero, zero, zero};
    am_error err = {0};
    cr_expect_eq(forest_write_svg(in_folder(&folder, "f.svg"), "t", "x", name, 1, &series, 1, &err),
                 AM_OK);
    expect_svg(&folder, "f.svg");
    cr_expect_eq(
        forest_write_svg(in_folder(&folder, "no/f.svg"), "t", "x", name, 1, &series, 1, &err),
        AM_ERR_IO);
    remove_folder(&folder);
}
