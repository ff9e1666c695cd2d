/* Shared memory. Static arrays are thread-local storage of the object that holds the kernel; dynamic
 * memory ends at a page that nobody may touch. */
#include "harness.h"

#include <cstdlib>
#include <cstring>
#include <link.h>
#include <map>
#include <sys/mman.h>

namespace cuda_on_cpu
{

struct range {
    unsigned char *start;
    size_t bytes;
};

static std::map<const void *, size_t> limits; /* by kernel */
static range dynamic;                         /* the launch's */

struct search {
    uintptr_t function;
    range found;
};

static bool holds(const dl_phdr_info *object, uintptr_t address)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) &h = object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + h.p_vaddr;
        if (h.p_type == PT_LOAD && address >= start && address < start + h.p_memsz)
            return true;
    }
    return false;
}

static int look_at(dl_phdr_info *object, size_t, void *context)
{
    search *s = static_cast<search *>(context);
    if (!holds(object, s->function))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) &h = object->dlpi_phdr[i];
        if (h.p_type == PT_TLS && object->dlpi_tls_data != nullptr)
            s->found = {static_cast<unsigned char *>(object->dlpi_tls_data) + h.p_filesz,
                        h.p_memsz - h.p_filesz};
    }
    return 1;
}

static range static_arrays(const void *function)
{
    static std::map<const void *, range> known;
    auto found = known.find(function);
    if (found != known.end())
        return found->second;
    search s = {reinterpret_cast<uintptr_t>(function), {nullptr, 0}};
    dl_iterate_phdr(look_at, &s);
    return known[function] = s.found;
}

/* The end of dynamic memory: SHARED_MOST bytes, then no access. */
static unsigned char *dynamic_end()
{
    static unsigned char *end = [] {
        const size_t page = 4096, most = (SHARED_MOST + page - 1) / page * page;
        void *memory =
            mmap(nullptr, most + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            abort();
        unsigned char *bytes = static_cast<unsigned char *>(memory);
        mprotect(bytes + most, page, PROT_NONE);
        return bytes + most;
    }();
    return end;
}

void poison_shared(const kernel_call &kernel, unsigned char poison)
{
    range arrays = static_arrays(kernel.function);
    memset(arrays.start, poison, arrays.bytes);
    size_t bytes = (kernel.shared_bytes + 15) / 16 * 16;
    dynamic = {dynamic_end() - bytes, bytes};
    memset(dynamic.start, poison, bytes);
}

void *dynamic_shared()
{
    return dynamic.start;
}

size_t shared_limit(const void *function)
{
    auto found = limits.find(function);
    return found == limits.end() ? size_t(SHARED_DEFAULT) : found->second;
}

cudaError_t set_attribute(const void *function, cudaFuncAttribute, int value)
{
    return call(during_capture::allowed, [=] {
        if (value < 0 || size_t(value) > SHARED_MOST)
            return cudaErrorInvalidValue;
        limits[function] = size_t(value);
        return cudaSuccess;
    });
}

} // namespace cuda_on_cpu
