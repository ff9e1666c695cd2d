#include "train/labels.h"

#include "draw/philox.h"

#include <math.h>
#include <stdlib.h>

/* Labels that are refitted at once hold at most so many bytes of gradients, moments and activations,
 * a number that depends on nothing but the run, so that a checkpoint fits wherever it is resumed. */
static const double PART_BYTES = 1 << 30;

static uint64_t minibatch_seed(uint64_t seed, const label_run *run)
{
    philox4 r = philox(seed, STREAM_LABELS, 1u + (uint32_t)run->round, (uint32_t)run->network, 0);
    return (uint64_t)r.x[1] << 32 | r.x[0];
}

/* Bytes beside θ that one label takes while it is refitted. */
static double label_bytes(const target *t, int rows)
{
    double units = 0.0;
    for (int l = 1; l <= t->layers; l++)
        units += t->size[l];
    return sizeof(float) * (3.0 * (double)t->params + 2.0 * rows * units);
}

static am_status open_buffers(labels *l, const fit_settings *s, const device_rows *data,
                              am_error *err)
{
    const generator_spec *spec = &l->g->spec;
    const backend_ops *op = l->be->op;
    size_t count = (size_t)l->count;
    l->draws = (draw_buffers){.be = l->be,
                              .spec = spec,
                              .nodes = s->nodes,
                              .draws = l->count,
                              .groups = l->g->groups.count,
                              .sets = 1,
                              .stretch = AM_MAX(s->stretch, 1.0),
                              .seed = seed_for(spec->seed, STREAM_LABELS)};
    l->round = op->alloc(l->be, sizeof(uint64_t), "round of the labels");
    l->draws.step = l->round;
    l->c = op->alloc(l->be, sizeof(float) * count * (size_t)l->g->f.features, "features");
    l->rate_scale = op->alloc(l->be, sizeof(float) * count, "step sizes");
    AM_TRY(draws_open(&l->draws, 1, err));
    return model_batch_open(&l->batch, l->be, &spec->target, l->g->groups, l->part, data, 0,
                            s->rows, 1, spec->blocks, err);
}

am_status labels_open(labels *l, generator *g, const fit_settings *s, const device_rows *data,
                      arena *state, am_error *err)
{
    const target *t = &g->spec.target;
    double most = PART_BYTES / label_bytes(t, s->rows);
    *l = (labels){.be = g->be,
                  .g = g,
                  .count = s->labels,
                  .tilt = s->tilt,
                  .adam = s->label,
                  .warm = s->warm,
                  .state = state};
    if (s->part > 0)
        most = s->part;
    l->part = most >= l->count ? l->count : AM_MAX((int)most, 1);
    l->step_slot = arena_add(state, AM_DTYPE_U64, 1, 0, "labels.step");
    l->guard_slot = arena_add(state, AM_DTYPE_U64, sizeof(guard_state) / 8, 0, "labels.guard");
    l->theta_slot = arena_add(state, AM_DTYPE_F32, l->count, t->params, "labels");
    l->moment1_slot = arena_add(state, AM_DTYPE_F32, l->part, t->params, "labels.moment1");
    l->moment2_slot = arena_add(state, AM_DTYPE_F32, l->part, t->params, "labels.moment2");
    return open_buffers(l, s, data, err);
}

void labels_close(labels *l)
{
    void *owned[] = {l->round, l->c, l->rate_scale};
    for (size_t i = 0; l->be != NULL && i < sizeof owned / sizeof *owned; i++)
        l->be->op->release(l->be, owned[i]);
    draws_close(&l->draws);
    model_batch_close(&l->batch);
    *l = (labels){0};
}

int labels_parts(const labels *l)
{
    return (l->count + l->part - 1) / l->part;
}

dev_f32 *labels_theta(const labels *l)
{
    return arena_at(l->state, l->theta_slot);
}

