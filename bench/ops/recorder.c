#include "recorder.h"

#include <stdlib.h>
#include <string.h>

static recorder *recorder_of(const backend *be)
{
    return (recorder *)(uintptr_t)be->op;
}

static void note(backend *be, int op, const void *args, size_t bytes)
{
    recorder *r = recorder_of(be);
    if (!r->on)
        return;
    if (r->calls == r->capacity) {
        int capacity = 2 * r->capacity + 64;
        op_call *call = realloc(r->call, (size_t)capacity * sizeof *call);
        if (call == NULL) {
            backend_fail(be, AM_ERR_MEMORY, "recorder", "out of memory; close other programs");
            return;
        }
        r->call = call;
        r->capacity = capacity;
    }
    op_call *c = &r->call[r->calls++];
    memset(c, 0, sizeof *c);
    c->op = op;
    c->times = 1;
    memcpy(&c->args, args, bytes);
    if (op == OP_gather)
        c->data = *c->args.gather.data;
    if (op == OP_row_weights)
        c->data = *c->args.row_weights.data;
}

#define BENCH_RECORD(name)                                                                         \
    static void record_##name(backend *be, const name##_args *a)                                   \
    {                                                                                              \
        note(be, OP_##name, a, sizeof *a);                                                         \
        recorder_of(be)->real->name(be, a);                                                        \
    }
BENCH_OPS(BENCH_RECORD)
#undef BENCH_RECORD

static void record_repeat(backend *be, void (*issue)(void *context), void *context, int64_t times,
                          void **plan)
{
    recorder *r = recorder_of(be);
    int64_t chunk = r->pause != NULL ? 1 : times;
    for (int64_t done = 0; done < times; done += chunk) {
        r->real->repeat(be, issue, context, chunk, plan);
        if (r->pause != NULL)
            r->pause(r->context);
    }
}

static am_status record_download(backend *be, void *host, const void *device, size_t bytes,
                                 am_error *err)
{
    recorder *r = recorder_of(be);
    if (r->pause != NULL)
        r->pause(r->context);
    return r->real->download(be, host, device, bytes, err);
}

void recorder_attach(recorder *r, backend *be)
{
    *r = (recorder){.op = *be->op, .real = be->op};
#define BENCH_REPLACE(name) r->op.name = record_##name;
    BENCH_OPS(BENCH_REPLACE)
#undef BENCH_REPLACE
    r->op.repeat = record_repeat;
    r->op.download = record_download;
    be->op = &r->op;
}

void recorder_detach(recorder *r, backend *be)
{
    be->op = r->real;
}

void recorder_clear(recorder *r)
{
    free(r->call);
    r->call = NULL;
    r->calls = r->capacity = 0;
}

#define BENCH_NAME(op) #op,
static const char *const names[] = {BENCH_OPS(BENCH_NAME)};
#undef BENCH_NAME

const char *op_name(int op)
{
    return names[op];
}

void op_issue(backend *be, op_call *call)
{
    if (call->op == OP_gather)
        call->args.gather.data = &call->data;
    if (call->op == OP_row_weights)
        call->args.row_weights.data = &call->data;
    switch (call->op) {
#define BENCH_ISSUE(name)                                                                          \
    case OP_##name:                                                                                \
        be->op->name(be, &call->args.name);                                                        \
        break;
        BENCH_OPS(BENCH_ISSUE)
#undef BENCH_ISSUE
    default:
        break;
    }
}
