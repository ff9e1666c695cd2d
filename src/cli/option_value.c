/* Text → value of an option, within its limits. */
#include "cli/option.h"

#include <stdlib.h>
#include <string.h>

/* What is being read, for the error message. */
typedef struct {
    const option *o;
    const char *file, *text;
    am_error *err;
} reading;

/* "--draws 0: out of range; give a whole number in 1..4096" */
static am_status fault(const reading *r, const char *what)
{
    char limits[160];
    option_limits_text(r->o, limits, sizeof limits);
    return am_fail(r->err, AM_ERR_USAGE, "%s%s%s %s: %s; give %s", r->file ? r->file : "",
                   r->file ? ": " : "--", r->o->name, *r->text ? r->text : "''", what, limits);
}

static am_status read_flag(const reading *r, bool *value)
{
    *value = strcmp(r->text, "true") == 0;
    if (*value || strcmp(r->text, "false") == 0)
        return AM_OK;
    return fault(r, "not a truth value");
}

static bool is_whole(const char *text)
{
    text += *text == '-' || *text == '+';
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static am_status read_int(const reading *r, int64_t *value)
{
    const option *o = r->o;
    if (o->limit.integer.zero != NULL && strcmp(r->text, o->limit.integer.zero) == 0) {
        *value = 0;
        return AM_OK;
    }
    if (!is_whole(r->text))
        return fault(r, "not a whole number");
    int64_t number;
    if (!am_parse_int(r->text, &number) || number < o->limit.integer.low ||
        number > o->limit.integer.high)
        return fault(r, "out of range");
    *value = number;
    return AM_OK;
}

static bool within(const option *o, double number)
{
    double low = o->limit.real.low, high = o->limit.real.high;
    return (o->limit.real.above ? number > low : number >= low) && number <= high;
}

static am_status read_real(const reading *r, double *value)
{
    double number;
    if (!am_parse_double(r->text, &number))
        return fault(r, "not a number");
    if (!within(r->o, number))
        return fault(r, "out of range");
    *value = number;
    return AM_OK;
}

static am_status read_text(const reading *r, char **value)
{
    if (*r->text == '\0')
        return fault(r, "empty");
    char *copy = am_strdup(r->text, r->err);
    if (copy == NULL)
        return AM_ERR_MEMORY;
    free(*value);
    *value = copy;
    return AM_OK;
}

static am_status read_choice(const reading *r, char **value)
{
    size_t length = strlen(r->text);
    for (const char *c = r->o->limit.choices; *c != '\0';) {
        size_t size = strcspn(c, "|");
        if (size == length && strncmp(c, r->text, size) == 0)
            return read_text(r, value);
        c += size + (c[size] == '|');
    }
    return fault(r, "no such choice");
}

static am_status read_point(const reading *r, double value[2])
{
    double number;
    if (!am_parse_double(r->text, &number))
        return fault(r, "not a number");
    if (number <= 0)
        return fault(r, "not positive");
    if (!within(r->o, number))
        return fault(r, "out of range");
    value[0] = value[1] = number;
    return AM_OK;
}

/* "LOW:HIGH" → two numbers */
static bool split_range(const char *text, double *low, double *high)
{
    char first[64];
    size_t length = strcspn(text, ":");
    if (text[length] != ':' || length >= sizeof first)
        return false;
    memcpy(first, text, length);
    first[length] = '\0';
    return am_parse_double(first, low) && am_parse_double(text + length + 1, high);
}

static am_status read_range(const reading *r, double value[2])
{
    double low, high;
    if (!split_range(r->text, &low, &high))
        return fault(r, "not a range");
    if (low <= 0 || high <= 0)
        return fault(r, "the range must be positive");
    if (low > high)
        return fault(r, "the range is reversed");
    if (low == high)
        return fault(r, "the range is empty");
    if (!within(r->o, low) || !within(r->o, high))
        return fault(r, "out of range");
    value[0] = low;
    value[1] = high;
    return AM_OK;
}

am_status option_set(settings *s, const option *o, const char *file, const char *text,
                     am_error *err)
{
    reading r = {.o = o, .file = file, .text = text, .err = err};
    void *field = (char *)s + o->field;
    switch (o->kind) {
    case OPTION_FLAG:
        return read_flag(&r, field);
    case OPTION_INT:
        return read_int(&r, field);
    case OPTION_REAL:
        return read_real(&r, field);
    case OPTION_TEXT:
        return read_text(&r, field);
    case OPTION_CHOICE:
        return read_choice(&r, field);
    case OPTION_POINT:
        return read_point(&r, field);
    case OPTION_RANGE:
        return read_range(&r, field);
    }
    return am_fail(err, AM_ERR_INTERNAL, "option %s: unknown kind; report this defect", o->name);
}
