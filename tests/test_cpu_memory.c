/* Memory of the CPU backend: where it starts, and that all of it is there. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <string.h>

enum { CACHE_LINE = 64, LARGE_PAGE = 1 << 21 };

/* Zeroed, and writable from end to end. */
static unsigned char *checked_memory(device *d, size_t bytes)
{
    unsigned char *memory = d->op->alloc(d->be, bytes, "test");
    cr_assert_not_null(memory);
    for (size_t i = 0; i < bytes; i++)
        cr_assert_eq(memory[i], 0, "byte %zu of %zu", i, bytes);
    memset(memory, 1, bytes);
    return memory;
}

Test(cpu_memory, starts_at_a_cache_line)
{
    device d = device_open_named("cpu", 1);
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, LARGE_PAGE - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *memory = checked_memory(&d, sizes[i]);
        cr_assert_eq((uintptr_t)memory % CACHE_LINE, 0, "%zu bytes", sizes[i]);
        d.op->release(d.be, memory);
    }
    device_close(&d);
}

Test(cpu_memory, starts_at_a_large_page_when_it_fills_one)
{
    device d = device_open_named("cpu", 1);
    static const size_t sizes[] = {LARGE_PAGE, LARGE_PAGE + 1, 3 * LARGE_PAGE - 4};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *memory = checked_memory(&d, sizes[i]);
        cr_assert_eq((uintptr_t)memory % LARGE_PAGE, 0, "%zu bytes", sizes[i]);
        d.op->release(d.be, memory);
    }
    device_close(&d);
}

Test(cpu_memory, more_than_there_can_be_is_an_error_that_says_what_for)
{
    device d = device_open_named("cpu", 1);
    static const size_t sizes[] = {SIZE_MAX, PTRDIFF_MAX, (size_t)PTRDIFF_MAX - LARGE_PAGE};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        d.be->failure = (am_error){0};
        cr_assert_null(d.op->alloc(d.be, sizes[i], "the head"));
        cr_assert_eq(d.be->failure.status, AM_ERR_MEMORY);
        cr_assert_not_null(strstr(d.be->failure.message, "the head"));
    }
    d.be->failure = (am_error){0};
    device_close(&d);
}
