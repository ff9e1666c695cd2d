/* recorder — sees the ops that a backend is asked for, so that they can be counted, checked and timed
 * one by one with the shapes and the memory of a real run. */
#ifndef BENCH_RECORDER_H
#define BENCH_RECORDER_H

#include "backend/backend.h"

/* Every op that computes. */
#define BENCH_OPS(X)                                                                               \
    X(draw_lambda)                                                                                 \
    X(draw_omega)                                                                                  \
    X(scale_lambda)                                                                                \
    X(draw_rows)                                                                                   \
    X(gather)                                                                                      \
    X(row_weights)                                                                                 \
    X(matmul)                                                                                      \
    X(linear_forward)                                                                              \
    X(linear_backward)                                                                             \
    X(mix_forward)                                                                                 \
    X(mix_backward)                                                                                \
    X(basis_forward)                                                                               \
    X(basis_backward)                                                                              \
    X(loss)                                                                                        \
    X(l2_penalty)                                                                                  \
    X(gram_penalty)                                                                                \
    X(slope)                                                                                       \
    X(curvature)                                                                                   \
    X(add_diagonal)                                                                                \
    X(guard)                                                                                       \
    X(adam)                                                                                        \
    X(adam_outer)                                                                                  \
    X(collocation)                                                                                 \
    X(score)                                                                                       \
    X(softmax)

#define BENCH_ENUM(op) OP_##op,
enum { BENCH_OPS(BENCH_ENUM) OP_COUNT };
#undef BENCH_ENUM

#define BENCH_MEMBER(op) op##_args op;
typedef union {
    BENCH_OPS(BENCH_MEMBER)
} op_args;
#undef BENCH_MEMBER

/* One call; its `data` stands for what the arguments of gather and row_weights point to. */
typedef struct {
    int op;
    op_args args;
    device_data data;
    int times; /* equal calls in the run that was recorded */
} op_call;

const char *op_name(int op);
/* Asks `be` for the op. */
void op_issue(backend *be, op_call *call);

typedef struct {
    backend_ops op; /* first: be->op points here while attached */
    const backend_ops *real;
    bool on; /* calls are kept */
    op_call *call;
    int calls, capacity;
    /* When not NULL: called after every step of `repeat`, which then issues or replays one at a time,
     * and before every download, while the memory of the calls so far is still there. */
    void (*pause)(void *context);
    void *context;
} recorder;

void recorder_attach(recorder *r, backend *be);
void recorder_detach(recorder *r, backend *be);
void recorder_clear(recorder *r); /* forgets the calls and frees their memory */

#endif
