/* The posterior: draws of ω that neither training nor `sample` has seen (of a sampled response those
 * that it is for: refits under them have not entered it), and at each λ for every draw two refits from scratch with initialisations and batch orders of their own, beside the generator's
 * network for it. All λ share the draws, the initialisations and the orders. */
#include "tune/audit_job.h"

#include "draw/philox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Predictions of the three sets together, at most: 1 GiB. Further validation rows are left out; they
 * stand in random order, so those that are left are a random sample. */
static const int64_t MOST_PREDICTIONS = (int64_t)1 << 28;

typedef struct {
    audit_job *job;
    audit_posterior *at;
    device_rows rows; /* a view of the validation rows */
    int64_t values;   /* predictions of one model */
    float *omega, *omega0;
    double *lambda;   /* (2·D, G) */
    float *refit;     /* (2·D, values): a, then b */
    metrics *each;    /* (2·D) of the refits */
    float *generator; /* (D, values) */
    bool classes;
} comparison;

static void comparison_close(comparison *d)
{
    free(d->omega);
    free(d->omega0);
    free(d->lambda);
    free(d->refit);
    free(d->each);
    free(d->generator);
}

/* ω (D, K): those that `sample` draws by the audit's seed; of a sampled response the first of the weight
 * vectors that it is for. */
static am_status draw_omega(comparison *d, float **omega, am_error *err)
{
    const audit_request *q = d->job->q;
    const posterior_request *s = q->sample;
    uint64_t seed = audit_seed(d->job, AUDIT_OMEGA, 0, 0);
    if (s->g->spec.sampled == 0)
        return posterior_omega(d->job->be, s->weights, s->alpha, s->blocks, q->draws, seed, omega,
                               &d->omega0, err);
    float *seen;
    AM_TRY(posterior_seen(s->g, q->draws, seed, &seen, &d->omega0, err));
    am_status status = posterior_behind(s->g, q->draws, seen, omega, err);
    free(seen);
    return status;
}

/* ω (2·D, K): the draws, twice. */
static am_status open_omega(comparison *d, am_error *err)
{
    const audit_request *q = d->job->q;
    const posterior_request *s = q->sample;
    float *once;
    AM_TRY(draw_omega(d, &once, err));
    size_t count = (size_t)q->draws * (size_t)s->blocks;
    d->omega = am_alloc(2 * count, sizeof *d->omega, "posterior weights", err);
    for (int side = 0; d->omega != NULL && side < 2; side++)
        memcpy(d->omega + (size_t)side * count, once, count * sizeof *once);
    free(once);
    return d->omega != NULL ? AM_OK : AM_ERR_MEMORY;
}

static am_status comparison_open(comparison *d, audit_job *job, am_error *err)
{
    const audit_request *q = job->q;
    const target *t = &job->g->spec.target;
    int outputs = t->size[t->layers];
    *d = (comparison){.job = job, .rows = *q->validation, .classes = t->loss == LOSS_CROSS_ENTROPY};
    int64_t most = MOST_PREDICTIONS / (3 * (int64_t)q->draws * outputs);
    d->rows.data.n = AM_MIN(d->rows.data.n, AM_MAX(most, (int64_t)1));
    job->r->predicted = d->rows.data.n;
    d->values = d->rows.data.n * outputs;
    size_t one = (size_t)q->draws * (size_t)d->values;
    d->refit = am_alloc(2 * one, sizeof *d->refit, "predictions", err);
    d->generator = am_alloc(one, sizeof *d->generator, "predictions", err);
    d->each = am_alloc(2 * (size_t)q->draws, sizeof *d->each, "refits", err);
    return d->refit && d->generator && d->each ? open_omega(d, err) : AM_ERR_MEMORY;
}

/* λ of every draw: times ω₀ where that is drawn. */
static am_status place_lambda(comparison *d, double lambda, am_error *err)
{
    audit_job *job = d->job;
    int count = job->q->draws, groups = job->g->groups.count;
    free(d->lambda);
    d->lambda = audit_spread(job, &lambda, 1, 2 * count, err);
    for (int i = 0; d->lambda != NULL && job->g->spec.omega0 && i < 2 * count * groups; i++)
        d->lambda[i] *= (double)d->omega0[i / groups % count];
    return d->lambda != NULL ? AM_OK : AM_ERR_MEMORY;
}

