/* amortune sample — draws of the posterior at one λ, their predictive mean and its metrics. */
#include "api/sampling.h"
#include "cli/choosing.h"
#include "cli/output.h"

#include <math.h>
#include <stdlib.h>

static cJSON *posterior_json(const posterior *p, const selection *choice)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "lambda", output_lambda_json(choice));
    json_number(o, "draws", p->draws);
    cJSON_AddBoolToObject(o, "audited", false);
    cJSON_AddStringToObject(o, "method", p->from_generator ? "generator" : "short weighted refits");
    cJSON_AddItemToObject(o, "predictive_mean", output_metrics_json(&p->mean));
    json_number(o, "draw_acc_mean", p->accuracy_mean);
    json_number(o, "draw_acc_sd", p->accuracy_sd);
    json_number(o, "draw_nll_mean", p->nll_mean);
    return o;
}

static void print_posterior(const posterior *p, const selection *choice, const char *rows)
{
    printf("%d draws at", p->draws);
    output_lambda(choice, stdout);
    printf(", on the %s rows (unaudited; %s)\n", rows,
           p->from_generator ? "weights from the generator"
                             : "short weighted refits from the generator");
    if (isnan(p->accuracy_mean)) {
        printf("single draws      squared error %.4f\n", p->nll_mean);
        return;
    }
    printf("predictive mean   accuracy %.4f   nll %.4f   brier %.4f   ece %.4f\n", p->mean.accuracy,
           p->mean.nll, p->mean.brier, p->mean.ece);
    printf("single draws      accuracy %.4f (sd %.4f)   nll %.4f\n", p->accuracy_mean,
           p->accuracy_sd, p->nll_mean);
}

static am_status write_draws(const posterior *p, const char *folder, am_error *err)
{
    double *value = am_alloc(2 * (size_t)p->draws, sizeof *value, "draws", err);
    char *path = output_path(folder, "draws.csv");
    am_status status = value && path ? am_make_folders(folder, err) : AM_ERR_MEMORY;
    for (int d = 0; status == AM_OK && d < p->draws; d++) {
        value[d] = p->draw[d].nll;
        value[p->draws + d] = p->draw[d].accuracy;
    }
    csv_column column[2] = {{"nll", value}, {"accuracy", value + p->draws}};
    if (status == AM_OK)
        status = csv_write(path, column, 2, p->draws, err);
    free(value);
    free(path);
    return status;
}

am_status command_sample(const settings *set, am_error *err)
{
    session s = {0};
    selection choice;
    posterior p = {0};
    const char *rows;
    if (set->out != NULL)
        AM_TRY(am_check_writable(set->out, err));
    if (set->posterior_draws < 2)
        return am_fail(err, AM_ERR_USAGE, "--draws %lld: a posterior needs at least 2 draws",
                       (long long)set->posterior_draws);
    am_status status =
        session_model(&s, set, set->argument[0], (int)set->posterior_draws, true, err);
    if (status == AM_OK)
        status = choose_lambda(&s, set, &choice, err);
    if (status == AM_OK) {
        posterior_request request = sampling_request(&s, choice.lambda, (int)set->posterior_draws);
        status = posterior_compute(&request, &p, err);
    }
    session_report_rows(&s, &rows);
    if (status == AM_OK && set->json)
        output_json(posterior_json(&p, &choice), stdout);
    else if (status == AM_OK)
        print_posterior(&p, &choice, rows);
    if (status == AM_OK && set->out != NULL)
        status = write_draws(&p, set->out, err);
    posterior_free(&p);
    session_close(&s);
    return status;
}
