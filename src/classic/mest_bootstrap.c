/* Bootstrap intervals: percentile, BCa, calibrated; and the audit of the generator. */
#include "classic/mest_interval.h"
#include "classic/mest_uses.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_JUDGED = 200 }; /* draws that the fidelity is measured on */

typedef struct {
    const mest_setup *s;
    mest_engine engine;
    mest_bootstrap *r;
    double *omega;     /* (K × M) */
    double *estimate;  /* (q) of the standardised problem */
    double *below;     /* (q × M) shares of inner draws below the estimate; NULL without */
    double *column;    /* (M) scratch */
    double *influence; /* (q × K) */
    double *room;
} boot;

void mest_bootstrap_free(mest_bootstrap *r)
{
    free(r->row);
    free(r->draw);
    *r = (mest_bootstrap){0};
}

static void boot_close(boot *b)
{
    mest_engine_close(&b->engine);
    free(b->room);
    free(b->below);
}

static am_status boot_open(boot *b, double lambda, int inner, am_error *err)
{
    const mest_setup *s = b->s;
    const size_t q = (size_t)s->data->q, m = (size_t)s->draws, k = (size_t)s->blocks;
    mest_time begin = mest_now();
    AM_TRY(mest_engine_open(s, s->blocks, 1, &lambda, &b->engine, err));
    b->r->seconds.fit = mest_since(begin);
    b->r->row = am_alloc(q, sizeof *b->r->row, "intervals", err);
    b->r->draw = am_alloc(q * m, sizeof *b->r->draw, "draws", err);
    b->room = am_alloc(k * m + q + m + q * k, sizeof *b->room, "draws", err);
    if (b->r->row == NULL || b->r->draw == NULL || b->room == NULL)
        return AM_ERR_MEMORY;
    b->omega = b->room;
    b->estimate = b->omega + k * m;
    b->column = b->estimate + q;
    b->influence = b->column + m;
    if (inner > 0) {
        b->below = am_alloc(q * m, sizeof *b->below, "inner draws", err);
        if (b->below == NULL)
            return AM_ERR_MEMORY;
    }
    memcpy(b->estimate, mest_generator_node(b->engine.generator, 0, &b->r->certificate),
           q * sizeof *b->estimate);
    return AM_OK;
}

/* ---- draws inside draws ------------------------------------------------------------------------ */

static am_status draw_inner(boot *b, double lambda, int inner, am_error *err)
{
    const mest_setup *s = b->s;
    const size_t q = (size_t)s->data->q, k = (size_t)s->blocks, count = (size_t)inner;
    mest_account ignored = {0};
    double *omega = am_alloc((k + q) * count + q, sizeof *omega, "inner draws", err);
    if (omega == NULL)
        return AM_ERR_MEMORY;
    double *beta = omega + k * count, *centre = beta + q * count;
    memcpy(centre, b->estimate, q * sizeof *centre);
    mest_data_restore(s->data, true, centre);
    am_status status = AM_OK;
    for (int m = 0; m < s->draws && status == AM_OK; m++) {
        mest_weights_inner(s->weights, s->alpha, s->seed, (uint32_t)m + 1, inner, s->blocks,
                           b->omega + linalg_at(0, m, s->blocks), omega);
        status = mest_generator_draw(b->engine.generator, s->refit ? MEST_REFIT : MEST_SKETCH,
                                     lambda, inner, omega, beta, &ignored, err);
        for (size_t i = 0; i < count && status == AM_OK; i++) {
            mest_data_restore(s->data, true, beta + i * q);
            for (size_t j = 0; j < q; j++)
                b->below[(size_t)m * q + j] += beta[i * q + j] <= centre[j] ? 1.0 / inner : 0.0;
        }
    }
    free(omega);
    return status;
}

/* ---- intervals --------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Row j of a (q × draws) matrix, sorted, into column. */
static void sort_row(int q, int draws, int j, const double *matrix, double *column)
{
    for (int m = 0; m < draws; m++)
        column[m] = matrix[linalg_at(j, m, q)];
    qsort(column, (size_t)draws, sizeof *column, compare_numbers);
}

static double spread(int count, const double *x)
{
    double mean = 0, square = 0;
    for (int i = 0; i < count; i++)
        mean += x[i] / count;
    for (int i = 0; i < count; i++)
        square += (x[i] - mean) * (x[i] - mean);
    return count > 1 ? sqrt(square / (count - 1)) : 0.0;
}

static void fill_interval(const boot *b, int j, mest_interval *row)
{
    const int q = b->r->q, draws = b->r->draws, blocks = b->s->blocks;
    const double tail[2] = {0.5 * (1.0 - b->s->level), 0.5 * (1.0 + b->s->level)};
    double order[2] = {NAN, NAN};
    if (b->below != NULL) {
        sort_row(q, draws, j, b->below, b->column);
        for (int e = 0; e < 2; e++)
            order[e] = interval_quantile(draws, b->column, tail[e]);
    }
    sort_row(q, draws, j, b->r->draw, b->column);
    row->se = spread(draws, b->column);
    row->bias = interval_bias(draws, b->column, row->estimate);
    double *u = b->influence + (size_t)blocks * (size_t)j;
    row->acceleration = interval_acceleration(blocks, u);
    for (int e = 0; e < 2; e++) {
        double bca = interval_bca_order(tail[e], row->bias, row->acceleration);
        row->percentile[e] = interval_quantile(draws, b->column, tail[e]);
        row->bca[e] = interval_quantile(draws, b->column, bca);
        row->calibrated[e] = b->below != NULL ? interval_quantile(draws, b->column, order[e]) : NAN;
    }
}

