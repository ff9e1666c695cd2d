#include "train/regression.h"

#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

/* Of a column's own mean square: enough for a safe Cholesky factor of features that depend on each
 * other, too little to be seen in the solution. */
static const double RIDGE = 1e-6;
static const double NOISE = 1e-5; /* the same, of the labels' Gram matrix in float */

/* Steps of the features' regression and their peak size: small problems, run to convergence. */
enum { FEATURE_STEPS = 1000 };
static const optimiser FEATURE_ADAM = {.rate = 1e-2,
                                       .schedule = SCHEDULE_COSINE,
                                       .warmup = 50,
                                       .beta1 = 0.9,
                                       .beta2 = 0.999,
                                       .epsilon = 1e-8};

static dev_f32 *floats(regression *r, int64_t rows, int64_t columns)
{
    return r->be->op->alloc(r->be, sizeof(float) * (size_t)(rows * columns), "regression");
}

am_status regression_open(regression *r, backend *be, int labels, int columns, int64_t phi,
                          am_error *err)
{
    *r = (regression){.be = be, .labels = labels, .features = columns};
    r->solver = floats(r, columns, labels);
    if (phi > 0) {
        r->target = floats(r, labels, labels);
        r->output = floats(r, labels, labels);
        r->head = floats(r, columns, labels);
        r->dhead = floats(r, columns, labels);
        r->moment1 = floats(r, columns, labels);
        r->moment2 = floats(r, columns, labels);
        r->dc = floats(r, labels, columns);
        r->dphi = floats(r, phi, 1);
        r->phi_m1 = floats(r, phi, 1);
        r->phi_m2 = floats(r, phi, 1);
        r->step = be->op->alloc(be, sizeof(uint64_t), "step counter");
        r->guard = be->op->alloc(be, sizeof(guard_state), "guard");
        r->loss = be->op->alloc(be, sizeof(double), "loss");
    }
    return be->op->sync(be, err);
}

void regression_close(regression *r)
{
    void *owned[] = {r->solver,  r->target,  r->output, r->head,   r->dhead, r->dc,    r->dphi,
                     r->moment1, r->moment2, r->phi_m1, r->phi_m2, r->step,  r->guard, r->loss};
    for (size_t i = 0; r->be != NULL && i < sizeof owned / sizeof *owned; i++)
        r->be->op->release(r->be, owned[i]);
    *r = (regression){0};
}

/* C = alpha·op(A)·op(B) + beta·C, all matrices dense. */
static void multiply(const regression *r, matmul_args a)
{
    a.batch = 1;
    a.lda = a.transpose_a ? a.m : a.k;
    a.ldb = a.transpose_b ? a.k : a.n;
    a.ldc = a.n;
    r->be->op->matmul(r->be, &a);
}

/* ---- the closed form ----------------------------------------------------------------------------- */

/* W (R,B) = (CᵀC + ridge·diag(CᵀC))⁻¹Cᵀ, from x (B × R) column-major; w is column-major (R × B). A
 * column of zeros, a feature that no label wakes, gets a row of zeros. */
static am_status solve(const regression *r, const double *x, double *gram, double *w, am_error *err)
{
    int rows = r->labels, n = r->features;
    linalg_gram(rows, n, x, gram);
    for (int k = 0; k < n; k++) {
        double *diagonal = &gram[linalg_at(k, k, n)];
        *diagonal = *diagonal > 0.0 ? *diagonal * (1.0 + RIDGE) : 1.0;
        for (int b = 0; b < rows; b++)
            w[linalg_at(k, b, n)] = x[linalg_at(b, k, rows)];
    }
    return linalg_solve("regression of the labels", n, gram, rows, w, err);
}

