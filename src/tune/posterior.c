#include "tune/tune.h"

#include "draw/philox.h"
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

am_status posterior_omega(backend *be, omega_kind kind, double alpha, int64_t blocks, int draws,
                          uint64_t seed, float **omega, float **omega0, am_error *err)
{
    size_t count = (size_t)draws * (size_t)blocks;
    *omega = am_alloc(count, sizeof **omega, "posterior weights", err);
    *omega0 = am_alloc((size_t)draws, sizeof **omega0, "posterior weights", err);
    dev_f32 *w = be->op->alloc(be, count * sizeof(float), "posterior weights");
    dev_f32 *w0 = be->op->alloc(be, (size_t)draws * sizeof(float), "posterior weights");
    dev_u64 *step = be->op->alloc(be, sizeof(uint64_t), "step counter");
    am_status status = *omega && *omega0 ? be->op->sync(be, err) : AM_ERR_MEMORY;
    if (status == AM_OK) {
        draw_omega_args a = {.kind = kind,
                             .seed = seed_for(seed, STREAM_POSTERIOR),
                             .alpha = alpha,
                             .draws = draws,
                             .blocks = blocks,
                             .step = step,
                             .omega = w,
                             .omega0 = w0};
        be->op->draw_omega(be, &a);
        status = be->op->download(be, *omega, w, count * sizeof(float), err);
    }
    if (status == AM_OK)
        status = be->op->download(be, *omega0, w0, (size_t)draws * sizeof(float), err);
    be->op->release(be, w);
    be->op->release(be, w0);
    be->op->release(be, step);
    if (status != AM_OK) {
        free(*omega);
        free(*omega0);
        *omega = *omega0 = NULL;
    }
    return status;
}

/* λ (D,G) of the draws: the same for all, times ω₀ where that is drawn. */
static double *draw_lambdas(const posterior_request *q, const float *omega0, am_error *err)
{
    int groups = q->g->groups.count;
    double *lambda = am_alloc((size_t)q->draws * (size_t)groups, sizeof *lambda, "λ", err);
    for (int i = 0; lambda != NULL && i < q->draws * groups; i++)
        lambda[i] = q->lambda[i % groups] * (q->g->spec.omega0 ? (double)omega0[i / groups] : 1.0);
    return lambda;
}

/* The generator sees ω: θ_d = g(ω_d, λ). */
static am_status from_generator(const posterior_request *q, const double *lambda,
                                const float *omega, model_set *set, am_error *err)
{
    generator *g = q->g;
    size_t bytes = sizeof(float) * (size_t)q->draws * (size_t)g->f.features;
    dev_f32 *c = g->be->op->alloc(g->be, bytes, "features");
    *set = (model_set){.be = g->be, .t = &g->spec.target, .g = g, .c = c, .models = q->draws};
    AM_TRY(g->be->op->sync(g->be, err));
    return generator_features(g, q->draws, lambda, omega, c, err);
}

/* θ (P) = g(1, λ), copied D times: where the short refits start. */
static float *start_weights(const posterior_request *q, am_error *err)
{
    size_t params = (size_t)q->g->spec.target.params;
    float *start = am_alloc(params * (size_t)q->draws, sizeof *start, "posterior", err);
    if (start == NULL)
        return NULL;
    if (generator_weights(q->g, 1, q->lambda, NULL, start, err) != AM_OK) {
        free(start);
        return NULL;
    }
    for (int d = 1; d < q->draws; d++)
        memcpy(start + (size_t)d * params, start, params * sizeof *start);
    return start;
}

/* The generator does not see ω: D weighted refits of a few steps from g(1, λ), as one batch. */
static am_status from_refits(const posterior_request *q, const double *lambda, const float *omega,
                             model_set *set, am_error *err)
{
    generator *g = q->g;
    if (q->train == NULL || q->train->data.block == NULL)
        return am_fail(err, AM_ERR_INTERNAL, "posterior: training rows with blocks are needed");
    float *start = start_weights(q, err);
    if (start == NULL)
        return err->status;
    refit_request request = {
        .t = &g->spec.target,
        .per_layer = g->spec.per_layer,
        .models = q->draws,
        .lambda = lambda,
        .omega = omega,
        .blocks = q->blocks,
        .start = start,
        .seed = seed_for(q->seed, STREAM_POSTERIOR),
        .rows = q->rows,
        .steps = q->steps,
        .adam = {.rate = q->rate,
                 .schedule = SCHEDULE_COSINE,
                 .warmup = q->steps / 10,
                 .beta1 = 0.9,
                 .beta2 = 0.999,
                 .epsilon = 1e-8},
    };
    *set = (model_set){.be = g->be, .t = &g->spec.target, .models = q->draws};
    am_status status = refit_run(g->be, &request, q->train, NULL, &set->theta, err);
    free(start);
    return status;
}

/* θ (D,P) of the draws, for the caller. */
static am_status read_theta(const posterior_request *q, const double *lambda, const float *omega,
                            const model_set *set, am_error *err)
{
    size_t values = (size_t)q->draws * (size_t)q->g->spec.target.params;
    if (set->theta == NULL)
        return generator_weights(q->g, q->draws, lambda, omega, q->theta, err);
    return set->be->op->download(set->be, q->theta, set->theta, values * sizeof(float), err);
}

static void summarise(posterior *p)
{
    double sum = 0.0, squares = 0.0, nll = 0.0, n = p->draws;
    for (int d = 0; d < p->draws; d++) {
        sum += p->draw[d].accuracy;
        nll += p->draw[d].nll;
    }
    p->accuracy_mean = sum / n;
    p->nll_mean = nll / n;
    for (int d = 0; d < p->draws; d++)
        squares += pow(p->draw[d].accuracy - p->accuracy_mean, 2.0);
    p->accuracy_sd = n > 1 ? sqrt(squares / (n - 1)) : NAN;
}

am_status posterior_compute(const posterior_request *q, posterior *p, am_error *err)
{
    bool classes = q->g->spec.target.loss == LOSS_CROSS_ENTROPY;
    *p = (posterior){.draws = q->draws,
                     .from_generator = features_use_omega(&q->g->f),
                     .steps = q->steps,
                     .mean = {.nll = NAN,
                              .nll_se = NAN,
                              .accuracy = NAN,
                              .accuracy_se = NAN,
                              .brier = NAN,
                              .ece = NAN}};
    float *omega = NULL, *omega0 = NULL;
    model_set set = {.be = q->g->be};
    int64_t blocks = p->from_generator ? q->g->spec.blocks : q->blocks;
    AM_TRY(posterior_omega(q->g->be, q->weights, q->alpha, blocks, q->draws, q->seed, &omega,
                           &omega0, err));
    double *lambda = draw_lambdas(q, omega0, err);
    p->draw = am_alloc((size_t)q->draws, sizeof *p->draw, "posterior", err);
    am_status status = lambda && p->draw ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = p->from_generator ? from_generator(q, lambda, omega, &set, err)
                                   : from_refits(q, lambda, omega, &set, err);
    if (status == AM_OK)
        status = evaluate(&set, q->evaluation, p->draw, classes ? &p->mean : NULL, err);
    if (status == AM_OK && q->theta != NULL)
        status = read_theta(q, lambda, omega, &set, err);
    if (status == AM_OK)
        summarise(p);
    else
        posterior_free(p);
    set.be->op->release(set.be, (void *)(uintptr_t)set.c);
    set.be->op->release(set.be, set.theta);
    free(lambda);
    free(omega);
    free(omega0);
    return status;
}

void posterior_free(posterior *p)
{
    free(p->draw);
    *p = (posterior){0};
}
