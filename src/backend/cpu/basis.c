#include "backend/cpu/cpu.h"
#include "backend/lagrange.h"

/* T_j(u) and T_j'(u): u^j, or Chebyshev's T_j = 2u·T_{j−1} − T_{j−2}, T_j' = 2T_{j−1} + 2u·T_{j−1}'
 * − T_{j−2}'. In double: u and c are floats, their rounding is the only one that shows. */
typedef struct {
    double value, slope;
} term;

static term power_term(double u, int degree)
{
    term t = {1.0, 0.0};
    for (int j = 0; j < degree; j++)
        t = (term){t.value * u, t.slope * u + t.value};
    return t;
}

static term chebyshev_term(double u, int degree)
{
    term t = {1.0, 0.0}, before = {u, 1.0}; /* T_{−1} = T_1 = u */
    for (int j = 0; j < degree; j++) {
        term next = {2.0 * u * t.value - before.value,
                     2.0 * t.value + 2.0 * u * t.slope - before.slope};
        before = t;
        t = next;
    }
    return t;
}

static term basis_term(basis_kind kind, double u, int degree)
{
    return kind == BASIS_CHEBYSHEV ? chebyshev_term(u, degree) : power_term(u, degree);
}

static bool valid_terms(basis_kind kind, int terms, const dev_i32 *degree, int groups)
{
    if (kind == BASIS_NONE)
        return terms == 0;
    for (int64_t i = 0; i < (int64_t)terms * groups; i++)
        if (i32(degree)[i] < 0)
            return false;
    return terms >= 0;
}

/* One draw: its row of c and its row of the feature network's input. */
static void basis_row(const basis_forward_args *a, int64_t m)
{
    const float *u = f32(a->u) + m * a->groups;
    float *c = f32(a->c) + m * a->features;
    c[0] = 1.0F;
    for (int t = 0; t < a->terms; t++) {
        double product = 1.0; /* Π_g T_{degree[t][g]}(u_mg) */
        for (int g = 0; g < a->groups; g++)
            product *= basis_term(a->kind, (double)u[g], i32(a->degree)[t * a->groups + g]).value;
        c[1 + t] = (float)product;
    }
    for (int j = 0; a->omega_columns > 0 && j < AM_MAX(a->nodes, 1); j++) {
        const float *omega = f32(a->omega) + m * a->omega_columns;
        float *column = c + 1 + a->terms + j * a->omega_columns;
        double at = lagrange(a->node, a->nodes, j, (double)u[0]); /* no nodes: 1 */
        for (int64_t b = 0; b < a->omega_columns; b++)
            column[b] = (float)at * a->omega_scale * (omega[b] - 1.0F);
    }
    if (a->input == NULL)
        return;
    float *input = f32(a->input) + m * (a->groups + a->input_omega);
    for (int g = 0; g < a->groups; g++)
        input[g] = u[g];
    if (a->input_omega > 0) {
        const float *omega = f32(a->omega_in) + m * a->input_omega;
        for (int b = 0; b < a->input_omega; b++)
            input[a->groups + b] = omega[b] - a->centre;
    }
}

void cpu_basis_forward(backend *be, const basis_forward_args *a)
{
    const char *op = "basis_forward";
    CPU_REQUIRE(be, op, a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    CPU_REQUIRE(be, op, a->omega_columns >= 0 && (a->omega_columns == 0 || a->omega != NULL));
    CPU_REQUIRE(be, op, a->input == NULL || a->input_omega == 0 || a->omega_in != NULL);
    CPU_REQUIRE(be, op, valid_terms(a->kind, a->terms, a->degree, a->groups));
    int64_t columns = AM_MAX(a->nodes, 1) * a->omega_columns;
    CPU_REQUIRE(be, op, a->nodes >= 0 && a->nodes <= AM_MAX_NODES);
    CPU_REQUIRE(be, op, a->nodes == 0 || a->groups == 1);
    CPU_REQUIRE(be, op, 1 + a->terms + columns <= a->features);
    int64_t touched = a->draws * (columns + a->input_omega);
#pragma omp parallel for num_threads(be->threads) schedule(static) if (touched > CPU_PARALLEL_WORK)
    for (int64_t m = 0; m < a->draws; m++)
        basis_row(a, m);
}

/* ∂c[m][1+t]/∂u_mg = T'_{d_g}(u_g) · Π_{h≠g} T_{d_h}(u_h) */
static double basis_slope(const basis_backward_args *a, const float *u, int t, int g)
{
    double product = 1.0;
    for (int h = 0; h < a->groups; h++) {
        term v = basis_term(a->kind, (double)u[h], i32(a->degree)[t * a->groups + h]);
        product *= h == g ? v.slope : v.value;
    }
    return product;
}

void cpu_basis_backward(backend *be, const basis_backward_args *a)
{
    const char *op = "basis_backward";
    CPU_REQUIRE(be, op, a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    CPU_REQUIRE(be, op, valid_terms(a->kind, a->terms, a->degree, a->groups));
    CPU_REQUIRE(be, op, 1 + a->terms <= a->features);
    for (int64_t m = 0; m < a->draws; m++) {
        const float *u = f32(a->u) + m * a->groups;
        const float *dc = f32(a->dc) + m * a->features;
        for (int g = 0; g < a->groups; g++) {
            double sum = 0.0;
            for (int t = 0; t < a->terms; t++)
                sum += (double)dc[1 + t] * basis_slope(a, u, t, g);
            f32(a->du)[m * a->groups + g] += (float)sum;
        }
    }
}
