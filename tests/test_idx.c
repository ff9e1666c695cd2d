#include "data_files.h"

static const uint32_t CUBE[3] = {2, 3, 2};
static const uint8_t TWELVE[12] = {0, 1, 2, 127, 128, 255, 6, 7, 8, 9, 10, 11};

static void expect_cube(const idx_array *a)
{
    cr_assert_eq(a->type, IDX_U8);
    cr_assert_eq(a->rank, 3);
    cr_assert_eq(a->extent[0], 2);
    cr_assert_eq(a->extent[1], 3);
    cr_assert_eq(a->extent[2], 2);
    cr_assert_eq(a->count, 12);
    cr_assert_eq(memcmp(a->values, TWELVE, 12), 0);
}

Test(idx, reads_bytes_plain_and_gzip)
{
    test_folder folder = make_folder();
    for (int gz = 0; gz < 2; gz++) {
        idx_array array;
        am_error err;
        const char *path = in_folder(&folder, gz ? "cube.gz" : "cube");
        put_idx(path, IDX_U8, 3, CUBE, TWELVE, 12);
        cr_assert_eq(idx_read(path, &array, &err), AM_OK, "%s", err.message);
        expect_cube(&array);
        idx_free(&array);
        idx_free(&array); /* safe twice */
    }
    remove_folder(&folder);
}

Test(idx, brings_integers_and_floats_into_host_order)
{
    /* big-endian: 1, −2, 2³¹−1, then 1.0 = 3f800000, −2.5 = c0200000, 0.15625 = 3e200000 */
    const uint8_t integers[12] = {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0x7f, 0xff, 0xff, 0xff};
    const uint8_t floats[12] = {0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0, 0x3e, 0x20, 0, 0};
    test_folder folder = make_folder();
    idx_array a;
    am_error err;
    put_idx(in_folder(&folder, "i"), IDX_I32, 1, (uint32_t[]){3}, integers, 12);
    put_idx(in_folder(&folder, "f"), IDX_F32, 2, (uint32_t[]){3, 1}, floats, 12);
    cr_assert_eq(idx_read(in_folder(&folder, "i"), &a, &err), AM_OK, "%s", err.message);
    cr_expect_eq(((int32_t *)a.values)[0], 1);
    cr_expect_eq(((int32_t *)a.values)[1], -2);
    cr_expect_eq(((int32_t *)a.values)[2], INT32_MAX);
    idx_free(&a);
    cr_assert_eq(idx_read(in_folder(&folder, "f"), &a, &err), AM_OK, "%s", err.message);
    cr_expect_eq(((float *)a.values)[0], 1.0f);
    cr_expect_eq(((float *)a.values)[1], -2.5f);
    cr_expect_eq(((float *)a.values)[2], 0.15625f);
    idx_free(&a);
    remove_folder(&folder);
}

/* The file must be refused with `part` in a message that names it, and leave nothing behind. */
static void expect_refused(const char *path, const char *part)
{
    idx_array array;
    am_error err;
    cr_expect_eq(idx_read(path, &array, &err), AM_ERR_INPUT, "%s: %s", path, part);
    cr_expect_eq(err.status, AM_ERR_INPUT);
    expect_message(&err, part);
    expect_message(&err, path);
    cr_expect_null(array.values);
}

Test(idx, refuses_what_is_no_idx_file)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "x");
    expect_refused(path, "No such file");
    expect_refused(folder.path, "folder");
    put_text(path, "");
    expect_refused(path, "truncated");
    put_text(path, "<html>404</html>");
    expect_refused(path, "not an IDX file");
    put_bytes(path, "\0\0\x0e\x01\0\0\0\1\0\0\0\0\0\0\0\0", 16);
    expect_refused(path, "type 0x0e");
    put_bytes(path, "\0\0\x08\0\1", 5);
    expect_refused(path, "rank 0");
    put_bytes(path, "\0\0\x08\5\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\7", 25);
    expect_refused(path, "rank 5");
    put_idx(path, IDX_U8, 2, (uint32_t[]){3, 0}, "", 0);
    expect_refused(path, "extent 2 is 0");
    remove_folder(&folder);
}

