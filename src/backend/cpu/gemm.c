#include "backend/cpu/gemm.h"

#include "backend/cpu/activation.h"

#include <cblas.h>
#include <limits.h>

/* A long k with a small C (Gram matrices, dΘ = GᵀX, ⟨dA,Z⟩) is cut into spans whose partial
 * products are added in double: that is where the parallelism is, and it keeps the error of a dot
 * product of 50 000 terms near that of one of 4 096. */
enum {
    SPAN = 4096,       /* k of one partial product */
    SHORT_SPAN = 2048, /* the same for a small C, whose spans are all that the threads share */
    SPAN_STEP = 512,   /* k of one SGEMM call within it */
    MAX_SPANS = 64,
    SMALL_OUTPUTS = 1 << 13, /* largest C that gains from short steps; beyond, packing wins */
    SPLIT_OUTPUTS = 1 << 18, /* largest C that is cut */
    SPLIT_FLOATS = 1 << 23,  /* partial products held at a time; larger batches take turns */
    TILE_M = 128,
    TILE_N = 512,
    LANES = 16, /* tiles are multiples of a cache line, so that no two threads write one */
    PANEL = 64, /* columns that the AVX-512 kernels hold in registers */
    SMALL_ITEM = 8000000,  /* multiply-adds of an item up to which tiles without packing win */
    PACKED_TILE = 16000000 /* of a tile that is packed */
};

typedef struct {
    int64_t tile_m, tile_n, tiles_m, tiles_n; /* of C */
    int64_t span, spans;                      /* of k; spans > 1: through partial products */
    int64_t step;                             /* of k, per call */
} gemm_plan;

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Multiply-adds tile_m·tile_n·step that one call should have.
 *
 * OpenBLAS's AVX-512 kernels skip packing while m·n·k ≤ 100³, for A·Bᵀ while m·n ≤ 1200 besides:
 * X·Wᵀ with 128×64×784 runs at 230 GFLOP/s in tiles of 64×16, against 190 whole (Zen 5, one core).
 * Kernels that always pack want large tiles (AVX2: 113 GFLOP/s whole, 71 in tiles of 16×64), but a
 * single model's layer must still feed two threads. The batch has no say: an item gets the same bits
 * in every batch. */
static int64_t tile_work(const matmul_args *a, bool small_kernels, int64_t step)
{
    int64_t work = 4000000;
    if (small_kernels)
        work = !a->transpose_a && a->transpose_b ? AM_MIN(1000000, 1200 * step) : 1000000;
    /* Too deep for a tile of 16×16: packing is better then, in tiles that amortise it. */
    return work < LANES * LANES * step ? TILE_M * 64 * step : work;
}

static void small_tiles(gemm_plan *p, const matmul_args *a, bool small_kernels)
{
    int64_t work = tile_work(a, small_kernels, p->step);
    p->tile_m = a->m <= TILE_M + LANES ? a->m : TILE_M;
    p->tile_n = work / (p->tile_m * p->step) / LANES * LANES;
    if (p->tile_n > PANEL)
        p->tile_n = p->tile_n / PANEL * PANEL;
    if (p->tile_n < LANES) {
        p->tile_n = LANES;
        p->tile_m = AM_MIN(p->tile_m, work / (LANES * p->step) / LANES * LANES);
    }
    p->tile_n = AM_MIN(p->tile_n, AM_MIN(a->n, TILE_N));
}

/* Beyond SMALL_ITEM packing wins by up to a factor of 4 (128×1024×1024, A·B), at the price of fewer
 * tiles to share among the threads; not for X·Wᵀ with so few columns that all of W stays in cache. */
static bool wants_packing(const matmul_args *a, bool small_kernels)
{
    bool narrow = small_kernels && !a->transpose_a && a->transpose_b && a->n <= PANEL;
    int64_t least = AM_MIN(a->m, AM_MIN(a->n, a->k));
    return !narrow && least >= PANEL && a->m * a->n * a->k > SMALL_ITEM;
}

