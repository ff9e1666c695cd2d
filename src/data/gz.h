/* gz — reads plain and gzip files alike, through zlib. */
#ifndef AM_GZ_H
#define AM_GZ_H

#include "base/base.h"

#include <zlib.h>

typedef struct {
    gzFile file;
    const char *path; /* the caller's; outlives this */
    int64_t stored;   /* bytes on disk; −1 when it is no regular file (a pipe) */
} gz_input;

am_status gz_open(gz_input *in, const char *path, am_error *err);
/* Fills `to` with up to `size` bytes; *got < size only at the end. Damage, a gzip stream that ends
 * early included, is AM_ERR_INPUT. */
am_status gz_fill(gz_input *in, void *to, size_t size, size_t *got, am_error *err);
/* No more bytes than this can come out: known before anything is allocated for them. */
int64_t gz_capacity(const gz_input *in);
void gz_close(gz_input *in); /* safe on a zeroed one */

#endif
