#include "support/problem.h"

#include "draw/philox.h"

#include <criterion/criterion.h>
#include <stdlib.h>

double random_at(uint64_t seed, uint32_t i, double low, double high)
{
    return low + (high - low) * uniform_open(philox(seed, STREAM_TEST, 1, 0, i).x[0]);
}

static float *floats(int64_t count, uint64_t seed, double low, double high)
{
    float *x = calloc((size_t)count, sizeof *x);
    cr_assert_not_null(x);
    for (int64_t i = 0; i < count; i++)
        x[i] = (float)random_at(seed, (uint32_t)i, low, high);
    return x;
}

/* value (n, C) = X Aᵀ + noise */
static float *teach(const am_rows *rows, uint64_t seed)
{
    float *map = floats((int64_t)rows->inputs * rows->outputs, seed + 1, -1.5, 1.5);
    float *value = floats(rows->n * rows->outputs, seed + 2, -0.3, 0.3);
    for (int64_t i = 0; i < rows->n; i++)
        for (int c = 0; c < rows->outputs; c++)
            for (int j = 0; j < rows->inputs; j++)
                value[i * rows->outputs + c] +=
                    map[c * rows->inputs + j] * rows->floats[i * rows->inputs + j];
    free(map);
    return value;
}

static int32_t *classes(const am_rows *rows, const float *value)
{
    int32_t *label = calloc((size_t)rows->n, sizeof *label);
    cr_assert_not_null(label);
    for (int64_t i = 0; i < rows->n; i++)
        for (int c = 1; c < rows->outputs; c++)
            if (value[i * rows->outputs + c] > value[i * rows->outputs + label[i]])
                label[i] = c;
    return label;
}

problem problem_open(device *d, loss_kind loss, int64_t n, int inputs, int outputs, int64_t blocks,
                     uint64_t seed)
{
    problem p = {.rows = {.n = n, .inputs = inputs, .outputs = outputs, .scale = 1.0f},
                 .blocks = blocks};
    p.rows.floats = floats(n * inputs, seed, -1.0, 1.0);
    float *value = teach(&p.rows, seed);
    if (loss == LOSS_SQUARED) {
        p.rows.target = value;
    } else {
        p.rows.label = classes(&p.rows, value);
        free(value);
    }
    p.block = calloc((size_t)n, sizeof *p.block);
    cr_assert_not_null(p.block);
    for (int64_t i = 0; i < n; i++)
        p.block[i] = (uint32_t)(i % blocks);
    problem_upload(d, &p);
    return p;
}

void problem_upload(device *d, problem *p)
{
    am_error err = {0};
    device_rows_close(&p->data);
    cr_assert_eq(device_rows_open(&p->data, d->be, &p->rows, p->block, &err), AM_OK, "%s",
                 err.message);
}

void problem_close(problem *p)
{
    device_rows_close(&p->data);
    free(p->rows.floats);
    free(p->rows.label);
    free(p->rows.target);
    free(p->block);
    *p = (problem){0};
}

generator_spec spec_of(const char *target_text, activation act, loss_kind loss,
                       const char *features_text, omega_kind weights, int64_t blocks)
{
    am_error err = {0};
    generator_spec spec = {.lambda_low = 1e-3,
                           .lambda_high = 1e-1,
                           .weights = weights,
                           .alpha = 1.0,
                           .blocks = blocks,
                           .seed = 3};
    cr_assert_eq(target_parse(target_text, act, loss, &spec.target, &err), AM_OK, "%s",
                 err.message);
    cr_assert_eq(feature_spec_parse(features_text, weights != OMEGA_ONES, &spec.features, &err),
                 AM_OK, "%s", err.message);
    return spec;
}

generator generator_of(device *d, const generator_spec *spec, int draws)
{
    am_error err = {0};
    generator g;
    cr_assert_eq(generator_open(&g, d->be, spec, draws, &err), AM_OK, "%s", err.message);
    return g;
}

void generator_fill(device *d, generator *g, uint64_t seed, float size)
{
    int64_t head = (int64_t)g->f.features * g->spec.target.params;
    float *value = floats(head + g->phi_size, seed, -(double)size, (double)size);
    d->op->upload(d->be, g->head, value, sizeof *value * (size_t)head);
    if (g->phi != NULL)
        d->op->upload(d->be, g->phi, value + head, sizeof *value * (size_t)g->phi_size);
    free(value);
}

float *generator_head(device *d, const generator *g)
{
    return read_floats(d, g->head, (int64_t)g->f.features * g->spec.target.params);
}

float *generator_phi(device *d, const generator *g)
{
    return read_floats(d, g->phi, g->phi_size);
}

void generator_set_head(generator *g, const float *head)
{
    size_t count = (size_t)g->f.features * (size_t)g->spec.target.params;
    g->be->op->upload(g->be, g->head, head, count * sizeof *head);
}
