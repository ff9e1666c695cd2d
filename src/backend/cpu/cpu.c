#include "backend/cpu/cpu.h"

#include "backend/cpu/blas.h"
#include "backend/cpu/threads.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ALIGNMENT = 64, /* a cache line, and a vector of AVX-512 */
    LARGE_PAGE = 1 << 21
};

/* In large pages if the system gives them on request: a step walks through more memory than the
 * processor has small pages' addresses at hand for, and a minibatch's rows lie anywhere. */
static void *aligned_memory(size_t bytes)
{
    bool large = bytes >= LARGE_PAGE;
    void *memory;
    if (bytes > PTRDIFF_MAX - LARGE_PAGE ||
        posix_memalign(&memory, large ? LARGE_PAGE : ALIGNMENT, AM_MAX(bytes, 1)) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (large)
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* refused: small pages do, too */
#endif
    return memory;
}

static void *cpu_alloc(backend *be, size_t bytes, const char *what)
{
    if (be->failure.status != AM_OK)
        return NULL;
    void *memory = aligned_memory(bytes);
    if (memory == NULL) {
        backend_fail(
            be, AM_ERR_MEMORY, "alloc",
            "no memory for %s (%.1f MiB); use fewer draws, a smaller batch or a smaller model",
            what, (double)bytes / (1 << 20));
        return NULL;
    }
    return memset(memory, 0, bytes);
}

static void cpu_release(backend *be, void *memory)
{
    (void)be;
    free(memory);
}

static void cpu_copy(backend *be, void *to, const void *from, size_t bytes)
{
    if (be->failure.status == AM_OK && bytes > 0)
        memmove(to, from, bytes);
}

static am_status cpu_sync(backend *be, am_error *err)
{
    if (be->failure.status != AM_OK)
        *err = be->failure;
    return be->failure.status;
}

static am_status cpu_download(backend *be, void *host, const void *device, size_t bytes,
                              am_error *err)
{
    cpu_copy(be, host, device, bytes);
    return cpu_sync(be, err);
}

static void cpu_zero(backend *be, void *memory, size_t bytes)
{
    if (be->failure.status == AM_OK && bytes > 0)
        memset(memory, 0, bytes);
}

static void cpu_repeat(backend *be, void (*issue)(void *context), void *context, int64_t times,
                       void **plan)
{
    (void)plan; /* nothing is recorded: *plan stays NULL */
    for (int64_t i = 0; i < times && be->failure.status == AM_OK; i++)
        issue(context);
}

static void cpu_forget(backend *be, void **plan)
{
    (void)be;
    *plan = NULL;
}

static void cpu_advance(backend *be, dev_u64 *counter)
{
    if (be->failure.status == AM_OK)
        ++*u64(counter);
}

static void cpu_close(backend *be)
{
    cpu_backend *cpu = (cpu_backend *)be;
    for (int slot = 0; slot < SCRATCH_SLOTS; slot++)
        free(cpu->scratch[slot]);
    free(cpu);
}

void *cpu_scratch(backend *be, scratch_slot slot, size_t bytes)
{
    cpu_backend *cpu = (cpu_backend *)be;
    if (cpu->scratch_bytes[slot] >= bytes)
        return cpu->scratch[slot];
    free(cpu->scratch[slot]);
    cpu->scratch[slot] = aligned_memory(bytes);
    cpu->scratch_bytes[slot] = cpu->scratch[slot] != NULL ? bytes : 0;
    if (cpu->scratch[slot] == NULL)
        backend_fail(be, AM_ERR_MEMORY, "scratch",
                     "no memory (%.1f MiB); use fewer draws or a smaller batch",
                     (double)bytes / (1 << 20));
    return cpu->scratch[slot];
}

static am_status cpu_set_precision(backend *be, const char *precision, am_error *err)
{
    (void)be;
    if (strcmp(precision, "fp32") == 0)
        return AM_OK;
    return am_fail(err, AM_ERR_USAGE,
                   "--precision %s: the CPU computes in fp32; give --device cuda or --precision "
                   "fp32",
                   precision);
}

static const backend_ops cpu_ops = {
    .close = cpu_close,
    .set_precision = cpu_set_precision,
    .alloc = cpu_alloc,
    .release = cpu_release,
    .free_memory = cpu_free_memory,
    .upload = cpu_copy,
    .download = cpu_download,
    .copy = cpu_copy,
    .zero = cpu_zero,
    .sync = cpu_sync,
    .repeat = cpu_repeat,
    .forget = cpu_forget,
    .advance = cpu_advance,
    .draw_lambda = cpu_draw_lambda,
    .draw_omega = cpu_draw_omega,
    .scale_lambda = cpu_scale_lambda,
    .draw_rows = cpu_draw_rows,
    .gather = cpu_gather,
    .row_weights = cpu_row_weights,
    .matmul = cpu_matmul,
    .linear_forward = cpu_linear_forward,
    .linear_backward = cpu_linear_backward,
    .mix_forward = cpu_mix_forward,
    .mix_backward = cpu_mix_backward,
    .basis_forward = cpu_basis_forward,
    .basis_backward = cpu_basis_backward,
    .loss = cpu_loss,
    .l2_penalty = cpu_l2_penalty,
    .gram_penalty = cpu_gram_penalty,
    .slope = cpu_slope,
    .curvature = cpu_curvature,
    .add_diagonal = cpu_add_diagonal,
    .guard = cpu_guard,
    .adam = cpu_adam,
    .adam_outer = cpu_adam_outer,
    .collocation = cpu_collocation,
    .score = cpu_score,
    .softmax = cpu_softmax,
};

/* "AMD EPYC 9654 96-Core Processor"; plain "CPU" where the kernel does not say. */
static void name_processor(char *name, size_t bytes)
{
    char line[512];
    snprintf(name, bytes, "CPU");
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (f == NULL)
        return;
    while (fgets(line, sizeof line, f) != NULL) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        value += 1 + strspn(value + 1, " \t");
        snprintf(name, bytes, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    fclose(f);
}

am_status cpu_backend_open(backend **be, int threads, am_error *err)
{
    cpu_backend *cpu = am_alloc(1, sizeof *cpu, "CPU backend", err);
    if (cpu == NULL)
        return err->status;
    cpu_blas_single_thread();
    cpu->small_kernels = cpu_blas_small_kernels();
    cpu->base.op = &cpu_ops;
    cpu->base.name = "cpu";
    cpu->base.threads = threads > 0 ? threads : cpu_thread_limit();
    name_processor(cpu->base.device, sizeof cpu->base.device);
    *be = &cpu->base;
    return AM_OK;
}
