/* Every op of every way of training, with the shapes and the memory that the training gives it,
 * against the CPU backend from the same inputs: what bench_ops does on a GPU before it times them. An
 * operand that its table forgets would be memory of the device that the CPU may not touch. */
#include "measure.h"
#include "support/fitting.h"

#include <criterion/criterion.h>

typedef struct {
    recorder r;
    backend *be, *cpu;
    const char *recipe;
    int checked;
} visit;

enum { FEWEST_OPS = 9 };

static void check_calls(void *context)
{
    visit *v = context;
    if (v->r.calls < FEWEST_OPS) { /* no step of training yet: its memory may be gone next time */
        v->r.calls = 0;
        return;
    }
    v->r.on = false;
    v->r.pause = NULL;
    for (int i = 0; i < v->r.calls; i++) {
        am_error err = {0};
        op_use use;
        double error = 1;
        op_describe(&v->r.call[i], &use);
        cr_expect_gt(use.count, 0, "%s", op_name(v->r.call[i].op));
        cr_expect_gt(use.bytes, 0, "%s", op_name(v->r.call[i].op));
        cr_assert_eq(measure_error(v->be, v->cpu, &v->r.call[i], &error, &err), AM_OK, "%s",
                     err.message);
        cr_expect_leq(error, 2e-6, "%s: %s, %s: error %.2e", v->recipe, op_name(v->r.call[i].op),
                      use.shape, error);
        v->checked++;
    }
}

Test(recorded_ops, agree_with_the_cpu_in_every_way_of_training)
{
    device cpu = device_open_named("cpu", 1);
    for (int i = 0; i < recipe_count; i++) {
        fitting r;
        am_error err = {0};
        visit v = {.cpu = cpu.be, .recipe = recipes[i].name};
        fitting_open(&r, &recipes[i], 12, 1);
        v.be = r.d.be;
        recorder_attach(&v.r, r.d.be);
        v.r.on = true;
        v.r.pause = check_calls;
        v.r.context = &v;
        am_status status = fit_run(r.f, NULL, &err);
        recorder_detach(&v.r, r.d.be);
        recorder_clear(&v.r);
        cr_expect_eq(status, AM_OK, "%s: %s", recipes[i].name, err.message);
        cr_expect_gt(v.checked, 0, "%s: no step was seen", recipes[i].name);
        fitting_close(&r);
    }
    device_close(&cpu);
}
