/* The MNIST experiment: fit a generator, read the tuning curve off it, choose λ, refit from scratch
 * along the curve and at the choice, draw the posterior, close the ledger.
 *
 * --protocol paper is the published protocol to the letter (reference: Lopes, Polson, Sokolov 2025,
 * section 3.2): one (ω, λ) a minibatch, 17–128–128–P generator, Adam 1e-3 constant. --protocol default
 * is ours: collocation descent. */
#include "cli/experiments/mnist.h"

#include "cli/choosing.h"
#include "cli/fitting.h"
#include "cli/terminal.h"
#include "draw/philox.h"
#include "train/recipe.h"

#include <stdlib.h>
#include <string.h>

/* What a protocol fixes; everything else comes from the user's settings. */
typedef struct {
    const char *name, *features, *init, *weights, *posterior, *descent, *nodes, *schedule, *metric;
    int64_t draws, minibatches;
    optimiser adam; /* of generator and refits; zeros: by the recipe, each its own */
} protocol;

static const protocol protocol_table[] = {
    {.name = "default",
     .features = "auto",
     .init = "residual",
     .weights = "ones",
     .posterior = "implicit",
     .descent = "collocation",
     .nodes = "nodes",
     .schedule = "cosine",
     .metric = "nll",
     .adam = {.schedule = SCHEDULE_COSINE, .warmup = -1, .epsilon = 1e-8}},
    {.name = "paper",
     .features = "paper",
     .init = "paper",
     .weights = "dirichlet",
     .posterior = "none",
     .descent = "gradient",
     .nodes = "stratified",
     .schedule = "constant",
     .metric = "accuracy",
     .draws = 1,
     .minibatches = 1,
     .adam = {.rate = 1e-3,
              .schedule = SCHEDULE_CONSTANT,
              .beta1 = 0.9,
              .beta2 = 0.999,
              .epsilon = 1e-8}},
};

enum { BATCH = 128, BLOCKS = 16, AUDIT_DRAWS = 20 };
static const double VALIDATION = 1.0 / 6; /* 10,000 of MNIST's 60,000 rows */
static const double RIDGE = 1e-3, LAMBDA_LOW = 1e-5, LAMBDA_HIGH = 1e-1;

static const protocol *find_protocol(const char *name)
{
    for (size_t i = 0; i < sizeof protocol_table / sizeof *protocol_table; i++)
        if (strcmp(protocol_table[i].name, name) == 0)
            return &protocol_table[i];
    return NULL;
}

/* The settings that the protocol's fit would have on the command line. Texts are borrowed. */
static settings protocol_settings(const settings *set, const protocol *p, const char *dataset)
{
    settings s = *set;
    s.data = (char *)(uintptr_t)dataset;
    s.label = s.test = s.target = NULL;
    s.task = "auto";
    s.validation = VALIDATION;
    s.activation = "relu";
    s.penalty = "scalar";
    s.plan = "auto";
    s.features = (char *)(uintptr_t)p->features;
    s.init = (char *)(uintptr_t)p->init;
    s.weights = (char *)(uintptr_t)p->weights;
    s.descent = (char *)(uintptr_t)p->descent;
    s.nodes = (char *)(uintptr_t)p->nodes;
    s.schedule = (char *)(uintptr_t)p->schedule;
    if (!settings_given(set, "posterior"))
        s.posterior = (char *)(uintptr_t)p->posterior;
    if (!settings_given(set, "metric"))
        s.metric = (char *)(uintptr_t)p->metric;
    s.lambda_low = LAMBDA_LOW;
    s.lambda_high = LAMBDA_HIGH;
    s.alpha = 1.0;
    if (!settings_given(set, "blocks"))
        s.blocks = BLOCKS;
    s.draws = p->draws;
    s.batch = BATCH;
    s.warmup = p->adam.warmup;
    s.rate = p->adam.rate;
    s.beta1 = p->adam.beta1;
    s.beta2 = p->adam.beta2;
    if (!settings_given(set, "minibatches"))
        s.minibatches = p->minibatches;
    s.stretch = 0;
    s.tilt = -1;
    s.ridge = RIDGE;
    s.steps = 0;
    s.clip = 0;
    s.embedding = 0;
    s.omega0 = false;
    return s;
}

