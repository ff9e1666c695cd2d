/* amortune export — the network at one λ, as weights that other tools load. */
#include "cli/choosing.h"
#include "cli/output.h"
#include "cli/weights_file.h"

#include <stdlib.h>

static am_status write_weights(session *s, const selection *choice, const char *path, am_error *err)
{
    generator *g = &s->g;
    const target *t = &g->spec.target;
    dev_f32 *c = s->be->op->alloc(s->be, sizeof(float) * (size_t)g->f.features, "features");
    dev_f32 *theta = s->be->op->alloc(s->be, sizeof(float) * (size_t)t->params, "weights");
    am_status status = s->be->op->sync(s->be, err);
    if (status == AM_OK)
        status = generator_features(g, 1, choice->lambda, NULL, c, err);
    if (status == AM_OK) {
        generator_theta(g, 1, c, theta);
        status = weights_file_write(path, s->be, t, theta, &s->record.data.norm, choice->lambda[0],
                                    "generator", err);
    }
    s->be->op->release(s->be, c);
    s->be->op->release(s->be, theta);
    return status;
}

am_status command_export(const settings *set, am_error *err)
{
    if (set->out == NULL)
        return am_fail(err, AM_ERR_USAGE, "export: --out is missing; give the file to write");
    AM_TRY(output_check_file(set->out, err));
    session s = {0};
    selection choice;
    bool tune = !settings_given(set, "lambda"); /* then the data are needed to choose λ */
    am_status status = session_model(&s, set, set->argument[0], 32, tune, err);
    if (status == AM_OK)
        status = choose_lambda(&s, set, &choice, err);
    if (status == AM_OK)
        status = write_weights(&s, &choice, set->out, err);
    if (status == AM_OK)
        printf("%s: weights at λ = %.4e\n", set->out, choice.lambda[0]);
    session_close(&s);
    return status;
}
