/* draw_lambda, draw_omega, draw_rows: every number is a pure function of its counters (draw/), so
 * the order of the loops and the number of threads cannot matter. */
#include "backend/cpu/cpu.h"
#include "draw/draw.h"

#include <string.h>

enum { WORTH_THREADS = 1 << 13 }; /* numbers to draw, some 20–80 ns each */

void cpu_draw_lambda(backend *be, const draw_lambda_args *a)
{
    if (be->failure.status != AM_OK)
        return;
    if (a->draws < 1 || a->groups < 1 || a->groups > AM_MAX_GROUPS) {
        backend_fail(be, AM_ERR_INTERNAL, "draw_lambda", "no draws, or groups not in 1..%d",
                     AM_MAX_GROUPS);
        return;
    }
    if (a->kind == LAMBDA_NODES && (a->sets < 1 || a->draws % a->sets != 0 || a->stretch < 1.0)) {
        backend_fail(be, AM_ERR_INTERNAL, "draw_lambda", "sets do not divide the draws");
        return;
    }
    uint32_t step = (uint32_t)*u64(a->step), draws = (uint32_t)a->draws;
    float *lambda = f32(a->lambda), *u_out = f32(a->u); /* (M, G) */
    for (int m = 0; m < a->draws; m++) {
        for (int g = 0; g < a->groups; g++) {
            double u = a->kind == LAMBDA_NODES
                           ? lambda_node(a->seed, step, draws, (uint32_t)a->sets, a->stretch,
                                         (uint32_t)m, (uint32_t)g)
                           : lambda_stratified(a->seed, step, draws, (uint32_t)m, (uint32_t)g);
            int i = m * a->groups + g;
            u_out[i] = (float)u;
            lambda[i] = (float)axis_lambda(a->axis[g], u);
        }
    }
}

/* ---- ω --------------------------------------------------------------------------------------- */

/* g_l = Exp(1) of elements first..first+count; vectorises as it stands */
static AM_CLONES void exponential_tile(double *restrict g, uint64_t seed, uint32_t step,
                                       uint32_t draw, uint32_t first, uint32_t count)
{
    for (uint32_t l = 0; l < count; l++)
        g[l] = draw_exponential(seed, STREAM_OMEGA, step, draw, first + l);
}

static void gamma_tile(double *restrict g, const draw_omega_args *a, uint32_t step, uint32_t draw,
                       uint32_t first, uint32_t count)
{
    if (a->kind == OMEGA_EXPONENTIAL || a->alpha == 1.0) {
        exponential_tile(g, a->seed, step, draw, first, count);
        return;
    }
    for (uint32_t l = 0; l < count; l++)
        g[l] = dirichlet_gamma(a->seed, STREAM_OMEGA, step, draw, first + l, a->alpha);
}

/* omega (K) of one draw: exponential g_b, or Dirichlet g_b·(K/Σg) summed in the shape of
 * dirichlet_tree. A second pass draws again rather than keep K doubles. */
static void gamma_row(const draw_omega_args *a, uint32_t step, uint32_t draw, float *omega)
{
    double g[DIRICHLET_LANES], lane[DIRICHLET_LANES] = {0.0}, scale = 1.0;
    uint32_t blocks = (uint32_t)a->blocks;
    if (a->kind == OMEGA_DIRICHLET) {
        for (uint32_t first = 0; first < blocks; first += DIRICHLET_LANES) {
            uint32_t count = AM_MIN(blocks - first, DIRICHLET_LANES);
            gamma_tile(g, a, step, draw, first, count);
            for (uint32_t l = 0; l < count; l++)
                lane[l] += g[l];
        }
        scale = (double)blocks / dirichlet_tree(lane);
    }
    for (uint32_t first = 0; first < blocks; first += DIRICHLET_LANES) {
        uint32_t count = AM_MIN(blocks - first, DIRICHLET_LANES);
        gamma_tile(g, a, step, draw, first, count);
        for (uint32_t l = 0; l < count; l++)
            omega[first + l] = (float)(g[l] * scale);
    }
}

/* omega (K): counts of K trials. */
static void multinomial_row(const draw_omega_args *a, uint32_t step, uint32_t draw, float *omega)
{
    uint32_t blocks = (uint32_t)a->blocks;
    memset(omega, 0, blocks * sizeof *omega);
    for (uint32_t trial = 0; trial < blocks; trial++)
        omega[multinomial_block(a->seed, STREAM_OMEGA, step, draw, trial, blocks)] += 1.0f;
}

static void omega_row(const draw_omega_args *a, uint64_t step, int draw, float *omega)
{
    uint64_t blocks = (uint64_t)a->blocks, draws = (uint64_t)a->draws;
    switch (a->kind) {
    case OMEGA_ONES:
        for (uint64_t b = 0; b < blocks; b++)
            omega[b] = 1.0f;
        break;
    case OMEGA_DIRICHLET:
    case OMEGA_EXPONENTIAL:
        gamma_row(a, (uint32_t)step, (uint32_t)draw, omega);
        break;
    case OMEGA_MULTINOMIAL:
        multinomial_row(a, (uint32_t)step, (uint32_t)draw, omega);
        break;
    case OMEGA_FOLD:
        for (uint64_t b = 0; b < blocks; b++)
            omega[b] = (float)fold_weight(step, draws, (uint64_t)draw, b, blocks);
        break;
    }
}