static bool can_be_found(const char *source)
{
    char *path = NULL;
    am_error ignored = {0};
    bool found = data_find(source, &path, &ignored) == AM_OK;
    free(path);
    return found;
}

/* MNIST, or, where the user did not insist on it and it cannot be found, Fashion-MNIST, loudly. */
static am_status load_data(session *s, settings *fit, const settings *set, am_error *err)
{
    data_request request = request_data(fit);
    am_status status = session_load(s, &request, err);
    if (status != AM_OK && !settings_given(set, "dataset") && !can_be_found(fit->data)) {
        am_error missing = *err;
        request.source = fit->data = "fashion-mnist";
        *err = (am_error){0};
        if (session_load(s, &request, err) != AM_OK) {
            *err = missing;
            return missing.status;
        }
        fprintf(stderr,
                "WARNING: MNIST was not found (%.300s)\nWARNING: this run is on "
                "FASHION-MNIST instead; its numbers are not MNIST's\n",
                missing.message);
        status = AM_OK;
    }
    AM_TRY(status);
    if (s->data->train.label == NULL)
        return am_fail(err, AM_ERR_USAGE,
                       "--dataset %s: has no classes; give a folder of IDX files", fit->data);
    return session_upload(s, request_blocks(fit, s->data->train.n), err);
}

/* ---- refits ---------------------------------------------------------------------------------------- */

/* Refits at `count` λ as one batch; repeat r has initialisations and a batch order of its own. */
static am_status refit_at(session *s, const settings *set, const protocol *p, const double *lambda,
                          int count, int repeat, dev_f32 **theta, double *seconds, am_error *err)
{
    refit_request request = {
        .t = &s->record.spec.target,
        .models = count,
        .lambda = lambda,
        .blocks = s->record.spec.blocks,
        .seed = seed_for((uint64_t)set->seed + (uint64_t)repeat, STREAM_REFIT),
        .rows = s->record.fit.rows,
        .steps = s->record.fit.steps,
        .adam = p->adam,
    };
    recipe_refit(&request.adam, request.steps);
    progress shown = {0};
    train_hooks hooks = progress_hooks(&shown, set, NULL);
    double begin = am_seconds();
    am_status status = refit_run(s->be, &request, &s->train, &hooks, theta, err);
    *seconds = am_seconds() - begin;
    progress_end(&shown);
    return status;
}

/* The refit that the tuned model is compared with on the test rows. */
static am_status refit_choice(session *s, const settings *set, const protocol *p, mnist_result *r,
                              am_error *err)
{
    const char *name;
    dev_f32 *theta = NULL;
    progress_note(set, "refit from scratch at λ = %.2e", r->choice.lambda[0]);
    AM_TRY(refit_at(s, set, p, r->choice.lambda, 1, 0, &theta, &r->ledger.refit, err));
    model_set one = {.be = s->be, .t = &s->record.spec.target, .models = 1, .theta = theta};
    am_status status = evaluate(&one, session_report_rows(s, &name), &r->refit_test, NULL, err);
    s->be->op->release(s->be, theta);
    return status;
}

/* Adds 1/repeats of what the refits of one batch reach. */
static am_status average_refits(session *s, const model_set *set, mnist_result *r, am_error *err)
{
    int points = r->curve.points;
    penalty_groups groups = target_groups(set->t, false);
    metrics *at = am_alloc((size_t)points, sizeof *at, "refits", err);
    double *criterion = am_alloc((size_t)points, sizeof *criterion, "refits", err);
    am_status status =
        at && criterion ? evaluate(set, &s->validation, at, NULL, err) : AM_ERR_MEMORY;
    if (status == AM_OK)
        status =
            evaluate_criterion(set, &s->train, groups, r->curve.lambda, NULL, 0, criterion, err);
    for (int i = 0; status == AM_OK && i < points; i++) {
        r->refit[i].nll += at[i].nll / r->repeats;
        r->refit[i].accuracy += at[i].accuracy / r->repeats;
        r->refit_criterion[i] += criterion[i] / r->repeats;
    }
    free(at);
    free(criterion);
    return status;
}

