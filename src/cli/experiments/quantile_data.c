#include "cli/experiments/quantile.h"

#include "data/data.h"
#include "draw/draw.h"

#include <math.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;

double quantile_truth(double x, double q)
{
    return sin(2 * PI * x) - (0.1 + 0.6 * x) * log(1 - q);
}

/* T_0..T_{p−1}(2x − 1) */
void quantile_design_row(double x, double *row, size_t stride)
{
    double u = 2 * x - 1;
    row[0] = 1;
    row[stride] = u;
    for (size_t j = 2; j < Q_COLUMNS; j++)
        row[j * stride] = 2 * u * row[(j - 1) * stride] - row[(j - 2) * stride];
}

/* Set 0: training, 1: validation. */
static void draw_rows(uint64_t seed, uint32_t set, double *place, double *x, double *y)
{
    for (uint32_t i = 0; i < Q_ROWS; i++) {
        double u = uniform_open(philox(seed, STREAM_SIMULATE, set, 0, i).x[0]);
        double noise = draw_exponential(seed, STREAM_SIMULATE, set, 1, i);
        place[i] = u;
        quantile_design_row(u, x + i, Q_ROWS);
        y[i] = sin(2 * PI * u) + (0.1 + 0.6 * u) * noise;
    }
}

am_status quantile_simulate(quantile_result *r, uint64_t seed, am_error *err)
{
    size_t n = Q_ROWS, p = Q_COLUMNS;
    r->memory = am_alloc(2 * n * (p + 2), sizeof(double), "simulated data", err);
    r->block = am_alloc(n, sizeof *r->block, "simulated data", err);
    if (r->memory == NULL || r->block == NULL)
        return AM_ERR_MEMORY;
    r->x = r->memory;
    r->x_validation = r->x + n * p;
    r->y = r->x_validation + n * p;
    r->b_validation = r->y + n;
    r->place = r->b_validation + n;
    r->place_validation = r->place + n;
    draw_rows(seed, 0, r->place, r->x, r->y);
    draw_rows(seed, 1, r->place_validation, r->x_validation, r->b_validation);
    for (size_t j = 0; j < p; j++)
        r->penalised[j] = j > 0; /* the intercept is free */
    for (size_t i = 0; i < Q_GRID; i++)
        quantile_design_row((double)i / (Q_GRID - 1), r->grid + i, Q_GRID);
    for (size_t i = 0; i < Q_ORDER; i++)
        quantile_design_row((double)i / (Q_ORDER - 1), r->order_x + i, Q_ORDER);
    AM_TRY(blocks_assign(seed, Q_ROWS, Q_BLOCKS, r->block, err));
    r->data = (amortized_data){CHECK_LOSS, Q_ROWS, Q_COLUMNS,    Q_BLOCKS,
                               r->x,       r->y,   r->penalised, r->block};
    return AM_OK;
}
