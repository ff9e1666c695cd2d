#include "train/model_fields.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const FORMAT = "amortune-model-1";

/* ---- writing --------------------------------------------------------------------------------------- */

static am_status write_tensors(const char *path, const generator *g, const model_record *record,
                               const arena *state, const am_metadata *metadata, am_error *err)
{
    am_tensor tensor[2 * ARENA_SLOTS + 2];
    char *params = NULL, *moments = NULL;
    int count = g->params.count;
    const normalisation *norm = &record->data.norm;
    am_status status = arena_download(&g->params, &params, tensor, err);
    if (status == AM_OK && state != NULL) {
        status = arena_download(state, &moments, tensor + count, err);
        count += state->count;
    }
    if (norm->per_column) {
        tensor[count++] = (am_tensor){.name = "input.mean",
                                      .dtype = AM_DTYPE_F32,
                                      .rank = 1,
                                      .shape = {norm->inputs},
                                      .data = norm->column_mean};
        tensor[count++] = (am_tensor){.name = "input.sd",
                                      .dtype = AM_DTYPE_F32,
                                      .rank = 1,
                                      .shape = {norm->inputs},
                                      .data = norm->column_sd};
    }
    if (status == AM_OK)
        status = am_safetensors_write(path, tensor, count, metadata, MODEL_FIELDS + 2, err);
    free(params);
    free(moments);
    return status;
}

am_status model_save(const char *path, const generator *g, const model_record *record,
                     const arena *state, am_error *err)
{
    raw_record *raw = am_alloc(1, sizeof *raw, "model file", err);
    char(*text)[MODEL_FIELD_TEXT] = am_alloc(MODEL_FIELDS, MODEL_FIELD_TEXT, "model file", err);
    am_metadata metadata[MODEL_FIELDS + 2] = {{"format", FORMAT}, {"version", AM_VERSION}};
    am_status status = raw && text ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        raw_of(record, raw);
        for (int i = 0; i < MODEL_FIELDS; i++) {
            model_field_print(i, raw, text[i]);
            metadata[i + 2] = (am_metadata){model_field_key(i), text[i]};
        }
        status = write_tensors(path, g, record, state, metadata, err);
    }
    free(raw);
    free(text);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------- */

static am_status read_fields(const char *path, const am_safetensors *file, raw_record *raw,
                             am_error *err)
{
    const char *format = am_safetensors_meta(file, "format");
    if (format == NULL || strcmp(format, FORMAT) != 0)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: not an amortune model (format '%s', expected '%s'); give a file that "
                       "amortune fit wrote",
                       path, format != NULL ? format : "none", FORMAT);
    for (int i = 0; i < MODEL_FIELDS; i++) {
        const char *text = am_safetensors_meta(file, model_field_key(i));
        if (text == NULL && model_field_newer(i))
            continue;
        if (text == NULL || !model_field_parse(i, text, raw))
            return am_fail(err, AM_ERR_INPUT, "%s: damaged model: metadata '%s' is %s", path,
                           model_field_key(i), text != NULL ? "not valid" : "missing");
    }
    return AM_OK;
}

/* Values that parse one by one but make no model together: the key of the first, or NULL. */
static const char *impossible(const model_record *r)
{
    const generator_spec *s = &r->spec;
    if (!(s->lambda_low > 0 && s->lambda_low < s->lambda_high))
        return "lambda_low";
    if (!(s->knee >= 0 && s->knee <= AM_MAX_KNEE * s->lambda_low))
        return "lambda_knee";
    if (s->blocks < 1 || s->blocks > r->data.rows)
        return "blocks";
    if (s->sampled > AM_DIRECT_BLOCKS)
        return "response_draws";
    if (r->data.norm.inputs != s->target.size[0])
        return "inputs";
    if (s->embedding > AM_MAX_FEATURES)
        return "embedding";
    if (s->networks < 0 || s->networks > AM_MAX_NETWORKS)
        return "networks";
    if (r->fit.draws < 1)
        return "draws";
    if (r->fit.rows < 1)
        return "batch";
    if (r->fit.steps < 1)
        return "steps";
    if (r->step > r->fit.steps)
        return "step";
    if (!(r->data.norm.sd > 0))
        return "input_sd";
    return s->alpha > 0 ? NULL : "alpha";
}

static am_status check_record(const char *path, const model_record *record, am_error *err)
{
    const char *wrong = impossible(record);
    if (wrong != NULL)
        return am_fail(err, AM_ERR_INPUT, "%s: damaged model: metadata '%s' is not possible", path,
                       wrong);
    return AM_OK;
}

/* The head is of the shape that the metadata ask for, so that a lying file cannot ask for memory
 * that it does not fill; and what a model computes with is finite. */
