/* device_rows — a set of examples copied to the device, with the block of every row. */
#ifndef AM_DEVICE_ROWS_H
#define AM_DEVICE_ROWS_H

#include "backend/backend.h"
#include "data/data.h"

typedef struct {
    backend *be;
    device_data data;
} device_rows;

/* block (n) may be NULL: no weights will be asked for. */
am_status device_rows_open(device_rows *d, backend *be, const am_rows *rows, const uint32_t *block,
                           am_error *err);
void device_rows_close(device_rows *d); /* safe on a zeroed one */

#endif