/* rate_scale_b = 2^(−tilt·ū_b), ū_b the mean of u_b over the groups. */
static am_status scale_rates(labels *l, am_error *err)
{
    int groups = l->draws.groups;
    size_t count = (size_t)l->count * (size_t)groups;
    float *u = am_alloc(count, sizeof *u, "step sizes", err);
    float *scale = am_alloc((size_t)l->count, sizeof *scale, "step sizes", err);
    am_status status = u && scale ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = l->be->op->download(l->be, u, l->draws.u, count * sizeof *u, err);
    if (status == AM_OK) {
        for (size_t i = 0; i < count; i++)
            scale[i / (size_t)groups] += u[i] / (float)groups;
        for (int b = 0; b < l->count; b++)
            scale[b] = (float)exp2(-l->tilt * (double)scale[b]);
        l->be->op->upload(l->be, l->rate_scale, scale, sizeof *scale * (size_t)l->count);
        status = l->be->op->sync(l->be, err);
    }
    free(u);
    free(scale);
    return status;
}

am_status labels_draw(labels *l, int round, am_error *err)
{
    generator *g = l->g;
    uint64_t counter = (uint64_t)round;
    int64_t groups = l->draws.groups, blocks = g->spec.blocks;
    l->be->op->upload(l->be, l->round, &counter, sizeof counter);
    AM_TRY(l->be->op->sync(l->be, err));
    draws_next(&l->draws);
    for (int b = 0; b < l->count; b += g->f.draws) {
        const dev_f32 *omega = l->draws.omega ? f32_at(l->draws.omega, b * blocks) : NULL;
        features_forward(&g->f, AM_MIN(g->f.draws, l->count - b), g->phi,
                         f32_at(l->draws.u, b * groups), omega,
                         f32_at(l->c, (int64_t)b * g->f.features));
    }
    return scale_rates(l, err);
}

static am_status start_cold(const labels *l, int which, am_error *err)
{
    const target *t = &l->g->spec.target;
    float *theta = am_alloc((size_t)t->params, sizeof *theta, "initial weights", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    target_init(t, l->g->spec.seed, (uint32_t)which, theta);
    for (int64_t b = 0; b < l->count; b++)
        l->be->op->upload(l->be, f32_at(labels_theta(l), b * t->params), theta,
                          sizeof *theta * (size_t)t->params);
    am_status status = l->be->op->sync(l->be, err);
    free(theta);
    return status;
}

am_status labels_start(labels *l, const label_run *run, am_error *err)
{
    if (run->cold)
        return start_cold(l, run->network, err);
    generator one = generator_network(l->g, run->network);
    generator_theta(&one, l->count, l->c, labels_theta(l));
    return l->be->op->sync(l->be, err);
}

am_status labels_select(labels *l, const label_run *run, bool fresh, am_error *err)
{
    model_batch *m = &l->batch;
    const backend_ops *op = l->be->op;
    int64_t first = (int64_t)run->part * l->part;
    m->models = AM_MIN(l->part, l->count - (int)first);
    m->steps = run->steps;
    m->adam = l->adam;
    m->adam.rate *= run->cold ? 1.0 : l->warm;
    m->adam.warmup = AM_MIN(l->adam.warmup, run->steps / 10);
    m->batch.seed = minibatch_seed(l->g->spec.seed, run);
    m->theta = f32_at(labels_theta(l), first * m->params);
    m->moment1 = arena_at(l->state, l->moment1_slot);
    m->moment2 = arena_at(l->state, l->moment2_slot);
    m->lambda = f32_at(l->draws.lambda, first * l->draws.groups);
    m->omega = l->draws.omega ? f32_at(l->draws.omega, first * l->g->spec.blocks) : NULL;
    m->rate_scale = f32_at(l->rate_scale, first);
    m->step = arena_at(l->state, l->step_slot);
    m->guard = arena_at(l->state, l->guard_slot);
    if (fresh) {
        size_t bytes = sizeof(float) * (size_t)l->part * (size_t)m->params;
        op->zero(l->be, m->moment1, bytes);
        op->zero(l->be, m->moment2, bytes);
        op->zero(l->be, m->step, sizeof(uint64_t));
        op->zero(l->be, m->guard, sizeof(guard_state));
    }
    return op->sync(l->be, err);
}
