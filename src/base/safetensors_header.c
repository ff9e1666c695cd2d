#include "base/safetensors_header.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char metadata_key[] = "__metadata__";

void header_free(header_table *table)
{
    cJSON_Delete(table->json);
    free(table->entry);
    free(table->metadata);
    *table = (header_table){0};
}

/* JSON numbers are doubles: integers are exact below 2^53 only. */
static bool exact_integer(const cJSON *item, uint64_t *value)
{
    if (!cJSON_IsNumber(item))
        return false;
    double x = item->valuedouble;
    if (!(x >= 0.0 && x < 9007199254740992.0) || x != floor(x))
        return false;
    *value = (uint64_t)x;
    return true;
}

static bool find_dtype(const char *name, am_dtype *dtype)
{
    static const am_dtype known[] = {AM_DTYPE_F32, AM_DTYPE_F64, AM_DTYPE_U8, AM_DTYPE_I32,
                                     AM_DTYPE_U64};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, am_dtype_name(known[i])) == 0) {
            *dtype = known[i];
            return true;
        }
    }
    return false;
}

static am_status parse_dtype(const char *path, const cJSON *item, am_tensor *tensor, am_error *err)
{
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
    if (!cJSON_IsString(dtype))
        return header_damaged(err, path, "tensor '%.80s' has no dtype", tensor->name);
    if (!find_dtype(dtype->valuestring, &tensor->dtype))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: tensor '%.80s' has dtype %.20s; convert it to F32, F64, U8, I32 or U64",
                       path, tensor->name, dtype->valuestring);
    return AM_OK;
}

/* *bytes = Π shape · size of the dtype */
static am_status parse_shape(const char *path, const cJSON *item, am_tensor *tensor,
                             uint64_t *bytes, am_error *err)
{
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(item, "shape"), *extent;
    if (!cJSON_IsArray(shape))
        return header_damaged(err, path, "tensor '%.80s' has no shape", tensor->name);
    *bytes = am_dtype_size(tensor->dtype);
    cJSON_ArrayForEach(extent, shape)
    {
        uint64_t value;
        if (tensor->rank == AM_TENSOR_MAX_RANK)
            return am_fail(err, AM_ERR_INPUT,
                           "%s: tensor '%.80s' has more than %d dimensions; reshape it", path,
                           tensor->name, AM_TENSOR_MAX_RANK);
        if (!exact_integer(extent, &value) || __builtin_mul_overflow(*bytes, value, bytes))
            return header_damaged(err, path, "tensor '%.80s' has an impossible shape",
                                  tensor->name);
        tensor->shape[tensor->rank++] = (int64_t)value;
    }
    return AM_OK;
}

static am_status parse_entry(const char *path, const cJSON *item, header_entry *entry,
                             am_error *err)
{
    am_tensor *tensor = &entry->tensor;
    tensor->name = item->string;
    /* Exactly three, so that none of them is there twice. */
    if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3)
        return header_damaged(err, path,
                              "tensor '%.80s' is not described by dtype, shape and data_offsets",
                              tensor->name);
    uint64_t bytes = 0;
    AM_TRY(parse_dtype(path, item, tensor, err));
    AM_TRY(parse_shape(path, item, tensor, &bytes, err));
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !exact_integer(offsets->child, &entry->begin) ||
        !exact_integer(offsets->child->next, &entry->end) || entry->end < entry->begin)
        return header_damaged(err, path, "tensor '%.80s' has impossible data_offsets",
                              tensor->name);
    if (entry->end - entry->begin != bytes)
        return header_damaged(err, path, "tensor '%.80s' has %llu bytes where its shape needs %llu",
                              tensor->name, (unsigned long long)(entry->end - entry->begin),
                              (unsigned long long)bytes);
    return AM_OK;
}

static am_status parse_metadata(const char *path, const cJSON *object, header_table *table,
                                am_error *err)
{
    if (table->metadata || !cJSON_IsObject(object))
        return header_damaged(err, path, "%s is no object or there twice", metadata_key);
    int pairs = cJSON_GetArraySize(object);
    table->metadata = am_alloc((size_t)pairs, sizeof *table->metadata, path, err);
    if (!table->metadata)
        return err->status;
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        if (!cJSON_IsString(item))
            return header_damaged(err, path, "metadata '%.80s' is no text", item->string);
        table->metadata[table->pairs++] = (am_metadata){item->string, item->valuestring};
    }
    return AM_OK;
}

static am_status parse_items(const char *path, header_table *table, am_error *err)
{
    size_t items = (size_t)cJSON_GetArraySize(table->json);
    table->entry = am_alloc(items, sizeof *table->entry, path, err);
    if (!table->entry)
        return err->status;
    const cJSON *item;
    cJSON_ArrayForEach(item, table->json)
    {
        if (strcmp(item->string, metadata_key) == 0) {
            AM_TRY(parse_metadata(path, item, table, err));
            continue;
        }
        header_entry *entry = &table->entry[table->entries];
        entry->position = table->entries++;
        AM_TRY(parse_entry(path, item, entry, err));
    }
    return AM_OK;
}

am_status header_parse(const char *path, const char *text, size_t size, header_table *table,
                       am_error *err)
{
    *table = (header_table){0};
    AM_TRY(header_guard(path, text, size, err));
    const char *stop = text;
    table->json = cJSON_ParseWithLengthOpts(text, size, &stop, false);
    am_status status;
    if (!cJSON_IsObject(table->json))
        status = header_damaged(
            err, path, "the header's JSON is wrong at byte %td (or memory is out)", stop - text);
    else
        status = parse_items(path, table, err);
    if (status != AM_OK)
        header_free(table);
    return status;
}
