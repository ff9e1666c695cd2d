#include "base/safetensors.h"

size_t am_dtype_size(am_dtype dtype)
{
    switch (dtype) {
    case AM_DTYPE_F32:
    case AM_DTYPE_I32:
        return 4;
    case AM_DTYPE_F64:
    case AM_DTYPE_U64:
        return 8;
    case AM_DTYPE_U8:
        return 1;
    }
    return 0;
}

const char *am_dtype_name(am_dtype dtype)
{
    switch (dtype) {
    case AM_DTYPE_F32:
        return "F32";
    case AM_DTYPE_F64:
        return "F64";
    case AM_DTYPE_U8:
        return "U8";
    case AM_DTYPE_I32:
        return "I32";
    case AM_DTYPE_U64:
        return "U64";
    }
    return "unknown";
}
