/* Device memory: every allocation on pages of its own between pages that nobody may touch, its end
 * as near the end of its pages as alignment allows, and a pattern in what is left of them. Addresses
 * are never used again, so that a pointer to freed memory can always be told. Fresh memory holds
 * NaN. The host may not read it at all. */
#include "harness.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace cuda_on_cpu
{

enum : size_t {
    ARENA = size_t(1) << 36, /* addresses, not memory */
    PAGE = 4096,
    GAP = 64 << 10, /* no access: a row or two beyond the end is still no other allocation */
    ALIGNMENT = 256 /* cudaMalloc's */
};
/* Bytes of a quiet NaN, as float and as double, wherever it starts. */
static const unsigned char PATTERN[4] = {0xA5, 0xA5, 0xF5, 0x7F};
static const unsigned char POISON = 0xFF;

static unsigned char *arena, *arena_next;
static std::vector<allocation> live, dead; /* by address */
static int accesses;                       /* device_access objects alive */

const std::vector<allocation> &allocations()
{
    return live;
}

static size_t allocated_bytes()
{
    size_t total = 0;
    for (const allocation &a : live)
        total += a.bytes;
    return total;
}

bool in_device_range(const void *p)
{
    return arena != nullptr && p >= arena && p < arena + ARENA;
}

static const allocation *find_in(const std::vector<allocation> &list, const void *p)
{
    auto after = std::upper_bound(list.begin(), list.end(), p,
                                  [](const void *x, const allocation &a) { return x < a.start; });
    return after == list.begin() ? nullptr : &after[-1];
}

const allocation *find_allocation(const void *p, size_t bytes)
{
    const allocation *a = find_in(live, p);
    if (a == nullptr)
        return nullptr;
    size_t offset = size_t(static_cast<const unsigned char *>(p) - a->start);
    return offset <= a->bytes && bytes <= a->bytes - offset ? a : nullptr;
}

bool lend_to_library(void *p, size_t bytes)
{
    if (find_allocation(p, bytes) == nullptr)
        return false;
    size_t i = size_t(find_allocation(p, bytes) - live.data());
    live[i].lent = true;
    return true;
}

static bool within_pages(const allocation &a, const void *p)
{
    return p >= a.pages - GAP && p < a.pages + a.page_bytes + GAP;
}

const char *describe_address(const void *p)
{
    static char text[128];
    const unsigned char *byte = static_cast<const unsigned char *>(p);
    const char *names[2] = {"memory", "memory that has been freed"};
    snprintf(text, sizeof text,
             in_device_range(p) ? "device memory that was never allocated" : "memory of the host");
    for (int freed = 0; freed < 2; freed++)
        for (const allocation &a : freed ? dead : live) {
            if (!within_pages(a, p))
                continue;
            if (byte < a.start)
                snprintf(text, sizeof text, "%td bytes before %zu bytes of %s", a.start - byte,
                         a.bytes, names[freed]);
            else if (byte >= a.start + a.bytes)
                snprintf(text, sizeof text, "%td bytes beyond the end of %zu bytes of %s",
                         byte - a.start - ptrdiff_t(a.bytes), a.bytes, names[freed]);
            else
                snprintf(text, sizeof text, "byte %td of %zu bytes of %s", byte - a.start, a.bytes,
                         names[freed]);
        }
    return text;
}

static void on_bad_access(int, siginfo_t *info, void *)
{
    if (in_kernel())
        kernel_fault("illegal access to %s", describe_address(info->si_addr));
    if (in_device_range(info->si_addr))
        fault("the host, or cuBLAS, touched %s", describe_address(info->si_addr));
    signal(SIGSEGV, SIG_DFL); /* returning repeats the access */
}

static bool open_arena()
{
    void *memory =
        mmap(nullptr, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    arena = arena_next = static_cast<unsigned char *>(memory);
    static unsigned char stack[64 << 10];
    stack_t alternate = {};
    alternate.ss_sp = stack;
    alternate.ss_size = sizeof stack;
    sigaltstack(&alternate, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = on_bad_access;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    return true;
}

static size_t round_up(size_t x, size_t unit)
{
    return (x + unit - 1) / unit * unit;
}

static void fill_pattern(unsigned char *from, unsigned char *to)
{
    for (; from < to; from++)
        *from = PATTERN[reinterpret_cast<uintptr_t>(from) & 3];
}

static const unsigned char *first_damage(const unsigned char *from, const unsigned char *to)
{
    static unsigned char intact[2 * PAGE];
    if (intact[0] == 0)
        fill_pattern(intact, intact + sizeof intact);
    size_t bytes = size_t(to - from), phase = reinterpret_cast<uintptr_t>(from) & 3;
    const unsigned char *want = intact + ((phase - reinterpret_cast<uintptr_t>(intact)) & 3);
    if (memcmp(from, want, bytes) == 0)
        return nullptr;
    while (*from == *want)
        from++, want++;
    return from;
}

static void check_guard(const allocation &a, const char *after)
{
    const unsigned char *bad = first_damage(a.pages, a.start);
    if (bad == nullptr)
        bad = first_damage(a.start + a.bytes, a.pages + a.page_bytes);
    if (bad != nullptr)
        fault("%s: wrote %s", after, describe_address(bad));
}

void check_guard_zones(const char *after)
{
    device_access access;
    for (const allocation &a : live)
        if (!a.lent)
            check_guard(a, after);
}

/* What is touched for the first time is filled first: NaN, and the pattern round it. */
static void open_pages(allocation &a)
{
    mprotect(a.pages, a.page_bytes, PROT_READ | PROT_WRITE);
    if (!a.fresh)
        return;
    fill_pattern(a.pages, a.start);
    memset(a.start, POISON, a.bytes);
    fill_pattern(a.start + a.bytes, a.pages + a.page_bytes);
    a.fresh = false;
}

static void close_pages(const allocation &a)
{
    mprotect(a.pages, a.page_bytes, PROT_NONE);
}

device_access::device_access()
{
    if (accesses++ == 0)
        for (allocation &a : live)
            if (!a.lent)
                open_pages(a);
}

device_access::~device_access()
{
    if (--accesses == 0)
        for (const allocation &a : live)
            close_pages(a);
}

/* Only where a copy goes; the rest stays closed, which is quicker. */
copy_access::copy_access(const void *to, const void *from) : sides{to, from}
{
    for (const void *side : sides)
        if (accesses == 0 && find_allocation(side, 0) != nullptr)
            open_pages(live[size_t(find_allocation(side, 0) - live.data())]);
}

copy_access::~copy_access()
{
    for (const void *side : sides)
        if (accesses == 0 && find_allocation(side, 0) != nullptr)
            close_pages(*find_allocation(side, 0));
}

static cudaError_t allocate(void **memory, size_t bytes)
{
    size_t used = allocated_bytes();
    *memory = nullptr;
    if (bytes == 0)
        return cudaSuccess;
    if (used > device_memory() || bytes > device_memory() - used ||
        (arena == nullptr && !open_arena()))
        return cudaErrorMemoryAllocation;
    allocation a = {};
    a.bytes = bytes;
    a.page_bytes = round_up(round_up(bytes, ALIGNMENT), PAGE);
    if (a.page_bytes + 2 * GAP > size_t(arena + ARENA - arena_next))
        return cudaErrorMemoryAllocation;
    a.pages = arena_next + GAP;
    arena_next = a.pages + a.page_bytes + GAP;
    a.start = a.pages + a.page_bytes - round_up(bytes, ALIGNMENT);
    a.fresh = true;
    live.push_back(a);
    *memory = a.start;
    alive++;
    return cudaSuccess;
}

static cudaError_t release(void *memory)
{
    if (memory == nullptr)
        return cudaSuccess;
    for (size_t i = 0; i < live.size(); i++) {
        if (live[i].start != memory)
            continue;
        madvise(live[i].pages, live[i].page_bytes, MADV_DONTNEED);
        mprotect(live[i].pages, live[i].page_bytes, PROT_NONE);
        dead.push_back(live[i]);
        live.erase(live.begin() + ptrdiff_t(i));
        alive--;
        return wait_for_device();
    }
    fault("cudaFree of %s", describe_address(memory));
    return cudaErrorInvalidValue;
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    return call(during_capture::forbidden, [&] { return allocate(memory, bytes); });
}

cudaError_t cudaFree(void *memory)
{
    return give_back(during_capture::forbidden, [&] { return release(memory); });
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    return call(during_capture::allowed, [&] {
        size_t used = allocated_bytes();
        *available = used < device_memory() ? device_memory() - used : 0;
        *total = device_memory();
        return cudaSuccess;
    });
}
