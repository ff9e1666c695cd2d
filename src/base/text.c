#include "base/base.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *c)
{
    while (is_digit(*c))
        c++;
    return c;
}

static const char *skip_sign(const char *c)
{
    return *c == '+' || *c == '-' ? c + 1 : c;
}

bool am_parse_int(const char *text, int64_t *value)
{
    const char *digits = skip_sign(text), *end = skip_digits(digits);
    if (end == digits || *end != '\0')
        return false;
    errno = 0;
    long long parsed = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return false;
    *value = parsed;
    return true;
}

/* [sign] digits [. digits] [e [sign] digits], with a digit before or after the point. */
static bool is_decimal(const char *text)
{
    const char *whole = skip_sign(text), *c = skip_digits(whole);
    bool digits = c > whole;
    if (*c == '.') {
        const char *fraction = c + 1;
        c = skip_digits(fraction);
        digits = digits || c > fraction;
    }
    if (digits && (*c == 'e' || *c == 'E')) {
        const char *exponent = skip_sign(c + 1);
        c = skip_digits(exponent);
        digits = c > exponent;
    }
    return digits && *c == '\0';
}

/* The C locale, in which '.' is the decimal point whatever the program around us has set. */
static locale_t c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

bool am_parse_double(const char *text, double *value)
{
    if (!is_decimal(text))
        return false;
    locale_t c = c_locale();
    if (!c)
        return false;
    double parsed = strtod_l(text, NULL, c);
    freelocale(c);
    if (!isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

static void shortest(double value, char *text, locale_t c)
{
    bool single = (double)(float)value == value;
    if (value == trunc(value) && fabs(value) < 1e15) {
        snprintf(text, AM_NUMBER_TEXT, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, AM_NUMBER_TEXT, "%.*g", digits, value);
        if (single ? strtof_l(text, NULL, c) == (float)value : strtod_l(text, NULL, c) == value)
            return;
    }
}

void am_number_text(double value, char text[AM_NUMBER_TEXT])
{
    if (!isfinite(value)) {
        snprintf(text, AM_NUMBER_TEXT, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    locale_t c = c_locale();
    if (!c) {
        snprintf(text, AM_NUMBER_TEXT, "%.17g", value);
        return;
    }
    locale_t before = uselocale(c);
    shortest(value, text, c);
    uselocale(before);
    freelocale(c);
}