/* r->solver from the features C (B,R). */
static am_status make_solver(const regression *r, const dev_f32 *c, am_error *err)
{
    size_t rows = (size_t)r->labels, n = (size_t)r->features;
    float *value = am_alloc(rows * n, sizeof *value, "regression", err);
    double *x = am_alloc(rows * n, sizeof *x, "regression", err);
    double *gram = am_alloc(n * n, sizeof *gram, "regression", err);
    double *w = am_alloc(rows * n, sizeof *w, "regression", err);
    am_status status = value && x && gram && w ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = r->be->op->download(r->be, value, c, sizeof *value * rows * n, err);
    if (status == AM_OK) {
        for (size_t i = 0; i < rows * n; i++) /* row-major (B, R) → column-major */
            x[i / n + i % n * rows] = (double)value[i];
        status = solve(r, x, gram, w, err);
    }
    if (status == AM_OK) {
        for (size_t i = 0; i < rows * n; i++) /* column-major (R × B) → row-major */
            value[i % n * rows + i / n] = (float)w[i];
        r->be->op->upload(r->be, r->solver, value, sizeof *value * rows * n);
        status = r->be->op->sync(r->be, err);
    }
    free(value);
    free(x);
    free(gram);
    free(w);
    return status;
}

/* label ← label − CΘ */
static void take_residual(const regression *r, const regression_data *d)
{
    multiply(r, (matmul_args){.m = r->labels,
                              .n = d->g->spec.target.params,
                              .k = r->features,
                              .alpha = -1,
                              .beta = 1,
                              .a = d->c,
                              .b = d->g->head,
                              .c = d->label});
}

/* Θ ← Θ + W·residual */
static am_status add_solution(const regression *r, const regression_data *d, am_error *err)
{
    AM_TRY(make_solver(r, d->c, err));
    multiply(r, (matmul_args){.m = r->features,
                              .n = d->g->spec.target.params,
                              .k = r->labels,
                              .alpha = 1,
                              .beta = 1,
                              .a = r->solver,
                              .b = d->label,
                              .c = d->g->head});
    return r->be->op->sync(r->be, err);
}

am_status regression_head(regression *r, const regression_data *d, am_error *err)
{
    take_residual(r, d);
    return add_solution(r, d, err);
}

/* ---- the features ---------------------------------------------------------------------------------- */

/* The distance of CΘ from the labels Y, whatever C, does not change when parameter space is rotated so
 * that the labels span its first B axes: P coordinates become B. r->target (B,B) = L/s, LLᵀ = YYᵀ, s²
 * the mean of ‖y_b‖²; *size: s. */
static am_status compress(const regression *r, const regression_data *d, double *size,
                          am_error *err)
{
    int n = r->labels;
    size_t count = (size_t)n * (size_t)n;
    multiply(r, (matmul_args){.transpose_b = true,
                              .m = n,
                              .n = n,
                              .k = d->g->spec.target.params,
                              .alpha = 1,
                              .a = d->label,
                              .b = d->label,
                              .c = r->target});
    float *value = am_alloc(count, sizeof *value, "regression", err);
    double *gram = am_alloc(count, sizeof *gram, "regression", err);
    double *factor = am_alloc(count, sizeof *factor, "regression", err);
    double trace = 0.0;
    am_status status = value && gram && factor ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = r->be->op->download(r->be, value, r->target, count * sizeof *value, err);
    for (size_t i = 0; status == AM_OK && i < count; i++)
        gram[i] = (double)value[i];
    for (int b = 0; status == AM_OK && b < n; b++)
        trace += gram[linalg_at(b, b, n)];
    *size = sqrt(trace / n);
    if (status == AM_OK && trace > 0.0)
        status = linalg_factor("labels' Gram matrix", n, gram, NOISE * trace / n, factor, err);
    if (status == AM_OK && trace > 0.0) {
        for (int b = 0; b < n; b++)
            for (int j = 0; j < n; j++)
                value[b * n + j] = j <= b ? (float)(factor[linalg_at(b, j, n)] / *size) : 0.0f;
        r->be->op->upload(r->be, r->target, value, count * sizeof *value);
        status = r->be->op->sync(r->be, err);
    }
    free(value);
    free(gram);
    free(factor);
    return status;
}

typedef struct {
    regression *r;
    const regression_data *d;
} descent;

static void adam(const regression *r, adam_rule rule, int64_t values, dev_f32 *theta,
                 const dev_f32 *grad, dev_f32 *moment1, dev_f32 *moment2)
{
    adam_args a = {.rule = rule,
                   .rows = 1,
                   .columns = values,
                   .theta = theta,
                   .grad = grad,
                   .moment1 = moment1,
                   .moment2 = moment2};
    r->be->op->adam(r->be, &a);
}

