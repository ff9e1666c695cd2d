/* Room for a run is asked for before anything is allocated: what is counted is what is then
 * allocated, and a device that is too small is named with the numbers. */
#include "backend/tally.h"
#include "support/fitting.h"
#include "train/memory.h"
#include "tune/tune.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A device as small as a test wants it: the real one but for the answer about its memory and the
 * count of what is allocated. */
typedef struct {
    backend_ops op; /* first: be->op of the device points here */
    const backend_ops *real;
    size_t available, allocated;
    int allocations;
} small_device;

static small_device *small_of(const backend *be)
{
    return (small_device *)(uintptr_t)be->op;
}

static am_status small_memory(backend *be, size_t *available, size_t *total, am_error *err)
{
    (void)err;
    *available = small_of(be)->available;
    *total = (size_t)3 << 30;
    return AM_OK;
}

static void *small_alloc(backend *be, size_t bytes, const char *what)
{
    small_of(be)->allocated += bytes;
    small_of(be)->allocations++;
    return small_of(be)->real->alloc(be, bytes, what);
}

static void make_small(device *d, small_device *s, size_t available)
{
    *s = (small_device){.op = *d->op, .real = d->op, .available = available};
    s->op.free_memory = small_memory;
    s->op.alloc = small_alloc;
    d->op = d->be->op = &s->op;
}

static void make_real(device *d, const small_device *s)
{
    d->op = d->be->op = s->real;
}

static void expect_holds(const am_error *err, const char *words)
{
    cr_expect_not_null(strstr(err->message, words), "\"%s\" lacks \"%s\"", err->message, words);
}

/* ---- the tally ------------------------------------------------------------------------------- */

Test(memory, tally_counts_by_purpose)
{
    am_error err = {0};
    backend *tally;
    cr_assert_eq(tally_open(&tally, &err), AM_OK);
    void *a = tally->op->alloc(tally, 100, "moments"), *b = tally->op->alloc(tally, 20, "rows");
    void *c = tally->op->alloc(tally, 3, "moments");
    cr_expect_eq(tally_bytes(tally, NULL), 123);
    cr_expect_eq(tally_bytes(tally, "moments"), 103);
    cr_expect_eq(tally_bytes(tally, "labels"), 0);
    tally->op->release(tally, a);
    tally->op->release(tally, NULL);
    cr_expect_eq(tally_bytes(tally, "moments"), 3);
    void *d = tally->op->alloc(tally, SIZE_MAX, "rows");
    cr_expect_eq(tally_bytes(tally, NULL), SIZE_MAX);
    tally->op->release(tally, b), tally->op->release(tally, c), tally->op->release(tally, d);
    backend_close(tally);
}

Test(memory, tally_downloads_zeros)
{
    am_error err = {0};
    backend *tally;
    double x[2] = {1, 2};
    cr_assert_eq(tally_open(&tally, &err), AM_OK);
    void *a = tally->op->alloc(tally, sizeof x, "losses");
    tally->op->upload(tally, a, x, sizeof x);
    cr_expect_eq(tally->op->download(tally, x, a, sizeof x, &err), AM_OK);
    cr_expect_eq(x[0], 0);
    cr_expect_eq(x[1], 0);
    tally->op->release(tally, a);
    backend_close(tally);
}

Test(memory, more_purposes_than_places_are_still_counted)
{
    am_error err = {0};
    backend *tally;
    void *block[80];
    char name[80][8];
    cr_assert_eq(tally_open(&tally, &err), AM_OK);
    for (int i = 0; i < 80; i++) {
        snprintf(name[i], sizeof name[i], "p%d", i);
        block[i] = tally->op->alloc(tally, 1, name[i]);
    }
    cr_expect_eq(tally_bytes(tally, NULL), 80);
    for (int i = 0; i < 80; i++)
        tally->op->release(tally, block[i]);
    cr_expect_eq(tally_bytes(tally, NULL), 0);
    backend_close(tally);
}

Test(memory, every_device_knows_its_memory)
{
    device d = device_open();
    am_error err = {0};
    size_t available = 0, total = 0;
    cr_assert_eq(d.op->free_memory(d.be, &available, &total, &err), AM_OK, "%s", err.message);
    cr_expect_gt(available, 1 << 20);
    cr_expect_geq(total, available);
    device_close(&d);
}

/* ---- fit ------------------------------------------------------------------------------------- */

/* fit_memory with so many bytes free. */
static am_status fit_in(fitting *r, const fit_settings *settings, size_t available,
                        small_device *small, am_error *err)
{
    make_small(&r->d, small, available);
    am_status status = fit_memory(r->d.be, &r->record.spec, settings, &r->p.data, err);
    make_real(&r->d, small);
    return status;
}

