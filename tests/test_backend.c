/* The backend table: opening, memory, order of failure, repeat; every backend. */
#include "support/device.h"

#include "backend/plugin.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

Test(backend, memory_is_zeroed_and_copied)
{
    device d = device_open();
    const float values[5] = {1, 2, 3, 4, 5};
    dev_f32 *a = device_floats(&d, 5, NULL), *b = device_floats(&d, 5, values);
    expect_floats(&d, a, 5, (float[]){0, 0, 0, 0, 0}, 0.0);
    expect_floats(&d, b, 5, values, 0.0);
    d.op->copy(d.be, f32_at(a, 1), f32_at(b, 2), 3 * sizeof(float));
    expect_floats(&d, a, 5, (float[]){0, 3, 4, 5, 0}, 0.0);
    d.op->zero(d.be, f32_at(a, 2), sizeof(float));
    expect_floats(&d, a, 5, (float[]){0, 3, 0, 5, 0}, 0.0);
    expect_floats(&d, f32_at(b, 4), 1, (float[]){5}, 0.0);
    d.op->release(d.be, NULL);
    device_close(&d);
}

Test(backend, says_what_it_runs_on)
{
    device d = device_open_threads(1);
    cr_assert_gt(strlen(d.be->device), 0);
    cr_assert_gt(strlen(d.be->name), 0);
    if (strcmp(d.be->name, "cpu") == 0)
        cr_assert_eq(d.be->threads, 1);
    device_close(&d);
}

typedef struct {
    backend *be;
    dev_u64 *counter;
    dev_f32 *total;
    const dev_f32 *one;
} counting;

/* total += 1 by a product of 1×1 matrices, counter += 1 */
static void count_once(void *context)
{
    counting *c = context;
    matmul_args add = {.batch = 1, .m = 1, .n = 1, .k = 1, .alpha = 1, .beta = 1, .lda = 1};
    add.a = c->one, add.b = c->one, add.ldb = 1, add.c = c->total, add.ldc = 1;
    c->be->op->matmul(c->be, &add);
    c->be->op->advance(c->be, c->counter);
}

Test(backend, repeat_issues_again_and_again)
{
    device d = device_open();
    counting c = {d.be, device_counter(&d, 7), device_floats(&d, 1, NULL),
                  device_floats(&d, 1, (float[]){1})};
    void *plan = NULL;
    d.op->repeat(d.be, count_once, &c, 5, &plan);
    d.op->repeat(d.be, count_once, &c, 0, &plan);
    d.op->repeat(d.be, count_once, &c, 3, &plan);
    d.op->forget(d.be, &plan);
    cr_assert_null(plan);
    expect_floats(&d, c.total, 1, (float[]){8}, 0.0);
    uint64_t count = 0;
    am_error err;
    cr_assert_eq(d.op->download(d.be, &count, c.counter, sizeof count, &err), AM_OK);
    cr_assert_eq(count, 15);
    device_close(&d);
}

/* The first failure is kept with its op's name; what follows does nothing and changes nothing. */
Test(backend, first_failure_is_kept_and_stops_everything)
{
    device d = device_open();
    am_error err = {0};
    dev_f32 *x = device_floats(&d, 1, (float[]){3});
    counting c = {d.be, device_counter(&d, 0), x, x};
    matmul_args broken = {.batch = 1, .m = 1, .n = -1, .k = 1, .a = x, .lda = 1, .b = x, .ldb = 1};
    broken.c = x, broken.ldc = 1;
    cr_assert_eq(d.op->sync(d.be, &err), AM_OK);
    d.op->matmul(d.be, &broken);
    cr_assert_eq(d.op->sync(d.be, &err), AM_ERR_INTERNAL);
    cr_assert_not_null(strstr(err.message, "matmul"), "%s", err.message);
    char first[sizeof err.message];
    memcpy(first, err.message, sizeof first);

    cr_assert_null(d.op->alloc(d.be, 4, "more"));
    guard_args other = {.rows = 0};
    d.op->guard(d.be, &other);
    void *plan = NULL;
    d.op->repeat(d.be, count_once, &c, 2, &plan);
    d.op->forget(d.be, &plan);
    float host = 0.0F;
    cr_assert_eq(d.op->download(d.be, &host, x, sizeof host, &err), AM_ERR_INTERNAL);
    cr_assert_str_eq(err.message, first);
    cr_assert_eq(host, 0.0F); /* nothing was copied */
    device_close(&d);
}

Test(backend, allocation_beyond_memory_fails_cleanly)
{
    device d = device_open();
    am_error err = {0};
    cr_assert_null(d.op->alloc(d.be, SIZE_MAX - 8, "everything"));
    cr_assert_eq(d.op->sync(d.be, &err), AM_ERR_MEMORY);
    cr_assert_not_null(strstr(err.message, "everything"), "%s", err.message);
    device_close(&d);
}

Test(backend, names_of_devices)
{
    const char *const wrong[] = {"",        "gpu",   "CPU",     "cuda:",           "cuda:x",
                                 "cuda:-1", "cuda1", "cuda:1 ", "cuda:99999999999"};
    am_error err;
    backend *be;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = (am_error){0};
        cr_assert_eq(backend_open(&be, wrong[i], 0, &err), AM_ERR_USAGE, "%s", wrong[i]);
        cr_assert_null(be);
        cr_assert_not_null(strstr(err.message, "cuda:INDEX"), "%s", err.message);
    }
    cr_assert_eq(backend_open(&be, "cpu", -1, &err), AM_ERR_USAGE);
    cr_assert_eq(backend_open(&be, "auto", 1, &err), AM_OK, "%s", err.message);
    backend_close(be);
    backend_close(NULL);
}

/* Runs `check` with a folder of its own, removed afterwards with the plugin in it. */
static void in_folder(void (*check)(const char *folder, const char *plugin))
{
    char folder[] = "/tmp/amortune_plugin_XXXXXX", plugin[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(plugin, sizeof plugin, "%s/libamortune_cuda.so", folder);
    check(folder, plugin);
    unlink(plugin);
    cr_assert_eq(rmdir(folder), 0);
}

static void expect_device_error(const char *folder, const char *words)
{
    am_error err = {0};
    backend *be;
    cr_assert_eq(backend_open_plugin(&be, folder, 0, &err), AM_ERR_DEVICE);
    cr_assert_null(be);
    cr_assert_not_null(strstr(err.message, words), "%s", err.message);
    cr_assert_not_null(strstr(err.message, folder), "%s", err.message);
}

static void check_absent(const char *folder, const char *plugin)
{
    (void)plugin;
    expect_device_error(folder, "no libamortune_cuda.so");
}

static void check_damaged(const char *folder, const char *plugin)
{
    am_error err;
    cr_assert_eq(am_write_file(plugin, "not a library", 13, &err), AM_OK);
    expect_device_error(folder, "cannot be loaded");
}

static void check_stranger(const char *folder, const char *plugin)
{
    Dl_info library; /* some shared library that is no plugin: zlib */
    cr_assert(dladdr((const void *)(uintptr_t)&zlibVersion, &library) != 0);
    cr_assert_eq(symlink(library.dli_fname, plugin), 0);
    expect_device_error(folder, "no plugin of this program");
}

Test(backend, plugin_that_cannot_be_used_is_named)
{
    in_folder(check_absent);
    in_folder(check_damaged);
    in_folder(check_stranger);
}
