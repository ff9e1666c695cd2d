/* NPZ as numpy.savez writes it: a ZIP archive of stored NPY files (numpy.org, NEP 1), every entry in
 * ZIP64 form (PKWARE APPNOTE 4.5.3), so that no size has a second code path. */
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    NPY_HEADER = 192, /* bytes at most: magic, version, length, description */
    NPY_ALIGN = 64,   /* the header's length is a multiple of it */
    ZIP_VERSION = 45, /* 4.5: ZIP64 */
    ZIP_DATE = 0x21,  /* 1980-01-01: the same arrays are the same bytes */
    LOCAL_BYTES = 50, /* of an entry's local header with its extra field, without the name */
    END64_BYTES = 44  /* of the end record that follow its size */
};
static const uint32_t IN_EXTRA = 0xffffffff; /* the value is in the ZIP64 extra field */

typedef struct {
    const npz_array *array;
    char header[NPY_HEADER];
    size_t header_bytes, data_bytes;
    uint32_t crc;    /* of header and data */
    uint64_t offset; /* of the local header in the file */
} entry;

/* The lowest `bytes` bytes, little-endian, whatever the host. */
static void put(FILE *stream, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        (void)fputc((int)(value >> (8 * i) & 0xff), stream);
}

static size_t dtype_bytes(npz_dtype dtype)
{
    return dtype == NPZ_F32 ? sizeof(float) : sizeof(double);
}

static const char *dtype_text(npz_dtype dtype)
{
    static const char *const text[] = {[NPZ_F32] = "f4", [NPZ_F64] = "f8", [NPZ_I64] = "i8"};
    return text[dtype];
}

static char byte_order(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1 ? '<' : '>';
}

/* "(3, 4)", "(3,)", "()" */
static void shape_text(const npz_array *array, char *text, size_t size)
{
    int used = snprintf(text, size, "(");
    for (int i = 0; i < array->rank; i++)
        used += snprintf(text + used, size - (size_t)used, "%s%" PRId64, i > 0 ? ", " : "",
                         array->shape[i]);
    (void)snprintf(text + used, size - (size_t)used, array->rank == 1 ? ",)" : ")");
}

static void npy_header(entry *e)
{
    char shape[96], text[NPY_HEADER];
    const int prefix = 10; /* magic, version 1.0, u16 length of what follows */
    shape_text(e->array, shape, sizeof shape);
    int length =
        snprintf(text, sizeof text, "{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }",
                 byte_order(), dtype_text(e->array->dtype), shape);
    int total = (prefix + length + NPY_ALIGN) / NPY_ALIGN * NPY_ALIGN; /* with one newline */
    memcpy(e->header, "\x93NUMPY\x01\x00", 8);
    e->header[8] = (char)(total - prefix);
    e->header[9] = 0;
    memset(e->header + prefix, ' ', (size_t)(total - prefix));
    memcpy(e->header + prefix, text, (size_t)length);
    e->header[total - 1] = '\n';
    e->header_bytes = (size_t)total;
}

static void prepare(entry *e, const npz_array *array)
{
    *e = (entry){.array = array, .data_bytes = dtype_bytes(array->dtype)};
    for (int i = 0; i < array->rank; i++)
        e->data_bytes *= (size_t)array->shape[i];
    npy_header(e);
    uLong crc = crc32_z(0, (const Bytef *)e->header, e->header_bytes);
    if (e->data_bytes > 0) /* crc32_z of no data is the start value, not crc */
        crc = crc32_z(crc, array->data, e->data_bytes);
    e->crc = (uint32_t)crc;
}

static uint64_t entry_size(const entry *e)
{
    return (uint64_t)e->header_bytes + e->data_bytes;
}

/* Bytes of the name in the archive, "NAME.npy". */
static size_t name_bytes(const entry *e)
{
    return strlen(e->array->name) + 4;
}

/* What a local header and the directory say alike. */
static void put_common(FILE *stream, const entry *e, int extra)
{
    put(stream, ZIP_VERSION, 2);
    put(stream, 0, 2); /* flags */
    put(stream, 0, 2); /* stored */
    put(stream, 0, 2); /* time */
    put(stream, ZIP_DATE, 2);
    put(stream, e->crc, 4);
    put(stream, IN_EXTRA, 4);
    put(stream, IN_EXTRA, 4);
    put(stream, name_bytes(e), 2);
    put(stream, (uint64_t)extra, 2);
}

/* The ZIP64 extra field begins with its id, its length and both sizes. */
static void put_sizes(FILE *stream, const entry *e, int bytes)
{
    put(stream, 1, 2);
    put(stream, (uint64_t)bytes, 2);
    put(stream, entry_size(e), 8);
    put(stream, entry_size(e), 8);
}

static void write_entry(FILE *stream, const entry *e)
{
    put(stream, 0x04034b50, 4);
    put_common(stream, e, 20);
    (void)fprintf(stream, "%s.npy", e->array->name);
    put_sizes(stream, e, 16);
    (void)fwrite(e->header, 1, e->header_bytes, stream);
    if (e->data_bytes > 0)
        (void)fwrite(e->array->data, 1, e->data_bytes, stream);
}

/* One line of the directory; returns its bytes. */
static uint64_t write_directory(FILE *stream, const entry *e)
{
    put(stream, 0x02014b50, 4);
    put(stream, ZIP_VERSION, 2); /* made by */
    put_common(stream, e, 28);
    put(stream, 0, 2); /* comment */
    put(stream, 0, 2); /* disk */
    put(stream, 0, 2); /* attributes */
    put(stream, 0, 4);
    put(stream, IN_EXTRA, 4);
    (void)fprintf(stream, "%s.npy", e->array->name);
    put_sizes(stream, e, 24);
    put(stream, e->offset, 8);
    return 46 + 28 + name_bytes(e);
}

static void write_end(FILE *stream, uint64_t count, uint64_t begin, uint64_t bytes)
{
    put(stream, 0x06064b50, 4); /* ZIP64 end of the directory */
    put(stream, END64_BYTES, 8);
    put(stream, ZIP_VERSION, 2);
    put(stream, ZIP_VERSION, 2);
    put(stream, 0, 8); /* disks */
    put(stream, count, 8);
    put(stream, count, 8);
    put(stream, bytes, 8);
    put(stream, begin, 8);
    put(stream, 0x07064b50, 4); /* where that is */
    put(stream, 0, 4);
    put(stream, begin + bytes, 8);
    put(stream, 1, 4);
    put(stream, 0x06054b50, 4); /* end of the directory */
    put(stream, 0, 4);
    put(stream, count, 2);
    put(stream, count, 2);
    put(stream, IN_EXTRA, 4);
    put(stream, IN_EXTRA, 4);
    put(stream, 0, 2);
}

am_status npz_write(const char *path, const npz_array *array, int count, am_error *err)
{
    entry *e = am_alloc((size_t)count, sizeof *e, "arrays", err);
    if (e == NULL)
        return AM_ERR_MEMORY;
    am_output out;
    am_status status = am_output_open(&out, path, err);
    uint64_t at = 0, directory = 0;
    for (int i = 0; status == AM_OK && i < count; i++) {
        prepare(&e[i], &array[i]);
        e[i].offset = at;
        write_entry(out.stream, &e[i]);
        at += LOCAL_BYTES + name_bytes(&e[i]) + entry_size(&e[i]);
    }
    for (int i = 0; status == AM_OK && i < count; i++)
        directory += write_directory(out.stream, &e[i]);
    if (status == AM_OK) {
        write_end(out.stream, (uint64_t)count, at, directory);
        status = am_output_commit(&out, err);
    }
    free(e);
    return status;
}
