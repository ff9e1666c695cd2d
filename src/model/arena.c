#include "model/arena.h"

#include <stdarg.h>
#include <stdlib.h>

enum { SLOT_ALIGNMENT = 64 }; /* bytes: a cache line, and more than any vector load needs */

int arena_add(arena *a, am_dtype dtype, int64_t rows, int64_t columns, const char *name, ...)
{
    arena_slot *slot = &a->slot[a->count];
    va_list args;
    va_start(args, name);
    vsnprintf(slot->name, sizeof slot->name, name, args);
    va_end(args);
    slot->dtype = dtype;
    slot->rank = columns > 0 ? 2 : 1;
    slot->shape[0] = rows;
    slot->shape[1] = columns;
    slot->offset = a->bytes;
    slot->bytes = am_dtype_size(dtype) * (size_t)rows * (size_t)(columns > 0 ? columns : 1);
    a->bytes += (slot->bytes + SLOT_ALIGNMENT - 1) / SLOT_ALIGNMENT * SLOT_ALIGNMENT;
    return a->count++;
}

am_status arena_open(arena *a, backend *be, const char *what, am_error *err)
{
    a->be = be;
    a->memory = be->op->alloc(be, AM_MAX(a->bytes, (size_t)1), what);
    return be->op->sync(be, err);
}

void arena_close(arena *a)
{
    if (a->be != NULL)
        a->be->op->release(a->be, a->memory);
    *a = (arena){0};
}

void *arena_at(const arena *a, int index)
{
    return index < 0 ? NULL : (void *)((uintptr_t)a->memory + a->slot[index].offset);
}

am_status arena_download(const arena *a, char **host, am_tensor *tensor, am_error *err)
{
    *host = am_alloc(AM_MAX(a->bytes, (size_t)1), 1, "copy of the parameters", err);
    if (*host == NULL)
        return AM_ERR_MEMORY;
    am_status status = a->be->op->download(a->be, *host, a->memory, a->bytes, err);
    for (int i = 0; i < a->count; i++) {
        const arena_slot *s = &a->slot[i];
        tensor[i] = (am_tensor){.name = s->name,
                                .dtype = s->dtype,
                                .rank = s->rank,
                                .shape = {s->shape[0], s->shape[1]},
                                .data = *host + s->offset};
    }
    if (status != AM_OK) {
        free(*host);
        *host = NULL;
    }
    return status;
}

am_status arena_restore(const arena *a, const am_safetensors *file, am_error *err)
{
    for (int i = 0; i < a->count; i++) {
        const arena_slot *s = &a->slot[i];
        const am_tensor *tensor;
        AM_TRY(am_safetensors_need(file, s->name, s->dtype, s->rank, s->shape, &tensor, err));
        a->be->op->upload(a->be, arena_at(a, i), tensor->data, s->bytes);
    }
    return a->be->op->sync(a->be, err);
}
