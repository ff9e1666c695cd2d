/* bench_refine — does the posterior gain by a few paired warm-started steps? From θ(1, λ) plus the
 * response to ω, T steps of Adam on L(·; ω, λ), and from θ(1, λ) the same T steps, on the same
 * minibatches, on L(·; 1, λ); the draw is θ(1, λ) plus the difference of the two ends. Prints a
 * Markdown table: captured signal, spread ratio and fidelity against two refits of every draw.
 *
 *     bench_refine MODEL [--cache FOLDER] [--draws D] [--seed N] STEPS,ROWS,RATE[,average] ...
 *
 * MODEL was fitted with --posterior implicit. "average": the ends are means of the iterates of the
 * second half. The refits have the recipe's step size; --cache keeps them. */
#include "api/model.h"
#include "api/sampling.h"
#include "draw/philox.h"
#include "train/recipe.h"
#include "train/refit_cache.h"
#include "tune/fidelity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAMBDAS = 4, MOST_DRAWS = 200 };
/* The places of amortune audit on its range. */
static const double places[LAMBDAS] = {0.0, 0.158, 0.527, 0.825};

typedef struct {
    int64_t steps;
    int rows;
    double rate;
    bool average;
} refinement; /* steps 0: the draws as they are */

typedef struct {
    am_device *device;
    am_model *model;
    am_dataset *data;
    session *s;
    refit_cache cache;
    char digest[17];
    int draws; /* D */
    uint64_t seed;
    double lambda;
    float *omega, *omega0; /* (D, K), (D) */
    float *refit[2];       /* (D, n, C): predictions of two sets of refits */
    float *drawn;          /* … of the draws */
    double seconds;        /* of the refinement */
} bench;

static size_t values_of(const bench *b)
{
    const target *t = &b->s->g.spec.target;
    return (size_t)b->draws * (size_t)b->s->validation.data.n * (size_t)t->size[t->layers];
}

/* Predictions of θ (E,D,P), which is released. */
static am_status predict(bench *b, dev_f32 *theta, int networks, float *prediction, am_error *err)
{
    model_set set = {.be = b->s->be,
                     .t = &b->s->g.spec.target,
                     .theta = theta,
                     .models = b->draws,
                     .networks = networks};
    am_status status = evaluate_predictions(&set, &b->s->validation, prediction, err);
    b->s->be->op->release(b->s->be, theta);
    return status;
}

/* ---- refits ------------------------------------------------------------------------------------ */

static am_status refit_side(bench *b, int side, am_error *err)
{
    session *s = b->s;
    double lambda[MOST_DRAWS];
    uint32_t init[MOST_DRAWS];
    dev_f32 *theta;
    for (int d = 0; d < b->draws; d++) {
        lambda[d] = b->lambda;
        init[d] = (uint32_t)(side * b->draws + d);
    }
    refit_request q = {.t = &s->g.spec.target,
                       .models = b->draws,
                       .lambda = lambda,
                       .omega = b->omega,
                       .blocks = s->g.spec.blocks,
                       .init = init,
                       .seed = b->seed + (uint64_t)side,
                       .separate = true,
                       .rows = s->record.fit.rows,
                       .steps = s->record.fit.steps,
                       .adam = {.schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8}};
    recipe_refit(&q.adam, q.steps);
    AM_TRY(refit_cached(&b->cache, s->be, &q, &s->train, NULL, &theta, err));
    return predict(b, theta, 1, b->refit[side], err);
}

/* ---- refinement -------------------------------------------------------------------------------- */

/* E·(D+1) networks: of each the one at ω = 1, then the draws. */
typedef struct {
    int networks, models; /* E, D + 1 */
    double *lambda;       /* (E·(D+1)) */
    float *omega;         /* (E·(D+1), K) */
    float *start, *end;   /* (E·(D+1), P) */
} pairs;

static void pairs_close(pairs *p)
{
    free(p->lambda);
    free(p->omega);
    free(p->start);
    free(p->end);
}

static am_status pairs_open(const bench *b, pairs *p, am_error *err)
{
    generator *g = &b->s->g;
    size_t blocks = (size_t)g->spec.blocks, params = (size_t)g->spec.target.params;
    *p = (pairs){.networks = g->networks, .models = b->draws + 1};
    size_t all = (size_t)(p->networks * p->models);
    p->lambda = am_alloc(all, sizeof *p->lambda, "λ", err);
    p->omega = am_alloc(all * blocks, sizeof *p->omega, "weights", err);
    p->start = am_alloc(all * params, sizeof *p->start, "networks", err);
    p->end = am_alloc(all * params, sizeof *p->end, "networks", err);
    if (p->lambda == NULL || p->omega == NULL || p->start == NULL || p->end == NULL)
        return AM_ERR_MEMORY;
    for (size_t m = 0; m < all; m++) {
        size_t draw = m % (size_t)p->models;
        p->lambda[m] = b->lambda;
        for (size_t k = 0; k < blocks; k++)
            p->omega[m * blocks + k] = draw == 0 ? 1.0f : b->omega[(draw - 1) * blocks + k];
    }
    for (int e = 0; e < p->networks; e++) {
        generator one = generator_network(g, e);
        size_t first = (size_t)(e * p->models);
        AM_TRY(generator_weights(&one, p->models, p->lambda, p->omega + first * blocks,
                                 p->start + first * params, err));
    }
    return AM_OK;
}

