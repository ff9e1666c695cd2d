/* plugin — the CUDA backend, a shared library that is loaded at run time. */
#ifndef AM_PLUGIN_H
#define AM_PLUGIN_H

#include "backend/backend.h"

/* Opens CUDA device `index`. AM_ERR_DEVICE when the plugin is not installed or finds no device. The
 * plugin is libamortune_cuda.so beside this code, the program or libamortune.so, or in lib/amortune of
 * the same installation; it exports am_cuda_backend_open with this signature, and am_cuda_backend_abi, which must return what
 * backend_abi of the program does (abi.h): a plugin of another build is refused. */
am_status backend_open_cuda(backend **be, int index, am_error *err);

/* The same with the folder of program or library given. */
am_status backend_open_plugin(backend **be, const char *folder, int index, am_error *err);

#endif
