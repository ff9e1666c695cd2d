/* Training of the expansion on a few draws. */
#include "classic/mest_local.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

/* The line through the scores s_d of a row against its predictions f_d, d < draws:
 * slope Σ(f − f̄)(s − s̄)/Σ(f − f̄)², value s̄ + slope·(at − f̄) at the centre. */
static void fit_line(int draws, const double *f, const double *s, double at, double *value,
                     double *slope)
{
    double mean_f = 0, mean_s = 0, cross = 0, square = 0;
    for (int d = 0; d < draws; d++) {
        mean_f += f[d] / draws;
        mean_s += s[d] / draws;
    }
    for (int d = 0; d < draws; d++) {
        cross += (f[d] - mean_f) * (s[d] - mean_s);
        square += (f[d] - mean_f) * (f[d] - mean_f);
    }
    if (!(square > 0) || !isfinite(cross / square))
        return;
    *slope = cross / square;
    *value = mean_s + *slope * (at - mean_f);
}

/* f and s are (n × draws); their rows are gathered into line (2·draws). */
static void fit_rows(mest_generator *g, int draws, const double *f, const double *s,
                     const double *centre, double *line)
{
    const int n = g->drawn.n;
    for (int i = 0; i < n; i++) {
        for (int d = 0; d < draws; d++) {
            line[d] = f[linalg_at(i, d, n)];
            line[draws + d] = s[linalg_at(i, d, n)];
        }
        fit_line(draws, line, line + draws, centre[i], &g->score[i], &g->curvature[i]);
    }
}

am_status local_train(mest_generator *g, double lambda, int draws, const double *omega,
                      am_error *err)
{
    const mest_problem *p = &g->drawn;
    const size_t n = (size_t)p->n, q = (size_t)p->q, m = (size_t)draws;
    double *room = am_alloc(q * m + 2 * n * m + n + 2 * m, sizeof *room, "training", err);
    if (room == NULL)
        return AM_ERR_MEMORY;
    double *beta = room, *f = beta + q * m, *s = f + n * m, *centre = s + n * m, *line = centre + n;
    mest_account ignored = {0};
    am_status status = draw_all(g, MEST_GENERATE, lambda, draws, omega, beta, &ignored, err);
    if (status == AM_OK) {
        linalg_multiply('n', 'n', p->n, draws, p->q, p->x, beta, f);
        for (int d = 0; d < draws; d++)
            loss_derivatives(&p->loss, p->n, p->y, f + linalg_at(0, d, p->n),
                             s + linalg_at(0, d, p->n), NULL);
        mest_predict(p, g->centre + linalg_at(0, g->at, p->q), centre);
        fit_rows(g, draws, f, s, centre, line);
        local_sum_blocks(g);
        g->trained = true;
    }
    free(room);
    return status;
}
