/* A problem in principal components of its inputs, and the response that is computed there. */
#include "response/components.h"
#include "response/response.h"
#include "support/must.h"
#include "support/reference.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IN = 5, KEPT = 2, WIDE = 3, ROWS = 40 };

/* Rows that lie in a plane of the inputs: two components hold all of them. */
typedef struct {
    device d;
    problem p;
    target t;
    components c;
} plane;

static void plane_open(plane *s, int kept)
{
    static const float first[IN] = {1, 2, 0, -1, 0.5f}, second[IN] = {0, 1, -1, 1, 2};
    am_error err = {0};
    *s = (plane){.d = device_open()};
    must(target_parse("5-3-2", ACT_TANH, LOSS_CROSS_ENTROPY, &s->t, &err), &err);
    s->p = problem_open(&s->d, LOSS_CROSS_ENTROPY, ROWS, IN, 2, 2, 71);
    for (int i = 0; i < ROWS; i++) {
        float *x = s->p.rows.floats + (ptrdiff_t)i * IN, a = x[0], b = 0.3f * x[1];
        for (int j = 0; j < IN; j++)
            x[j] = a * first[j] + b * second[j];
    }
    problem_upload(&s->d, &s->p);
    must(components_open(&s->c, s->d.be, &s->t, &s->p.data, kept, &err), &err);
    uint32_t index[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        index[i] = i;
    dev_u32 *rows = s->d.op->alloc(s->d.be, sizeof index, "rows");
    s->d.op->upload(s->d.be, rows, index, sizeof index);
    must(components_find(&s->c, rows, ROWS, &err), &err);
    s->d.op->release(s->d.be, rows);
}

static void plane_close(plane *s)
{
    components_close(&s->c);
    problem_close(&s->p);
    device_close(&s->d);
}

Test(components, a_network_sees_in_them_what_it_sees_in_the_inputs)
{
    plane s;
    plane_open(&s, KEPT);
    cr_assert_eq(s.c.t.size[0], KEPT);
    cr_assert_eq(s.c.t.params, s.t.params - WIDE * (IN - KEPT));
    float *theta = random_floats(&s.d, 2 * s.t.params, 72); /* two networks */
    dev_f32 *own = device_floats(&s.d, 2 * s.c.t.params, NULL);
    components_restrict(&s.c, 2, device_floats(&s.d, 2 * s.t.params, theta), own);
    const float *restricted = read_floats(&s.d, own, 2 * s.c.t.params);
    const float *x = read_floats(&s.d, s.c.rows.data.floats, ROWS * KEPT);
    double *whole = to_doubles(&s.d, theta, 2 * s.t.params);
    double *part = to_doubles(&s.d, restricted, 2 * s.c.t.params);
    for (int e = 0; e < 2; e++)
        for (int i = 0; i < ROWS; i++) {
            double want[2], got[2];
            reference_forward(&s.t, whole + e * s.t.params, s.p.rows.floats + i * IN, want);
            reference_forward(&s.c.t, part + e * s.c.t.params, x + i * KEPT, got);
            for (int c = 0; c < 2; c++)
                cr_expect_float_eq(got[c], want[c], 1e-5, "row %d of network %d", i, e);
        }
    plane_close(&s);
}

Test(components, what_is_embedded_is_orthogonal_to_what_is_left_out)
{
    plane s;
    plane_open(&s, KEPT);
    int64_t own = s.c.t.params;
    float *some = random_floats(&s.d, own, 73);
    dev_f32 *theta = device_floats(&s.d, s.t.params, NULL), *back = device_floats(&s.d, own, NULL);
    components_embed(&s.c, 1, device_floats(&s.d, own, some), theta);
    components_restrict(&s.c, 1, theta, back);
    expect_floats(&s.d, back, own, some, 1e-6); /* VᵀV = I */
    const float *embedded = read_floats(&s.d, theta, s.t.params);
    static const float normal[2][IN] = {{2, -1, -1, 0, 0}, {3, -1, 0, 1, 0}}; /* to the plane */
    for (int h = 0; h < WIDE; h++)
        for (int v = 0; v < 2; v++) {
            double sum = 0.0;
            for (int j = 0; j < IN; j++)
                sum += (double)embedded[h * IN + j] * (double)normal[v][j];
            cr_expect_float_eq(sum, 0.0, 1e-5);
        }
    plane_close(&s);
}

/* Σ_j m_j V_jq² adds up to Σ_j m_j for a full basis, and is m where m is constant. */
Test(components, the_diagonal_of_a_metric)
{
    plane s;
    plane_open(&s, KEPT);
    float *m = random_floats(&s.d, s.t.params, 74);
    for (int j = 0; j < IN; j++)
        m[j] = 0.7f; /* of the first unit: any orthonormal columns keep it */
    dev_f32 *own = device_floats(&s.d, s.c.t.params, NULL);
    components_diagonal(&s.c, device_floats(&s.d, s.t.params, m), own);
    const float *got = read_floats(&s.d, own, s.c.t.params);
    const float *v = read_floats(&s.d, s.c.basis, IN * KEPT);
    for (int q = 0; q < KEPT; q++) {
        double want = 0.0;
        for (int j = 0; j < IN; j++)
            want += (double)m[IN + j] * (double)v[j * KEPT + q] * (double)v[j * KEPT + q];
        cr_expect_float_eq((double)got[q], 0.7, 1e-5);
        cr_expect_float_eq((double)got[KEPT + q], want, 1e-5);
    }
    for (int64_t i = 1; i <= s.t.params - WIDE * IN; i++)
        cr_expect_eq(got[s.c.t.params - i], m[s.t.params - i], "biases and later layers");
    plane_close(&s);
}

Test(components, all_of_them_are_the_problem_itself)
{
    plane s;
    plane_open(&s, IN);
    cr_expect_eq(s.c.t.params, s.t.params);
    cr_expect_eq(s.c.rows.data.floats, s.p.data.data.floats);
    float *theta = random_floats(&s.d, s.t.params, 75);
    dev_f32 *own = device_floats(&s.d, s.t.params, NULL),
            *back = device_floats(&s.d, s.t.params, NULL);
    components_restrict(&s.c, 1, device_floats(&s.d, s.t.params, theta), own);
    components_embed(&s.c, 1, own, back);
    expect_floats(&s.d, own, s.t.params, theta, 0);
    expect_floats(&s.d, back, s.t.params, theta, 0);
    plane_close(&s);
}
