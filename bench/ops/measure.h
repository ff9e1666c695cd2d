/* measure — one call on a device: is it right, and how long does it take? */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "operands.h"

/* What the device reaches at most: a copy's bytes, read and written, and a large product's operations,
 * a second. */
typedef struct {
    double bytes, flops;
} ceilings;

am_status measure_ceilings(backend *be, ceilings *c, am_error *err);

/* Runs the call on `be` and, from the same inputs, on the CPU: the largest normalised error
 * ‖got − want‖/‖want‖ over its outputs; whole numbers that differ count as 1. */
am_status measure_error(backend *be, backend *cpu, op_call *call, double *error, am_error *err);

/* Median seconds of a call among many in a row, recorded as a step where the backend records. */
am_status measure_seconds(backend *be, op_call *call, double *seconds, am_error *err);

/* max(bytes/ceiling, flops/ceiling) */
double measure_floor(const op_use *use, const ceilings *c);

#endif
