/* bench_fit — a whole fit on one device held against the same fit on another: the same draws and
 * minibatches to the bit, the same loss curve, the same quality; and against itself: the same bits
 * twice. Prints one JSON object. See usage. */
#include "api/fit_options.h"
#include "program_settings.h"
#include "recorder.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 20, COMPARED_STEPS = 100, TIMED_FITS = 5 };

typedef struct {
    const char *device, *against, *dataset, *protocol;
    double epochs;
    int64_t seed;
} options;

/* ---- one fit ------------------------------------------------------------------------------------- */

/* What a step drew, as a digest, and its mean loss. */
typedef struct {
    recorder *r;
    backend *be;
    int64_t steps, capacity;
    uint64_t *digest; /* (capacity) */
    double *loss;     /* (COMPARED_STEPS) */
    double last_sum;
    void *host;
    size_t host_bytes;
    am_error *err;
} trace;

static uint64_t digest_bytes(uint64_t digest, const unsigned char *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        digest = (digest ^ x[i]) * 0x100000001b3ULL; /* FNV-1a */
    return digest;
}

static uint64_t digest_device(trace *t, uint64_t digest, const void *memory, size_t bytes)
{
    if (memory == NULL || bytes > t->host_bytes ||
        t->r->real->download(t->be, t->host, memory, bytes, t->err) != AM_OK)
        return digest;
    return digest_bytes(digest, t->host, bytes);
}

static uint64_t digest_call(trace *t, uint64_t digest, const op_call *call)
{
    if (call->op == OP_draw_lambda) {
        const draw_lambda_args *a = &call->args.draw_lambda;
        size_t bytes = sizeof(float) * (size_t)a->draws * (size_t)a->groups;
        digest = digest_device(t, digest, a->lambda, bytes);
        digest = digest_device(t, digest, a->u, bytes);
    } else if (call->op == OP_draw_rows) {
        const draw_rows_args *a = &call->args.draw_rows;
        digest = digest_device(t, digest, a->index, sizeof(uint32_t) * (size_t)(a->sets * a->rows));
    } else if (call->op == OP_draw_omega) {
        const draw_omega_args *a = &call->args.draw_omega;
        digest = digest_device(t, digest, a->omega,
                               sizeof(float) * (size_t)a->draws * (size_t)a->blocks);
    }
    return digest;
}

/* The losses are sums since the loop last cleared them; it clears them where it looks, which the
 * pauses of one step at a time do not see: a sum below the last one is a new one. */
static double step_loss(trace *t, const guard_args *a)
{
    double sum = 0.0, *x = t->host;
    if (t->r->real->download(t->be, x, a->loss, sizeof *x * (size_t)a->losses, t->err) != AM_OK)
        return NAN;
    for (int m = 0; m < a->losses; m++)
        sum += x[m] / a->losses;
    double step = sum < t->last_sum ? sum : sum - t->last_sum;
    t->last_sum = sum;
    return step;
}

/* The calls of the first step name the memory of every step. A pause for a download is no step: the
 * counter of steps tells. */
static void after_step(void *context)
{
    trace *t = context;
    uint64_t step = 0, digest = 0xcbf29ce484222325ULL;
    t->r->on = false;
    for (int i = 0; i < t->r->calls; i++)
        if (t->r->call[i].op == OP_draw_rows)
            t->r->real->download(t->be, &step, t->r->call[i].args.draw_rows.step, sizeof step,
                                 t->err);
    if ((int64_t)step != t->steps + 1 || t->steps == t->capacity)
        return;
    for (int i = 0; i < t->r->calls; i++) {
        digest = digest_call(t, digest, &t->r->call[i]);
        if (t->r->call[i].op == OP_guard && t->steps < COMPARED_STEPS)
            t->loss[t->steps] = step_loss(t, &t->r->call[i].args.guard);
    }
    t->digest[t->steps++] = digest;
}

typedef struct {
    double seconds;
    int64_t steps, bytes;
    char *params; /* (bytes) */
    uint64_t *digest;
    double loss[COMPARED_STEPS];
    metrics curve[POINTS];
} fit_record;

static void record_free(fit_record *r)
{
    free(r->params);
    free(r->digest);
}

static am_status open_trace(trace *t, recorder *r, session *s, fit_record *out, am_error *err)
{
    size_t most = AM_MAX((size_t)s->record.spec.blocks * (size_t)s->record.fit.draws,
                         (size_t)s->record.fit.sets * (size_t)s->record.fit.rows);
    size_t steps = (size_t)s->record.fit.steps;
    *t = (trace){.r = r, .be = s->be, .capacity = (int64_t)steps, .loss = out->loss, .err = err};
    t->host_bytes = 8 * most + 4096;
    t->host = am_alloc(t->host_bytes, 1, "trace", err);
    t->digest = out->digest = am_alloc(steps, sizeof *t->digest, "trace", err);
    return t->host != NULL && t->digest != NULL ? AM_OK : AM_ERR_MEMORY;
}

