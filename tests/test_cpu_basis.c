/* basis_forward and basis_backward. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>

/* Two groups, u = (½, −½) and (1, 0.2); terms of degree (1,0), (0,1), (2,1), (3,0).
 *   polynomial: (½, −½, ¼·(−½), ⅛), (1, 0.2, 0.2, 1)
 *   Chebyshev T_2 = 2u²−1, T_3 = 4u³−3u: (½, −½, (−½)(−½), −1), (1, 0.2, 1·0.2, 1) */
static const int32_t degree[8] = {1, 0, 0, 1, 2, 1, 3, 0};
static const float u2[4] = {0.5F, -0.5F, 1.0F, 0.2F};

Test(cpu_basis, terms_worked_by_hand)
{
    device d = device_open();
    basis_forward_args a = {.kind = BASIS_POLYNOMIAL,
                            .draws = 2,
                            .groups = 2,
                            .features = 6,
                            .terms = 4,
                            .degree = device_ints(&d, 8, degree),
                            .u = device_floats(&d, 4, u2),
                            .c = device_floats(&d, 12, NULL)};
    d.op->basis_forward(d.be, &a);
    /* the sixth column belongs to somebody else */
    expect_floats(&d, a.c, 12,
                  (float[]){1, 0.5F, -0.5F, -0.125F, 0.125F, 0, 1, 1, 0.2F, 0.2F, 1, 0}, 0.0);
    a.kind = BASIS_CHEBYSHEV;
    d.op->basis_forward(d.be, &a);
    expect_floats(&d, a.c, 12, (float[]){1, 0.5F, -0.5F, 0.25F, -1, 0, 1, 1, 0.2F, 0.2F, 1, 0},
                  0.0);
    device_close(&d);
}

/* ω = (2, 0, 1) and (1, 1, 1) with scale ½ → (½, −½, 0) and zeros; the input row is u, ω − 1. */
Test(cpu_basis, omega_columns_and_network_input)
{
    device d = device_open();
    basis_forward_args a = {.kind = BASIS_NONE,
                            .draws = 2,
                            .groups = 1,
                            .features = 4,
                            .omega_columns = 3,
                            .omega_scale = 0.5F,
                            .u = device_floats(&d, 2, (float[]){-1, 0.25F}),
                            .omega = device_floats(&d, 6, (float[]){2, 0, 1, 1, 1, 1}),
                            .c = device_floats(&d, 8, NULL),
                            .input_omega = 2,
                            .centre = 1,
                            .omega_in = device_floats(&d, 4, (float[]){3, 0, 1, 1}),
                            .input = device_floats(&d, 6, NULL)};
    d.op->basis_forward(d.be, &a);
    expect_floats(&d, a.c, 8, (float[]){1, 0.5F, -0.5F, 0, 1, 0, 0, 0}, 0.0);
    expect_floats(&d, a.input, 6, (float[]){-1, 2, -1, 0.25F, 0, 0}, 0.0);
    device_close(&d);
}

/* Nodes −1, 0, 1 at u = ½: ℓ = (−⅛, ¾, ⅜), each beside ω − 1 = (1, −1); at a node only its own. */
Test(cpu_basis, omega_columns_at_nodes_are_interpolated_in_u)
{
    device d = device_open();
    basis_forward_args a = {.kind = BASIS_NONE,
                            .draws = 2,
                            .groups = 1,
                            .features = 7,
                            .omega_columns = 2,
                            .omega_scale = 1,
                            .nodes = 3,
                            .node = {-1, 0, 1},
                            .u = device_floats(&d, 2, (float[]){0.5F, 0}),
                            .omega = device_floats(&d, 4, (float[]){2, 0, 2, 0}),
                            .c = device_floats(&d, 14, NULL)};
    d.op->basis_forward(d.be, &a);
    expect_floats(&d, a.c, 14,
                  (float[]){1, -0.125F, 0.125F, 0.75F, -0.75F, 0.375F, -0.375F, /* */
                            1, 0, 0, 1, -1, 0, 0},
                  0.0);
    device_close(&d);
}

Test(cpu_basis, chebyshev_terms_are_cosines)
{
    enum { DRAWS = 33, TERMS = 12 };
    device d = device_open();
    int32_t degrees[TERMS];
    for (int t = 0; t < TERMS; t++)
        degrees[t] = t;
    const float *u = random_floats(&d, DRAWS, 5);
    basis_forward_args a = {.kind = BASIS_CHEBYSHEV,
                            .draws = DRAWS,
                            .groups = 1,
                            .features = 1 + TERMS,
                            .terms = TERMS,
                            .degree = device_ints(&d, TERMS, degrees),
                            .u = device_floats(&d, DRAWS, u),
                            .c = device_floats(&d, DRAWS * (1 + TERMS), NULL)};
    d.op->basis_forward(d.be, &a);
    double *want = host_doubles(&d, DRAWS * (1 + TERMS));
    for (int m = 0; m < DRAWS; m++) {
        want[m * (1 + TERMS)] = 1.0;
        for (int t = 0; t < TERMS; t++) /* T_t(cos φ) = cos tφ */
            want[m * (1 + TERMS) + 1 + t] = cos(t * acos((double)u[m]));
    }
    expect_close(&d, a.c, DRAWS * (1 + TERMS), want, 1e-7);
    device_close(&d);
}

