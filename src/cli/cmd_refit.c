/* amortune refit — one model from scratch at one λ: the baseline. */
#include "api/refitting.h"
#include "api/weights_file.h"
#include "cli/output.h"
#include "train/names.h"

#include <stdlib.h>

/* A seed for ω alone asks for the Bayesian bootstrap. */
static omega_kind weights_kind(const settings *set)
{
    if (set->weights_seed >= 0 && !settings_given(set, "weights"))
        return OMEGA_DIRICHLET;
    return (omega_kind)name_index(omega_names, set->weights);
}

/* One draw of ω (K), or NULL for ω = 1. */
static am_status draw_weights(const session *s, const settings *set, int64_t blocks, float **omega,
                              am_error *err)
{
    float *omega0;
    omega_kind kind = weights_kind(set);
    uint64_t seed = (uint64_t)(set->weights_seed >= 0 ? set->weights_seed : set->seed);
    *omega = NULL;
    if (kind == OMEGA_ONES)
        return AM_OK;
    AM_TRY(posterior_omega(s->be, kind, set->alpha, blocks, 1, seed, omega, &omega0, err));
    free(omega0);
    return AM_OK;
}

static am_status train(session *s, const settings *set, const target *t, dev_f32 **theta,
                       double *seconds, am_error *err)
{
    am_fit_options options = request_options(set, s->data->train.n);
    double lambda[AM_MAX_GROUPS]; /* the same for all layers */
    for (int i = 0; i < AM_MAX_GROUPS; i++)
        lambda[i] = set->lambda_low;
    float *omega;
    AM_TRY(draw_weights(s, set, options.blocks, &omega, err));
    refit_draws one = {.models = 1, .lambda = lambda, .omega = omega};
    progress shown = {0};
    train_hooks hooks = progress_hooks(&shown, set, NULL);
    double begin = am_seconds();
    am_status status = refit_models(s, &options, t, &one, &hooks, theta, err);
    *seconds = am_seconds() - begin;
    progress_end(&shown);
    free(omega);
    return status;
}

/* θ to the file of --out. */
static am_status write_weights(const session *s, const settings *set, const target *t,
                               const dev_f32 *theta, am_error *err)
{
    size_t params = (size_t)t->params;
    float *host = am_alloc(params, sizeof *host, "weights", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    am_status status = s->be->op->download(s->be, host, theta, params * sizeof *host, err);
    if (status == AM_OK)
        status =
            weights_file_write(set->out, t, host, &s->data->norm, set->lambda_low, "refit", err);
    free(host);
    return status;
}

static void print_metrics(const char *rows, const target *t, const metrics *m)
{
    if (t->loss == LOSS_SQUARED)
        printf("  %-10s  squared error %.4f\n", rows, m->nll);
    else
        printf("  %-10s  nll %.4f   accuracy %.4f\n", rows, m->nll, m->accuracy);
}

static am_status report(session *s, const settings *set, const target *t, dev_f32 *theta,
                        double seconds, am_error *err)
{
    model_set one = {.be = s->be, .t = t, .theta = theta, .models = 1};
    metrics validation, rows;
    const char *name;
    const device_rows *report_rows = session_report_rows(s, &name);
    AM_TRY(evaluate(&one, &s->validation, &validation, NULL, err));
    AM_TRY(evaluate(&one, report_rows, &rows, NULL, err));
    if (set->json) {
        cJSON *o = cJSON_CreateObject();
        json_number(o, "lambda", set->lambda_low);
        json_number(o, "seconds", seconds);
        cJSON_AddItemToObject(o, "validation", output_metrics_json(&validation));
        if (s->test.be != NULL)
            cJSON_AddItemToObject(o, "test", output_metrics_json(&rows));
        output_json(o, stdout);
        return AM_OK;
    }
    printf("refit at λ = %.3e in %.2f s\n", set->lambda_low, seconds);
    print_metrics("validation", t, &validation);
    if (s->test.be != NULL)
        print_metrics("test", t, &rows);
    return AM_OK;
}

am_status command_refit(const settings *set, am_error *err)
{
    if (set->data == NULL || !settings_given(set, "lambda"))
        return am_fail(err, AM_ERR_USAGE, "refit: --%s is missing",
                       set->data == NULL ? "data" : "lambda");
    if (set->out != NULL)
        AM_TRY(am_check_writable_file(set->out, err));
    session s = {0};
    target t;
    dev_f32 *theta = NULL;
    double seconds = 0;
    data_request request = request_data(set);
    am_status status = session_device(&s, set, err);
    if (status == AM_OK)
        status = session_load(&s, &request, err);
    if (status == AM_OK)
        status = session_upload(&s, request_blocks(set, s.data->train.n), err);
    if (status == AM_OK)
        status = options_target(set->target, set->activation, s.data, &t, err);
    if (status == AM_OK)
        status = train(&s, set, &t, &theta, &seconds, err);
    if (status == AM_OK)
        status = report(&s, set, &t, theta, seconds, err);
    if (status == AM_OK && set->out != NULL)
        status = write_weights(&s, set, &t, theta, err);
    if (s.be != NULL)
        s.be->op->release(s.be, theta);
    session_close(&s);
    return status;
}