static am_status train(session *s, generator_fit *f, bool traced, fit_record *out, am_error *err)
{
    recorder r;
    trace t;
    double begin = am_seconds();
    if (!traced) {
        am_status status = fit_run(f, NULL, err);
        out->seconds = am_seconds() - begin;
        return status;
    }
    AM_TRY(open_trace(&t, &r, s, out, err));
    recorder_attach(&r, s->be);
    r.on = true;
    r.pause = after_step;
    r.context = &t;
    am_status status = fit_run(f, NULL, err);
    recorder_detach(&r, s->be);
    recorder_clear(&r);
    free(t.host);
    out->steps = t.steps;
    return status;
}

static am_status read_result(session *s, fit_record *out, am_error *err)
{
    am_tensor tensor[ARENA_SLOTS];
    tuning_curve curve;
    AM_TRY(arena_download(&s->g.params, &out->params, tensor, err));
    out->bytes = (int64_t)s->g.params.bytes;
    AM_TRY(curve_compute(&s->g, &s->validation, POINTS, 0, &curve, err));
    memcpy(out->curve, curve.at, sizeof out->curve);
    curve_free(&curve);
    return AM_OK;
}

/* A fit of the session's record, from the start. */
static am_status fit_once(session *s, bool traced, fit_record *out, am_error *err)
{
    generator_fit *f = NULL;
    *out = (fit_record){0};
    AM_TRY(generator_open(&s->g, s->be, &s->record.spec, s->record.fit.draws, err));
    am_status status = fit_open(&f, &s->g, &s->record.fit, &s->train, err);
    if (status == AM_OK)
        status = generator_init(&s->g, err);
    if (status == AM_OK)
        status = train(s, f, traced, out, err);
    if (status == AM_OK)
        status = read_result(s, out, err);
    fit_close(f);
    generator_close(&s->g);
    return status;
}

/* ---- the session ----------------------------------------------------------------------------------- */

static am_fit_options protocol_options(const options *o)
{
    am_fit_options f;
    am_fit_options_default(&f, sizeof f);
    f.epochs = o->epochs;
    f.seed = o->seed;
    f.lambda_low = 1e-5;
    f.lambda_high = 1e-1;
    if (strcmp(o->protocol, "paper") != 0)
        return f;
    f.features = f.init = "paper";
    f.weights = "dirichlet";
    f.descent = "gradient";
    f.nodes = "stratified";
    f.schedule = "constant";
    f.draws = f.minibatches = 1;
    f.rate = 1e-3;
    f.beta1 = 0.9;
    f.beta2 = 0.999;
    f.warmup = 0;
    return f;
}

static am_status open_session(session *s, const options *o, const char *device, am_error *err)
{
    am_device *opened;
    am_fit_options given = protocol_options(o), f;
    data_request data = {
        .source = o->dataset, .task = "auto", .validation = 1.0 / 6, .seed = (uint64_t)o->seed};
    *s = (session){0};
    AM_TRY(fit_options_take(&given, &f, err));
    AM_TRY(am_device_open(device, 0, "fp32", &opened, err));
    session_take_device(s, opened);
    AM_TRY(session_load(s, &data, err));
    AM_TRY(session_upload(s, options_blocks(&f, s->data->train.n), err));
    return options_record(s, &f, err);
}

/* ---- comparisons ------------------------------------------------------------------------------------ */

static void add_quality(cJSON *o, const char *name, const fit_record *r)
{
    double accuracy = 0.0, nll = 0.0;
    for (int i = 0; i < POINTS; i++) {
        accuracy += r->curve[i].accuracy / POINTS;
        nll += r->curve[i].nll / POINTS;
    }
    cJSON *q = cJSON_AddObjectToObject(o, name);
    cJSON_AddNumberToObject(q, "val_acc_mean", accuracy);
    cJSON_AddNumberToObject(q, "val_nll_mean", nll);
}

