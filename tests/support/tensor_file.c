#include "support/tensor_file.h"

#include "support/scratch.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static const float weight[6] = {1.0f, -2.5f, 3.25f, 0.0f, -0.0f, 1e-40f};
static const double loss[1] = {0.1};
static const uint8_t code[3] = {0, 127, 255};
static const int32_t label[2] = {INT32_MIN, INT32_MAX};
static const uint64_t step[2] = {0, UINT64_MAX};

const am_tensor sample_tensors[SAMPLE_TENSORS] = {
    {"fc1.weight", AM_DTYPE_F32, 2, {2, 3}, weight},
    {"code", AM_DTYPE_U8, 1, {3}, code},
    {"loss", AM_DTYPE_F64, 0, {0}, loss},
    {"label", AM_DTYPE_I32, 3, {1, 2, 1}, label},
    {"none", AM_DTYPE_F32, 2, {0, 7}, NULL},
    {"step", AM_DTYPE_U64, 1, {2}, step},
};
const am_metadata sample_notes[SAMPLE_NOTES] = {{"version", "1"}, {"ränge", "λ \"quoted\"\n\\"}};

const char *tensor_path(void)
{
    return scratch("file.safetensors");
}

size_t tensor_bytes(const am_tensor *tensor)
{
    size_t bytes = am_dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        bytes *= (size_t)tensor->shape[i];
    return bytes;
}

am_safetensors *write_and_read(const am_tensor *tensor, int count, const am_metadata *metadata,
                               int pairs)
{
    am_error err = {0};
    am_safetensors *file;
    cr_assert(am_safetensors_write(tensor_path(), tensor, count, metadata, pairs, &err) == AM_OK,
              "%s", err.message);
    cr_assert(am_safetensors_read(tensor_path(), &file, &err) == AM_OK, "%s", err.message);
    return file;
}

void put_tensor_file(const char *header, size_t length, size_t size)
{
    am_error err = {0};
    unsigned char *bytes = am_alloc(8 + length + size, 1, "file", &err);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < size; i++)
        bytes[8 + length + i] = (unsigned char)i;
    scratch_put(tensor_path(), bytes, 8 + length + size);
    free(bytes);
}
