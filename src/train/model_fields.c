#include "train/model_fields.h"

#include "train/names.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { TEXT, NAME, SWITCH, INT, LONG, SEED, REAL, FLOAT } field_kind;

/* One row per metadata key; drives writing, reading and comparing. Causes stand before what is
 * derived from them. `run` marks what must agree for a checkpoint to be resumed; NEWER of it is what
 * files of before it lack, which is then 0. */
typedef struct {
    const char *key;
    field_kind kind;
    size_t offset, size; /* size: of TEXT */
    const char *const *names;
    int run;
} field;
enum { NEWER = 2 };

#define AT(member) offsetof(raw_record, member)
#define TEXT_FIELD(key, member, run)                                                               \
    {                                                                                              \
        key, TEXT, AT(member), sizeof(((raw_record *)0)->member), NULL, run                        \
    }

static const field field_table[] = {
    TEXT_FIELD("target", target, true),
    {"activation", NAME, AT(activation), 0, activation_names, true},
    {"loss", NAME, AT(loss), 0, loss_names, true},
    TEXT_FIELD("features", features, true),
    {"init", SWITCH, AT(record.spec.features.paper_init), 0, init_names, true},
    {"penalty", SWITCH, AT(record.spec.per_layer), 0, penalty_names, true},
    {"lambda_low", REAL, AT(record.spec.lambda_low), 0, NULL, true},
    {"lambda_high", REAL, AT(record.spec.lambda_high), 0, NULL, true},
    {"lambda_knee", REAL, AT(record.spec.knee), 0, NULL, NEWER},
    {"weights", NAME, AT(record.spec.weights), 0, omega_names, true},
    {"alpha", REAL, AT(record.spec.alpha), 0, NULL, true},
    {"blocks", LONG, AT(record.spec.blocks), 0, NULL, true},
    {"omega0", SWITCH, AT(record.spec.omega0), 0, switch_names, true},
    {"embedding", INT, AT(record.spec.embedding), 0, NULL, true},
    {"networks", INT, AT(record.spec.networks), 0, NULL, true},
    {"seed", SEED, AT(record.spec.seed), 0, NULL, true},
    {"steps", LONG, AT(record.fit.steps), 0, NULL, true},
    {"mode", NAME, AT(record.fit.mode), 0, mode_names, true},
    {"labels", INT, AT(record.fit.labels), 0, NULL, true},
    {"rounds", INT, AT(record.fit.rounds), 0, NULL, true},
    {"share", REAL, AT(record.fit.share), 0, NULL, true},
    {"label_rate", REAL, AT(record.fit.label.rate), 0, NULL, true},
    {"label_warm_rate", REAL, AT(record.fit.warm), 0, NULL, true},
    {"label_warmup", LONG, AT(record.fit.label.warmup), 0, NULL, true},
    {"label_beta1", REAL, AT(record.fit.label.beta1), 0, NULL, true},
    {"label_beta2", REAL, AT(record.fit.label.beta2), 0, NULL, true},
    {"descent", NAME, AT(record.fit.descent), 0, descent_names, true},
    {"plan", NAME, AT(record.fit.plan), 0, plan_names, true},
    {"nodes", NAME, AT(record.fit.nodes), 0, node_names, true},
    {"draws", INT, AT(record.fit.draws), 0, NULL, true},
    {"batch", INT, AT(record.fit.rows), 0, NULL, true},
    {"minibatches", INT, AT(record.fit.sets), 0, NULL, true},
    {"stretch", REAL, AT(record.fit.stretch), 0, NULL, true},
    {"tilt", REAL, AT(record.fit.tilt), 0, NULL, true},
    {"ridge", REAL, AT(record.fit.ridge), 0, NULL, true},
    {"coarse_share", REAL, AT(record.fit.coarse.share), 0, NULL, NEWER},
    {"coarse_degree", INT, AT(record.fit.coarse.degree), 0, NULL, NEWER},
    {"coarse_draws", INT, AT(record.fit.coarse.draws), 0, NULL, NEWER},
    {"coarse_batch", INT, AT(record.fit.coarse.rows), 0, NULL, NEWER},
    {"coarse_minibatches", INT, AT(record.fit.coarse.sets), 0, NULL, NEWER},
    {"coarse_stretch", REAL, AT(record.fit.coarse.stretch), 0, NULL, NEWER},
    {"coarse_boost", REAL, AT(record.fit.coarse.boost), 0, NULL, NEWER},
    {"response_nodes", INT, AT(record.fit.response.nodes), 0, NULL, true},
    {"response_snapshots", INT, AT(record.fit.response.snapshots), 0, NULL, true},
    {"response_rows", INT, AT(record.fit.response.rows), 0, NULL, true},
    {"response_inputs", INT, AT(record.fit.response.inputs), 0, NULL, true},
    {"response_components", INT, AT(record.fit.response.components), 0, NULL, true},
    {"response_iterations", INT, AT(record.fit.response.iterations), 0, NULL, true},
    {"response_weights", NAME, AT(record.fit.response.weights), 0, omega_names, true},
    {"response_draws", INT, AT(record.fit.response.draws), 0, NULL, true},
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
static_assert(sizeof field_table / sizeof *field_table == MODEL_FIELDS, "count of the fields");

/* ---- one field to and from text ------------------------------------------------------------------ */

void model_field_print(int index, const raw_record *raw, char text[MODEL_FIELD_TEXT])
{
    const field *f = &field_table[index];
    const void *at = (const char *)raw + f->offset;
    switch (f->kind) {
    case TEXT:
        snprintf(text, MODEL_FIELD_TEXT, "%s", (const char *)at);
        break;
    case NAME:
        snprintf(text, MODEL_FIELD_TEXT, "%s", f->names[*(const unsigned *)at]);
        break;
    case SWITCH:
        snprintf(text, MODEL_FIELD_TEXT, "%s", f->names[*(const bool *)at ? 1 : 0]);
        break;
    case INT:
        snprintf(text, MODEL_FIELD_TEXT, "%d", *(const int *)at);
        break;
    case LONG:
        snprintf(text, MODEL_FIELD_TEXT, "%lld", (long long)*(const int64_t *)at);
        break;
    case SEED:
        snprintf(text, MODEL_FIELD_TEXT, "%llu", (unsigned long long)*(const uint64_t *)at);
        break;
    case REAL:
        snprintf(text, MODEL_FIELD_TEXT, "%.17g", *(const double *)at);
        break;
    case FLOAT:
        snprintf(text, MODEL_FIELD_TEXT, "%.9g", (double)*(const float *)at);
        break;
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

bool model_field_parse(int index, const char *text, raw_record *raw)
{
    const field *f = &field_table[index];
    void *at = (char *)raw + f->offset;
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
    case NAME:
        *(unsigned *)at = (unsigned)name;
        return true;
    case SWITCH:
        *(bool *)at = name == 1;
        return name <= 1;
    case INT:
        if (!am_parse_int(text, &integer) || integer < 0 || integer > INT32_MAX)
            return false;
        *(int *)at = (int)integer;
        return true;
    case LONG:
        return am_parse_int(text, (int64_t *)at) && *(int64_t *)at >= 0;
    case SEED:
        return parse_seed(text, (uint64_t *)at);
    case REAL:
        return am_parse_double(text, (double *)at);
    case FLOAT:
        if (!am_parse_double(text, &real) || fabs(real) > (double)FLT_MAX)
            return false;
        *(float *)at = (float)real;
        return true;
    }
    return false;
}

void raw_of(const model_record *record, raw_record *raw)
{
    *raw = (raw_record){.record = *record};
    target_text(&record->spec.target, raw->target, sizeof raw->target);
    snprintf(raw->features, sizeof raw->features, "%s", record->spec.features.text);
    raw->activation = (int)record->spec.target.act;
    raw->loss = (int)record->spec.target.loss;
}

const char *model_field_key(int field_index)
{
    return field_table[field_index].key;
}

bool model_field_newer(int field_index)
{
    return field_table[field_index].run == NEWER;
}

bool model_field_of_run(int field_index)
{
    return field_table[field_index].run != 0;
}
