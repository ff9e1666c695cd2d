#include "api/polishing.h"

#include "draw/philox.h"
#include "train/recipe.h"
#include "tune/tune.h"

#include <stdlib.h>

/* ω^d of a sampled response. */
static am_status drawn_weights(const session *s, polish_draws *d, float **omega0, am_error *err)
{
    if (d->models > s->g.spec.sampled)
        return am_fail(err, AM_ERR_USAGE,
                       "polish of %d draws: the generator answers to %d drawn weight vectors; give "
                       "--draws %d or fewer",
                       d->models, s->g.spec.sampled, s->g.spec.sampled);
    AM_TRY(posterior_seen(&s->g, d->models, 0, &d->seen, omega0, err));
    return posterior_behind(&s->g, d->models, d->seen, &d->omega, err);
}

/* ω (D,K) and ω₀ (D) of the draws. */
static am_status draw_weights(const session *s, int draws, uint64_t seed, float **omega,
                              float **omega0, am_error *err)
{
    const generator_spec *spec = &s->record.spec;
    bool sees = features_use_omega(&s->g.f);
    omega_kind kind = sees ? spec->weights : OMEGA_DIRICHLET;
    return posterior_omega(s->be, kind, spec->alpha, spec->blocks, draws, seed, omega, omega0, err);
}

am_status polish_draws_open(const session *s, const double *lambda, int draws, uint64_t seed,
                            polish_draws *d, am_error *err)
{
    int groups = s->g.groups.count;
    float *omega0 = NULL;
    *d = (polish_draws){.models = AM_MAX(draws, 1)};
    am_status status = AM_OK;
    if (draws > 0 && s->g.spec.sampled > 0)
        status = drawn_weights(s, d, &omega0, err);
    else if (draws > 0)
        status = draw_weights(s, draws, seed, &d->omega, &omega0, err);
    bool scaled = s->record.spec.omega0 && omega0 != NULL;
    if (status == AM_OK)
        d->lambda = am_alloc((size_t)d->models * (size_t)groups, sizeof *d->lambda, "λ", err);
    for (int i = 0; d->lambda != NULL && i < d->models * groups; i++)
        d->lambda[i] = lambda[i % groups] * (scaled ? (double)omega0[i / groups] : 1.0);
    free(omega0);
    if (d->lambda == NULL) {
        polish_draws_free(d);
        return err->status;
    }
    return AM_OK;
}

void polish_draws_free(polish_draws *d)
{
    free(d->lambda);
    free(d->omega);
    free(d->seen);
    *d = (polish_draws){0};
}

polish_request polishing_request(session *s, int models, const double *lambda, const float *omega,
                                 int64_t steps, double rate)
{
    const model_record *r = &s->record;
    if (steps < 0)
        steps = polish_steps(r->fit.steps);
    return (polish_request){
        .g = &s->g,
        .models = models,
        .lambda = lambda,
        .omega = omega,
        .blocks = r->spec.blocks,
        .seed = seed_for(r->spec.seed, STREAM_POLISH),
        .rows = polish_rows(steps, r->fit.rows, s->train.data.n),
        .steps = steps,
        .adam = polish_optimiser(steps, rate),
    };
}

parity_refits polishing_refits(const session *s, int repeats)
{
    const fit_settings *fit = &s->record.fit;
    parity_refits refits = {
        .repeats = repeats,
        .rows = fit->rows,
        .steps = fit->steps,
        .seed = seed_for(s->record.spec.seed, STREAM_REFIT),
        .adam = {.schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8},
    };
    recipe_refit(&refits.adam, refits.steps);
    return refits;
}
