/* IDX: magic 00 00 TYPE RANK, RANK big-endian u32 extents, then the values, big-endian. */
#include "data/data.h"
#include "data/gz.h"

#include <inttypes.h>
#include <stdlib.h>

enum { IDX_MAX_RANK = 4 };

static uint32_t big_endian(const uint8_t b[4])
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static size_t idx_size(idx_type type)
{
    return type == IDX_U8 ? 1 : 4;
}

/* Exactly `size` bytes, or an error that says what is missing. */
static am_status read_all(gz_input *in, void *to, size_t size, const char *what, am_error *err)
{
    size_t got;
    AM_TRY(gz_fill(in, to, size, &got, err));
    if (got < size)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: truncated: %zu of %zu bytes of its %s; get the file again", in->path,
                       got, size, what);
    return AM_OK;
}

static am_status read_magic(gz_input *in, idx_array *array, am_error *err)
{
    uint8_t magic[4];
    AM_TRY(read_all(in, magic, sizeof magic, "IDX header", err));
    if (magic[0] != 0 || magic[1] != 0)
        return am_fail(
            err, AM_ERR_INPUT,
            "%s: not an IDX file (it begins %02x %02x %02x %02x, not 00 00); get it again "
            "or name the right file",
            in->path, magic[0], magic[1], magic[2], magic[3]);
    if (magic[2] != IDX_U8 && magic[2] != IDX_I32 && magic[2] != IDX_F32)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: IDX type 0x%02x is not supported; write it as bytes (0x08), 32-bit "
                       "integers (0x0c) or 32-bit floats (0x0d)",
                       in->path, magic[2]);
    if (magic[3] < 1 || magic[3] > IDX_MAX_RANK)
        return am_fail(err, AM_ERR_INPUT, "%s: IDX rank %d is not supported; it must be 1 to %d",
                       in->path, magic[3], IDX_MAX_RANK);
    array->type = (idx_type)magic[2];
    array->rank = magic[3];
    return AM_OK;
}

/* count = Π extents. A lying header is found here, before memory is asked for on its word. */
static am_status read_extents(gz_input *in, idx_array *array, am_error *err)
{
    const int64_t size = (int64_t)idx_size(array->type);
    array->count = 1;
    for (int i = 0; i < array->rank; i++) {
        uint8_t raw[4];
        AM_TRY(read_all(in, raw, sizeof raw, "IDX header", err));
        array->extent[i] = big_endian(raw);
        if (array->extent[i] == 0)
            return am_fail(err, AM_ERR_INPUT, "%s: holds no values (extent %d is 0)", in->path,
                           i + 1);
        if (array->count > INT64_MAX / size / array->extent[i])
            return am_fail(err, AM_ERR_INPUT,
                           "%s: its header promises more than 2^63 bytes; the file is damaged, get "
                           "it again",
                           in->path);
        array->count *= array->extent[i];
    }
    if (array->count * size > gz_capacity(in))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: truncated or damaged: its header promises %" PRId64
                       " bytes, more than its %" PRId64 " bytes on disk can hold; get it again",
                       in->path, array->count * size, in->stored);
    return AM_OK;
}

static void to_host_order(idx_array *array)
{
    if (array->type == IDX_U8)
        return;
    uint32_t *word = array->values;
    for (int64_t i = 0; i < array->count; i++)
        word[i] = big_endian((const uint8_t *)&word[i]);
}

static am_status read_values(gz_input *in, idx_array *array, am_error *err)
{
    const size_t count = (size_t)array->count, size = idx_size(array->type);
    char extra;
    size_t got;
    array->values = am_alloc(count, size, in->path, err);
    if (array->values == NULL)
        return err->status;
    AM_TRY(read_all(in, array->values, count * size, "values", err));
    AM_TRY(gz_fill(in, &extra, 1, &got, err)); /* reaching the end also checks gzip's CRC */
    if (got != 0)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: longer than the %zu bytes of values its header promises; get it again",
                       in->path, count * size);
    to_host_order(array);
    return AM_OK;
}

am_status idx_read(const char *path, idx_array *array, am_error *err)
{
    gz_input in;
    *array = (idx_array){0};
    am_status status = gz_open(&in, path, err);
    if (status == AM_OK)
        status = read_magic(&in, array, err);
    if (status == AM_OK)
        status = read_extents(&in, array, err);
    if (status == AM_OK)
        status = read_values(&in, array, err);
    gz_close(&in);
    if (status != AM_OK)
        idx_free(array);
    return status;
}

void idx_free(idx_array *array)
{
    free(array->values);
    *array = (idx_array){0};
}
