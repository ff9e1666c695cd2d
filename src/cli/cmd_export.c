/* amortune export — the network at one λ, as weights that other tools load. */
#include "api/weights_file.h"
#include "cli/choosing.h"
#include "cli/output.h"

#include <stdlib.h>

static am_status write_weights(session *s, const selection *choice, const char *path, am_error *err)
{
    const target *t = &s->g.spec.target;
    float *theta = am_alloc((size_t)t->params, sizeof *theta, "weights", err);
    if (theta == NULL)
        return AM_ERR_MEMORY;
    am_status status = generator_weights(&s->g, 1, choice->lambda, NULL, theta, err);
    if (status == AM_OK)
        status = weights_file_write(path, t, theta, &s->record.data.norm, choice->lambda[0],
                                    "generator", err);
    free(theta);
    return status;
}

static void report(const settings *set, const selection *choice)
{
    if (!set->json) {
        printf("%s: weights at", set->out);
        output_lambda(choice, stdout);
        printf("\n");
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "weights", set->out);
    cJSON_AddItemToObject(o, "lambda", output_lambda_json(choice));
    output_json(o, stdout);
}

am_status command_export(const settings *set, am_error *err)
{
    if (set->out == NULL)
        return am_fail(err, AM_ERR_USAGE, "export: --out is missing; give the file to write");
    AM_TRY(am_check_writable_file(set->out, err));
    session s = {0};
    selection choice;
    bool tune = !settings_given(set, "lambda"); /* then the data are needed to choose λ */
    am_status status = session_model(&s, set, set->argument[0], 32, tune, err);
    if (status == AM_OK)
        status = choose_lambda(&s, set, &choice, err);
    if (status == AM_OK)
        status = write_weights(&s, &choice, set->out, err);
    if (status == AM_OK)
        report(set, &choice);
    session_close(&s);
    return status;
}
