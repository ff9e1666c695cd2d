#include "base/base.h"

const char *am_version(void)
{
    return AM_VERSION;
}

const char *am_status_name(am_status status)
{
    switch (status) {
    case AM_OK:
        return "ok";
    case AM_ERR_USAGE:
        return "usage";
    case AM_ERR_INPUT:
        return "input";
    case AM_ERR_IO:
        return "io";
    case AM_ERR_MEMORY:
        return "memory";
    case AM_ERR_DEVICE:
        return "device";
    case AM_ERR_DIVERGED:
        return "diverged";
    case AM_ERR_INTERRUPT:
        return "interrupt";
    case AM_ERR_INTERNAL:
        return "internal";
    }
    return "unknown";
}
