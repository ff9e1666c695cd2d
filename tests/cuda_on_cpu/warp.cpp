/* Warps: rendezvous of the threads that a mask names. */
#include "harness.h"

#include <algorithm>

namespace cuda_on_cpu
{

unsigned lane()
{
    return unsigned(current % warpSize);
}

/* The warp's threads; lanes beyond the block's end are as good as returned. */
struct warp {
    size_t first, count;
    explicit warp(size_t thread)
        : first(thread / warpSize * warpSize),
          count(std::min<size_t>(warpSize, threads.size() - first))
    {
    }
    block_thread &at(size_t i) const
    {
        return threads[first + i];
    }
    bool waits(size_t i) const
    {
        return i < count && at(i).state == thread_state::at_warp;
    }
};

static bool same_call(const warp_request &a, const warp_request &b)
{
    return a.mask == b.mask && a.where.line == b.where.line && a.ballot == b.ballot;
}

/* Whether all whom the thread's mask names, and who have not returned, are here. One that waits at
 * another call may still come, unless it waits for this thread. */
static bool complete(const warp &w, size_t thread)
{
    const warp_request &r = threads[thread].request;
    for (size_t i = 0; i < w.count; i++) {
        if ((r.mask >> i & 1) == 0 || w.at(i).state == thread_state::done)
            continue;
        if (!w.waits(i))
            return false;
        const warp_request &other = w.at(i).request;
        if (same_call(other, r))
            continue;
        if ((other.mask >> (thread - w.first) & 1) == 0)
            return false;
        kernel_fault("%s at %s:%d with mask 0x%08x meets %s at %s:%d with mask 0x%08x",
                     r.where.what, r.where.file, r.where.line, r.mask, other.where.what,
                     other.where.file, other.where.line, other.mask);
    }
    return true;
}

/* What lane `from` brought; what a lane that is not here brings is undefined: all bits set, NaN. */
static uint64_t value_of(const warp &w, unsigned mask, unsigned from)
{
    bool here = (mask >> from & 1) != 0 && w.waits(from);
    return here ? w.at(from).request.value : ~uint64_t(0);
}

static void release(const warp &w, unsigned mask)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < w.count; i++)
        if ((mask >> i & 1) != 0 && w.waits(i))
            bits |= uint64_t(w.at(i).request.value != 0) << i;
    for (size_t i = 0; i < w.count; i++)
        if ((mask >> i & 1) != 0 && w.waits(i)) {
            warp_request &r = w.at(i).request;
            r.result = r.ballot ? bits : value_of(w, mask, r.source);
        }
    for (size_t i = 0; i < w.count; i++)
        if ((mask >> i & 1) != 0 && w.waits(i))
            w.at(i).state = thread_state::ready;
}

static uint64_t meet(warp_request request)
{
    block_thread &self = threads[current];
    if ((request.mask >> lane() & 1) == 0)
        kernel_fault("calls %s at %s:%d with mask 0x%08x, which does not name it",
                     request.where.what, request.where.file, request.where.line, request.mask);
    self.request = request;
    self.state = thread_state::at_warp;
    warp w(current);
    if (complete(w, current))
        release(w, request.mask);
    wait_for_others();
    return self.request.result;
}

uint64_t shuffle(place where, unsigned mask, uint64_t value, unsigned source)
{
    return meet({where, mask, false, value, source, 0});
}

unsigned ballot(place where, unsigned mask, bool value)
{
    return unsigned(meet({where, mask, true, value, 0, 0}));
}

void leave_warp(size_t thread)
{
    warp w(thread);
    for (size_t i = 0; i < w.count; i++)
        if (w.waits(i) && (w.at(i).request.mask >> (thread - w.first) & 1) != 0 &&
            complete(w, w.first + i))
            release(w, w.at(i).request.mask);
}

} // namespace cuda_on_cpu
