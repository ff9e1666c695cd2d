/* Warps: rendezvous of the threads that a mask names. */
#include "harness.h"

namespace cuda_on_cpu
{

unsigned lane()
{
    return unsigned(current % warpSize);
}

/* Bits of lanes. Lanes beyond the block's end are as good as returned. */
struct warp {
    unsigned present; /* have not returned */
    unsigned waiting; /* at a rendezvous */
    unsigned mask;    /* of those that wait, while it is the same for all: */
    bool one_mask;
};
static std::vector<warp> warps;

void reset_warps()
{
    warps.assign((threads.size() + warpSize - 1) / warpSize, {~0u, 0, 0, true});
    if (threads.size() % warpSize != 0)
        warps.back().present = (1u << threads.size() % warpSize) - 1;
}

/* What a lane of the current thread's warp brings. */
static warp_request &request_of(size_t lane_number)
{
    return threads[current / warpSize * warpSize + lane_number].request;
}

static bool same_call(const warp_request &a, const warp_request &b)
{
    return a.mask == b.mask && a.where.line == b.where.line && a.ballot == b.ballot;
}

[[noreturn]] static void conflict(const warp_request &a, const warp_request &b)
{
    kernel_fault("%s at %s:%d with mask 0x%08x meets %s at %s:%d with mask 0x%08x", a.where.what,
                 a.where.file, a.where.line, a.mask, b.where.what, b.where.file, b.where.line,
                 b.mask);
}

/* One call, but with another mask that names this thread. */
static void check_masks(warp &w, const warp_request &r)
{
    if (w.waiting == 0) {
        w.mask = r.mask;
        w.one_mask = true;
    }
    w.one_mask = w.one_mask && w.mask == r.mask;
    for (unsigned i = 0; i < warpSize && !w.one_mask; i++) {
        const warp_request &other = request_of(i);
        if ((w.waiting >> i & 1) != 0 && other.where.line == r.where.line && other.mask != r.mask &&
            (other.mask >> lane() & 1) != 0)
            conflict(r, other);
    }
}

/* Whether all whom the lane's mask names, and who have not returned, are here. One that waits at
 * another call may still come, unless it waits for this lane. */
static bool complete(const warp &w, unsigned lane_number)
{
    const warp_request &r = request_of(lane_number);
    if ((r.mask & w.present & ~w.waiting) != 0)
        return false;
    for (unsigned i = 0; i < warpSize; i++) {
        const warp_request &other = request_of(i);
        if ((r.mask & w.waiting & 1u << i) == 0 || same_call(other, r))
            continue;
        if ((other.mask >> lane_number & 1) != 0)
            conflict(r, other);
        return false;
    }
    return true;
}

/* What lane `from` brought; what a lane that is not here brings is undefined: all bits set, NaN. */
static uint64_t value_of(unsigned here, unsigned from)
{
    return (here >> from & 1) != 0 ? request_of(from).value : ~uint64_t(0);
}

static void release(warp &w, unsigned mask)
{
    unsigned here = mask & w.waiting, bits = 0;
    for (unsigned i = 0; i < warpSize; i++)
        if ((here >> i & 1) != 0 && request_of(i).value != 0)
            bits |= 1u << i;
    for (unsigned i = 0; i < warpSize; i++)
        if ((here >> i & 1) != 0) {
            warp_request &r = request_of(i);
            r.result = r.ballot ? bits : value_of(here, r.source);
            threads[current / warpSize * warpSize + i].state = thread_state::ready;
        }
    w.waiting &= ~here;
}

static uint64_t meet(const warp_request &request)
{
    size_t self = current;
    warp &w = warps[self / warpSize];
    if ((request.mask >> lane() & 1) == 0)
        kernel_fault("calls %s at %s:%d with mask 0x%08x, which does not name it",
                     request.where.what, request.where.file, request.where.line, request.mask);
    check_masks(w, request);
    threads[self].request = request;
    threads[self].state = thread_state::at_warp;
    w.waiting |= 1u << lane();
    if (complete(w, lane()))
        release(w, request.mask);
    wait_for_others();
    return threads[self].request.result;
}

uint64_t shuffle(place where, unsigned mask, uint64_t value, unsigned source)
{
    return meet({where, mask, false, value, source, 0});
}

unsigned ballot(place where, unsigned mask, bool value)
{
    return unsigned(meet({where, mask, true, value, 0, 0}));
}

void leave_warp()
{
    warp &w = warps[current / warpSize];
    w.present &= ~(1u << lane());
    for (unsigned i = 0; i < warpSize && w.waiting != 0; i++)
        if ((w.waiting >> i & 1) != 0 && (request_of(i).mask >> lane() & 1) != 0 && complete(w, i))
            release(w, request_of(i).mask);
}

} // namespace cuda_on_cpu
