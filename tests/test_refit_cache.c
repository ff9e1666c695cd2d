/* refit_cache: the same bits with and without; every part of the configuration tells batches apart;
 * files that are damaged or of something else are noted, ignored and replaced. */
#include "support/problem.h"
#include "support/scratch.h"
#include "train/refit_cache.h"

#include "data_files.h"

#include <math.h>

TestSuite(refit_cache, .init = scratch_make, .fini = scratch_remove);

enum { MODELS = 3, BLOCKS = 4, ROWS = 30 };

typedef struct {
    device d;
    target t;
    problem p;
    double lambda[MODELS * 2];
    float omega[MODELS * BLOCKS];
    uint32_t init[MODELS];
    float rate_scale[MODELS];
    refit_request request;
    char data[17], folder[128];
    refit_cache cache;
    int notes;
    char note[1024]; /* the last */
} scene;

static void take_note(void *context, const char *text)
{
    scene *s = context;
    s->notes++;
    (void)snprintf(s->note, sizeof s->note, "%s", text);
}

static void scene_open(scene *s)
{
    am_error err = {0};
    *s = (scene){.d = device_open_threads(1)};
    cr_assert_eq(target_parse("5-4-3", ACT_RELU, LOSS_CROSS_ENTROPY, &s->t, &err), AM_OK);
    s->p = problem_open(&s->d, LOSS_CROSS_ENTROPY, ROWS, 5, 3, BLOCKS, 91);
    for (int i = 0; i < MODELS * 2; i++)
        s->lambda[i] = 0.001 * (i + 1);
    for (int i = 0; i < MODELS * BLOCKS; i++)
        s->omega[i] = 0.25f * (float)(i % 7);
    for (int m = 0; m < MODELS; m++) {
        s->init[m] = (uint32_t)m;
        s->rate_scale[m] = 1.0f + 0.5f * (float)m;
    }
    s->request = (refit_request){.t = &s->t,
                                 .models = MODELS,
                                 .lambda = s->lambda,
                                 .omega = s->omega,
                                 .blocks = BLOCKS,
                                 .init = s->init,
                                 .rate_scale = s->rate_scale,
                                 .seed = 4,
                                 .rows = 8,
                                 .steps = 12,
                                 .adam = {.rate = 0.02,
                                          .schedule = SCHEDULE_COSINE,
                                          .warmup = 3,
                                          .beta1 = 0.9,
                                          .beta2 = 0.99,
                                          .epsilon = 1e-8}};
    refit_cache_digest(&s->p.rows, s->p.block, s->data);
    (void)snprintf(s->folder, sizeof s->folder, "%s", scratch("refits/here"));
    s->cache = (refit_cache){
        .folder = s->folder, .data = s->data, .precision = "fp32", .note = take_note, .context = s};
}

static void scene_close(scene *s)
{
    problem_close(&s->p);
    device_close(&s->d);
}

/* θ (D,P), owned by the device. */
static float *cached(scene *s, refit_cache *cache, const refit_request *request)
{
    am_error err = {0};
    dev_f32 *theta;
    cr_assert_eq(refit_cached(cache, s->d.be, request, &s->p.data, NULL, &theta, &err), AM_OK, "%s",
                 err.message);
    float *host = read_floats(&s->d, theta, request->models * s->t.params);
    s->d.op->release(s->d.be, theta);
    return host;
}

static bool same(const scene *s, const float *a, const float *b)
{
    return memcmp(a, b, sizeof *a * (size_t)(MODELS * s->t.params)) == 0;
}

/* fresh, for the caller to free */
static char *path_of(const scene *s)
{
    char *path = refit_cache_path(&s->cache, s->d.be, &s->request, &s->p.data);
    cr_assert_not_null(path);
    return path;
}

/* ---- the same bits --------------------------------------------------------------------------- */

