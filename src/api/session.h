/* session — a device, data on it, a generator: what a fit makes and every later question needs. The
 * inside of am_model; the commands use it directly. */
#ifndef AM_SESSION_H
#define AM_SESSION_H

#include "api/handles.h"
#include "train/model_file.h"
#include "tune/tune.h"

typedef struct {
    am_device *device;                   /* held */
    am_dataset *dataset;                 /* held; NULL until there are data */
    backend *be;                         /* the device's */
    am_data *data;                       /* the data set's */
    uint32_t *block;                     /* (train.n), or NULL; owned, as all below */
    device_rows train, validation, test; /* on the device; test.be NULL when there is none */
    model_record record;
    generator g; /* g.be NULL until a model is opened */
    double data_seconds;
} session;

/* Take over the caller's hold on a device, on a data set. */
void session_take_device(session *s, am_device *device);
void session_take_data(session *s, am_dataset *dataset);
/* Loads and splits the data. */
am_status session_load(session *s, const data_request *request, am_error *err);
/* Cuts the training rows into blocks and copies all rows to the device. */
am_status session_upload(session *s, int64_t blocks, am_error *err);
void session_drop_data(session *s);
void session_close(session *s); /* safe on a zeroed one */

/* How to read the data that the model was fitted to, again or from elsewhere (source not NULL).
 * `path` names the model in errors. */
am_status session_recorded_data(const session *s, const char *path, const char *source,
                                const char *test, data_request *request, am_error *err);
/* Uploads the data of a session whose model is open, and checks that they are those it was fitted
 * to.
 */
am_status session_attach(session *s, const char *path, am_error *err);

/* Whether inputs are normalised alike. */
bool session_same_inputs(const normalisation *a, const normalisation *b);

/* The rows a result is reported on: the test rows, or the validation rows where there are none. */
const device_rows *session_report_rows(const session *s, const char **name);

#endif
