/* safetensors: round trips, hand-built files, and every kind of damage. */
#include "base/safetensors.h"

#include <criterion/criterion.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[64], path[128];

static void make_temporary(void)
{
    strcpy(folder, "/tmp/amortune-tensors-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/file.safetensors", folder);
}

static void remove_temporary(void)
{
    unlink(path);
    cr_assert(rmdir(folder) == 0, "something else was left in %s", folder);
}

TestSuite(safetensors, .init = make_temporary, .fini = remove_temporary);

/* ---- helpers --------------------------------------------------------------------------------- */

static const float weight[6] = {1.0f, -2.5f, 3.25f, 0.0f, -0.0f, 1e-40f};
static const double loss[1] = {0.1};
static const uint8_t code[3] = {0, 127, 255};
static const int32_t label[2] = {INT32_MIN, INT32_MAX};
static const uint64_t step[2] = {0, UINT64_MAX};

static const am_tensor five[] = {
    {"fc1.weight", AM_DTYPE_F32, 2, {2, 3}, weight},
    {"code", AM_DTYPE_U8, 1, {3}, code},
    {"loss", AM_DTYPE_F64, 0, {0}, loss},
    {"label", AM_DTYPE_I32, 3, {1, 2, 1}, label},
    {"none", AM_DTYPE_F32, 2, {0, 7}, NULL},
    {"step", AM_DTYPE_U64, 1, {2}, step},
};
enum { FIVE = sizeof five / sizeof *five };
static const am_metadata notes[] = {{"version", "1"}, {"ränge", "λ \"quoted\"\n\\"}};

static am_safetensors *write_and_read(const am_tensor *tensor, int count,
                                      const am_metadata *metadata, int pairs)
{
    am_error err = {0};
    am_safetensors *file;
    cr_assert(am_safetensors_write(path, tensor, count, metadata, pairs, &err) == AM_OK, "%s",
              err.message);
    cr_assert(am_safetensors_read(path, &file, &err) == AM_OK, "%s", err.message);
    return file;
}

static size_t bytes_of(const am_tensor *tensor)
{
    size_t bytes = am_dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        bytes *= (size_t)tensor->shape[i];
    return bytes;
}

static void cr_same(const am_tensor *a, const am_tensor *b)
{
    cr_assert_str_eq(a->name, b->name);
    cr_assert(a->dtype == b->dtype && a->rank == b->rank);
    for (int i = 0; i < a->rank; i++)
        cr_assert(a->shape[i] == b->shape[i]);
    cr_assert(b->data != NULL && (uintptr_t)b->data % am_dtype_size(b->dtype) == 0);
    cr_assert(bytes_of(a) == 0 || memcmp(a->data, b->data, bytes_of(a)) == 0);
}

/* A file of this header, given as text, and `size` bytes 0, 1, 2, … of data. */
static void put_file(const char *header, size_t length, size_t size)
{
    am_error err = {0};
    unsigned char *bytes = am_alloc(8 + length + size, 1, "file", &err);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < size; i++)
        bytes[8 + length + i] = (unsigned char)i;
    cr_assert(am_write_file(path, bytes, 8 + length + size, &err) == AM_OK, "%s", err.message);
    free(bytes);
}

static void cr_refused(const char *fault)
{
    am_error err = {0};
    am_safetensors *file;
    am_status status = am_safetensors_read(path, &file, &err);
    cr_assert(status == AM_ERR_INPUT && file == NULL, "taken, but expected: %s", fault);
    cr_assert(strstr(err.message, path) && strstr(err.message, fault), "'%s' is not in: %s", fault,
              err.message);
}

static void cr_header_refused(const char *header, size_t size, const char *fault)
{
    put_file(header, strlen(header), size);
    cr_refused(fault);
}

static am_safetensors *read_header(const char *header, size_t size)
{
    am_error err = {0};
    am_safetensors *file;
    put_file(header, strlen(header), size);
    cr_assert(am_safetensors_read(path, &file, &err) == AM_OK, "%s", err.message);
    return file;
}

/* ---- round trips ----------------------------------------------------------------------------- */