Test(refit_cache, finds_what_it_kept)
{
    scene s;
    scene_open(&s);
    refit_cache none = {.data = s.data, .precision = "fp32"};
    float *plain = cached(&s, &none, &s.request);
    float *first = cached(&s, &s.cache, &s.request);
    cr_expect_eq(s.cache.trained, MODELS);
    cr_expect_eq(s.cache.found, 0);
    double seconds = s.cache.seconds;
    float *second = cached(&s, &s.cache, &s.request);
    cr_expect_eq(s.cache.trained, MODELS);
    cr_expect_eq(s.cache.found, MODELS);
    cr_expect_float_eq(s.cache.seconds, 2.0 * seconds, 1e-9, "what training took then");
    cr_expect(same(&s, plain, first) && same(&s, first, second));
    cr_expect_eq(s.notes, 0, "%s", s.note);
    cr_expect_eq(none.found + none.trained, MODELS);
    cr_expect_eq(scratch_files(), 1, "one file, nothing temporary");
    scene_close(&s);
}

/* ---- the key --------------------------------------------------------------------------------- */

/* Every change must miss, and the original be found again behind it. */
static void expect_miss(scene *s, const char *what)
{
    int trained = s->cache.trained, found = s->cache.found;
    (void)cached(s, &s->cache, &s->request);
    cr_expect_eq(s->cache.trained, trained + s->request.models, "%s does not tell apart", what);
    cr_expect_eq(s->cache.found, found, "%s", what);
    cr_expect_eq(s->notes, 0, "%s: %s", what, s->note);
}

#define CHANGED(what, change)                                                                      \
    do {                                                                                           \
        const refit_request kept = s.request;                                                      \
        change;                                                                                    \
        expect_miss(&s, what);                                                                     \
        s.request = kept;                                                                          \
    } while (0)

Test(refit_cache, every_setting_tells_batches_apart)
{
    scene s;
    scene_open(&s);
    (void)cached(&s, &s.cache, &s.request);
    target tanh_target = s.t, wide;
    am_error err = {0};
    tanh_target.act = ACT_TANH;
    cr_assert_eq(target_parse("5-6-3", ACT_RELU, LOSS_CROSS_ENTROPY, &wide, &err), AM_OK);
    float *start = random_floats(&s.d, MODELS * s.t.params, 5);
    CHANGED("models", s.request.models = MODELS - 1);
    CHANGED("seed", s.request.seed = 5);
    CHANGED("seed, high bits", s.request.seed = 4 + ((uint64_t)1 << 40));
    CHANGED("batch", s.request.rows = 9);
    CHANGED("steps", s.request.steps = 13);
    CHANGED("order", s.request.separate = true);
    CHANGED("rate", s.request.adam.rate = nextafter(0.02, 1.0));
    CHANGED("schedule", s.request.adam.schedule = SCHEDULE_CONSTANT);
    CHANGED("warmup", s.request.adam.warmup = 2);
    CHANGED("beta1", s.request.adam.beta1 = 0.8);
    CHANGED("beta2", s.request.adam.beta2 = 0.999);
    CHANGED("epsilon", s.request.adam.epsilon = 1e-7);
    CHANGED("penalty", s.request.per_layer = true);
    CHANGED("activation", s.request.t = &tanh_target);
    CHANGED("no omega", s.request.omega = NULL);
    CHANGED("no init", s.request.init = NULL);
    CHANGED("no rate_scale", s.request.rate_scale = NULL);
    CHANGED("start", s.request.start = start);
    const target kept = s.t;
    s.t = wide; /* cached() reads as many weights as s.t has */
    expect_miss(&s, "target");
    s.t = kept;
    int found = s.cache.found;
    (void)cached(&s, &s.cache, &s.request);
    cr_expect_eq(s.cache.found, found + MODELS, "the first batch is still there");
    scene_close(&s);
}

