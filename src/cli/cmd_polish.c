/* amortune polish — a few true-gradient steps from g(ω, λ): networks that need no generator. */
#include "api/polishing.h"
#include "api/weights_file.h"
#include "cli/choosing.h"
#include "cli/output_polish.h"

#include <stdlib.h>

enum { CAPACITY = 32 }; /* draws whose features are computed in one go */

/* Everything that is owned while the command runs. */
typedef struct {
    session s;
    polish_draws draws;
    dev_f32 *theta; /* (E, D, P) polished */
    polish_result result;
} polishing;

static void polishing_close(polishing *p)
{
    if (p->s.be != NULL)
        p->s.be->op->release(p->s.be, p->theta);
    network_scores_free(&p->result.before);
    network_scores_free(&p->result.after);
    polish_draws_free(&p->draws);
    session_close(&p->s);
}

/* Several networks go into a folder. */
static bool in_folder(const polishing *p, const settings *set)
{
    return set->posterior_draws > 0 || p->s.g.networks > 1;
}

static am_status check_out(const polishing *p, const settings *set, am_error *err)
{
    if (set->out == NULL)
        return AM_OK;
    return in_folder(p, set) ? am_check_writable(set->out, err)
                             : am_check_writable_file(set->out, err);
}

/* --draws, or one draw where a seed for ω is given; 0: ω = 1. */
static int draws_of(const settings *set)
{
    return set->posterior_draws > 0 ? (int)set->posterior_draws : set->weights_seed >= 0;
}

static am_status open_model(polishing *p, const settings *set, am_error *err)
{
    session *s = &p->s;
    AM_TRY(session_model(s, set, set->argument[0], CAPACITY, true, err));
    AM_TRY(check_out(p, set, err));
    AM_TRY(choose_lambda(s, set, &p->result.choice, err));
    if (s->g.spec.sampled > 0 && set->weights_seed >= 0)
        return am_fail(err, AM_ERR_USAGE,
                       "--weights-seed: %s answers to %d drawn weight vectors, not to others; give "
                       "--draws",
                       set->argument[0], s->g.spec.sampled);
    uint64_t seed = set->weights_seed >= 0 ? (uint64_t)set->weights_seed : s->record.spec.seed;
    return polish_draws_open(s, p->result.choice.lambda, draws_of(set), seed, &p->draws, err);
}

/* Scores before, the steps, scores after. */
static am_status polish(polishing *p, const settings *set, const train_hooks *hooks, am_error *err)
{
    session *s = &p->s;
    polish_result *r = &p->result;
    const polish_draws *d = &p->draws;
    r->request = polishing_request(s, d->models, d->lambda, d->omega, set->steps, set->rate);
    r->request.seen = d->seen;
    if (set->batch > 0)
        r->request.rows = (int)AM_MIN(set->batch, s->train.data.n);
    polish_request start = r->request;
    start.steps = 0;
    dev_f32 *theta;
    AM_TRY(polish_run(&start, &s->train, NULL, &theta, err));
    am_status status = polish_score(&start, theta, &s->train, &s->validation, &r->before, err);
    s->be->op->release(s->be, theta);
    AM_TRY(status);
    double begin = am_seconds();
    AM_TRY(polish_run(&r->request, &s->train, hooks, &p->theta, err));
    r->seconds = am_seconds() - begin;
    return polish_score(&r->request, p->theta, &s->train, &s->validation, &r->after, err);
}

static am_status compare(polishing *p, const settings *set, const train_hooks *hooks, am_error *err)
{
    polish_result *r = &p->result;
    r->refits = polishing_refits(&p->s, (int)set->repeats);
    r->compared = set->parity;
    if (!r->compared)
        return AM_OK;
    return parity_find(&r->request, set->rate, &r->refits, &p->s.train, &p->s.validation, hooks,
                       &r->parity, err);
}

/* ---- weights --------------------------------------------------------------------------------- */

/* The file of a network: --out itself, or draw_0001.safetensors, network_01.safetensors,
 * draw_0001_network_01.safetensors, … in that folder. */
static char *network_path(const polishing *p, const settings *set, int which, int draw,
                          am_error *err)
{
    char draws[24] = "", networks[24] = "", name[64];
    if (!in_folder(p, set))
        return am_strdup(set->out, err);
    if (set->posterior_draws > 0)
        (void)snprintf(draws, sizeof draws, "draw_%04d", draw + 1);
    if (p->s.g.networks > 1)
        (void)snprintf(networks, sizeof networks, "network_%02d", which + 1);
    (void)snprintf(name, sizeof name, "%s%s%s.safetensors", draws,
                   draws[0] != '\0' && networks[0] != '\0' ? "_" : "", networks);
    return output_path(set->out, name);
}

static am_status write_network(const polishing *p, const settings *set, int which, int draw,
                               const float *theta, am_error *err)
{
    const target *t = &p->s.g.spec.target;
    char *path = network_path(p, set, which, draw, err);
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory to write it", set->out);
    double lambda = p->draws.lambda[draw * p->s.g.groups.count];
    am_status status =
        weights_file_write(path, t, theta, &p->s.record.data.norm, lambda, "polish", err);
    free(path);
    return status;
}

static am_status write_networks(const polishing *p, const settings *set, am_error *err)
{
    size_t params = (size_t)p->s.g.spec.target.params;
    int models = p->draws.models, all = p->s.g.networks * models;
    float *theta = am_alloc((size_t)all * params, sizeof *theta, "weights", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    am_status status =
        p->s.be->op->download(p->s.be, theta, p->theta, (size_t)all * params * sizeof *theta, err);
    if (status == AM_OK && in_folder(p, set))
        status = am_make_folders(set->out, err);
    for (int m = 0; status == AM_OK && m < all; m++)
        status = write_network(p, set, m / models, m % models, theta + (size_t)m * params, err);
    free(theta);
    if (status == AM_OK && in_folder(p, set))
        status = output_polish_files(&p->result, set->out, err);
    return status;
}

am_status command_polish(const settings *set, am_error *err)
{
    polishing p = {0};
    progress shown = {0};
    am_status status = open_model(&p, set, err);
    train_hooks hooks = progress_hooks(&shown, set, NULL);
    if (status == AM_OK)
        status = polish(&p, set, &hooks, err);
    if (status == AM_OK)
        status = compare(&p, set, &hooks, err);
    progress_end(&shown);
    if (status == AM_OK && set->out != NULL)
        status = write_networks(&p, set, err);
    if (status == AM_OK && set->json)
        output_json(output_polish_json(&p.result), stdout);
    else if (status == AM_OK)
        status = output_polish_print(&p.result, stdout, err);
    polishing_close(&p);
    return status;
}
