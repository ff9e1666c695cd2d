#include "support/device.h"

#include "draw/philox.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_BYTES = 256 };
static const unsigned char guard_byte = 0xA5;

/* The CUDA backend where it is part of the test program, run by the CPU; else NULL. */
am_status am_cuda_backend_open(backend **be, int index, am_error *err) __attribute__((weak));

device device_open_named(const char *name, int threads)
{
    device d = {0};
    am_error err = {0};
    am_status status = strcmp(name, "cuda-on-cpu") == 0 && am_cuda_backend_open != NULL
                           ? am_cuda_backend_open(&d.be, 0, &err)
                           : backend_open(&d.be, name, threads, &err);
    cr_assert_eq(status, AM_OK, "%s", err.message);
    d.op = d.be->op;
    return d;
}

device device_open_threads(int threads)
{
    const char *name = getenv("AMORTUNE_TEST_DEVICE");
    if (name == NULL)
        name = am_cuda_backend_open != NULL ? "cuda-on-cpu" : "cpu";
    return device_open_named(name, threads);
}

device device_open(void)
{
    return device_open_threads(0);
}

static void check_guards(device *d, const unsigned char *memory, size_t bytes)
{
    unsigned char zone[2][GUARD_BYTES];
    am_error err;
    if (d->be->failure.status != AM_OK)
        return; /* downloads fail by contract then; the test has seen to the failure */
    cr_assert_eq(d->op->download(d->be, zone[0], memory, GUARD_BYTES, &err), AM_OK);
    cr_assert_eq(d->op->download(d->be, zone[1], memory + GUARD_BYTES + bytes, GUARD_BYTES, &err),
                 AM_OK);
    for (int i = 0; i < 2 * GUARD_BYTES; i++)
        cr_assert_eq(zone[i / GUARD_BYTES][i % GUARD_BYTES], guard_byte,
                     "an op wrote %s a block of %zu bytes", i < GUARD_BYTES ? "before" : "after",
                     bytes);
}

void device_close(device *d)
{
    for (int i = 0; i < d->blocks; i++) {
        if (d->block[i].bytes > 0) {
            check_guards(d, d->block[i].memory, d->block[i].bytes);
            d->op->release(d->be, d->block[i].memory);
        } else {
            free(d->block[i].memory);
        }
    }
    backend_close(d->be);
    *d = (device){0};
}

static void keep(device *d, void *memory, size_t bytes)
{
    cr_assert_lt(d->blocks, DEVICE_MAX_BLOCKS);
    cr_assert_not_null(memory);
    d->block[d->blocks].memory = memory;
    d->block[d->blocks++].bytes = bytes;
}

static void *device_block(device *d, size_t bytes, const void *values)
{
    unsigned char *memory = d->op->alloc(d->be, bytes + 2 * GUARD_BYTES, "test");
    unsigned char zone[GUARD_BYTES];
    keep(d, memory, bytes);
    memset(zone, guard_byte, sizeof zone);
    d->op->upload(d->be, memory, zone, GUARD_BYTES);
    d->op->upload(d->be, memory + GUARD_BYTES + bytes, zone, GUARD_BYTES);
    if (values != NULL)
        d->op->upload(d->be, memory + GUARD_BYTES, values, bytes);
    return memory + GUARD_BYTES;
}

dev_f32 *device_floats(device *d, int64_t n, const float *values)
{
    return device_block(d, (size_t)n * sizeof *values, values);
}

dev_f64 *device_doubles(device *d, int64_t n, const double *values)
{
    return device_block(d, (size_t)n * sizeof *values, values);
}

dev_i32 *device_ints(device *d, int64_t n, const int32_t *values)
{
    return device_block(d, (size_t)n * sizeof *values, values);
}

dev_u64 *device_counter(device *d, uint64_t value)
{
    return device_block(d, sizeof value, &value);
}

dev_guard *device_guard(device *d, guard_state state)
{
    return device_block(d, sizeof state, &state);
}

static void *host_block(device *d, int64_t n, size_t size)
{
    void *memory = calloc((size_t)(n > 0 ? n : 1), size);
    keep(d, memory, 0);
    return memory;
}

float *host_floats(device *d, int64_t n)
{
    return host_block(d, n, sizeof(float));
}

double *host_doubles(device *d, int64_t n)
{
    return host_block(d, n, sizeof(double));
}

float *random_floats(device *d, int64_t n, uint64_t seed)
{
    float *x = host_floats(d, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(2.0 * uniform_open(philox(seed, STREAM_TEST, 0, 0, (uint32_t)i).x[0]) - 1.0);
    return x;
}

double *to_doubles(device *d, const float *x, int64_t n)
{
    double *y = host_doubles(d, n);
    for (int64_t i = 0; i < n; i++)
        y[i] = (double)x[i];
    return y;
}

static void read_back(device *d, void *host, const void *from, size_t bytes)
{
    am_error err = {0};
    am_status status = d->op->download(d->be, host, from, bytes, &err);
    cr_assert_eq(status, AM_OK, "%s", err.message);
}

float *read_floats(device *d, const dev_f32 *from, int64_t n)
{
    float *x = host_floats(d, n);
    read_back(d, x, from, (size_t)n * sizeof *x);
    return x;
}

double *read_doubles(device *d, const dev_f64 *from, int64_t n)
{
    double *x = host_doubles(d, n);
    read_back(d, x, from, (size_t)n * sizeof *x);
    return x;
}

guard_state read_guard(device *d, const dev_guard *from)
{
    guard_state state;
    read_back(d, &state, from, sizeof state);
    return state;
}

double normalised_error(const float *got, const double *want, int64_t n)
{
    double error = 0.0, size = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double difference = (double)got[i] - want[i];
        error += difference * difference;
        size += want[i] * want[i];
    }
    return sqrt(size == 0.0 ? error : error / size);
}

double dot(const float *a, const double *b, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

void expect_floats(device *d, const dev_f32 *got, int64_t n, const float *want, double tolerance)
{
    const float *x = read_floats(d, got, n);
    for (int64_t i = 0; i < n; i++)
        cr_assert(fabs((double)x[i] - (double)want[i]) <= tolerance,
                  "[%lld] is %.9g, expected %.9g", (long long)i, (double)x[i], (double)want[i]);
}

void expect_doubles(device *d, const dev_f64 *got, int64_t n, const double *want, double tolerance)
{
    const double *x = read_doubles(d, got, n);
    for (int64_t i = 0; i < n; i++)
        cr_assert(fabs(x[i] - want[i]) <= tolerance, "[%lld] is %.17g, expected %.17g",
                  (long long)i, x[i], want[i]);
}

void expect_close(device *d, const dev_f32 *got, int64_t n, const double *want, double tolerance)
{
    double error = normalised_error(read_floats(d, got, n), want, n);
    cr_assert(error <= tolerance, "normalised error %.3g, allowed %.3g", error, tolerance);
}
