#include "backend/plugin.h"

#include "backend/abi.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN_NAME "libamortune_cuda.so"
enum { PATH_BYTES = 4096 };

typedef am_status open_function(backend **be, int index, am_error *err);
typedef const char *abi_function(void);

/* Its functions of these names; ISO C has no such conversion, POSIX has. */
static bool find_functions(void *library, open_function **open, abi_function **abi)
{
    void *open_symbol = dlsym(library, "am_cuda_backend_open");
    void *abi_symbol = dlsym(library, "am_cuda_backend_abi");
    memcpy(open, &open_symbol, sizeof *open);
    memcpy(abi, &abi_symbol, sizeof *abi);
    return open_symbol != NULL && abi_symbol != NULL;
}

static am_status open_from(const char *path, backend **be, int index, am_error *err)
{
    /* Never unloaded once it works: device memory and kernels outlive any one backend. */
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return am_fail(err, AM_ERR_DEVICE, "%s: cannot be loaded (%s); use --device cpu", path,
                       dlerror());
    open_function *open;
    abi_function *abi;
    if (!find_functions(library, &open, &abi)) {
        dlclose(library);
        return am_fail(err, AM_ERR_DEVICE,
                       "%s: is no plugin of this program; reinstall, or use --device cpu", path);
    }
    if (strcmp(abi(), backend_abi()) != 0) {
        am_fail(err, AM_ERR_DEVICE,
                "%s: belongs to another build (interface %.16s, this program has %s); build both "
                "again, or use --device cpu",
                path, abi(), backend_abi());
        dlclose(library);
        return AM_ERR_DEVICE;
    }
    am_status status = open(be, index, err);
    if (status != AM_OK)
        dlclose(library);
    return status;
}

am_status backend_open_plugin(backend **be, const char *folder, int index, am_error *err)
{
    static const char *const place[] = {"", "/../lib/amortune"};
    *be = NULL;
    for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
        char *path = am_format("%s%s/" PLUGIN_NAME, folder, place[i]);
        if (path == NULL)
            return am_fail(err, AM_ERR_MEMORY, "out of memory; close other programs");
        bool found = access(path, F_OK) == 0;
        am_status status = found ? open_from(path, be, index, err) : AM_OK;
        free(path);
        if (found)
            return status;
    }
    return am_fail(err, AM_ERR_DEVICE,
                   "cuda: no " PLUGIN_NAME " in %s or its ../lib/amortune; build with CUDA, or use "
                   "--device cpu",
                   folder);
}

am_status backend_open_cuda(backend **be, int index, am_error *err)
{
    char program[PATH_BYTES];
    *be = NULL;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program);
    if (length <= 0 || length == (ssize_t)sizeof program)
        return am_fail(err, AM_ERR_DEVICE,
                       "/proc/self/exe: cannot be read, so the CUDA plugin cannot be found; use "
                       "--device cpu");
    program[length] = '\0';
    *strrchr(program, '/') = '\0'; /* the link is an absolute path */
    return backend_open_plugin(be, program, index, err);
}
