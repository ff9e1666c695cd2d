#include "api/reporting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All that a page is made from. */
typedef struct {
    report_results r;
    report_curve c;
    report_explorer x;
    session s;
    bool model; /* s is open */
    char *notice, *title, *subtitle;
    cJSON *verdict, *explorer, *ledger, *numbers, *fitted;
} report;

static void report_close(report *p)
{
    cJSON *owned[] = {p->verdict, p->explorer, p->ledger, p->numbers, p->fitted};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        cJSON_Delete(owned[i]);
    report_explorer_close(&p->x);
    report_curve_close(&p->c);
    session_close(&p->s);
    results_close(&p->r);
    free(p->notice);
    free(p->title);
    free(p->subtitle);
}

/* ---- model and data ---------------------------------------------------------------------------------- */

static am_status open_data(report *p, const report_request *q, am_error *err)
{
    data_request request;
    session *s = &p->s;
    AM_TRY(session_recorded_data(s, p->r.model, q->data, q->test, &request, err));
    AM_TRY(session_load(s, &request, err));
    return session_attach(s, p->r.model, err);
}

/* The model must be the one that the summary tells of. */
static am_status check_model(const report *p, am_error *err)
{
    const model_record *m = &p->s.record;
    double seed = json_value_of(p->r.summary, "seed");
    const char *dataset = json_text(p->r.summary, "dataset");
    if (isfinite(seed) && seed != (double)m->spec.seed)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: fitted with seed %llu, summary.json tells of seed %.0f; remove what is "
                       "left of another run",
                       p->r.model, (unsigned long long)m->spec.seed, seed);
    if (dataset != NULL && strcmp(dataset, m->data.name) != 0)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: fitted to %s, summary.json tells of %s; remove what is left of another "
                       "run",
                       p->r.model, m->data.name, dataset);
    if (p->c.points == 0)
        return AM_OK;
    double ends[] = {p->c.lambda[0], p->c.lambda[p->c.points - 1], p->c.chosen};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i] < m->spec.lambda_low * (1 - 1e-6) || ends[i] > m->spec.lambda_high * (1 + 1e-6))
            return am_fail(
                err, AM_ERR_INPUT,
                "%s: fitted for λ in %g..%g, the results have λ = %g; remove what is left "
                "of another run",
                p->r.model, m->spec.lambda_low, m->spec.lambda_high, ends[i]);
    return AM_OK;
}

static am_status open_device(report *p, const report_request *q, am_error *err)
{
    am_device *device = q->device;
    if (device != NULL)
        (void)device_hold(device);
    else
        AM_TRY(am_device_open(q->device_name, q->threads, q->precision, &device, err));
    session_take_device(&p->s, device);
    return AM_OK;
}

/* Without the data the page lacks what they are needed for, and says why. */
static am_status open_model(report *p, const report_request *q, am_error *err)
{
    enum { AT_ONCE = 64 };
    am_safetensors *file;
    am_error missing = {0};
    AM_TRY(model_load(p->r.model, &p->s.record, &file, err));
    am_status status = open_device(p, q, err);
    if (status == AM_OK)
        status = model_restore(file, &p->s.record, p->s.be, AT_ONCE, &p->s.g, err);
    am_safetensors_free(file);
    AM_TRY(status);
    p->model = true;
    AM_TRY(check_model(p, err));
    if (p->s.record.step < p->s.record.fit.steps)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: checkpoint of an unfinished fit; finish it with --resume", p->r.model);
    status = open_data(p, q, &missing);
    if (status == AM_OK)
        return AM_OK;
    if (status != AM_ERR_INPUT && status != AM_ERR_USAGE) {
        *err = missing;
        return status;
    }
    session_drop_data(&p->s);
    p->notice = am_format("The data of the model are not here, so the page has no gallery, no "
                          "confusion matrix and no calibration. %s",
                          missing.message);
    return p->notice != NULL ? AM_OK : am_fail(err, AM_ERR_MEMORY, "report: out of memory");
}

static am_status open_explorer(report *p, const report_request *q, am_error *err)
{
    AM_TRY(report_curve_read(&p->r, &p->c, err));
    if (p->r.model != NULL)
        AM_TRY(open_model(p, q, err));
    if (p->c.points == 0 && p->model && p->s.data != NULL)
        AM_TRY(report_curve_compute(&p->s, &p->c, err));
    if (p->c.points == 0 && p->model)
        return p->r.folder == NULL
                   ? am_fail(err, AM_ERR_INPUT, "%s: its data are not here: %s; give --data",
                             p->r.model, p->notice != NULL ? p->notice : "")
                   : AM_OK;
    if (p->model)
        AM_TRY(report_explore(&p->s, &p->c, &p->x, err));
    if (p->c.points > 0)
        p->explorer = report_explorer_json(p->model ? &p->s : NULL, &p->r, &p->c, &p->x);
    return AM_OK;
}

