#include "base/base.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void *am_alloc(size_t count, size_t size, const char *what, am_error *err)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX) {
        am_fail(err, AM_ERR_MEMORY,
                "%s: %zu items of %zu bytes exceed the address space; choose a smaller problem",
                what, count, size);
        return NULL;
    }
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory)
        am_fail(err, AM_ERR_MEMORY,
                "%s: out of memory, %.1f MiB wanted; choose a smaller problem or free some memory",
                what, (double)bytes / 1048576.0);
    return memory;
}

char *am_strdup(const char *text, am_error *err)
{
    size_t size = strlen(text) + 1;
    char *copy = am_alloc(size, 1, "text", err);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

char *am_format(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}
