/* The step size of the refits. A baseline that is handicapped proves nothing, so it is not taken from
 * the recipe but searched for: rates a factor of two apart, from a quarter of the recipe's to twice
 * it, each at five λ of the range, all in one batch; where the best is the smallest or the largest,
 * further on that side. The least mean validation NLL wins; rates within one standard error of it
 * (of the paired differences over the λ) are ties, and of these the most accurate is taken: it is
 * the harder one to beat. */
#include "tune/audit_job.h"

#include <math.h>
#include <stdlib.h>

enum { LAMBDAS = AUDIT_RATE_LAMBDAS, MOST_TRIED = 4, EXTENSIONS = 3 };

typedef struct {
    audit_job *job;
    audit_rates *found;
    int count; /* rates of the batch that runs */
    double rate[MOST_TRIED];
    metrics at[MOST_TRIED * LAMBDAS];
    bool ceiling; /* a larger rate diverged */
} search;

static am_status take_rates(void *context, const model_set *set, int first, am_error *err)
{
    search *s = context;
    return evaluate(set, s->job->q->validation, s->at + first, NULL, err);
}

/* Puts a rate in its place among those found, which ascend. */
static void insert(audit_rates *f, double rate, const metrics *at)
{
    int place = f->count;
    for (; place > 0 && f->rate[place - 1] > rate; place--) {
        f->rate[place] = f->rate[place - 1];
        for (int l = 0; l < LAMBDAS; l++) {
            f->nll[place][l] = f->nll[place - 1][l];
            f->accuracy[place][l] = f->accuracy[place - 1][l];
        }
    }
    f->rate[place] = rate;
    for (int l = 0; l < LAMBDAS; l++) {
        f->nll[place][l] = at[l].nll;
        f->accuracy[place][l] = at[l].accuracy;
    }
    f->count++;
}

static am_status train_rates(search *s, am_error *err)
{
    audit_job *job = s->job;
    int models = s->count * LAMBDAS;
    float scale[MOST_TRIED * LAMBDAS];
    double points[MOST_TRIED * LAMBDAS];
    for (int m = 0; m < models; m++) {
        scale[m] = (float)(s->rate[m / LAMBDAS] / job->adam.rate);
        points[m] = s->found->lambda[m % LAMBDAS];
    }
    double *lambda = audit_spread(job, points, models, 1, err);
    if (lambda == NULL)
        return AM_ERR_MEMORY;
    audit_batch batch = {.models = models,
                         .lambda = lambda,
                         .rate_scale = scale,
                         .part = AUDIT_RATE,
                         .take = take_rates,
                         .context = s};
    am_status status = audit_refit(job, &batch, err);
    free(lambda);
    return status;
}

/* Tries `count` rates, ascending. Where they diverge, it is for the largest: without it again. */
static am_status try_rates(search *s, const double *rate, int count, am_error *err)
{
    am_status status = AM_ERR_DIVERGED;
    for (; status == AM_ERR_DIVERGED && count > 0; count--) {
        for (int i = 0; i < count; i++)
            s->rate[i] = rate[i];
        s->count = count;
        *err = (am_error){0};
        status = train_rates(s, err);
        s->ceiling |= status == AM_ERR_DIVERGED;
    }
    if (status == AM_ERR_DIVERGED && s->found->count > 0) {
        *err = (am_error){0};
        return AM_OK;
    }
    AM_TRY(status);
    for (int i = 0; i < s->count; i++)
        insert(s->found, s->rate[i], s->at + (size_t)i * LAMBDAS);
    return AM_OK;
}

static double mean_of(const double *value)
{
    double sum = 0.0;
    for (int l = 0; l < LAMBDAS; l++)
        sum += value[l] / LAMBDAS;
    return sum;
}

static void find_best(audit_rates *f)
{
    f->best = 0;
    for (int i = 0; i < f->count; i++) {
        f->nll_mean[i] = mean_of(f->nll[i]);
        f->accuracy_mean[i] = mean_of(f->accuracy[i]);
        if (f->nll_mean[i] < f->nll_mean[f->best])
            f->best = i;
    }
}

/* Whether the mean difference to the best is within its standard error over the λ. */
static bool ties_with_best(const audit_rates *f, int i)
{
    double mean = f->nll_mean[i] - f->nll_mean[f->best], squares = 0.0;
    for (int l = 0; l < LAMBDAS; l++)
        squares += pow(f->nll[i][l] - f->nll[f->best][l] - mean, 2.0);
    return mean <= sqrt(squares / (LAMBDAS - 1) / LAMBDAS);
}

static void choose(audit_rates *f)
{
    f->chosen = f->best;
    double most = f->accuracy_mean[f->best];
    for (int i = 0; i < f->count; i++) {
        f->tied[i] = ties_with_best(f, i);
        if (f->tied[i] && f->accuracy_mean[i] > f->accuracy_mean[f->chosen])
            f->chosen = i;
        if (f->accuracy_mean[i] > most)
            most = f->accuracy_mean[i];
    }
    f->advantage = most - f->accuracy_mean[f->chosen];
}

am_status audit_find_rate(audit_job *job, am_error *err)
{
    audit_rates *f = &job->r->rates;
    search s = {.job = job, .found = f};
    double base = job->adam.rate, first[MOST_TRIED] = {base / 4, base / 2, base, 2 * base};
    const generator_spec *spec = &job->g->spec;
    log_grid(spec->lambda_low, spec->lambda_high, LAMBDAS, f->lambda);
    AM_TRY(try_rates(&s, first, MOST_TRIED, err));
    find_best(f);
    for (int i = 0; i < EXTENSIONS; i++) {
        bool low = f->best == 0, high = f->best == f->count - 1 && !s.ceiling;
        if (!low && !high)
            break;
        double end = f->rate[f->best];
        double next[2] = {low ? end / 4 : 2 * end, low ? end / 2 : 4 * end};
        job->total += 2 * LAMBDAS * job->q->steps;
        AM_TRY(try_rates(&s, next, 2, err));
        find_best(f);
    }
    f->edge = f->best == 0 || (f->best == f->count - 1 && !s.ceiling);
    choose(f);
    job->adam.rate = f->rate[f->chosen];
    return AM_OK;
}
