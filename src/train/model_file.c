#include "train/model_file.h"

#include "train/names.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const FORMAT = "amortune-model-1";

/* The record as the file holds it: the parts that need parsing as text. */
typedef struct {
    model_record record;
    char target[192], features[64];
    int activation, loss;
} raw_record;

typedef enum { TEXT, NAME, SWITCH, INT, LONG, SEED, REAL, FLOAT } field_kind;

/* One row per metadata key; drives writing, reading and comparing. `run` marks what must agree for a
 * checkpoint to be resumed. */
typedef struct {
    const char *key;
    field_kind kind;
    size_t offset, size; /* size: of TEXT */
    const char *const *names;
    bool run;
} field;

#define AT(member) offsetof(raw_record, member)
#define TEXT_FIELD(key, member, run)                                                               \
    {key, TEXT, AT(member), sizeof(((raw_record *)0)->member), NULL, run}

static const field field_table[] = {
    TEXT_FIELD("target", target, true),
    {"activation", NAME, AT(activation), 0, activation_names, true},
    {"loss", NAME, AT(loss), 0, loss_names, true},
    TEXT_FIELD("features", features, true),
    {"init", SWITCH, AT(record.spec.features.paper_init), 0, init_names, true},
    {"penalty", SWITCH, AT(record.spec.per_layer), 0, penalty_names, true},
    {"lambda_low", REAL, AT(record.spec.lambda_low), 0, NULL, true},
    {"lambda_high", REAL, AT(record.spec.lambda_high), 0, NULL, true},
    {"weights", NAME, AT(record.spec.weights), 0, omega_names, true},
    {"alpha", REAL, AT(record.spec.alpha), 0, NULL, true},
    {"blocks", LONG, AT(record.spec.blocks), 0, NULL, true},
    {"omega0", SWITCH, AT(record.spec.omega0), 0, switch_names, true},
    {"embedding", INT, AT(record.spec.embedding), 0, NULL, true},
    {"seed", SEED, AT(record.spec.seed), 0, NULL, true},
    {"descent", NAME, AT(record.fit.descent), 0, descent_names, true},
    {"plan", NAME, AT(record.fit.plan), 0, plan_names, true},
    {"nodes", NAME, AT(record.fit.nodes), 0, node_names, true},
    {"draws", INT, AT(record.fit.draws), 0, NULL, true},
    {"batch", INT, AT(record.fit.rows), 0, NULL, true},
    {"minibatches", INT, AT(record.fit.sets), 0, NULL, true},
    {"stretch", REAL, AT(record.fit.stretch), 0, NULL, true},
    {"tilt", REAL, AT(record.fit.tilt), 0, NULL, true},
    {"steps", LONG, AT(record.fit.steps), 0, NULL, true},
    {"ridge", REAL, AT(record.fit.ridge), 0, NULL, true},
    {"rate", REAL, AT(record.fit.adam.rate), 0, NULL, true},
    {"schedule", NAME, AT(record.fit.adam.schedule), 0, schedule_names, true},
    {"warmup", LONG, AT(record.fit.adam.warmup), 0, NULL, true},
    {"beta1", REAL, AT(record.fit.adam.beta1), 0, NULL, true},
    {"beta2", REAL, AT(record.fit.adam.beta2), 0, NULL, true},
    {"epsilon", REAL, AT(record.fit.adam.epsilon), 0, NULL, true},
    {"clip", REAL, AT(record.fit.adam.clip), 0, NULL, true},
    TEXT_FIELD("data_name", record.data.name, true),
    TEXT_FIELD("data_source", record.data.source, false),
    TEXT_FIELD("data_label", record.data.label, true),
    TEXT_FIELD("data_task", record.data.task, true),
    {"data_validation", REAL, AT(record.data.validation), 0, NULL, true},
    {"data_seed", SEED, AT(record.data.seed), 0, NULL, true},
    {"data_rows", LONG, AT(record.data.rows), 0, NULL, true},
    TEXT_FIELD("block_digest", record.data.digest, true),
    {"inputs", INT, AT(record.data.norm.inputs), 0, NULL, true},
    {"normalised_per_column", SWITCH, AT(record.data.norm.per_column), 0, switch_names, true},
    {"input_mean", FLOAT, AT(record.data.norm.mean), 0, NULL, true},
    {"input_sd", FLOAT, AT(record.data.norm.sd), 0, NULL, true},
    {"step", LONG, AT(record.step), 0, NULL, false},
};
enum { FIELDS = sizeof field_table / sizeof *field_table, VALUE = 1100 };

/* ---- one field to and from text ------------------------------------------------------------------ */

static void field_print(const field *f, const raw_record *raw, char text[VALUE])
{
    const char *at = (const char *)raw + f->offset;
    switch (f->kind) {
    case TEXT: snprintf(text, VALUE, "%s", at); break;
    case NAME: snprintf(text, VALUE, "%s", f->names[*(const unsigned *)at]); break;
    case SWITCH: snprintf(text, VALUE, "%s", f->names[*(const bool *)at ? 1 : 0]); break;
    case INT: snprintf(text, VALUE, "%d", *(const int *)at); break;
    case LONG: snprintf(text, VALUE, "%lld", (long long)*(const int64_t *)at); break;
    case SEED: snprintf(text, VALUE, "%llu", (unsigned long long)*(const uint64_t *)at); break;
    case REAL: snprintf(text, VALUE, "%.17g", *(const double *)at); break;
    case FLOAT: snprintf(text, VALUE, "%.9g", (double)*(const float *)at); break;
    }
}

