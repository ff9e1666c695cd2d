#include "base/safetensors_header.h"

#include <stdarg.h>
#include <string.h>

/* { "name": { "shape": [ … */
enum { DEEPEST = 3 };

am_status header_damaged(am_error *err, const char *path, const char *format, ...)
{
    char fault[400];
    va_list args;
    va_start(args, format);
    vsnprintf(fault, sizeof fault, format, args);
    va_end(args);
    return am_fail(err, AM_ERR_INPUT,
                   "%s: %s; the file is damaged or no safetensors file, write or fetch it again",
                   path, fault);
}

static const char *first_invalid_utf8(const char *text, size_t size)
{
    while (size > 0) {
        uint32_t code;
        int length = am_utf8_decode(text, size, &code);
        if (length == 0)
            return text;
        text += length;
        size -= (size_t)length;
    }
    return NULL;
}

/* text[0] is the opening quote; returns the byte after the closing one, or NULL. An escaped NUL
 * would cut a name short, so that two names could become one. */
static const char *skip_string(const char *text, const char *end)
{
    for (const char *c = text + 1; c < end; c++) {
        if (*c == '"')
            return c + 1;
        if ((unsigned char)*c < 0x20)
            return NULL;
        if (*c != '\\')
            continue;
        if (end - c >= 6 && memcmp(c, "\\u0000", 6) == 0)
            return NULL;
        c++;
    }
    return NULL;
}

/* The byte after the object that starts at `text`; NULL with *fault at the offending byte. */
static const char *skip_object(const char *text, const char *end, const char **fault)
{
    int depth = 0;
    for (const char *c = text; c < end;) {
        *fault = c;
        if (*c == '"') {
            c = skip_string(c, end);
            if (!c)
                return NULL;
            continue;
        }
        if (*c == '\0' || !strchr("{}[],: \t\n\r0123456789", *c))
            return NULL;
        if (*c == '{' || *c == '[')
            depth++;
        if (*c == '}' || *c == ']')
            depth--;
        if (depth > DEEPEST)
            return NULL;
        c++;
        if (depth == 0)
            return c;
    }
    *fault = end;
    return NULL;
}

am_status header_guard(const char *path, const char *text, size_t size, am_error *err)
{
    const char *end = text + size, *fault = first_invalid_utf8(text, size);
    if (fault)
        return header_damaged(err, path, "byte %td of the header is not UTF-8", fault - text);
    if (size == 0 || text[0] != '{') // NOLINT: size 0 is the only case without text
        return header_damaged(err, path, "the header does not begin with '{'");
    const char *after = skip_object(text, end, &fault);
    if (!after)
        return header_damaged(err, path, "the header's JSON is wrong at byte %td", fault - text);
    for (; after < end; after++)
        if (*after != ' ')
            return header_damaged(err, path, "byte %td follows the header's JSON", after - text);
    return AM_OK;
}