/* One step on (1/B)‖C(φ)A − L‖². */
static void feature_step(void *context)
{
    const descent *at = context;
    const regression *r = at->r;
    const regression_data *d = at->d;
    generator *g = d->g;
    int n = r->labels, k = r->features;
    features_forward(&g->f, n, g->phi, d->u, d->omega, d->c);
    multiply(r, (matmul_args){
                    .m = n, .n = n, .k = k, .alpha = 1, .a = d->c, .b = r->head, .c = r->output});
    loss_args loss = {.kind = LOSS_SQUARED,
                      .models = 1,
                      .rows = n,
                      .outputs = n,
                      .divisor = n,
                      .grad_scale = 1,
                      .logits = r->output,
                      .target = r->target,
                      .dlogits = r->output,
                      .loss = r->loss};
    r->be->op->loss(r->be, &loss);
    /* dA = Cᵀ·dO, dC = dO·Aᵀ */
    multiply(r, (matmul_args){.transpose_a = true,
                              .m = k,
                              .n = n,
                              .k = n,
                              .alpha = 1,
                              .a = d->c,
                              .b = r->output,
                              .c = r->dhead});
    multiply(r, (matmul_args){.transpose_b = true,
                              .m = n,
                              .n = k,
                              .k = n,
                              .alpha = 1,
                              .a = r->output,
                              .b = r->head,
                              .c = r->dc});
    features_backward(&g->f, n, g->phi, d->c, r->dc, r->dphi);
    guard_args guard = {.rows = 1,
                        .columns = g->phi_size,
                        .grad = r->dphi,
                        .loss = r->loss,
                        .losses = 1,
                        .step = r->step,
                        .guard = r->guard};
    r->be->op->guard(r->be, &guard);
    adam_rule rule = optimiser_rule(&FEATURE_ADAM, FEATURE_STEPS, r->step, r->guard);
    adam(r, rule, (int64_t)k * n, r->head, r->dhead, r->moment1, r->moment2);
    adam(r, rule, g->phi_size, g->phi, r->dphi, r->phi_m1, r->phi_m2);
    r->be->op->advance(r->be, r->step);
}

/* A and its moments, and those of φ, at the start: A is the best for the features as they are. */
static am_status start_features(const regression *r, const regression_data *d, am_error *err)
{
    const backend_ops *op = r->be->op;
    size_t head = sizeof(float) * (size_t)r->features * (size_t)r->labels;
    size_t phi = sizeof(float) * (size_t)d->g->phi_size;
    AM_TRY(make_solver(r, d->c, err));
    multiply(r, (matmul_args){.m = r->features,
                              .n = r->labels,
                              .k = r->labels,
                              .alpha = 1,
                              .a = r->solver,
                              .b = r->target,
                              .c = r->head});
    op->zero(r->be, r->moment1, head);
    op->zero(r->be, r->moment2, head);
    op->zero(r->be, r->phi_m1, phi);
    op->zero(r->be, r->phi_m2, phi);
    op->zero(r->be, r->step, sizeof(uint64_t));
    op->zero(r->be, r->guard, sizeof(guard_state));
    return op->sync(r->be, err);
}

static am_status train_features(regression *r, const regression_data *d, am_error *err)
{
    descent at = {r, d};
    double size;
    AM_TRY(compress(r, d, &size, err));
    if (!(size > 0.0))
        return AM_OK; /* all labels are Θ_0: nothing to learn */
    AM_TRY(start_features(r, d, err));
    train_loop loop = {.be = r->be,
                       .task = "regression of the features",
                       .issue = feature_step,
                       .context = &at,
                       .guard = r->guard,
                       .loss = r->loss,
                       .models = 1,
                       .total = FEATURE_STEPS};
    AM_TRY(train_loop_run(&loop, NULL, err));
    features_forward(&d->g->f, r->labels, d->g->phi, d->u, d->omega, d->c);
    return AM_OK;
}

am_status regression_features(regression *r, const regression_data *d, am_error *err)
{
    int64_t params = d->g->spec.target.params;
    r->be->op->zero(r->be, f32_at(d->g->head, params),
                    sizeof(float) * (size_t)((r->features - 1) * params));
    take_residual(r, d); /* from Θ_0 */
    AM_TRY(train_features(r, d, err));
    return add_solution(r, d, err);
}
