/* amortune mest — weighted M-estimation on a user's CSV. */
#include "backend/cpu/threads.h"
#include "cli/mest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

static classic_loss_kind loss_of(const settings *set)
{
    int kind = 0;
    while (kind < CLASSIC_LOSSES - 1 && !is(set->loss, classic_loss_names[kind]))
        kind++;
    return (classic_loss_kind)kind;
}

static bool is_bootstrap(const settings *set)
{
    return is(set->use, "bootstrap") || is(set->use, "double-bootstrap");
}

/* What cannot be meant, before any work. */
static am_status check(const settings *set, am_error *err)
{
    if (is(set->device, "cuda"))
        return am_fail(err, AM_ERR_USAGE,
                       "--device cuda: mest computes on the CPU; give --device cpu or auto");
    if (!is(set->precision, "fp32"))
        return am_fail(err, AM_ERR_USAGE,
                       "--precision %s: mest computes in double precision; leave the option out",
                       set->precision);
    if (is(set->penalty, "none") && !is_bootstrap(set))
        return am_fail(err, AM_ERR_USAGE,
                       "--penalty none: --use %s runs along λ; give l2, l1 or elastic-net",
                       set->use);
    if (set->posterior_draws == 1)
        return am_fail(err, AM_ERR_USAGE,
                       "--draws 1: a single draw has no spread; give two or more");
    if (settings_given(set, "lambda") && !is_bootstrap(set))
        return am_fail(err, AM_ERR_USAGE, "--lambda: --use %s runs along λ; give --range LOW:HIGH",
                       set->use);
    if (settings_given(set, "lambda") && (set->penalty == NULL || is(set->penalty, "none")))
        return am_fail(err, AM_ERR_USAGE,
                       "--lambda: there is no penalty; give --penalty l2, l1 or elastic-net");
    return AM_OK;
}

static void take_penalty(const settings *set, mest_setup *s)
{
    const char *penalty = set->penalty != NULL ? set->penalty : is_bootstrap(set) ? "none" : "l1";
    s->l1 = is(penalty, "l1") ? 1.0 : is(penalty, "elastic-net") ? set->mixing : 0.0;
    s->l2 = is(penalty, "l2") ? 1.0 : is(penalty, "elastic-net") ? 1.0 - set->mixing : 0.0;
}

/* δ and σ in the units of y. */
static am_status take_loss(const mest_job *job, classic_loss *loss, am_error *err)
{
    const settings *set = job->set;
    *loss = (classic_loss){
        .kind = loss_of(set), .quantile = set->quantile, .nu = set->nu, .scale = set->scale};
    if (set->scale == 0 && (loss->kind == CLASSIC_HUBER || loss->kind == CLASSIC_STUDENT))
        AM_TRY(mest_data_scale(&job->data, &loss->scale, err));
    loss->delta = set->delta * loss->scale;
    return loss_check(loss, err);
}

static mest_weight_kind weights_of(const settings *set)
{
    return is(set->weights, "multinomial")   ? MEST_MULTINOMIAL
           : is(set->weights, "exponential") ? MEST_EXPONENTIAL
                                             : MEST_DIRICHLET;
}

/* A number that the user did not give adapts to few rows. */
static int at_most_rows(const mest_job *job, const char *option, int64_t value)
{
    int64_t n = job->data.n;
    if (value == 0)
        return (int)n;
    return (int)(settings_given(job->set, option) ? value : AM_MIN(value, n));
}

static int draws_of(const settings *set)
{
    if (set->posterior_draws > 0)
        return (int)set->posterior_draws;
    return is_bootstrap(set) ? 1000 : 200;
}

static am_status take_setup(mest_job *job, am_error *err)
{
    const settings *set = job->set;
    mest_setup *s = &job->setup;
    int threads = cpu_thread_limit();
    *s = (mest_setup){.data = &job->data,
                      .blocks = at_most_rows(job, "blocks", set->blocks),
                      .weights = weights_of(set),
                      .alpha = set->alpha,
                      .seed = (uint64_t)set->seed,
                      .threads = set->threads > 0 ? (int)set->threads : threads,
                      .draws = draws_of(set),
                      .level = set->level,
                      .audit = (int)set->exact};
    take_penalty(set, s);
    AM_TRY(take_loss(job, &s->loss, err));
    s->refit = is(set->method, "refit") || (is(set->method, "auto") && loss_is_piecewise(&s->loss));
    return AM_OK;
}

am_status mest_job_grid(mest_job *job, am_error *err)
{
    double low = job->set->range_low, high = job->set->range_high;
    job->lambda = am_alloc((size_t)job->set->points, sizeof *job->lambda, "range of λ", err);
    if (job->lambda == NULL)
        return AM_ERR_MEMORY;
    if (!(low > 0))
        AM_TRY(mest_lambda_range(&job->setup, &low, &high, err));
    mest_lambda_grid(low, high, (int)job->set->points, job->lambda);
    return AM_OK;
}

static am_status run(mest_job *job, am_error *err)
{
    static const struct {
        const char *use;
        am_status (*run)(mest_job *job, am_error *err);
    } uses[] = {{"bootstrap", mest_bootstrap_command},
                {"double-bootstrap", mest_bootstrap_command},
                {"cv", mest_cv_command},
                {"stability", mest_stability_command},
                {"path", mest_path_command}};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (is(job->set->use, uses[i].use))
            return uses[i].run(job, err);
    return am_fail(err, AM_ERR_INTERNAL, "--use %s is not known; report this defect",
                   job->set->use);
}

am_status command_mest(const settings *set, am_error *err)
{
    mest_job job = {.set = set};
    AM_TRY(check(set, err));
    if (set->out != NULL)
        AM_TRY(am_check_writable(set->out, err));
    am_status status = mest_data_read(set->data, set->label, loss_of(set), !set->no_intercept,
                                      !set->no_standardise, &job.data, err);
    if (status == AM_OK)
        status = take_setup(&job, err);
    if (status == AM_OK)
        status = run(&job, err);
    mest_data_free(&job.data);
    free(job.lambda);
    return status;
}