/* ---- refits ---------------------------------------------------------------------------------- */

static am_status take_refits(void *context, const model_set *set, int first, am_error *err)
{
    comparison *d = context;
    AM_TRY(evaluate(set, &d->rows, d->each + first, NULL, err));
    return evaluate_predictions(set, &d->rows, d->refit + first * d->values, err);
}

static am_status refit_draws(comparison *d, am_error *err)
{
    audit_batch batch = {.models = 2 * d->job->q->draws,
                         .lambda = d->lambda,
                         .omega = d->omega,
                         .apart = true,
                         .part = AUDIT_DRAW,
                         .take = take_refits,
                         .context = d};
    return audit_refit(d->job, &batch, err);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 5 %, 50 % and 95 % quantiles of one metric over the refits, by linear interpolation. */
static am_status refit_quantiles(const comparison *d, metric_kind kind, double quantile[3],
                                 am_error *err)
{
    static const double share[3] = {0.05, 0.5, 0.95};
    int count = 2 * d->job->q->draws;
    double *value = am_alloc((size_t)count, sizeof *value, "quantiles", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    for (int m = 0; m < count; m++)
        value[m] = metric_of(&d->each[m], kind);
    qsort(value, (size_t)count, sizeof *value, ascending);
    for (int i = 0; i < 3; i++) {
        double place = share[i] * (count - 1);
        int low = (int)place, high = AM_MIN(low + 1, count - 1);
        quantile[i] = value[low] + (place - low) * (value[high] - value[low]);
    }
    free(value);
    return AM_OK;
}

/* Metrics of the average over set a, whose refits may come from several batches. */
static am_status score_average(comparison *d, const float *average, am_error *err)
{
    backend *be = d->job->be;
    const device_data *data = &d->rows.data;
    size_t bytes = sizeof *average * (size_t)d->values;
    double columns[AM_SCORE_COLUMNS];
    score_args score = {.kind = LOSS_CROSS_ENTROPY,
                        .probabilities = true,
                        .models = 1,
                        .rows = (int)data->n,
                        .outputs = data->outputs,
                        .label = data->label};
    dev_f32 *output = be->op->alloc(be, bytes, "predictive mean");
    score.output = output;
    score.score = be->op->alloc(be, sizeof columns, "scores");
    am_status status = be->op->sync(be, err);
    if (status == AM_OK) {
        be->op->upload(be, output, average, bytes);
        be->op->score(be, &score);
        status = be->op->download(be, columns, score.score, sizeof columns, err);
    }
    if (status == AM_OK)
        d->at->refits = metrics_of(columns, data->n, LOSS_CROSS_ENTROPY);
    be->op->release(be, output);
    be->op->release(be, score.score);
    return status;
}

/* The ensemble of the refits of set a. */
static am_status ensemble(comparison *d, am_error *err)
{
    int count = d->job->q->draws;
    float *average = am_alloc((size_t)d->values, sizeof *average, "predictive mean", err);
    if (average == NULL)
        return AM_ERR_MEMORY;
    for (int64_t j = 0; j < d->values; j++) {
        double sum = 0.0;
        for (int m = 0; m < count; m++)
            sum += (double)d->refit[m * d->values + j];
        average[j] = (float)(sum / count);
    }
    am_status status = score_average(d, average, err);
    free(average);
    return status;
}

/* ---- the generator --------------------------------------------------------------------------- */

/* What `sample` would draw: networks of the generator, or short weighted refits where it does not see
 * ω. The draws of ω are those of `seed`. prediction and mean may be NULL. */
static am_status sample(comparison *d, int count, uint64_t seed, float *prediction, metrics *mean,
                        am_error *err)
{
    posterior_request request = *d->job->q->sample;
    posterior_models models;
    double lambda[AM_MAX_GROUPS];
    for (int i = 0; i < AM_MAX_GROUPS; i++)
        lambda[i] = d->at->lambda;
    request.lambda = lambda;
    request.draws = count;
    request.seed = seed;
    AM_TRY(posterior_open(&request, &models, err));
    am_status status = AM_OK;
    if (prediction != NULL)
        status = evaluate_predictions(&models.set, &d->rows, prediction, err);
    if (status == AM_OK && mean != NULL)
        status = evaluate(&models.set, &d->rows, NULL, mean, err);
    posterior_close(&models);
    return status;
}

/* Predictions for the refits' draws of ω, and predictive means: the generator's over draws of its
 * own. */
static am_status predict(comparison *d, am_error *err)
{
    const audit_job *job = d->job;
    AM_TRY(sample(d, job->q->draws, audit_seed(job, AUDIT_OMEGA, 0, 0), d->generator, NULL, err));
    if (!d->classes)
        return AM_OK;
    AM_TRY(ensemble(d, err));
    return sample(d, AUDIT_PREDICTIVE_DRAWS, audit_seed(job, AUDIT_PREDICTIVE, 0, 0), NULL,
                  &d->at->generator, err);
}

/* ---- the scatter ----------------------------------------------------------------------------- */

/* Σ_j p̄(1 − p̄) up to each value, p̄ the refits' mean: where predictions can move at all. Most
 * examples are certain whatever ω is; drawn evenly, they would be all that a figure shows. */
static void cumulate(const comparison *d, double *cumulated)
{
    int models = 2 * d->job->q->draws;
    for (int64_t j = 0; j < d->values; j++) {
        double mean = 0.0;
        for (int m = 0; m < models; m++)
            mean += (double)d->refit[m * d->values + j] / models;
        double weight = d->classes ? fmax(mean * (1.0 - mean), 0.0) : 1.0;
        cumulated[j] = weight + (j > 0 ? cumulated[j - 1] : 0.0);
    }
}

static int64_t find(const double *cumulated, int64_t n, double share)
{
    double wanted = share * cumulated[n - 1];
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (cumulated[middle] > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Deviation of draw d at value j from the mean over the draws. */
static double deviation(const float *prediction, int count, int64_t values, int draw, int64_t j)
{
    double mean = 0.0;
    for (int i = 0; i < count; i++)
        mean += (double)prediction[i * values + j] / count;
    return (double)prediction[draw * values + j] - mean;
}

static am_status scatter(comparison *d, am_error *err)
{
    audit_posterior *at = d->at;
    int count = d->job->q->draws;
    double *cumulated = am_alloc((size_t)d->values, sizeof *cumulated, "scatter", err);
    if (cumulated == NULL)
        return AM_ERR_MEMORY;
    cumulate(d, cumulated);
    uint64_t seed = audit_seed(d->job, AUDIT_SCATTER, 0, 0);
    for (int i = 0; i < AUDIT_SAMPLES; i++) {
        philox4 r = philox(seed, STREAM_AUDIT, 0, 0, (uint32_t)i);
        int64_t j = find(cumulated, d->values, uniform_open(r.x[0]));
        int draw = (int)(uniform_open(r.x[1]) * count);
        at->generator_delta[i] = deviation(d->generator, count, d->values, draw, j);
        at->refit_delta[i] =
            0.5 * (deviation(d->refit, count, d->values, draw, j) +
                   deviation(d->refit + count * d->values, count, d->values, draw, j));
    }
    at->samples = AUDIT_SAMPLES;
    free(cumulated);
    return AM_OK;
}

/* ---- all λ ----------------------------------------------------------------------------------- */

static const metrics none = {
    .nll = NAN, .nll_se = NAN, .accuracy = NAN, .accuracy_se = NAN, .brier = NAN, .ece = NAN};

static am_status at_lambda(comparison *d, double lambda, audit_posterior *at, am_error *err)
{
    int count = d->job->q->draws;
    d->at = at;
    *at = (audit_posterior){.lambda = lambda, .generator = none, .refits = none};
    AM_TRY(place_lambda(d, lambda, err));
    AM_TRY(refit_draws(d, err));
    AM_TRY(refit_quantiles(d, METRIC_NLL, at->refit_nll, err));
    AM_TRY(refit_quantiles(d, METRIC_ACCURACY, at->refit_accuracy, err));
    AM_TRY(predict(d, err));
    AM_TRY(fidelity_compute(d->generator, d->refit, d->refit + count * d->values, count, d->values,
                            &at->f, err));
    return scatter(d, err);
}

am_status audit_compare_draws(audit_job *job, am_error *err)
{
    comparison d;
    if (job->q->lambdas == 0)
        return AM_OK;
    am_status status = comparison_open(&d, job, err);
    for (int i = 0; status == AM_OK && i < job->q->lambdas; i++)
        status = at_lambda(&d, job->q->lambda[i], &job->r->at[i], err);
    comparison_close(&d);
    return status;
}
