/* Conjugate gradients for many right-hand sides at once, on small systems solved in double or by hand. */
#include "response/conjugate_gradients.h"
#include "support/must.h"
#include "support/reference.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SIZE = 6, SIDES = 3 };
typedef struct {
    device *d;
    dev_f32 *a;       /* (SIZE, SIZE) symmetric */
    dev_f32 *inverse; /* (SIZE) of the preconditioner's diagonal */
} dense;

static void dense_apply(void *context, int sides, const dev_f32 *in, dev_f32 *out)
{
    const dense *m = context;
    matmul_args a = {.batch = 1,
                     .m = sides,
                     .n = SIZE,
                     .k = SIZE,
                     .alpha = 1,
                     .a = in,
                     .lda = SIZE,
                     .b = m->a,
                     .ldb = SIZE,
                     .c = out,
                     .ldc = SIZE};
    m->d->op->matmul(m->d->be, &a);
}

static void dense_precondition(void *context, int sides, const dev_f32 *in, dev_f32 *out)
{
    const dense *m = context;
    m->d->op->zero(m->d->be, out, sizeof(float) * (size_t)sides * SIZE);
    add_diagonal_args a = {
        .vectors = sides, .count = SIZE, .factor = 1, .d = m->inverse, .x = in, .y = out};
    m->d->op->add_diagonal(m->d->be, &a);
}

Test(conjugate_gradients, conjugate_gradients_solve_every_side_in_as_many_steps_as_unknowns)
{
    device d = device_open();
    am_error err = {0};
    float *root = random_floats(&d, SIZE * SIZE, 51), *a = host_floats(&d, SIZE * SIZE);
    float *diagonal = host_floats(&d, SIZE), *b = random_floats(&d, SIDES * SIZE, 52);
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) { /* RRᵀ + I/2 */
            double sum = i == j ? 0.5 : 0.0;
            for (int k = 0; k < SIZE; k++)
                sum += (double)root[i * SIZE + k] * (double)root[j * SIZE + k];
            a[i * SIZE + j] = (float)sum;
        }
        diagonal[i] = 1.0f / a[i * SIZE + i];
    }
    memset(b + SIZE, 0, SIZE * sizeof *b); /* the second side is 0: its solution too */
    dense m = {&d, device_floats(&d, SIZE * SIZE, a), device_floats(&d, SIZE, diagonal)};
    linear_problem equations = {&m, dense_apply, dense_precondition};
    conjugate_gradients c;
    must(conjugate_gradients_open(&c, d.be, SIDES, SIZE, &err), &err);
    float *start = random_floats(&d, SIDES * SIZE, 53); /* x is added to */
    dev_f32 *x = device_floats(&d, SIDES * SIZE, start);
    d.op->upload(d.be, c.residual, b, sizeof(float) * SIDES * SIZE);
    must(conjugate_gradients_solve(&c, &equations, SIZE, x, &err), &err);
    float *got = read_floats(&d, x, SIDES * SIZE);
    for (int s = 0; s < SIDES; s++)
        for (int i = 0; i < SIZE; i++) {
            double sum = 0.0;
            for (int j = 0; j < SIZE; j++)
                sum += (double)a[i * SIZE + j] *
                       ((double)got[s * SIZE + j] - (double)start[s * SIZE + j]);
            cr_expect_float_eq(sum, (double)b[s * SIZE + i], 2e-4, "side %d", s);
        }
    conjugate_gradients_close(&c);
    device_close(&d);
}

/* One step is the steepest descent in the preconditioner's metric, as long for all sides: x = α M⁻¹b. */
Test(conjugate_gradients, one_conjugate_gradient_step_by_hand)
{
    device d = device_open();
    am_error err = {0};
    float a[SIZE * SIZE] = {0}, b[SIDES * SIZE] = {0}, half[SIZE];
    for (int i = 0; i < SIZE; i++) {
        a[i * SIZE + i] = (float)(i + 1);
        half[i] = 0.5f;
    }
    b[0] = 1, b[1] = 1, b[SIZE + 2] = 6; /* diag(1, 2, 3, …) */
    dense m = {&d, device_floats(&d, SIZE * SIZE, a), device_floats(&d, SIZE, half)};
    linear_problem equations = {&m, dense_apply, dense_precondition};
    conjugate_gradients c;
    must(conjugate_gradients_open(&c, d.be, SIDES, SIZE, &err), &err);
    dev_f32 *x = device_floats(&d, SIDES * SIZE, NULL);
    d.op->upload(d.be, c.residual, b, sizeof b);
    must(conjugate_gradients_solve(&c, &equations, 1, x, &err), &err);
    float want[SIDES * SIZE] = {0};
    const float alpha = 19.0f / 27.75f; /* Σ⟨b, b/2⟩/Σ⟨b/2, Ab/2⟩ = (1 + 18)/(3/4 + 27) */
    want[0] = want[1] = alpha / 2.0f;
    want[SIZE + 2] = 3.0f * alpha;
    expect_floats(&d, x, SIDES * SIZE, want, 1e-6);
    conjugate_gradients_close(&c);
    device_close(&d);
}

/* Of more sides than are looked at for the last step's length: where A is a multiple of the identity,
 * any of their sums tells it exactly. */
Test(conjugate_gradients, the_length_of_the_last_step_is_told_by_sums_of_the_sides)
{
    enum { MANY = 11 };
    device d = device_open();
    am_error err = {0};
    float a[SIZE * SIZE] = {0}, one[SIZE];
    for (int i = 0; i < SIZE; i++) {
        a[i * SIZE + i] = 4.0f;
        one[i] = 1.0f;
    }
    dense m = {&d, device_floats(&d, SIZE * SIZE, a), device_floats(&d, SIZE, one)};
    linear_problem equations = {&m, dense_apply, dense_precondition};
    conjugate_gradients c;
    must(conjugate_gradients_open(&c, d.be, MANY, SIZE, &err), &err);
    cr_expect_lt(c.probes, MANY);
    float *b = random_floats(&d, MANY * SIZE, 54), want[MANY * SIZE];
    for (int i = 0; i < MANY * SIZE; i++)
        want[i] = b[i] / 4.0f;
    dev_f32 *x = device_floats(&d, MANY * SIZE, NULL);
    d.op->upload(d.be, c.residual, b, sizeof want);
    must(conjugate_gradients_solve(&c, &equations, 1, x, &err), &err);
    expect_floats(&d, x, MANY * SIZE, want, 1e-6);
    conjugate_gradients_close(&c);
    device_close(&d);
}
