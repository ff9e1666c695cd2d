#include "train/supervised.h"

#include "train/labels.h"
#include "train/regression.h"

#include <math.h>
#include <stdlib.h>

/* The labels are trained loop by loop: for each round, for each network, for each part of the labels. */
struct supervised {
    backend *be;
    generator *g;
    fit_settings settings;
    labels labels;
    regression regression;
    arena *state; /* not owned */
    int loop_slot;
    int parts, loops;
    int at;          /* the loop that runs */
    train_loop loop; /* steps of it done, and how to save */
};

/* ---- how the steps are shared ---------------------------------------------------------------------- */

int64_t criterion_steps(const fit_settings *s)
{
    if (s->mode != MODE_HYBRID)
        return s->mode == MODE_CRITERION ? s->steps : 0;
    int64_t steps = (int64_t)llround(s->share * (double)s->steps);
    return AM_MAX(AM_MIN(steps, s->steps - s->rounds), (int64_t)1);
}

/* Steps of a label when so many rounds are over. */
static int64_t steps_after(const fit_settings *s, int rounds)
{
    int64_t all = s->steps - criterion_steps(s);
    int64_t cold = s->mode == MODE_SUPERVISED && s->rounds > 1 ? all * 4 / 5 : 0;
    if (cold == 0)
        return all * rounds / s->rounds;
    return rounds == 0 ? 0 : cold + (all - cold) * (rounds - 1) / (s->rounds - 1);
}

int64_t round_steps(const fit_settings *s, int round)
{
    return steps_after(s, round + 1) - steps_after(s, round);
}

am_status supervised_check(const fit_settings *s, am_error *err)
{
    bool enough = s->steps > (s->mode == MODE_HYBRID ? 1 : 0);
    for (int r = 0; r < s->rounds; r++)
        enough = enough && round_steps(s, r) > 0;
    if (enough)
        return AM_OK;
    return am_fail(err, AM_ERR_USAGE,
                   "--steps %lld: too few for --rounds %d; give more steps or epochs, or fewer "
                   "rounds",
                   (long long)s->steps, s->rounds);
}

/* ---- open, close ----------------------------------------------------------------------------------- */

static am_status open_parts(supervised *s, const device_rows *data, am_error *err)
{
    const fit_settings *k = &s->settings;
    bool learns = s->g->phi_size > 0 && k->mode == MODE_SUPERVISED;
    if (learns && s->g->f.draws < k->labels)
        return am_fail(err, AM_ERR_INTERNAL, "supervised: generator opened for %d draws, not %d",
                       s->g->f.draws, k->labels);
    s->loop_slot = arena_add(s->state, AM_DTYPE_U64, 1, 0, "labels.loop");
    AM_TRY(labels_open(&s->labels, s->g, k, data, s->state, err));
    s->parts = labels_parts(&s->labels);
    s->loops = k->rounds * s->g->networks * s->parts;
    return regression_open(&s->regression, s->be, k->labels, s->g->f.features,
                           learns ? s->g->phi_size : 0, err);
}

am_status supervised_open(supervised **out, generator *g, const fit_settings *settings,
                          const device_rows *data, arena *state, am_error *err)
{
    *out = NULL;
    supervised *s = am_alloc(1, sizeof *s, "fit", err);
    if (s == NULL)
        return AM_ERR_MEMORY;
    s->be = g->be;
    s->g = g;
    s->settings = *settings;
    s->state = state;
    am_status status = open_parts(s, data, err);
    if (status != AM_OK) {
        supervised_close(s);
        return status;
    }
    *out = s;
    return AM_OK;
}

void supervised_close(supervised *s)
{
    if (s == NULL)
        return;
    labels_close(&s->labels);
    regression_close(&s->regression);
    free(s);
}

/* ---- run --------------------------------------------------------------------------------------------- */

static int round_of(const supervised *s, int loop)
{
    return loop / (s->g->networks * s->parts);
}

static int network_of(const supervised *s, int loop)
{
    return loop / s->parts % s->g->networks;
}

/* How much of the later loops' work there is, in steps of this one. */
static double work_after(const supervised *s, int loop)
{
    double steps = 0.0;
    for (int i = loop + 1; i < s->loops; i++)
        steps += (double)round_steps(&s->settings, round_of(s, i));
    return steps;
}