/* Refits at every point of the curve, one batch a repeat. */
static am_status refit_curve(session *s, const settings *set, const protocol *p, mnist_result *r,
                             am_error *err)
{
    int points = r->curve.points;
    r->refit = am_alloc((size_t)points, sizeof *r->refit, "refits", err);
    r->refit_criterion = am_alloc((size_t)points, sizeof(double), "refits", err);
    if (r->refit == NULL || r->refit_criterion == NULL)
        return AM_ERR_MEMORY;
    progress_note(set, "refits from scratch at the %d λ of the curve, as one batch", points);
    for (int repeat = 0; repeat < r->repeats; repeat++) {
        dev_f32 *theta = NULL;
        double seconds;
        AM_TRY(refit_at(s, set, p, r->curve.lambda, points, repeat, &theta, &seconds, err));
        r->ledger.refits_batched += seconds / r->repeats;
        model_set all = {
            .be = s->be, .t = &s->record.spec.target, .models = points, .theta = theta};
        am_status status = average_refits(s, &all, r, err);
        s->be->op->release(s->be, theta);
        AM_TRY(status);
    }
    return AM_OK;
}

/* L(g) along the curve, for the criterion gap. */
static am_status generator_criterion(session *s, mnist_result *r, am_error *err)
{
    model_set set;
    r->criterion = am_alloc((size_t)r->curve.points, sizeof(double), "criterion", err);
    if (r->criterion == NULL)
        return AM_ERR_MEMORY;
    AM_TRY(models_at(&s->g, r->curve.lambda, r->curve.points, &set, err));
    am_status status = evaluate_criterion(&set, &s->train, s->g.groups, r->curve.lambda, NULL, 0,
                                          r->criterion, err);
    s->be->op->release(s->be, (void *)(uintptr_t)set.c);
    return status;
}

/* ---- the experiment ---------------------------------------------------------------------------------- */

static am_status fit_and_curve(session *s, const settings *fit, const char *model, mnist_result *r,
                               am_error *err)
{
    fit_result fitted;
    int points = (int)fit->points;
    AM_TRY(fit_model(s, fit, model, &fitted, err));
    r->fit = s->record.fit;
    r->fit_loss = fitted.loss;
    r->plan = fitted.plan;
    r->history = fitted.history;
    /* All steps at the rate of those that were timed; they are fewer after --resume. */
    double steps = (double)r->fit.steps, timed = steps - (double)fitted.first;
    r->ledger.fit = (fitted.seconds - fitted.response_seconds) * steps / timed;
    r->ledger.response = fitted.response_seconds * steps / timed;
    r->total_seconds = r->ledger.fit + r->ledger.response - fitted.seconds;
    r->ledger.points = points;
    double begin = am_seconds();
    AM_TRY(curve_compute(&s->g, &s->validation, points, 0, &r->curve, err));
    AM_TRY(select_lambda(&s->g, &s->validation, &r->curve, choosing_rule(fit), choosing_metric(fit),
                         &r->choice, err));
    r->ledger.curve = am_seconds() - begin;
    return AM_OK;
}

/* How sure the choice is, from the curve with its band. */
static am_status weigh_choice(session *s, const settings *fit, mnist_result *r, am_error *err)
{
    metric_kind metric = choosing_metric(fit);
    r->metric = metric_names[metric];
    r->count = am_alloc((size_t)r->curve.points, sizeof *r->count, "curve", err);
    if (r->count == NULL)
        return AM_ERR_MEMORY;
    select_distribution(&r->curve, metric, r->count);
    return select_lambda(&s->g, &s->validation, &r->curve, SELECT_ONE_SE, metric, &r->one_se, err);
}

