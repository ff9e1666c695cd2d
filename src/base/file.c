#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool am_path_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool am_path_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static am_status make_folder(const char *path, am_error *err)
{
    if (mkdir(path, 0777) == 0)
        return AM_OK;
    int cause = errno;
    if (am_path_is_folder(path))
        return AM_OK;
    if (am_path_exists(path))
        return am_fail(err, AM_ERR_IO,
                       "%s: a file stands where a folder is wanted; remove it or choose another "
                       "folder",
                       path);
    return am_fail_errno(err, path, "create the folder", cause);
}

am_status am_make_folders(const char *path, am_error *err)
{
    if (path[0] == '\0')
        return am_fail(err, AM_ERR_IO, "the name of a folder is empty; give a name");
    char *part = am_strdup(path, err);
    if (!part)
        return err->status;
    am_status status = AM_OK;
    for (char *c = part + 1; status == AM_OK && *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        status = make_folder(part, err);
        *c = '/';
    }
    if (status == AM_OK)
        status = make_folder(part, err);
    free(part);
    return status;
}

am_status am_check_writable(const char *folder, am_error *err)
{
    AM_TRY(am_make_folders(folder, err));
    char *probe = am_format("%s/.amortune-XXXXXX", folder);
    if (!probe)
        return am_fail(err, AM_ERR_MEMORY, "%s: out of memory; free some memory", folder);
    int cause = 0, file = mkstemp(probe);
    if (file < 0) {
        cause = errno;
    } else {
        /* A full disk still lets an empty file be created. */
        if (write(file, "\n", 1) != 1)
            cause = errno;
        if (close(file) != 0 && cause == 0)
            cause = errno;
        unlink(probe);
    }
    free(probe);
    return cause ? am_fail_errno(err, folder, "write into the folder", cause) : AM_OK;
}

am_status am_check_writable_file(const char *path, am_error *err)
{
    const char *slash = strrchr(path, '/');
    if (am_path_is_folder(path))
        return am_fail(err, AM_ERR_USAGE, "--out %s: is a folder; give a file name", path);
    char *folder =
        slash == NULL ? am_format(".") : am_format("%.*s", (int)(slash - path + 1), path);
    if (folder == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: out of memory; free some memory", path);
    am_status status = am_check_writable(folder, err);
    free(folder);
    return status;
}

/* Missing or a folder: the user named the wrong thing. All else is the machine's fault. */
static am_status fail_read(am_error *err, const char *path, int cause)
{
    if (cause == ENOENT || cause == ENOTDIR)
        return am_fail(err, AM_ERR_INPUT, "%s: no such file; check the path", path);
    if (cause == EISDIR)
        return am_fail(err, AM_ERR_INPUT, "%s: is a folder; name a file", path);
    if (cause == ENOMEM)
        return am_fail(err, AM_ERR_MEMORY,
                       "%s: out of memory; free some memory or use a smaller file", path);
    return am_fail_errno(err, path, "read", cause);
}

/* The rest of `stream` into *bytes, which holds `room` bytes; 0 or the errno of the failure. Size
 * comes from the end of the stream, never from stat: pipes have none and files may grow. */
static int read_all(FILE *stream, char **bytes, size_t room, size_t *size)
{
    *size = 0;
    for (;;) {
        errno = 0;
        *size += fread(*bytes + *size, 1, room - 1 - *size, stream);
        if (ferror(stream))
            return errno ? errno : EIO;
        if (*size < room - 1)
            break;
        size_t larger;
        if (__builtin_add_overflow(room, room / 2 + 4096, &larger))
            return ENOMEM;
        char *moved = realloc(*bytes, larger);
        if (!moved)
            return ENOMEM;
        *bytes = moved;
        room = larger;
    }
    (*bytes)[*size] = '\0';
    return 0;
}

am_status am_read_file(const char *path, char **bytes, size_t *size, am_error *err)
{
    *bytes = NULL;
    *size = 0;
    FILE *stream = fopen(path, "rbe");
    if (!stream)
        return fail_read(err, path, errno);
    struct stat info;
    bool sized = fstat(fileno(stream), &info) == 0 && S_ISREG(info.st_mode);
    /* One byte for the NUL and one so that a file of the expected size ends in one pass. */
    size_t room = (sized ? (size_t)info.st_size : 0) + 2;
    char *memory = malloc(room);
    int cause = memory ? read_all(stream, &memory, room, size) : ENOMEM;
    fclose(stream);
    if (cause) {
        free(memory);
        *size = 0;
        return fail_read(err, path, cause);
    }
    *bytes = memory;
    return AM_OK;
}
