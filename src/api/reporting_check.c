/* The program's own logits, for the page's to be held against. */
#include "api/reporting.h"
#include "api/sampling.h"
#include "base/safetensors.h"

#include <math.h>
#include <stdlib.h>

enum { LAMBDAS = 5, MOST_ROWS = 10000, TENSORS = 7 };

typedef struct {
    double lambda[LAMBDAS];
    int64_t rows; /* of the candidates */
    float *logits, *draw_logits;
    am_tensor tensor[TENSORS];
    int tensors;
} check;

static void add_tensor(check *c, const char *name, am_dtype dtype, int rank, const int64_t *shape,
                       const void *data)
{
    am_tensor *t = &c->tensor[c->tensors++];
    *t = (am_tensor){.name = name, .dtype = dtype, .rank = rank, .data = data};
    for (int i = 0; i < rank; i++)
        t->shape[i] = shape[i];
}

/* λ that lie between the curve's, too. */
static void choose_lambdas(const report_explorer *x, check *c)
{
    const exploration *e = &x->e;
    for (int i = 0; i < LAMBDAS; i++)
        c->lambda[i] = e->lambda[i * (e->positions - 1) / (LAMBDAS - 1)];
}

static am_status plain_logits(session *s, const am_rows *host, check *c, am_error *err)
{
    model_set set;
    device_rows rows = {0};
    am_rows first = *host;
    first.n = c->rows;
    size_t values = LAMBDAS * (size_t)c->rows * (size_t)host->outputs;
    c->logits = am_alloc(values, sizeof *c->logits, "logits", err);
    if (c->logits == NULL)
        return AM_ERR_MEMORY;
    AM_TRY(device_rows_open(&rows, s->be, &first, NULL, err));
    am_status status = models_at(&s->g, c->lambda, LAMBDAS, &set, err);
    if (status == AM_OK) {
        status = evaluate_logits(&set, &rows, c->logits, err);
        s->be->op->release(s->be, (void *)(uintptr_t)set.c);
    }
    device_rows_close(&rows);
    return status;
}

static am_status drawn_logits(session *s, const gallery *v, check *c, am_error *err)
{
    size_t values = (size_t)v->draws * (size_t)v->rows * (size_t)v->host.outputs;
    c->draw_logits = am_alloc(LAMBDAS * values, sizeof *c->draw_logits, "logits", err);
    if (c->draw_logits == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i < LAMBDAS; i++) {
        posterior_models m;
        posterior_request q = sampling_request(s, &c->lambda[i], v->draws);
        AM_TRY(posterior_open(&q, &m, err));
        am_status status =
            evaluate_logits(&m.set, &v->device, c->draw_logits + (size_t)i * values, err);
        posterior_close(&m);
        AM_TRY(status);
    }
    return AM_OK;
}

static void list_tensors(const am_rows *host, const gallery *v, check *c)
{
    const int64_t l = LAMBDAS, n = c->rows, d = host->inputs, k = host->outputs;
    add_tensor(c, "lambda", AM_DTYPE_F64, 1, (const int64_t[]){l}, c->lambda);
    if (host->bytes != NULL)
        add_tensor(c, "bytes", AM_DTYPE_U8, 2, (const int64_t[]){n, d}, host->bytes);
    else
        add_tensor(c, "x", AM_DTYPE_F32, 2, (const int64_t[]){n, d}, host->floats);
    add_tensor(c, "label", AM_DTYPE_I32, 1, (const int64_t[]){n}, host->label);
    add_tensor(c, "logits", AM_DTYPE_F32, 3, (const int64_t[]){l, n, k}, c->logits);
    if (c->draw_logits != NULL)
        add_tensor(c, "draw_logits", AM_DTYPE_F32, 4, (const int64_t[]){l, v->draws, v->rows, k},
                   c->draw_logits);
}

am_status report_check(session *s, const report_explorer *x, const char *path, am_error *err)
{
    check c = {0};
    if (s->data == NULL || !x->c.fits || x->e.classes == 0)
        return am_fail(err, AM_ERR_USAGE,
                       "--candidates %s: the page evaluates no generator for classes; leave it out",
                       path);
    const am_rows *host = s->test.be != NULL ? &s->data->test : &s->data->validation;
    c.rows = AM_MIN(host->n, (int64_t)MOST_ROWS);
    choose_lambdas(x, &c);
    am_status status = plain_logits(s, host, &c, err);
    if (status == AM_OK && x->c.answers > 0)
        status = drawn_logits(s, &x->v, &c, err);
    if (status == AM_OK) {
        list_tensors(host, &x->v, &c);
        status = am_safetensors_write(path, c.tensor, c.tensors, NULL, 0, err);
    }
    free(c.logits);
    free(c.draw_logits);
    return status;
}
