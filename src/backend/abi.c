#include "backend/abi.h"

#ifndef AM_BACKEND_ABI
#error "AM_BACKEND_ABI is not defined; it comes from cmake/abi.cmake"
#endif

const char *backend_abi(void)
{
    return AM_BACKEND_ABI;
}
