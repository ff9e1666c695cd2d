/* report: ranges and ticks of a chart's axis. */
#include "report/axis.h"

#include <criterion/criterion.h>

#include <string.h>

/* All labels in one line, "10^-5 10^-4". */
static const char *labels(double low, double high, bool log, int target, bool percent)
{
    static char line[2048];
    axis_ticks ticks;
    const axis a = {low, high, log};
    axis_find_ticks(&a, target, percent, &ticks);
    line[0] = '\0';
    for (int i = 0; i < ticks.count; i++) {
        const axis_tick *tick = &ticks.tick[i];
        double slack = 1e-6 * (high - low);
        cr_assert(tick->at >= low - slack && tick->at <= high + slack);
        cr_assert(i == 0 || tick->at > ticks.tick[i - 1].at);
        if (!tick->labelled)
            continue;
        size_t length = strlen(line);
        snprintf(line + length, sizeof line - length, "%s%s", length ? " " : "", tick->text);
        length = strlen(line);
        if (tick->power)
            snprintf(line + length, sizeof line - length, "^%d", tick->exponent);
    }
    return line;
}

Test(axis, linear_labels_are_round)
{
    cr_assert_str_eq(labels(0.11, 0.33, false, 6, false), "0.15 0.20 0.25 0.30");
    cr_assert_str_eq(labels(0.0, 1.0, false, 6, false), "0 0.2 0.4 0.6 0.8 1.0");
    cr_assert_str_eq(labels(-12.0, 49.0, false, 6, false), "−10 0 10 20 30 40");
    cr_assert_str_eq(labels(96.0, 104.0, false, 6, false), "96 97 98 99 100 101 102 103 104");
    cr_assert_str_eq(labels(0.0, 50000.0, false, 6, false), "0 10000 20000 30000 40000 50000");
    cr_assert_str_eq(labels(0.9998, 1.0003, false, 6, false),
                     "0.9998 0.9999 1.0000 1.0001 1.0002 1.0003");
}

Test(axis, large_and_small_sizes_get_powers)
{
    cr_assert_str_eq(labels(0.0, 3e7, false, 6, false),
                     "0 0.5×10^7 1.0×10^7 1.5×10^7 2.0×10^7 2.5×10^7 3.0×10^7");
    cr_assert_str_eq(labels(-1e-7, 2e-7, false, 3, false), "−1×10^-7 0 1×10^-7 2×10^-7");
}

Test(axis, percent_labels)
{
    cr_assert_str_eq(labels(0.955, 0.975, false, 4, true),
                     "95.5\u00a0% 96.0\u00a0% 96.5\u00a0% 97.0\u00a0% 97.5\u00a0%");
    cr_assert_str_eq(labels(0.0, 1.0, false, 5, true),
                     "0\u00a0% 20\u00a0% 40\u00a0% 60\u00a0% 80\u00a0% 100\u00a0%");
}

Test(axis, logarithmic_labels)
{
    cr_assert_str_eq(labels(-5.1, -0.9, true, 6, false), "10^-5 10^-4 10^-3 10^-2 10^-1");
    cr_assert_str_eq(labels(-5.0, -4.0, true, 6, false), "10^-5 2×10^-5 5×10^-5 10^-4");
    cr_assert_str_eq(labels(0.0, 1.0, true, 6, false), "1 2 5 10");
    cr_assert_str_eq(labels(-1.0, 0.5, true, 6, false), "0.1 0.2 0.5 1 2");
    cr_assert_str_eq(labels(-12.0, 12.0, true, 6, false), "10^-12 10^-9 10^-6 10^-3 10^0 10^3 10^6 "
                                                          "10^9 10^12");
    /* Less than a decade: round numbers, unevenly spaced. */
    cr_assert_str_eq(labels(log10(0.010), log10(0.014), true, 4, false),
                     "0.010 0.011 0.012 0.013 0.014");
}

Test(axis, minor_ticks_are_the_nine_of_a_decade)
{
    axis_ticks ticks;
    const axis a = {-3.0, 0.0, true};
    axis_find_ticks(&a, 6, false, &ticks);
    cr_assert(ticks.count == 28);
    cr_assert_float_eq(ticks.tick[1].at, log10(0.002), 1e-12);
    cr_assert(!ticks.tick[1].labelled && ticks.tick[9].labelled);
}

Test(axis, ranges_survive_everything)
{
    const double ends[] = {-1e300, -1.0, -1e-300, 0.0, 1e-300, 1e-9, 1.0, 1.0 + 1e-15, 1e300};
    enum { ENDS = sizeof ends / sizeof *ends };
    for (int i = 0; i < ENDS; i++) {
        for (int j = 0; j < 2 * ENDS; j++) {
            axis a;
            axis_ticks ticks;
            axis_clear(&a, j >= ENDS);
            axis_add(&a, ends[i] * 0.999);
            axis_add(&a, ends[j % ENDS] * 0.999);
            axis_add(&a, NAN);
            axis_add(&a, INFINITY);
            axis_pad(&a, 0.05);
            cr_assert(isfinite(a.low) && isfinite(a.high) && a.low < a.high);
            axis_find_ticks(&a, 6, false, &ticks);
            cr_assert(ticks.count >= 2 && ticks.count < AXIS_MAX_TICKS, "%g to %g: %d ticks", a.low,
                      a.high, ticks.count);
        }
    }
}

Test(axis, nothing_and_one_point_get_a_length)
{
    axis a;
    axis_clear(&a, false);
    axis_pad(&a, 0.05);
    cr_assert(a.low == 0.0 && a.high == 1.0);
    axis_clear(&a, false);
    axis_add(&a, -2.0);
    axis_pad(&a, 0.05);
    cr_assert_float_eq(a.low, -2.1, 1e-12);
    cr_assert_float_eq(a.high, -1.9, 1e-12);
    axis_clear(&a, true);
    axis_add(&a, 0.0);
    axis_add(&a, -1.0);
    axis_add(&a, 100.0);
    axis_pad(&a, 0.05);
    cr_assert_float_eq(a.low, 1.5, 1e-12);
    cr_assert_float_eq(a.high, 2.5, 1e-12);
}
