#include "classic/mest_quadratic.h"

#include "linalg/cholesky.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_ROUNDS = 400, /* completions of the active set and attempts at its exact solution */
    MAX_SWEEPS = 200  /* of coordinate descent before each attempt */
};
/* Sweeps end when no coordinate moves the objective by more than this share of the first sweep. */
static const double sweep_tolerance = 1e-6;
/* A zero coefficient's gradient may exceed l1 by this share of the largest gradient. */
static const double slack = 1e-11;

am_status quadratic_open(int q, int first, mest_quadratic *m, am_error *err)
{
    const size_t side = (size_t)q;
    *m = (mest_quadratic){.q = q, .first = first};
    m->room = am_alloc(2 * side * side + 2 * side, sizeof *m->room, "coefficients", err);
    m->active = am_alloc(side, sizeof *m->active, "coefficients", err);
    if (m->room == NULL || m->active == NULL) {
        quadratic_close(m);
        return AM_ERR_MEMORY;
    }
    m->h = m->room;
    m->factor = m->h + side * side;
    m->r = m->factor + side * side;
    m->step = m->r + side;
    return AM_OK;
}

void quadratic_close(mest_quadratic *m)
{
    free(m->room);
    free(m->active);
    *m = (mest_quadratic){0};
}

static double l1_of(const mest_quadratic *m, int j)
{
    return j < m->first ? 0.0 : m->l1;
}

static double l2_of(const mest_quadratic *m, int j)
{
    return j < m->first ? 0.0 : m->l2;
}

static double h_at(const mest_quadratic *m, int i, int j)
{
    return m->h[(size_t)j * (size_t)m->q + (size_t)i];
}

bool quadratic_prepare(mest_quadratic *m)
{
    const size_t side = (size_t)m->q;
    if (m->l1 > 0)
        return true;
    memcpy(m->factor, m->h, side * side * sizeof *m->factor);
    for (int j = m->first; j < m->q; j++)
        m->factor[(side + 1) * (size_t)j] += 2.0 * m->l2;
    return cholesky_factor(m->q, m->factor);
}

/* ---- without an L1 part ------------------------------------------------------------------------ */

/* b = c − (H + 2·l2·I)⁻¹(g + 2·l2·c) */
static void solve_smooth(mest_quadratic *m, const double *c, const double *g, double *b)
{
    for (int j = 0; j < m->q; j++)
        m->step[j] = g[j] + 2.0 * l2_of(m, j) * c[j];
    cholesky_solve(m->q, m->factor, 1, m->step);
    for (int j = 0; j < m->q; j++)
        b[j] = c[j] - m->step[j];
}

/* ---- coordinate descent ------------------------------------------------------------------------ */

/* r = g + H(b − c) + 2·l2·b, the gradient of the smooth part. */
static void gradient_at(mest_quadratic *m, const double *c, const double *g, const double *b)
{
    for (int j = 0; j < m->q; j++)
        m->r[j] = g[j] + 2.0 * l2_of(m, j) * b[j];
    for (int k = 0; k < m->q; k++) {
        double d = b[k] - c[k];
        for (int j = 0; d != 0 && j < m->q; j++)
            m->r[j] += d * h_at(m, j, k);
    }
}

static void move(mest_quadratic *m, int k, double d)
{
    for (int j = 0; j < m->q; j++)
        m->r[j] += d * h_at(m, j, k);
    m->r[k] += 2.0 * l2_of(m, k) * d;
}

/* The exact minimum over coordinate k; returns by how much the objective falls, about. */
static double coordinate_step(mest_quadratic *m, int k, double *b)
{
    double bend = h_at(m, k, k) + 2.0 * l2_of(m, k), l1 = l1_of(m, k);
    if (!(bend > 0)) { /* the column is constant under these weights */
        if (l1 > 0 && b[k] != 0) {
            move(m, k, -b[k]);
            b[k] = 0;
        }
        return 0;
    }
    double z = bend * b[k] - m->r[k];
    double size = fabs(z) - l1, next = size > 0 ? copysign(size, z) / bend : 0.0;
    double d = next - b[k];
    if (d != 0) {
        move(m, k, d);
        b[k] = next;
    }
    return bend * d * d;
}

