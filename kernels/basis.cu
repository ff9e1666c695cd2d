/* basis — fixed feature columns of c and the input of a feature network.
 *
 * 4 bytes read and 4 written an element, a few operations in double a degree; M·(R + G + I)
 * elements are a few hundred: the launch is what costs. */
#include "backend/lagrange.h"
#include "gpu.h"

/* T_j(u) and T_j'(u): u^j, or Chebyshev's T_j = 2u·T_{j−1} − T_{j−2}, T_j' = 2T_{j−1} + 2u·T_{j−1}'
 * − T_{j−2}'. */
typedef struct {
    double value, slope;
} basis_term;

static __device__ basis_term term_of(basis_kind kind, double u, int degree)
{
    basis_term t = {1.0, 0.0}, before = {u, 1.0}; /* T_{−1} = T_1 = u */
    for (int j = 0; j < degree; j++) {
        basis_term next = {t.value * u, t.slope * u + t.value};
        if (kind == BASIS_CHEBYSHEV) {
            next.value = 2.0 * u * t.value - before.value;
            next.slope = 2.0 * t.value + 2.0 * u * t.slope - before.slope;
        }
        before = t;
        t = next;
    }
    return t;
}

/* Π_g T_{degree[t][g]}(u_g), with the slope in place of the value for group `by` (−1: none) */
static __device__ double product_of(basis_kind kind, const float *u, const int32_t *degree,
                                    int groups, int by)
{
    double product = 1.0;
    for (int g = 0; g < groups; g++) {
        basis_term t = term_of(kind, (double)u[g], degree[g]);
        product *= g == by ? t.slope : t.value;
    }
    return product;
}

static __device__ void check_degrees(const int32_t *degree, int groups, unsigned long long *fault)
{
    for (int g = 0; g < groups; g++)
        if (degree[g] < 0)
            report_fault(fault, FAULT_BASIS_DEGREE, degree[g]);
}

/* One thread an element of draw m's rows: first c's columns, then the input's. */
static __global__ void basis_forward_kernel(basis_forward_args a, int64_t columns, int64_t width,
                                            unsigned long long *fault)
{
    int64_t at = thread_index(), m = at / width, j = at % width;
    if (m >= a.draws)
        return;
    const float *u = f32(a.u) + m * a.groups;
    float *c = f32(a.c) + m * a.features;
    if (j == 0) {
        c[0] = 1.0f;
    } else if (j <= a.terms) {
        const int32_t *degree = i32(a.degree) + (j - 1) * a.groups;
        check_degrees(degree, a.groups, fault);
        c[j] = (float)product_of(a.kind, u, degree, a.groups, -1);
    } else if (j < columns) {
        int64_t column = j - 1 - a.terms, b = column % a.omega_columns;
        int node = (int)(column / a.omega_columns);
        double share = lagrange(a.node, a.nodes, node, (double)u[0]); /* no nodes: 1 */
        c[j] = (float)share * a.omega_scale * (f32(a.omega)[m * a.omega_columns + b] - 1.0f);
    } else {
        int64_t i = j - columns;
        float *input = f32(a.input) + m * (a.groups + a.input_omega);
        input[i] =
            i < a.groups ? u[i] : f32(a.omega_in)[m * a.input_omega + (i - a.groups)] - a.centre;
    }
}

void cuda_basis_forward(backend *be, const basis_forward_args *a)
{
    const char *op = "basis_forward";
    CUDA_REQUIRE(be, op, a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    CUDA_REQUIRE(be, op, a->omega_columns >= 0 && (a->omega_columns == 0 || a->omega != NULL));
    CUDA_REQUIRE(be, op, a->input == NULL || a->input_omega == 0 || a->omega_in != NULL);
    CUDA_REQUIRE(be, op, a->kind == BASIS_NONE ? a->terms == 0 : a->terms >= 0);
    CUDA_REQUIRE(be, op, a->nodes >= 0 && a->nodes <= AM_MAX_NODES);
    CUDA_REQUIRE(be, op, a->nodes == 0 || a->groups == 1);
    int64_t columns = 1 + a->terms + AM_MAX(a->nodes, 1) * a->omega_columns;
    CUDA_REQUIRE(be, op, columns <= a->features);
    int64_t width = columns + (a->input != NULL ? a->groups + a->input_omega : 0);
    CUDA_LAUNCH(be, op, basis_forward_kernel, blocks_of(a->draws * width), BLOCK, 0, *a, columns,
                width, cuda_of(be)->fault);
}

/* du_mg += Σ_t dc[m][1+t]·∂c[m][1+t]/∂u_mg: 4 bytes read a term, some 8 operations in double a degree;
 * M·G threads, the launch is what costs */
static __global__ void basis_backward_kernel(basis_backward_args a, unsigned long long *fault)
{
    int64_t i = thread_index(), m = i / a.groups;
    int g = (int)(i % a.groups);
    if (m >= a.draws)
        return;
    const float *u = f32(a.u) + m * a.groups, *dc = f32(a.dc) + m * a.features;
    double sum = 0.0;
    for (int t = 0; t < a.terms; t++) {
        const int32_t *degree = i32(a.degree) + (int64_t)t * a.groups;
        check_degrees(degree, a.groups, fault);
        sum += (double)dc[1 + t] * product_of(a.kind, u, degree, a.groups, g);
    }
    f32(a.du)[i] += (float)sum;
}

void cuda_basis_backward(backend *be, const basis_backward_args *a)
{
    const char *op = "basis_backward";
    CUDA_REQUIRE(be, op, a->draws > 0 && a->groups > 0 && a->groups <= AM_MAX_GROUPS);
    CUDA_REQUIRE(be, op, a->kind == BASIS_NONE ? a->terms == 0 : a->terms >= 0);
    CUDA_REQUIRE(be, op, 1 + a->terms <= a->features);
    CUDA_LAUNCH(be, op, basis_backward_kernel, blocks_of((int64_t)a->draws * a->groups), BLOCK, 0,
                *a, cuda_of(be)->fault);
}
