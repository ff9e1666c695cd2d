/* K-fold cross-validation of ridge regression: the moments of a fold's complement are those of the
 * whole sample minus its own, so that X is read once. */
#include "classic/ridge.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char WHAT[] = "cross-validation";

/* Memory of one fold, large enough for each. */
typedef struct {
    int p, most;        /* most: rows of the largest fold */
    double *total;      /* (p × p) XᵀX of all rows */
    double *total_y;    /* (p) Xᵀy of all rows */
    double *gram;       /* (p × p) of the rows outside */
    double *moment;     /* (p) of the rows outside */
    double *x;          /* (held × p) rows inside */
    double *y;          /* (held) */
    double *prediction; /* (held × points) */
} cv_memory;

static void release(cv_memory *m)
{
    free(m->total);
    free(m->total_y);
    free(m->gram);
    free(m->moment);
    free(m->x);
    free(m->y);
    free(m->prediction);
}

static am_status allocate(const cv_problem *problem, cv_memory *m, am_error *err)
{
    size_t p = (size_t)problem->d->p;
    m->p = problem->d->p;
    for (int f = 0; f < problem->folds; f++) {
        int rows = 0;
        for (int i = 0; i < problem->d->n; i++)
            rows += problem->fold[i] == f;
        m->most = AM_MAX(m->most, rows);
    }
    size_t most = (size_t)m->most;
    m->total = am_alloc(p * p, sizeof(double), WHAT, err);
    m->total_y = am_alloc(p, sizeof(double), WHAT, err);
    m->gram = am_alloc(p * p, sizeof(double), WHAT, err);
    m->moment = am_alloc(p, sizeof(double), WHAT, err);
    m->x = am_alloc(most * p, sizeof(double), WHAT, err);
    m->y = am_alloc(most, sizeof(double), WHAT, err);
    m->prediction = am_alloc(most * (size_t)problem->points, sizeof(double), WHAT, err);
    bool all = m->total && m->total_y && m->gram && m->moment && m->x && m->y && m->prediction;
    return all ? AM_OK : AM_ERR_MEMORY;
}

static void gather(const cv_problem *problem, int fold, cv_memory *m, cv_fold *f)
{
    const design *d = problem->d;
    int rows = 0;
    for (int i = 0; i < d->n; i++)
        rows += problem->fold[i] == fold;
    *f = (cv_fold){.n = d->n,
                   .p = d->p,
                   .held = rows,
                   .fold = fold,
                   .gram = m->gram,
                   .moment = m->moment,
                   .x = m->x};
    for (int j = 0; j < d->p; j++)
        for (int i = 0, row = 0; i < d->n; i++)
            if (problem->fold[i] == fold)
                m->x[linalg_at(row++, j, rows)] = d->x[linalg_at(i, j, d->n)];
    for (int i = 0, row = 0; i < d->n; i++)
        if (problem->fold[i] == fold)
            m->y[row++] = d->y[i];
}

/* Moments outside the fold = total − moments inside. */
static void subtract(const cv_fold *f, cv_memory *m)
{
    linalg_gram(f->held, f->p, f->x, m->gram);
    linalg_apply('t', f->held, f->p, f->x, m->y, m->moment);
    size_t size = (size_t)f->p * (size_t)f->p;
    for (size_t i = 0; i < size; i++)
        m->gram[i] = m->total[i] - m->gram[i];
    for (int j = 0; j < f->p; j++)
        m->moment[j] = m->total_y[j] - m->moment[j];
}

static void add_errors(const cv_problem *problem, const cv_fold *f, const cv_memory *m,
                       double *error)
{
    for (int j = 0; j < problem->points; j++) {
        const double *predicted = m->prediction + linalg_at(0, j, f->held);
        double sum = 0.0;
        for (int i = 0; i < f->held; i++)
            sum += (m->y[i] - predicted[i]) * (m->y[i] - predicted[i]);
        error[j] += sum / f->n;
    }
}

static am_status check(const cv_problem *problem, am_error *err)
{
    if (problem->folds < 2)
        return am_fail(err, AM_ERR_INPUT, "%s: one fold leaves no rows to fit; take 2 or more",
                       WHAT);
    return AM_OK;
}