static void packed_tiles(gemm_plan *p, const matmul_args *a)
{
    int64_t work = AM_MAX(PACKED_TILE, a->m * a->n * a->k / MAX_SPANS);
    p->tile_m = a->m <= 3 * TILE_M ? a->m : 2 * TILE_M;
    p->tile_n = AM_MAX(work / (p->tile_m * p->step) / PANEL, 1) * PANEL;
    p->tile_n = AM_MIN(p->tile_n, AM_MIN(a->n, TILE_N));
}

/* Depends on the shape of one item and the kernels, never on the batch or the number of threads. */
static gemm_plan plan_gemm(const matmul_args *a, bool small_kernels)
{
    gemm_plan p = {.span = a->k, .spans = 1, .step = a->k};
    if (a->k >= 2 * SPAN && a->m * a->n <= SPLIT_OUTPUTS) {
        bool small = a->m * a->n <= SMALL_OUTPUTS;
        int64_t unit = small ? SHORT_SPAN : SPAN;
        p.span = divide_up(divide_up(a->k, MAX_SPANS), unit) * unit;
        p.spans = divide_up(a->k, p.span);
        p.step = small ? SPAN_STEP : p.span;
    }
    if (wants_packing(a, small_kernels))
        packed_tiles(&p, a);
    else
        small_tiles(&p, a, small_kernels);
    p.tiles_m = divide_up(a->m, p.tile_m);
    p.tiles_n = divide_up(a->n, p.tile_n);
    return p;
}

/* One tile of one item: rows [row, row+rows), columns [column, column+columns). */
typedef struct {
    int64_t item, row, column;
    int rows, columns;
} gemm_tile;

static gemm_tile tile_at(const matmul_args *a, const gemm_plan *p, int64_t index)
{
    int64_t per_item = p->tiles_m * p->tiles_n, within = index % per_item;
    gemm_tile t = {.item = index / per_item,
                   .row = within / p->tiles_n * p->tile_m,
                   .column = within % p->tiles_n * p->tile_n};
    t.rows = (int)AM_MIN(p->tile_m, a->m - t.row);
    t.columns = (int)AM_MIN(p->tile_n, a->n - t.column);
    return t;
}

/* out ← alpha·op(A)·op(B) over k in [from, to) + beta·out */
static void multiply_tile(const matmul_args *a, const gemm_tile *t, int64_t from, int64_t to,
                          int64_t step, float beta, float *out, int64_t ldc)
{
    const float *left = f32(a->a) + t->item * a->a_stride,
                *right = f32(a->b) + t->item * a->b_stride;
    for (int64_t k = from; k < to; k += step) {
        const float *x = left + (a->transpose_a ? k * a->lda + t->row : t->row * a->lda + k);
        const float *y = right + (a->transpose_b ? t->column * a->ldb + k : k * a->ldb + t->column);
        cblas_sgemm(CblasRowMajor, a->transpose_a ? CblasTrans : CblasNoTrans,
                    a->transpose_b ? CblasTrans : CblasNoTrans, t->rows, t->columns,
                    (int)AM_MIN(step, to - k), a->alpha, x, (int)a->lda, y, (int)a->ldb,
                    k == from ? beta : 1.0F, out, (int)ldc);
    }
}

static void finish_tile(const gemm_tile *t, const gemm_epilogue *e, float *c, int64_t ldc)
{
    const float *bias = e->bias != NULL ? e->bias + t->item * e->bias_stride + t->column : NULL;
    if (bias != NULL)
        add_bias(c, ldc, bias, t->rows, t->columns);
    if (e->act != ACT_NONE)
        activate(c, ldc, t->rows, t->columns, e->act);
}

static void run_whole(backend *be, const matmul_args *a, const gemm_plan *p, const gemm_epilogue *e)
{
    int64_t tiles = a->batch * p->tiles_m * p->tiles_n;
    bool wide = tiles > 1 && (double)a->batch * (double)a->m * (double)a->n * (double)a->k > 3e5;
#pragma omp parallel for num_threads(be->threads) schedule(static) if (wide)
    for (int64_t i = 0; i < tiles; i++) {
        gemm_tile t = tile_at(a, p, i);
        float *c = f32(a->c) + t.item * a->c_stride + t.row * a->ldc + t.column;
        multiply_tile(a, &t, 0, a->k, p->step, a->beta, c, a->ldc);
        if (e != NULL)
            finish_tile(&t, e, c, a->ldc);
    }
}