Test(idx, refuses_wrong_lengths)
{
    test_folder folder = make_folder();
    const char *plain = in_folder(&folder, "x"), *gz = in_folder(&folder, "x.gz");
    put_idx(plain, IDX_U8, 3, CUBE, TWELVE, 11);
    expect_refused(plain, "truncated");
    put_idx(gz, IDX_U8, 3, CUBE, TWELVE, 11);
    expect_refused(gz, "truncated: 11 of 12 bytes");
    put_bytes(gz, "\0\0\x08\3\0\0\0\2\0\0", 10);
    expect_refused(gz, "header");
    uint8_t longer[13] = {0};
    put_idx(plain, IDX_U8, 3, CUBE, longer, 13);
    expect_refused(plain, "longer than the 12 bytes");
    put_idx(gz, IDX_U8, 3, CUBE, longer, 13);
    expect_refused(gz, "longer than the 12 bytes");
    remove_folder(&folder);
}

Test(idx, never_allocates_on_the_word_of_a_lying_header)
{
    const uint32_t huge[4] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    test_folder folder = make_folder();
    for (int gz = 0; gz < 2; gz++) {
        const char *path = in_folder(&folder, gz ? "x.gz" : "x");
        put_idx(path, IDX_U8, 1, huge, TWELVE, 12); /* 2³² */
        expect_refused(path, "header promises");
        put_idx(path, IDX_F32, 1, huge, TWELVE, 12);
        expect_refused(path, "header promises");
        put_idx(path, IDX_U8, 2, huge, TWELVE, 12); /* wraps to 1 in 64 bits when squared */
        expect_refused(path, "2^63");
        put_idx(path, IDX_F32, 4, huge, TWELVE, 12);
        expect_refused(path, "2^63");
        put_idx(path, IDX_U8, 4, (uint32_t[]){1u << 16, 1u << 16, 1u << 16, 1u << 16}, TWELVE, 12);
        expect_refused(path, "2^63"); /* 2⁶⁴ ≡ 0 */
    }
    remove_folder(&folder);
}

Test(idx, refuses_every_truncation_of_a_gzip_file)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "x.gz");
    size_t size;
    put_idx(path, IDX_U8, 3, CUBE, TWELVE, 12);
    uint8_t *stored = get_stored(path, &size);
    for (size_t length = 0; length < size; length++) {
        put_stored(path, stored, length);
        expect_refused(path, "");
    }
    put_stored(path, stored, size - 1);
    expect_refused(path, "ends early");
    free(stored);
    remove_folder(&folder);
}

/* Its length follows from the header, so that no single changed byte of it can pass. */
Test(idx, refuses_every_mutation_of_the_header)
{
    test_folder folder = make_folder();
    for (int gz = 0; gz < 2; gz++) {
        const char *path = in_folder(&folder, gz ? "x.gz" : "x");
        size_t size;
        put_idx(in_folder(&folder, "good"), IDX_U8, 3, CUBE, TWELVE, 12);
        uint8_t *bytes = get_stored(in_folder(&folder, "good"), &size);
        for (size_t at = 0; at < 16; at++)
            for (unsigned change = 1; change < 256; change += gz ? 7 : 1) {
                bytes[at] ^= (uint8_t)change;
                put_bytes(path, bytes, size);
                expect_refused(path, "");
                bytes[at] ^= (uint8_t)change;
            }
        free(bytes);
    }
    remove_folder(&folder);
}

/* gzip has bytes without a meaning (time, system); otherwise a flipped bit is found. */
Test(idx, never_reads_other_values_from_a_damaged_gzip_file)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "x.gz");
    size_t size;
    int refused = 0;
    put_idx(path, IDX_U8, 3, CUBE, TWELVE, 12);
    uint8_t *bytes = get_stored(path, &size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        idx_array array;
        am_error err;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        put_stored(path, bytes, size);
        am_status status = idx_read(path, &array, &err);
        if (status == AM_OK)
            expect_cube(&array);
        else
            cr_expect_eq(status, AM_ERR_INPUT);
        refused += status != AM_OK;
        idx_free(&array);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_expect_geq(refused, 8 * ((int)size - 10), "%d of %zu bits", refused, 8 * size);
    free(bytes);
    remove_folder(&folder);
}