/* ---- texts and numbers -------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* Appends " · what text". */
static void add_part(char **text, const char *what, const char *part)
{
    if (part == NULL || part[0] == '\0')
        return;
    char *longer =
        am_format("%s%s%s%s", *text != NULL ? *text : "", *text != NULL ? " · " : "", what, part);
    free(*text);
    *text = longer;
}

static am_status make_title(report *p, const report_request *q, am_error *err)
{
    const cJSON *summary = p->r.summary;
    const char *name = json_text(summary, "experiment"), *data = json_text(summary, "dataset");
    double seed = json_value_of(summary, "seed");
    char number[32] = "";
    if (data == NULL)
        data = p->model ? p->s.record.data.name : json_text(summary, "data");
    if (isfinite(seed))
        (void)snprintf(number, sizeof number, "%.0f", seed);
    p->title =
        name != NULL ? am_format("experiment %s", name) : am_format("%s", last_part(q->results));
    add_part(&p->subtitle, "", data);
    add_part(&p->subtitle, "protocol ", json_text(summary, "protocol"));
    add_part(&p->subtitle, "seed ", number);
    add_part(&p->subtitle, "", json_text(summary, "device_name"));
    add_part(&p->subtitle, "", p->r.when);
    return p->title && p->subtitle ? AM_OK : am_fail(err, AM_ERR_MEMORY, "report: out of memory");
}

/* How the model was fitted. */
static cJSON *model_json(const model_record *m)
{
    char shape[192];
    cJSON *o = cJSON_CreateObject();
    target_text(&m->spec.target, shape, sizeof shape);
    cJSON_AddStringToObject(o, "target", shape);
    cJSON_AddStringToObject(o, "activation", activation_name(m->spec.target.act));
    cJSON_AddStringToObject(o, "features", m->spec.features.text);
    json_number(o, "networks", AM_MAX(1, m->spec.networks));
    json_number(o, "parameters", (double)m->spec.target.params);
    json_number(o, "lambda_low", m->spec.lambda_low);
    json_number(o, "lambda_high", m->spec.lambda_high);
    json_number(o, "blocks", (double)m->spec.blocks);
    cJSON_AddStringToObject(o, "data", m->data.name);
    json_number(o, "training_rows", (double)m->data.rows);
    json_number(o, "steps", (double)m->fit.steps);
    json_number(o, "draws_a_step", m->fit.draws);
    json_number(o, "rows_a_draw", m->fit.rows);
    json_number(o, "step_size", m->fit.adam.rate);
    json_number(o, "seed", (double)m->spec.seed);
    return o;
}

/* The summary without what the page shows in other ways. */
static void take_numbers(report *p)
{
    static const char *const shown[] = {"history", "ledger", "seconds"};
    static const char *const beyond[] = {"verdict", "verdicts"};
    p->numbers = cJSON_Duplicate(p->r.summary, true);
    p->ledger = report_ledger(&p->r);
    p->fitted = p->model ? model_json(&p->s.record) : NULL;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (i < 1 || p->ledger != NULL)
            cJSON_DeleteItemFromObjectCaseSensitive(p->numbers, shown[i]);
    cJSON *audit = cJSON_GetObjectItemCaseSensitive(p->numbers, "audit");
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(audit, beyond[i]);
}

static int list_documents(const report *p, html_document *document)
{
    const html_document all[] = {
        {"All numbers", p->numbers}, {"Choice of λ", p->r.choice},       {"Curve", p->r.curve},
        {"Posterior", p->r.sample},  {"Polished networks", p->r.polish}, {"Audit", p->r.audit}};
    int count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].json != NULL)
            document[count++] = all[i];
    return count;
}

static am_status write_page(report *p, const char *path, am_error *err)
{
    html_document document[8];
    take_numbers(p);
    p->verdict = report_verdict(&p->r, &p->c, &p->x);
    html_page page = {
        .title = p->title,
        .subtitle = p->subtitle,
        .verdict = p->verdict,
        .explorer = p->explorer,
        .notice = p->notice,
        .ledger = p->ledger,
        .run = p->r.run,
        .document = document,
        .documents = list_documents(p, document),
        .file = p->r.file,
        .files = p->r.files,
        .array = p->x.array,
        .arrays = p->x.arrays,
    };
    return html_write(path, &page, err);
}

am_status report_run(const report_request *q, const char *path, am_error *err)
{
    report p = {0};
    if (!html_available()) /* said before the work, not after it */
        return html_write(path, &(html_page){0}, err);
    am_status status = results_open(q->results, &p.r, err);
    if (status == AM_OK)
        status = open_explorer(&p, q, err);
    if (status == AM_OK)
        status = make_title(&p, q, err);
    if (status == AM_OK)
        status = write_page(&p, path, err);
    if (status == AM_OK && q->candidates != NULL)
        status = report_check(&p.s, &p.x, q->candidates, err);
    report_close(&p);
    return status;
}
