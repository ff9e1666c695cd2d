#include "backend/backend.h"

#include "backend/cpu/cpu.h"
#include "backend/plugin.h"

#include <limits.h>
#include <string.h>

/* "cuda" or "cuda:INDEX" */
static bool parse_cuda(const char *device, int *index)
{
    int64_t value = 0;
    if (strncmp(device, "cuda", 4) != 0)
        return false;
    if (device[4] != '\0' && (device[4] != ':' || device[5] < '0' || device[5] > '9' ||
                              !am_parse_int(device + 5, &value)))
        return false;
    *index = (int)value;
    return value >= 0 && value <= INT_MAX;
}

am_status backend_open(backend **be, const char *device, int threads, am_error *err)
{
    int index = 0;
    *be = NULL;
    if (threads < 0)
        return am_fail(err, AM_ERR_USAGE, "--threads %d: must not be negative; 0 uses every core",
                       threads);
    if (strcmp(device, "cpu") == 0)
        return cpu_backend_open(be, threads, err);
    if (strcmp(device, "auto") == 0) {
        am_error absent = {0}; /* no GPU is no failure here */
        if (backend_open_cuda(be, 0, &absent) == AM_OK)
            return AM_OK;
        return cpu_backend_open(be, threads, err);
    }
    if (parse_cuda(device, &index))
        return backend_open_cuda(be, index, err);
    return am_fail(err, AM_ERR_USAGE,
                   "--device %s: no such device; use auto, cpu, cuda or cuda:INDEX", device);
}

void backend_close(backend *be)
{
    if (be != NULL)
        be->op->close(be);
}
