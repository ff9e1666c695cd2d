/* amortune info — what a model file holds. */
#include "cli/output.h"

#include "base/safetensors.h"
#include "train/names.h"

#include <string.h>

static void print_training(const fit_settings *fit)
{
    if (fit->mode != MODE_SUPERVISED)
        printf("  training  %s, %s, %d draws × %d rows, rate %g\n", descent_names[fit->descent],
               plan_names[fit->plan], fit->draws, fit->rows, fit->adam.rate);
    if (fit->coarse.share > 0)
        printf("            before, %g of the steps: degree %d, %d draws × %d rows\n",
               fit->coarse.share, fit->coarse.degree, fit->coarse.draws, fit->coarse.rows);
    if (fit->mode != MODE_CRITERION)
        printf("  %-9s %s, %d labels in %d rounds × %d rows, rate %g\n",
               fit->mode == MODE_HYBRID ? "" : "training", mode_names[fit->mode], fit->labels,
               fit->rounds, fit->rows, fit->label.rate);
}

static void print_text(const char *path, const model_record *r, const am_safetensors *file)
{
    char shape[192];
    target_text(&r->spec.target, shape, sizeof shape);
    bool whole = r->step >= r->fit.steps;
    printf("%s: %s, step %lld of %lld\n", path, whole ? "model" : "checkpoint of an unfinished run",
           (long long)r->step, (long long)r->fit.steps);
    printf("  target    %s %s, %lld parameters\n", shape, activation_name(r->spec.target.act),
           (long long)r->spec.target.params);
    printf("  features  %s\n", r->spec.features.text);
    printf("  lambda    %g to %g, %s", r->spec.lambda_low, r->spec.lambda_high,
           r->spec.per_layer ? "one per layer" : "one in all");
    if (r->spec.knee > 0)
        printf(", knee %g", r->spec.knee);
    printf("\n");
    printf("  weights   %s, %lld blocks", omega_names[r->spec.weights], (long long)r->spec.blocks);
    if (r->spec.sampled > 0)
        printf(", %d drawn vectors of them", r->spec.sampled);
    printf("\n");
    printf("  data      %s (%s), %lld training rows\n", r->data.name, r->data.source,
           (long long)r->data.rows);
    printf("  seed      %llu\n", (unsigned long long)r->spec.seed);
    print_training(&r->fit);
    for (int i = 0; i < am_safetensors_count(file); i++) {
        const am_tensor *t = am_safetensors_at(file, i);
        printf("  tensor    %-24s", t->name);
        for (int d = 0; d < t->rank; d++)
            printf("%s%lld", d ? " × " : "", (long long)t->shape[d]);
        printf("\n");
    }
}

static cJSON *info_json(const char *path, const model_record *r, const am_safetensors *file)
{
    static const char *const keys[] = {
        "target",     "activation",  "loss",        "features",       "init",    "penalty",
        "lambda_low", "lambda_high", "lambda_knee", "weights",        "blocks",  "seed",
        "mode",       "labels",      "rounds",      "share",          "descent", "plan",
        "draws",      "batch",       "steps",       "step",           "rate",    "schedule",
        "data_name",  "data_source", "data_rows",   "response_draws", "version"};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "path", path);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = am_safetensors_meta(file, keys[i]);
        double number;
        if (text != NULL && am_parse_double(text, &number))
            cJSON_AddNumberToObject(o, keys[i], number);
        else if (text != NULL)
            cJSON_AddStringToObject(o, keys[i], text);
    }
    json_number(o, "params", (double)r->spec.target.params);
    return o;
}

/* Opens the model as a command that uses it would, so that what is listed is true. */
static am_status check_model(const model_record *r, const am_safetensors *file, am_error *err)
{
    am_device *device;
    generator g;
    AM_TRY(am_device_open("cpu", 1, NULL, &device, err));
    am_status status = model_restore(file, r, device->be, 1, &g, err);
    if (status == AM_OK)
        generator_close(&g);
    am_device_close(device);
    return status;
}

am_status command_info(const settings *set, am_error *err)
{
    model_record record;
    am_safetensors *file;
    if (set->out != NULL)
        AM_TRY(am_check_writable_file(set->out, err));
    AM_TRY(model_load(set->argument[0], &record, &file, err));
    am_status status = check_model(&record, file, err);
    if (status == AM_OK && !set->json)
        print_text(set->argument[0], &record, file);
    if (status == AM_OK)
        status = output_document(set, info_json(set->argument[0], &record, file), err);
    model_record_free(&record);
    am_safetensors_free(file);
    return status;
}
