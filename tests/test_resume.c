/* Stop at any step, save, load into fresh memory, go on: the bits of an uninterrupted run. */
#include "support/fitting.h"

#include "data_files.h"

enum { STEPS = 12 };

/* Writes the checkpoint as `amortune fit` does, and notes the step that it is of. */
static am_status save_checkpoint(void *context, const char *path, am_error *err)
{
    fitting *r = context;
    r->record.step = fit_step(r->f);
    return model_save(path, &r->g, &r->record, fit_state(r->f), err);
}

/* Runs until `step` steps are done and leaves a checkpoint. */
static void run_to(fitting *r, int64_t step, const char *path)
{
    am_error err = {0};
    char want[300];
    stop_point at = {.r = r, .step = step};
    train_hooks hooks = {.context = &at, .stop = stop_here, .checkpoint = path};
    fit_set_save(r->f, save_checkpoint, r);
    cr_assert_eq(fit_run(r->f, &hooks, &err), AM_ERR_INTERRUPT);
    snprintf(want, sizeof want,
             "fit stopped at step %lld of %d; the same command with --resume goes on from %s",
             (long long)step, STEPS, path);
    cr_expect_str_eq(err.message, want);
}

/* Reads a checkpoint into a run that has just been opened. */
static void resume_from(fitting *r, const char *path)
{
    am_error err = {0};
    model_record saved;
    am_safetensors *file;
    cr_assert_eq(model_load(path, &saved, &file, &err), AM_OK, "%s", err.message);
    cr_assert_eq(model_same_run(path, &saved, &r->record, &err), AM_OK, "%s", err.message);
    cr_assert_eq(arena_restore(&r->g.params, file, &err), AM_OK, "%s", err.message);
    cr_assert_eq(arena_restore(fit_state(r->f), file, &err), AM_OK, "%s", err.message);
    cr_assert_eq(fit_resume(r->f, &err), AM_OK, "%s", err.message);
    cr_expect_eq(saved.step, fit_step(r->f));
    model_record_free(&saved);
    am_safetensors_free(file);
}

static void finish(fitting *r)
{
    am_error err = {0};
    cr_assert_eq(fit_run(r->f, NULL, &err), AM_OK, "%s", err.message);
    cr_assert_eq(fit_step(r->f), STEPS);
}

Test(resume, a_stop_at_any_step_changes_no_bit)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "m.checkpoint");
    for (int i = 0; i < recipe_count; i++) {
        fitting whole;
        fitting_open(&whole, &recipes[i], STEPS, 1);
        finish(&whole);
        for (int64_t step = 1; step < STEPS; step++) {
            fitting before, after;
            fitting_open(&before, &recipes[i], STEPS, 1);
            run_to(&before, step, path);
            fitting_close(&before);
            fitting_open(&after, &recipes[i], STEPS, 1);
            generator_fill(&after.d, &after.g, 99, 3.0f); /* nothing of the start may survive */
            resume_from(&after, path);
            cr_expect_eq(fit_step(after.f), step);
            finish(&after);
            cr_expect(fitting_same(&whole, &after), "%s, stopped at step %lld", recipes[i].name,
                      (long long)step);
            fitting_close(&after);
        }
        fitting_close(&whole);
    }
    remove_folder(&folder);
}

Test(resume, a_run_may_be_stopped_again_and_again)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "m.checkpoint");
    for (int i = 0; i < recipe_count; i++) {
        fitting whole, part;
        fitting_open(&whole, &recipes[i], STEPS, 1);
        finish(&whole);
        for (int64_t step = 3; step <= STEPS; step += 3) {
            fitting_open(&part, &recipes[i], STEPS, 1);
            if (step > 3)
                resume_from(&part, path);
            if (step < STEPS)
                run_to(&part, step, path);
            else
                finish(&part);
            if (step < STEPS)
                fitting_close(&part);
        }
        cr_expect(fitting_same(&whole, &part), "%s", recipes[i].name);
        fitting_close(&part);
        fitting_close(&whole);
    }
    remove_folder(&folder);
}

Test(resume, a_stop_without_a_checkpoint_says_only_where_it_stopped)
{
    fitting r;
    am_error err = {0};
    fitting_open(&r, &recipes[0], STEPS, 1);
    stop_point at = {.r = &r, .step = 5};
    train_hooks hooks = {.context = &at, .stop = stop_here};
    cr_assert_eq(fit_run(r.f, &hooks, &err), AM_ERR_INTERRUPT);
    cr_expect_str_eq(err.message, "fit stopped at step 5 of 12");
    finish(&r); /* and goes on from there in memory */
    fitting whole;
    fitting_open(&whole, &recipes[0], STEPS, 1);
    finish(&whole);
    cr_expect(fitting_same(&whole, &r));
    fitting_close(&whole);
    fitting_close(&r);
}

static bool stop_always(void *context)
{
    (void)context;
    return true;
}

/* The last step is not worth stopping for. */
Test(resume, a_stop_after_the_last_step_is_no_stop)
{
    fitting r;
    am_error err = {0};
    train_hooks hooks = {.stop = stop_always};
    fitting_open(&r, &recipes[0], 1, 1);
    cr_expect_eq(fit_run(r.f, &hooks, &err), AM_OK);
    cr_expect_eq(fit_run(r.f, &hooks, &err), AM_OK); /* nothing is left to do */
    cr_expect_eq(fit_step(r.f), 1);
    fitting_close(&r);
}

Test(resume, a_checkpoint_of_another_shape_is_refused)
{
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "m.checkpoint");
    fitting r, other;
    am_error err = {0};
    am_safetensors *file;
    fitting_open(&r, &recipes[0], STEPS, 1);
    run_to(&r, 3, path);
    fitting_open(&other, &recipes[5], STEPS, 1); /* no columns of ω in its head */
    cr_assert_eq(am_safetensors_read(path, &file, &err), AM_OK);
    cr_expect_eq(arena_restore(&other.g.params, file, &err), AM_ERR_INPUT);
    expect_message(&err, path);
    expect_message(&err, "head");
    am_safetensors_free(file);
    fitting_close(&other);
    fitting_close(&r);
    remove_folder(&folder);
}

Test(resume, a_checkpoint_past_the_end_of_its_run_is_refused)
{
    fitting r;
    am_error err = {0};
    uint64_t step = STEPS + 1;
    fitting_open(&r, &recipes[0], STEPS, 1);
    r.d.op->upload(r.d.be, arena_at(fit_state(r.f), 0), &step, sizeof step);
    cr_expect_eq(fit_resume(r.f, &err), AM_ERR_INPUT);
    expect_message(&err, "at step 13 of 12");
    fitting_close(&r);
}
