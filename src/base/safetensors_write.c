#include "base/safetensors.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors stores little-endian numbers; this machine would need byte swaps"
#endif

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };

/* JSON numbers are doubles: exact below 2^53. */
static const uint64_t largest_offset = UINT64_C(1) << 53;
/* Of the format, less room for padding. */
static const size_t header_limit = 100000000 - ALIGNMENT;

static am_status out_of_memory(am_error *err, const char *path)
{
    return am_fail(err, AM_ERR_MEMORY, "%s: out of memory for the header; free some memory", path);
}

/* Π shape · size of the dtype; false when the tensor is none. */
static bool byte_count(const am_tensor *tensor, uint64_t *bytes)
{
    *bytes = am_dtype_size(tensor->dtype);
    if (tensor->rank < 0 || tensor->rank > AM_TENSOR_MAX_RANK)
        return false;
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->shape[i] < 0 ||
            __builtin_mul_overflow(*bytes, (uint64_t)tensor->shape[i], bytes))
            return false;
    return *bytes < largest_offset;
}

/* cJSON would write large numbers with an exponent, which the format does not allow. */
static bool add_integer(cJSON *array, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    cJSON *number = cJSON_CreateRaw(text);
    if (number && cJSON_AddItemToArray(array, number))
        return true;
    cJSON_Delete(number);
    return false;
}

/* "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} */
static bool add_tensor(cJSON *header, const am_tensor *tensor, uint64_t begin, uint64_t end)
{
    cJSON *entry = cJSON_AddObjectToObject(header, tensor->name);
    if (!entry || !cJSON_AddStringToObject(entry, "dtype", am_dtype_name(tensor->dtype)))
        return false;
    cJSON *shape = cJSON_AddArrayToObject(entry, "shape");
    bool ok = shape != NULL;
    for (int i = 0; ok && i < tensor->rank; i++)
        ok = add_integer(shape, (uint64_t)tensor->shape[i]);
    cJSON *offsets = ok ? cJSON_AddArrayToObject(entry, "data_offsets") : NULL;
    return offsets && add_integer(offsets, begin) && add_integer(offsets, end);
}

static am_status add_metadata(cJSON *header, const char *path, const am_metadata *metadata,
                              int count, am_error *err)
{
    if (count == 0)
        return AM_OK;
    cJSON *object = cJSON_AddObjectToObject(header, "__metadata__");
    if (!object)
        return out_of_memory(err, path);
    for (int i = 0; i < count; i++) {
        if (cJSON_GetObjectItemCaseSensitive(object, metadata[i].key))
            return am_fail(err, AM_ERR_INTERNAL, "%s: metadata '%s' is given twice; report it",
                           path, metadata[i].key);
        if (!cJSON_AddStringToObject(object, metadata[i].key, metadata[i].value))
            return out_of_memory(err, path);
    }
    return AM_OK;
}

static am_status add_tensors(cJSON *header, const char *path, const am_tensor *tensors, int count,
                             am_error *err)
{
    uint64_t begin = 0;
    for (int i = 0; i < count; i++) {
        const am_tensor *tensor = &tensors[i];
        uint64_t bytes;
        if (!byte_count(tensor, &bytes) || bytes >= largest_offset - begin)
            return am_fail(err, AM_ERR_INTERNAL,
                           "%s: tensor '%s' has an impossible shape; report it", path,
                           tensor->name);
        if (strcmp(tensor->name, "__metadata__") == 0 ||
            cJSON_GetObjectItemCaseSensitive(header, tensor->name))
            return am_fail(err, AM_ERR_INTERNAL,
                           "%s: tensor '%s' is reserved or given twice; report it", path,
                           tensor->name);
        if (!add_tensor(header, tensor, begin, begin + bytes))
            return out_of_memory(err, path);
        begin += bytes;
    }
    return AM_OK;
}

static am_status print_header(const cJSON *header, const char *path, char **text, am_error *err)
{
    *text = cJSON_PrintUnformatted(header);
    if (!*text)
        return out_of_memory(err, path);
    if (strlen(*text) > header_limit)
        return am_fail(err, AM_ERR_INTERNAL, "%s: a header above %zu bytes; report it", path,
                       header_limit);
    am_utf8_repair(*text); /* a value may be a path of any bytes; the file stays readable */
    return AM_OK;
}

/* The header's JSON, one line of UTF-8: fresh memory in *text. */
static am_status header_text(const char *path, const am_tensor *tensors, int tensor_count,
                             const am_metadata *metadata, int metadata_count, char **text,
                             am_error *err)
{
    *text = NULL;
    cJSON *header = cJSON_CreateObject();
    if (!header)
        return out_of_memory(err, path);
    am_status status = add_metadata(header, path, metadata, metadata_count, err);
    if (status == AM_OK)
        status = add_tensors(header, path, tensors, tensor_count, err);
    if (status == AM_OK)
        status = print_header(header, path, text, err);
    cJSON_Delete(header);
    return status;
}

static void put_header(FILE *stream, const char *text)
{
    size_t length = strlen(text); // NOLINT: print_header has made it
    size_t padded = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    for (int i = 0; i < LENGTH_BYTES; i++)
        fputc((int)((uint64_t)padded >> (8 * i) & 0xFF), stream);
    fprintf(stream, "%s%*s", text, (int)(padded - length), "");
}

am_status am_safetensors_write(const char *path, const am_tensor *tensors, int tensor_count,
                               const am_metadata *metadata, int metadata_count, am_error *err)
{
    char *text;
    am_output out = {0};
    am_status status =
        header_text(path, tensors, tensor_count, metadata, metadata_count, &text, err);
    if (status == AM_OK)
        status = am_output_open(&out, path, err);
    if (status == AM_OK) {
        put_header(out.stream, text);
        for (int i = 0; i < tensor_count && !ferror(out.stream); i++) {
            uint64_t bytes;
            if (byte_count(&tensors[i], &bytes) && bytes > 0)
                fwrite(tensors[i].data, 1, (size_t)bytes, out.stream);
        }
        status = am_output_commit(&out, err);
    }
    free(text);
    return status;
}
