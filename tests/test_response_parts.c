/* The parts of the implicit response: Gauss–Newton products, block gradients and Kronecker factors, each
 * against a naive evaluation in double. */
#include "response/block_gradients.h"
#include "response/gauss_newton.h"
#include "response/kfac.h"
#include "support/must.h"
#include "support/reference.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Gauss–Newton ---------------------------------------------------------------------------- */

/* (Σ_b J_bᵀ H_b J_b) v in double, J by central differences. */
static void naive_product(const target *t, const double *theta, const problem *p, const double *v,
                          double *y)
{
    int outputs = t->size[t->layers];
    int64_t params = t->params;
    const double step = 1e-5;
    double *shifted = malloc(sizeof(double) * (size_t)params);
    double *jacobian = malloc(sizeof(double) * (size_t)params * (size_t)outputs);
    memset(y, 0, sizeof(double) * (size_t)params);
    for (int64_t i = 0; i < p->rows.n; i++) {
        const float *x = p->rows.floats + i * p->rows.inputs;
        double up[8], down[8], h[8], jv[8] = {0}, sum = 0.0;
        for (int64_t j = 0; j < params; j++) {
            memcpy(shifted, theta, sizeof(double) * (size_t)params);
            shifted[j] += step;
            reference_forward(t, shifted, x, up);
            shifted[j] -= 2 * step;
            reference_forward(t, shifted, x, down);
            for (int c = 0; c < outputs; c++) {
                jacobian[c * params + j] = (up[c] - down[c]) / (2 * step);
                jv[c] += jacobian[c * params + j] * v[j];
            }
        }
        reference_forward(t, theta, x, up);
        for (int c = 0; c < outputs; c++)
            sum += exp(up[c]);
        double mean = 0.0;
        for (int c = 0; c < outputs; c++)
            mean += exp(up[c]) / sum * jv[c];
        for (int c = 0; c < outputs; c++)
            h[c] = t->loss == LOSS_SQUARED ? 2.0 * jv[c] : exp(up[c]) / sum * (jv[c] - mean);
        for (int64_t j = 0; j < params; j++)
            for (int c = 0; c < outputs; c++)
                y[j] += jacobian[c * params + j] * h[c];
    }
    free(shifted);
    free(jacobian);
}

static void check_product(const char *text, loss_kind loss, int64_t rows)
{
    enum { VECTORS = 3 };
    device d = device_open();
    am_error err = {0};
    target t;
    must(target_parse(text, ACT_TANH, loss, &t, &err), &err);
    problem p = problem_open(&d, loss, rows, t.size[0], t.size[t.layers], 2, 5);
    gauss_newton g;
    must(gauss_newton_open(&g, d.be, &t, VECTORS, (int)rows - 1, 0, &err), &err);
    float *theta = random_floats(&d, t.params, 11), *v = random_floats(&d, VECTORS * t.params, 12);
    float *start = random_floats(&d, VECTORS * t.params, 13);
    dev_f32 *y = device_floats(&d, VECTORS * t.params, start);
    gauss_newton_rows all = {p.data.data.floats, NULL, (int)rows}; /* two tiles */
    gauss_newton_add(&g, &all, device_floats(&d, t.params, theta), VECTORS, 0.25,
                     device_floats(&d, VECTORS * t.params, v), y);
    double *at = to_doubles(&d, theta, t.params), *want = host_doubles(&d, VECTORS * t.params);
    double *direction = to_doubles(&d, v, VECTORS * t.params);
    for (int k = 0; k < VECTORS; k++) {
        naive_product(&t, at, &p, direction + k * t.params, want + k * t.params);
        for (int64_t i = k * t.params; i < (k + 1) * t.params; i++)
            want[i] = (double)start[i] + 0.25 * want[i];
    }
    expect_close(&d, y, VECTORS * t.params, want, 2e-6);
    gauss_newton_close(&g);
    problem_close(&p);
    device_close(&d);
}

