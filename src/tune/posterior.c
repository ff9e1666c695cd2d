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

/* ---- the draws as models --------------------------------------------------------------------- */

am_status posterior_open(const posterior_request *q, posterior_models *m, am_error *err)
{
    bool sees = features_use_omega(&q->g->f);
    float *omega0 = NULL;
    *m = (posterior_models){.set = {.be = q->g->be}, .from_generator = sees};
    AM_TRY(sees ? posterior_seen(q->g, q->draws, q->seed, &m->omega, &omega0, err)
                : posterior_omega(q->g->be, q->weights, q->alpha, q->blocks, q->draws, q->seed,
                                  &m->omega, &omega0, err));
    m->lambda = draw_lambdas(q, omega0, err);
    free(omega0);
    am_status status = m->lambda != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = sees ? from_generator(q, m->lambda, m->omega, &m->set, err)
                      : from_refits(q, m->lambda, m->omega, &m->set, err);
    if (status != AM_OK)
        posterior_close(m);
    return status;
}

void posterior_close(posterior_models *m)
{
    if (m->set.be != NULL) {
        m->set.be->op->release(m->set.be, (void *)(uintptr_t)m->set.c);
        m->set.be->op->release(m->set.be, m->set.theta);
    }
    free(m->lambda);
    free(m->omega);
    *m = (posterior_models){0};
}

/* θ (D,P) of the draws, for the caller. */
static am_status read_theta(const posterior_request *q, const posterior_models *m, am_error *err)
{
    size_t values = (size_t)q->draws * (size_t)q->g->spec.target.params;
    backend *be = m->set.be;
    if (m->set.theta == NULL)
        return generator_weights(q->g, q->draws, m->lambda, m->omega, q->theta, err);
    return be->op->download(be, q->theta, m->set.theta, values * sizeof(float), err);
}

/* ---- what they do ---------------------------------------------------------------------------- */

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

am_status posterior_judge(const posterior_request *q, const posterior_models *m, posterior *p,
                          am_error *err)
{
    bool classes = q->g->spec.target.loss == LOSS_CROSS_ENTROPY;
    *p = (posterior){.draws = q->draws,
                     .from_generator = m->from_generator,
                     .steps = q->steps,
                     .mean = {.nll = NAN,
                              .nll_se = NAN,
                              .accuracy = NAN,
                              .accuracy_se = NAN,
                              .brier = NAN,
                              .ece = NAN}};
    p->draw = am_alloc((size_t)q->draws, sizeof *p->draw, "posterior", err);
    am_status status = p->draw != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = evaluate(&m->set, q->evaluation, p->draw, classes ? &p->mean : NULL, err);
    if (status == AM_OK && q->theta != NULL)
        status = read_theta(q, m, err);
    if (status == AM_OK)
        summarise(p);
    else
        posterior_free(p);
    return status;
}

am_status posterior_compute(const posterior_request *q, posterior *p, am_error *err)
{
    posterior_models m;
    *p = (posterior){0};
    AM_TRY(posterior_open(q, &m, err));
    am_status status = posterior_judge(q, &m, p, err);
    posterior_close(&m);
    return status;
}

void posterior_free(posterior *p)
{
    free(p->draw);
    *p = (posterior){0};
}
