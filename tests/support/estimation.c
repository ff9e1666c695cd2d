#include "support/estimation.h"

#include "draw/draw.h"

#include <criterion/criterion.h>
#include <math.h>

double sim_normal(uint64_t seed, uint32_t draw, uint32_t element)
{
    philox4 r = philox(seed, STREAM_TEST, 0, draw, element);
    return sqrt(-2.0 * log(uniform_open(r.x[0]))) * cos(6.283185307179586 * uniform_open(r.x[1]));
}

static double response(classic_loss_kind kind, double f, uint64_t seed, uint32_t i)
{
    philox4 r = philox(seed, STREAM_TEST, 1, 0, i);
    double u = uniform_open(r.x[0]);
    bool one = u < 1.0 / (1.0 + exp(-f));
    if (kind == CLASSIC_LOGISTIC)
        return one ? 1.0 : 0.0;
    if (kind == CLASSIC_HINGE)
        return one ? 1.0 : -1.0;
    return f + sim_normal(seed, 1000, i) / sqrt(u);
}

void simulate(simulation *s, classic_loss_kind kind, int n, int q, double l1, double l2,
              uint64_t seed)
{
    cr_assert(n <= SIM_MOST_ROWS && q <= SIM_MOST_COLUMNS);
    s->p = (mest_problem){
        .n = n,
        .q = q,
        .intercept = true,
        .x = s->x,
        .y = s->y,
        .loss = {.kind = kind, .quantile = 0.3, .delta = 1.345, .nu = 4, .scale = 1.2},
        .l1 = l1,
        .l2 = l2};
    for (int i = 0; i < n; i++) {
        double f = 0.3;
        for (int j = 0; j < q; j++) {
            double x = j == 0 ? 1.0 : sim_normal(seed, (uint32_t)j, (uint32_t)i);
            s->x[j * n + i] = x;
            f += j > 0 && j < 5 ? (j % 2 ? 0.5 : -0.5) * x : 0.0;
        }
        s->y[i] = response(kind, f, seed, (uint32_t)i);
        s->omega[i] = draw_exponential(seed, STREAM_TEST, 2, 0, (uint32_t)i);
    }
}
