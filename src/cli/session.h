/* session — what every command opens: a device, data on it, a model. Built from the settings, or from
 * a model file and the data that it names. */
#ifndef AM_SESSION_H
#define AM_SESSION_H

#include "cli/cli.h"
#include "train/model_file.h"
#include "tune/tune.h"

typedef struct {
    backend *be;
    am_data *data;
    uint32_t *block;                     /* (train.n), or NULL */
    device_rows train, validation, test; /* on the device; test.be NULL when there is none */
    model_record record;
    generator g;                         /* g.be NULL until a model is opened */
    double data_seconds;
} session;

am_status session_device(session *s, const settings *set, am_error *err);
/* Loads and splits the data. */
am_status session_load(session *s, const data_request *request, am_error *err);
/* Cuts the training rows into blocks and copies all rows to the device. */
am_status session_upload(session *s, uint64_t seed, int64_t blocks, am_error *err);
/* Opens the model file, checks it against its data (or --data) and makes both ready. */
am_status session_model(session *s, const settings *set, const char *path, int draws, bool with_data,
                        am_error *err);
void session_close(session *s); /* safe on a zeroed one */

/* The rows a result is reported on: the test rows, or the validation rows where there are none. */
const device_rows *session_report_rows(const session *s, const char **name);

/* ---- request.c: settings → requests ---------------------------------------------------------------- */

data_request request_data(const settings *set);
/* Fills s->record (spec, fit, data) from the settings and the loaded data. */
am_status request_record(session *s, const settings *set, am_error *err);
optimiser request_optimiser(const settings *set);
am_status request_target(const settings *set, const am_data *data, target *t, am_error *err);
/* K: --blocks; 0 ("n") is one block per training row; the default never exceeds the rows. */
int64_t request_blocks(const settings *set, int64_t rows);

#endif
