#include "tune/ood.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    double score;
    bool ood;
} scored;

/* The rows of both kinds, in order of their scores: highest first. */
typedef struct {
    scored *row;
    int64_t count, own, ood;
} ranking;

static int descending(const void *a, const void *b)
{
    double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

static am_status check_scores(const double *score, int64_t n, am_error *err)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(score[i]))
            return am_fail(err, AM_ERR_USAGE,
                           "out-of-distribution scores: a score is not finite; give numbers");
    return AM_OK;
}

static am_status rank(const double *own, int64_t n, const double *ood, int64_t m, ranking *r,
                      am_error *err)
{
    *r = (ranking){0};
    if (n < 1 || m < 1)
        return am_fail(err, AM_ERR_USAGE,
                       "out-of-distribution scores: %lld rows against %lld; give at least one of "
                       "each kind",
                       (long long)n, (long long)m);
    AM_TRY(check_scores(own, n, err));
    AM_TRY(check_scores(ood, m, err));
    scored *row = am_alloc((size_t)(n + m), sizeof *row, "scores", err);
    if (row == NULL)
        return AM_ERR_MEMORY;
    for (int64_t i = 0; i < n + m; i++)
        row[i] = (scored){i < n ? own[i] : ood[i - n], i >= n};
    qsort(row, (size_t)(n + m), sizeof *row, descending);
    *r = (ranking){row, n + m, n, m};
    return AM_OK;
}

/* Rows at or above a threshold. */
typedef struct {
    int64_t next; /* first row below it */
    int64_t own, ood;
} above;

/* Lowers the threshold to the next distinct score. */
static void lower(const ranking *r, above *a)
{
    double score = r->row[a->next].score;
    for (; a->next < r->count && r->row[a->next].score == score; a->next++) {
        a->ood += r->row[a->next].ood;
        a->own += !r->row[a->next].ood;
    }
}

am_status detection_compute(const double *own, int64_t n, const double *ood, int64_t m,
                            detection *d, am_error *err)
{
    ranking r;
    AM_TRY(rank(own, n, ood, m, &r, err));
    double rows = (double)n, others = (double)m, wins = 0.0;
    *d = (detection){.fpr95 = NAN};
    for (above a = {0}; a.next < r.count;) {
        above before = a;
        lower(&r, &a);
        double new_own = (double)(a.own - before.own), new_ood = (double)(a.ood - before.ood);
        /* each of the own rows here loses to the OOD rows above it, and half to those beside it */
        wins += new_own * ((double)before.ood + 0.5 * new_ood);
        d->aupr_ood += new_ood / others * (double)a.ood / (double)a.next;
        /* from below: the own rows up to this score, of all that are not above it */
        d->aupr_own += new_own / rows * (double)(n - before.own) / (double)(r.count - before.next);
        if (isnan(d->fpr95) && (double)a.ood >= 0.95 * others)
            d->fpr95 = (double)a.own / rows;
    }
    d->auroc = wins / (rows * others);
    free(r.row);
    return AM_OK;
}

am_status detection_roc(const double *own, int64_t n, const double *ood, int64_t m, double *fpr,
                        double *tpr, int *points, am_error *err)
{
    static const double APART = 1.0 / 256.0;
    ranking r;
    AM_TRY(rank(own, n, ood, m, &r, err));
    int count = 1;
    fpr[0] = tpr[0] = 0.0;
    for (above a = {0}; a.next < r.count;) {
        lower(&r, &a);
        double x = (double)a.own / (double)n, y = (double)a.ood / (double)m;
        bool far = x - fpr[count - 1] >= APART || y - tpr[count - 1] >= APART;
        if (!far && a.next < r.count)
            continue;
        fpr[count] = x;
        tpr[count++] = y;
    }
    *points = count;
    free(r.row);
    return AM_OK;
}
