#include "support/response_scene.h"

#include "response/weighted_gradients.h"
#include "support/must.h"

#include <math.h>

enum { MOST = 64 /* inputs: all of them are kept */ };

static response_metric metric_of(void *context, int which, double u)
{
    const response_scene *s = context;
    cr_assert(which == 0 && fabs(u) == 1.0);
    return (response_metric){
        .moment2 = s->moment2, .correction = 0.5, .epsilon = 1e-3, .time = s->time};
}

void response_scene_open(response_scene *s, const char *text, loss_kind loss, int64_t rows,
                         int64_t blocks, int draws, int iterations)
{
    am_error err = {0};
    *s = (response_scene){.d = device_open(), .time = 0.7};
    generator_spec spec = spec_of(text, ACT_TANH, loss, "cheb:2", OMEGA_ONES, blocks);
    const target *t = &spec.target;
    s->p = problem_open(&s->d, loss, rows, t->size[0], t->size[t->layers], blocks, 61);
    s->g = generator_of(&s->d, &spec, 2);
    generator_fill(&s->d, &s->g, 62, 0.6f);
    s->state = device_floats(&s->d, SCENE_NODES * (draws > 0 ? draws : blocks) * t->params, NULL);
    float *v = random_floats(&s->d, t->params, 63);
    for (int64_t i = 0; i < t->params; i++)
        v[i] = 0.01f + 0.02f * v[i] * v[i];
    s->moment2 = device_floats(&s->d, t->params, v);
    response_settings settings = {.nodes = SCENE_NODES,
                                  .snapshots = 2,
                                  .rows = (int)rows,
                                  .inputs = MOST,
                                  .components = MOST,
                                  .iterations = iterations,
                                  .weights = OMEGA_DIRICHLET,
                                  .draws = draws};
    must(response_open(&s->r, &s->g, &settings, &s->p.data, s->state, &err), &err);
}

void response_scene_close(response_scene *s)
{
    response_close(s->r);
    generator_close(&s->g);
    problem_close(&s->p);
    device_close(&s->d);
}

void response_scene_advance(response_scene *s, int snapshot)
{
    am_error err = {0};
    must(response_advance(s->r, snapshot, metric_of, s, &err), &err);
}

float *drawn_weights(device *d, const generator_spec *spec, int draws)
{
    am_error err = {0};
    weight_source from = {OMEGA_DIRICHLET, spec->alpha, spec->seed, spec->blocks};
    dev_f32 *omega = device_floats(d, draws * spec->blocks, NULL);
    must(weights_drawn(d->be, &from, draws, omega, &err), &err);
    return read_floats(d, omega, draws * spec->blocks);
}
