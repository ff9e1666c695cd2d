/* arena — the device memory of one network's parameters or one optimiser's state: a table of
 * (name, type, shape), one allocation, sliced. The same table writes and reads files. */
#ifndef AM_ARENA_H
#define AM_ARENA_H

#include "backend/backend.h"
#include "base/safetensors.h"

enum { ARENA_SLOTS = 40 };

typedef struct {
    char name[40];
    am_dtype dtype;
    int rank;
    int64_t shape[2];
    size_t offset, bytes;
} arena_slot;

typedef struct {
    backend *be;
    int count;
    arena_slot slot[ARENA_SLOTS];
    size_t bytes;
    void *memory; /* device; NULL until opened */
} arena;

/* Adds a slot before opening; columns 0 makes it a vector. Returns its index. */
int arena_add(arena *a, am_dtype dtype, int64_t rows, int64_t columns, const char *name, ...)
    AM_PRINTF(5, 6);
am_status arena_open(arena *a, backend *be, const char *what, am_error *err);
void arena_close(arena *a); /* safe on a zeroed one */
/* Device address of slot `index`; with index −1 NULL. */
void *arena_at(const arena *a, int index);

/* Host copy of the whole arena, laid out as slots: free() it. tensor[0..count) then describe it. */
am_status arena_download(const arena *a, char **host, am_tensor *tensor, am_error *err);
/* Fills every slot from the file, checking type and shape. */
am_status arena_restore(const arena *a, const am_safetensors *file, am_error *err);

#endif
