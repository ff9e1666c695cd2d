#include "tune/explore.h"

#include <math.h>
#include <stdlib.h>

enum { POSITIONS = 96, AT_ONCE = 8 };

/* λ between a and b that far on, equally spaced in log λ; the ends themselves are exact. */
static double between(double a, double b, int step, int steps)
{
    return step == 0 ? a : exp(log(a) + (log(b) - log(a)) * step / steps);
}

/* Puts `extra` where it belongs, unless it is there up to rounding. */
static int insert_position(double *lambda, int count, double extra)
{
    int at = 0;
    while (at < count && lambda[at] < extra * (1 - 1e-9))
        at++;
    if (!(extra > 0) || (at < count && lambda[at] <= extra * (1 + 1e-9)))
        return count;
    for (int i = count; i > at; i--)
        lambda[i] = lambda[i - 1];
    lambda[at] = extra;
    return count + 1;
}

am_status explore_positions(const double *curve, int points, double extra, exploration *e,
                            am_error *err)
{
    int steps = AM_MAX(1, (POSITIONS - 1) / AM_MAX(1, points - 1)), count = 0;
    int skip = AM_MAX(1, (points + 2 * POSITIONS - 1) / (2 * POSITIONS)); /* of a very fine curve */
    *e = (exploration){0};
    e->lambda = am_alloc((size_t)points * (size_t)steps + 2, sizeof *e->lambda, "positions", err);
    if (e->lambda == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i + skip < points; i += skip)
        for (int step = 0; step < steps; step++)
            e->lambda[count++] = between(curve[i], curve[i + skip], step, steps);
    e->lambda[count++] = curve[points - 1];
    e->positions = insert_position(e->lambda, count, extra);
    return AM_OK;
}

/* Counts rows by class and prediction; prediction (M, n, C). */
static void count_confusion(const float *prediction, int models, int classes, const am_rows *host,
                            int32_t *confusion)
{
    int64_t cells = (int64_t)classes * classes;
    for (int m = 0; m < models; m++)
        for (int64_t i = 0; i < host->n; i++) {
            const float *p = prediction + (m * host->n + i) * classes;
            int best = 0;
            for (int c = 1; c < classes; c++)
                best = p[c] > p[best] ? c : best;
            confusion[m * cells + (int64_t)host->label[i] * classes + best]++;
        }
}

/* Metrics and confusion of `count` models from position `first` on. */
static am_status evaluate_some(generator *g, const device_rows *validation, const am_rows *host,
                               exploration *e, int first, int count, am_error *err)
{
    model_set set;
    AM_TRY(models_at(g, e->lambda + first, count, &set, err));
    am_status status = evaluate(&set, validation, e->at + first, NULL, err);
    if (status == AM_OK && e->confusion != NULL) {
        size_t values = (size_t)count * (size_t)host->n * (size_t)e->classes;
        float *prediction = am_alloc(values, sizeof *prediction, "predictions", err);
        status = prediction != NULL ? evaluate_predictions(&set, validation, prediction, err)
                                    : AM_ERR_MEMORY;
        if (status == AM_OK)
            count_confusion(prediction, count, e->classes, host,
                            e->confusion + (int64_t)first * e->classes * e->classes);
        free(prediction);
    }
    g->be->op->release(g->be, (void *)(uintptr_t)set.c);
    return status;
}

am_status explore_evaluate(generator *g, const device_rows *validation, const am_rows *host,
                           exploration *e, am_error *err)
{
    enum { MOST_CLASSES = 30 }; /* beyond them a confusion matrix is no picture any more */
    const target *t = &g->spec.target;
    e->at = am_alloc((size_t)e->positions, sizeof *e->at, "positions", err);
    if (e->at == NULL)
        return AM_ERR_MEMORY;
    if (t->loss == LOSS_CROSS_ENTROPY) {
        e->classes = t->size[t->layers];
        if (e->classes <= MOST_CLASSES) {
            size_t cells = (size_t)e->positions * (size_t)(e->classes * e->classes);
            e->confusion = am_alloc(cells, sizeof *e->confusion, "confusion matrices", err);
            if (e->confusion == NULL)
                return AM_ERR_MEMORY;
        }
    }
    for (int i = 0; i < e->positions; i += AT_ONCE)
        AM_TRY(evaluate_some(g, validation, host, e, i, AM_MIN(AT_ONCE, e->positions - i), err));
    return AM_OK;
}

void exploration_free(exploration *e)
{
    free(e->lambda);
    free(e->at);
    free(e->confusion);
    *e = (exploration){0};
}
