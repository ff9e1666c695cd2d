/* regions — building an op's table of operands: F32(field, role, region) and its kin take the field's
 * name in the arguments `a` of the call `c` and add it to the table `u`. */
#ifndef BENCH_REGIONS_H
#define BENCH_REGIONS_H

#include "operands.h"

/* batch × rows × columns elements of an operand. */
typedef struct {
    int64_t batch, batch_stride, rows, row_stride, columns;
} region;

static inline region flat(int64_t n)
{
    return (region){1, 0, 1, 0, n};
}

static inline region matrix(int64_t rows, int64_t columns, int64_t row_stride)
{
    return (region){1, 0, rows, row_stride, columns};
}

static inline region tensor(int64_t batch, int64_t batch_stride, int64_t rows, int64_t columns)
{
    return (region){batch, batch_stride, rows, columns, columns};
}

static inline void add(op_use *u, const op_call *call, const char *name, const void *slot,
                       operand_role role, value_kind kind, size_t size, region r)
{
    operand o = {.name = name,
                 .slot = (size_t)((const char *)slot - (const char *)call),
                 .role = role,
                 .kind = kind,
                 .size = size,
                 .batch = r.batch,
                 .batch_stride = r.batch_stride,
                 .rows = r.rows,
                 .row_stride = r.row_stride,
                 .columns = r.columns};
    if (operand_memory(call, &o) == NULL || u->count == MOST_OPERANDS)
        return;
    int64_t items = r.batch_stride == 0 ? 1 : r.batch; /* shared items are read once */
    o.moved = (double)items * (double)r.rows * (double)r.columns * (double)size;
    u->bytes += o.moved * (role == UPDATED ? 2 : 1);
    u->at[u->count++] = o;
}

#define F32(field, role, r) add(u, c, #field, &a->field, role, VALUE_F32, sizeof(float), r)
#define F64(field, role, r) add(u, c, #field, &a->field, role, VALUE_F64, sizeof(double), r)
#define BITS(field, role, size, r) add(u, c, #field, &a->field, role, VALUE_BITS, size, r)
#define SHAPE(...) snprintf(u->shape, sizeof u->shape, __VA_ARGS__)

#endif
