/* scenario — the runs whose ops are measured: what the MNIST experiment does under both protocols, the
 * large target, refits in one batch, and the evaluation of 1,000 models. The rows are made up; only
 * their shape matters. */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include "train/train.h"
#include "tune/tune.h"

typedef struct {
    const char *name, *what;
    const char *target, *features;
    omega_kind weights;
    bool paper;
    descent_kind descent;
    plan_kind plan;
    int draws, refits, models; /* refits or models > 0: of these instead of a fit */
} scenario;

extern const scenario scenarios[];
extern const int scenario_count;

/* A scenario opened on a device. */
typedef struct {
    const scenario *of;
    backend *be;
    device_rows rows;
    generator g;
    generator_fit *fit;
    model_set set; /* of the models scenario */
    metrics *each;
} scene;

/* steps: of the fit or the refits. */
am_status scene_open(scene *s, const scenario *of, backend *be, int64_t steps, am_error *err);
/* All its steps, or one evaluation of all models. */
am_status scene_run(scene *s, const train_hooks *hooks, int64_t steps, am_error *err);
void scene_close(scene *s);

/* Seconds of one step, or of one evaluation, in a run of its own. */
am_status scene_seconds(const scenario *of, backend *be, double *seconds, am_error *err);

#endif
