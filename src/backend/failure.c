/* Apart from backend.c, so that a plugin can have it without the other backends. */
#include "backend/backend.h"

#include <stdarg.h>

void backend_fail(backend *be, am_status status, const char *op, const char *format, ...)
{
    if (be->failure.status != AM_OK)
        return;
    char cause[sizeof be->failure.message];
    va_list args;
    va_start(args, format);
    vsnprintf(cause, sizeof cause, format, args);
    va_end(args);
    am_fail(&be->failure, status, "%s: %s", op, cause);
}
