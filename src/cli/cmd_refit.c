/* amortune refit — one model from scratch at one λ: the baseline. */
#include "cli/output.h"
#include "cli/weights_file.h"

#include <stdlib.h>

/* ω (K) of --weights-seed, or NULL for ω = 1. */
static am_status draw_weights(const session *s, const settings *set, int64_t blocks, float **omega,
                              am_error *err)
{
    float *omega0;
    *omega = NULL;
    if (set->weights_seed < 0)
        return AM_OK;
    AM_TRY(posterior_omega(s->be, OMEGA_DIRICHLET, 1.0, blocks, 1, (uint64_t)set->weights_seed,
                           omega, &omega0, err));
    free(omega0);
    return AM_OK;
}

static am_status train(session *s, const settings *set, const target *t, dev_f32 **theta,
                       double *seconds, am_error *err)
{
    int64_t blocks = request_blocks(set, s->data->train.n);
    int rows = (int)AM_MIN(set->batch, s->data->train.n);
    double lambda[1] = {set->lambda_low};
    float *omega;
    AM_TRY(draw_weights(s, set, blocks, &omega, err));
    refit_request request = {
        .t = t, .models = 1, .lambda = lambda, .omega = omega, .blocks = blocks,
        .seed = (uint64_t)set->seed, .rows = rows, .adam = request_optimiser(set),
        .steps = set->steps > 0 ? set->steps : steps_for(set->epochs, s->data->train.n, rows),
    };
    progress shown = {0};
    train_hooks hooks = progress_hooks(&shown, set, NULL);
    double begin = am_seconds();
    am_status status = refit_run(s->be, &request, &s->train, &hooks, theta, err);
    *seconds = am_seconds() - begin;
    progress_end(&shown);
    free(omega);
    return status;
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
    printf("  validation  nll %.4f   accuracy %.4f\n", validation.nll, validation.accuracy);
    if (s->test.be != NULL)
        printf("  test        nll %.4f   accuracy %.4f\n", rows.nll, rows.accuracy);
    return AM_OK;
}

am_status command_refit(const settings *set, am_error *err)
{
    if (set->data == NULL || !settings_given(set, "lambda"))
        return am_fail(err, AM_ERR_USAGE, "refit: --%s is missing",
                       set->data == NULL ? "data" : "lambda");
    if (set->out != NULL)
        AM_TRY(output_check_file(set->out, err));
    session s = {0};
    target t;
    dev_f32 *theta = NULL;
    double seconds = 0;
    data_request request = request_data(set);
    am_status status = session_device(&s, set, err);
    if (status == AM_OK)
        status = session_load(&s, &request, err);
    if (status == AM_OK)
        status = session_upload(&s, request.seed, request_blocks(set, s.data->train.n), err);
    if (status == AM_OK)
        status = request_target(set, s.data, &t, err);
    if (status == AM_OK)
        status = train(&s, set, &t, &theta, &seconds, err);
    if (status == AM_OK)
        status = report(&s, set, &t, theta, seconds, err);
    if (status == AM_OK && set->out != NULL)
        status = weights_file_write(set->out, s.be, &t, theta, &s.data->norm, set->lambda_low,
                                    "refit", err);
    if (s.be != NULL)
        s.be->op->release(s.be, theta);
    session_close(&s);
    return status;
}
