/* bench_proposal — does it pay to draw λ where the generator is worst? Fits a generator with λ drawn
 * evenly in log λ and by adaptive proposals, and holds each against refits along λ.
 *
 *     bench_proposal [--dataset mnist] [--first-seed 1] [--seeds 3] [--epochs 5] [--features F]
 *                    [--descent D] [--cache FOLDER] PROPOSAL ...
 *
 * PROPOSAL: uniform; absolute or relative: every 200 steps the density in each of eight bins of the
 * draws' range becomes half even and half proportional to the gap of the criterion there, or to that
 * gap over the criterion; relative-weighted: the same with importance weights, which leave the
 * objective as it was; or the eight densities themselves, as in 1,1,1,1,2,2,1,1. The gap at a bin's
 * middle is g₁ᵀM⁻¹g₂, the first-order fall of the criterion per unit of step size in Adam's metric
 * M = √((g₁²+g₂²)/2), with the gradients of two independent minibatches, so that their noise does
 * not count. The engine is left as it is: the draws are changed on their way. CPU only. */
#include "api/fit_job.h"
#include "api/fit_options.h"
#include "draw/philox.h"
#include "gaps.h"
#include "train/recipe.h"
#include "train/refit_cache.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY = 200, POINTS = 20, REPEATS = 2, MOST_PROPOSALS = 16 };
static const double FLOOR = 0.5; /* share of the density that stays even */
static const double PI = 3.14159265358979323846;

typedef enum { GIVEN, ABSOLUTE, RELATIVE } gap_kind;

typedef struct {
    const char *text;
    gap_kind kind;
    bool weighted;
    double density[BINS]; /* mean 1 */
} proposal;

typedef struct {
    session s;
    const char *dataset, *features, *descent, *cache_folder;
    double epochs;
    int64_t seed, seeds;
    proposal now;
    gap_state gaps;
    backend_ops ops; /* the real ones with two replaced */
    const backend_ops *real;
    dev_f32 *weight; /* (M, B) importance weight of every draw, B times */
    double lambda[POINTS];
    double refit_criterion[POINTS], refit_accuracy[POINTS], refit_nll[POINTS];
} bench;

static bench *running; /* ops carry no context */

static void set_density(bench *b)
{
    double sum = 0.0;
    for (int i = 0; i < BINS; i++)
        sum += b->gaps.gap[i];
    for (int i = 0; sum > 0.0 && i < BINS; i++)
        b->now.density[i] = FLOOR + (1.0 - FLOOR) * BINS * b->gaps.gap[i] / sum;
}

/* ---- the draws ------------------------------------------------------------------------------------- */

/* The place of t ∈ [0, 1], even, under the density; *bin is where it falls. */
static double warp(const double *density, double t, int *bin)
{
    double before = 0.0, share = 0.0;
    for (*bin = 0; *bin < BINS; (*bin)++) {
        share = density[*bin] / BINS;
        if (before + share >= t || *bin == BINS - 1)
            break;
        before += share;
    }
    return fmin((*bin + (t - before) / share) / BINS, 1.0);
}

static void draw_lambda(backend *be, const draw_lambda_args *a)
{
    bench *b = running;
    am_error err = {0};
    uint64_t step = *(const uint64_t *)(const void *)a->step;
    b->real->draw_lambda(be, a);
    if (b->now.kind != GIVEN && step > 0 && step % EVERY == 0) {
        be->op = b->real;
        if (gaps_measure(&b->gaps, &b->s, b->now.kind == RELATIVE, &err) != AM_OK)
            backend_fail(be, err.status, "draw_lambda", "%s", err.message);
        be->op = &b->ops;
        set_density(b);
    }
    float *u = (float *)(void *)a->u, *lambda = (float *)(void *)a->lambda;
    float *weight = (float *)(void *)b->weight;
    for (int m = 0; m < a->draws; m++) {
        int bin;
        bool nodes = a->kind == LAMBDA_NODES;
        double even = fmax(-1.0, fmin(1.0, (double)u[m]));
        double t = warp(b->now.density, nodes ? 1.0 - acos(even) / PI : 0.5 * (even + 1.0), &bin);
        double at = nodes ? -cos(PI * t) : 2.0 * t - 1.0;
        double factor = b->now.weighted ? 1.0 / b->now.density[bin] : 1.0;
        u[m] = (float)at;
        lambda[m] = (float)(factor * axis_lambda(a->axis[0], at));
        for (int i = 0; i < b->s.record.fit.rows; i++)
            weight[m * b->s.record.fit.rows + i] = (float)factor;
    }
}

static void weighted_loss(backend *be, const loss_args *a)
{
    bench *b = running;
    loss_args own = *a;
    if (b->now.weighted && a->models == b->s.record.fit.draws)
        own.weight = b->weight;
    b->real->loss(be, &own);
}

