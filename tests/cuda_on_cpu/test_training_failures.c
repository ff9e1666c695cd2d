/* A device that fails in the middle of a run: the error names op and step, what was saved is good,
 * and the run goes on from there on a device opened anew, to the bits of one that never failed. */
#include "control.h"
#include "data_files.h"
#include "support/fitting.h"

enum { STEPS = 12 };
enum { LAUNCH_FAILURE = 719, UNKNOWN = 999 }; /* cudaError_t */
static const int collocation = 5;             /* in recipes */

static am_status save_checkpoint(void *context, const char *path, am_error *err)
{
    fitting *r = context;
    r->record.step = fit_step(r->f);
    return model_save(path, &r->g, &r->record, fit_state(r->f), err);
}

static void resume_from(fitting *r, const char *path)
{
    am_error err = {0};
    model_record saved;
    am_safetensors *file;
    cr_assert_eq(model_load(path, &saved, &file, &err), AM_OK, "%s", err.message);
    cr_assert_eq(arena_restore(&r->g.params, file, &err), AM_OK, "%s", err.message);
    cr_assert_eq(arena_restore(fit_state(r->f), file, &err), AM_OK, "%s", err.message);
    cr_assert_eq(fit_resume(r->f, &err), AM_OK, "%s", err.message);
    model_record_free(&saved);
    am_safetensors_free(file);
}

/* Saves after every look at the device. */
static am_status run(fitting *r, const char *path, am_error *err)
{
    train_hooks hooks = {.checkpoint = path, .checkpoint_seconds = 1e-9};
    fit_set_save(r->f, save_checkpoint, r);
    return fit_run(r->f, &hooks, err);
}

/* The whole run, failing at its n-th call; AM_OK when it has fewer. Gives the run's calls. */
static am_status failing_run(int64_t n, int error, const char *path, int64_t *calls, am_error *err)
{
    fitting r;
    fitting_open(&r, &recipes[collocation], STEPS, 1);
    cuda_on_cpu_fail_call(n, error);
    am_status status = run(&r, path, err);
    *calls = cuda_on_cpu_calls();
    cuda_on_cpu_forget_errors();
    cr_expect_eq(r.d.be->failure.status, status, "the device stays failed");
    fitting_close(&r);
    return status;
}

static void expect_told(const am_error *err, const char *path, bool saved)
{
    expect_message(err, "CUDA: ");
    expect_message(err, "last op issued: ");
    expect_message(err, ", step ");
    if (saved)
        expect_message(err, path);
}

static void expect_same_end(fitting *whole, const char *path)
{
    fitting after;
    am_error err = {0};
    fitting_open(&after, &recipes[collocation], STEPS, 1);
    resume_from(&after, path);
    cr_expect_eq(run(&after, path, &err), AM_OK, "%s", err.message);
    cr_expect(fitting_same(whole, &after));
    fitting_close(&after);
}

/* Failures spread over the run; those of calls are told at once, those of kernels at the next look. */
static void fail_here_and_there(int error)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "m.checkpoint");
    fitting whole;
    am_error err = {0};
    int64_t calls, unused;
    int resumed = 0;
    fitting_open(&whole, &recipes[collocation], STEPS, 1);
    cr_assert_eq(fit_run(whole.f, NULL, &err), AM_OK);
    cr_assert_eq(failing_run(0, 0, path, &calls, &err), AM_OK, "%s", err.message);
    for (int64_t n = 7; n < calls; n += 1 + calls / 12) {
        unlink(path);
        err = (am_error){0};
        if (failing_run(n, error, path, &unused, &err) == AM_OK)
            continue; /* a call whose failure loses nothing */
        cr_expect_eq(err.status, AM_ERR_DEVICE, "call %lld: %s", (long long)n, err.message);
        bool saved = am_path_exists(path);
        expect_told(&err, path, saved);
        if (saved)
            expect_same_end(&whole, path);
        resumed += saved;
    }
    cr_expect_geq(resumed, 4);
    fitting_close(&whole);
    remove_folder(&folder);
}

Test(training_failures, of_calls_lose_nothing_that_was_saved)
{
    fail_here_and_there(UNKNOWN);
}

Test(training_failures, inside_kernels_lose_nothing_that_was_saved)
{
    fail_here_and_there(LAUNCH_FAILURE);
}

/* The message's step is the one that was issued: 0 for the first, later for a later call. */
Test(training_failures, name_the_step_that_was_issued)
{
    am_error err = {0};
    int64_t calls;
    long long last = -1;
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "m.checkpoint");
    cr_assert_eq(failing_run(0, 0, path, &calls, &err), AM_OK);
    for (int64_t n = 5; n < calls; n += calls / 5) {
        long long step = -1;
        err = (am_error){0};
        int64_t unused;
        if (failing_run(n, UNKNOWN, path, &unused, &err) == AM_OK)
            continue;
        const char *at = strstr(err.message, ", step ");
        cr_assert_not_null(at, "%s", err.message);
        cr_assert_eq(sscanf(at, ", step %lld of this run", &step), 1, "%s", err.message);
        cr_expect_geq(step, last, "call %lld: %s", (long long)n, err.message);
        last = step;
    }
    cr_expect_gt(last, 0);
    cr_expect_lt(last, STEPS);
    remove_folder(&folder);
}