/* One bit of one number of one model. */
Test(refit_cache, every_draw_tells_batches_apart)
{
    scene s;
    scene_open(&s);
    (void)cached(&s, &s.cache, &s.request);
    s.lambda[MODELS - 1] = nextafter(s.lambda[MODELS - 1], 1.0);
    expect_miss(&s, "lambda");
    s.omega[MODELS * BLOCKS - 1] = nextafterf(s.omega[MODELS * BLOCKS - 1], 2.0f);
    expect_miss(&s, "omega");
    s.init[1] = 17;
    expect_miss(&s, "init");
    s.rate_scale[2] = nextafterf(s.rate_scale[2], 3.0f);
    expect_miss(&s, "rate_scale");
    scene_close(&s);
}

static void expect_other_digest(scene *s, const char *what)
{
    char digest[17];
    refit_cache_digest(&s->p.rows, s->p.block, digest);
    cr_expect_str_neq(digest, s->data, "%s does not change the digest", what);
}

Test(refit_cache, every_row_tells_batches_apart)
{
    scene s;
    scene_open(&s);
    am_rows *rows = &s.p.rows;
    float *x = &rows->floats[ROWS * 5 - 1], value = *x;
    *x = nextafterf(value, 2.0f);
    expect_other_digest(&s, "an input");
    *x = value;
    rows->label[3] = (rows->label[3] + 1) % 3;
    expect_other_digest(&s, "a label");
    rows->label[3] = (rows->label[3] + 2) % 3;
    s.p.block[7] = (s.p.block[7] + 1) % BLOCKS;
    expect_other_digest(&s, "a block");
    s.p.block[7] = (s.p.block[7] + BLOCKS - 1) % BLOCKS;
    rows->n--;
    expect_other_digest(&s, "the number of rows");
    rows->n++;
    char digest[17];
    refit_cache_digest(rows, s.p.block, digest);
    cr_expect_str_eq(digest, s.data);
    scene_close(&s);
}

/* Images are bytes with a normalisation. */
Test(refit_cache, normalisation_tells_batches_apart)
{
    uint8_t bytes[] = {1, 2, 3, 4};
    int32_t label[] = {0, 1};
    char first[17], other[17];
    am_rows rows = {.n = 2,
                    .inputs = 2,
                    .outputs = 2,
                    .bytes = bytes,
                    .scale = 0.5f,
                    .shift = -1,
                    .label = label};
    refit_cache_digest(&rows, NULL, first);
    rows.shift = -1.5f;
    refit_cache_digest(&rows, NULL, other);
    cr_expect_str_neq(first, other);
    rows.shift = -1;
    rows.scale = 0.25f;
    refit_cache_digest(&rows, NULL, other);
    cr_expect_str_neq(first, other);
    rows.scale = 0.5f;
    bytes[3] = 5;
    refit_cache_digest(&rows, NULL, other);
    cr_expect_str_neq(first, other);
}

/* What the caller says of data and device is part of it. */
Test(refit_cache, data_and_device_tell_batches_apart)
{
    scene s;
    scene_open(&s);
    (void)cached(&s, &s.cache, &s.request);
    s.cache.precision = "tf32";
    expect_miss(&s, "precision");
    s.cache.precision = "fp32";
    s.cache.data = "0123456789abcdef";
    expect_miss(&s, "data");
    s.cache.data = s.data;
    char processor[sizeof s.d.be->device];
    memcpy(processor, s.d.be->device, sizeof processor);
    (void)snprintf(s.d.be->device, sizeof s.d.be->device, "another processor");
    expect_miss(&s, "processor");
    memcpy(s.d.be->device, processor, sizeof processor);
    const char *name = s.d.be->name;
    s.d.be->name = "another";
    expect_miss(&s, "device");
    s.d.be->name = name;
    scene_close(&s);
}

/* ---- files of no use ------------------------------------------------------------------------- */

