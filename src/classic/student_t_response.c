#include "classic/student_t_generator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
enum { MOMENTS = sizeof(student_t_moments) / sizeof(double) };

/* Chebyshev node j of the first kind in u ∈ [−1, 1]. */
static double node(int j)
{
    return cos(PI * (j + 0.5) / STUDENT_T_NODES);
}

static double nu_of(const student_t_response *r, double u)
{
    return r->nu_low * pow(r->nu_high / r->nu_low, 0.5 * (u + 1));
}

int student_t_response_width(const student_t_response *r)
{
    return 2 + MOMENTS * r->blocks;
}

am_status student_t_response_open(student_t_response *r, const blocked_sample *s, double nu_low,
                                  double nu_high, am_error *err)
{
    *r = (student_t_response){.blocks = s->blocks, .nu_low = nu_low, .nu_high = nu_high};
    size_t width = (size_t)student_t_response_width(r), blocks = (size_t)s->blocks;
    student_t_moments *moments = am_alloc(blocks, sizeof *moments, "Student-t response", err);
    r->table = am_alloc(STUDENT_T_NODES * width, sizeof *r->table, "Student-t response", err);
    am_status status = moments && r->table ? AM_OK : AM_ERR_MEMORY;
    for (int j = 0; status == AM_OK && j < STUDENT_T_NODES; j++) {
        location_scale fit;
        double *row = r->table + (size_t)j * width, nu = nu_of(r, node(j));
        status = student_t_fit(s, NULL, nu, &fit, err);
        if (status != AM_OK)
            break;
        row[0] = fit.mu;
        row[1] = log(fit.sigma);
        student_t_block_moments(s, nu, fit, moments);
        memcpy(row + 2, moments, blocks * sizeof *moments);
    }
    free(moments);
    return status;
}

void student_t_response_free(student_t_response *r)
{
    free(r->table);
    *r = (student_t_response){0};
}

void student_t_response_row(const student_t_response *r, double nu, double *row)
{
    size_t width = (size_t)student_t_response_width(r);
    double u = 2 * log(nu / r->nu_low) / log(r->nu_high / r->nu_low) - 1, sum = 0;
    double weight[STUDENT_T_NODES];
    /* barycentric: weight_j = (−1)^j sin(π(j+½)/N)/(u − u_j) */
    for (int j = 0; j < STUDENT_T_NODES; j++) {
        double gap = u - node(j);
        if (gap == 0) {
            memcpy(row, r->table + (size_t)j * width, width * sizeof *row);
            return;
        }
        weight[j] = (j % 2 ? -1 : 1) * sin(PI * (j + 0.5) / STUDENT_T_NODES) / gap;
        sum += weight[j];
    }
    memset(row, 0, width * sizeof *row);
    for (int j = 0; j < STUDENT_T_NODES; j++)
        for (size_t k = 0; k < width; k++)
            row[k] += weight[j] / sum * r->table[(size_t)j * width + k];
}

/* δ ← solution of the 2 × 2 system H·δ = −g. false: H is not positive definite. */
static bool solve2(double h11, double h12, double h22, double g1, double g2, double delta[2])
{
    double det = h11 * h22 - h12 * h12;
    if (!(h11 > 0 && det > 1e-3 * h11 * fabs(h22)))
        return false;
    delta[0] = -(h22 * g1 - h12 * g2) / det;
    delta[1] = -(h11 * g2 - h12 * g1) / det;
    return true;
}

/* m = Σ_b ω_b · moments of block b */
static student_t_moments weigh(int blocks, const double *row, const double *omega)
{
    double sum[MOMENTS] = {0};
    for (int b = 0; b < blocks; b++)
        for (int k = 0; k < MOMENTS; k++)
            sum[k] += (omega != NULL ? omega[b] : 1.0) * row[2 + MOMENTS * b + k];
    student_t_moments m;
    memcpy(&m, sum, sizeof m);
    return m;
}

location_scale student_t_respond(int blocks, const double *row, const double *omega)
{
    enum { STEPS = 4 };
    student_t_moments m = weigh(blocks, row, omega);
    double delta[2] = {0, 0};
    if (!solve2(m.mu2, m.mutau, m.tau2, m.mu, m.tau, delta)) {
        /* weights so uneven that their curvature is lost: that of ω = 1 */
        student_t_moments even = weigh(blocks, row, NULL);
        (void)solve2(even.mu2, even.mutau, even.tau2, m.mu, m.tau, delta);
        return (location_scale){row[0] + delta[0], exp(row[1] + delta[1])};
    }
    const double first[2] = {delta[0], delta[1]};
    for (int step = 0; step < STEPS; step++) {
        double a = delta[0], t = delta[1], move[2];
        double h11 = m.mu2 + m.mu3 * a + m.mu2tau * t; /* H + T[δ] */
        double h12 = m.mutau + m.mu2tau * a + m.mutau2 * t;
        double h22 = m.tau2 + m.mutau2 * a + m.tau3 * t;
        double g1 = m.mu + m.mu2 * a + m.mutau * t +
                    0.5 * (m.mu3 * a * a + 2 * m.mu2tau * a * t + m.mutau2 * t * t);
        double g2 = m.tau + m.mutau * a + m.tau2 * t +
                    0.5 * (m.mu2tau * a * a + 2 * m.mutau2 * a * t + m.tau3 * t * t);
        if (!solve2(h11, h12, h22, g1, g2, move)) {
            memcpy(delta, first, sizeof delta); /* the expansion has no minimum nearby */
            break;
        }
        delta[0] += move[0];
        delta[1] += move[1];
    }
    return (location_scale){row[0] + delta[0], exp(row[1] + delta[1])};
}