Test(safetensors, round_trip_of_every_dtype)
{
    am_safetensors *file = write_and_read(five, FIVE, notes, 2);
    cr_assert(am_safetensors_count(file) == FIVE);
    for (int i = 0; i < FIVE; i++) {
        cr_same(&five[i], am_safetensors_find(file, five[i].name));
        /* The empty tensor sits where the next one begins. */
        cr_same(&five[i], am_safetensors_at(file, i));
    }
    cr_assert_str_eq(am_safetensors_meta(file, "version"), "1");
    cr_assert_str_eq(am_safetensors_meta(file, "ränge"), notes[1].value);
    cr_assert(am_safetensors_meta(file, "seed") == NULL);
    cr_assert(am_safetensors_find(file, "fc1") == NULL);
    am_safetensors_free(file);
    am_safetensors_free(NULL);
}

Test(safetensors, round_trip_of_nothing)
{
    am_safetensors *file = write_and_read(NULL, 0, NULL, 0);
    cr_assert(am_safetensors_count(file) == 0);
    cr_assert(am_safetensors_find(file, "a") == NULL && am_safetensors_meta(file, "a") == NULL);
    am_safetensors_free(file);
}

Test(safetensors, written_bytes_are_those_of_the_format)
{
    static const char expected[] = "\x50\0\0\0\0\0\0\0"
                                   "{\"__metadata__\":{\"k\":\"v\"},"
                                   "\"a\":{\"dtype\":\"U8\",\"shape\":[2],"
                                   "\"data_offsets\":[0,2]}}"
                                   "  "
                                   "\x07\x09";
    const uint8_t data[] = {7, 9};
    const am_tensor tensor = {"a", AM_DTYPE_U8, 1, {2}, data};
    const am_metadata metadata = {"k", "v"};
    am_error err = {0};
    char *bytes;
    size_t size;
    cr_assert(am_safetensors_write(path, &tensor, 1, &metadata, 1, &err) == AM_OK);
    cr_assert(am_read_file(path, &bytes, &size, &err) == AM_OK);
    cr_assert(size == sizeof expected - 1 && memcmp(bytes, expected, size) == 0, "%zu: %s", size,
              bytes + 8);
    free(bytes);
}

Test(safetensors, metadata_that_is_not_utf8_stays_readable)
{
    const am_metadata metadata = {"source", "/data/\xFF/x"};
    am_safetensors *file = write_and_read(NULL, 0, &metadata, 1);
    cr_assert_str_eq(am_safetensors_meta(file, "source"), "/data/?/x");
    am_safetensors_free(file);
}

