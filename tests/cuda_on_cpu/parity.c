#include "parity.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double relative = 1e-6, floor_per_item = 1e-8;

static void add_output(outputs *out, const char *name, const void *x, int64_t n, int kind)
{
    cr_assert_lt(out->count, PARITY_OUTPUTS);
    out->at[out->count].name = name;
    out->at[out->count].memory = x;
    out->at[out->count].items = n;
    out->at[out->count++].kind = kind;
}

void out_floats(outputs *out, const char *name, const dev_f32 *x, int64_t n)
{
    add_output(out, name, x, n, PARITY_FLOATS);
}

void out_doubles(outputs *out, const char *name, const dev_f64 *x, int64_t n)
{
    add_output(out, name, x, n, PARITY_DOUBLES);
}

void out_bits(outputs *out, const char *name, const void *x, int64_t words)
{
    add_output(out, name, x, words, PARITY_BITS);
}

static double value_of(const void *x, int64_t i, int kind)
{
    return kind == PARITY_FLOATS ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void compare_values(const void *got, const void *want, int64_t n, int kind,
                           const char *where)
{
    double error = 0.0, size = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double g = value_of(got, i, kind), w = value_of(want, i, kind);
        cr_assert(isfinite(w), "%s: [%lld] is %g on the CPU", where, (long long)i, w);
        error += (g - w) * (g - w);
        size += w * w;
    }
    double allowed = relative * sqrt(size) + floor_per_item * sqrt((double)n);
    cr_assert(sqrt(error) <= allowed, "%s: differs by %.3g of %.3g", where, sqrt(error),
              sqrt(size));
}

static void compare_bits(const void *got, const void *want, int64_t n, const char *where)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t g, w;
        memcpy(&g, (const char *)got + i * 4, 4);
        memcpy(&w, (const char *)want + i * 4, 4);
        cr_assert(g == w, "%s: word %lld is %08x, %08x on the CPU", where, (long long)i, g, w);
    }
}

static const void *read_output(device *d, const outputs *out, int i)
{
    if (out->at[i].kind == PARITY_DOUBLES)
        return read_doubles(d, out->at[i].memory, out->at[i].items);
    return read_floats(d, out->at[i].memory, out->at[i].items);
}

void expect_parity(parity_case *run, const int *shape, int numbers)
{
    device cpu = device_open_named("cpu", 1), other = device_open();
    outputs want = {0}, got = {0};
    run(&cpu, shape, &want);
    run(&other, shape, &got);
    cr_assert_gt(want.count, 0);
    for (int i = 0; i < want.count; i++) {
        char where[128];
        int length = snprintf(where, sizeof where, "%s of shape", want.at[i].name);
        for (int k = 0; k < numbers; k++)
            length += snprintf(where + length, sizeof where - (size_t)length, " %d", shape[k]);
        const void *w = read_output(&cpu, &want, i), *g = read_output(&other, &got, i);
        if (want.at[i].kind == PARITY_BITS)
            compare_bits(g, w, want.at[i].items, where);
        else
            compare_values(g, w, want.at[i].items, want.at[i].kind, where);
    }
    device_close(&cpu);
    device_close(&other);
}

dev_f32 *device_random(device *d, int64_t n, uint64_t seed)
{
    return device_floats(d, n, random_floats(d, n, seed));
}

dev_f32 *positive_floats(device *d, int64_t n, uint64_t seed)
{
    float *x = random_floats(d, n, seed);
    for (int64_t i = 0; i < n; i++)
        x[i] = 1e-4F + fabsf(x[i]);
    return device_floats(d, n, x);
}

dev_i32 *random_labels(device *d, int64_t n, int classes, uint64_t seed)
{
    const float *x = random_floats(d, n, seed);
    int32_t *label = (int32_t *)host_floats(d, n);
    for (int64_t i = 0; i < n; i++)
        label[i] = (int32_t)((x[i] + 1.0F) * 0.49999F * (float)classes);
    return device_ints(d, n, label);
}
