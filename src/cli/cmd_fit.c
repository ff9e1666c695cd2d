/* amortune fit — train a generator on the user's data. */
#include "cli/fitting.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static void print_result(const session *s, const settings *set, const char *path,
                         const fit_result *r)
{
    if (set->json) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "model", path);
        json_number(o, "steps", (double)s->record.fit.steps);
        json_number(o, "loss", r->loss);
        json_number(o, "seconds", r->seconds);
        json_number(o, "resumed_at", (double)r->first);
        output_json(o, stdout);
        return;
    }
    printf("fitted %s: %lld steps%s in %.1f s, mean criterion %.4f\nnext: amortune curve %s\n",
           path, (long long)(s->record.fit.steps - r->first), r->first > 0 ? " more" : "",
           r->seconds, r->loss, path);
}

am_status command_fit(const settings *set, am_error *err)
{
    const char *path = out_or(set, "model.safetensors");
    if (set->data == NULL)
        return am_fail(err, AM_ERR_USAGE,
                       "fit: --data is missing; give a folder of IDX files, a CSV "
                       "file, or mnist");
    session s = {0};
    fit_result result = {0};
    data_request request = request_data(set);
    am_status status = am_check_writable_file(path, err);
    if (status == AM_OK)
        status = session_device(&s, set, err);
    if (status == AM_OK)
        status = session_load(&s, &request, err);
    if (status == AM_OK)
        status = session_upload(&s, request_blocks(set, s.data->train.n), err);
    if (status == AM_OK)
        status = request_record(&s, set, err);
    if (status == AM_OK)
        status = fit_model(&s, set, path, &result, err);
    if (status == AM_OK)
        print_result(&s, set, path, &result);
    session_close(&s);
    return status;
}