/* Readies labels and loop s->at; a loop that has begun goes on from its state. */
static am_status enter_loop(supervised *s, double begin, am_error *err)
{
    const fit_settings *k = &s->settings;
    int round = round_of(s, s->at);
    label_run run = {.round = round,
                     .network = network_of(s, s->at),
                     .part = s->at % s->parts,
                     .cold = k->mode == MODE_SUPERVISED && round == 0,
                     .steps = round_steps(k, round)};
    bool fresh = s->loop.done == 0;
    uint64_t at = (uint64_t)s->at;
    AM_TRY(labels_draw(&s->labels, round, err));
    if (fresh && run.part == 0)
        AM_TRY(labels_start(&s->labels, &run, err));
    AM_TRY(labels_select(&s->labels, &run, fresh, err));
    s->be->op->upload(s->be, arena_at(s->state, s->loop_slot), &at, sizeof at);
    AM_TRY(s->be->op->sync(s->be, err));
    int in_round = s->g->networks * s->parts;
    s->loop.be = s->be;
    s->loop.task = "fit";
    s->loop.stage = (train_stage){.before = criterion_steps(k) + steps_after(k, round),
                                  .total = k->steps,
                                  .part = s->at % in_round,
                                  .parts = in_round,
                                  .later = work_after(s, s->at),
                                  .begin = begin};
    s->loop.issue = model_batch_step;
    s->loop.context = &s->labels.batch;
    s->loop.guard = s->labels.batch.guard;
    s->loop.loss = s->labels.batch.loss;
    s->loop.models = s->labels.batch.models;
    s->loop.total = run.steps;
    return AM_OK;
}

/* g learns from the labels of its network. */
static am_status learn(supervised *s, am_error *err)
{
    generator one = generator_network(s->g, network_of(s, s->at));
    regression_data d = {.g = &one,
                         .u = s->labels.draws.u,
                         .omega = s->labels.draws.omega,
                         .c = s->labels.c,
                         .label = labels_theta(&s->labels)};
    bool learns = s->regression.dphi != NULL;
    return learns ? regression_features(&s->regression, &d, err)
                  : regression_head(&s->regression, &d, err);
}

am_status supervised_run(supervised *s, const train_hooks *hooks, double begin, am_error *err)
{
    for (; s->at < s->loops; s->at++, s->loop.done = 0) {
        AM_TRY(enter_loop(s, begin, err));
        AM_TRY(train_loop_run(&s->loop, hooks, err));
        if (s->at % s->parts == s->parts - 1)
            AM_TRY(learn(s, err));
    }
    return AM_OK;
}

/* ---- checkpoints ------------------------------------------------------------------------------------- */

int64_t supervised_step(const supervised *s)
{
    const fit_settings *k = &s->settings;
    int in_round = s->g->networks * s->parts, round = round_of(s, s->at);
    if (s->at >= s->loops)
        return steps_after(k, k->rounds);
    int64_t steps = round_steps(k, round);
    return steps_after(k, round) + (s->at % in_round * steps + s->loop.done) / in_round;
}

am_status supervised_resume(supervised *s, am_error *err)
{
    uint64_t at, step;
    AM_TRY(s->be->op->download(s->be, &at, arena_at(s->state, s->loop_slot), sizeof at, err));
    AM_TRY(s->be->op->download(s->be, &step, arena_at(s->state, s->labels.step_slot), sizeof step,
                               err));
    if (at >= (uint64_t)s->loops ||
        step > (uint64_t)round_steps(&s->settings, round_of(s, (int)at)))
        return am_fail(err, AM_ERR_INPUT,
                       "checkpoint: damaged, at step %llu of part %llu of the labels' %d; start "
                       "without --resume",
                       (unsigned long long)step, (unsigned long long)at, s->loops);
    s->at = (int)at;
    s->loop.done = (int64_t)step;
    s->loop.saved = true;
    return AM_OK;
}

void supervised_set_save(supervised *s,
                         am_status (*save)(void *context, const char *path, am_error *err),
                         void *context)
{
    s->loop.save = save;
    s->loop.save_context = context;
}
