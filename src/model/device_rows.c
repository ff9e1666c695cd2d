#include "model/device_rows.h"

static void *copy_of(backend *be, const void *host, size_t bytes, const char *what)
{
    if (host == NULL || bytes == 0)
        return NULL;
    void *memory = be->op->alloc(be, bytes, what);
    be->op->upload(be, memory, host, bytes);
    return memory;
}

am_status device_rows_open(device_rows *d, backend *be, const am_rows *rows, const uint32_t *block,
                           am_error *err)
{
    size_t n = (size_t)rows->n, values = n * (size_t)rows->inputs;
    *d = (device_rows){.be = be};
    d->data = (device_data){
        .bytes = copy_of(be, rows->bytes, values, "images"),
        .floats = copy_of(be, rows->floats, values * sizeof(float), "inputs"),
        .n = rows->n,
        .inputs = rows->inputs,
        .scale = rows->bytes != NULL ? rows->scale : 1.0f,
        .shift = rows->bytes != NULL ? rows->shift : 0.0f,
        .label = copy_of(be, rows->label, n * sizeof(int32_t), "labels"),
        .target = copy_of(be, rows->target, n * (size_t)rows->outputs * sizeof(float), "targets"),
        .outputs = rows->outputs,
        .block = copy_of(be, block, n * sizeof(uint32_t), "blocks"),
    };
    am_status status = be->op->sync(be, err);
    if (status != AM_OK)
        device_rows_close(d);
    return status;
}

void device_rows_close(device_rows *d)
{
    if (d->be == NULL)
        return;
    const void *owned[] = {d->data.bytes, d->data.floats, d->data.label, d->data.target,
                           d->data.block};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        d->be->op->release(d->be, (void *)(uintptr_t)owned[i]);
    *d = (device_rows){0};
}
