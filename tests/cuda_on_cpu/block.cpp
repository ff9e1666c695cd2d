/* One block of threads: each runs until it has to wait for others or returns. A thread that returns
 * leaves its stack to the next one, so that a kernel without barriers is a plain loop. Threads take
 * turns in sweeps, one ascending, the next descending, the third shuffled: what a missing barrier
 * would have ordered comes out differently. */
#include "harness.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cuda_on_cpu
{

std::vector<block_thread> threads;
size_t current;

enum { ORDERS = 3 };
static struct {
    const kernel_call *kernel; /* NULL outside of kernels */
    bool backwards, given_up;
    size_t unfinished, at_barrier;
    place meeting;                       /* the barrier that threads wait at */
    std::vector<unsigned> order[ORDERS]; /* ascending, descending, shuffled */
    size_t sweep, turn;                  /* this sweep's number; threads it has visited */
    bool progress;                       /* whether one of them could run */
    std::vector<fibre *> idle, all;
} block;

bool in_kernel()
{
    return block.kernel != nullptr;
}

/* "(3,0,0)" */
const char *thread_name(size_t t)
{
    static char text[4][48];
    static unsigned next;
    char *name = text[next++ % 4];
    snprintf(name, sizeof text[0], "(%zu,%zu,%zu)", t % blockDim.x, t / blockDim.x % blockDim.y,
             t / blockDim.x / blockDim.y);
    return name;
}

const char *describe_thread()
{
    static char text[256];
    snprintf(text, sizeof text, "kernel %s, block (%u,%u,%u), thread %s", block.kernel->name,
             blockIdx.x, blockIdx.y, blockIdx.z, thread_name(current));
    return text;
}

/* A fixed pseudo-random order of 0..n−1 (Fisher–Yates). */
static void shuffle_order(std::vector<unsigned> &order, uint64_t seed)
{
    for (size_t i = order.size(); i > 1; i--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        std::swap(order[i - 1], order[(seed >> 33) % i]);
    }
}

static void prepare_orders(size_t n)
{
    if (block.order[0].size() == n)
        return;
    for (auto &order : block.order) {
        order.resize(n);
        std::iota(order.begin(), order.end(), 0u);
    }
    std::reverse(block.order[1].begin(), block.order[1].end());
    shuffle_order(block.order[2], n);
}

static void report_deadlock()
{
    for (size_t t = 0; t < threads.size(); t++)
        if (threads[t].state == thread_state::at_warp) {
            current = t;
            const place &w = threads[t].request.where;
            kernel_fault("waits for ever in %s at %s:%d: not every thread of mask 0x%08x comes",
                         w.what, w.file, w.line, threads[t].request.mask);
        }
    kernel_fault("waits for ever");
}

/* The next thread that can run; threads.size() when all have returned. */
static size_t next_thread()
{
    size_t n = threads.size();
    while (block.unfinished > 0) {
        const std::vector<unsigned> &order = block.order[block.sweep % ORDERS];
        while (block.turn < n) {
            size_t turn = block.turn++;
            size_t t = order[block.backwards ? n - 1 - turn : turn];
            if (threads[t].state == thread_state::fresh ||
                threads[t].state == thread_state::ready) {
                block.progress = true;
                return t;
            }
        }
        if (!block.progress)
            report_deadlock();
        block.sweep++;
        block.turn = 0;
        block.progress = false;
    }
    return n;
}

static void enter_fibre();

static fibre *idle_fibre()
{
    if (block.idle.empty()) {
        block.all.push_back(fibre_new(enter_fibre));
        return block.all.back();
    }
    fibre *f = block.idle.back();
    block.idle.pop_back();
    return f;
}

static void become(size_t t)
{
    current = t;
    threadIdx = {unsigned(t % blockDim.x), unsigned(t / blockDim.x % blockDim.y),
                 unsigned(t / blockDim.x / blockDim.y)};
}

/* Gives the processor to the next thread. `self` is this stack; when its thread has returned it is
 * free for another. */
static void dispatch(fibre *self, bool self_is_free)
{
    size_t t = next_thread();
    if (self_is_free)
        block.idle.push_back(self);
    if (t == threads.size()) {
        fibre_switch(self, fibre_host());
        return;
    }
    if (threads[t].state == thread_state::fresh)
        threads[t].stack = idle_fibre(); /* self again, if it is free */
    become(t);
    if (threads[t].stack != self)
        fibre_switch(self, threads[t].stack);
}

void wait_for_others()
{
    dispatch(threads[current].stack, false);
}

/* Threads that have returned never come to the barrier. */
static void check_barrier()
{
    if (block.at_barrier > 0 && block.unfinished < threads.size())
        kernel_fault("%s at %s:%d is not reached by all: some threads of the block wait there, "
                     "others have returned",
                     block.meeting.what, block.meeting.file, block.meeting.line);
}

static void enter_fibre()
{
    for (;;) {
        size_t t = current;
        fibre *self = threads[t].stack;
        threads[t].state = thread_state::ready;
        block.kernel->body();
        threads[t].state = thread_state::done;
        block.unfinished--;
        check_barrier();
        leave_warp();
        dispatch(self, true);
    }
}

void barrier(place where)
{
    if (block.at_barrier > 0 && block.meeting.line != where.line)
        kernel_fault("is at %s:%d, others wait in %s at %s:%d", where.file, where.line,
                     block.meeting.what, block.meeting.file, block.meeting.line);
    block.meeting = where;
    threads[current].state = thread_state::at_barrier;
    block.at_barrier++;
    check_barrier();
    if (block.at_barrier == threads.size()) {
        for (block_thread &t : threads)
            t.state = thread_state::ready;
        block.at_barrier = 0;
        block.sweep++;
        block.turn = 0;
    }
    wait_for_others();
}

void leave_kernel()
{
    block.given_up = true;
    static fibre *abandoned = fibre_new(enter_fibre); /* nobody comes back to this stack */
    fibre_switch(abandoned, fibre_host());
    __builtin_unreachable();
}

static void run_block(size_t number)
{
    size_t n = threads.size();
    for (block_thread &t : threads)
        t.state = thread_state::fresh;
    reset_warps();
    block.unfinished = n;
    block.at_barrier = 0;
    block.sweep = number;
    block.turn = 0;
    block.progress = false;
    size_t first = next_thread();
    threads[first].stack = idle_fibre();
    become(first);
    fibre_switch(fibre_host(), threads[first].stack);
}

static void abandon_stacks()
{
    block.idle = block.all;
    for (fibre *f : block.all)
        fibre_reset(f, enter_fibre);
}

bool run_blocks(const kernel_call &kernel, bool backwards)
{
    blockDim = kernel.block;
    gridDim = kernel.grid;
    threads.resize(size_t(blockDim.x) * blockDim.y * blockDim.z);
    prepare_orders(threads.size());
    std::vector<unsigned> blocks(size_t(gridDim.x) * gridDim.y * gridDim.z);
    std::iota(blocks.begin(), blocks.end(), 0u);
    shuffle_order(blocks, 1);
    if (backwards)
        std::reverse(blocks.begin(), blocks.end());
    block.kernel = &kernel;
    block.backwards = backwards;
    block.given_up = false;
    for (size_t i = 0; i < blocks.size() && !block.given_up; i++) {
        unsigned b = blocks[i];
        blockIdx = {b % gridDim.x, b / gridDim.x % gridDim.y, b / gridDim.x / gridDim.y};
        poison_shared(kernel, backwards ? 0x7F : 0xFF);
        run_block(b);
    }
    block.kernel = nullptr;
    if (block.given_up)
        abandon_stacks();
    return !block.given_up;
}

} // namespace cuda_on_cpu
