#include "base/safetensors_header.h"

#include <stdlib.h>
#include <string.h>

/* Of the format: https://github.com/huggingface/safetensors, MAX_HEADER_SIZE. */
static const uint64_t header_limit = 100000000;
enum { LENGTH_BYTES = 8 };

struct am_safetensors {
    char *path;
    char *bytes; /* the whole file */
    size_t size;
    header_table header;
    am_tensor *tensor;         /* (count), in the order of their data */
    const am_tensor **by_name; /* (count), sorted */
    void **aligned; /* (count) copies of tensors that the file leaves unaligned, or NULL */
    int count;
};

void am_safetensors_free(am_safetensors *file)
{
    if (!file)
        return;
    for (int i = 0; file->aligned && i < file->count; i++)
        free(file->aligned[i]);
    free(file->aligned);
    free(file->by_name);
    free(file->tensor);
    header_free(&file->header);
    free(file->bytes);
    free(file->path);
    free(file);
}

static am_status find_header(const am_safetensors *file, uint64_t *length, am_error *err)
{
    if (file->size < LENGTH_BYTES)
        return header_damaged(err, file->path, "only %zu bytes long", file->size);
    *length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        *length = *length << 8 | (unsigned char)file->bytes[i];
    if (*length > header_limit)
        return header_damaged(err, file->path,
                              "claims a header of %llu bytes, above the limit of %llu",
                              (unsigned long long)*length, (unsigned long long)header_limit);
    if (*length > file->size - LENGTH_BYTES)
        return header_damaged(err, file->path, "ends within its header of %llu bytes",
                              (unsigned long long)*length);
    return AM_OK;
}

