#include "classic/design.h"
#include "draw/draw.h"
#include "linalg/linalg.h"

#include <math.h>

/* Counters: step = replication, draw = 2·set for X and 2·set + 1 for ε, element = place. */
am_status simulate_linear(const linear_model *model, uint64_t seed, uint32_t replication,
                          uint32_t set, design *d, am_error *err)
{
    int n = model->n, p = model->p;
    double innovation = sqrt(1.0 - model->rho * model->rho);
    AM_TRY(design_alloc(n, p, d, err));
    for (int i = 0; i < n; i++) {
        double *x = d->x + i, signal = 0.0, before = 0.0;
        for (int j = 0; j < p; j++) {
            double z = draw_normal(seed, STREAM_SIMULATE, replication, 2 * set,
                                   (uint32_t)linalg_at(i, j, n));
            before = j == 0 ? z : model->rho * before + innovation * z;
            x[linalg_at(0, j, n)] = before;
            signal += j < model->active ? model->b * before : 0.0;
        }
        d->y[i] = signal + model->sigma * draw_normal(seed, STREAM_SIMULATE, replication,
                                                      2 * set + 1, (uint32_t)i);
    }
    return AM_OK;
}

am_status simulate_folds(const char *what, int n, int groups, uint64_t seed, uint32_t replication,
                         int **label, am_error *err)
{
    *label = NULL;
    if (groups < 2 || groups > n)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: %d rows cannot be divided into %d groups; take 2 to "
                       "as many as there are rows",
                       what, n, groups);
    *label = am_alloc((size_t)n, sizeof **label, what, err);
    if (*label == NULL)
        return AM_ERR_MEMORY;
    permutation order = permutation_of(seed, STREAM_FOLDS, replication, (uint64_t)n);
    for (int i = 0; i < n; i++)
        (*label)[i] = (int)(permutation_at(&order, (uint64_t)i) % (uint64_t)groups);
    return AM_OK;
}
