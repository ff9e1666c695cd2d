/* operands — what a call reads and writes, and the least it must move and compute: each input read
 * once, each output written once. */
#ifndef BENCH_OPERANDS_H
#define BENCH_OPERANDS_H

#include "recorder.h"

enum { MOST_OPERANDS = 10, SHAPE_TEXT = 64 };

typedef enum { VALUE_F32, VALUE_F64, VALUE_BITS } value_kind; /* bits: compared exactly */
typedef enum { READ = 1, WRITTEN = 2, UPDATED = 3 } operand_role;

/* batch × rows × columns elements; row r of item b starts b·batch_stride + r·row_stride elements
 * behind the pointer. */
typedef struct {
    const char *name;
    size_t slot; /* where in the op_call its pointer is */
    operand_role role;
    value_kind kind;
    size_t size; /* of an element */
    int64_t batch, batch_stride, rows, row_stride, columns;
    double moved; /* bytes, one way */
} operand;

typedef struct {
    int count;
    operand at[MOST_OPERANDS];
    double bytes, flops;
    char shape[SHAPE_TEXT];
} op_use;

void op_describe(const op_call *call, op_use *use);
/* Elements from the first to the last, gaps included. */
int64_t operand_span(const operand *o);
static inline void *operand_memory(const op_call *call, const operand *o)
{
    return *(void *const *)(const void *)((const char *)call + o->slot);
}

#endif