static void descend(mest_quadratic *m, int count, double *b)
{
    double first = 0;
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        double most = 0;
        for (int a = 0; a < count; a++)
            most = fmax(most, coordinate_step(m, m->active[a], b));
        first = sweep == 0 ? most : first;
        if (!(most > sweep_tolerance * first))
            return;
    }
}

/* ---- the active set at once -------------------------------------------------------------------- */

/* Drops the zeros from the active columns; the unpenalised ones stay. */
static int support(mest_quadratic *m, const double *b)
{
    int count = 0;
    for (int j = 0; j < m->q; j++)
        if (j < m->first || b[j] != 0)
            m->active[count++] = j;
    return count;
}

/* b_A −= (H_AA + 2·l2·I)⁻¹(r_A + l1·sgn b_A) when this keeps every sign. */
static bool settle(mest_quadratic *m, int count, double *b)
{
    for (int a = 0; a < count; a++) {
        int j = m->active[a];
        m->step[a] = m->r[j] + (b[j] != 0 ? copysign(l1_of(m, j), b[j]) : 0.0);
        for (int i = a; i < count; i++)
            m->factor[(size_t)a * (size_t)count + (size_t)i] =
                h_at(m, m->active[i], j) + (i == a ? 2.0 * l2_of(m, j) : 0.0);
    }
    if (!cholesky_factor(count, m->factor))
        return false;
    cholesky_solve(count, m->factor, 1, m->step);
    for (int a = 0; a < count; a++) {
        int j = m->active[a];
        if (j >= m->first && (b[j] - m->step[a]) * b[j] <= 0)
            return false;
    }
    for (int a = 0; a < count; a++)
        b[m->active[a]] -= m->step[a];
    return true;
}

/* Adds the zeros whose gradient exceeds l1; returns how many. */
static int complete(mest_quadratic *m, int *count, const double *b)
{
    double largest = m->l1;
    int added = 0;
    for (int j = 0; j < m->q; j++)
        largest = fmax(largest, fabs(m->r[j]));
    for (int j = m->first; j < m->q; j++)
        if (b[j] == 0 && fabs(m->r[j]) > m->l1 + slack * largest) {
            m->active[(*count)++] = j;
            added++;
        }
    return added;
}

/* With H_AA singular no exact solution is unique: descent alone, until it no longer moves. */
static bool still(const mest_quadratic *m, const double *b)
{
    double largest = m->l1, worst = 0;
    for (int j = 0; j < m->q; j++)
        largest = fmax(largest, fabs(m->r[j]));
    for (int j = 0; j < m->q; j++)
        if (j < m->first || b[j] != 0)
            worst = fmax(worst, fabs(m->r[j] + (b[j] != 0 ? copysign(l1_of(m, j), b[j]) : 0.0)));
    return worst <= slack * largest;
}

static bool descend_coordinates(mest_quadratic *m, const double *c, const double *g, double *b)
{
    gradient_at(m, c, g, b);
    for (int round = 0; round < MAX_ROUNDS; round++) {
        int count = support(m, b);
        bool settled = settle(m, count, b);
        if (settled)
            gradient_at(m, c, g, b);
        count = support(m, b);
        int added = complete(m, &count, b);
        if (added == 0 && (settled || still(m, b)))
            return true;
        descend(m, count, b);
    }
    return false;
}

bool quadratic_minimise(mest_quadratic *m, const double *c, const double *g, double *b)
{
    if (m->l1 > 0)
        return descend_coordinates(m, c, g, b);
    solve_smooth(m, c, g, b);
    return true;
}
