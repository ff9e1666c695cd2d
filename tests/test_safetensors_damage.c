/* safetensors: every kind of damage is noticed, and does no harm. */
#include "support/scratch.h"
#include "support/tensor_file.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

TestSuite(safetensors_damage, .init = scratch_make, .fini = scratch_remove);

static void cr_refused(const char *fault)
{
    am_error err = {0};
    am_safetensors *file;
    am_status status = am_safetensors_read(tensor_path(), &file, &err);
    cr_assert(status == AM_ERR_INPUT && file == NULL, "taken, but expected: %s", fault);
    cr_assert(strstr(err.message, tensor_path()) && strstr(err.message, fault),
              "'%s' is not in: %s", fault, err.message);
}

static void cr_header_refused(const char *header, size_t size, const char *fault)
{
    put_tensor_file(header, strlen(header), size);
    cr_refused(fault);
}

Test(safetensors_damage, missing_file)
{
    cr_refused("no such file");
}

Test(safetensors_damage, lies_about_the_header)
{
    scratch_put(tensor_path(), "", 0);
    cr_refused("only 0 bytes");
    scratch_put(tensor_path(), "\x01\0\0\0\0\0\0", 7);
    cr_refused("only 7 bytes");
    scratch_put(tensor_path(), "\x03\0\0\0\0\0\0\0{}", 10);
    cr_refused("ends within its header of 3 bytes");
    scratch_put(tensor_path(), "\0\0\0\0\0\0\0\x80{}", 10);
    cr_refused("claims a header of 9223372036854775808 bytes");
    scratch_put(tensor_path(), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10);
    cr_refused("claims a header of 18446744073709551615 bytes");
    scratch_put(tensor_path(), "\x01\xE1\xF5\x05\0\0\0\0{}", 10);
    cr_refused("claims a header of 100000001 bytes, above the limit of 100000000");
    scratch_put(tensor_path(), "\0\0\0\0\0\0\0\0", 8);
    cr_refused("does not begin with '{'");
}

Test(safetensors_damage, wrong_json)
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
    put_tensor_file("{}\0\0", 4, 0);
    cr_refused("byte 2 follows the header's JSON");
}

Test(safetensors_damage, deep_nesting_is_refused_before_parsing)
{
    enum { DEPTH = 1000000 };
    am_error err = {0};
    char *header = am_alloc(2 * DEPTH + 6, 1, "header", &err);
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', DEPTH);
    memset(header + 5 + DEPTH, ']', DEPTH);
    header[5 + 2 * DEPTH] = '}';
    put_tensor_file(header, 2 * DEPTH + 6, 0);
    free(header);
    cr_refused("wrong at byte 7");
}

Test(safetensors_damage, wrong_entries)
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

Test(safetensors_damage, numbers_beyond_exactness_are_refused)
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

Test(safetensors_damage, wrong_offsets)
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

Test(safetensors_damage, names_and_metadata_are_unique)
{
    cr_header_refused("{" ENTRY("a", "U8", "[1]", 0, 1) "," ENTRY("a", "U8", "[1]", 1, 2) "}", 2,
                      "tensor 'a' is there twice");
    cr_header_refused("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0,
                      "metadata 'k' is there twice");
    cr_header_refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ is no object");
    cr_header_refused("{\"__metadata__\":[]}", 0, "__metadata__ is no object");
    cr_header_refused("{\"__metadata__\":{\"k\":1}}", 0, "metadata 'k' is no text");
}

Test(safetensors_damage, messages_stay_on_one_line)
{
    am_error err = {0};
    am_safetensors *file;
    put_tensor_file("{\"a\\nb\\u001b\":1}", 16, 0);
    cr_assert(am_safetensors_read(tensor_path(), &file, &err) == AM_ERR_INPUT);
    cr_assert(strstr(err.message, "tensor 'a?b?' is not"), "%s", err.message);
}

/* Reads every byte that a file offers, so that a sanitiser sees a tensor that reaches outside. */
static unsigned checksum(const am_safetensors *file)
{
    unsigned sum = 0;
    for (int i = 0; i < am_safetensors_count(file); i++) {
        const am_tensor *tensor = am_safetensors_at(file, i);
        const unsigned char *data = tensor->data;
        for (size_t j = 0; j < tensor_bytes(tensor); j++)
            sum += data[j];
        cr_assert(am_safetensors_find(file, tensor->name) == tensor);
    }
    return sum;
}

static char *whole_file(size_t *size)
{
    am_error err = {0};
    char *bytes;
    am_safetensors_free(write_and_read(sample_tensors, SAMPLE_TENSORS, sample_notes, 2));
    cr_assert(am_read_file(tensor_path(), &bytes, size, &err) == AM_OK);
    return bytes;
}

Test(safetensors_damage, truncation_at_every_byte_is_noticed)
{
    size_t size;
    char *bytes = whole_file(&size);
    for (size_t cut = 0; cut < size; cut++) {
        scratch_put(tensor_path(), bytes, cut);
        am_error err = {0};
        am_safetensors *file;
        cr_assert(am_safetensors_read(tensor_path(), &file, &err) == AM_ERR_INPUT, "cut at %zu",
                  cut);
        cr_assert(file == NULL && strstr(err.message, tensor_path()));
    }
    free(bytes);
}

/* Every header byte takes other values; a file that is still taken must be sound. */
Test(safetensors_damage, mutations_of_the_header_do_no_harm)
{
    static const unsigned char flips[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF};
    size_t size, refused = 0, taken = 0;
    char *bytes = whole_file(&size);
    size_t header = 8 + (size_t)(unsigned char)bytes[0] + ((size_t)(unsigned char)bytes[1] << 8);
    unsigned sum = 0;
    for (size_t at = 0; at < header; at++) {
        for (size_t f = 0; f < sizeof flips; f++) {
            bytes[at] = (char)((unsigned char)bytes[at] ^ flips[f]);
            scratch_put(tensor_path(), bytes, size);
            am_error err = {0};
            am_safetensors *file;
            am_status status = am_safetensors_read(tensor_path(), &file, &err);
            if (status == AM_OK)
                sum += checksum(file);
            else
                cr_assert(status == AM_ERR_INPUT && strstr(err.message, tensor_path()), "%s",
                          err.message);
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
