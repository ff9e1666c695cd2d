/* What a report shows along λ: positions, confusion matrices, the gallery, the compact generator. */
#include "support/problem.h"
#include "tune/explore.h"

#include "data_files.h"

#include <math.h>

/* ---- positions --------------------------------------------------------------------------------- */

Test(report_explore, positions_lie_between_the_points_of_the_curve)
{
    const double curve[] = {1e-4, 1e-3, 1e-2};
    exploration e;
    am_error err = {0};
    cr_assert_eq(explore_positions(curve, 3, 1e-3, &e, &err), AM_OK);
    cr_expect_eq(e.positions, 2 * 47 + 1); /* ⌊95/2⌋ steps between neighbours */
    cr_expect(e.lambda[0] == 1e-4 && e.lambda[47] == 1e-3 && e.lambda[94] == 1e-2);
    for (int i = 1; i < e.positions; i++)
        cr_expect_float_eq(log10(e.lambda[i] / e.lambda[i - 1]), 1.0 / 47, 1e-12);
    exploration_free(&e);
}

Test(report_explore, a_choice_off_the_curve_gets_a_position)
{
    const double curve[] = {1e-4, 1e-2};
    exploration e;
    am_error err = {0};
    cr_assert_eq(explore_positions(curve, 2, 1.2345e-3, &e, &err), AM_OK);
    int found = 0;
    for (int i = 0; i < e.positions; i++) {
        found += e.lambda[i] == 1.2345e-3;
        cr_expect(i == 0 || e.lambda[i] > e.lambda[i - 1]);
    }
    cr_expect(found == 1 && e.positions == 97);
    exploration_free(&e);
}

Test(report_explore, a_fine_curve_is_thinned)
{
    double curve[1000];
    exploration e;
    am_error err = {0};
    log_grid(1e-5, 1e-1, 1000, curve);
    cr_assert_eq(explore_positions(curve, 1000, NAN, &e, &err), AM_OK);
    cr_expect(e.positions > 90 && e.positions < 200, "%d", e.positions);
    cr_expect(e.lambda[0] == 1e-5 && e.lambda[e.positions - 1] == 1e-1);
    exploration_free(&e);
}

/* ---- a model ----------------------------------------------------------------------------------- */

typedef struct {
    device d;
    problem p;
    generator g;
    double lambda;
    posterior_request q;
} scene;

static void scene_open(scene *s, const char *features_text, omega_kind weights, int networks)
{
    *s = (scene){.d = device_open(), .lambda = 1e-2};
    generator_spec spec = spec_of("5-6-3", ACT_TANH, LOSS_CROSS_ENTROPY, features_text, weights, 4);
    spec.networks = networks;
    s->p = problem_open(&s->d, LOSS_CROSS_ENTROPY, 300, 5, 3, 4, 31);
    s->g = generator_of(&s->d, &spec, 8);
    generator_fill(&s->d, &s->g, 32, 0.6F);
    s->q = (posterior_request){.g = &s->g,
                               .lambda = &s->lambda,
                               .draws = 6,
                               .evaluation = &s->p.data,
                               .blocks = 4,
                               .weights = weights,
                               .alpha = 1,
                               .seed = 5};
}

static void scene_close(scene *s)
{
    generator_close(&s->g);
    problem_close(&s->p);
    device_close(&s->d);
}

Test(report_explore, confusion_matrices_count_every_row_and_agree_with_the_accuracy)
{
    const double curve[] = {1e-3, 1e-1};
    scene s;
    exploration e;
    am_error err = {0};
    scene_open(&s, "cheb:3", OMEGA_ONES, 1);
    cr_assert_eq(explore_positions(curve, 2, NAN, &e, &err), AM_OK);
    cr_assert_eq(explore_evaluate(&s.g, &s.p.data, &s.p.rows, &e, &err), AM_OK, "%s", err.message);
    int32_t own[3] = {0};
    for (int64_t i = 0; i < s.p.rows.n; i++)
        own[s.p.rows.label[i]]++;
    for (int i = 0; i < e.positions; i++) {
        const int32_t *m = e.confusion + 9 * i;
        for (int c = 0; c < 3; c++)
            cr_expect_eq(m[3 * c] + m[3 * c + 1] + m[3 * c + 2], own[c]);
        cr_expect_float_eq((m[0] + m[4] + m[8]) / 300.0, e.at[i].accuracy, 1e-12);
    }
    exploration_free(&e);
    scene_close(&s);
}

