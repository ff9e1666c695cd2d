#include "base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* A path alone may have 4096 bytes; what follows it must not be lost. */
enum { WHOLE_MESSAGE = 8192 };

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Names come from files and command lines: no newline or terminal escape may pass. */
static void keep_one_line(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
    am_utf8_repair(text);
}

/* text → message, cut in the middle when it is too long: path and fault both survive. */
static void fit(char *message, size_t room, const char *text)
{
    static const char gap[] = " ... ";
    size_t length = strlen(text);
    if (length < room) {
        memcpy(message, text, length + 1);
        return;
    }
    size_t head = room / 3, tail = room - 1 - head - (sizeof gap - 1);
    while (head > 0 && continues_character(text[head]))
        head--;
    while (tail > 0 && continues_character(text[length - tail]))
        tail--;
    memcpy(message, text, head);
    memcpy(message + head, gap, sizeof gap - 1);
    memcpy(message + head + sizeof gap - 1, text + length - tail, tail + 1);
}

am_status am_fail(am_error *err, am_status status, const char *format, ...)
{
    char text[WHOLE_MESSAGE]; /* apart from err: an argument may be err->message itself */
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0)
        text[0] = '\0';
    keep_one_line(text);
    err->status = status;
    fit(err->message, sizeof err->message, text);
    return status;
}

static const char *remedy(int cause)
{
    switch (cause) {
    case EACCES:
    case EPERM:
        return "check its permissions or choose another place";
    case EROFS:
        return "the file system is read-only, choose another place";
    case ENOSPC:
    case EDQUOT:
        return "free some space or choose another disk";
    case EFBIG:
        return "raise the limit on file sizes (ulimit -f) or choose another disk";
    case ENOENT:
        return "check the path, the folder must exist";
    case ENOTDIR:
        return "a part of the path is a file, choose another place";
    case EISDIR:
        return "it is a folder, name a file";
    case ENAMETOOLONG:
        return "choose a shorter name";
    case EMFILE:
    case ENFILE:
        return "raise the limit on open files (ulimit -n)";
    case EIO:
        return "check the disk";
    default:
        return "check the path and the disk";
    }
}

am_status am_fail_errno(am_error *err, const char *path, const char *action, int cause)
{
    return am_fail(err, AM_ERR_IO, "%s: cannot %s: %s; %s", path, action, strerror(cause),
                   remedy(cause));
}
