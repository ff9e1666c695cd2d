/* Stacks to run threads on, and the change from one to another: by hand where that is a dozen
 * instructions, else by ucontext, whose change costs two system calls. */
#include "harness.h"

#include <cstdlib>
#include <deque>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace cuda_on_cpu
{

enum : size_t { PAGE = 4096, STACK = 256 << 10 };

struct fibre {
    unsigned char *stack; /* NULL: the host thread's own */
    void (*enter)();
#if defined(__x86_64__)
    void *sp;
#else
    ucontext_t context;
#endif
#if defined(__SANITIZE_ADDRESS__)
    const void *bottom;
    size_t size;
    void *fake_stack;
#endif
};

static fibre host;
static std::deque<fibre> others; /* addresses stay as they are */
static fibre *left;              /* the stack that was left last */

fibre *fibre_host()
{
    return &host;
}

/* Tells the address sanitizer which stack is in use. */
static void before_switch([[maybe_unused]] fibre *from, [[maybe_unused]] fibre *to)
{
    left = from;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
#endif
}

static void after_switch([[maybe_unused]] fibre *self)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(self->fake_stack, &left->bottom, &left->size);
#endif
}

static fibre *entering;

static void first_entry()
{
    fibre *self = entering;
    after_switch(self);
    self->enter();
    abort();
}

#if defined(__x86_64__)

/* Saves what a function must preserve, changes stacks, restores. */
asm(R"(
.text
.type cuda_on_cpu_switch, @function
cuda_on_cpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size cuda_on_cpu_switch, .-cuda_on_cpu_switch
)");
extern "C" void cuda_on_cpu_switch(void **save, void *load);

static void prepare(fibre *f)
{
    void **top = reinterpret_cast<void **>(f->stack + STACK);
    *--top = nullptr; /* as if first_entry had been called: 16-byte boundary + 8 */
    *--top = reinterpret_cast<void *>(first_entry);
    for (int saved = 0; saved < 6; saved++)
        *--top = nullptr;
    f->sp = top;
}

static void change(fibre *from, fibre *to)
{
    cuda_on_cpu_switch(&from->sp, to->sp);
}

#else

static void prepare(fibre *f)
{
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK;
    f->context.uc_link = nullptr;
    makecontext(&f->context, first_entry, 0);
}

static void change(fibre *from, fibre *to)
{
    swapcontext(&from->context, &to->context);
}

#endif

void fibre_switch(fibre *from, fibre *to)
{
    before_switch(from, to);
    entering = to;
    change(from, to);
    after_switch(from);
}

void fibre_reset(fibre *f, void (*enter)())
{
    f->enter = enter;
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(f->stack, STACK);
    f->bottom = f->stack;
    f->size = STACK;
    f->fake_stack = nullptr;
#endif
    prepare(f);
}

fibre *fibre_new(void (*enter)())
{
    void *memory = mmap(nullptr, PAGE + STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    others.emplace_back();
    fibre *f = &others.back();
    mprotect(memory, PAGE, PROT_NONE); /* an overflow stops here */
    f->stack = static_cast<unsigned char *>(memory) + PAGE;
    fibre_reset(f, enter);
    return f;
}

} // namespace cuda_on_cpu