/* ---- fit and refits -------------------------------------------------------------------------------- */

static am_status open_session(bench *b, am_error *err)
{
    session *s = &b->s;
    am_fit_options given, o;
    am_device *device;
    am_fit_options_default(&given, sizeof given);
    given.features = b->features;
    given.descent = b->descent;
    given.epochs = b->epochs;
    given.seed = b->seed;
    AM_TRY(fit_options_take(&given, &o, err));
    AM_TRY(am_device_open("cpu", 0, "fp32", &device, err));
    session_take_device(s, device);
    data_request data = {
        .source = b->dataset, .task = "auto", .validation = 1.0 / 6, .seed = (uint64_t)b->seed};
    AM_TRY(session_load(s, &data, err));
    AM_TRY(session_upload(s, options_blocks(&o, s->data->train.n), err));
    AM_TRY(options_record(s, &o, err));
    size_t weights = (size_t)s->record.fit.draws * (size_t)s->record.fit.rows;
    b->weight = s->be->op->alloc(s->be, sizeof(float) * weights, "importance weights");
    log_grid(s->record.spec.lambda_low, s->record.spec.lambda_high, POINTS, b->lambda);
    return s->be->op->sync(s->be, err);
}

/* L and validation metrics of a set at the grid. */
static am_status score(const bench *b, const model_set *set, penalty_groups groups,
                       double *criterion, metrics *at, am_error *err)
{
    AM_TRY(evaluate_criterion(set, &b->s.train, groups, b->lambda, NULL, 0, criterion, err));
    return evaluate(set, &b->s.validation, at, NULL, err);
}

static am_status refit_all(bench *b, am_error *err)
{
    session *s = &b->s;
    const target *t = &s->record.spec.target;
    char digest[17];
    refit_cache_digest(&s->data->train, s->block, digest);
    refit_cache cache = {.folder = b->cache_folder, .data = digest, .precision = "fp32"};
    for (int r = 0; r < REPEATS; r++) {
        double criterion[POINTS];
        metrics at[POINTS];
        dev_f32 *theta;
        refit_request q = {.t = t,
                           .models = POINTS,
                           .lambda = b->lambda,
                           .blocks = s->record.spec.blocks,
                           .seed = seed_for((uint64_t)b->seed + (uint64_t)r, STREAM_REFIT),
                           .rows = s->record.fit.rows,
                           .steps = s->record.fit.steps,
                           .adam = {.schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8}};
        recipe_refit(&q.adam, q.steps);
        AM_TRY(refit_cached(&cache, s->be, &q, &s->train, NULL, &theta, err));
        model_set set = {.be = s->be, .t = t, .theta = theta, .models = POINTS};
        am_status status = score(b, &set, target_groups(t, false), criterion, at, err);
        s->be->op->release(s->be, theta);
        AM_TRY(status);
        for (int i = 0; i < POINTS; i++) {
            b->refit_criterion[i] += criterion[i] / REPEATS;
            b->refit_accuracy[i] += at[i].accuracy / REPEATS;
            b->refit_nll[i] += at[i].nll / REPEATS;
        }
    }
    return AM_OK;
}

static void print_row(const bench *b, const double *criterion, const metrics *at, double seconds)
{
    double mean[3] = {0}, worst[3] = {-INFINITY, INFINITY, -INFINITY};
    for (int i = 0; i < POINTS; i++) {
        double gap[3] = {100.0 * (criterion[i] / b->refit_criterion[i] - 1.0),
                         100.0 * (at[i].accuracy - b->refit_accuracy[i]),
                         at[i].nll - b->refit_nll[i]};
        for (int k = 0; k < 3; k++) {
            mean[k] += gap[k] / POINTS;
            worst[k] = k == 1 ? fmin(worst[k], gap[k]) : fmax(worst[k], gap[k]);
        }
    }
    printf("| %lld | %s | %.2f | %.2f | %.3f | %.3f | %.4f | %.4f | %.1f |", (long long)b->seed,
           b->now.text, mean[0], worst[0], mean[1], worst[1], mean[2], worst[2], seconds);
    for (int i = 0; i < BINS; i++)
        printf(" %.2f", b->now.density[i]);
    printf(" |\n");
    (void)fflush(stdout);
}

static am_status fit_once(bench *b, const proposal *p, am_error *err)
{
    session *s = &b->s;
    fit_job job;
    train_hooks hooks = {0};
    double criterion[POINTS];
    metrics at[POINTS];
    model_set set = {0};
    b->now = *p;
    b->gaps = (gap_state){0};
    am_status status = fit_job_open(&job, s, NULL, false, err);
    s->be->op = &b->ops;
    if (status == AM_OK)
        status = fit_job_run(&job, &hooks, err);
    s->be->op = b->real;
    if (status == AM_OK)
        status = models_at(&s->g, b->lambda, POINTS, &set, err);
    if (status == AM_OK)
        status = score(b, &set, s->g.groups, criterion, at, err);
    if (status == AM_OK)
        print_row(b, criterion, at, job.result.seconds);
    s->be->op->release(s->be, (void *)(uintptr_t)set.c);
    fit_job_close(&job);
    generator_close(&s->g);
    return status;
}