/* C row ← Σ_spans partial + beta·C */
static void add_spans(const float *partial, int64_t spans, int64_t span_stride, float beta,
                      float *c, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        double sum = beta == 0.0F ? 0.0 : (double)beta * (double)c[j];
        for (int64_t s = 0; s < spans; s++)
            sum += (double)partial[s * span_stride + j];
        c[j] = (float)sum;
    }
}

static void run_split(backend *be, const matmul_args *a, const gemm_plan *p, const gemm_epilogue *e)
{
    int64_t tiles = a->batch * p->tiles_m * p->tiles_n, outputs = a->batch * a->m * a->n;
    float *partial = cpu_scratch(be, SCRATCH_GEMM,
                                 (size_t)(outputs * p->spans) * sizeof(float)); /* (spans, C) */
    if (partial == NULL)
        return;
#pragma omp parallel for num_threads(be->threads) schedule(static)
    for (int64_t i = 0; i < tiles * p->spans; i++) {
        int64_t span = i % p->spans;
        gemm_tile t = tile_at(a, p, i / p->spans);
        float *out = partial + span * outputs + (t.item * a->m + t.row) * a->n + t.column;
        multiply_tile(a, &t, span * p->span, AM_MIN((span + 1) * p->span, a->k), p->step, 0.0F, out,
                      a->n);
    }
    int64_t rows = a->batch * a->m;
#pragma omp parallel for num_threads(be->threads)                                                  \
    schedule(static) if (outputs * p->spans > CPU_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        gemm_tile t = {.item = r / a->m, .row = r % a->m, .rows = 1, .columns = (int)a->n};
        float *c = f32(a->c) + t.item * a->c_stride + t.row * a->ldc;
        add_spans(partial + r * a->n, p->spans, outputs, a->beta, c, a->n);
        if (e != NULL)
            finish_tile(&t, e, c, a->ldc);
    }
}

/* Items [first, first + batch) on their own. */
static matmul_args items_of(const matmul_args *a, int64_t first, int64_t batch)
{
    matmul_args part = *a;
    part.batch = (int)batch;
    part.a = f32_at(a->a, first * a->a_stride);
    part.b = f32_at(a->b, first * a->b_stride);
    part.c = f32_at(a->c, first * a->c_stride);
    return part;
}

static void run_split_in_turns(backend *be, const matmul_args *a, const gemm_plan *p,
                               const gemm_epilogue *epilogue)
{
    int64_t turn = AM_MAX((int64_t)1, SPLIT_FLOATS / (a->m * a->n * p->spans));
    for (int64_t first = 0; first < a->batch; first += turn) {
        matmul_args part = items_of(a, first, AM_MIN(turn, a->batch - first));
        gemm_epilogue e = epilogue != NULL ? *epilogue : (gemm_epilogue){0};
        if (e.bias != NULL)
            e.bias += first * e.bias_stride;
        run_split(be, &part, p, epilogue != NULL ? &e : NULL);
    }
}

void cpu_gemm(backend *be, const char *op, const matmul_args *a, const gemm_epilogue *epilogue)
{
    CPU_REQUIRE(be, op, a->batch > 0 && a->m > 0 && a->n > 0 && a->k > 0);
    CPU_REQUIRE(be, op, a->m <= INT_MAX && a->n <= INT_MAX && a->k <= INT_MAX);
    CPU_REQUIRE(be, op, a->lda >= (a->transpose_a ? a->m : a->k) && a->lda <= INT_MAX);
    CPU_REQUIRE(be, op, a->ldb >= (a->transpose_b ? a->k : a->n) && a->ldb <= INT_MAX);
    CPU_REQUIRE(be, op, a->ldc >= a->n && a->ldc <= INT_MAX);
    CPU_REQUIRE(be, op, a->batch == 1 || a->c_stride != 0);
    if (epilogue == NULL && cpu_gemv_applies(a)) {
        cpu_gemv(be, a);
        return;
    }
    gemm_plan plan = plan_gemm(a, ((const cpu_backend *)be)->small_kernels);
    if (plan.spans > 1)
        run_split_in_turns(be, a, &plan, epilogue);
    else
        run_whole(be, a, &plan, epilogue);
}
