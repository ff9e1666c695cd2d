#include "backend/tally.h"

#include <stdlib.h>
#include <string.h>

enum { PURPOSES = 64 };

typedef struct {
    const char *what; /* a literal of the caller's */
    size_t bytes;     /* alive */
} purpose;

typedef struct {
    backend base; /* first, so that a backend * is a tally_backend * */
    int purposes; /* the last one takes all that find no place */
    purpose purpose[PURPOSES];
} tally_backend;

/* What stands for an allocation. */
typedef struct {
    purpose *of;
    size_t bytes;
} counted;

static purpose *purpose_of(tally_backend *t, const char *what)
{
    for (int i = 0; i < t->purposes; i++)
        if (strcmp(t->purpose[i].what, what) == 0)
            return &t->purpose[i];
    if (t->purposes == PURPOSES)
        return &t->purpose[PURPOSES - 1];
    t->purpose[t->purposes].what = what;
    return &t->purpose[t->purposes++];
}

static size_t sum_of(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static void *count_alloc(backend *be, size_t bytes, const char *what)
{
    if (be->failure.status != AM_OK)
        return NULL;
    counted *c = malloc(sizeof *c);
    if (c == NULL) {
        backend_fail(be, AM_ERR_MEMORY, "alloc", "out of memory; close other programs");
        return NULL;
    }
    *c = (counted){purpose_of((tally_backend *)be, what), bytes};
    c->of->bytes = sum_of(c->of->bytes, bytes);
    return c;
}

static void count_release(backend *be, void *memory)
{
    counted *c = memory;
    (void)be;
    if (c != NULL)
        c->of->bytes -= AM_MIN(c->of->bytes, c->bytes);
    free(c);
}

static void upload_nothing(backend *be, void *device, const void *host, size_t bytes)
{
    (void)be, (void)device, (void)host, (void)bytes;
}

static void copy_nothing(backend *be, void *to, const void *from, size_t bytes)
{
    (void)be, (void)to, (void)from, (void)bytes;
}

static void zero_nothing(backend *be, void *memory, size_t bytes)
{
    (void)be, (void)memory, (void)bytes;
}

static am_status sync_nothing(backend *be, am_error *err)
{
    if (be->failure.status != AM_OK)
        *err = be->failure;
    return be->failure.status;
}

static am_status download_zeros(backend *be, void *host, const void *device, size_t bytes,
                                am_error *err)
{
    (void)device;
    if (bytes > 0)
        memset(host, 0, bytes);
    return sync_nothing(be, err);
}

static void close_tally(backend *be)
{
    free(be);
}

static const backend_ops tally_ops = {
    .close = close_tally,
    .alloc = count_alloc,
    .release = count_release,
    .upload = upload_nothing,
    .download = download_zeros,
    .copy = copy_nothing,
    .zero = zero_nothing,
    .sync = sync_nothing,
};

am_status tally_open(backend **be, am_error *err)
{
    tally_backend *t = am_alloc(1, sizeof *t, "estimate of the memory", err);
    *be = NULL;
    if (t == NULL)
        return AM_ERR_MEMORY;
    t->base.op = &tally_ops;
    t->base.name = "tally";
    t->base.threads = 1;
    *be = &t->base;
    return AM_OK;
}

size_t tally_bytes(const backend *tally, const char *what)
{
    const tally_backend *t = (const tally_backend *)tally;
    size_t bytes = 0;
    for (int i = 0; i < t->purposes; i++)
        if (what == NULL || strcmp(t->purpose[i].what, what) == 0)
            bytes = sum_of(bytes, t->purpose[i].bytes);
    return bytes;
}

/* ---- is there room? -------------------------------------------------------------------------- */

/* What makes a part smaller. */
static const char *remedy_of(const char *what)
{
    static const struct {
        const char *part, *remedy;
    } table[] = {
        {"generator", "fewer --features or a smaller --target"},
        {"optimiser", "fewer --features, fewer --draws or a smaller --target"},
        {"gradient of the head", "fewer --features or a smaller --target"},
        {"first-layer", "a smaller --batch or fewer --features"},
        {"activation", "a smaller --batch or fewer --draws"},
        {"minibatch", "a smaller --batch"},
        {"weights of the draws", "fewer --points, fewer --draws or a smaller --target"},
        {"images", "fewer rows"},
        {"inputs", "fewer rows"},
        {"of the refits", "fewer refits at once or a smaller --target"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strstr(what, table[i].part) != NULL)
            return table[i].remedy;
    return "fewer --draws, a smaller --batch or a smaller --target";
}

enum { SIZE_TEXT = 24 };

static const char *size_text(size_t bytes, char text[SIZE_TEXT])
{
    bool large = bytes >= (size_t)1 << 30;
    snprintf(text, SIZE_TEXT, "%.1f %s", (double)bytes / (large ? 1 << 30 : 1 << 20),
             large ? "GiB" : "MiB");
    return text;
}

static const purpose *largest_part(const tally_backend *t)
{
    const purpose *largest = &t->purpose[0];
    for (int i = 1; i < t->purposes; i++)
        if (t->purpose[i].bytes > largest->bytes)
            largest = &t->purpose[i];
    return largest;
}

am_status tally_check(const backend *tally, backend *be, const char *task, am_error *err)
{
    const tally_backend *t = (const tally_backend *)tally;
    size_t needed = tally_bytes(tally, NULL), available = 0, total = 0;
    AM_TRY(be->op->free_memory(be, &available, &total, err));
    if (needed <= available || t->purposes == 0)
        return AM_OK;
    const purpose *part = largest_part(t);
    char need[SIZE_TEXT], have[SIZE_TEXT], all[SIZE_TEXT], most[SIZE_TEXT];
    return am_fail(err, AM_ERR_MEMORY,
                   "%s: needs %s of memory on %s, %s of %s are free; the largest part is %s, %s: "
                   "take %s",
                   task, size_text(needed, need), be->device, size_text(available, have),
                   size_text(total, all), part->what, size_text(part->bytes, most),
                   remedy_of(part->what));
}
