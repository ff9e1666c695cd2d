#include "scenario.h"

#include "draw/philox.h"
#include "train/recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 10000, INPUTS = 784, CLASSES = 10, BATCH = 128, BLOCKS = 16, POINTS = 20 };

const scenario scenarios[] = {
    {.name = "default",
     .what = "a step of the default MNIST fit",
     .target = "784-64-10",
     .features = "cheb:5",
     .descent = DESCENT_COLLOCATION},
    {.name = "paper",
     .what = "a step of protocol paper",
     .target = "784-64-10",
     .features = "paper",
     .weights = OMEGA_DIRICHLET,
     .paper = true,
     .draws = 1},
    {.name = "refits",
     .what = "a step of 20 refits in one batch",
     .target = "784-64-10",
     .features = "cheb:5",
     .refits = 20},
    {.name = "models",
     .what = "1,000 models (20 λ × 50 ω) on 10,000 rows",
     .target = "784-64-10",
     .features = "split:32,32,8",
     .weights = OMEGA_DIRICHLET,
     .models = 1000},
    {.name = "large",
     .what = "a step of 784–1024–1024–10, r = 32, M = 16",
     .target = "784-1024-1024-10",
     .features = "mlp:64,32",
     .plan = PLAN_AUTO,
     .draws = 16},
};
const int scenario_count = sizeof scenarios / sizeof *scenarios;

/* ---- opening ----------------------------------------------------------------------------------- */

static am_status open_rows(scene *s, am_error *err)
{
    uint8_t *bytes = am_alloc((size_t)ROWS * INPUTS, 1, "rows", err);
    int32_t *label = am_alloc(ROWS, sizeof *label, "rows", err);
    uint32_t *block = am_alloc(ROWS, sizeof *block, "rows", err);
    am_status status = bytes && label && block ? AM_OK : AM_ERR_MEMORY;
    for (uint32_t i = 0; status == AM_OK && i < ROWS * INPUTS / 4; i++) {
        uint32_t word = philox(1, STREAM_TEST, 0, 0, i).x[0];
        memcpy(bytes + (size_t)i * 4, &word, 4);
    }
    for (uint32_t i = 0; status == AM_OK && i < ROWS; i++) {
        label[i] = (int32_t)(philox(2, STREAM_TEST, 0, 0, i).x[0] % CLASSES);
        block[i] = i % BLOCKS;
    }
    am_rows rows = {.n = ROWS,
                    .inputs = INPUTS,
                    .outputs = CLASSES,
                    .bytes = bytes,
                    .scale = 1.0f / 255 / 0.3081f,
                    .shift = -0.1307f / 0.3081f,
                    .label = label};
    if (status == AM_OK)
        status = device_rows_open(&s->rows, s->be, &rows, block, err);
    free(bytes);
    free(label);
    free(block);
    return status;
}

/* Every row of the head as large as an ordinary initialisation: a residual start's zeros would be
 * quicker. */
static am_status fill_head(scene *s, am_error *err)
{
    int64_t params = s->g.spec.target.params;
    float *row = am_alloc((size_t)params, sizeof *row, "head", err);
    if (row == NULL)
        return AM_ERR_MEMORY;
    for (int k = 0; k < s->g.f.features; k++) {
        target_init(&s->g.spec.target, 3, (uint32_t)k, row);
        for (int64_t i = 0; k > 0 && i < params; i++)
            row[i] *= 0.1f;
        s->be->op->upload(s->be, f32_at(s->g.head, k * params), row, (size_t)params * sizeof *row);
    }
    free(row);
    return s->be->op->sync(s->be, err);
}

static am_status open_generator(scene *s, am_error *err)
{
    const scenario *of = s->of;
    generator_spec spec = {.lambda_low = 1e-5,
                           .lambda_high = 1e-1,
                           .weights = of->weights,
                           .alpha = 1,
                           .blocks = BLOCKS,
                           .networks = 1,
                           .seed = 1};
    AM_TRY(target_parse(of->target, ACT_RELU, LOSS_CROSS_ENTROPY, &spec.target, err));
    AM_TRY(feature_spec_parse(of->features, of->weights != OMEGA_ONES, &spec.features, err));
    AM_TRY(generator_open(&s->g, s->be, &spec, AM_MAX(of->models, AM_MAX(of->draws, 16)), err));
    AM_TRY(generator_init(&s->g, err));
    return fill_head(s, err);
}

