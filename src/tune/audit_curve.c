/* The curve: the generator at ω = 1 against refits at the same λ, R of them, each repeat with an
 * initialisation and a batch order of its own that its refits share, as someone would who tunes by
 * retraining with one seed. */
#include "tune/audit_job.h"

#include <math.h>
#include <stdlib.h>

double audit_refit_mean(const audit_curve *c, int point, metric_kind kind)
{
    double sum = 0.0;
    for (int r = 0; r < c->repeats; r++)
        sum += metric_of(&c->refit[r * c->curve.points + point], kind) / c->repeats;
    return sum;
}

double audit_refit_criterion(const audit_curve *c, int point)
{
    double sum = 0.0;
    for (int r = 0; r < c->repeats; r++)
        sum += c->refit_criterion[r * c->curve.points + point] / c->repeats;
    return sum;
}

/* ---- measuring ------------------------------------------------------------------------------- */

typedef struct {
    audit_job *job;
    const double *lambda; /* (points, G) */
    int repeat;
} curve_pass;

static am_status take_curve(void *context, const model_set *set, int first, am_error *err)
{
    const curve_pass *p = context;
    const audit_request *q = p->job->q;
    audit_curve *c = &p->job->r->curve;
    int at = p->repeat * c->curve.points + first, groups = p->job->g->groups.count;
    AM_TRY(evaluate(set, q->validation, c->refit + at, NULL, err));
    return evaluate_criterion(set, q->sample->train, p->job->g->groups,
                              p->lambda + (int64_t)first * groups, NULL, 0, c->refit_criterion + at,
                              err);
}

static am_status refit_curves(audit_job *job, const double *lambda, am_error *err)
{
    for (int r = 0; r < job->q->repeats; r++) {
        curve_pass pass = {job, lambda, r};
        audit_batch batch = {.models = job->q->points,
                             .lambda = lambda,
                             .part = AUDIT_CURVE,
                             .index = (uint32_t)r,
                             .take = take_curve,
                             .context = &pass};
        AM_TRY(audit_refit(job, &batch, err));
    }
    return AM_OK;
}

static am_status generator_criterion(audit_job *job, const double *lambda, am_error *err)
{
    audit_curve *c = &job->r->curve;
    model_set set;
    AM_TRY(models_at(job->g, c->curve.lambda, c->curve.points, &set, err));
    am_status status = evaluate_criterion(&set, job->q->sample->train, job->g->groups, lambda, NULL,
                                          0, c->criterion, err);
    job->be->op->release(job->be, (void *)(uintptr_t)set.c);
    return status;
}

