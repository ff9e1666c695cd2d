/* am_predict. */
#include "api/model.h"
#include "api/options.h"
#include "backend/tally.h"

#include <stdlib.h>

enum { MOST_MODELS = 1 << 16 };

/* What predicts: g(ω_d, λ_d), or networks with the weights θ_d. */
typedef struct {
    int models;           /* D */
    const double *lambda; /* (D, G), or NULL */
    const float *omega;   /* (D, K), or NULL */
    const float *theta;   /* (D, P), or NULL */
} predictor;

static am_status check(const am_model *m, const predictor *p, am_error *err)
{
    size_t groups = (size_t)m->s.g.groups.count, blocks = (size_t)m->s.record.spec.blocks;
    if ((p->lambda == NULL) == (p->theta == NULL))
        return am_fail(err, AM_ERR_USAGE, "am_predict: %s; give one of the two",
                       p->lambda != NULL ? "both lambda and theta" : "neither lambda nor theta");
    if (p->omega != NULL && p->theta != NULL)
        return am_fail(err, AM_ERR_USAGE,
                       "am_predict: omega with theta, whose networks have their weights already; "
                       "give omega with lambda");
    for (int d = 0; p->lambda != NULL && d < p->models; d++)
        AM_TRY(model_check_draw(m, p->lambda + (size_t)d * groups,
                                p->omega != NULL ? p->omega + (size_t)d * blocks : NULL, err));
    return AM_OK;
}

/* Is there room for rows and networks? Opened on a tally first: a device that ran out of memory would
 * be of no more use to the model. */
static am_status check_memory(const session *s, const am_rows *host, const predictor *p,
                              am_error *err)
{
    backend *tally;
    device_rows rows = {0};
    AM_TRY(tally_open(&tally, err));
    size_t params = p->theta != NULL ? (size_t)s->record.spec.target.params : 0;
    void *networks =
        tally->op->alloc(tally, sizeof(float) * (size_t)p->models * params + 1, "networks");
    am_status status = device_rows_open(&rows, tally, host, NULL, err);
    if (status == AM_OK)
        status = tally_check(tally, s->be, "predictions", err);
    device_rows_close(&rows);
    tally->op->release(tally, networks);
    backend_close(tally);
    return status;
}

/* The rows on the device, with labels or targets of 0 that nobody looks at. */
static am_status open_rows(const session *s, const predictor *p, int64_t n, const float *x,
                           device_rows *rows, am_error *err)
{
    const target *t = &s->record.spec.target;
    int outputs = t->size[t->layers];
    bool classes = t->loss == LOSS_CROSS_ENTROPY;
    am_rows host = {.n = n, .inputs = t->size[0], .outputs = outputs, .scale = 1};
    host.floats = am_alloc((size_t)n, sizeof(float) * (size_t)host.inputs, "rows", err);
    if (classes)
        host.label = am_alloc((size_t)n, sizeof *host.label, "rows", err);
    else
        host.target = am_alloc((size_t)n, sizeof(float) * (size_t)outputs, "rows", err);
    am_status status = err->status;
    if (status == AM_OK)
        status = norm_inputs(&s->record.data.norm, x, n, host.floats, err);
    if (status == AM_OK)
        status = check_memory(s, &host, p, err);
    if (status == AM_OK)
        status = device_rows_open(rows, s->be, &host, NULL, err);
    rows_free(&host);
    return status;
}

/* The set's own device memory is released by close_set. */
static am_status open_set(session *s, const predictor *p, model_set *set, am_error *err)
{
    const target *t = &s->record.spec.target;
    backend *be = s->be;
    *set = (model_set){.be = be, .t = t, .models = p->models};
    if (p->theta != NULL) {
        size_t bytes = sizeof(float) * (size_t)p->models * (size_t)t->params;
        set->theta = be->op->alloc(be, bytes, "networks");
        be->op->upload(be, set->theta, p->theta, bytes);
        return be->op->sync(be, err);
    }
    generator *g = p->omega == NULL ? generator_at_one(&s->g) : &s->g;
    size_t bytes = sizeof(float) * (size_t)p->models * (size_t)g->f.features;
    dev_f32 *c = be->op->alloc(be, bytes, "features");
    set->g = g;
    set->c = c;
    AM_TRY(be->op->sync(be, err));
    return generator_features(g, p->models, p->lambda, p->omega, c, err);
}

static void close_set(model_set *set)
{
    set->be->op->release(set->be, set->theta);
    set->be->op->release(set->be, (void *)(uintptr_t)set->c);
}

am_status am_predict(am_model *model, int models, const double *lambda, const float *omega,
                     const float *theta, int64_t rows, const float *x, float *output, float *logit,
                     am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    API_NEED(x, "give rows of inputs");
    session *s = &model->s;
    predictor p = {models, lambda, omega, theta};
    AM_TRY(options_int(models, "models", 1, MOST_MODELS, err));
    AM_TRY(options_int(rows, "rows", 1, INT32_MAX, err));
    AM_TRY(check(model, &p, err));
    if (logit != NULL && theta == NULL && s->g.networks > 1)
        return am_fail(err, AM_ERR_USAGE,
                       "am_predict: %s averages the probabilities of %d networks, which have no "
                       "logits in common; give NULL for them",
                       model->name, s->g.networks);
    device_rows device = {0};
    model_set set = {0};
    AM_TRY(open_rows(s, &p, rows, x, &device, err));
    am_status status = open_set(s, &p, &set, err);
    if (status == AM_OK && output != NULL)
        status = evaluate_predictions(&set, &device, output, err);
    if (status == AM_OK && logit != NULL)
        status = evaluate_logits(&set, &device, logit, err);
    close_set(&set);
    device_rows_close(&device);
    return status;
}
