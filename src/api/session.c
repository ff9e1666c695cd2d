#include "api/session.h"

#include "backend/tally.h"

#include <stdlib.h>
#include <string.h>

void session_take_device(session *s, am_device *device)
{
    s->device = device;
    s->be = device->be;
}

void session_take_data(session *s, am_dataset *dataset)
{
    s->dataset = dataset;
    s->data = dataset->data;
}

am_status session_load(session *s, const data_request *request, am_error *err)
{
    double begin = am_seconds();
    am_dataset *dataset;
    AM_TRY(dataset_load(request, &dataset, err));
    session_take_data(s, dataset);
    s->data_seconds = am_seconds() - begin;
    return AM_OK;
}

static am_status assign_blocks(session *s, int64_t blocks, am_error *err)
{
    s->block = am_alloc((size_t)s->data->train.n, sizeof *s->block, "blocks", err);
    if (s->block == NULL)
        return AM_ERR_MEMORY;
    return blocks_assign(s->dataset->seed, s->data->train.n, blocks, s->block, err);
}

static am_status open_rows(session *s, backend *be, am_error *err)
{
    AM_TRY(device_rows_open(&s->train, be, &s->data->train, s->block, err));
    AM_TRY(device_rows_open(&s->validation, be, &s->data->validation, NULL, err));
    if (s->data->test.n > 0)
        AM_TRY(device_rows_open(&s->test, be, &s->data->test, NULL, err));
    return AM_OK;
}

static void close_rows(session *s)
{
    device_rows_close(&s->train);
    device_rows_close(&s->validation);
    device_rows_close(&s->test);
}

/* Is there room for the rows? Opened on a tally first. */
static am_status rows_memory(session *s, am_error *err)
{
    backend *tally;
    AM_TRY(tally_open(&tally, err));
    am_status status = open_rows(s, tally, err);
    if (status == AM_OK)
        status = tally_check(tally, s->be, "data", err);
    close_rows(s);
    backend_close(tally);
    return status;
}

am_status session_upload(session *s, int64_t blocks, am_error *err)
{
    double begin = am_seconds();
    AM_TRY(assign_blocks(s, blocks, err));
    AM_TRY(rows_memory(s, err));
    AM_TRY(open_rows(s, s->be, err));
    s->data_seconds += am_seconds() - begin;
    return AM_OK;
}

void session_drop_data(session *s)
{
    close_rows(s);
    free(s->block);
    am_dataset_free(s->dataset);
    s->block = NULL;
    s->dataset = NULL;
    s->data = NULL;
}

void session_close(session *s)
{
    if (s->g.be != NULL)
        generator_close(&s->g);
    session_drop_data(s);
    model_record_free(&s->record);
    am_device_close(s->device);
    *s = (session){0};
}

/* ---- a model and its data -------------------------------------------------------------------- */

am_status session_recorded_data(const session *s, const char *path, const char *source,
                                const char *test, data_request *request, am_error *err)
{
    const data_record *d = &s->record.data;
    if (source == NULL && d->source[0] == '\0')
        return am_fail(err, AM_ERR_USAGE,
                       "%s: was fitted to rows in memory, no file holds them; give the data it was "
                       "fitted to with --data",
                       path);
    *request = (data_request){
        .source = source != NULL ? source : d->source,
        .label = d->label[0] != '\0' ? d->label : NULL,
        .task = d->task,
        .test = test,
        .validation = d->validation,
        .seed = d->seed,
        .norm = &d->norm,
    };
    return AM_OK;
}

bool session_same_inputs(const normalisation *a, const normalisation *b)
{
    size_t bytes = sizeof(float) * (size_t)a->inputs;
    if (a->inputs != b->inputs || a->per_column != b->per_column)
        return false;
    if (!a->per_column)
        return a->mean == b->mean && a->sd == b->sd;
    return memcmp(a->column_mean, b->column_mean, bytes) == 0 &&
           memcmp(a->column_sd, b->column_sd, bytes) == 0;
}

static am_status other_rows(const session *s, const char *path, am_error *err)
{
    return am_fail(err, AM_ERR_INPUT,
                   "%s: fitted to %lld training rows, the data %s gives %lld (or other blocks); "
                   "give the data it was fitted to with --data",
                   path, (long long)s->record.data.rows, s->data->source,
                   (long long)s->data->train.n);
}

static am_status check_shape(const session *s, const char *path, am_error *err)
{
    const target *t = &s->record.spec.target;
    const am_rows *train = &s->data->train;
    int outputs = t->size[t->layers];
    if (train->inputs != t->size[0] || train->outputs != outputs)
        return am_fail(
            err, AM_ERR_INPUT,
            "%s: the model has %d inputs and %d outputs, the data %s has %d and %d; give "
            "the data it was fitted to with --data",
            path, t->size[0], outputs, s->data->source, train->inputs, train->outputs);
    if ((t->loss == LOSS_SQUARED) != (train->target != NULL))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: the model is for %s, the data %s is for %s; give the data it was "
                       "fitted to with --data",
                       path, t->loss == LOSS_SQUARED ? "regression" : "classification",
                       s->data->source, train->target != NULL ? "regression" : "classification");
    return AM_OK;
}

/* The rows must be those that the model was fitted to. */
static am_status check_rows(const session *s, const char *path, am_error *err)
{
    char digest[17] = "";
    if (s->record.data.digest[0] != '\0')
        blocks_digest(s->block, s->data->train.n, digest);
    if (strcmp(digest, s->record.data.digest) != 0)
        return other_rows(s, path, err);
    if (!session_same_inputs(&s->data->norm, &s->record.data.norm))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: fitted to inputs that were normalised otherwise than those of the data "
                       "%s; give the data it was fitted to, split by the same seed",
                       path, s->data->source);
    return AM_OK;
}

am_status session_attach(session *s, const char *path, am_error *err)
{
    AM_TRY(check_shape(s, path, err));
    if (s->data->train.n != s->record.data.rows)
        return other_rows(s, path, err);
    AM_TRY(session_upload(s, s->record.spec.blocks, err));
    return check_rows(s, path, err);
}

const device_rows *session_report_rows(const session *s, const char **name)
{
    bool test = s->test.be != NULL;
    *name = test ? "test" : "validation";
    return test ? &s->test : &s->validation;
}
