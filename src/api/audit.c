/* am_audit. */
#include "api/auditing.h"
#include "api/model.h"
#include "api/options.h"
#include "api/sampling.h"

#include <assert.h>

void am_audit_options_default(am_audit_options *options, size_t size)
{
    am_audit_options defaults = {.points = 20, .repeats = 3, .draws = 20, .seed = 1};
    options_hand_out(options, size, &defaults, sizeof defaults);
}

static am_status check(const am_model *m, const am_audit_options *o, am_error *err)
{
    AM_TRY(options_int(o->points, "points", 2, 10000, err));
    AM_TRY(options_int(o->repeats, "repeats", 1, 1000, err));
    AM_TRY(options_int(o->draws, "draws", 3, 1000, err));
    AM_TRY(options_int(o->seed, "seed", 0, INT64_MAX, err));
    AM_TRY(options_int(o->lambdas, "lambdas", 0, AM_AUDIT_LAMBDAS, err));
    if (o->lambdas > 0)
        API_NEED(o->lambda, "give as many λ as lambdas says");
    for (int i = 0; i < o->lambdas; i++) {
        const generator_spec *spec = &m->s.record.spec;
        if (!(o->lambda[i] >= spec->lambda_low && o->lambda[i] <= spec->lambda_high))
            return am_fail(err, AM_ERR_USAGE,
                           "lambda[%d] = %g: outside the range %g:%g that the model was fitted on; "
                           "give values inside",
                           i, o->lambda[i], spec->lambda_low, spec->lambda_high);
    }
    if (o->cache != NULL)
        AM_TRY(am_check_writable(o->cache, err));
    return model_need_data(m, err);
}

/* ---- answers --------------------------------------------------------------------------------- */

static am_audit_line public_line(const audit_line *line)
{
    am_audit_line out = {.verdict = (am_verdict)line->verdict,
                         .value = line->value,
                         .se = line->se,
                         .lambda = line->lambda};
    (void)snprintf(out.property, sizeof out.property, "%s", line->property);
    (void)snprintf(out.unit, sizeof out.unit, "%s", line->unit);
    (void)snprintf(out.rule, sizeof out.rule, "%s", line->rule);
    (void)snprintf(out.note, sizeof out.note, "%s", line->note != NULL ? line->note : "");
    return out;
}

static am_audit_posterior public_at(const audit_posterior *at)
{
    const fidelity *f = &at->f;
    return (am_audit_posterior){.lambda = at->lambda,
                                .signal = f->signal.value,
                                .reproducible = f->reproducible.value,
                                .spread = f->spread.value,
                                .spread_se = f->spread.se,
                                .captured = f->captured.value,
                                .captured_se = f->captured.se,
                                .fidelity = f->fidelity.value,
                                .fidelity_se = f->fidelity.se,
                                .generator = public_metrics(&at->generator),
                                .refits = public_metrics(&at->refits)};
}

static am_audit_summary public_summary(const audit_result *r, const refit_cache *cache)
{
    static_assert((int)AM_AUDIT_LAMBDAS == (int)AUDIT_MOST_LAMBDAS, "every λ has its place");
    static_assert((int)AM_AUDIT_LINES == (int)AUDIT_MOST_LINES, "every property has its place");
    static_assert((int)AM_FAIL == (int)VERDICT_FAIL, "verdicts are numbered alike");
    am_audit_summary out = {.verdict = (am_verdict)r->verdict,
                            .lines = r->lines,
                            .lambdas = r->lambdas,
                            .refits = r->refits,
                            .cached = cache->found,
                            .steps = r->steps,
                            .rate = r->rates.rate[r->rates.chosen],
                            .seconds = r->seconds};
    for (int i = 0; i < r->lines; i++)
        out.line[i] = public_line(&r->line[i]);
    for (int i = 0; i < r->lambdas; i++)
        out.at[i] = public_at(&r->at[i]);
    return out;
}

static void write_points(const audit_curve *c, am_audit_point *point)
{
    for (int i = 0; i < c->curve.points; i++)
        point[i] = (am_audit_point){.lambda = c->curve.lambda[i],
                                    .generator = public_metrics(&c->curve.at[i]),
                                    .refit_nll = audit_refit_mean(c, i, METRIC_NLL),
                                    .refit_accuracy = audit_refit_mean(c, i, METRIC_ACCURACY),
                                    .criterion = c->criterion[i],
                                    .refit_criterion = audit_refit_criterion(c, i)};
}

/* ---- the audit ------------------------------------------------------------------------------- */

am_status am_audit(am_model *model, const am_audit_options *options, am_audit_summary *summary,
                   am_audit_point *point, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    am_audit_options o;
    session *s = &model->s;
    am_audit_options_default(&o, sizeof o);
    AM_TRY(options_take(&o, sizeof o, options, "am_audit_options", err));
    AM_TRY(check(model, &o, err));
    char digest[17];
    double places[AUDIT_MOST_LAMBDAS];
    audit_result r;
    caller_progress progress = {o.progress, o.context, false};
    train_hooks hooks = caller_hooks(&progress, NULL, 0);
    refit_cache cache = {.folder = o.cache, .data = digest, .precision = s->device->precision};
    refit_cache_digest(&s->data->train, s->block, digest);
    audit_request q = auditing_request(s);
    q.lambda = o.lambdas > 0 ? o.lambda : places;
    q.lambdas = o.lambdas > 0 ? o.lambdas : auditing_places(&s->record.spec, places);
    posterior_request sample = sampling_request(s, q.lambda, o.draws);
    q.sample = &sample;
    q.points = o.points;
    q.repeats = o.repeats;
    q.draws = o.draws;
    q.seed = (uint64_t)o.seed;
    q.cache = &cache;
    q.hooks = &hooks;
    AM_TRY(audit_run(&q, &r, err));
    if (summary != NULL)
        *summary = public_summary(&r, &cache);
    if (point != NULL)
        write_points(&r.curve, point);
    audit_free(&r);
    return AM_OK;
}
