/* data_files — temporary folders and small data files for tests. */
#ifndef AM_TEST_DATA_FILES_H
#define AM_TEST_DATA_FILES_H

#include "data/data.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

typedef struct {
    char path[64];
} test_folder;

static inline test_folder make_folder(void)
{
    test_folder folder = {"/tmp/amortune-data-XXXXXX"};
    cr_assert_not_null(mkdtemp(folder.path));
    return folder;
}

static inline int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

static inline void remove_folder(const test_folder *folder)
{
    cr_assert_eq(nftw(folder->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* "FOLDER/NAME" in a buffer that the next call but three overwrites. */
static inline const char *in_folder(const test_folder *folder, const char *name)
{
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(path[next], sizeof path[next], "%s/%s", folder->path, name);
    return path[next];
}

static inline bool ends_in_gz(const char *path)
{
    const size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".gz") == 0;
}

/* Writes bytes, compressed when the name ends in .gz. */
static inline void put_bytes(const char *path, const void *bytes, size_t size)
{
    gzFile file = gzopen(path, ends_in_gz(path) ? "wb" : "wbT"); /* T: plain */
    cr_assert_not_null(file, "%s", path);
    cr_assert(size == 0 || gzwrite(file, bytes, (unsigned)size) == (int)size);
    cr_assert_eq(gzclose(file), Z_OK);
}

static inline void put_text(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}

/* An IDX file: header, then `size` bytes of values as given. */
static inline void put_idx(const char *path, idx_type type, int rank, const uint32_t *extent,
                           const void *values, size_t size)
{
    uint8_t *file = calloc(20 + size, 1);
    cr_assert_not_null(file);
    file[2] = (uint8_t)type;
    file[3] = (uint8_t)rank;
    for (int i = 0; i < rank; i++)
        for (int b = 0; b < 4; b++)
            file[4 + 4 * i + b] = (uint8_t)(extent[i] >> (24 - 8 * b));
    memcpy(file + 4 + 4 * rank, values, size);
    put_bytes(path, file, 4 + 4 * (size_t)rank + size);
    free(file);
}

/* A whole file as it lies on disk. */
static inline uint8_t *get_stored(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    uint8_t *bytes = malloc(1 << 24);
    cr_assert_not_null(bytes);
    *size = fread(bytes, 1, 1 << 24, file);
    cr_assert_lt(*size, 1 << 24);
    fclose(file);
    return bytes;
}

static inline void put_stored(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

static inline void expect_message(const am_error *err, const char *part)
{
    cr_expect(strstr(err->message, part) != NULL, "'%s' is not in: %s", part, err->message);
}

static inline am_data *load_data(data_request request)
{
    am_data *data;
    am_error err;
    cr_assert_eq(data_load(&request, &data, &err), AM_OK, "%s", err.message);
    return data;
}

static inline void expect_no_data(data_request request, am_status status, const char *part)
{
    am_data *data;
    am_error err;
    cr_expect_eq(data_load(&request, &data, &err), status, "%s", part);
    expect_message(&err, part);
    cr_expect_null(data);
}

#endif
