#include "api/options.h"

#include <string.h>

/* Every struct of options begins with its size. */
void options_hand_out(void *options, size_t size, void *defaults, size_t known)
{
    if (options == NULL || size < sizeof(size_t))
        return;
    size_t shared = AM_MIN(size, known);
    memcpy(defaults, &shared, sizeof shared);
    memset(options, 0, size);
    memcpy(options, defaults, shared);
}

am_status options_take(void *into, size_t known, const void *from, const char *type, am_error *err)
{
    size_t size;
    if (from == NULL)
        return AM_OK;
    memcpy(&size, from, sizeof size);
    if (size <= sizeof size || size > known)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: size %zu, between %zu and %zu is expected; fill it with %s_default",
                       type, size, sizeof size + 1, known, type);
    memcpy(into, from, size);
    memcpy(into, &known, sizeof known);
    return AM_OK;
}

/* "relu, tanh" */
static void list_words(const char *const *words, const char *extra, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    if (extra != NULL)
        used = (size_t)snprintf(text, size, "%s", extra);
    for (int i = 0; words[i] != NULL && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", words[i]);
}

am_status options_word(const char **text, const char *fallback, const char *name,
                       const char *const *words, const char *extra, am_error *err)
{
    char list[160];
    if (*text == NULL)
        *text = fallback;
    if (*text == NULL || (extra != NULL && strcmp(*text, extra) == 0))
        return AM_OK;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], *text) == 0)
            return AM_OK;
    list_words(words, extra, list, sizeof list);
    return am_fail(err, AM_ERR_USAGE, "--%s %s: no such choice; give one of %s", name,
                   **text != '\0' ? *text : "''", list);
}

am_status options_int(int64_t value, const char *name, int64_t low, int64_t high, am_error *err)
{
    if (value >= low && value <= high)
        return AM_OK;
    return am_fail(err, AM_ERR_USAGE, "--%s %lld: out of range; give a whole number in %lld..%lld",
                   name, (long long)value, (long long)low, (long long)high);
}

am_status options_real(double value, const char *name, double low, double high, bool above,
                       am_error *err)
{
    if ((above ? value > low : value >= low) && value <= high)
        return AM_OK;
    return am_fail(err, AM_ERR_USAGE, "--%s %g: out of range; give a number %s %g, at most %g",
                   name, value, above ? "above" : "of at least", low, high);
}