/* dc = (·, 1, 10, 100, 1000, ·) at u = (½, −½):
 *   polynomial: du_1 = 1 + 100·2·½·(−½) + 1000·3·¼ = 701;     du_2 = 10 + 100·¼ = 35
 *   Chebyshev T_2' = 4u, T_3' = 12u²−3: du_1 = 1 + 100·2·(−½) + 1000·0 = −99;  du_2 = 10 − 50 = −40
 * and they are added to what du holds. */
Test(cpu_basis, backward_worked_by_hand)
{
    device d = device_open();
    basis_backward_args a = {.kind = BASIS_POLYNOMIAL,
                             .draws = 1,
                             .groups = 2,
                             .features = 6,
                             .terms = 4,
                             .degree = device_ints(&d, 8, degree),
                             .u = device_floats(&d, 2, u2),
                             .dc = device_floats(&d, 6, (float[]){1e6F, 1, 10, 100, 1000, 1e6F}),
                             .du = device_floats(&d, 2, (float[]){1, 2})};
    d.op->basis_backward(d.be, &a);
    expect_floats(&d, a.du, 2, (float[]){702, 37}, 0.0);
    a.kind = BASIS_CHEBYSHEV;
    d.op->basis_backward(d.be, &a);
    expect_floats(&d, a.du, 2, (float[]){603, -3}, 0.0);
    device_close(&d);
}

static double term_value(basis_kind kind, double u, int j)
{
    return kind == BASIS_CHEBYSHEV ? cos(j * acos(u)) : pow(u, j);
}

/* Σ_t dc_t Π_g T_{d_tg}(u_g) at u + h·direction */
static double objective(basis_kind kind, const float *u, const float *direction, const float *dc,
                        const int32_t *degrees, int terms, int groups, double h)
{
    double sum = 0.0;
    for (int t = 0; t < terms; t++) {
        double product = 1.0;
        for (int g = 0; g < groups; g++)
            product *=
                term_value(kind, (double)u[g] + h * (double)direction[g], degrees[t * groups + g]);
        sum += (double)dc[1 + t] * product;
    }
    return sum;
}

Test(cpu_basis, gradient_against_central_differences)
{
    enum { DRAWS = 31, GROUPS = 3, TERMS = 8 };
    const int32_t degrees[TERMS * GROUPS] = {0, 0, 0, 1, 0, 0, 0, 6, 0, 2, 1, 0,
                                             1, 1, 1, 5, 0, 4, 3, 3, 3, 0, 0, 7};
    for (int k = 0; k < 2; k++) {
        basis_kind kind = k ? BASIS_CHEBYSHEV : BASIS_POLYNOMIAL;
        device d = device_open();
        const float *u = random_floats(&d, DRAWS * GROUPS, 1);
        const float *dc = random_floats(&d, DRAWS * (1 + TERMS), 2);
        const float *direction = random_floats(&d, DRAWS * GROUPS, 3);
        basis_backward_args a = {.kind = kind,
                                 .draws = DRAWS,
                                 .groups = GROUPS,
                                 .features = 1 + TERMS,
                                 .terms = TERMS,
                                 .degree = device_ints(&d, TERMS * GROUPS, degrees),
                                 .u = device_floats(&d, DRAWS * GROUPS, u),
                                 .dc = device_floats(&d, DRAWS * (1 + TERMS), dc),
                                 .du = device_floats(&d, DRAWS * GROUPS, NULL)};
        d.op->basis_backward(d.be, &a);
        const float *du = read_floats(&d, a.du, DRAWS * GROUPS);
        const double *along = to_doubles(&d, direction, DRAWS * GROUPS);
        for (int m = 0; m < DRAWS; m++) {
            double slope = dot(du + m * GROUPS, along + m * GROUPS, GROUPS), want = 0.0;
            for (int sign = -1; sign <= 1; sign += 2)
                want += sign *
                        objective(kind, u + m * GROUPS, direction + m * GROUPS,
                                  dc + m * (1 + TERMS), degrees, TERMS, GROUPS, sign * 1e-5) /
                        2e-5;
            cr_assert(fabs(slope - want) <= 1e-5 * (1.0 + fabs(want)),
                      "draw %d: %.9g, expected %.9g", m, slope, want);
        }
        device_close(&d);
    }
}
