/* Kernel launches: whether a GPU would accept them, and whether their result depends on an order
 * that a GPU does not promise. */
#include "harness.h"

#include <cstring>
#include <string>
#include <utility>

namespace cuda_on_cpu
{

static size_t orders_limit = size_t(4) << 20;
static unsigned long launches;
enum { CHECKED_RUNS = 4 };

typedef std::vector<unsigned char> bytes;

/* What kernels may write and others read. */
static size_t contents_size()
{
    size_t total = 0;
    for (const allocation &a : allocations())
        total += a.lent ? 0 : a.bytes;
    return total;
}

static void save_device_contents(bytes &all)
{
    all.clear();
    for (const allocation &a : allocations())
        if (!a.lent)
            all.insert(all.end(), a.start, a.start + a.bytes);
}

static void set_device_contents(const bytes &all)
{
    const unsigned char *from = all.data();
    for (const allocation &a : allocations())
        if (!a.lent) {
            memcpy(a.start, from, a.bytes);
            from += a.bytes;
        }
}

/* NULL when device memory holds these bytes, else the first that differs. */
static const unsigned char *first_difference(const bytes &all)
{
    const unsigned char *want = all.data();
    for (const allocation &a : allocations()) {
        if (a.lent)
            continue;
        if (memcmp(a.start, want, a.bytes) != 0)
            for (size_t i = 0;; i++)
                if (a.start[i] != want[i])
                    return a.start + i;
        want += a.bytes;
    }
    return nullptr;
}

/* Every thread runs as far as it can before another does, so that turning their order round changes
 * what a thread sees of any other that it does not wait for. */
static bool same_in_both_orders(const kernel_call &kernel)
{
    static bytes before, forwards; /* kept for the next launch */
    save_device_contents(before);
    if (!run_blocks(kernel, false))
        return false;
    save_device_contents(forwards);
    set_device_contents(before);
    if (!run_blocks(kernel, true))
        return false;
    const unsigned char *differs = first_difference(forwards);
    if (differs == nullptr)
        return true;
    fault("kernel %s: what it writes to %s depends on the order of threads or on shared memory "
          "that it has not written: is a barrier missing?",
          kernel.name, describe_address(differs));
    return false;
}

/* `runs` counts those of a launch that a graph repeats: the first tell as much as all. */
static void run_kernel(const kernel_call &kernel, int &runs)
{
    device_access access;
    bool twice = runs++ < CHECKED_RUNS && contents_size() <= orders_limit;
    bool good = twice ? same_in_both_orders(kernel) : run_blocks(kernel, launches++ % 2 != 0);
    if (!good)
        kernel_failed(cudaErrorLaunchFailure);
    check_guard_zones((std::string("kernel ") + kernel.name).c_str());
}

static cudaError_t check_shape(const kernel_call &k)
{
    uint64_t block = uint64_t(k.block.x) * k.block.y * k.block.z;
    uint64_t grid = uint64_t(k.grid.x) * k.grid.y * k.grid.z;
    if (block == 0 || block > 1024 || k.block.z > 64)
        return cudaErrorInvalidConfiguration;
    if (grid == 0 || k.grid.x > 0x7FFFFFFF || k.grid.y > 65535 || k.grid.z > 65535)
        return cudaErrorInvalidConfiguration;
    return k.shared_bytes > shared_limit(k.function) ? cudaErrorInvalidValue : cudaSuccess;
}

void submit_kernel(kernel_call kernel, cudaStream_t stream)
{
    call(during_capture::allowed, [&] {
        cudaError_t error = check_shape(kernel);
        if (error != cudaSuccess)
            return error;
        const char *name = kernel.name;
        return submit(stream, name, [kernel = std::move(kernel), runs = 0]() mutable {
            run_kernel(kernel, runs);
        });
    });
}

void check_argument(const char *kernel, size_t position, const void *pointer)
{
    if (pointer != nullptr && find_allocation(pointer, 0) == nullptr)
        fault("kernel %s: argument %zu points to %s", kernel, position, describe_address(pointer));
}

} // namespace cuda_on_cpu

void cuda_on_cpu_check_orders_up_to(size_t most)
{
    cuda_on_cpu::orders_limit = most;
}