Test(response_parts, gauss_newton_products_agree_with_the_definition)
{
    check_product("4-3", LOSS_CROSS_ENTROPY, 9);
    check_product("5-7-3", LOSS_CROSS_ENTROPY, 17);
    check_product("3-6-5-2", LOSS_SQUARED, 12);
    check_product("3-4-4-4-3", LOSS_CROSS_ENTROPY, 8);
}

/* In components of the inputs the product is U Uᵀ-projected: with U the leading columns of the basis in
 * the first layer and the identity elsewhere, UUᵀ G UUᵀ v. All components: Gv. */
static void project_first(const float *basis, int in, int wide, int kept, const float *v,
                          float *out)
{
    for (int o = 0; o < wide; o++)
        for (int i = 0; i <= in; i++) {
            double sum = 0.0;
            for (int c = in + 1 - kept; c <= in; c++)
                for (int j = 0; j <= in; j++)
                    sum += (double)basis[i * (in + 1) + c] * (double)basis[j * (in + 1) + c] *
                           (double)(j < in ? v[o * in + j] : v[wide * in + o]);
            out[i < in ? o * in + i : wide * in + o] = (float)sum;
        }
}

/* I − 2hhᵀ */
static void reflection(const double *h, int size, float *basis)
{
    for (int i = 0; i < size * size; i++)
        basis[i] = (float)((i / size == i % size) - 2.0 * h[i / size] * h[i % size]);
}