Test(report_explore, the_gallery_holds_rows_of_every_kind_once)
{
    scene s;
    gallery v;
    am_error err = {0};
    scene_open(&s, "cheb:3+response:3", OMEGA_DIRICHLET, 1);
    cr_assert_eq(gallery_open(&s.q, &s.p.rows, 24, &v, &err), AM_OK, "%s", err.message);
    cr_expect(v.rows == 24 && v.draws == 6 && v.blocks == 4);
    float *plain = malloc(sizeof(float) * 24 * 3);
    model_set set;
    cr_assert_eq(models_at(&s.g, &s.lambda, 1, &set, &err), AM_OK);
    cr_assert_eq(evaluate_predictions(&set, &v.device, plain, &err), AM_OK);
    int kinds[GALLERY_KINDS] = {0};
    for (int i = 0; i < v.rows; i++) {
        const float *p = plain + 3 * i;
        int best = p[1] > p[0] ? 1 : 0;
        best = p[2] > p[best] ? 2 : best;
        kinds[v.kind[i]]++;
        for (int j = 0; j < i; j++)
            cr_expect_neq(v.row[i], v.row[j]);
        cr_expect_eq(v.host.label[i], s.p.rows.label[v.row[i]]);
        cr_expect_eq(v.host.floats[5 * i + 4], s.p.rows.floats[5 * v.row[i] + 4]);
        if (v.kind[i] == GALLERY_WRONG)
            cr_expect_neq(best, v.host.label[i]);
        if (v.kind[i] == GALLERY_TYPICAL)
            cr_expect_eq(best, v.host.label[i]);
    }
    cr_expect(kinds[GALLERY_UNSURE] == 8 && kinds[GALLERY_WRONG] == 8 &&
              kinds[GALLERY_TYPICAL] == 8);
    s.g.be->op->release(s.g.be, (void *)(uintptr_t)set.c);
    free(plain);
    gallery_close(&v);
    scene_close(&s);
}

Test(report_explore, predictions_computed_before_are_the_draws_of_sample)
{
    const double lambda[] = {1e-3, 1e-2};
    scene s;
    gallery v;
    posterior_models m;
    am_error err = {0};
    scene_open(&s, "cheb:3+response:3", OMEGA_DIRICHLET, 1);
    cr_assert_eq(gallery_open(&s.q, &s.p.rows, 9, &v, &err), AM_OK);
    cr_assert_eq(gallery_predict(&s.q, lambda, 2, &v, &err), AM_OK, "%s", err.message);
    cr_assert_eq(posterior_open(&s.q, &m, &err), AM_OK);
    float *want = malloc(sizeof(float) * 6 * 9 * 3);
    cr_assert_eq(evaluate_predictions(&m.set, &v.device, want, &err), AM_OK);
    for (int i = 0; i < 6 * 9 * 3; i++)
        cr_expect_eq(v.draw[6 * 9 * 3 + i], want[i]);
    for (int i = 0; i < 9 * 3; i++) {
        double sum = 0;
        for (int d = 0; d < 6; d++)
            sum += (double)want[d * 27 + i];
        cr_expect_float_eq((double)v.mean[27 + i], sum / 6, 1e-6);
    }
    free(want);
    posterior_close(&m);
    gallery_close(&v);
    scene_close(&s);
}

/* ---- the generator in few bytes ---------------------------------------------------------------- */

