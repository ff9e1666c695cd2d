#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

am_status session_device(session *s, const settings *set, am_error *err)
{
    AM_TRY(backend_open(&s->be, set->device, (int)set->threads, err));
    if (strcmp(set->precision, "fp32") != 0 && strcmp(s->be->name, "cpu") == 0)
        return am_fail(err, AM_ERR_USAGE,
                       "--precision %s: the CPU computes in fp32; give --device cuda or --precision "
                       "fp32",
                       set->precision);
    progress_note(set, "device: %s (%s), %d threads", s->be->name, s->be->device, s->be->threads);
    return AM_OK;
}

static am_status assign_blocks(session *s, uint64_t seed, int64_t blocks, am_error *err)
{
    s->block = am_alloc((size_t)s->data->train.n, sizeof *s->block, "blocks", err);
    if (s->block == NULL)
        return AM_ERR_MEMORY;
    return blocks_assign(seed, s->data->train.n, blocks, s->block, err);
}

am_status session_load(session *s, const data_request *request, am_error *err)
{
    double begin = am_seconds();
    AM_TRY(data_load(request, &s->data, err));
    s->data_seconds = am_seconds() - begin;
    return AM_OK;
}

am_status session_upload(session *s, uint64_t seed, int64_t blocks, am_error *err)
{
    double begin = am_seconds();
    AM_TRY(assign_blocks(s, seed, blocks, err));
    AM_TRY(device_rows_open(&s->train, s->be, &s->data->train, s->block, err));
    AM_TRY(device_rows_open(&s->validation, s->be, &s->data->validation, NULL, err));
    if (s->data->test.n > 0)
        AM_TRY(device_rows_open(&s->test, s->be, &s->data->test, NULL, err));
    s->data_seconds += am_seconds() - begin;
    return AM_OK;
}

/* The rows must be those that the model was fitted to. */
static am_status check_data(const session *s, const char *path, am_error *err)
{
    const target *t = &s->record.spec.target;
    const am_rows *train = &s->data->train;
    int outputs = t->size[t->layers];
    if (train->inputs != t->size[0] || train->outputs != outputs)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: the model has %d inputs and %d outputs, the data %s has %d and %d; give "
                       "the data it was fitted to with --data",
                       path, t->size[0], outputs, s->data->source, train->inputs, train->outputs);
    if ((t->loss == LOSS_SQUARED) != (train->target != NULL))
        return am_fail(err, AM_ERR_INPUT, "%s: the model is for %s, the data %s is for %s; give --task",
                       path, t->loss == LOSS_SQUARED ? "regression" : "classification",
                       s->data->source, train->target != NULL ? "regression" : "classification");
    char digest[17] = "";
    if (s->record.data.digest[0] != '\0')
        blocks_digest(s->block, train->n, digest);
    if (train->n != s->record.data.rows || strcmp(digest, s->record.data.digest) != 0)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: fitted to %lld training rows, the data %s gives %lld (or other blocks); "
                       "give the data it was fitted to with --data",
                       path, (long long)s->record.data.rows, s->data->source, (long long)train->n);
    return AM_OK;
}

static am_status load_model_data(session *s, const settings *set, const char *path, am_error *err)
{
    const data_record *d = &s->record.data;
    bool other = settings_given(set, "data");
    data_request request = {
        .source = other ? set->data : d->source,
        .label = d->label[0] != '\0' ? d->label : NULL,
        .task = d->task,
        .test = set->test,
        .validation = d->validation,
        .seed = s->record.spec.seed,
        .norm = &d->norm,
    };
    AM_TRY(session_load(s, &request, err));
    AM_TRY(session_upload(s, request.seed, s->record.spec.blocks, err));
    return check_data(s, path, err);
}

am_status session_model(session *s, const settings *set, const char *path, int draws, bool with_data,
                        am_error *err)
{
    am_safetensors *file;
    AM_TRY(model_load(path, &s->record, &file, err));
    am_status status = session_device(s, set, err);
    if (status == AM_OK)
        status = model_restore(file, &s->record, s->be, draws, &s->g, err);
    am_safetensors_free(file);
    if (status == AM_OK && with_data)
        status = load_model_data(s, set, path, err);
    return status;
}

void session_close(session *s)
{
    if (s->g.be != NULL)
        generator_close(&s->g);
    device_rows_close(&s->train);
    device_rows_close(&s->validation);
    device_rows_close(&s->test);
    model_record_free(&s->record);
    free(s->block);
    data_free(s->data);
    backend_close(s->be);
    *s = (session){0};
}

const device_rows *session_report_rows(const session *s, const char **name)
{
    bool test = s->test.be != NULL;
    *name = test ? "test" : "validation";
    return test ? &s->test : &s->validation;
}
