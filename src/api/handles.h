/* handles — what the opaque types of amortune.h are, and what every public function does first. */
#ifndef AM_HANDLES_H
#define AM_HANDLES_H

#include "backend/backend.h"
#include "data/data.h"

#include <stdatomic.h>

/* A handle lives while its owner or a model holds it; models on different devices, in different threads,
 * may hold the same data. */
struct am_device {
    atomic_int holders;
    backend *be;
    char precision[8]; /* of matrix products: "fp32", "tf32", "bf16" */
};

struct am_dataset {
    atomic_int holders;
    am_data *data;
    /* what was asked for, recorded in models: */
    char *source; /* as the user gave it; "" for rows from memory */
    char *label;  /* CSV label column; "" the last */
    char *task;
    double validation;
    uint64_t seed; /* of the split and of the blocks */
};

static inline am_device *device_hold(am_device *device)
{
    device->holders++;
    return device;
}
static inline am_dataset *dataset_hold(am_dataset *data)
{
    data->holders++;
    return data;
}

/* dataset.c — data_load with the request kept. */
am_status dataset_load(const data_request *request, am_dataset **data, am_error *err);

/* `err`, or `own` when the caller wants no message; cleared. */
static inline am_error *api_error(am_error *err, am_error *own)
{
    err = err != NULL ? err : own;
    *err = (am_error){0};
    return err;
}
/* AM_ERR_USAGE for an argument that must not be NULL: "am_curve: model is NULL; give …". */
#define API_NEED(pointer, remedy)                                                                  \
    do {                                                                                           \
        if ((pointer) == NULL)                                                                     \
            return am_fail(err, AM_ERR_USAGE, "%s: %s is NULL; %s", __func__, #pointer, remedy);   \
    } while (0)

#endif
