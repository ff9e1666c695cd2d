/* One block of threads: each runs until it has to wait for others or returns. A thread that returns
 * leaves its stack to the next one, so that a kernel without barriers is a plain loop. A warp runs as
 * far as it can before the next one has its turn, and its lanes take turns in sweeps. One sweep is
 * ascending, the next descending, the third shuffled: what a missing barrier would have ordered comes
 * out differently. */
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

/* Turns in one of three orders: ascending, descending, shuffled. */
enum { ORDERS = 3 };
struct turns {
    std::vector<unsigned> order[ORDERS];
    size_t sweep, turn; /* the order's number; how many have had their turn */
    bool progress;      /* whether one of them could run */

    void begin(size_t first_sweep)
    {
        sweep = first_sweep;
        turn = 0;
        progress = false;
    }
};

static struct {
    const kernel_call *kernel; /* NULL outside of kernels */
    bool backwards, given_up;
    size_t unfinished, at_barrier;
    place meeting; /* the barrier that threads wait at */
    turns warps, lanes;
    size_t warp; /* whose lanes take turns */
    std::vector<fibre *> idle, all;
} block;

bool in_kernel()
{
    return block.kernel != nullptr;
}

const char *describe_thread()
{
    static char text[256];
    snprintf(text, sizeof text, "kernel %s, block (%u,%u,%u), thread (%u,%u,%u)",
             block.kernel->name, blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y,
             threadIdx.z);
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

static void prepare_turns(turns &t, size_t n)
{
    if (t.order[0].size() == n)
        return;
    for (auto &order : t.order) {
        order.resize(n);
        std::iota(order.begin(), order.end(), 0u);
    }
    std::reverse(t.order[1].begin(), t.order[1].end());
    shuffle_order(t.order[2], n);
}

/* Who is next in this sweep; false at its end. */
static bool take_turn(turns &t, size_t &who)
{
    const std::vector<unsigned> &order = t.order[t.sweep % ORDERS];
    if (t.turn == order.size())
        return false;
    who = order[block.backwards ? order.size() - 1 - t.turn : t.turn];
    t.turn++;
    return true;
}

static void become(size_t t)
{
    current = t;
    threadIdx = {unsigned(t % blockDim.x), unsigned(t / blockDim.x % blockDim.y),
                 unsigned(t / blockDim.x / blockDim.y)};
}

static void report_deadlock()
{
    for (size_t t = 0; t < threads.size(); t++)
        if (threads[t].state == thread_state::at_warp) {
            become(t);
            const place &w = threads[t].request.where;
            kernel_fault("waits for ever in %s at %s:%d: not every thread of mask 0x%08x comes",
                         w.what, w.file, w.line, threads[t].request.mask);
        }
    kernel_fault("waits for ever");
}

/* The next lane of a warp that can run; false when all wait or have returned. */
static bool next_lane(size_t warp, size_t &thread)
{
    for (;;) {
        size_t lane_number;
        while (take_turn(block.lanes, lane_number)) {
            thread = warp * warpSize + lane_number;
            if (thread < threads.size() && (threads[thread].state == thread_state::fresh ||
                                            threads[thread].state == thread_state::ready)) {
                block.lanes.progress = true;
                return true;
            }
        }
        if (!block.lanes.progress)
            return false;
        block.lanes.begin(block.lanes.sweep + 1);
    }
}

static bool next_warp()
{
    block.lanes.begin(block.warps.sweep);
    return take_turn(block.warps, block.warp);
}

static void begin_sweep(size_t number)
{
    block.warps.begin(number);
    next_warp();
}

/* The next thread that can run; threads.size() when all have returned. */
static size_t next_thread()
{
    while (block.unfinished > 0) {
        size_t thread;
        do {
            if (next_lane(block.warp, thread)) {
                block.warps.progress = true;
                return thread;
            }
        } while (next_warp());
        if (!block.warps.progress)
            report_deadlock();
        begin_sweep(block.warps.sweep + 1);
    }
    return threads.size();
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
        begin_sweep(block.warps.sweep + 1);
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
    begin_sweep(number);
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
    prepare_turns(block.warps, (threads.size() + warpSize - 1) / warpSize);
    prepare_turns(block.lanes, warpSize);
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
