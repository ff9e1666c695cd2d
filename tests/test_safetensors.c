/* safetensors: round trips, lookups, files of other writers. */
#include "support/scratch.h"
#include "support/tensor_file.h"

#include <criterion/criterion.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

TestSuite(safetensors, .init = scratch_make, .fini = scratch_remove);

static void cr_same(const am_tensor *a, const am_tensor *b)
{
    cr_assert_str_eq(a->name, b->name);
    cr_assert(a->dtype == b->dtype && a->rank == b->rank);
    for (int i = 0; i < a->rank; i++)
        cr_assert(a->shape[i] == b->shape[i]);
    cr_assert(b->data != NULL && (uintptr_t)b->data % am_dtype_size(b->dtype) == 0);
    cr_assert(tensor_bytes(a) == 0 || memcmp(a->data, b->data, tensor_bytes(a)) == 0);
}

static am_safetensors *read_header(const char *header, size_t size)
{
    am_error err = {0};
    am_safetensors *file;
    put_tensor_file(header, strlen(header), size);
    cr_assert(am_safetensors_read(tensor_path(), &file, &err) == AM_OK, "%s", err.message);
    return file;
}

/* ---- round trips ----------------------------------------------------------------------------- */

Test(safetensors, round_trip_of_every_dtype)
{
    am_safetensors *file = write_and_read(sample_tensors, SAMPLE_TENSORS, sample_notes, 2);
    cr_assert(am_safetensors_count(file) == SAMPLE_TENSORS);
    for (int i = 0; i < SAMPLE_TENSORS; i++) {
        cr_same(&sample_tensors[i], am_safetensors_find(file, sample_tensors[i].name));
        /* The empty tensor sits where the next one begins. */
        cr_same(&sample_tensors[i], am_safetensors_at(file, i));
    }
    cr_assert_str_eq(am_safetensors_meta(file, "version"), "1");
    cr_assert_str_eq(am_safetensors_meta(file, "ränge"), sample_notes[1].value);
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
    cr_assert(am_safetensors_write(tensor_path(), &tensor, 1, &metadata, 1, &err) == AM_OK);
    cr_assert(am_read_file(tensor_path(), &bytes, &size, &err) == AM_OK);
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
    const am_tensor twice[] = {sample_tensors[0], sample_tensors[0]};
    const am_tensor reserved = {"__metadata__", AM_DTYPE_U8, 0, {0}, "x"};
    const am_tensor huge = {"a", AM_DTYPE_F64, 2, {INT64_MAX, 4}, "x"};
    const am_tensor negative = {"a", AM_DTYPE_F32, 1, {-1}, "x"};
    const am_metadata keys[] = {{"k", "1"}, {"k", "2"}};
    cr_assert(am_safetensors_write(tensor_path(), twice, 2, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(tensor_path(), &reserved, 1, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(tensor_path(), &huge, 1, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(tensor_path(), &negative, 1, NULL, 0, &err) == AM_ERR_INTERNAL);
    cr_assert(am_safetensors_write(tensor_path(), NULL, 0, keys, 2, &err) == AM_ERR_INTERNAL);
    cr_assert(!am_path_exists(tensor_path()));
}

Test(safetensors, full_disk_keeps_the_old_file)
{
    static const float large[100000];
    const am_tensor tensor = {"large", AM_DTYPE_F32, 1, {100000}, large};
    am_safetensors_free(write_and_read(sample_tensors, SAMPLE_TENSORS, sample_notes, 2));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = 4096;
    cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    am_error err = {0};
    am_status status = am_safetensors_write(tensor_path(), &tensor, 1, NULL, 0, &err);
    limit.rlim_cur = limit.rlim_max;
    cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    cr_assert(status == AM_ERR_IO && strstr(err.message, "File too large"), "%s", err.message);
    am_safetensors *file;
    cr_assert(am_safetensors_read(tensor_path(), &file, &err) == AM_OK, "%s", err.message);
    cr_assert(am_safetensors_count(file) == SAMPLE_TENSORS);
    am_safetensors_free(file);
}

/* ---- need ------------------------------------------------------------------------------------ */

Test(safetensors, need_checks_name_dtype_and_shape)
{
    am_safetensors *file = write_and_read(sample_tensors, SAMPLE_TENSORS, NULL, 0);
    am_error err = {0};
    const am_tensor *tensor;
    const int64_t right[] = {2, 3}, wrong[] = {3, 2};
    cr_assert(am_safetensors_need(file, "fc1.weight", AM_DTYPE_F32, 2, right, &tensor, &err) ==
              AM_OK);
    cr_same(&sample_tensors[0], tensor);
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
    cr_assert(strstr(err.message, tensor_path()) && strstr(err.message, "no tensor 'fc2'"), "%s",
              err.message);
    am_safetensors_free(file);
}

/* ---- files of other writers ------------------------------------------------------------------ */

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