Test(safetensors, writer_refuses_what_no_reader_would_take)
{
    am_error err = {0};
    const am_tensor twice[] = {five[0], five[0]},
                    reserved = {"__metadata__", AM_DTYPE_U8, 0, {0}, code},
                    huge = {"a", AM_DTYPE_F64, 2, {INT64_MAX, 4}, loss},
                    negative = {"a", AM_DTYPE_F32, 1, {-1}, weight};
    const am_metadata keys[] = {{"k", "1"}, {"k", "2"}};
    cr_assert(am_safetensors_write(path, twice, 2, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(path, &reserved, 1, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(path, &huge, 1, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(path, &negative, 1, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(path, NULL, 0, keys, 2, &err) == AM_ERR_INTERNAL);
    cr_assert(!am_path_exists(path));
}

Test(safetensors, full_disk_keeps_the_old_file)
{
    static const float large[100000];
    const am_tensor tensor = {"large", AM_DTYPE_F32, 1, {100000}, large};
    am_safetensors_free(write_and_read(five, FIVE, notes, 2));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = 4096;
    cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    am_error err = {0};
    am_status status = am_safetensors_write(path, &tensor, 1, NULL, 0, &err);
    limit.rlim_cur = limit.rlim_max;
    cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    cr_assert(status == AM_ERR_IO && strstr(err.message, "File too large"), "%s", err.message);
    am_safetensors *file;
    cr_assert(am_safetensors_read(path, &file, &err) == AM_OK, "%s", err.message);
    cr_assert(am_safetensors_count(file) == FIVE);
    am_safetensors_free(file);
}

/* ---- need ------------------------------------------------------------------------------------ */

Test(safetensors, need_checks_name_dtype_and_shape)
{
    am_safetensors *file = write_and_read(five, FIVE, NULL, 0);
    am_error err = {0};
    const am_tensor *tensor;
    const int64_t right[] = {2, 3}, wrong[] = {3, 2};
    cr_assert(am_safetensors_need(file, "fc1.weight", AM_DTYPE_F32, 2, right, &tensor, &err) ==
              AM_OK);
    cr_same(&five[0], tensor);
    cr_assert(am_safetensors_need(file, "loss", AM_DTYPE_F64, 0, NULL, &tensor, &err) == AM_OK);
    cr_assert(am_safetensors_need(file, "fc1.weight", AM_DTYPE_F32, 2, wrong, &tensor, &err) ==
              AM_ERR_INPUT);
    cr_assert(tensor == NULL);
    cr_assert(strstr(err.message, "'fc1.weight' is F32 (2, 3) where F32 (3, 2) is needed"), "%s",
              err.message);
    cr_assert(am_safetensors_need(file, "fc1.weight", AM_DTYPE_I32, 2, right, &tensor, &err) ==
              AM_ERR_INPUT);
    cr_assert(am_safetensors_need(file, "fc1.weight", AM_DTYPE_F32, 1, right, &tensor, &err) ==
              AM_ERR_INPUT);
    cr_assert(am_safetensors_need(file, "fc2", AM_DTYPE_F32, 2, right, &tensor, &err) ==
              AM_ERR_INPUT);
    cr_assert(strstr(err.message, path) && strstr(err.message, "no tensor 'fc2'"), "%s",
              err.message);
    am_safetensors_free(file);
}

/* ---- files of other writers ------------------------------------------------------------------ */

#define ENTRY(name, dtype, shape, begin, end)                                                      \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end \
    "]}"

Test(safetensors, header_order_and_spelling_are_free)
{
    am_safetensors *file =
        read_header("{ \"b\" : {\"shape\":[1], \"data_offsets\":[2,3],"
                    "\"dtype\":\"U8\"},\n\t" ENTRY("a\\u00e9", "U8", "[2]", 0, 2) "}   ",
                    3);
    cr_assert(am_safetensors_count(file) == 2);
    cr_assert_str_eq(am_safetensors_at(file, 0)->name, "aé");
    cr_assert(*(const uint8_t *)am_safetensors_find(file, "b")->data == 2);
    am_safetensors_free(file);
}

Test(safetensors, unaligned_tensors_are_readable)
{
    for (int pad = 0; pad < 8; pad++) {
        char header[256];
        snprintf(header, sizeof header, "{%s,%s,%s}%*s", ENTRY("a", "U8", "[3]", 0, 3),
                 ENTRY("b", "U64", "[1]", 3, 11), ENTRY("c", "F32", "[1]", 11, 15), pad, "");
        am_safetensors *file = read_header(header, 15);
        cr_assert(*(const uint64_t *)am_safetensors_find(file, "b")->data == 0x0A09080706050403u);
        const uint32_t bits = 0x0E0D0C0Bu;
        float expected;
        memcpy(&expected, &bits, sizeof expected);
        cr_assert(*(const float *)am_safetensors_find(file, "c")->data == expected);
        am_safetensors_free(file);
    }
}

Test(safetensors, empty_tensors_may_sit_anywhere)
{
    am_safetensors *file =
        read_header("{" ENTRY("a", "F32", "[0]", 0, 0) "," ENTRY("b", "U8", "[2]", 0, 2) "," ENTRY(
                        "c", "F32", "[3,0]", 2,
                        2) "," ENTRY("d", "U8", "[]", 2, 3) "," ENTRY("e", "U64", "[0]", 3, 3) "}",
                    3);
    const char *order = "abcde";
    for (int i = 0; i < 5; i++)
        cr_assert(am_safetensors_at(file, i)->name[0] == order[i]);
    am_safetensors_free(file);
}

/* ---- damage ---------------------------------------------------------------------------------- */

Test(safetensors, missing_file)
{
    cr_refused("no such file");
}

Test(safetensors, lies_about_the_header)
{
    am_error err = {0};
    cr_assert(am_write_file(path, "", 0, &err) == AM_OK);
    cr_refused("only 0 bytes");
    cr_assert(am_write_file(path, "\x01\0\0\0\0\0\0", 7, &err) == AM_OK);
    cr_refused("only 7 bytes");
    cr_assert(am_write_file(path, "\x03\0\0\0\0\0\0\0{}", 10, &err) == AM_OK);
    cr_refused("ends within its header of 3 bytes");
    cr_assert(am_write_file(path, "\0\0\0\0\0\0\0\x80{}", 10, &err) == AM_OK);
    cr_refused("claims a header of 9223372036854775808 bytes");
    cr_assert(am_write_file(path, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, &err) == AM_OK);
    cr_refused("claims a header of 18446744073709551615 bytes");
    cr_assert(am_write_file(path, "\x01\xE1\xF5\x05\0\0\0\0{}", 10, &err) == AM_OK);
    cr_refused("claims a header of 100000001 bytes, above the limit of 100000000");
    cr_assert(am_write_file(path, "\0\0\0\0\0\0\0\0", 8, &err) == AM_OK);
    cr_refused("does not begin with '{'");
}

Test(safetensors, wrong_json)
{
    cr_header_refused("[]", 0, "does not begin with '{'");
    cr_header_refused(" {}", 0, "does not begin with '{'");
    cr_header_refused("{", 0, "wrong at byte 1");
    cr_header_refused("{\"a\"", 0, "wrong at byte 4");
    cr_header_refused("{\"a\":}", 0, "wrong at byte");
    cr_header_refused("{\"a\":1", 0, "wrong at byte");
    cr_header_refused("{\"1\":1,", 0, "wrong at byte 7");
    cr_header_refused("{\"a", 0, "wrong at byte 1");
    cr_header_refused("{\"a\\", 0, "wrong at byte 1");
    cr_header_refused("{\"a\\\"", 0, "wrong at byte 1");
    cr_header_refused("{\"a\nb\":1}", 0, "wrong at byte 1");
    cr_header_refused("{\"a\\u0000b\":1}", 0, "wrong at byte 1");
    cr_header_refused("{\"\\ud800\":1}", 0, "wrong at byte");
    cr_header_refused("{\"a\":true}", 0, "wrong at byte 5");
    cr_header_refused("{\"a\":[[[1]]]}", 0, "wrong at byte 7");
    cr_header_refused("{\"a\":[1}}", 0, "wrong at byte");
    cr_header_refused("{}{}", 0, "byte 2 follows the header's JSON");
    cr_header_refused("{}\n", 0, "byte 2 follows the header's JSON");
    cr_header_refused("{\"\xC3\":1}", 0, "byte 2 of the header is not UTF-8");
    put_file("{}\0\0", 4, 0);
    cr_refused("byte 2 follows the header's JSON");
}

Test(safetensors, deep_nesting_is_refused_before_parsing)
{
    enum { DEPTH = 1000000 };
    am_error err = {0};
    char *header = am_alloc(2 * DEPTH + 6, 1, "header", &err);
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', DEPTH);
    memset(header + 5 + DEPTH, ']', DEPTH);
    header[5 + 2 * DEPTH] = '}';
    put_file(header, 2 * DEPTH + 6, 0);
    free(header);
    cr_refused("wrong at byte 7");
}

Test(safetensors, wrong_entries)
{
    cr_header_refused("{\"a\":1}", 0, "'a' is not described by dtype, shape and data_offsets");
    cr_header_refused("{\"a\":{}}", 0, "'a' is not described");
    cr_header_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "'a' is not described");
    cr_header_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", 1,
                      "'a' is not described");
    cr_header_refused("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1]}}", 1,
                      "'a' has impossible data_offsets");
    cr_header_refused("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1,
                      "'a' has no shape");
    cr_header_refused("{\"a\":{\"shape\":[1],\"x\":1,\"data_offsets\":[0,1]}}", 1,
                      "'a' has no dtype");
    cr_header_refused("{\"a\":{\"dtype\":8,\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
                      "'a' has no dtype");
    cr_header_refused("{" ENTRY("a", "BF16", "[1]", 0, 2) "}", 2,
                      "'a' has dtype BF16; convert it to F32");
    cr_header_refused("{" ENTRY("a", "F32", "[1,1,1,1,1]", 0, 4) "}", 4, "more than 4 dimensions");
    cr_header_refused("{" ENTRY("a", "F32", "{}", 0, 4) "}", 4, "'a' has no shape");
    cr_header_refused("{" ENTRY("a", "F32", "[\"1\"]", 0, 4) "}", 4, "impossible shape");
    cr_header_refused("{" ENTRY("a", "F32", "[-1]", 0, 4) "}", 4, "wrong at byte");
    cr_header_refused("{" ENTRY("a", "F32", "[1.0]", 0, 4) "}", 4, "wrong at byte");
    cr_header_refused("{" ENTRY("a", "F32", "[1e0]", 0, 4) "}", 4, "wrong at byte");
}

Test(safetensors, numbers_beyond_exactness_are_refused)
{
    cr_header_refused("{" ENTRY("a", "U8", "[9007199254740992]", 0, 0) "}", 0, "impossible shape");
    cr_header_refused("{" ENTRY("a", "U8", "[99999999999999999999999]", 0, 0) "}", 0,
                      "impossible shape");
    cr_header_refused("{" ENTRY("a", "U8", "[1]", 9007199254740992, 9007199254740993) "}", 1,
                      "impossible data_offsets");
    /* 2^32 · 2^32 = 0 and 2^62 · 4 = 0 modulo 2^64. */
    cr_header_refused("{" ENTRY("a", "U8", "[4294967296,4294967296]", 0, 0) "}", 0,
                      "impossible shape");
    cr_header_refused("{" ENTRY("a", "F32", "[2147483648,2147483648]", 0, 0) "}", 0,
                      "impossible shape");
    cr_header_refused("{" ENTRY("a", "U8", "[9007199254740991,9007199254740991,0]", 0, 0) "}", 0,
                      "impossible shape");
    cr_header_refused("{" ENTRY("a", "U8", "[9007199254740991]", 0, 9007199254740991) "}", 4,
                      "holds 4 bytes of data where its header describes 9007199254740991");
}

Test(safetensors, wrong_offsets)
{
    cr_header_refused("{" ENTRY("a", "F32", "[2]", 0, 4) "}", 4, "4 bytes where its shape needs 8");
    cr_header_refused("{" ENTRY("a", "F32", "[1]", 0, 8) "}", 8, "8 bytes where its shape needs 4");
    cr_header_refused("{" ENTRY("a", "F32", "[1]", 4, 0) "}", 4, "impossible data_offsets");
    cr_header_refused("{" ENTRY("a", "F32", "[1]", 4, 8) "}", 8, "begins at byte 4 instead of 0");
    cr_header_refused("{" ENTRY("a", "U8", "[2]", 0, 2) "," ENTRY("b", "U8", "[2]", 1, 3) "}", 3,
                      "'b' begins at byte 1 instead of 2");
    cr_header_refused("{" ENTRY("a", "U8", "[2]", 0, 2) "," ENTRY("b", "U8", "[2]", 0, 2) "}", 2,
                      "'b' begins at byte 0 instead of 2");
    cr_header_refused("{" ENTRY("a", "U8", "[0]", 1, 1) "," ENTRY("b", "U8", "[2]", 0, 2) "}", 2,
                      "'a' begins at byte 1 instead of 2");
    cr_header_refused("{" ENTRY("a", "F32", "[1]", 0, 4) "}", 3, "holds 3 bytes of data");
    cr_header_refused("{" ENTRY("a", "F32", "[1]", 0, 4) "}", 5, "holds 5 bytes of data");
    cr_header_refused("{}", 1, "holds 1 bytes of data where its header describes 0");
    cr_header_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1,
                      "impossible data_offsets");
    cr_header_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,1]}}", 1,
                      "impossible data_offsets");
}