/* What a fit then allocates, with its generator. */
static size_t allocated_by(fitting *r, const fit_settings *settings)
{
    am_error err = {0};
    small_device small;
    generator g;
    generator_fit *f;
    make_small(&r->d, &small, 0);
    cr_assert_eq(generator_open(&g, r->d.be, &r->record.spec, settings->draws, &err), AM_OK);
    cr_assert_eq(fit_open(&f, &g, settings, &r->p.data, &err), AM_OK, "%s", err.message);
    fit_close(f);
    generator_close(&g);
    make_real(&r->d, &small);
    return small.allocated;
}

Test(memory, a_fit_needs_what_is_counted_to_the_byte)
{
    for (int i = 0; i < recipe_count; i++) {
        fitting r;
        small_device small;
        am_error err = {0};
        fitting_open(&r, &recipes[i], 3, 1);
        fit_settings settings = settings_of(&recipes[i], 3);
        size_t bytes = allocated_by(&r, &settings);
        cr_expect_eq(fit_in(&r, &settings, bytes, &small, &err), AM_OK, "%s: %s", recipes[i].name,
                     err.message);
        cr_expect_eq(fit_in(&r, &settings, bytes - 1, &small, &err), AM_ERR_MEMORY, "%s",
                     recipes[i].name);
        cr_expect_eq(small.allocations, 0, "something was allocated before the refusal");
        fitting_close(&r);
    }
}

Test(memory, an_over_large_fit_is_refused_with_the_numbers)
{
    fitting r;
    small_device small;
    am_error err = {0};
    fitting_open(&r, &recipes[0], 3, 1);
    fit_settings settings = settings_of(&recipes[0], 3);
    settings.rows = 1 << 20; /* activations: 4 draws × 2^20 rows × 5 units × 4 bytes × … */
    cr_assert_eq(fit_in(&r, &settings, (size_t)200 << 20, &small, &err), AM_ERR_MEMORY);
    cr_expect_eq(strncmp(err.message, "fit: needs ", 11), 0, "%s", err.message);
    expect_holds(&err, "200.0 MiB of 3.0 GiB are free");
    expect_holds(&err, "activation");
    expect_holds(&err, "--batch");
    expect_holds(&err, r.d.be->device);
    cr_expect_eq(small.allocations, 0);
    cr_expect_eq(r.d.be->failure.status, AM_OK, "the device is as usable as before");
    fitting_close(&r);
}

/* ---- refits, evaluation ------------------------------------------------------------------------ */

Test(memory, an_over_large_batch_of_refits_is_refused)
{
    device d = device_open();
    small_device small;
    am_error err = {0};
    target t;
    double lambda[2] = {1e-3, 1e-2};
    dev_f32 *theta;
    problem p = problem_open(&d, LOSS_CROSS_ENTROPY, 40, 6, 3, 4, 7);
    cr_assert_eq(target_parse("6-4000-3", ACT_RELU, LOSS_CROSS_ENTROPY, &t, &err), AM_OK);
    refit_request request = {.t = &t, .models = 2, .lambda = lambda, .rows = 8, .steps = 1};
    make_small(&d, &small, 1 << 20);
    cr_expect_eq(refit_run(d.be, &request, &p.data, NULL, &theta, &err), AM_ERR_MEMORY);
    make_real(&d, &small);
    cr_expect_null(theta);
    cr_expect_eq(small.allocations, 0);
    expect_holds(&err, "refit: needs ");
    expect_holds(&err, "the largest part is moments of the refits");
    problem_close(&p);
    device_close(&d);
}

Test(memory, an_over_large_evaluation_is_refused)
{
    device d = device_open();
    small_device small;
    am_error err = {0};
    enum { MODELS = 300 };
    double lambda[MODELS];
    metrics each[MODELS];
    generator_spec spec = spec_of("6-500-3", ACT_RELU, LOSS_CROSS_ENTROPY, "cheb:2", OMEGA_ONES, 4);
    problem p = problem_open(&d, LOSS_CROSS_ENTROPY, 40, 6, 3, 4, 7);
    generator g = generator_of(&d, &spec, MODELS);
    model_set set;
    for (int i = 0; i < MODELS; i++)
        lambda[i] = 1e-2;
    cr_assert_eq(models_at(&g, lambda, MODELS, &set, &err), AM_OK);
    make_small(&d, &small, 1 << 20);
    cr_expect_eq(evaluate(&set, &p.data, each, NULL, &err), AM_ERR_MEMORY);
    expect_holds(&err, "evaluation: needs ");
    cr_expect_eq(small.allocations, 0);
    make_real(&d, &small);
    err = (am_error){0};
    cr_expect_eq(evaluate(&set, &p.data, each, NULL, &err), AM_OK, "%s", err.message);
    d.op->release(d.be, (void *)(uintptr_t)set.c);
    generator_close(&g);
    problem_close(&p);
    device_close(&d);
}
