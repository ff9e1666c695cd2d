/* device — the backend under test, memory on it with guard zones, and comparisons.
 *
 * AMORTUNE_TEST_DEVICE names the backend, so that every op test runs on any. The default is cpu, or
 * cuda-on-cpu in a test program that holds the CUDA backend (tests/cuda_on_cpu).
 * All memory, host and device, belongs to the `device` and is released by device_close, which also
 * checks the guard zones round every block on the device. */
#ifndef AM_TEST_DEVICE_H
#define AM_TEST_DEVICE_H

#include "backend/backend.h"

enum { DEVICE_MAX_BLOCKS = 128 };

typedef struct {
    backend *be;
    const backend_ops *op;
    struct {
        void *memory;
        size_t bytes; /* between the guard zones; 0 for host memory */
    } block[DEVICE_MAX_BLOCKS];
    int blocks;
} device;

device device_open(void);
device device_open_threads(int threads);
device device_open_named(const char *name, int threads);
void device_close(device *d);

/* n items on the device with these values; zeros when `values` is NULL. */
dev_f32 *device_floats(device *d, int64_t n, const float *values);
dev_f64 *device_doubles(device *d, int64_t n, const double *values);
dev_i32 *device_ints(device *d, int64_t n, const int32_t *values);
dev_u64 *device_counter(device *d, uint64_t value);
dev_guard *device_guard(device *d, guard_state state);

/* Back to the host, into memory that the device owns; fails the test when an op has failed. */
float *read_floats(device *d, const dev_f32 *from, int64_t n);
double *read_doubles(device *d, const dev_f64 *from, int64_t n);
guard_state read_guard(device *d, const dev_guard *from);

/* Host memory owned by the device: zeros, or uniform in [−1, 1] from the seed. */
float *host_floats(device *d, int64_t n);
double *host_doubles(device *d, int64_t n);
float *random_floats(device *d, int64_t n, uint64_t seed);
double *to_doubles(device *d, const float *x, int64_t n);

/* √(Σ(got − want)² / Σ want²), the norm of the error where `want` is zero; NaN when a value is. */
double normalised_error(const float *got, const double *want, int64_t n);
double dot(const float *a, const double *b, int64_t n);

/* Every value within an absolute tolerance, else the test fails and names the first that differs.
 */
void expect_floats(device *d, const dev_f32 *got, int64_t n, const float *want, double tolerance);
void expect_doubles(device *d, const dev_f64 *got, int64_t n, const double *want, double tolerance);
/* normalised_error(got, want) ≤ tolerance */
void expect_close(device *d, const dev_f32 *got, int64_t n, const double *want, double tolerance);

#endif