Test(safetensors, names_and_metadata_are_unique)
{
    cr_header_refused("{" ENTRY("a", "U8", "[1]", 0, 1) "," ENTRY("a", "U8", "[1]", 1, 2) "}", 2,
                      "tensor 'a' is there twice");
    cr_header_refused("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0,
                      "metadata 'k' is there twice");
    cr_header_refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ is no object");
    cr_header_refused("{\"__metadata__\":[]}", 0, "__metadata__ is no object");
    cr_header_refused("{\"__metadata__\":{\"k\":1}}", 0, "metadata 'k' is no text");
}

Test(safetensors, messages_stay_on_one_line)
{
    am_error err = {0};
    am_safetensors *file;
    put_file("{\"a\\nb\\u001b\":1}", 16, 0);
    cr_assert(am_safetensors_read(path, &file, &err) == AM_ERR_INPUT);
    cr_assert(strstr(err.message, "tensor 'a?b?' is not"), "%s", err.message);
}

/* Reads every byte that a file offers, so that a sanitiser sees a tensor that reaches outside. */
static unsigned checksum(const am_safetensors *file)
{
    unsigned sum = 0;
    for (int i = 0; i < am_safetensors_count(file); i++) {
        const am_tensor *tensor = am_safetensors_at(file, i);
        const unsigned char *data = tensor->data;
        for (size_t j = 0; j < bytes_of(tensor); j++)
            sum += data[j];
        cr_assert(am_safetensors_find(file, tensor->name) == tensor);
    }
    return sum;
}

