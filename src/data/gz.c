#include "data/gz.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum {
    GZ_BUFFER = 1 << 18,
    GZ_CHUNK = 1 << 30, /* gzread counts in unsigned int */
    GZ_MAX_RATIO = 1032 /* of deflate: 258 bytes for two bits (zlib's technical details) */
};

am_status gz_open(gz_input *in, const char *path, am_error *err)
{
    struct stat info;
    *in = (gz_input){.path = path};
    if (stat(path, &info) != 0)
        return am_fail(err, AM_ERR_INPUT, "%s: cannot be opened (%s); check the path", path,
                       strerror(errno));
    if (S_ISDIR(info.st_mode))
        return am_fail(err, AM_ERR_INPUT, "%s: is a folder; name a file", path);
    in->stored = S_ISREG(info.st_mode) ? (int64_t)info.st_size : -1;
    errno = 0;
    in->file = gzopen(path, "rb");
    if (in->file == NULL)
        return am_fail(err, errno != 0 ? AM_ERR_INPUT : AM_ERR_MEMORY,
                       "%s: cannot be opened (%s); check its permissions", path,
                       strerror(errno != 0 ? errno : ENOMEM));
    gzbuffer(in->file, GZ_BUFFER);
    return AM_OK;
}

am_status gz_fill(gz_input *in, void *to, size_t size, size_t *got, am_error *err)
{
    *got = 0;
    while (*got < size) {
        int n = gzread(in->file, (char *)to + *got, (unsigned)AM_MIN(size - *got, GZ_CHUNK));
        if (n > 0) {
            *got += (size_t)n;
            continue;
        }
        int code = Z_OK;
        const char *cause = gzerror(in->file, &code);
        if (code == Z_BUF_ERROR)
            return am_fail(err, AM_ERR_INPUT,
                           "%s: the gzip stream ends early; the file is truncated, get it again",
                           in->path);
        if (code == Z_ERRNO)
            return am_fail(err, AM_ERR_IO, "%s: cannot be read (%s)", in->path, strerror(errno));
        if (code == Z_MEM_ERROR)
            return am_fail(err, AM_ERR_MEMORY, "%s: out of memory while decompressing", in->path);
        if (n < 0)
            return am_fail(err, AM_ERR_INPUT, "%s: damaged gzip data (%s); get the file again",
                           in->path, cause);
        break;
    }
    return AM_OK;
}

int64_t gz_capacity(const gz_input *in)
{
    if (in->stored < 0 || in->stored > INT64_MAX / GZ_MAX_RATIO)
        return INT64_MAX;
    return gzdirect(in->file) ? in->stored : in->stored * GZ_MAX_RATIO;
}

void gz_close(gz_input *in)
{
    if (in->file != NULL)
        (void)gzclose_r(in->file); /* damage was found by gz_fill, which reads to the end */
    in->file = NULL;
}