/* Empty tensors share their begin with the next one and come first. */
static int by_offset(const void *a, const void *b)
{
    const header_entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* The tensors cover `size` bytes of data without gap, overlap or rest. */
static am_status check_cover(const am_safetensors *file, size_t size, am_error *err)
{
    const header_table *header = &file->header;
    uint64_t at = 0;
    for (int i = 0; i < header->entries; i++) {
        const header_entry *entry = &header->entry[i];
        if (entry->begin != at)
            return header_damaged(
                err, file->path, "tensor '%.80s' begins at byte %llu instead of %llu",
                entry->tensor.name, (unsigned long long)entry->begin, (unsigned long long)at);
        at = entry->end;
    }
    if (at != size)
        return header_damaged(err, file->path,
                              "holds %zu bytes of data where its header describes %llu", size,
                              (unsigned long long)at);
    return AM_OK;
}

static am_status place_tensors(am_safetensors *file, const char *data, am_error *err)
{
    size_t count = (size_t)file->header.entries;
    file->tensor = am_alloc(count, sizeof *file->tensor, file->path, err);
    file->aligned = file->tensor ? am_alloc(count, sizeof *file->aligned, file->path, err) : NULL;
    if (!file->aligned)
        return err->status;
    for (; file->count < file->header.entries; file->count++) {
        const header_entry *entry = &file->header.entry[file->count];
        am_tensor *tensor = &file->tensor[file->count];
        *tensor = entry->tensor;
        tensor->data = data + entry->begin;
        if ((uintptr_t)tensor->data % am_dtype_size(tensor->dtype) == 0)
            continue;
        size_t bytes = (size_t)(entry->end - entry->begin);
        void *copy = am_alloc(bytes, 1, tensor->name, err);
        if (!copy)
            return err->status;
        memcpy(copy, tensor->data, bytes);
        tensor->data = file->aligned[file->count] = copy;
    }
    return AM_OK;
}

static int compare_names(const void *a, const void *b)
{
    const am_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int compare_keys(const void *a, const void *b)
{
    const am_metadata *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static am_status sort_names(am_safetensors *file, am_error *err)
{
    file->by_name = am_alloc((size_t)file->count, sizeof *file->by_name, file->path, err);
    if (!file->by_name)
        return err->status;
    for (int i = 0; i < file->count; i++)
        file->by_name[i] = &file->tensor[i];
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, compare_names);
    for (int i = 1; i < file->count; i++)
        if (compare_names(&file->by_name[i - 1], &file->by_name[i]) == 0)
            return header_damaged(err, file->path, "tensor '%.80s' is there twice",
                                  file->by_name[i]->name);
    am_metadata *metadata = file->header.metadata;
    int pairs = file->header.pairs;
    if (pairs > 0)
        qsort(metadata, (size_t)pairs, sizeof *metadata, compare_keys);
    for (int i = 1; i < pairs; i++)
        if (compare_keys(&metadata[i - 1], &metadata[i]) == 0)
            return header_damaged(err, file->path, "metadata '%.80s' is there twice",
                                  metadata[i].key);
    return AM_OK;
}

static am_status load(am_safetensors *file, am_error *err)
{
    uint64_t length = 0;
    AM_TRY(am_read_file(file->path, &file->bytes, &file->size, err));
    AM_TRY(find_header(file, &length, err));
    const char *text = file->bytes + LENGTH_BYTES, *data = text + length;
    header_table *header = &file->header;
    AM_TRY(header_parse(file->path, text, (size_t)length, header, err));
    if (header->entries > 0)
        qsort(header->entry, (size_t)header->entries, sizeof *header->entry, by_offset);
    AM_TRY(check_cover(file, file->size - LENGTH_BYTES - (size_t)length, err));
    AM_TRY(place_tensors(file, data, err));
    return sort_names(file, err);
}

am_status am_safetensors_read(const char *path, am_safetensors **file, am_error *err)
{
    *file = NULL;
    am_safetensors *opened = am_alloc(1, sizeof *opened, path, err);
    if (!opened)
        return err->status;
    opened->path = am_strdup(path, err);
    am_status status = opened->path ? load(opened, err) : err->status;
    if (status == AM_OK)
        *file = opened;
    else
        am_safetensors_free(opened);
    return status;
}

int am_safetensors_count(const am_safetensors *file)
{
    return file->count;
}

const am_tensor *am_safetensors_at(const am_safetensors *file, int index)
{
    return &file->tensor[index];
}

const am_tensor *am_safetensors_find(const am_safetensors *file, const char *name)
{
    const am_tensor wanted = {.name = name}, *key = &wanted;
    const am_tensor **found =
        bsearch(&key, file->by_name, (size_t)file->count, sizeof *file->by_name, compare_names);
    return found ? *found : NULL;
}

const char *am_safetensors_meta(const am_safetensors *file, const char *key)
{
    const am_metadata wanted = {.key = key, .value = NULL};
    const header_table *header = &file->header;
    if (header->pairs == 0)
        return NULL;
    const am_metadata *found = bsearch(&wanted, header->metadata, (size_t)header->pairs,
                                       sizeof *header->metadata, compare_keys);
    return found ? found->value : NULL;
}

enum { SHAPE_TEXT = 96 };

/* "F32 (16, 784)" */
static void describe(am_dtype dtype, int rank, const int64_t *shape, char text[SHAPE_TEXT])
{
    int at = snprintf(text, SHAPE_TEXT, "%s (", am_dtype_name(dtype));
    for (int i = 0; i < rank && at < SHAPE_TEXT; i++)
        at += snprintf(text + at, (size_t)(SHAPE_TEXT - at), "%s%lld", i ? ", " : "",
                       (long long)shape[i]);
    if (at < SHAPE_TEXT)
        snprintf(text + at, (size_t)(SHAPE_TEXT - at), ")");
}

am_status am_safetensors_need(const am_safetensors *file, const char *name, am_dtype dtype,
                              int rank, const int64_t *shape, const am_tensor **tensor,
                              am_error *err)
{
    *tensor = NULL;
    const am_tensor *found = am_safetensors_find(file, name);
    if (!found)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: has no tensor '%s'; give a file written for this purpose", file->path,
                       name);
    bool equal = found->dtype == dtype && found->rank == rank;
    for (int i = 0; equal && i < rank; i++)
        equal = found->shape[i] == shape[i];
    if (!equal) {
        char has[SHAPE_TEXT], wanted[SHAPE_TEXT];
        describe(found->dtype, found->rank, found->shape, has);
        describe(dtype, rank, shape, wanted);
        return am_fail(err, AM_ERR_INPUT,
                       "%s: tensor '%s' is %s where %s is needed; give a file of matching sizes",
                       file->path, name, has, wanted);
    }
    *tensor = found;
    return AM_OK;
}