/* ---- arguments ------------------------------------------------------------------------------------- */

static bool read_densities(const char *text, double *density)
{
    double sum = 0.0;
    int used = 0;
    for (int i = 0; i < BINS; i++) {
        if (sscanf(text, i > 0 ? ",%lf%n" : "%lf%n", &density[i], &used) != 1 || !(density[i] > 0))
            return false;
        text += used;
        sum += density[i];
    }
    for (int i = 0; i < BINS; i++)
        density[i] *= BINS / sum;
    return *text == '\0';
}

static am_status read_proposal(const char *text, proposal *p, am_error *err)
{
    *p = (proposal){.text = text, .weighted = strcmp(text, "relative-weighted") == 0};
    for (int i = 0; i < BINS; i++)
        p->density[i] = 1.0;
    if (strcmp(text, "absolute") == 0)
        p->kind = ABSOLUTE;
    else if (strcmp(text, "relative") == 0 || p->weighted)
        p->kind = RELATIVE;
    else if (strcmp(text, "uniform") != 0 && !read_densities(text, p->density))
        return am_fail(err, AM_ERR_USAGE,
                       "%s: give uniform, absolute, relative, relative-weighted or eight densities",
                       text);
    return AM_OK;
}

static am_status read_arguments(bench *b, int count, char **word, proposal *p, int *proposals,
                                am_error *err)
{
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? word[i + 1] : "";
        const struct {
            const char *name, **text;
        } texts[] = {{"--dataset", &b->dataset},
                     {"--features", &b->features},
                     {"--descent", &b->descent},
                     {"--cache", &b->cache_folder}};
        bool option = strncmp(word[i], "--", 2) == 0;
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            if (strcmp(word[i], texts[k].name) == 0)
                *texts[k].text = value;
        if (strcmp(word[i], "--seeds") == 0)
            b->seeds = strtoll(value, NULL, 10);
        else if (strcmp(word[i], "--first-seed") == 0)
            b->seed = strtoll(value, NULL, 10);
        else if (strcmp(word[i], "--epochs") == 0)
            b->epochs = strtod(value, NULL);
        if (option)
            i++;
        else if (*proposals < MOST_PROPOSALS)
            AM_TRY(read_proposal(word[i], &p[(*proposals)++], err));
    }
    return AM_OK;
}

static void print_head(int count, char **word)
{
    printf("# Proposals of λ\n\nCommand: `bench_proposal");
    for (int i = 1; i < count; i++)
        printf(" %s", word[i]);
    printf(
        "`.\nGaps are generator less refits (two at each of 20 λ), mean and worst over λ: training "
        "criterion in per cent, validation accuracy in points, validation loss. Density: of each "
        "eighth of the draws' range, at the end.\n\n"
        "| seed | proposal | criterion, mean | worst | accuracy, mean | worst | loss, mean | "
        "worst | seconds | density |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
}

static am_status run_seed(bench *b, const proposal *p, int proposals, am_error *err)
{
    am_status status = open_session(b, err);
    if (status == AM_OK) {
        running = b;
        b->real = b->s.be->op;
        b->ops = *b->real;
        b->ops.draw_lambda = draw_lambda;
        b->ops.loss = weighted_loss;
        status = refit_all(b, err);
    }
    for (int i = 0; status == AM_OK && i < proposals; i++)
        status = fit_once(b, &p[i], err);
    if (b->s.be != NULL)
        b->s.be->op->release(b->s.be, b->weight);
    session_close(&b->s);
    return status;
}

int main(int count, char **word)
{
    bench b = {.dataset = "mnist",
               .features = "auto",
               .descent = "auto",
               .epochs = 5,
               .seed = 1,
               .seeds = 3};
    proposal p[MOST_PROPOSALS];
    int proposals = 0;
    am_error err = {0};
    am_status status = read_arguments(&b, count, word, p, &proposals, &err);
    if (status == AM_OK)
        print_head(count, word);
    for (int64_t k = 0; status == AM_OK && k < b.seeds; k++) {
        bench one = b;
        one.seed = b.seed + k;
        status = run_seed(&one, p, proposals, &err);
    }
    if (status != AM_OK)
        (void)fprintf(stderr, "bench_proposal: %s\n", err.message);
    return status == AM_OK ? 0 : status == AM_ERR_USAGE ? 2 : 1;
}
