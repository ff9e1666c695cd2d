/* repeat — a step is recorded as a CUDA graph and replayed.
 *
 * The first step of a plan is issued plainly, so that scratch memory and library kernels are in
 * place; the second is recorded; from then on a step is one launch, whatever its number of ops.
 *
 * Its kernels run one after the other. The default fit (784–64–10, M = 8 in two minibatches) has 27 of
 * them: draws 2, gather 1, features 1, Θᵀc 1, forward 6, loss 2, backward 7, penalty 2, guard 2,
 * collocation 2, counter 1. It moves some 27 MB, 6 µs at 4 TB/s, and computes 0.22 GFLOP, 4 µs at 50
 * TFLOP/s; a node of a graph costs some 1.5 to 2.5 µs of latency, so a step is expected at 27 × 2 + 10
 * ≈ 65 µs, and 1 953 of them at 0.13 s: the nodes are what costs. Five of them are there because a set
 * of rows takes a call of its own in the first layer and the loss. */
#include "gpu.h"

typedef struct {
    cudaGraphExec_t recorded; /* NULL until the second step */
    int64_t steps;            /* done with this plan */
} repeat_plan;

/* One step into a graph; NULL after a failure. */
static cudaGraph_t record(backend *be, void (*issue)(void *context), void *context)
{
    cuda_backend *gpu = cuda_of(be);
    cudaGraph_t graph = NULL;
    if (!cuda_check(be, "repeat",
                    cudaStreamBeginCapture(gpu->stream, cudaStreamCaptureModeThreadLocal)))
        return NULL;
    gpu->recording = true;
    issue(context);
    gpu->recording = false;
    cudaError_t status = cudaStreamEndCapture(gpu->stream, &graph);
    if (be->failure.status == AM_OK && cuda_check(be, "repeat", status))
        return graph;
    cudaGetLastError(); /* an op that failed has invalidated the capture; its error is kept */
    if (graph != NULL)
        cudaGraphDestroy(graph);
    return NULL;
}

static void record_plan(backend *be, repeat_plan *p, void (*issue)(void *context), void *context)
{
    cudaGraph_t graph = record(be, issue, context);
    if (graph == NULL)
        return;
    if (!cuda_check(be, "repeat", cudaGraphInstantiate(&p->recorded, graph, 0)))
        p->recorded = NULL;
    cudaGraphDestroy(graph);
}

static repeat_plan *open_plan(backend *be, void **plan)
{
    if (*plan == NULL)
        *plan = calloc(1, sizeof(repeat_plan));
    if (*plan == NULL)
        backend_fail(be, AM_ERR_MEMORY, "repeat", "out of memory; close other programs");
    return (repeat_plan *)*plan;
}

void cuda_repeat(backend *be, void (*issue)(void *context), void *context, int64_t times,
                 void **plan)
{
    cuda_backend *gpu = cuda_of(be);
    repeat_plan *p = cuda_ready(be, "repeat") ? open_plan(be, plan) : NULL;
    if (p == NULL)
        return;
    for (int64_t i = 0; i < times && be->failure.status == AM_OK; i++) {
        gpu->steps = p->steps++;
        if (gpu->steps == 0) {
            issue(context);
            continue;
        }
        if (p->recorded == NULL)
            record_plan(be, p, issue, context);
        if (p->recorded != NULL)
            cuda_check(be, "repeat", cudaGraphLaunch(p->recorded, gpu->stream));
    }
}

void cuda_forget(backend *be, void **plan)
{
    repeat_plan *p = (repeat_plan *)*plan;
    *plan = NULL;
    if (p == NULL)
        return;
    cudaSetDevice(cuda_of(be)->index);
    if (p->recorded != NULL) {
        cudaError_t status = cudaGraphExecDestroy(p->recorded);
        if (be->failure.status == AM_OK)
            cuda_check(be, "forget", status);
    }
    free(p);
}

/* 8 bytes read and written: the launch is what costs. */
static __global__ void advance_kernel(uint64_t *counter)
{
    ++*counter;
}

void cuda_advance(backend *be, dev_u64 *counter)
{
    if (cuda_begin(be, "advance"))
        CUDA_LAUNCH(be, "advance", advance_kernel, 1, 1, 0, u64(counter));
}
