#include "api/handles.h"

#include "backend/cpu/blas.h"
#include "train/names.h"

#include <stdlib.h>
#include <string.h>

static am_status set_precision(backend *be, const char *precision, am_error *err)
{
    if (name_index(precision_names, precision) < 0)
        return am_fail(err, AM_ERR_USAGE, "--precision %s: no such choice; give fp32, tf32 or bf16",
                       precision);
    return be->op->set_precision(be, precision, err);
}

am_status am_device_open(const char *name, int threads, const char *precision, am_device **device,
                         am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(device, "give a place for the handle");
    *device = NULL;
    am_device *opened = am_alloc(1, sizeof *opened, "device", err);
    if (opened == NULL)
        return AM_ERR_MEMORY;
    opened->holders = 1;
    am_status status = backend_open(&opened->be, name != NULL ? name : "auto", threads, err);
    if (status == AM_OK)
        status = set_precision(opened->be, precision != NULL ? precision : "fp32", err);
    if (status != AM_OK) {
        am_device_close(opened);
        return status;
    }
    (void)snprintf(opened->precision, sizeof opened->precision, "%s",
                   precision != NULL ? precision : "fp32");
    *device = opened;
    return AM_OK;
}

void am_device_close(am_device *device)
{
    if (device == NULL || --device->holders > 0)
        return;
    backend_close(device->be);
    free(device);
}

am_status am_device_describe(const am_device *device, am_device_info *info, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(device, "open one with am_device_open");
    API_NEED(info, "give a place for the answer");
    *info = (am_device_info){.threads = device->be->threads};
    snprintf(info->name, sizeof info->name, "%s", device->be->name);
    const char *coretype;
    if (strcmp(info->name, "cpu") == 0 && cpu_blas_wants_coretype(&coretype))
        snprintf(info->openblas_coretype, sizeof info->openblas_coretype, "%s", coretype);
    snprintf(info->model, sizeof info->model, "%s", device->be->device);
    return AM_OK;
}