static char *whole_file(size_t *size)
{
    am_error err = {0};
    char *bytes;
    am_safetensors_free(write_and_read(five, FIVE, notes, 2));
    cr_assert(am_read_file(path, &bytes, size, &err) == AM_OK);
    return bytes;
}

/* Not am_write_file: hundreds of syncs would only wear the disk. */
static void put_bytes(const char *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    cr_assert(stream && fwrite(bytes, 1, size, stream) == size && fclose(stream) == 0);
}

Test(safetensors, truncation_at_every_byte_is_noticed)
{
    size_t size;
    char *bytes = whole_file(&size);
    for (size_t cut = 0; cut < size; cut++) {
        put_bytes(bytes, cut);
        am_error err = {0};
        am_safetensors *file;
        cr_assert(am_safetensors_read(path, &file, &err) == AM_ERR_INPUT, "cut at %zu", cut);
        cr_assert(file == NULL && strstr(err.message, path));
    }
    free(bytes);
}

/* Every header byte takes other values; a file that is still taken must be sound. */
Test(safetensors, mutations_of_the_header_do_no_harm)
{
    static const unsigned char flips[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF};
    size_t size, refused = 0, taken = 0;
    char *bytes = whole_file(&size);
    size_t header = 8 + (size_t)(unsigned char)bytes[0] + ((size_t)(unsigned char)bytes[1] << 8);
    unsigned sum = 0;
    for (size_t at = 0; at < header; at++) {
        for (size_t f = 0; f < sizeof flips; f++) {
            bytes[at] = (char)((unsigned char)bytes[at] ^ flips[f]);
            put_bytes(bytes, size);
            am_error err = {0};
            am_safetensors *file;
            am_status status = am_safetensors_read(path, &file, &err);
            if (status == AM_OK)
                sum += checksum(file);
            else
                cr_assert(status == AM_ERR_INPUT && strstr(err.message, path), "%s", err.message);
            taken += status == AM_OK;
            refused += status != AM_OK;
            am_safetensors_free(file);
            bytes[at] = (char)((unsigned char)bytes[at] ^ flips[f]);
        }
    }
    /* Letters of names and metadata may change; structure, numbers and lengths may not. */
    cr_assert(refused > taken && taken > 100 && sum > 0, "%zu refused, %zu taken", refused, taken);
    free(bytes);
}
