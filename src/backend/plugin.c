#include "backend/plugin.h"

#include "backend/abi.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN_NAME "libamortune_cuda.so"

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
    /* beside it in a build; from the program in bin; from the library in lib, in lib64 or lib/TRIPLET */
    static const char *const place[] = {"", "/../lib/amortune", "/amortune", "/../amortune"};
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
                   "cuda: no " PLUGIN_NAME " in %s or lib/amortune of the installation; build with "
                   "CUDA, or use --device cpu",
                   folder);
}

/* ---- where this code lies -------------------------------------------------------------------- */

/* Whether the object holds this function; its file then goes to `context`, the empty name of the program
 * as the link that the kernel keeps. */
static int take_own_file(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    uintptr_t self = (uintptr_t)take_own_file;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
        if (object->dlpi_phdr[i].p_type != PT_LOAD || self < begin ||
            self - begin >= object->dlpi_phdr[i].p_memsz)
            continue;
        *(const char **)context = *object->dlpi_name != '\0' ? object->dlpi_name : "/proc/self/exe";
        return 1;
    }
    return 0;
}

/* The folder of the program or, where this is the library in somebody else's program, of that; fresh,
 * links followed; NULL when it cannot be found. */
static char *own_folder(void)
{
    const char *file = NULL;
    (void)dl_iterate_phdr(take_own_file, &file);
    char *path = file != NULL ? realpath(file, NULL) : NULL;
    if (path != NULL)
        *strrchr(path, '/') = '\0'; /* an absolute path */
    return path;
}

am_status backend_open_cuda(backend **be, int index, am_error *err)
{
    *be = NULL;
    char *folder = own_folder();
    if (folder == NULL)
        return am_fail(
            err, AM_ERR_DEVICE,
            "cuda: program or library lie on no path, so the plugin cannot be found; use "
            "--device cpu");
    am_status status = backend_open_plugin(be, folder, index, err);
    free(folder);
    return status;
}