am_status ridge_cv(const cv_problem *problem, const cv_method *method, double *error, am_error *err)
{
    const design *d = problem->d;
    cv_memory m = {0};
    cv_fold f;
    AM_TRY(check(problem, err));
    am_status status = allocate(problem, &m, err);
    if (status == AM_OK) {
        memset(error, 0, (size_t)problem->points * sizeof *error);
        linalg_gram(d->n, d->p, d->x, m.total);
        linalg_apply('t', d->n, d->p, d->x, d->y, m.total_y);
    }
    for (int fold = 0; status == AM_OK && fold < problem->folds; fold++) {
        gather(problem, fold, &m, &f);
        subtract(&f, &m);
        status = method->predict(method->context, &f, problem->lambda, problem->points,
                                 m.prediction, err);
        if (status == AM_OK)
            add_errors(problem, &f, &m, error);
    }
    release(&m);
    return status;
}

/* ---- exactly ----------------------------------------------------------------------------------- */

/* G = V·diag(d)·Vᵀ; X_held·θ(λ_j) = (X_held·V)·c_j,   c_ij = (Vᵀm)_i/(d_i + nλ_j) */
static am_status predict_exactly(const void *context, const cv_fold *f, const double *lambda,
                                 int points, double *prediction, am_error *err)
{
    (void)context;
    size_t p = (size_t)f->p;
    double *v = am_alloc(p * p, sizeof *v, WHAT, err);
    double *d = am_alloc(p, sizeof *d, WHAT, err);
    double *rotated = am_alloc(p, sizeof *rotated, WHAT, err);
    double *xv = am_alloc((size_t)f->held * p, sizeof *xv, WHAT, err);
    double *c = am_alloc(p * (size_t)points, sizeof *c, WHAT, err);
    am_status status = v && d && rotated && xv && c ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        memcpy(v, f->gram, p * p * sizeof *v);
        status = linalg_eigen(WHAT, f->p, v, d, err);
    }
    if (status == AM_OK) {
        linalg_apply('t', f->p, f->p, v, f->moment, rotated);
        linalg_multiply('n', 'n', f->held, f->p, f->p, f->x, v, xv);
        for (int j = 0; j < points; j++)
            for (int i = 0; i < f->p; i++)
                c[linalg_at(i, j, f->p)] = rotated[i] / (fmax(d[i], 0.0) + f->n * lambda[j]);
        linalg_multiply('n', 'n', f->held, points, f->p, xv, c, prediction);
    }
    free(v);
    free(d);
    free(rotated);
    free(xv);
    free(c);
    return status;
}

am_status cv_fold_fits(const cv_fold *f, const double *lambda, int points, double *theta,
                       am_error *err)
{
    size_t p = (size_t)f->p;
    double *factor = am_alloc(p * p, sizeof *factor, WHAT, err);
    am_status status = factor != NULL ? AM_OK : AM_ERR_MEMORY;
    for (int j = 0; status == AM_OK && j < points; j++) {
        status = linalg_factor(WHAT, f->p, f->gram, f->n * lambda[j], factor, err);
        if (status != AM_OK)
            break;
        double *at = theta + linalg_at(0, j, f->p);
        memcpy(at, f->moment, p * sizeof *at);
        linalg_factor_solve(f->p, factor, 1, at);
    }
    free(factor);
    return status;
}

static am_status predict_by_refits(const void *context, const cv_fold *f, const double *lambda,
                                   int points, double *prediction, am_error *err)
{
    (void)context;
    double *theta = am_alloc((size_t)f->p * (size_t)points, sizeof *theta, WHAT, err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    am_status status = cv_fold_fits(f, lambda, points, theta, err);
    if (status == AM_OK)
        linalg_multiply('n', 'n', f->held, points, f->p, f->x, theta, prediction);
    free(theta);
    return status;
}

const cv_method cv_exact = {.predict = predict_exactly};
const cv_method cv_refits = {.predict = predict_by_refits};
