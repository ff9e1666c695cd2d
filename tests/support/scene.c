#include "support/scene.h"

#include <criterion/criterion.h>
#include <math.h>

static float *row_weights(scene *s)
{
    int rows = s->k->rows;
    float *weight = host_floats(&s->d, s->k->draws * rows);
    for (int m = 0; m < s->k->draws; m++)
        for (int i = 0; i < rows; i++)
            weight[m * rows + i] = s->omega[m * s->k->blocks + (int)s->p.block[i]];
    return weight;
}

static void draw(scene *s)
{
    int count = s->k->draws * s->g.groups.count;
    float *lambda = host_floats(&s->d, count), *u = host_floats(&s->d, count);
    for (int i = 0; i < count; i++) {
        u[i] = (float)random_at(41, (uint32_t)i, -1.0, 1.0);
        lambda[i] = (float)exp(log(1e-2) + (double)u[i]);
        s->u[i] = (double)u[i];
        s->lambda[i] = (double)lambda[i];
    }
    s->u_device = device_floats(&s->d, count, u);
    s->batch = (minibatch){.models = s->k->draws,
                           .rows = s->k->rows,
                           .sets = 1,
                           .x = s->p.data.data.floats,
                           .label = s->p.data.data.label,
                           .target = s->p.data.data.target,
                           .lambda = device_floats(&s->d, count, lambda),
                           .divisor = s->k->rows,
                           .grad_scale = 1.0 / s->k->draws};
    if (s->k->weights == OMEGA_ONES)
        return;
    int64_t weights = (int64_t)s->k->draws * s->k->blocks;
    s->omega = host_floats(&s->d, weights);
    for (int64_t i = 0; i < weights; i++)
        s->omega[i] = (float)random_at(42, (uint32_t)i, 0.0, 2.0);
    s->omega_device = device_floats(&s->d, weights, s->omega);
    s->batch.weight = device_floats(&s->d, (int64_t)s->k->draws * s->k->rows, row_weights(s));
}

void scene_open(scene *s, const setting *k)
{
    *s = (scene){.k = k, .d = device_open()};
    generator_spec spec = spec_of(k->target, k->act, k->loss, k->features, k->weights, k->blocks);
    spec.per_layer = k->per_layer;
    spec.embedding = k->embedding;
    const target *t = &spec.target;
    s->p = problem_open(&s->d, k->loss, k->rows, t->size[0], t->size[t->layers], k->blocks, 51);
    s->g = generator_of(&s->d, &spec, k->draws);
    generator_fill(&s->d, &s->g, 52, 0.4f);
    draw(s);
}

void scene_close(scene *s)
{
    problem_close(&s->p);
    generator_close(&s->g);
    device_close(&s->d);
}

/* dΘ = cᵀ·dθ */
static float *outer(scene *s, const float *c, const float *dtheta)
{
    int64_t params = s->g.spec.target.params;
    int r1 = s->g.f.features;
    float *head = host_floats(&s->d, r1 * params);
    for (int k = 0; k < r1; k++)
        for (int64_t p = 0; p < params; p++) {
            double sum = 0.0;
            for (int m = 0; m < s->k->draws; m++)
                sum += (double)c[m * r1 + k] * (double)dtheta[m * params + p];
            head[k * params + p] = (float)sum;
        }
    return head;
}

plan_result run_plan(scene *s, plan_kind kind)
{
    plan p;
    am_error err = {0};
    int64_t params = s->g.spec.target.params;
    int draws = s->k->draws, r1 = s->g.f.features;
    cr_assert_eq(plan_open(&p, &s->g, kind, draws, s->k->rows, true, &err), AM_OK, "%s",
                 err.message);
    dev_f32 *c = device_floats(&s->d, draws * r1, NULL),
            *dc = device_floats(&s->d, draws * r1, NULL);
    dev_f32 *phi = device_floats(&s->d, s->g.phi_size + 1, NULL);
    dev_f64 *loss = device_doubles(&s->d, draws, NULL);
    features_forward(&s->g.f, draws, s->g.phi, s->u_device, s->omega_device, c);
    plan_gradient(&p, &s->batch, c, dc, loss);
    plan_result r = {.loss = read_doubles(&s->d, loss, draws),
                     .dc = read_floats(&s->d, dc, draws * r1)};
    r.head = kind == PLAN_FACTORED ? read_floats(&s->d, p.dhead, r1 * params)
                                   : outer(s, read_floats(&s->d, c, draws * r1),
                                           read_floats(&s->d, p.dtheta, draws * params));
    if (s->g.phi != NULL) {
        features_backward(&s->g.f, draws, s->g.phi, c, dc, phi);
        r.phi = read_floats(&s->d, phi, s->g.phi_size);
    }
    plan_close(&p);
    return r;
}
