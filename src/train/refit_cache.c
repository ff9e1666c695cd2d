#include "train/refit_cache.h"

#include "base/safetensors.h"
#include "train/names.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGURATION_TEXT = 2048, MOST_ARRAYS = 5 };
static const char FORMAT[] = "amortune refits 1";

static const uint64_t FNV_START = 0xcbf29ce484222325u;

static uint64_t fnv1a(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

void refit_cache_digest(const am_rows *rows, const uint32_t *block, char text[17])
{
    size_t n = (size_t)rows->n, values = n * (size_t)rows->inputs;
    int64_t shape[3] = {rows->n, rows->inputs, rows->outputs};
    uint64_t hash = fnv1a(FNV_START, shape, sizeof shape);
    if (rows->bytes != NULL) { /* x = scale·byte + shift */
        hash = fnv1a(hash, &rows->scale, sizeof rows->scale);
        hash = fnv1a(hash, &rows->shift, sizeof rows->shift);
        hash = fnv1a(hash, rows->bytes, values);
    } else {
        hash = fnv1a(hash, rows->floats, values * sizeof *rows->floats);
    }
    if (rows->label != NULL)
        hash = fnv1a(hash, rows->label, n * sizeof *rows->label);
    else
        hash = fnv1a(hash, rows->target, n * (size_t)rows->outputs * sizeof *rows->target);
    if (block != NULL)
        hash = fnv1a(hash, block, n * sizeof *block);
    (void)snprintf(text, 17, "%016" PRIx64, hash);
}

/* ---- what a batch is ------------------------------------------------------------------------- */

typedef struct {
    char text[CONFIGURATION_TEXT];
    am_tensor array[MOST_ARRAYS]; /* what every model has of its own; the caller's memory */
    int arrays;
    uint64_t hash;
} configuration;

static void say(configuration *c, const char *format, ...) AM_PRINTF(2, 3);
static void say(configuration *c, const char *format, ...)
{
    size_t length = strlen(c->text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->text + length, sizeof c->text - length, format, args);
    va_end(args);
}

static void say_number(configuration *c, const char *key, double value)
{
    char text[AM_NUMBER_TEXT];
    am_number_text(value, text);
    say(c, "%s = %s\n", key, text);
}

static void say_problem(configuration *c, const refit_cache *cache, const backend *be,
                        const refit_request *q, const device_rows *data)
{
    char shape[192];
    target_text(q->t, shape, sizeof shape);
    say(c, "version = %s\n", AM_VERSION);
    say(c, "device = %s\nprocessor = %s\nprecision = %s\n", be->name, be->device, cache->precision);
    say(c, "data = %s\nrows = %lld\n", cache->data, (long long)data->data.n);
    say(c, "target = %s\nactivation = %s\nloss = %s\n", shape, activation_name(q->t->act),
        loss_names[q->t->loss]);
    say(c, "penalty = %s\n", penalty_names[q->per_layer]);
}

static void say_training(configuration *c, const refit_request *q)
{
    const optimiser *adam = &q->adam;
    say(c, "models = %d\nblocks = %lld\nseed = %" PRIu64 "\n", q->models,
        (long long)(q->omega != NULL ? q->blocks : 0), q->seed);
    say(c, "order = %s\n", q->separate ? "separate" : "shared");
    say(c, "batch = %d\nsteps = %lld\n", q->rows, (long long)q->steps);
    say(c, "schedule = %s\nwarmup = %lld\n", schedule_names[adam->schedule],
        (long long)adam->warmup);
    say_number(c, "rate", adam->rate);
    say_number(c, "beta1", adam->beta1);
    say_number(c, "beta2", adam->beta2);
    say_number(c, "epsilon", adam->epsilon);
}

/* An array (models, columns) of the request; NULL where it has none. */
static void add_array(configuration *c, const char *name, am_dtype dtype, int64_t models,
                      int64_t columns, const void *values)
{
    say(c, "%s = %s\n", name, values != NULL ? "as held" : "none");
    if (values != NULL)
        c->array[c->arrays++] = (am_tensor){
            .name = name, .dtype = dtype, .rank = 2, .shape = {models, columns}, .data = values};
}

static size_t tensor_size(const am_tensor *t)
{
    return am_dtype_size(t->dtype) * (size_t)t->shape[0] * (size_t)t->shape[1];
}

static void configure(const refit_cache *cache, const backend *be, const refit_request *q,
                      const device_rows *data, configuration *c)
{
    int groups = target_groups(q->t, q->per_layer).count;
    *c = (configuration){.hash = FNV_START};
    say_problem(c, cache, be, q, data);
    say_training(c, q);
    add_array(c, "lambda", AM_DTYPE_F64, q->models, groups, q->lambda);
    add_array(c, "omega", AM_DTYPE_F32, q->models, q->blocks, q->omega);
    add_array(c, "init", AM_DTYPE_I32, q->models, 1, q->init);
    add_array(c, "start", AM_DTYPE_F32, q->models, q->t->params, q->start);
    add_array(c, "rate_scale", AM_DTYPE_F32, q->models, 1, q->rate_scale);
    c->hash = fnv1a(c->hash, c->text, strlen(c->text));
    for (int i = 0; i < c->arrays; i++)
        c->hash = fnv1a(c->hash, c->array[i].data, tensor_size(&c->array[i]));
}

static char *path_of(const refit_cache *cache, const configuration *c)
{
    return am_format("%s/refits-%016" PRIx64 ".safetensors", cache->folder, c->hash);
}

char *refit_cache_path(const refit_cache *cache, const backend *be, const refit_request *request,
                       const device_rows *data)
{
    configuration c;
    configure(cache, be, request, data, &c);
    return path_of(cache, &c);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void note(const refit_cache *cache, const char *format, ...) AM_PRINTF(2, 3);
static void note(const refit_cache *cache, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (cache->note != NULL)
        cache->note(cache->context, text);
}

static bool same_text(const am_safetensors *file, const char *key, const char *wanted)
{
    const char *held = am_safetensors_meta(file, key);
    return held != NULL && strcmp(held, wanted) == 0;
}

static bool holds_array(const am_safetensors *file, const am_tensor *wanted)
{
    am_error ignored = {0};
    const am_tensor *held;
    return am_safetensors_need(file, wanted->name, wanted->dtype, 2, wanted->shape, &held,
                               &ignored) == AM_OK &&
           memcmp(held->data, wanted->data, tensor_size(wanted)) == 0;
}

static void theta_digest(const float *theta, size_t count, char text[17])
{
    (void)snprintf(text, 17, "%016" PRIx64, fnv1a(FNV_START, theta, count * sizeof *theta));
}

/* What is wrong with the file, or NULL; then *theta (D,P) points into it. */
static const char *fault_of(const am_safetensors *file, const configuration *c,
                            const refit_request *q, const float **theta)
{
    int64_t shape[2] = {q->models, q->t->params};
    const am_tensor *held;
    am_error ignored = {0};
    char digest[17];
    if (!same_text(file, "format", FORMAT))
        return "is no file of refits";
    if (!same_text(file, "configuration", c->text))
        return "holds other refits";
    for (int i = 0; i < c->arrays; i++)
        if (!holds_array(file, &c->array[i]))
            return "holds other refits";
    if (am_safetensors_need(file, "theta", AM_DTYPE_F32, 2, shape, &held, &ignored) != AM_OK)
        return "lacks the weights";
    theta_digest(held->data, (size_t)(shape[0] * shape[1]), digest);
    if (!same_text(file, "theta_digest", digest))
        return "is damaged";
    *theta = held->data;
    return NULL;
}

static am_status upload(backend *be, const float *host, size_t count, dev_f32 **theta,
                        am_error *err)
{
    *theta = be->op->alloc(be, count * sizeof *host, "weights of the refits");
    if (*theta != NULL)
        be->op->upload(be, *theta, host, count * sizeof *host);
    am_status status = be->op->sync(be, err);
    if (status == AM_OK)
        return AM_OK;
    be->op->release(be, *theta);
    *theta = NULL;
    return status;
}

/* *theta stays NULL where there is no such file. */
static am_status find(refit_cache *cache, backend *be, const configuration *c,
                      const refit_request *q, const char *path, dev_f32 **theta, am_error *err)
{
    if (!am_path_exists(path))
        return AM_OK;
    am_safetensors *file;
    am_error unread = {0};
    const float *held = NULL;
    am_status status = am_safetensors_read(path, &file, &unread);
    if (status == AM_ERR_MEMORY) {
        *err = unread;
        return status;
    }
    if (status != AM_OK) {
        note(cache, "%s: these refits are trained again", unread.message);
        return AM_OK;
    }
    const char *fault = fault_of(file, c, q, &held),
               *seconds = am_safetensors_meta(file, "seconds");
    double took;
    if (fault != NULL)
        note(cache, "%s: %s; they are trained again", path, fault);
    else
        status = upload(be, held, (size_t)q->models * (size_t)q->t->params, theta, err);
    if (fault == NULL && seconds != NULL && am_parse_double(seconds, &took))
        cache->seconds += took;
    am_safetensors_free(file);
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

static am_status write_file(const configuration *c, const refit_request *q, const float *theta,
                            double seconds, const char *path, am_error *err)
{
    char digest[17], took[AM_NUMBER_TEXT];
    theta_digest(theta, (size_t)q->models * (size_t)q->t->params, digest);
    am_number_text(seconds, took);
    am_tensor tensor[MOST_ARRAYS + 1];
    memcpy(tensor, c->array, sizeof c->array);
    tensor[c->arrays] = (am_tensor){.name = "theta",
                                    .dtype = AM_DTYPE_F32,
                                    .rank = 2,
                                    .shape = {q->models, q->t->params},
                                    .data = theta};
    const am_metadata metadata[] = {{"format", FORMAT},
                                    {"configuration", c->text},
                                    {"theta_digest", digest},
                                    {"seconds", took}};
    return am_safetensors_write(path, tensor, c->arrays + 1, metadata,
                                sizeof metadata / sizeof *metadata, err);
}

static am_status keep(refit_cache *cache, backend *be, const configuration *c,
                      const refit_request *q, const dev_f32 *theta, double seconds,
                      const char *path, am_error *err)
{
    size_t count = (size_t)q->models * (size_t)q->t->params;
    float *host = am_alloc(count, sizeof *host, "weights of the refits", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    am_status status = be->op->download(be, host, theta, count * sizeof *host, err);
    am_error unwritten = {0};
    if (status == AM_OK && (am_make_folders(cache->folder, &unwritten) != AM_OK ||
                            write_file(c, q, host, seconds, path, &unwritten) != AM_OK))
        note(cache, "%s; these refits are not kept", unwritten.message);
    free(host);
    return status;
}

/* ---- both ------------------------------------------------------------------------------------ */

static am_status train(refit_cache *cache, backend *be, const refit_request *request,
                       const device_rows *data, const train_hooks *hooks, dev_f32 **theta,
                       double *seconds, am_error *err)
{
    double begin = am_seconds();
    AM_TRY(refit_run(be, request, data, hooks, theta, err));
    *seconds = am_seconds() - begin;
    cache->seconds += *seconds;
    cache->trained += request->models;
    return AM_OK;
}

am_status refit_cached(refit_cache *cache, backend *be, const refit_request *request,
                       const device_rows *data, const train_hooks *hooks, dev_f32 **theta,
                       am_error *err)
{
    double seconds;
    *theta = NULL;
    if (cache->folder == NULL)
        return train(cache, be, request, data, hooks, theta, &seconds, err);
    configuration c;
    configure(cache, be, request, data, &c);
    char *path = path_of(cache, &c);
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory", cache->folder);
    am_status status = find(cache, be, &c, request, path, theta, err);
    if (status == AM_OK && *theta != NULL) {
        cache->found += request->models;
    } else if (status == AM_OK) {
        status = train(cache, be, request, data, hooks, theta, &seconds, err);
        if (status == AM_OK)
            status = keep(cache, be, &c, request, *theta, seconds, path, err);
        if (status != AM_OK) {
            be->op->release(be, *theta);
            *theta = NULL;
        }
    }
    free(path);
    return status;
}
