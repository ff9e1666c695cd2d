/* The generator of weighted M-estimation held against exact refits under weights that it has not met. */
#include "classic/mest_uses.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_VALUES = 1 << 22 };

/* The step of these draws' random numbers, which no other draws have. */
static const uint32_t FRESH = UINT32_MAX;

/* value (D × rows): predictions of D estimates β (q × D) at every n/rows-th row. */
static void predict(const mest_problem *p, int draws, int rows, const double *beta, double *value)
{
    for (int d = 0; d < draws; d++)
        for (int i = 0; i < rows; i++) {
            int row = (int)((int64_t)i * p->n / rows);
            double f = 0;
            for (int j = 0; j < p->q; j++)
                f += p->x[linalg_at(row, j, p->n)] * beta[linalg_at(j, d, p->q)];
            value[(size_t)d * (size_t)rows + (size_t)i] =
                p->loss.kind == CLASSIC_LOGISTIC ? 1.0 / (1.0 + exp(-f)) : f;
        }
}

am_status mest_fidelity(const mest_setup *s, const mest_engine *e, double lambda, int draws,
                        fidelity *answer, am_error *err)
{
    const estimate none = {NAN, NAN};
    const int rows = AM_MIN(e->problem.n, MOST_VALUES / AM_MAX(draws, 1));
    const size_t m = (size_t)AM_MAX(draws, 0), k = (size_t)s->blocks, q = (size_t)e->problem.q;
    *answer = (fidelity){draws, rows, none, none, none, none, none, none, none, NULL};
    if (draws < 3)
        return AM_OK;
    double *omega = am_alloc(m * (k + q + 2 * (size_t)rows), sizeof *omega, "audit", err);
    if (omega == NULL)
        return AM_ERR_MEMORY;
    double *beta = omega + k * m, *own = beta + q * m, *exact = own + m * (size_t)rows;
    mest_account ignored = {0};
    mest_weights_draw(s->weights, s->alpha, s->seed, FRESH, 0, draws, s->blocks, omega);
    am_status status =
        mest_generator_draw(e->generator, MEST_GENERATE, lambda, draws, omega, beta, &ignored, err);
    predict(&e->problem, draws, rows, beta, own);
    if (status == AM_OK)
        status = mest_generator_draw(e->generator, MEST_REFIT, lambda, draws, omega, beta, &ignored,
                                     err);
    predict(&e->problem, draws, rows, beta, exact);
    if (status == AM_OK)
        status = fidelity_against_exact(own, exact, draws, rows, answer, err);
    free(omega);
    return status;
}
