#include "tune/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void log_grid(double low, double high, int count, double *lambda)
{
    for (int i = 0; i < count; i++) {
        double t = count > 1 ? (double)i / (count - 1) : 0.0;
        lambda[i] = exp(log(low) + t * (log(high) - log(low)));
    }
    lambda[0] = low;
    if (count > 1)
        lambda[count - 1] = high;
}

/* Repeats every λ for all penalty groups and `times` draws: (count·times, G). */
static double *spread(const double *lambda, int count, int times, int groups, am_error *err)
{
    double *all = am_alloc((size_t)count * (size_t)times * (size_t)groups, sizeof *all, "λ", err);
    for (int i = 0; all != NULL && i < count * times * groups; i++)
        all[i] = lambda[i / groups / times];
    return all;
}

static am_status model_set_open(generator *g, const double *lambda, const float *omega, int models,
                                model_set *set, am_error *err)
{
    size_t bytes = sizeof(float) * (size_t)models * (size_t)g->f.features;
    dev_f32 *c = g->be->op->alloc(g->be, bytes, "features");
    am_status status = g->be->op->sync(g->be, err);
    if (status == AM_OK)
        status = generator_features(g, models, lambda, omega, c, err);
    if (status != AM_OK) {
        g->be->op->release(g->be, c);
        c = NULL;
    }
    *set = (model_set){.be = g->be, .t = &g->spec.target, .g = g, .c = c, .models = models};
    return status;
}

am_status models_at(generator *g, const double *lambda, int count, model_set *set, am_error *err)
{
    *set = (model_set){0};
    g = generator_at_one(g);
    double *all = spread(lambda, count, 1, g->groups.count, err);
    if (all == NULL)
        return AM_ERR_MEMORY;
    am_status status = model_set_open(g, all, NULL, count, set, err);
    free(all);
    return status;
}

/* The band: every λ with the same D draws of ω. */
static am_status curve_draws(generator *g, const device_rows *validation, tuning_curve *curve,
                             am_error *err)
{
    int points = curve->points, draws = curve->draws, groups = g->groups.count;
    size_t models = (size_t)points * (size_t)draws;
    size_t blocks = (size_t)generator_weights_count(&g->spec);
    float *omega = NULL, *omega0 = NULL;
    AM_TRY(posterior_seen(g, draws, g->spec.seed, &omega, &omega0, err));
    double *lambda = spread(curve->lambda, points, draws, groups, err);
    float *all = am_alloc(models * blocks, sizeof *all, "weights of the band", err);
    am_status status = lambda && all ? AM_OK : AM_ERR_MEMORY;
    model_set set = {0};
    for (size_t m = 0; status == AM_OK && m < models; m++) {
        memcpy(all + m * blocks, omega + m % (size_t)draws * blocks, blocks * sizeof *all);
        for (int i = 0; g->spec.omega0 && i < groups; i++)
            lambda[m * (size_t)groups + (size_t)i] *= (double)omega0[m % (size_t)draws];
    }
    if (status == AM_OK)
        status = model_set_open(g, lambda, all, (int)models, &set, err);
    if (status == AM_OK)
        status = evaluate(&set, validation, curve->draw, NULL, err);
    g->be->op->release(g->be, (void *)(uintptr_t)set.c);
    free(omega);
    free(omega0);
    free(lambda);
    free(all);
    return status;
}

am_status curve_compute(generator *g, const device_rows *validation, int points, int draws,
                        tuning_curve *curve, am_error *err)
{
    bool band = features_use_omega(&g->f) && draws > 0;
    *curve = (tuning_curve){.points = points, .draws = band ? draws : 0};
    curve->lambda = am_alloc((size_t)points, sizeof(double), "curve", err);
    curve->at = am_alloc((size_t)points, sizeof(metrics), "curve", err);
    curve->draw =
        am_alloc((size_t)points * (size_t)curve->draws + 1, sizeof(metrics), "curve", err);
    if (curve->lambda == NULL || curve->at == NULL || curve->draw == NULL) {
        curve_free(curve);
        return AM_ERR_MEMORY;
    }
    log_grid(g->spec.lambda_low, g->spec.lambda_high, points, curve->lambda);
    model_set set;
    am_status status = models_at(g, curve->lambda, points, &set, err);
    if (status == AM_OK)
        status = evaluate(&set, validation, curve->at, NULL, err);
    g->be->op->release(g->be, (void *)(uintptr_t)set.c);
    if (status == AM_OK && band)
        status = curve_draws(g, validation, curve, err);
    if (status != AM_OK)
        curve_free(curve);
    return status;
}

void curve_free(tuning_curve *curve)
{
    free(curve->lambda);
    free(curve->at);
    free(curve->draw);
    *curve = (tuning_curve){0};
}

double metric_of(const metrics *m, metric_kind kind)
{
    return kind == METRIC_NLL ? m->nll : m->accuracy;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double curve_quantile(const tuning_curve *curve, int point, metric_kind kind, double q,
                      am_error *err)
{
    double *value = am_alloc((size_t)curve->draws + 1, sizeof *value, "quantile", err);
    if (value == NULL || curve->draws == 0) {
        free(value);
        return NAN;
    }
    for (int d = 0; d < curve->draws; d++)
        value[d] = metric_of(&curve->draw[point * curve->draws + d], kind);
    qsort(value, (size_t)curve->draws, sizeof *value, ascending);
    double at = q * (curve->draws - 1);
    int low = (int)at, high = AM_MIN(low + 1, curve->draws - 1);
    double result = value[low] + (at - low) * (value[high] - value[low]);
    free(value);
    return result;
}