/* Scale of parameter i of tensors that begin with `first`: one per unit, one per bias. */
static int64_t scale_row(const target *t, int first, int64_t i)
{
    int64_t row = 0;
    for (int k = first; k < t->tensor_count; k++) {
        const target_tensor *x = &t->tensor[k];
        int64_t rows = x->rank == 2 ? x->shape[0] : 1;
        if (i < x->offset + x->count)
            return row + (i - x->offset) / (x->count / rows);
        row += rows;
    }
    cr_assert_fail("parameter %lld is in no tensor", (long long)i);
    return row;
}

Test(report_explore, codes_stand_for_the_head_to_half_a_step)
{
    scene s;
    gallery v;
    compact c;
    am_error err = {0};
    scene_open(&s, "cheb:3+response:3", OMEGA_DIRICHLET, 1);
    cr_assert_eq(gallery_open(&s.q, &s.p.rows, 9, &v, &err), AM_OK);
    cr_assert_eq(compact_open(&s.g, &v, &c, &err), AM_OK, "%s", err.message);
    const target *t = &s.g.spec.target;
    cr_assert(c.fits && c.terms == 4 && c.answers == 12 && c.behind == 21);
    const float *head = generator_head(&s.d, &s.g);
    for (int k = 0; k < c.terms; k++)
        for (int64_t i = 0; i < t->params; i++) {
            float scale = c.base_scale[k * c.base_rows + scale_row(t, 0, i)];
            cr_expect_float_eq((float)c.base[k * t->params + i] * scale, head[k * t->params + i],
                               0.5001F * scale);
        }
    for (int k = 0; k < c.answers; k++)
        for (int64_t i = 0; i < c.behind; i++) {
            int64_t at = t->params - c.behind + i;
            float scale = c.upper_scale[k * c.behind_rows + scale_row(t, 2, at)];
            cr_expect_float_eq((float)c.upper[k * c.behind + i] * scale,
                               head[(4 + k) * t->params + at], 0.5001F * scale);
        }
    compact_close(&c);
    gallery_close(&v);
    scene_close(&s);
}

Test(report_explore, hidden_units_follow_the_features_of_omega)
{
    scene s;
    gallery v;
    compact c;
    am_error err = {0};
    scene_open(&s, "cheb:3+response:3", OMEGA_DIRICHLET, 1);
    cr_assert_eq(gallery_open(&s.q, &s.p.rows, 9, &v, &err), AM_OK);
    cr_assert_eq(compact_open(&s.g, &v, &c, &err), AM_OK);
    const float *head = generator_head(&s.d, &s.g);
    int64_t params = s.g.spec.target.params;
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 12; k++)
            for (int u = 0; u < 6; u++) {
                const float *theta = head + (4 + k) * params;
                double z = (double)theta[30 + u]; /* W1 (6,5), then b1 */
                for (int j = 0; j < 5; j++)
                    z += (double)theta[5 * u + j] * (double)v.host.floats[5 * i + j];
                double scale = (double)c.hidden_scale[12 * i + k];
                cr_expect_float_eq(c.hidden[(12 * i + k) * 6 + u] * scale, z, 0.5001 * scale);
            }
    compact_close(&c);
    gallery_close(&v);
    scene_close(&s);
}

Test(report_explore, other_generators_are_left_to_the_program)
{
    static const struct {
        const char *features;
        omega_kind weights;
        int networks;
    } other[] = {
        {"mlp:6,4", OMEGA_ONES, 1}, {"split:6,4", OMEGA_DIRICHLET, 1}, {"cheb:3", OMEGA_ONES, 2}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        scene s;
        compact c;
        am_error err = {0};
        scene_open(&s, other[i].features, other[i].weights, other[i].networks);
        cr_assert_eq(compact_open(&s.g, NULL, &c, &err), AM_OK);
        cr_expect_not(c.fits, "%s", other[i].features);
        cr_expect_null(c.base);
        scene_close(&s);
    }
}