static am_status check_tensors(const char *path, const am_safetensors *file,
                               const generator_spec *spec, am_error *err)
{
    static const char *const used[] = {"head", "features", "input.mean", "input.sd"};
    const am_tensor *head;
    int groups = spec->per_layer ? spec->target.layers : 1;
    int64_t blocks = generator_weights_count(spec);
    int64_t r1 = features_count(&spec->features, groups, blocks, spec->embedding);
    int64_t shape[2] = {AM_MAX(1, spec->networks) * r1, spec->target.params};
    AM_TRY(am_safetensors_need(file, "head", AM_DTYPE_F32, 2, shape, &head, err));
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
        const am_tensor *tensor = am_safetensors_find(file, used[i]);
        int64_t count = tensor != NULL && tensor->dtype == AM_DTYPE_F32 ? 1 : 0;
        for (int k = 0; count > 0 && k < tensor->rank; k++)
            count *= tensor->shape[k];
        for (int64_t k = 0; k < count; k++)
            if (!isfinite(((const float *)tensor->data)[k]))
                return am_fail(err, AM_ERR_INPUT,
                               "%s: damaged model: tensor '%s' holds a value that is not finite",
                               path, used[i]);
    }
    return AM_OK;
}

static am_status read_columns(const char *path, const am_safetensors *file, normalisation *norm,
                              am_error *err)
{
    if (!norm->per_column)
        return AM_OK;
    int64_t shape[1] = {norm->inputs};
    const am_tensor *mean, *sd;
    AM_TRY(am_safetensors_need(file, "input.mean", AM_DTYPE_F32, 1, shape, &mean, err));
    AM_TRY(am_safetensors_need(file, "input.sd", AM_DTYPE_F32, 1, shape, &sd, err));
    size_t count = (size_t)norm->inputs;
    norm->column_mean = am_alloc(count, sizeof(float), "normalisation", err);
    norm->column_sd = am_alloc(count, sizeof(float), "normalisation", err);
    if (norm->column_mean == NULL || norm->column_sd == NULL)
        return AM_ERR_MEMORY;
    memcpy(norm->column_mean, mean->data, count * sizeof(float));
    memcpy(norm->column_sd, sd->data, count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        if (!(norm->column_sd[i] > 0))
            return am_fail(err, AM_ERR_INPUT,
                           "%s: damaged model: tensor 'input.sd' holds a value that is not "
                           "positive",
                           path);
    return AM_OK;
}

static am_status read_record(const char *path, const am_safetensors *file, raw_record *raw,
                             am_error *err)
{
    AM_TRY(read_fields(path, file, raw, err));
    generator_spec *spec = &raw->record.spec;
    bool paper = spec->features.paper_init;
    am_error inner = {0};
    if (target_parse(raw->target, (activation)raw->activation, (loss_kind)raw->loss, &spec->target,
                     &inner) != AM_OK ||
        feature_spec_parse(raw->features, spec->weights != OMEGA_ONES, &spec->features, &inner) !=
            AM_OK)
        return am_fail(err, AM_ERR_INPUT, "%s: damaged model: %.300s", path, inner.message);
    spec->features.paper_init = paper;
    spec->sampled = spec->features.nodes > 0 ? raw->record.fit.response.draws : 0;
    AM_TRY(check_record(path, &raw->record, err));
    AM_TRY(check_tensors(path, file, spec, err));
    return read_columns(path, file, &raw->record.data.norm, err);
}

am_status model_load(const char *path, model_record *record, am_safetensors **file, am_error *err)
{
    *record = (model_record){0};
    *file = NULL;
    raw_record *raw = am_alloc(1, sizeof *raw, "model file", err);
    if (raw == NULL)
        return AM_ERR_MEMORY;
    am_status status = am_safetensors_read(path, file, err);
    if (status == AM_OK)
        status = read_record(path, *file, raw, err);
    *record = raw->record;
    free(raw);
    if (status != AM_OK) {
        model_record_free(record);
        am_safetensors_free(*file);
        *file = NULL;
    }
    return status;
}

am_status model_restore(const am_safetensors *file, const model_record *record, backend *be,
                        int draws, generator *g, am_error *err)
{
    AM_TRY(generator_open(g, be, &record->spec, draws, err));
    am_status status = arena_restore(&g->params, file, err);
    if (status != AM_OK)
        generator_close(g);
    return status;
}

void model_record_free(model_record *record)
{
    free(record->data.norm.column_mean);
    free(record->data.norm.column_sd);
    *record = (model_record){0};
}

am_status model_same_run(const char *path, const model_record *saved, const model_record *now,
                         am_error *err)
{
    raw_record *raw = am_alloc(2, sizeof *raw, "model file", err);
    if (raw == NULL)
        return AM_ERR_MEMORY;
    raw_of(saved, &raw[0]);
    raw_of(now, &raw[1]);
    am_status status = AM_OK;
    for (int i = 0; i < MODEL_FIELDS && status == AM_OK; i++) {
        char was[MODEL_FIELD_TEXT], is[MODEL_FIELD_TEXT];
        model_field_print(i, &raw[0], was);
        model_field_print(i, &raw[1], is);
        if (model_field_of_run(i) && strcmp(was, is) != 0)
            status =
                am_fail(err, AM_ERR_USAGE,
                        "%s: a checkpoint of another run: %s was %.100s and is now %.100s; give "
                        "the same options, or start anew without --resume",
                        path, model_field_key(i), was, is);
    }
    free(raw);
    return status;
}