Test(response_parts, gauss_newton_products_in_components_of_the_inputs)
{
    enum { IN = 4, WIDE = 5, ROWS = 21 };
    device d = device_open();
    am_error err = {0};
    target t;
    must(target_parse("4-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, &t, &err), &err);
    problem p = problem_open(&d, LOSS_CROSS_ENTROPY, ROWS, IN, 3, 2, 5);
    float basis[(IN + 1) * (IN + 1)], ones[ROWS];
    reflection((double[]){0.1, 0.5, -0.3, 0.7, 0.4}, IN + 1, basis); /* of norm 1 */
    for (int i = 0; i < ROWS; i++)
        ones[i] = 1.0f;
    dev_f32 *theta = device_floats(&d, t.params, random_floats(&d, t.params, 11));
    float *v = random_floats(&d, t.params, 12);
    for (int kept = IN + 1; kept >= 2; kept -= 3) {
        float *projected = host_floats(&d, t.params), *want = host_floats(&d, t.params);
        memcpy(projected, v, sizeof(float) * (size_t)t.params);
        project_first(basis, IN, WIDE, kept, v, projected);
        gauss_newton some, all;
        must(gauss_newton_open(&some, d.be, &t, 1, 8, kept, &err), &err);
        must(gauss_newton_open(&all, d.be, &t, 1, 8, 0, &err), &err);
        some.basis = device_floats(&d, (IN + 1) * (IN + 1), basis);
        gauss_newton_rows rows = {p.data.data.floats, device_floats(&d, ROWS * kept, NULL), ROWS};
        gauss_newton_project(&some, rows.x, device_floats(&d, ROWS, ones), ROWS,
                             f32_at(rows.components, 0));
        dev_f32 *got = device_floats(&d, t.params, NULL), *full = device_floats(&d, t.params, NULL);
        gauss_newton_add(&some, &rows, theta, 1, 1.0, device_floats(&d, t.params, v), got);
        gauss_newton_add(&all, &rows, theta, 1, 1.0, device_floats(&d, t.params, projected), full);
        const float *product = read_floats(&d, full, t.params);
        memcpy(want, product, sizeof(float) * (size_t)t.params);
        project_first(basis, IN, WIDE, kept, product, want);
        expect_close(&d, got, t.params, to_doubles(&d, want, t.params), 1e-5);
        gauss_newton_close(&some), gauss_newton_close(&all);
    }
    problem_close(&p);
    device_close(&d);
}

/* ---- block gradients ------------------------------------------------------------------------- */

/* (1/n) Σ_{i∈b} ∂ℓ_i/∂θ_j by central differences. */
static double naive_gradient(const target *t, const double *theta, const problem *p, uint32_t block,
                             int64_t j)
{
    double value[2] = {0.0, 0.0}, output[8];
    double *shifted = malloc(sizeof(double) * (size_t)t->params);
    memcpy(shifted, theta, sizeof(double) * (size_t)t->params);
    for (int side = 0; side < 2; side++) {
        shifted[j] = theta[j] + (side ? -1e-5 : 1e-5);
        for (int64_t i = 0; i < p->rows.n; i++) {
            if (p->block[i] != block)
                continue;
            reference_forward(t, shifted, p->rows.floats + i * p->rows.inputs, output);
            value[side] += reference_loss(t, output, &p->rows, i) / (double)p->rows.n;
        }
    }
    free(shifted);
    return (value[0] - value[1]) / 2e-5;
}

Test(response_parts, block_gradients_are_centred_sums_over_their_rows)
{
    enum { BLOCKS = 5, ROWS = 63 };
    for (int loss = 0; loss < 2; loss++) {
        device d = device_open();
        am_error err = {0};
        target t;
        must(target_parse("4-6-3", ACT_TANH, (loss_kind)loss, &t, &err), &err);
        problem p = problem_open(&d, (loss_kind)loss, ROWS, 4, 3, BLOCKS, 8);
        for (int64_t i = 0; i < ROWS; i++) /* of unequal sizes, in no order */
            p.block[i] = (uint32_t)(i * i % 7 % BLOCKS);
        problem_upload(&d, &p);
        block_gradients b;
        must(block_gradients_open(&b, d.be, &t, 2, &p.data, BLOCKS, &err), &err);
        float *theta = random_floats(&d, 2 * t.params, 21); /* two networks */
        int64_t all = BLOCKS * t.params;
        dev_f32 *g = device_floats(&d, 2 * all, NULL);
        block_gradients_compute(&b, device_floats(&d, 2 * t.params, theta), g);
        double *at = to_doubles(&d, theta, 2 * t.params), *want = host_doubles(&d, 2 * all);
        for (int64_t j = 0; j < 2 * t.params; j++) {
            double mean = 0.0, *own = want + j / t.params * all + j % t.params;
            const double *network_at = at + j / t.params * t.params;
            for (uint32_t k = 0; k < BLOCKS; k++)
                mean += own[k * t.params] = naive_gradient(&t, network_at, &p, k, j % t.params);
            for (uint32_t k = 0; k < BLOCKS; k++)
                own[k * t.params] -= mean / BLOCKS;
        }
        expect_close(&d, g, 2 * all, want, 2e-6);
        block_gradients_close(&b);
        problem_close(&p);
        device_close(&d);
    }
}

/* ---- Kronecker factors ----------------------------------------------------------------------- */

/* For one linear layer and the squared loss G is 2I ⊗ A exactly: (G + shift) z = r. Two tiles of rows,
 * of unequal size. */
Test(response_parts, kronecker_factors_invert_a_linear_layer_exactly)
{
    enum { ROWS = 48, FIRST = 31, VECTORS = 2 };
    device d = device_open();
    am_error err = {0};
    target t;
    must(target_parse("6-4", ACT_TANH, LOSS_SQUARED, &t, &err), &err);
    problem p = problem_open(&d, LOSS_SQUARED, ROWS, 6, 4, 2, 9);
    kfac k;
    gauss_newton g;
    must(kfac_open(&k, d.be, &t, VECTORS, FIRST, &err), &err);
    must(gauss_newton_open(&g, d.be, &t, VECTORS, ROWS, 0, &err), &err);
    dev_f32 *theta = device_floats(&d, t.params, random_floats(&d, t.params, 31));
    const dev_f32 *x = p.data.data.floats;
    must(kfac_set_input(&k, x, ROWS, &err), &err);
    kfac_begin(&k);
    kfac_add(&k, x, FIRST, (double)FIRST / ROWS, theta);
    kfac_add(&k, f32_at(x, FIRST * 6), ROWS - FIRST, (double)(ROWS - FIRST) / ROWS, theta);
    must(kfac_finish(&k, &err), &err);
    must(kfac_shift(&k, (double[]){0.05}, &err), &err);
    float *r = random_floats(&d, VECTORS * t.params, 32);
    dev_f32 *residual = device_floats(&d, VECTORS * t.params, r);
    dev_f32 *z = device_floats(&d, VECTORS * t.params, NULL);
    kfac_solve(&k, VECTORS, residual, z);
    dev_f32 *product = device_floats(&d, VECTORS * t.params, NULL); /* Gz/n + shift·z */
    gauss_newton_rows all = {x, NULL, ROWS};
    gauss_newton_add(&g, &all, theta, VECTORS, 1.0 / ROWS, z, product);
    add_diagonal_args shift = {
        .vectors = VECTORS, .count = t.params, .shift = 0.05, .d = theta, .x = z, .y = product};
    d.op->add_diagonal(d.be, &shift);
    expect_close(&d, product, VECTORS * t.params, to_doubles(&d, r, VECTORS * t.params), 1e-5);
    kfac_close(&k);
    gauss_newton_close(&g);
    problem_close(&p);
    device_close(&d);
}

/* Of a single row G_l = S ⊗ A exactly, in every layer. */
Test(response_parts, kronecker_factors_of_one_row_are_the_blocks_themselves)
{
    device d = device_open();
    am_error err = {0};
    target t;
    must(target_parse("4-5-5-3", ACT_TANH, LOSS_CROSS_ENTROPY, &t, &err), &err);
    problem p = problem_open(&d, LOSS_CROSS_ENTROPY, 1, 4, 3, 1, 9);
    kfac k;
    gauss_newton g;
    must(kfac_open(&k, d.be, &t, 1, 1, &err), &err);
    must(gauss_newton_open(&g, d.be, &t, 1, 1, 0, &err), &err);
    dev_f32 *theta = device_floats(&d, t.params, random_floats(&d, t.params, 41));
    must(kfac_set_input(&k, p.data.data.floats, 1, &err), &err);
    kfac_begin(&k);
    kfac_add(&k, p.data.data.floats, 1, 1.0, theta);
    must(kfac_finish(&k, &err), &err);
    must(kfac_shift(&k, (double[]){0.02, 0.03, 0.04}, &err), &err);
    gauss_newton_rows only = {p.data.data.floats, NULL, 1};
    /* a vector in layer l: its own block of (G + shift)z = r */
    for (int l = 0; l < t.layers; l++) {
        int64_t from = target_weight(&t, l)->offset;
        int64_t count = target_weight(&t, l)->count + target_bias(&t, l)->count;
        float *r = host_floats(&d, t.params);
        memcpy(r + from, random_floats(&d, count, 42), sizeof(float) * (size_t)count);
        dev_f32 *z = device_floats(&d, t.params, NULL);
        dev_f32 *product = device_floats(&d, t.params, NULL);
        kfac_solve(&k, 1, device_floats(&d, t.params, r), z);
        gauss_newton_add(&g, &only, theta, 1, 1.0, z, product);
        const float *solved = read_floats(&d, z, t.params);
        const float *got = read_floats(&d, product, t.params);
        for (int64_t i = from; i < from + count; i++)
            cr_expect_float_eq((double)got[i] + (0.02 + 0.01 * l) * (double)solved[i], (double)r[i],
                               2e-5, "layer %d", l);
        for (int64_t i = 0; i < t.params; i++)
            cr_expect(i >= from || solved[i] == 0.0f, "layer %d reaches into others", l);
    }
    kfac_close(&k);
    gauss_newton_close(&g);
    problem_close(&p);
    device_close(&d);
}
