/* Damaged model files: truncated anywhere, with metadata missing, garbled or impossible, with
 * tensors that lie. Each is an input error that names the file and the fault. */
#include "support/fitting.h"

#include "data_files.h"

#include <cjson/cJSON.h>
#include <math.h>

/* A model and its checkpoint on disk, to be damaged. */
typedef struct {
    test_folder folder;
    char path[256];
    fitting r;
} victim;

static void victim_open(victim *v, bool checkpoint)
{
    am_error err = {0};
    v->folder = make_folder();
    strcpy(v->path, in_folder(&v->folder, "m.safetensors"));
    fitting_open(&v->r, &recipes[2], 5, 1);
    model_record record = v->r.record;
    record.data.norm.per_column = true;
    record.data.norm.column_mean = random_floats(&v->r.d, 6, 1);
    record.data.norm.column_sd = random_floats(&v->r.d, 6, 2);
    for (int j = 0; j < 6; j++)
        record.data.norm.column_sd[j] += 2.0f;
    cr_assert_eq(model_save(v->path, &v->r.g, &record, checkpoint ? fit_state(v->r.f) : NULL, &err),
                 AM_OK, "%s", err.message);
}

static void victim_close(victim *v)
{
    fitting_close(&v->r);
    remove_folder(&v->folder);
}

/* Loading and, where that succeeds, restoring must end in an input error that says `part`. */
static void expect_damage(victim *v, const char *part)
{
    am_error err = {0};
    model_record record;
    am_safetensors *file;
    generator g;
    am_status status = model_load(v->path, &record, &file, &err);
    if (status == AM_OK) {
        status = model_restore(file, &record, v->r.d.be, 4, &g, &err);
        if (status == AM_OK)
            generator_close(&g);
        model_record_free(&record);
        am_safetensors_free(file);
    } else {
        cr_expect(file == NULL && record.data.norm.column_mean == NULL);
    }
    cr_expect_eq(status, AM_ERR_INPUT, "'%s' was taken (%s)", part, am_status_name(status));
    expect_message(&err, v->path);
    expect_message(&err, part);
    cr_expect_null(strchr(err.message, '\n'));
}

/* ---- truncation ------------------------------------------------------------------------------ */

static void check_truncation(bool checkpoint)
{
    victim v;
    size_t size;
    victim_open(&v, checkpoint);
    uint8_t *bytes = get_stored(v.path, &size);
    for (size_t length = 0; length < size; length += 97) {
        put_stored(v.path, bytes, length);
        expect_damage(&v, "");
    }
    for (size_t length = size - 9; length < size; length++) {
        put_stored(v.path, bytes, length);
        expect_damage(&v, "");
    }
    for (size_t length = 1; length < 20; length++) {
        put_stored(v.path, bytes, length);
        expect_damage(&v, "");
    }
    uint8_t *longer = calloc(size + 1, 1);
    cr_assert_not_null(longer);
    memcpy(longer, bytes, size);
    put_stored(v.path, longer, size + 1);
    expect_damage(&v, "");
    free(longer);
    free(bytes);
    victim_close(&v);
}

Test(model_damage, a_model_truncated_anywhere_is_an_input_error)
{
    check_truncation(false);
}

Test(model_damage, a_checkpoint_truncated_anywhere_is_an_input_error)
{
    check_truncation(true);
}

/* ---- metadata -------------------------------------------------------------------------------- */

/* The file again, with one key of its metadata left out (value NULL) or replaced. */
static void rewrite_metadata(const victim *v, const uint8_t *bytes, const char *key,
                             const char *value)
{
    am_error err = {0};
    am_safetensors *file;
    uint64_t header;
    memcpy(&header, bytes, sizeof header);
    cJSON *json = cJSON_ParseWithLength((const char *)bytes + 8, header), *item;
    cr_assert_not_null(json);
    cJSON *all = cJSON_GetObjectItemCaseSensitive(json, "__metadata__");
    am_metadata metadata[96];
    int pairs = 0, count;
    bool found = false;
    cJSON_ArrayForEach(item, all)
    {
        bool this_one = strcmp(item->string, key) == 0;
        found = found || this_one;
        if (!this_one || value != NULL)
            metadata[pairs++] = (am_metadata){item->string, this_one ? value : item->valuestring};
    }
    cr_assert(found, "no key '%s'", key);
    put_stored(v->path, bytes, 8 + header); /* whatever stands there is not read again: */
    char copy[300];
    snprintf(copy, sizeof copy, "%s.whole", v->path);
    cr_assert_eq(am_safetensors_read(copy, &file, &err), AM_OK, "%s", err.message);
    am_tensor tensor[16];
    for (count = 0; count < am_safetensors_count(file); count++)
        tensor[count] = *am_safetensors_at(file, count);
    cr_assert_eq(am_safetensors_write(v->path, tensor, count, metadata, pairs, &err), AM_OK, "%s",
                 err.message);
    am_safetensors_free(file);
    cJSON_Delete(json);
}