/* Digits only, up to 2⁶⁴ − 1. */
static bool parse_seed(const char *text, uint64_t *seed)
{
    size_t digits = strspn(text, "0123456789");
    errno = 0;
    *seed = strtoull(text, NULL, 10);
    return digits > 0 && text[digits] == '\0' && errno == 0;
}

static bool field_parse(const field *f, const char *text, raw_record *raw)
{
    char *at = (char *)raw + f->offset;
    int64_t integer = 0;
    double real = 0;
    int name = f->names != NULL ? name_index(f->names, text) : 0;
    if (name < 0)
        return false;
    switch (f->kind) {
    case TEXT:
        if (strlen(text) >= f->size)
            return false;
        memcpy(at, text, strlen(text) + 1);
        return true;
    case NAME: *(unsigned *)at = (unsigned)name; return true;
    case SWITCH: *(bool *)at = name == 1; return name <= 1;
    case INT:
        if (!am_parse_int(text, &integer) || integer < 0 || integer > INT32_MAX)
            return false;
        *(int *)at = (int)integer;
        return true;
    case LONG: return am_parse_int(text, (int64_t *)at) && *(int64_t *)at >= 0;
    case SEED: return parse_seed(text, (uint64_t *)at);
    case REAL: return am_parse_double(text, (double *)at);
    case FLOAT:
        if (!am_parse_double(text, &real) || fabs(real) > (double)FLT_MAX)
            return false;
        *(float *)at = (float)real;
        return true;
    }
    return false;
}

static void raw_of(const model_record *record, raw_record *raw)
{
    *raw = (raw_record){.record = *record};
    target_text(&record->spec.target, raw->target, sizeof raw->target);
    snprintf(raw->features, sizeof raw->features, "%s", record->spec.features.text);
    raw->activation = (int)record->spec.target.act;
    raw->loss = (int)record->spec.target.loss;
}

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
        tensor[count++] = (am_tensor){.name = "input.mean", .dtype = AM_DTYPE_F32, .rank = 1,
                                      .shape = {norm->inputs}, .data = norm->column_mean};
        tensor[count++] = (am_tensor){.name = "input.sd", .dtype = AM_DTYPE_F32, .rank = 1,
                                      .shape = {norm->inputs}, .data = norm->column_sd};
    }
    if (status == AM_OK)
        status = am_safetensors_write(path, tensor, count, metadata, FIELDS + 2, err);
    free(params);
    free(moments);
    return status;
}

am_status model_save(const char *path, const generator *g, const model_record *record,
                     const arena *state, am_error *err)
{
    raw_record *raw = am_alloc(1, sizeof *raw, "model file", err);
    char(*text)[VALUE] = am_alloc(FIELDS, VALUE, "model file", err);
    am_metadata metadata[FIELDS + 2] = {{"format", FORMAT}, {"version", AM_VERSION}};
    am_status status = raw && text ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        raw_of(record, raw);
        for (int i = 0; i < FIELDS; i++) {
            field_print(&field_table[i], raw, text[i]);
            metadata[i + 2] = (am_metadata){field_table[i].key, text[i]};
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
    for (int i = 0; i < FIELDS; i++) {
        const char *text = am_safetensors_meta(file, field_table[i].key);
        if (text == NULL || !field_parse(&field_table[i], text, raw))
            return am_fail(err, AM_ERR_INPUT, "%s: damaged model: metadata '%s' is %s", path,
                           field_table[i].key, text != NULL ? "not valid" : "missing");
    }
    return AM_OK;
}

/* Values that parse one by one but make no model together: the key of the first, or NULL. */
static const char *impossible(const model_record *r)
{
    const generator_spec *s = &r->spec;
    if (!(s->lambda_low > 0 && s->lambda_low < s->lambda_high))
        return "lambda_low";
    if (s->blocks < 1 || s->blocks > r->data.rows)
        return "blocks";
    if (r->data.norm.inputs != s->target.size[0])
        return "inputs";
    if (s->embedding > AM_MAX_FEATURES)
        return "embedding";
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
    int64_t shape[2] = {features_count(&spec->features, groups, spec->blocks, spec->embedding),
                        spec->target.params};
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
    for (int i = 0; i < FIELDS && status == AM_OK; i++) {
        char was[VALUE], is[VALUE];
        field_print(&field_table[i], &raw[0], was);
        field_print(&field_table[i], &raw[1], is);
        if (field_table[i].run && strcmp(was, is) != 0)
            status = am_fail(err, AM_ERR_USAGE,
                             "%s: a checkpoint of another run: %s was %.100s and is now %.100s; give "
                             "the same options, or start anew without --resume",
                             path, field_table[i].key, was, is);
    }
    free(raw);
    return status;
}
