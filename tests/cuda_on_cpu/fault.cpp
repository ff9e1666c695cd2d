#include "harness.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cuda_on_cpu
{

static struct {
    bool expected;
    char message[512];
} faults;

static void note(const char *format, va_list args)
{
    char message[sizeof faults.message];
    vsnprintf(message, sizeof message, format, args);
    if (faults.message[0] == '\0')
        memcpy(faults.message, message, sizeof message);
    if (faults.expected)
        return;
    fprintf(stderr, "cuda_on_cpu: %s\n", message);
    abort();
}

void fault(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(format, args);
    va_end(args);
}

void kernel_fault(const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    fault("%s: %s", describe_thread(), what);
    leave_kernel();
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

void cuda_on_cpu_expect_fault(void)
{
    faults.expected = true;
    faults.message[0] = '\0';
}

const char *cuda_on_cpu_take_fault(void)
{
    faults.expected = false;
    return faults.message;
}
