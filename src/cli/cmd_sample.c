/* amortune sample — draws of the posterior at one λ: their predictive mean, how sure they are, and
 * whether that tells other data from the model's own. */
#include "api/outside.h"
#include "api/sampling.h"
#include "cli/choosing.h"
#include "cli/output_sample.h"

#include <stdlib.h>
#include <string.h>

/* How sure the draws are of the rows that they are judged on. */
static am_status measure_own(const posterior_request *request, const posterior_models *m,
                             sample_result *r, am_error *err)
{
    r->n = request->evaluation->data.n;
    r->row = am_alloc((size_t)r->n, sizeof *r->row, "uncertainty", err);
    if (r->row == NULL)
        return AM_ERR_MEMORY;
    AM_TRY(uncertainty_measure(&m->set, request->evaluation, 0, r->row, err));
    r->summary = uncertainty_summarise(r->row, r->n);
    return AM_OK;
}

/* AUROC and the like by every score. */
static am_status detect(sample_result *r, am_error *err)
{
    other_data *o = &r->other;
    double *own = am_alloc((size_t)r->n, sizeof *own, "scores", err);
    double *ood = am_alloc((size_t)o->n, sizeof *ood, "scores", err);
    am_status status = own && ood ? AM_OK : AM_ERR_MEMORY;
    for (int k = 0; k < DOUBT_KINDS && status == AM_OK; k++) {
        for (int64_t i = 0; i < r->n; i++)
            own[i] = doubt_of(&r->row[i], (doubt_kind)k);
        for (int64_t i = 0; i < o->n; i++)
            ood[i] = doubt_of(&o->row[i], (doubt_kind)k);
        status = detection_compute(own, r->n, ood, o->n, &o->by[k], err);
    }
    free(own);
    free(ood);
    return status;
}

static am_status measure_other(const session *s, const am_data *data, const posterior_models *m,
                               sample_result *r, am_error *err)
{
    other_data *o = &r->other;
    o->part = data->test.n > 0 ? "test" : "all";
    o->name = am_strdup(data->name, err);
    if (o->name == NULL)
        return AM_ERR_MEMORY;
    AM_TRY(outside_measure(s, &m->set, data, &o->row, &o->n, err));
    o->summary = uncertainty_summarise(o->row, o->n);
    r->has_other = true;
    return detect(r, err);
}

/* ω of the draws. */
static am_status keep_weights(const session *s, posterior_models *m, int draws, sample_result *r,
                              am_error *err)
{
    r->blocks = s->record.spec.blocks;
    if (s->g.spec.sampled > 0)
        return posterior_behind(&s->g, draws, m->omega, &r->omega, err);
    r->omega = m->omega;
    m->omega = NULL;
    return AM_OK;
}

/* Room for θ of the draws, of one network. */
static am_status open_draws(const session *s, int draws, sample_result *r, am_error *err)
{
    r->params = s->g.networks == 1 ? s->record.spec.target.params : 0;
    if (r->params == 0)
        return AM_OK;
    r->theta = am_alloc((size_t)(draws * r->params), sizeof *r->theta, "draws", err);
    return err->status;
}

/* other: the data of --ood, or NULL. networks: keep ω and θ of the draws. */
static am_status sample(session *s, int draws, bool networks, const am_data *other,
                        sample_result *r, am_error *err)
{
    posterior_models m;
    if (networks)
        AM_TRY(open_draws(s, draws, r, err));
    posterior_request request = sampling_request(s, r->choice.lambda, draws);
    request.theta = r->theta;
    r->data = s->record.data.name;
    r->classes = s->record.spec.target.loss == LOSS_CROSS_ENTROPY;
    session_report_rows(s, &r->rows);
    AM_TRY(posterior_open(&request, &m, err));
    am_status status = posterior_judge(&request, &m, &r->p, err);
    if (status == AM_OK && networks)
        status = keep_weights(s, &m, draws, r, err);
    if (status == AM_OK && r->classes)
        status = measure_own(&request, &m, r, err);
    if (status == AM_OK && other != NULL)
        status = measure_other(s, other, &m, r, err);
    posterior_close(&m);
    return status;
}

/* --out NAME.npz and NAME.json are one file, anything else a folder. */
static bool out_is_file(const settings *set)
{
    return output_ends(set->out, ".npz") || output_ends(set->out, ".json");
}

static am_status write_results(const settings *set, const sample_result *r, am_error *err)
{
    if (set->out == NULL)
        return AM_OK;
    if (output_ends(set->out, ".npz"))
        return output_sample_npz(r, set->out, err);
    if (!out_is_file(set))
        return output_sample_files(r, set->out, err);
    return output_json_file(output_sample_json(r), set->out, err);
}

static am_status report(const settings *set, const sample_result *r, am_error *err)
{
    if (set->json)
        output_json(output_sample_json(r), stdout);
    else
        AM_TRY(output_sample_print(r, stdout, err));
    return write_results(set, r, err);
}

static void sample_free(sample_result *r)
{
    posterior_free(&r->p);
    free(r->row);
    free(r->omega);
    free(r->theta);
    free(r->other.row);
    free(r->other.name);
}

am_status command_sample(const settings *set, am_error *err)
{
    session s = {0};
    sample_result r = {0};
    am_data *other = NULL;
    if (set->out != NULL)
        AM_TRY(out_is_file(set) ? am_check_writable_file(set->out, err)
                                : am_check_writable(set->out, err));
    int draws = (int)set->posterior_draws;
    am_status status = session_model(&s, set, set->argument[0], draws, true, err);
    if (status == AM_OK && set->ood != NULL)
        status = outside_load(&s, set->argument[0], set->ood, &other, err);
    if (status == AM_OK)
        status = choose_lambda(&s, set, &r.choice, err);
    if (status == AM_OK)
        status = sample(&s, draws, output_ends(set->out, ".npz"), other, &r, err);
    if (status == AM_OK)
        status = report(set, &r, err);
    data_free(other);
    sample_free(&r);
    session_close(&s);
    return status;
}