/* What the counters and the distributions can hold; NULL when all is well. */
static const char *omega_fault(const draw_omega_args *a)
{
    if (a->draws < 1 || a->draws > DRAW_MAX_DRAWS)
        return "draws are not in 1..65536; ask for fewer at once";
    if (a->blocks < 1 || a->blocks > DRAW_MAX_BLOCKS)
        return "blocks are not in 1..2^28; use fewer blocks";
    if (a->kind == OMEGA_FOLD && a->blocks < 2)
        return "fold weights need at least 2 blocks";
    if (a->kind == OMEGA_DIRICHLET &&
        !(a->alpha >= DIRICHLET_ALPHA_MIN && a->alpha <= DIRICHLET_ALPHA_MAX))
        return "the Dirichlet concentration is not in 0.05..1e6; choose one in this range";
    return NULL;
}

void cpu_draw_omega(backend *be, const draw_omega_args *a)
{
    if (be->failure.status != AM_OK)
        return;
    const char *fault = omega_fault(a);
    if (fault != NULL) {
        backend_fail(be, AM_ERR_USAGE, "draw_omega", "%s", fault);
        return;
    }
    uint64_t step = *u64(a->step);
    float *omega = f32(a->omega), *omega0 = f32(a->omega0); /* (M, K), (M) or NULL */
#pragma omp parallel for schedule(static)                                                          \
    num_threads(be->threads) if (a->draws > 1 && a->draws * a->blocks >= WORTH_THREADS)
    for (int m = 0; m < a->draws; m++)
        omega_row(a, step, m, omega + m * a->blocks);
    for (int m = 0; omega0 != NULL && m < a->draws; m++)
        omega0[m] = (float)draw_exponential(a->seed, STREAM_OMEGA0, (uint32_t)step, (uint32_t)m, 0);
}

/* ---- rows ------------------------------------------------------------------------------------ */

enum { ROW_TILE = 256 };

AM_CLONES static void pass_all(const permutation *order, uint64_t *value, int count)
{
    const permutation p = *order;
#pragma omp simd
    for (int i = 0; i < count; i++)
        value[i] = permutation_pass(&p, value[i]);
}

/* row[i] = π(first + i), count ≤ ROW_TILE: permutation_at, a pass at a time for all that are left. */
static void permute_tile(const permutation *order, uint64_t first, int count, uint32_t *row)
{
    uint64_t value[ROW_TILE];
    int place[ROW_TILE];
    for (int i = 0; i < count; i++) {
        value[i] = first + (uint64_t)i;
        place[i] = i;
    }
    while (count > 0) {
        int outside = 0;
        pass_all(order, value, count);
        for (int i = 0; i < count; i++) {
            row[place[i]] = (uint32_t)value[i]; /* written again when it falls inside */
            value[outside] = value[i];
            place[outside] = place[i];
            outside += value[i] >= order->n;
        }
        count = outside;
    }
}

/* Rows of one set: positions start, start + 1, … of the stream, epoch by epoch. */
static void draw_set(const draw_rows_args *a, int set, uint64_t start, uint32_t *row)
{
    uint64_t n = (uint64_t)a->n;
    for (int done = 0; done < a->rows;) {
        uint64_t epoch = (start + (uint64_t)done) / n, first = (start + (uint64_t)done) % n;
        permutation order = rows_order(a->seed, epoch, (uint32_t)set, n);
        int count = (int)AM_MIN((uint64_t)(a->rows - done), n - first);
        for (int i = 0; i < count; i += ROW_TILE)
            permute_tile(&order, first + (uint64_t)i, AM_MIN(ROW_TILE, count - i), row + done + i);
        done += count;
    }
}

void cpu_draw_rows(backend *be, const draw_rows_args *a)
{
    if (be->failure.status != AM_OK)
        return;
    int64_t start = (int64_t)*u64(a->step) * a->rows + a->shift;
    if (a->n < 1 || a->n > UINT32_MAX || a->rows < 1 || a->sets < 1 || start < 0) {
        backend_fail(be, AM_ERR_INTERNAL, "draw_rows",
                     "%lld examples, %d rows, %d sets, from row %lld: examples must be in "
                     "1..2^32-1, the others positive",
                     (long long)a->n, a->rows, a->sets, (long long)start);
        return;
    }
    uint32_t *index = u32(a->index); /* (S, B) */
#pragma omp parallel for schedule(static)                                                          \
    num_threads(be->threads) if (a->sets > 1 && (int64_t)a->sets * a->rows >= WORTH_THREADS)
    for (int s = 0; s < a->sets; s++)
        draw_set(a, s, (uint64_t)start, index + (int64_t)s * a->rows);
}