/* The band of the curve and the draws at the chosen λ. */
static am_status draw_posterior(session *s, const settings *set, mnist_result *r, am_error *err)
{
    int draws = (int)set->posterior_draws;
    if (draws < 2)
        return AM_OK;
    if (features_use_omega(&s->g.f)) {
        tuning_curve band;
        AM_TRY(curve_compute(&s->g, &s->validation, r->curve.points, draws, &band, err));
        curve_free(&r->curve);
        r->curve = band;
    }
    double begin = am_seconds();
    posterior_request request = sampling_request(s, r->choice.lambda, draws);
    AM_TRY(posterior_compute(&request, &r->post, err));
    r->ledger.posterior = am_seconds() - begin;
    return AM_OK;
}

static am_status generator_test(session *s, mnist_result *r, am_error *err)
{
    model_set set;
    AM_TRY(models_at(&s->g, r->choice.lambda, 1, &set, err));
    am_status status =
        evaluate(&set, session_report_rows(s, &r->rows), &r->generator_test, NULL, err);
    s->be->op->release(s->be, (void *)(uintptr_t)set.c);
    return status;
}

static am_status run_all(session *s, const settings *set, const protocol *p, const char *model,
                         mnist_result *r, am_error *err)
{
    const char *dataset = set->dataset != NULL ? set->dataset : "mnist";
    settings fit = protocol_settings(set, p, dataset);
    AM_TRY(session_device(s, set, err));
    AM_TRY(load_data(s, &fit, set, err));
    r->dataset = s->data->name;
    r->data_seconds = s->data_seconds;
    progress_note(set, "data: %s, %lld training, %lld validation, %lld test rows", s->data->source,
                  (long long)s->data->train.n, (long long)s->data->validation.n,
                  (long long)s->data->test.n);
    AM_TRY(request_record(s, &fit, err));
    progress_note(set, "fit: protocol %s, %lld steps of %d draws × %d rows", p->name,
                  (long long)s->record.fit.steps, s->record.fit.draws, s->record.fit.rows);
    AM_TRY(fit_and_curve(s, &fit, model, r, err));
    AM_TRY(generator_test(s, r, err));
    AM_TRY(draw_posterior(s, set, r, err));
    AM_TRY(weigh_choice(s, &fit, r, err));
    AM_TRY(generator_criterion(s, r, err));
    AM_TRY(refit_choice(s, set, p, r, err));
    AM_TRY(refit_curve(s, set, p, r, err));
    r->audited = set->audit;
    int sampled = s->g.spec.sampled, draws = AUDIT_DRAWS;
    if (sampled > 0) /* of these it has no more */
        draws = AM_MIN(draws, sampled);
    return set->audit ? audit_session(s, set, draws, &r->audit, &r->audit_cost, err) : AM_OK;
}

am_status experiment_mnist(const settings *set, am_error *err)
{
    double begin = am_seconds();
    const char *folder = out_or(set, "results/mnist");
    const protocol *p = find_protocol(set->protocol);
    if (p == NULL)
        return am_fail(err, AM_ERR_USAGE, "--protocol '%s': give default or paper", set->protocol);
    AM_TRY(terminal_check(set, err));
    AM_TRY(am_check_writable(folder, err));
    if (set->audit)
        AM_TRY(audit_check_options(set, err));
    char *model = output_path(folder, "model.safetensors");
    session s = {0};
    mnist_result r = {.protocol = p->name, .repeats = (int)set->refits};
    am_status status = model != NULL ? run_all(&s, set, p, model, &r, err)
                                     : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    if (status == AM_OK) {
        ledger_close(&r.ledger);
        r.total_seconds += am_seconds() - begin;
        status = mnist_report(&s, set, &r, folder, err);
    }
    free(model);
    free(r.count);
    free(r.refit);
    free(r.criterion);
    free(r.refit_criterion);
    posterior_free(&r.post);
    audit_free(&r.audit);
    audit_cost_free(&r.audit_cost);
    curve_free(&r.curve);
    session_close(&s);
    return status;
}
