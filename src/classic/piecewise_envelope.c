#include "classic/piecewise.h"
#include "linalg/cholesky.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    const piecewise_problem *p;
    double *fitted, *w, *response; /* (N) */
    double *next, *column;         /* (P) */
    double *h;                     /* (P × P) */
    double *memory;
} envelope;

static am_status open_envelope(envelope *e, const piecewise_problem *p, am_error *err)
{
    size_t n = p->rows, c = (size_t)p->columns;
    *e = (envelope){.p = p};
    e->memory = am_alloc(3 * n + 2 * c + c * c, sizeof(double), "envelope", err);
    if (e->memory == NULL)
        return AM_ERR_MEMORY;
    e->fitted = e->memory;
    e->w = e->fitted + n;
    e->response = e->w + n;
    e->next = e->response + n;
    e->column = e->next + c;
    e->h = e->column + c;
    return AM_OK;
}

static double mean_residual(envelope *e, const double *beta)
{
    const piecewise_problem *p = e->p;
    double sum = 0, width = 0;
    p->forward(p->context, beta, e->fitted);
    for (size_t i = 0; i < p->rows; i++) {
        sum += (p->high[i] - p->low[i]) * fabs(p->b[i] - e->fitted[i]);
        width += p->high[i] - p->low[i];
    }
    return sum > 0 ? sum / width : 1;
}

/* One weighted least-squares step; e->fitted holds Zβ of the last one. */
static am_status step(envelope *e, double epsilon, double *beta, am_error *err)
{
    const piecewise_problem *p = e->p;
    for (size_t i = 0; i < p->rows; i++) {
        double r = p->b[i] - e->fitted[i];
        double u = 1 / fmax(fabs(r), epsilon); /* û */
        e->w[i] = 0.5 * (p->high[i] - p->low[i]) * u;
        e->response[i] = e->w[i] * p->b[i] + 0.5 * (p->high[i] + p->low[i]); /* w·z */
    }
    p->curvature(p->context, e->w, e->h);
    if (!cholesky_factor(p->columns, e->h))
        return am_fail(
            err, AM_ERR_INPUT,
            "variance–mean envelope: the normal equations are singular; drop constant or "
            "repeated columns, or take a larger λ");
    p->backward(p->context, e->response, beta);
    for (int j = 0; j < p->columns; j++)
        beta[j] += p->linear != NULL ? p->linear[j] : 0;
    cholesky_solve(p->columns, e->h, 1, beta);
    return AM_OK;
}

am_status piecewise_envelope(const piecewise_problem *p, const piecewise_envelope_options *options,
                             double *beta, piecewise_certificate *certificate, am_error *err)
{
    enum { HALVINGS = 2 }; /* ε halves every second step */
    envelope e;
    *certificate = (piecewise_certificate){.dual = -INFINITY, .stationarity = INFINITY};
    am_status status = open_envelope(&e, p, err);
    if (status != AM_OK)
        return status;
    double scale = mean_residual(&e, beta), least = options->precision * scale;
    double epsilon = 0.1 * scale, before = INFINITY;
    for (int i = 0; i < options->most && status == AM_OK; i++) {
        status = step(&e, epsilon, beta, err);
        if (status != AM_OK)
            break;
        if (options->after != NULL)
            options->after(p->context, beta);
        certificate->iterations = i + 1;
        certificate->primal = piecewise_value(p, beta, e.fitted, e.column); /* fitted = Zβ */
        bool still =
            fabs(before - certificate->primal) <= options->precision * fabs(certificate->primal);
        if (still && epsilon <= least)
            break;
        before = certificate->primal;
        if (i % HALVINGS == 1)
            epsilon = fmax(least, 0.5 * epsilon);
    }
    free(e.memory);
    return status;
}
