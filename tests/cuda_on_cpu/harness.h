/* harness — what the parts of the CUDA stand-ins know of each other. */
#ifndef CUDA_ON_CPU_HARNESS_H
#define CUDA_ON_CPU_HARNESS_H

#include "control.h"

#include <cuda_runtime.h>

#include <functional>
#include <vector>

namespace cuda_on_cpu
{

/* ---- fault.cpp ---- */

/* Notes a defect in the code under test; ends the process unless a test expects it. */
[[gnu::format(printf, 1, 2)]] void fault(const char *format, ...);
/* The same from inside a kernel, naming it, the block and the thread; the launch is given up. */
[[noreturn, gnu::format(printf, 1, 2)]] void kernel_fault(const char *format, ...);

/* ---- runtime.cpp: errors ---- */

enum class during_capture { allowed, forbidden };
/* Runs one call of the interface: counts it, injects failures, keeps the last error. */
cudaError_t call(during_capture rule, const std::function<cudaError_t()> &body);
/* The same for a call that gives something back: it does so whatever it returns, for after an error
 * there is nothing more that a program could do. */
cudaError_t give_back(during_capture rule, const std::function<cudaError_t()> &body);
/* Whether the call now to be made is the one that must fail, and how. */
bool injected(cudaError_t *error);
/* The error that follows every call after a kernel has failed; cudaSuccess when none. */
cudaError_t sticky_error();
void kernel_failed(cudaError_t error);
/* A call that waits for the device learns of a kernel that has failed. */
cudaError_t wait_for_device();

extern size_t alive;

/* ---- memory.cpp ---- */

struct allocation {
    unsigned char *start;
    size_t bytes;
    unsigned char *pages; /* whole pages round it */
    size_t page_bytes;
    bool fresh; /* never touched */
    bool lent;  /* scratch of a library: its contents mean nothing */
};
const std::vector<allocation> &allocations();
/* False unless the bytes lie in device memory. */
bool lend_to_library(void *p, size_t bytes);
size_t device_memory();
/* The live allocation that holds these bytes, or NULL. */
const allocation *find_allocation(const void *p, size_t bytes);
bool in_device_range(const void *p);
/* "12 bytes beyond 400 bytes of memory", for any address. */
const char *describe_address(const void *p);
/* To be called after all that may have written to device memory; nothing else can, as the host has no
 * access to it. */
void check_guard_zones(const char *after);

/* Device memory may be touched while one of these lives. */
struct device_access {
    device_access();
    ~device_access();
    device_access(const device_access &) = delete;
};
/* The same for the allocations of a copy's two sides. */
struct copy_access {
    const void *sides[2];
    copy_access(const void *to, const void *from);
    ~copy_access();
    copy_access(const copy_access &) = delete;
};

/* ---- stream.cpp ---- */

/* Runs the work at once, or records it when the stream is capturing. */
cudaError_t submit(cudaStream_t stream, const char *name, std::function<void()> work);
/* A call that may not be made while any stream captures: ends the captures. */
bool capture_broken();

/* ---- block.cpp ---- */

/* Runs every block; `backwards` turns the order of blocks and threads round. False when the kernel
 * has been given up because of a fault. */
bool run_blocks(const kernel_call &kernel, bool backwards);
bool in_kernel();
/* "kernel sum, block (1,0,0), thread (31,0,0)" */
const char *describe_thread();
/* Gives the launch up; only from inside a kernel. */
[[noreturn]] void leave_kernel();

enum class thread_state : unsigned char { fresh, ready, at_barrier, at_warp, done };
/* What a thread brings to a rendezvous of its warp, and what it takes away. */
struct warp_request {
    place where;
    unsigned mask;
    bool ballot;
    uint64_t value;
    unsigned source;
    uint64_t result;
};
struct block_thread {
    thread_state state;
    struct fibre *stack; /* while neither fresh nor done */
    warp_request request;
};
/* The running block: its threads, and the one that runs. */
extern std::vector<block_thread> threads;
extern size_t current;
/* Lets other threads run until this one is ready. */
void wait_for_others();

/* ---- warp.cpp ---- */

/* Before a block begins. */
void reset_warps();
/* The current thread has returned: whoever waited only for it may go on. */
void leave_warp();

/* ---- fibre.cpp: stacks ---- */

/* A stack of its own on which `enter` runs; it never returns. */
fibre *fibre_new(void (*enter)());
void fibre_reset(fibre *f, void (*enter)());
/* The stack that the host thread runs on. */
fibre *fibre_host();
void fibre_switch(fibre *from, fibre *to);

/* ---- shared.cpp ---- */

enum : size_t { SHARED_DEFAULT = 48 << 10, SHARED_MOST = 227 << 10 };
size_t shared_limit(const void *function);
/* Fills the shared memory that the kernel may use, static and dynamic, with `poison`. */
void poison_shared(const kernel_call &kernel, unsigned char poison);

} // namespace cuda_on_cpu

#endif
