/* Value of an option → text, and what an option takes. */
#include "cli/option.h"

#include <math.h>
#include <string.h>

static char *int_text(const option *o, int64_t value)
{
    if (value == 0 && o->limit.integer.zero != NULL)
        return am_format("%s", o->limit.integer.zero);
    return am_format("%lld", (long long)value);
}

/* am_number_text is content with the same float: here the same double is wanted. */
void option_number_text(double value, char text[AM_NUMBER_TEXT])
{
    double back;
    am_number_text(value, text);
    if (isfinite(value) && (!am_parse_double(text, &back) || back != value))
        snprintf(text, AM_NUMBER_TEXT, "%.17g", value);
}

static char *real_text(double value)
{
    char text[AM_NUMBER_TEXT];
    option_number_text(value, text);
    return am_format("%s", text);
}

static char *range_text(const double value[2])
{
    char low[AM_NUMBER_TEXT], high[AM_NUMBER_TEXT];
    option_number_text(value[0], low);
    option_number_text(value[1], high);
    return am_format("%s:%s", low, high);
}

char *option_value_text(const settings *s, const option *o)
{
    const void *field = (const char *)s + o->field;
    switch (o->kind) {
    case OPTION_FLAG:
        return am_format("%s", *(const bool *)field ? "true" : "false");
    case OPTION_INT:
        return int_text(o, *(const int64_t *)field);
    case OPTION_REAL:
        return real_text(*(const double *)field);
    case OPTION_TEXT:
    case OPTION_CHOICE: {
        const char *text = *(char *const *)field;
        return text != NULL ? am_format("%s", text) : NULL;
    }
    case OPTION_POINT:
        return *(const double *)field > 0 ? real_text(*(const double *)field) : NULL;
    case OPTION_RANGE:
        return *(const double *)field > 0 ? range_text(field) : NULL;
    }
    return NULL;
}

/* "a|b|c" → "a, b or c" */
static void choices_text(const char *choices, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    while (*choices != '\0' && used < size) {
        size_t length = strcspn(choices, "|");
        bool last = choices[length] == '\0';
        const char *before = used == 0 ? "" : last ? " or " : ", ";
        used += (size_t)snprintf(text + used, size - used, "%s%.*s", before, (int)length, choices);
        choices += length + !last;
    }
}

static void int_limits(const option *o, char *text, size_t size)
{
    const char *zero = o->limit.integer.zero;
    snprintf(text, size, "a whole number in %lld..%lld%s%s", (long long)o->limit.integer.low,
             (long long)o->limit.integer.high, zero ? ", or " : "", zero ? zero : "");
}

static void real_limits(const option *o, char *text, size_t size)
{
    char low[AM_NUMBER_TEXT], high[AM_NUMBER_TEXT];
    am_number_text(o->limit.real.low, low);
    am_number_text(o->limit.real.high, high);
    if (o->kind == OPTION_RANGE)
        snprintf(text, size, "LOW:HIGH with %s <= LOW < HIGH <= %s", low, high);
    else if (o->limit.real.above)
        snprintf(text, size, "a number above %s, at most %s", low, high);
    else
        snprintf(text, size, "a number in %s..%s", low, high);
}

void option_limits_text(const option *o, char *text, size_t size)
{
    switch (o->kind) {
    case OPTION_FLAG:
        snprintf(text, size, "true or false, or nothing for true");
        break;
    case OPTION_INT:
        int_limits(o, text, size);
        break;
    case OPTION_TEXT:
        snprintf(text, size, "%s", o->metavar);
        break;
    case OPTION_CHOICE:
        choices_text(o->limit.choices, text, size);
        break;
    case OPTION_REAL:
    case OPTION_POINT:
    case OPTION_RANGE:
        real_limits(o, text, size);
        break;
    }
}
