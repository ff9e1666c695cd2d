/* parity — an op, or more, on the CPU backend and on the backend under test, from the same inputs. */
#ifndef CUDA_ON_CPU_PARITY_H
#define CUDA_ON_CPU_PARITY_H

#include "support/device.h"

enum { PARITY_OUTPUTS = 6 };

typedef struct {
    int count;
    struct {
        const char *name;
        const void *memory; /* on the device */
        int64_t items;
        enum { PARITY_FLOATS, PARITY_DOUBLES, PARITY_BITS } kind;
    } at[PARITY_OUTPUTS];
} outputs;

/* What to compare: floats and doubles by normalised error, bits of 4-byte words exactly. */
void out_floats(outputs *out, const char *name, const dev_f32 *x, int64_t n);
void out_doubles(outputs *out, const char *name, const dev_f64 *x, int64_t n);
void out_bits(outputs *out, const char *name, const void *x, int64_t words);

/* Makes inputs (random_floats and its kin: the same on both), issues ops, names the outputs. */
typedef void parity_case(device *d, const int *shape, outputs *out);

/* ‖got − cpu‖ ≤ 10⁻⁶·‖cpu‖ + 10⁻⁸·√n for every output; a failure names the shape. */
void expect_parity(parity_case *run, const int *shape, int numbers);
#define EXPECT_PARITY(run, shapes)                                                                 \
    for (size_t shape_ = 0; shape_ < sizeof(shapes) / sizeof *(shapes); shape_++)                  \
    expect_parity(run, (shapes)[shape_], (int)(sizeof *(shapes) / sizeof **(shapes)))

/* Positive floats in (0, 1], and labels below `classes`, on the device. */
dev_f32 *positive_floats(device *d, int64_t n, uint64_t seed);
dev_i32 *random_labels(device *d, int64_t n, int classes, uint64_t seed);
/* n random floats on the device. */
dev_f32 *device_random(device *d, int64_t n, uint64_t seed);

#endif