static am_status take_steps(bench *b, const refinement *r, pairs *p, am_error *err)
{
    session *s = b->s;
    size_t all = (size_t)(p->networks * p->models), params = (size_t)s->g.spec.target.params;
    refit_request q = {.t = &s->g.spec.target,
                       .models = (int)all,
                       .lambda = p->lambda,
                       .omega = p->omega,
                       .blocks = s->g.spec.blocks,
                       .start = p->start,
                       .seed = seed_for(b->seed, STREAM_POLISH),
                       .average = r->average,
                       .rows = r->rows,
                       .steps = r->steps,
                       .adam = {.rate = r->rate,
                                .schedule = r->average ? SCHEDULE_CONSTANT : SCHEDULE_COSINE,
                                .warmup = r->steps / 10,
                                .beta1 = 0.9,
                                .beta2 = 0.99,
                                .epsilon = 1e-8}};
    dev_f32 *theta;
    double begin = am_seconds();
    AM_TRY(refit_run(s->be, &q, &s->train, NULL, &theta, err));
    b->seconds = am_seconds() - begin;
    am_status status =
        s->be->op->download(s->be, p->end, theta, all * params * sizeof *p->end, err);
    s->be->op->release(s->be, theta);
    return status;
}

/* θ(1, λ) + (end of the draw − end at ω = 1) of every network and draw, in fresh device memory. */
static am_status combine(const bench *b, const pairs *p, bool refined, dev_f32 **theta,
                         am_error *err)
{
    backend *be = b->s->be;
    size_t params = (size_t)b->s->g.spec.target.params;
    size_t count = (size_t)(p->networks * b->draws) * params;
    float *host = am_alloc(count, sizeof *host, "draws", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    for (int e = 0; e < p->networks; e++)
        for (int d = 0; d < b->draws; d++)
            for (size_t i = 0; i < params; i++) {
                size_t base = (size_t)(e * p->models) * params + i;
                size_t draw = base + (size_t)(d + 1) * params;
                host[(size_t)(e * b->draws + d) * params + i] =
                    refined ? p->start[base] + (p->end[draw] - p->end[base]) : p->start[draw];
            }
    *theta = be->op->alloc(be, count * sizeof *host, "draws");
    be->op->upload(be, *theta, host, count * sizeof *host);
    am_status status = be->op->sync(be, err);
    free(host);
    return status;
}

static am_status refine(bench *b, const refinement *r, fidelity *f, am_error *err)
{
    pairs p;
    dev_f32 *theta = NULL;
    b->seconds = 0.0;
    am_status status = pairs_open(b, &p, err);
    if (status == AM_OK && r->steps > 0)
        status = take_steps(b, r, &p, err);
    if (status == AM_OK)
        status = combine(b, &p, r->steps > 0, &theta, err);
    if (status == AM_OK)
        status = predict(b, theta, p.networks, b->drawn, err);
    if (status == AM_OK)
        status = fidelity_compute(b->drawn, b->refit[0], b->refit[1], b->draws,
                                  (int64_t)(values_of(b) / (size_t)b->draws), f, err);
    pairs_close(&p);
    return status;
}

/* ---- all of it --------------------------------------------------------------------------------- */

static am_status bench_open(bench *b, const char *path, am_error *err)
{
    AM_TRY(am_device_open("cpu", 0, "fp32", &b->device, err));
    AM_TRY(am_model_load(b->device, path, &b->model, err));
    AM_TRY(am_model_dataset(b->model, NULL, NULL, &b->data, err));
    AM_TRY(am_model_attach(b->model, b->data, err));
    b->s = &b->model->s;
    if (b->s->g.curve == NULL)
        return am_fail(err, AM_ERR_USAGE, "%s: has no response; fit it with --posterior implicit",
                       path);
    refit_cache_digest(&b->s->data->train, b->s->block, b->digest);
    b->cache.data = b->digest;
    b->cache.precision = "fp32";
    b->refit[0] = am_alloc(values_of(b), sizeof(float), "predictions", err);
    b->refit[1] = am_alloc(values_of(b), sizeof(float), "predictions", err);
    b->drawn = am_alloc(values_of(b), sizeof(float), "predictions", err);
    if (b->refit[0] == NULL || b->refit[1] == NULL || b->drawn == NULL)
        return AM_ERR_MEMORY;
    const generator_spec *spec = &b->s->g.spec;
    return posterior_omega(b->s->be, spec->weights, spec->alpha, spec->blocks, b->draws, b->seed,
                           &b->omega, &b->omega0, err);
}

static void bench_close(bench *b)
{
    void *owned[] = {b->omega, b->omega0, b->refit[0], b->refit[1], b->drawn};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    am_model_free(b->model);
    am_dataset_free(b->data);
    am_device_close(b->device);
}

static void print_head(const bench *b, int count, char **word)
{
    printf("# Paired warm-started steps of posterior draws\n\nMachine: %s, %d threads.\nCommand: "
           "`bench_refine",
           b->s->be->device, b->s->be->threads);
    for (int i = 1; i < count; i++)
        printf(" %s", word[i]);
    printf(
        "`.\n%d network%s, %d draws of ω, two refits of each; ± a standard error over the draws; "
        "the refinement alone is timed. Steps 0: no refinement.\n\n",
        b->s->g.networks, b->s->g.networks == 1 ? "" : "s", b->draws);
}

static am_status measure(bench *b, const refinement *r, int count, am_error *err)
{
    const generator_spec *spec = &b->s->g.spec;
    printf(
        "| λ | steps | rows a step | step size | captured | spread ratio | fidelity | seconds |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < LAMBDAS; i++) {
        b->lambda = spec->lambda_low * pow(spec->lambda_high / spec->lambda_low, places[i]);
        for (int side = 0; side < 2; side++)
            AM_TRY(refit_side(b, side, err));
        for (int j = 0; j < count; j++) {
            fidelity f;
            AM_TRY(refine(b, &r[j], &f, err));
            printf("| %.1e | %lld | %d | %g%s | %.2f | %.2f | %.3f ± %.3f | %.2f |\n", b->lambda,
                   (long long)r[j].steps, r[j].rows, r[j].rate, r[j].average ? ", averaged" : "",
                   f.captured.value, f.spread.value, f.fidelity.value, f.fidelity.se, b->seconds);
            (void)fflush(stdout);
        }
    }
    return AM_OK;
}

static am_status read_refinement(const char *text, refinement *r, am_error *err)
{
    long long steps;
    char rest[16] = "";
    int found = sscanf(text, "%lld,%d,%lf,%15s", &steps, &r->rows, &r->rate, rest);
    if (found < 3 || steps < 1 || r->rows < 1 || !(r->rate > 0) ||
        (found == 4 && strcmp(rest, "average") != 0))
        return am_fail(err, AM_ERR_USAGE, "%s: give STEPS,ROWS,RATE or STEPS,ROWS,RATE,average",
                       text);
    r->steps = steps;
    r->average = found == 4;
    return AM_OK;
}

static am_status read_arguments(bench *b, int count, char **word, const char **path, refinement *r,
                                int *refinements, am_error *err)
{
    for (int i = 1; i < count; i++) {
        bool pair = i + 1 < count;
        if (pair && strcmp(word[i], "--cache") == 0)
            b->cache.folder = word[++i];
        else if (pair && strcmp(word[i], "--draws") == 0)
            b->draws = atoi(word[++i]);
        else if (pair && strcmp(word[i], "--seed") == 0)
            b->seed = strtoull(word[++i], NULL, 10);
        else if (*path == NULL)
            *path = word[i];
        else
            AM_TRY(read_refinement(word[i], &r[(*refinements)++], err));
    }
    if (*path == NULL || b->draws < 3 || b->draws > MOST_DRAWS)
        return am_fail(err, AM_ERR_USAGE,
                       "bench_refine MODEL [--cache FOLDER] [--draws 3..%d] [--seed N] "
                       "STEPS,ROWS,RATE[,average] ...",
                       MOST_DRAWS);
    return AM_OK;
}

int main(int count, char **word)
{
    bench b = {.draws = 20, .seed = 1};
    am_error err = {0};
    const char *path = NULL;
    int refinements = 1; /* the first: none */
    refinement *r = am_alloc((size_t)count + 1, sizeof *r, "arguments", &err);
    am_status status = r != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = read_arguments(&b, count, word, &path, r, &refinements, &err);
    if (status == AM_OK)
        status = bench_open(&b, path, &err);
    if (status == AM_OK)
        print_head(&b, count, word);
    if (status == AM_OK)
        status = measure(&b, r, refinements, &err);
    bench_close(&b);
    free(r);
    if (status != AM_OK)
        (void)fprintf(stderr, "bench_refine: %s\n", err.message);
    return status == AM_OK ? 0 : status == AM_ERR_USAGE ? 2 : 1;
}