static am_status open_curve(audit_job *job, am_error *err)
{
    const audit_request *q = job->q;
    audit_curve *c = &job->r->curve;
    size_t points = (size_t)q->points, all = points * (size_t)q->repeats;
    c->repeats = q->repeats;
    c->refit = am_alloc(all, sizeof *c->refit, "refits", err);
    c->criterion = am_alloc(points, sizeof(double), "criterion", err);
    c->refit_criterion = am_alloc(all, sizeof(double), "criterion", err);
    return c->refit && c->criterion && c->refit_criterion ? AM_OK : AM_ERR_MEMORY;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Mean and standard error of one number from each repeat. */
static estimate over_repeats(const double *value, int repeats)
{
    double mean = 0.0, squares = 0.0;
    for (int r = 0; r < repeats; r++)
        mean += value[r] / repeats;
    for (int r = 0; r < repeats; r++)
        squares += (value[r] - mean) * (value[r] - mean);
    return (estimate){mean, repeats > 1 ? sqrt(squares / (repeats - 1) / repeats) : NAN};
}

static double gap_at(const audit_curve *c, audit_gap_kind kind, int repeat, int point)
{
    int at = repeat * c->curve.points + point;
    switch (kind) {
    case GAP_ACCURACY:
        return c->curve.at[point].accuracy - c->refit[at].accuracy;
    case GAP_NLL:
        return c->curve.at[point].nll - c->refit[at].nll;
    default:
        return c->criterion[point] / c->refit_criterion[at] - 1.0;
    }
}

/* Of repeat r, averaged over points low..high−1. */
static double mean_gap(const audit_curve *c, audit_gap_kind kind, int r, int low, int high)
{
    double sum = 0.0;
    for (int i = low; i < high; i++)
        sum += gap_at(c, kind, r, i) / (high - low);
    return sum;
}

static estimate gap_over(const audit_curve *c, audit_gap_kind kind, int low, int high)
{
    double mean = 0.0, squares = 0.0;
    for (int r = 0; r < c->repeats; r++)
        mean += mean_gap(c, kind, r, low, high) / c->repeats;
    for (int r = 0; r < c->repeats; r++)
        squares += pow(mean_gap(c, kind, r, low, high) - mean, 2.0);
    double se = c->repeats > 1 ? sqrt(squares / (c->repeats - 1) / c->repeats) : NAN;
    return (estimate){mean, se};
}

estimate audit_gap(const audit_curve *c, audit_gap_kind kind, int point)
{
    return gap_over(c, kind, point, point + 1);
}

/* The mean gap, and that at the point where it is worst: sign −1, least; +1, largest. */
static void gaps(const audit_curve *c, audit_gap_kind kind, double sign, estimate *mean,
                 estimate *worst, int *where)
{
    *mean = gap_over(c, kind, 0, c->curve.points);
    *where = 0;
    *worst = audit_gap(c, kind, 0);
    for (int i = 1; i < c->curve.points; i++) {
        estimate at = audit_gap(c, kind, i);
        if (sign * at.value > sign * worst->value) {
            *worst = at;
            *where = i;
        }
    }
}

static int least(const double *value, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (value[i] < value[best])
            best = i;
    return best;
}

/* Rank correlation with the refits' mean curve; its error from those with each repeat's. own, theirs
 * (points), each (R): work space. */
static am_status rank_curves(const audit_curve *c, metric_kind kind, double *own, double *theirs,
                             double *each, estimate *rho, am_error *err)
{
    int points = c->curve.points;
    for (int i = 0; i < points; i++)
        own[i] = metric_of(&c->curve.at[i], kind);
    for (int r = 0; r < c->repeats; r++) {
        for (int i = 0; i < points; i++)
            theirs[i] = metric_of(&c->refit[r * points + i], kind);
        AM_TRY(spearman(own, theirs, points, &each[r], err));
    }
    rho->se = over_repeats(each, c->repeats).se;
    for (int i = 0; i < points; i++)
        theirs[i] = audit_refit_mean(c, i, kind);
    return spearman(own, theirs, points, &rho->value, err);
}

/* What choosing λ by the generator costs, judged by the refits. own, theirs (points) as rank_curves
 * leaves them. */
static double regret_of(const double *own, const double *theirs, int points, int *best, int *other)
{
    *best = least(own, points);
    *other = least(theirs, points);
    return theirs[*best] - theirs[*other];
}

static am_status compare(audit_curve *c, double *own, double *theirs, double *each, am_error *err)
{
    int points = c->curve.points, best, other;
    gaps(c, GAP_ACCURACY, -1, &c->acc_gap_mean, &c->acc_gap_worst, &c->worst_acc);
    gaps(c, GAP_NLL, 1, &c->nll_gap_mean, &c->nll_gap_worst, &c->worst_nll);
    gaps(c, GAP_CRITERION, 1, &c->criterion_gap_mean, &c->criterion_gap_worst, &c->worst_criterion);
    AM_TRY(rank_curves(c, METRIC_ACCURACY, own, theirs, each, &c->rank_correlation_acc, err));
    for (int i = 0; i < points; i++) { /* the most accurate is the least */
        own[i] = -own[i];
        theirs[i] = -theirs[i];
    }
    c->regret_acc = regret_of(own, theirs, points, &best, &other);
    AM_TRY(rank_curves(c, METRIC_NLL, own, theirs, each, &c->rank_correlation, err));
    c->regret.value = regret_of(own, theirs, points, &c->best, &c->refit_best);
    for (int r = 0; r < c->repeats; r++)
        c->regret.se += c->refit[r * points + c->refit_best].nll_se / c->repeats;
    return AM_OK;
}

am_status audit_compare_curves(audit_job *job, am_error *err)
{
    const audit_request *q = job->q;
    audit_curve *c = &job->r->curve;
    AM_TRY(open_curve(job, err));
    AM_TRY(curve_compute(job->g, q->validation, q->points, AUDIT_PREDICTIVE_DRAWS, &c->curve, err));
    double *lambda = audit_spread(job, c->curve.lambda, q->points, 1, err);
    double *work = am_alloc(2 * (size_t)q->points + (size_t)q->repeats, sizeof *work, "audit", err);
    am_status status = lambda && work ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = generator_criterion(job, lambda, err);
    if (status == AM_OK)
        status = refit_curves(job, lambda, err);
    if (status == AM_OK)
        status = compare(c, work, work + q->points, work + 2 * q->points, err);
    free(lambda);
    free(work);
    return status;
}
