#include "report/axis.h"

#include <stdlib.h>

/* Labelled on a logarithmic axis; nine ticks for each and the parts at both ends stay in the table.
 */
enum { MOST_DECADES = 9 };

void axis_clear(axis *a, bool log)
{
    *a = (axis){.low = HUGE_VAL, .high = -HUGE_VAL, .log = log};
}

void axis_add(axis *a, double x)
{
    if (!axis_shows(a->log, x))
        return;
    a->low = fmin(a->low, axis_position(a->log, x));
    a->high = fmax(a->high, axis_position(a->log, x));
}

void axis_join(axis *a, const axis *other)
{
    a->low = fmin(a->low, other->low);
    a->high = fmax(a->high, other->high);
}

void axis_pad(axis *a, double share)
{
    if (a->low > a->high) {
        a->low = 0.0;
        a->high = 1.0;
        return;
    }
    double length = a->high - a->low, size = fmax(fabs(a->low), fabs(a->high));
    double pad = share * length;
    if (length <= 1e-9 * size || length < 1e-300) /* rounding would decide where ticks fall */
        pad = a->log ? 0.5 : size > 1e-290 ? 0.05 * size : 1.0;
    a->low -= pad;
    a->high += pad;
}

/* ---- labels: whole numbers with a shifted decimal point, so that no rounding shows --------------
 */

/* n·10^−decimals in plain digits, with a true minus sign, then `unit`. */
static void put_decimal(char text[TICK_TEXT], long long n, int decimals, const char *unit)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%0*lld", decimals + 1, llabs(n));
    snprintf(text, TICK_TEXT, "%s%.*s%s%s%s", n < 0 ? "\u2212" : "", length - decimals, digits,
             decimals > 0 ? "." : "", digits + length - decimals, unit);
}

/* The label of n·10^power on an axis whose largest size is about 10^top. */
static void label(axis_tick *tick, long long n, int power, int top, bool percent)
{
    const char *unit = percent ? "\u00a0%" : "";
    tick->labelled = true;
    if (n == 0) {
        put_decimal(tick->text, 0, 0, unit);
    } else if (top < 6 && top > -5) {
        for (; power > 0; power--)
            n *= 10;
        put_decimal(tick->text, n, -power, unit);
    } else {
        put_decimal(tick->text, n, AM_MAX(top - power, 0), "×10");
        tick->power = true;
        tick->exponent = AM_MAX(top, power);
    }
}

/* The mantissa·10^power nearest to `wanted` in ratio, mantissa 1, 2 or 5: the cuts are √2, √10,
 * √50. */
static void nice_step(double wanted, int *mantissa, int *power)
{
    *power = (int)floor(log10(wanted));
    double ratio = wanted / pow(10.0, *power);
    *mantissa = ratio < sqrt(2.0) ? 1 : ratio < sqrt(10.0) ? 2 : 5;
    if (ratio >= sqrt(50.0)) {
        *mantissa = 1;
        *power += 1;
    }
}

/* Ticks of the interval [low, high] of plain numbers, given at x·scale. */
static void linear_ticks(double low, double high, bool log, int target, bool percent,
                         axis_ticks *ticks)
{
    double scale = percent ? 100.0 : 1.0;
    int mantissa, power;
    nice_step((high - low) * scale / target, &mantissa, &power);
    double unit = pow(10.0, power), step = mantissa * unit;
    int top = (int)floor(log10(fmax(fabs(low), fabs(high)) * scale) + 1e-9);
    long long first = llround(ceil(low * scale / step - 1e-6));
    long long last = llround(floor(high * scale / step + 1e-6));
    for (long long i = first; i <= last && ticks->count < AXIS_MAX_TICKS; i++) {
        axis_tick *tick = &ticks->tick[ticks->count++];
        *tick = (axis_tick){.at = axis_position(log, (double)i * step / scale)};
        label(tick, i * mantissa, power, top, percent);
    }
}

enum { TICK_MINOR, TICK_POWER, TICK_PLAIN };

static void add_log_tick(const axis *a, int mantissa, int decade, int kind, axis_ticks *ticks)
{
    double at = decade + log10(mantissa);
    if (at < a->low - 1e-9 || at > a->high + 1e-9 || ticks->count == AXIS_MAX_TICKS)
        return;
    axis_tick *tick = &ticks->tick[ticks->count++];
    *tick = (axis_tick){.at = at};
    if (kind == TICK_PLAIN) {
        label(tick, mantissa, decade, decade, false);
    } else if (kind == TICK_POWER) {
        snprintf(tick->text, TICK_TEXT, mantissa == 1 ? "10" : "%d×10", mantissa);
        tick->labelled = tick->power = true;
        tick->exponent = decade;
    }
}

static void log_ticks(const axis *a, axis_ticks *ticks)
{
    int first = (int)ceil(a->low - 1e-9), last = (int)floor(a->high + 1e-9);
    int decades = last - first + 1, stride = AM_MAX(1, (decades + MOST_DECADES - 1) / MOST_DECADES);
    bool few =
        decades < 3; /* then 2 and 5 are labelled, and in plain numbers where these are short */
    int kind = few && first >= -2 && last <= 4 ? TICK_PLAIN : TICK_POWER;
    for (int decade = first - 1; decade <= last; decade++) {
        if (decade % stride == 0)
            add_log_tick(a, 1, decade, kind, ticks);
        for (int mantissa = 2; mantissa < 10 && stride == 1; mantissa++) {
            bool labelled = few && (mantissa == 2 || mantissa == 5);
            add_log_tick(a, mantissa, decade, labelled ? kind : TICK_MINOR, ticks);
        }
    }
}

void axis_find_ticks(const axis *a, int target, bool percent, axis_ticks *ticks)
{
    ticks->count = 0;
    if (!a->log)
        linear_ticks(a->low, a->high, false, target, percent, ticks);
    else if (a->high - a->low < 0.7 && a->low > -290.0)
        linear_ticks(pow(10.0, a->low), pow(10.0, a->high), true, target, percent, ticks);
    else
        log_ticks(a, ticks);
}
