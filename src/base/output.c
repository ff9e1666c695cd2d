#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name that rename will replace: a link stays and the file behind it is replaced; a folder or a
 * device (/dev/null!) is never. */
static am_status final_name(const char *path, char **name, am_error *err)
{
    struct stat info;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/')
        return am_fail(err, AM_ERR_IO, "'%s' names no file; add a file name", path);
    if (lstat(path, &info) != 0) {
        if (errno != ENOENT)
            return am_fail_errno(err, path, "write", errno);
        *name = am_strdup(path, err);
        return *name ? AM_OK : err->status;
    }
    if (stat(path, &info) != 0)
        return am_fail(err, AM_ERR_IO,
                       "%s: the link leads nowhere; remove it or choose another name", path);
    if (S_ISDIR(info.st_mode))
        return am_fail(err, AM_ERR_IO, "%s: is a folder; name a file", path);
    if (!S_ISREG(info.st_mode))
        return am_fail(err, AM_ERR_IO, "%s: is no regular file; choose another name", path);
    *name = realpath(path, NULL);
    return *name ? AM_OK : am_fail_errno(err, path, "resolve", errno);
}

/* O_EXCL: never through a link that somebody else has planted. A file left over by a dead process
 * of the same number is removed first. */
static FILE *create(const char *path)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file = open(path, flags, 0666);
    if (file < 0 && errno == EEXIST && unlink(path) == 0)
        file = open(path, flags, 0666);
    if (file < 0)
        return NULL;
    FILE *stream = fdopen(file, "wb");
    if (!stream) {
        int cause = errno;
        close(file);
        unlink(path);
        errno = cause;
    }
    return stream;
}

am_status am_output_open(am_output *out, const char *path, am_error *err)
{
    *out = (am_output){0};
    AM_TRY(final_name(path, &out->path, err));
    out->temporary = am_format("%s.tmp-%ld", out->path, (long)getpid());
    am_status status = AM_OK;
    if (!out->temporary) {
        status = am_fail(err, AM_ERR_MEMORY, "%s: out of memory; free some memory", path);
    } else {
        out->stream = create(out->temporary);
        if (!out->stream)
            status = am_fail_errno(err, path, "write", errno);
    }
    if (status != AM_OK) {
        free(out->path);
        free(out->temporary);
        *out = (am_output){0};
    }
    return status;
}

void am_output_discard(am_output *out)
{
    if (out->stream)
        fclose(out->stream);
    if (out->temporary)
        unlink(out->temporary);
    free(out->path);
    free(out->temporary);
    *out = (am_output){0};
}

/* Some file systems cannot sync and say EINVAL; nothing more can be done there. */
static bool sync_file(int file)
{
    return fsync(file) == 0 || errno == EINVAL;
}

static int open_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/'); // NOLINT: an opened output has a path
    if (!slash)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int file = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    return file;
}

/* Makes the rename itself last through a power cut, where the folder may be opened at all. */
static bool sync_folder_of(const char *path)
{
    int folder = open_folder_of(path);
    if (folder < 0)
        return true;
    bool done = sync_file(folder);
    int cause = errno;
    close(folder);
    errno = cause;
    return done;
}

/* Why did an earlier write fail? Its errno is long gone; one more byte into the lost file asks
 * again. */
static int ask_again(int file)
{
    errno = 0;
    return write(file, "", 1) == 1 || errno == 0 ? EIO : errno;
}

/* 0, or the errno of the first failure. */
static int finish(am_output *out)
{
    int cause = 0, file = fileno(out->stream);
    if (ferror(out->stream))
        cause = ask_again(file);
    else if (fflush(out->stream) != 0 || !sync_file(file))
        cause = errno;
    if (fclose(out->stream) != 0 && !cause)
        cause = errno;
    out->stream = NULL;
    if (!cause && rename(out->temporary, out->path) != 0)
        cause = errno;
    if (cause)
        return cause;
    free(out->temporary); /* it is the file now: discard must not remove it */
    out->temporary = NULL;
    return sync_folder_of(out->path) ? 0 : errno;
}

am_status am_output_commit(am_output *out, am_error *err)
{
    if (!out->stream)
        return am_fail(err, AM_ERR_INTERNAL, "an output is committed that is not open; report it");
    int cause = finish(out);
    am_status status = cause ? am_fail_errno(err, out->path, "write", cause) : AM_OK;
    am_output_discard(out);
    return status;
}

am_status am_write_file(const char *path, const void *bytes, size_t size, am_error *err)
{
    am_output out;
    AM_TRY(am_output_open(&out, path, err));
    if (size > 0)
        fwrite(bytes, 1, size, out.stream); /* commit reports its failure */
    return am_output_commit(&out, err);
}