/* victim_open, and the whole file beside it for rewrite_metadata. */
static uint8_t *open_for_rewriting(victim *v)
{
    size_t size;
    victim_open(v, false);
    uint8_t *bytes = get_stored(v->path, &size);
    char copy[300];
    snprintf(copy, sizeof copy, "%s.whole", v->path);
    put_stored(copy, bytes, size);
    return bytes;
}

static const char *const text_keys[] = {"data_name", "data_source",  "data_label",
                                        "data_task", "block_digest", NULL};
static const char *const keys[] = {
    "activation",      "loss",        "init",      "penalty",
    "lambda_low",      "lambda_high", "weights",   "alpha",
    "blocks",          "omega0",      "embedding", "seed",
    "descent",         "plan",        "nodes",     "draws",
    "batch",           "minibatches", "stretch",   "steps",
    "ridge",           "rate",        "schedule",  "warmup",
    "beta1",           "beta2",       "epsilon",   "clip",
    "data_validation", "data_rows",   "inputs",    "normalised_per_column",
    "input_mean",      "input_sd",    "step",      NULL};

static void expect_fault(victim *v, const uint8_t *bytes, const char *key, const char *value,
                         const char *fault)
{
    char part[200];
    snprintf(part, sizeof part, "damaged model: metadata '%s' is %s", key, fault);
    rewrite_metadata(v, bytes, key, value);
    expect_damage(v, part);
}

Test(model_damage, missing_or_garbled_metadata_are_named)
{
    static const char *const garbage[] = {"", "?", "-", "1 ", "1e", "nan", "inf", "0x10", "ones,"};
    victim v;
    uint8_t *bytes = open_for_rewriting(&v);
    static char longest[4096];
    memset(longest, 'x', sizeof longest - 1);
    for (int i = 0; keys[i] != NULL; i++) {
        expect_fault(&v, bytes, keys[i], NULL, "missing");
        for (size_t k = 0; k < sizeof garbage / sizeof *garbage; k++)
            expect_fault(&v, bytes, keys[i], garbage[k], "not valid");
    }
    for (int i = 0; text_keys[i] != NULL; i++) {
        expect_fault(&v, bytes, text_keys[i], NULL, "missing");
        expect_fault(&v, bytes, text_keys[i], longest, "not valid");
    }
    expect_fault(&v, bytes, "target", NULL, "missing");
    expect_fault(&v, bytes, "features", NULL, "missing");
    expect_fault(&v, bytes, "target", longest, "not valid");
    free(bytes);
    victim_close(&v);
}

Test(model_damage, a_network_or_a_family_that_is_none_is_named)
{
    victim v;
    uint8_t *bytes = open_for_rewriting(&v);
    rewrite_metadata(&v, bytes, "target", "6-x-3");
    expect_damage(&v, "damaged model: target '6-x-3'");
    rewrite_metadata(&v, bytes, "features", "fourier:3");
    expect_damage(&v, "damaged model: features 'fourier:3'");
    rewrite_metadata(&v, bytes, "format", "amortune-model-0");
    expect_damage(&v, "not an amortune model (format 'amortune-model-0'");
    rewrite_metadata(&v, bytes, "format", NULL);
    expect_damage(&v, "not an amortune model (format 'none'");
    free(bytes);
    victim_close(&v);
}

/* A file of before there was a knee: it is 0, and so is a stage before the steps. */
Test(model_damage, what_came_to_the_format_later_may_be_missing)
{
    static const char *const newer[] = {"lambda_knee", "coarse_share", "coarse_boost"};
    victim v;
    am_error err = {0};
    uint8_t *bytes = open_for_rewriting(&v);
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        model_record record;
        am_safetensors *file;
        rewrite_metadata(&v, bytes, newer[i], NULL);
        cr_assert_eq(model_load(v.path, &record, &file, &err), AM_OK, "%s", err.message);
        cr_expect(record.spec.knee == 0.0 && record.fit.coarse.share == 0.0 &&
                  record.fit.coarse.boost == (i == 2 ? 0.0 : 3.0));
        model_record_free(&record);
        am_safetensors_free(file);
        expect_fault(&v, bytes, newer[i], "?", "not valid");
    }
    free(bytes);
    victim_close(&v);
}