static void add_comparison(cJSON *o, const fit_record *a, const fit_record *b)
{
    int64_t same = 0, n = AM_MIN(a->steps, b->steps);
    int compared = (int)AM_MIN(n, (int64_t)COMPARED_STEPS);
    double worst = 0.0, accuracy = 0.0, nll = 0.0;
    for (int64_t i = 0; i < n; i++)
        same += a->digest[i] == b->digest[i];
    for (int i = 0; i < compared; i++)
        worst = fmax(worst, fabs(a->loss[i] - b->loss[i]) / fabs(b->loss[i]));
    for (int i = 0; i < POINTS; i++) {
        accuracy += (a->curve[i].accuracy - b->curve[i].accuracy) / POINTS;
        nll += (a->curve[i].nll / b->curve[i].nll - 1) / POINTS;
    }
    cJSON_AddNumberToObject(o, "steps", (double)n);
    cJSON_AddBoolToObject(o, "same_length", a->steps == b->steps);
    cJSON_AddNumberToObject(o, "steps_with_same_draws", (double)same);
    cJSON_AddNumberToObject(o, "loss_steps_compared", compared);
    cJSON_AddNumberToObject(o, "loss_worst_relative", worst);
    cJSON_AddNumberToObject(o, "val_acc_difference", accuracy);
    cJSON_AddNumberToObject(o, "val_nll_relative", nll);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Plain fits of the device: median seconds, and whether all end with the same bits. */
static am_status time_fits(session *s, cJSON *o, am_error *err)
{
    fit_record first = {0};
    double seconds[TIMED_FITS];
    bool same = true;
    for (int i = 0; i < TIMED_FITS; i++) {
        fit_record r;
        am_status status = fit_once(s, false, &r, err);
        if (status == AM_OK && i == 0)
            first = r;
        else if (status == AM_OK)
            same = same && r.bytes == first.bytes &&
                   memcmp(r.params, first.params, (size_t)r.bytes) == 0;
        if (i > 0 || status != AM_OK)
            record_free(&r);
        if (status != AM_OK) {
            record_free(&first);
            return status;
        }
        seconds[i] = r.seconds;
    }
    qsort(seconds, TIMED_FITS, sizeof *seconds, ascending);
    cJSON_AddNumberToObject(o, "fit_seconds", seconds[TIMED_FITS / 2]);
    cJSON_AddNumberToObject(o, "fit_seconds_best", seconds[0]);
    cJSON_AddBoolToObject(o, "same_bits_every_time", same);
    add_quality(o, "device_quality", &first);
    record_free(&first);
    return AM_OK;
}

static am_status compare_devices(session *s, const options *o, cJSON *out, am_error *err)
{
    session other;
    fit_record a = {0}, b = {0};
    am_status status = open_session(&other, o, o->against, err);
    if (status == AM_OK)
        status = fit_once(s, true, &a, err);
    if (status == AM_OK)
        status = fit_once(&other, true, &b, err);
    if (status == AM_OK) {
        add_comparison(out, &a, &b);
        add_quality(out, "against_quality", &b);
    }
    record_free(&a);
    record_free(&b);
    session_close(&other);
    return status;
}

/* ---- the program -------------------------------------------------------------------------------------- */

static const char usage[] =
    "bench_fit [--device cuda|cpu] [--against cpu|none] [--dataset mnist] [--protocol "
    "default|paper]\n          [--epochs 5] [--seed 1]\n";

static bool parse(int count, char **word, options *o)
{
    *o = (options){.device = "cuda",
                   .against = "cpu",
                   .dataset = "mnist",
                   .protocol = "default",
                   .epochs = 5,
                   .seed = 1};
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(word[i], "--device") == 0)
            o->device = word[i + 1];
        else if (strcmp(word[i], "--against") == 0)
            o->against = word[i + 1];
        else if (strcmp(word[i], "--dataset") == 0)
            o->dataset = word[i + 1];
        else if (strcmp(word[i], "--protocol") == 0)
            o->protocol = word[i + 1];
        else if (strcmp(word[i], "--epochs") != 0 && strcmp(word[i], "--seed") != 0)
            return false;
        else if (word[i][2] == 'e' ? !am_parse_double(word[i + 1], &o->epochs)
                                   : !am_parse_int(word[i + 1], &o->seed))
            return false;
    }
    return count % 2 == 1;
}

int main(int count, char **word)
{
    options o;
    session s = {0};
    am_error err = {0};
    as_the_program_does(word);
    if (!parse(count, word, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    cJSON *out = cJSON_CreateObject();
    am_status status = open_session(&s, &o, o.device, &err);
    if (status == AM_OK) {
        cJSON_AddStringToObject(out, "device", s.be->device);
        cJSON_AddStringToObject(out, "protocol", o.protocol);
        cJSON_AddStringToObject(out, "dataset", s.data->name);
        status = time_fits(&s, out, &err);
    }
    if (status == AM_OK && strcmp(o.against, "none") != 0)
        status = compare_devices(&s, &o, out, &err);
    if (status == AM_OK) {
        char *text = cJSON_Print(out);
        puts(text != NULL ? text : "{}");
        free(text);
    } else {
        fprintf(stderr, "bench_fit: %s\n", err.message);
    }
    cJSON_Delete(out);
    session_close(&s);
    return status != AM_OK;
}
