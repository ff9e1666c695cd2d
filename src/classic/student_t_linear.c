#include "classic/student_t_generator.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

static const double RIDGE = 1e-8;
enum { DEGREES = 4 /* T_0..T_3 */ };

static int feature_count(student_t_features kind, int blocks)
{
    return kind == STUDENT_T_LINEAR ? 3 + blocks : DEGREES * (1 + blocks);
}

/* z (features), element j at z[j·stride] */
static void fill_features(const student_t_linear *g, double nu, const double *omega, double *z,
                          size_t stride)
{
    if (g->kind == STUDENT_T_LINEAR) {
        const double head[3] = {1, nu, nu * nu};
        for (size_t j = 0; j < 3; j++)
            z[j * stride] = head[j];
        for (int b = 0; b < g->blocks; b++)
            z[(size_t)(3 + b) * stride] = omega != NULL ? omega[b] : 1.0;
        return;
    }
    /* u = −1..1 along log ν; T_k = 2u·T_{k−1} − T_{k−2} */
    double u = 2 * log(nu / g->nu_low) / log(g->nu_high / g->nu_low) - 1;
    double t[DEGREES] = {1, u};
    for (int k = 2; k < DEGREES; k++)
        t[k] = 2 * u * t[k - 1] - t[k - 2];
    for (int k = 0, j = 0; k < DEGREES; k++) {
        z[(size_t)j++ * stride] = t[k];
        for (int b = 0; b < g->blocks; b++)
            z[(size_t)j++ * stride] = t[k] * (omega != NULL ? omega[b] - 1.0 : 0.0);
    }
}

am_status student_t_linear_fit(student_t_linear *g, student_t_features kind,
                               const student_t_pairs *pairs, double nu_low, double nu_high,
                               am_error *err)
{
    size_t count = (size_t)pairs->count;
    *g = (student_t_linear){.kind = kind,
                            .blocks = pairs->blocks,
                            .nu_low = nu_low,
                            .nu_high = nu_high,
                            .features = feature_count(kind, pairs->blocks)};
    size_t features = (size_t)g->features;
    double *z = am_alloc(count * features, sizeof *z, "generator", err); /* (count × features) */
    double *y = am_alloc(count * 2, sizeof *y, "generator", err);
    g->a = am_alloc(features * 2, sizeof *g->a, "generator", err);
    am_status status = z && y && g->a ? AM_OK : AM_ERR_MEMORY;
    for (size_t i = 0; status == AM_OK && i < count; i++) {
        fill_features(g, pairs->nu[i], pairs->omega + i * (size_t)pairs->blocks, z + i, count);
        double sigma = pairs->target[i].sigma;
        y[i] = pairs->target[i].mu;
        y[count + i] = kind == STUDENT_T_LINEAR ? sigma : log(sigma);
    }
    if (status == AM_OK)
        status = linalg_ridge("Student-t generator", pairs->count, g->features, z, 2, y, RIDGE,
                              g->a, err);
    free(z);
    free(y);
    return status;
}

void student_t_linear_free(student_t_linear *g)
{
    free(g->a);
    *g = (student_t_linear){0};
}

location_scale student_t_linear_at(const student_t_linear *g, double nu, const double *omega)
{
    enum { STACK = 512 };
    double fixed[STACK] = {0}, sum[2] = {0, 0};
    double *z = g->features <= STACK ? fixed : calloc((size_t)g->features, sizeof *z);
    if (z == NULL)
        return (location_scale){NAN, NAN};
    fill_features(g, nu, omega, z, 1);
    for (int c = 0; c < 2; c++)
        for (int j = 0; j < g->features; j++)
            sum[c] += g->a[linalg_at(j, c, g->features)] * z[j];
    if (z != fixed)
        free(z);
    return (location_scale){sum[0], g->kind == STUDENT_T_LINEAR ? sum[1] : exp(sum[1])};
}
