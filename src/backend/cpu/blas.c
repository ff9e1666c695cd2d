#include "backend/cpu/blas.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ISO C has no conversion from dlsym's object pointer to a function pointer; POSIX guarantees the
 * representations agree. */
static bool find_function(const char *name, void *function, size_t bytes)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == NULL)
        return false;
    memcpy(function, &symbol, bytes);
    return true;
}

void cpu_blas_single_thread(void)
{
    void (*set_num_threads)(int);
    if (find_function("openblas_set_num_threads", &set_num_threads, sizeof set_num_threads))
        set_num_threads(1);
}

static const char *core_name(void)
{
    char *(*get_corename)(void);
    if (find_function("openblas_get_corename", &get_corename, sizeof get_corename))
        return get_corename();
    return "";
}

static bool is_one_of(const char *name, const char *const *list)
{
    while (*list != NULL && strcmp(name, *list) != 0)
        list++;
    return *list != NULL;
}

bool cpu_blas_small_kernels(void)
{
    static const char *const avx512_kernels[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
    return is_one_of(core_name(), avx512_kernels);
}

bool cpu_blas_wants_coretype(const char **value)
{
#if defined(__x86_64__) && defined(__GNUC__)
    static const char *const avx2_kernels[] = {"Haswell", "Zen", NULL};
    __builtin_cpu_init();
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512cd");
    if (!avx512 || getenv("OPENBLAS_CORETYPE") != NULL || !is_one_of(core_name(), avx2_kernels))
        return false;
    *value = "SkylakeX";
    return true;
#else
    (void)value;
    return false;
#endif
}