/* The blocks' influences in original units, (K × q). */
static am_status fill_influence(boot *b, double lambda, am_error *err)
{
    const int q = b->r->q, blocks = b->s->blocks;
    double *u = am_alloc((size_t)q * (size_t)blocks, sizeof *u, "influence", err);
    if (u == NULL)
        return AM_ERR_MEMORY;
    am_status status = mest_generator_influence(b->engine.generator, lambda, u, err);
    for (int k = 0; k < blocks && status == AM_OK; k++) {
        mest_data_restore(b->s->data, false, u + linalg_at(0, k, q));
        for (int j = 0; j < q; j++)
            b->influence[linalg_at(k, j, blocks)] = u[linalg_at(j, k, q)];
    }
    free(u);
    return status;
}

/* ---- audit ------------------------------------------------------------------------------------- */

/* Ends of coefficient j over the first `count` draws, generator against refits (q × count). */
static void compare(const boot *b, int j, int count, const double *refit, double *scratch,
                    mest_audit *audit)
{
    const int q = b->r->q;
    const double tail[2] = {0.5 * (1.0 - b->s->level), 0.5 * (1.0 + b->s->level)};
    double end[2], square = 0;
    for (int m = 0; m < count; m++) {
        double d = b->r->draw[linalg_at(j, m, q)] - refit[linalg_at(j, m, q)];
        square += d * d / count;
    }
    sort_row(q, count, j, b->r->draw, scratch);
    for (int e = 0; e < 2; e++)
        end[e] = interval_quantile(count, scratch, tail[e]);
    sort_row(q, count, j, refit, scratch);
    double width = interval_quantile(count, scratch, tail[1]) -
                   interval_quantile(count, scratch, tail[0]),
           sd = spread(count, scratch);
    if (!(width > 0) || !(sd > 0)) /* the coefficient is 0 in every refit */
        return;
    for (int e = 0; e < 2; e++) {
        double off = fabs(end[e] - interval_quantile(count, scratch, tail[e])) / width;
        audit->worst_end = fmax(audit->worst_end, off);
        audit->mean_end += off / (2.0 * q);
    }
    audit->rms += square / (sd * sd) / q;
}

static am_status audit(boot *b, double lambda, am_error *err)
{
    const mest_setup *s = b->s;
    const int count = AM_MIN(s->audit, s->draws), q = b->r->q;
    mest_account account = {0};
    if (count < 2 || s->refit)
        return AM_OK;
    double *refit = am_alloc((size_t)(q + 1) * (size_t)count, sizeof *refit, "audit", err);
    if (refit == NULL)
        return AM_ERR_MEMORY;
    mest_time begin = mest_now();
    am_status status = mest_generator_draw(b->engine.generator, MEST_REFIT, lambda, count, b->omega,
                                           refit, &account, err);
    b->r->seconds.refits = mest_since(begin);
    b->r->audit.refits = count;
    b->r->audit.failed = (int)account.failed;
    for (int m = 0; m < count && status == AM_OK; m++)
        mest_data_restore(s->data, true, refit + linalg_at(0, m, q));
    for (int j = 0; j < q && status == AM_OK; j++)
        compare(b, j, count, refit, refit + (size_t)q * (size_t)count, &b->r->audit);
    b->r->audit.rms = sqrt(b->r->audit.rms);
    free(refit);
    return status;
}

static am_status draw_outer(boot *b, double lambda, am_error *err)
{
    const mest_setup *s = b->s;
    mest_weights_draw(s->weights, s->alpha, s->seed, 0, 0, s->draws, s->blocks, b->omega);
    mest_time begin = mest_now();
    AM_TRY(mest_generator_draw(b->engine.generator, s->refit ? MEST_REFIT : MEST_GENERATE, lambda,
                               s->draws, b->omega, b->r->draw, &b->r->account, err));
    b->r->seconds.draws = mest_since(begin);
    for (int m = 0; m < s->draws; m++)
        mest_data_restore(s->data, true, b->r->draw + linalg_at(0, m, b->r->q));
    return AM_OK;
}

/* Before the influence is asked for: it takes the generator back to where it was not trained. */
static am_status judge_answer(boot *b, double lambda, am_error *err)
{
    const mest_setup *s = b->s;
    const int count = AM_MIN(s->audit, s->draws);
    if (count < 2 || s->refit)
        return AM_OK;
    return mest_fidelity(s, &b->engine, lambda, AM_MIN(count, MOST_JUDGED), &b->r->audit.answer,
                         err);
}

static am_status run(boot *b, double lambda, int inner, am_error *err)
{
    AM_TRY(boot_open(b, lambda, inner, err));
    AM_TRY(draw_outer(b, lambda, err));
    AM_TRY(judge_answer(b, lambda, err));
    if (inner > 0)
        AM_TRY(draw_inner(b, lambda, inner, err));
    AM_TRY(fill_influence(b, lambda, err));
    mest_data_restore(b->s->data, true, b->estimate);
    for (int j = 0; j < b->r->q; j++) {
        b->r->row[j].estimate = b->estimate[j];
        fill_interval(b, j, &b->r->row[j]);
    }
    return audit(b, lambda, err);
}

am_status mest_bootstrap_run(const mest_setup *s, double lambda, int inner, mest_bootstrap *r,
                             am_error *err)
{
    boot b = {.s = s, .r = r};
    *r = (mest_bootstrap){.q = s->data->q, .draws = s->draws, .lambda = lambda};
    am_status status = run(&b, lambda, inner, err);
    boot_close(&b);
    if (status != AM_OK)
        mest_bootstrap_free(r);
    return status;
}