/* The file is noted with these words, not used, and replaced. */
static void expect_replaced(scene *s, const float *right, const char *words)
{
    int notes = s->notes, trained = s->cache.trained;
    float *again = cached(s, &s->cache, &s->request);
    cr_expect(same(s, right, again));
    cr_expect_eq(s->notes, notes + 1, "%s: %d notes", words, s->notes - notes);
    cr_expect(strstr(s->note, words) != NULL, "'%s' is not in: %s", words, s->note);
    cr_expect(strstr(s->note, s->folder) != NULL, "the file is not named: %s", s->note);
    cr_expect_eq(s->cache.trained, trained + MODELS);
    int found = s->cache.found;
    again = cached(s, &s->cache, &s->request);
    cr_expect(same(s, right, again));
    cr_expect_eq(s->cache.found, found + MODELS, "%s: not replaced", words);
}

Test(refit_cache, damaged_files_are_replaced)
{
    scene s;
    scene_open(&s);
    float *right = cached(&s, &s.cache, &s.request);
    char *path = path_of(&s);
    size_t size;
    uint8_t *bytes = get_stored(path, &size);
    put_stored(path, bytes, size / 2);
    expect_replaced(&s, right, "trained again");
    put_stored(path, bytes, 0);
    expect_replaced(&s, right, "trained again");
    put_stored(path, (const uint8_t *)"no refits at all", 16);
    expect_replaced(&s, right, "trained again");
    bytes[size - 3] ^= 1; /* a bit of a weight: nothing but the digest can tell */
    put_stored(path, bytes, size);
    expect_replaced(&s, right, "is damaged");
    free(bytes);
    free(path);
    scene_close(&s);
}

/* Another batch's file under this name, as if two hashes had met. */
Test(refit_cache, files_of_other_refits_are_replaced)
{
    scene s;
    scene_open(&s);
    float *right = cached(&s, &s.cache, &s.request);
    char *path = path_of(&s);
    size_t size;
    s.lambda[0] *= 2.0; /* the same text, another number */
    (void)cached(&s, &s.cache, &s.request);
    char *other = path_of(&s);
    uint8_t *bytes = get_stored(other, &size);
    s.lambda[0] /= 2.0;
    put_stored(path, bytes, size);
    expect_replaced(&s, right, "holds other refits");
    free(bytes);
    free(other);
    s.request.steps++;
    (void)cached(&s, &s.cache, &s.request);
    other = path_of(&s);
    s.request.steps--;
    bytes = get_stored(other, &size);
    put_stored(path, bytes, size);
    expect_replaced(&s, right, "holds other refits");
    free(bytes);
    free(other);
    free(path);
    scene_close(&s);
}

/* A folder that cannot be made: a note, and the refits all the same. */
Test(refit_cache, a_folder_that_cannot_be_written_costs_a_note)
{
    scene s;
    scene_open(&s);
    put_text(scratch("file"), "in the way");
    s.cache.folder = scratch("file/below");
    refit_cache none = {.data = s.data, .precision = "fp32"};
    float *plain = cached(&s, &none, &s.request);
    float *kept = cached(&s, &s.cache, &s.request);
    cr_expect(same(&s, plain, kept));
    cr_expect_eq(s.notes, 1);
    cr_expect(strstr(s.note, "not kept") != NULL, "%s", s.note);
    scene_close(&s);
}

/* A run that fails or is stopped leaves nothing behind. */
static bool stop_at_once(void *context)
{
    (void)context;
    return true;
}

Test(refit_cache, keeps_nothing_of_an_unfinished_batch)
{
    scene s;
    scene_open(&s);
    train_hooks hooks = {.stop = stop_at_once};
    dev_f32 *theta;
    am_error err = {0};
    cr_expect_eq(refit_cached(&s.cache, s.d.be, &s.request, &s.p.data, &hooks, &theta, &err),
                 AM_ERR_INTERRUPT);
    cr_expect_null(theta);
    cr_expect_eq(scratch_files(), 0);
    cr_expect_eq(s.cache.trained, 0);
    scene_close(&s);
}
