/* amortune curve — the tuning curve of a model on its validation rows, with its band. */
#include "cli/output.h"
#include "cli/terminal.h"

#include <stdlib.h>

static am_status write_files(const session *s, const tuning_curve *curve, const char *folder,
                             am_error *err)
{
    bool classes = s->record.spec.target.loss == LOSS_CROSS_ENTROPY;
    char *csv = output_path(folder, "curve.csv"), *svg = output_path(folder, "curve.svg");
    char *json = output_path(folder, "curve.json"), *npz = output_path(folder, "curve.npz");
    cJSON *document = output_curve_json(curve);
    am_status status = csv && svg && json && npz && document
                           ? am_make_folders(folder, err)
                           : am_fail(err, AM_ERR_MEMORY, "curve: no memory");
    if (status == AM_OK)
        status = output_curve_csv(curve, csv, err);
    if (status == AM_OK)
        status = json_write(json, document, err);
    if (status == AM_OK)
        status = output_curve_svg(curve, NULL, NULL, classes, s->record.data.name, svg, err);
    if (status == AM_OK)
        status = output_curve_npz(curve, npz, err);
    cJSON_Delete(document);
    free(csv);
    free(svg);
    free(json);
    free(npz);
    return status;
}

/* --out NAME.npz, NAME.csv and NAME.json are one file, anything else a folder. */
static bool out_is_file(const settings *set)
{
    return output_ends(set->out, ".npz") || output_ends(set->out, ".csv") ||
           output_ends(set->out, ".json");
}

static am_status write_file(const tuning_curve *curve, const char *path, am_error *err)
{
    if (output_ends(path, ".npz"))
        return output_curve_npz(curve, path, err);
    if (output_ends(path, ".csv"))
        return output_curve_csv(curve, path, err);
    return output_json_file(output_curve_json(curve), path, err);
}

am_status command_curve(const settings *set, am_error *err)
{
    session s = {0};
    tuning_curve curve = {0};
    AM_TRY(terminal_check(set, err));
    if (set->out != NULL)
        AM_TRY(out_is_file(set) ? am_check_writable_file(set->out, err)
                                : am_check_writable(set->out, err));
    am_status status = session_model(&s, set, set->argument[0], (int)set->points, true, err);
    double begin = am_seconds();
    if (status == AM_OK)
        status = curve_compute(&s.g, &s.validation, (int)set->points, (int)set->posterior_draws,
                               &curve, err);
    double seconds = am_seconds() - begin;
    if (status == AM_OK && set->json)
        output_json(output_curve_json(&curve), stdout);
    else if (status == AM_OK)
        status = output_curve_table(&curve, s.record.spec.target.loss == LOSS_CROSS_ENTROPY, stdout,
                                    err);
    if (status == AM_OK && set->plot)
        status =
            output_curve_svg(&curve, NULL, NULL, s.record.spec.target.loss == LOSS_CROSS_ENTROPY,
                             s.record.data.name, NULL, err);
    if (status == AM_OK)
        progress_note(set, "%d points, %d draws each, on %lld validation rows in %.3f s",
                      curve.points, curve.draws, (long long)s.validation.data.n, seconds);
    if (status == AM_OK && set->out != NULL)
        status = out_is_file(set) ? write_file(&curve, set->out, err)
                                  : write_files(&s, &curve, set->out, err);
    curve_free(&curve);
    session_close(&s);
    return status;
}