static am_status open_fit(scene *s, int64_t steps, am_error *err)
{
    const scenario *of = s->of;
    fit_settings fit = {.descent = of->descent,
                        .plan = of->plan,
                        .nodes = of->paper ? LAMBDA_STRATIFIED : LAMBDA_NODES,
                        .draws = of->draws,
                        .rows = BATCH,
                        .sets = of->descent == DESCENT_COLLOCATION ? 0 : 1,
                        .steps = steps,
                        .ridge = 1e-3,
                        .tilt = -1,
                        .adam = {.schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8}};
    if (of->paper)
        fit.adam = (optimiser){.rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    if (of->descent != DESCENT_COLLOCATION && !of->paper)
        fit.nodes = LAMBDA_STRATIFIED;
    recipe_fit(&fit, s->g.f.features);
    return fit_open(&s->fit, &s->g, &fit, &s->rows, err);
}

/* 20 λ × 50 ω. */
static am_status open_models(scene *s, am_error *err)
{
    int models = s->of->models, draws = models / POINTS;
    double grid[POINTS], *lambda = am_alloc((size_t)models, sizeof *lambda, "models", err);
    float *omega = NULL, *omega0 = NULL;
    size_t columns = (size_t)s->g.f.features;
    s->each = am_alloc((size_t)models, sizeof *s->each, "models", err);
    dev_f32 *c = s->be->op->alloc(s->be, sizeof(float) * (size_t)models * columns, "features");
    s->set = (model_set){.be = s->be, .t = &s->g.spec.target, .g = &s->g, .c = c, .models = models};
    am_status status = lambda && s->each ? s->be->op->sync(s->be, err) : AM_ERR_MEMORY;
    log_grid(s->g.spec.lambda_low, s->g.spec.lambda_high, POINTS, grid);
    for (int m = 0; status == AM_OK && m < models; m++)
        lambda[m] = grid[m / draws];
    if (status == AM_OK)
        status =
            posterior_omega(s->be, OMEGA_DIRICHLET, 1, BLOCKS, models, 5, &omega, &omega0, err);
    if (status == AM_OK)
        status = generator_features(&s->g, models, lambda, omega, c, err);
    free(lambda);
    free(omega);
    free(omega0);
    return status;
}

am_status scene_open(scene *s, const scenario *of, backend *be, int64_t steps, am_error *err)
{
    *s = (scene){.of = of, .be = be};
    am_status status = open_rows(s, err);
    if (status == AM_OK)
        status = open_generator(s, err);
    if (status == AM_OK && of->refits == 0 && of->models == 0)
        status = open_fit(s, steps, err);
    if (status == AM_OK && of->models > 0)
        status = open_models(s, err);
    if (status != AM_OK)
        scene_close(s);
    return status;
}

void scene_close(scene *s)
{
    fit_close(s->fit);
    s->be->op->release(s->be, (void *)(uintptr_t)s->set.c);
    free(s->each);
    if (s->g.be != NULL)
        generator_close(&s->g);
    device_rows_close(&s->rows);
    *s = (scene){0};
}

/* ---- running ------------------------------------------------------------------------------------- */

static am_status run_refits(scene *s, const train_hooks *hooks, int64_t steps, am_error *err)
{
    double lambda[64];
    dev_f32 *theta;
    log_grid(1e-5, 1e-1, s->of->refits, lambda);
    refit_request request = {.t = &s->g.spec.target,
                             .models = s->of->refits,
                             .lambda = lambda,
                             .rows = BATCH,
                             .steps = steps,
                             .adam = {.schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8}};
    recipe_refit(&request.adam, steps);
    am_status status = refit_run(s->be, &request, &s->rows, hooks, &theta, err);
    s->be->op->release(s->be, theta);
    return status;
}

am_status scene_run(scene *s, const train_hooks *hooks, int64_t steps, am_error *err)
{
    if (s->of->refits > 0)
        return run_refits(s, hooks, steps, err);
    if (s->of->models > 0)
        return evaluate(&s->set, &s->rows, s->each, NULL, err);
    return fit_run(s->fit, hooks, err);
}

/* ---- seconds of a step ----------------------------------------------------------------------------- */

/* When the reports came, each after the device had been waited for; the first steps are left out. */
typedef struct {
    double first_time, last_time;
    int64_t first_step, last_step;
} clock_hook;

enum { WARM_STEPS = 3 };

static void note_time(void *context, const train_progress *p)
{
    clock_hook *c = context;
    c->last_time = am_seconds();
    c->last_step = p->step;
    if (c->first_step == 0 && p->step >= WARM_STEPS) {
        c->first_step = p->step;
        c->first_time = c->last_time;
    }
}

static am_status run_steps(const scenario *of, backend *be, int64_t steps, double *seconds,
                           am_error *err)
{
    scene s;
    clock_hook clock = {0};
    train_hooks hooks = {.context = &clock, .progress = note_time};
    AM_TRY(scene_open(&s, of, be, steps, err));
    am_status status = scene_run(&s, &hooks, steps, err);
    scene_close(&s);
    *seconds = (clock.last_time - clock.first_time) / (double)(clock.last_step - clock.first_step);
    return status;
}

/* Evaluations: the best of a few, after one that warms up. */
static am_status evaluation_seconds(const scenario *of, backend *be, double *seconds, am_error *err)
{
    scene s;
    *seconds = INFINITY;
    AM_TRY(scene_open(&s, of, be, 1, err));
    am_status status = scene_run(&s, NULL, 1, err);
    for (int i = 0; status == AM_OK && i < 5; i++) {
        double begin = am_seconds();
        status = scene_run(&s, NULL, 1, err);
        *seconds = fmin(*seconds, am_seconds() - begin);
    }
    scene_close(&s);
    return status;
}

am_status scene_seconds(const scenario *of, backend *be, double *seconds, am_error *err)
{
    enum { FEWEST = 12, MOST = 2000 };
    const double wanted = 1.0; /* seconds of steps */
    if (of->models > 0)
        return evaluation_seconds(of, be, seconds, err);
    AM_TRY(run_steps(of, be, FEWEST, seconds, err));
    int64_t steps = AM_MIN((int64_t)(wanted / fmax(*seconds, 1e-9)), (int64_t)MOST);
    return steps > FEWEST ? run_steps(of, be, steps, seconds, err) : AM_OK;
}