Test(model_damage, values_that_make_no_model_are_named)
{
    static const char *const faults[][2] = {
        {"lambda_low", "0"},      {"lambda_low", "-1"},   {"lambda_low", "0.1"},
        {"blocks", "0"},          {"blocks", "41"},       {"inputs", "5"},
        {"embedding", "1025"},    {"draws", "0"},         {"batch", "0"},
        {"steps", "0"},           {"step", "6"},          {"input_sd", "0"},
        {"input_sd", "-0.5"},     {"alpha", "0"},         {"alpha", "-1"},
        {"lambda_knee", "-1e-9"}, {"lambda_knee", "1e9"},
    };
    static const char *const invalid[][2] = {
        {"seed", "-1"},         {"seed", "18446744073709551616"},
        {"draws", "-4"},        {"draws", "2147483648"},
        {"steps", "-1"},        {"steps", "9223372036854775808"},
        {"input_mean", "1e39"}, {"input_sd", "1e300"},
        {"rate", "1e400"},      {"weights", "Ones"},
        {"omega0", "1"},
    };
    victim v;
    uint8_t *bytes = open_for_rewriting(&v);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        expect_fault(&v, bytes, faults[i][0], faults[i][1], "not possible");
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        expect_fault(&v, bytes, invalid[i][0], invalid[i][1], "not valid");
    free(bytes);
    victim_close(&v);
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* A target far larger than the file: refused before any memory is asked for. */
Test(model_damage, shapes_that_do_not_fit_the_metadata_are_named)
{
    victim v;
    uint8_t *bytes = open_for_rewriting(&v);
    rewrite_metadata(&v, bytes, "target", "6-1000000-1000000-3");
    expect_damage(&v, "tensor 'head'");
    rewrite_metadata(&v, bytes, "target", "6-4-3");
    expect_damage(&v, "tensor 'head'");
    rewrite_metadata(&v, bytes, "features", "mlp:6,5"); /* one feature more */
    expect_damage(&v, "tensor 'head'");
    rewrite_metadata(&v, bytes, "features", "mlp:7,4"); /* the same head, another network */
    expect_damage(&v, "features");
    rewrite_metadata(&v, bytes, "penalty", "scalar"); /* one input less */
    expect_damage(&v, "features");
    free(bytes);
    victim_close(&v);
}

/* The file again with one tensor changed by `change`, or left out. */
static void rewrite_tensor(const victim *v, const char *name, float value, bool leave_out)
{
    am_error err = {0};
    char copy[300];
    am_safetensors *file;
    float changed[4096];
    uint64_t header;
    size_t size;
    uint8_t *bytes = get_stored(v->path, &size);
    memcpy(&header, bytes, sizeof header);
    cJSON *json = cJSON_ParseWithLength((const char *)bytes + 8, header), *item;
    am_metadata metadata[96];
    int pairs = 0, count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "__metadata__"))
        metadata[pairs++] = (am_metadata){item->string, item->valuestring};
    snprintf(copy, sizeof copy, "%s.whole", v->path);
    cr_assert_eq(am_safetensors_read(copy, &file, &err), AM_OK);
    am_tensor tensor[16];
    for (int i = 0; i < am_safetensors_count(file); i++) {
        tensor[count] = *am_safetensors_at(file, i);
        bool this_one = strcmp(tensor[count].name, name) == 0;
        if (this_one && !leave_out) {
            size_t values = (size_t)(tensor[count].shape[0] *
                                     (tensor[count].rank > 1 ? tensor[count].shape[1] : 1));
            cr_assert_leq(values, 4096);
            memcpy(changed, tensor[count].data, values * sizeof *changed);
            changed[values - 1] = value;
            tensor[count].data = changed;
        }
        count += !(this_one && leave_out);
    }
    cr_assert_eq(am_safetensors_write(v->path, tensor, count, metadata, pairs, &err), AM_OK);
    am_safetensors_free(file);
    cJSON_Delete(json);
    free(bytes);
}

Test(model_damage, tensors_that_are_missing_or_not_finite_are_named)
{
    static const char *const names[] = {"head", "features", "input.mean", "input.sd"};
    victim v;
    uint8_t *bytes = open_for_rewriting(&v);
    for (int i = 0; i < 4; i++) {
        char part[100];
        snprintf(part, sizeof part, "tensor '%s' holds a value that is not finite", names[i]);
        rewrite_tensor(&v, names[i], NAN, false);
        expect_damage(&v, part);
        rewrite_tensor(&v, names[i], -INFINITY, false);
        expect_damage(&v, part);
        rewrite_tensor(&v, names[i], 0.0f, true);
        expect_damage(&v, names[i]);
    }
    rewrite_tensor(&v, "input.sd", 0.0f, false);
    expect_damage(&v, "tensor 'input.sd' holds a value that is not positive");
    free(bytes);
    victim_close(&v);
}

Test(model_damage, a_file_that_is_no_model_is_an_input_error)
{
    victim v;
    am_error err = {0};
    static const float one[] = {1.0f};
    am_tensor tensor = {
        .name = "fc1.weight", .dtype = AM_DTYPE_F32, .rank = 1, .shape = {1}, .data = one};
    victim_open(&v, false);
    cr_assert_eq(am_safetensors_write(v.path, &tensor, 1, NULL, 0, &err), AM_OK);
    expect_damage(&v, "not an amortune model");
    put_stored(v.path, (const uint8_t *)"hello", 5);
    expect_damage(&v, "");
    unlink(v.path);
    model_record record;
    am_safetensors *file;
    cr_expect_neq(model_load(v.path, &record, &file, &err), AM_OK);
    expect_message(&err, v.path);
    victim_close(&v);
}
