/* What the page's program is handed: computed from the model and its data. */
#include "api/reporting.h"
#include "api/sampling.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_POINTS = 20, MOST_UNITS = 16, WEIGHT_BYTES = 300000, DRAW_BYTES = 700000 };

/* ---- λ of what is precomputed ---------------------------------------------------------------------- */

/* At most so many of the curve's λ, both ends among them. */
static am_status choose_points(const report_curve *c, report_explorer *x, am_error *err)
{
    x->points = AM_MIN(c->points, (int)MOST_POINTS);
    x->lambda = am_alloc((size_t)x->points, sizeof *x->lambda, "λ", err);
    if (x->lambda == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i < x->points; i++)
        x->lambda[i] = c->lambda[(int64_t)i * (c->points - 1) / (x->points - 1)];
    return AM_OK;
}

/* ---- weights of the first layer ---------------------------------------------------------------------- */

static void store_units(const target *t, const float *theta, int point, report_explorer *x)
{
    int64_t inputs = t->size[0];
    for (int k = 0; k < x->units; k++) {
        const float *w = theta + target_weight(t, 0)->offset + k * inputs;
        int64_t at = (int64_t)point * x->units + k;
        float most = 0.0F;
        for (int64_t i = 0; i < inputs; i++)
            most = fmaxf(most, fabsf(w[i]));
        x->weight_scale[at] = most / 127.0F;
        for (int64_t i = 0; i < inputs; i++)
            x->weight[at * inputs + i] = (int8_t)(most > 0 ? lrintf(127.0F * w[i] / most) : 0);
    }
}

static am_status store_weights(session *s, report_explorer *x, am_error *err)
{
    const target *t = &s->g.spec.target;
    int64_t each = (int64_t)t->size[0] * x->points;
    x->units = (int)AM_MIN((int64_t)AM_MIN(t->size[1], (int)MOST_UNITS), WEIGHT_BYTES / each);
    if (s->data == NULL || s->data->image_rows == 0 || x->units == 0) {
        x->units = 0;
        return AM_OK;
    }
    size_t values = (size_t)x->units * (size_t)x->points;
    float *theta = am_alloc((size_t)t->params, sizeof *theta, "weights", err);
    x->weight = am_alloc(values * (size_t)t->size[0], sizeof *x->weight, "weights", err);
    x->weight_scale = am_alloc(values, sizeof *x->weight_scale, "weights", err);
    am_status status = theta && x->weight && x->weight_scale ? AM_OK : AM_ERR_MEMORY;
    for (int i = 0; i < x->points && status == AM_OK; i++) {
        double lambda[AM_MAX_GROUPS];
        for (int g = 0; g < AM_MAX_GROUPS; g++)
            lambda[g] = x->lambda[i];
        status = generator_weights(&s->g, 1, lambda, NULL, theta, err);
        if (status == AM_OK)
            store_units(t, theta, i, x);
    }
    free(theta);
    return status;
}

/* ---- the arrays ---------------------------------------------------------------------------------------- */

static void add_array(report_explorer *x, const char *name, html_encoding encoding,
                      const void *value, int64_t count)
{
    if (value != NULL && count > 0)
        x->array[x->arrays++] = (html_array){name, encoding, value, count};
}

static void add_generator(const session *s, report_explorer *x)
{
    const compact *c = &x->c;
    const target *t = &s->g.spec.target;
    int64_t rows = x->v.rows;
    add_array(x, "base", HTML_INT16, c->base, c->terms * t->params);
    add_array(x, "base-scale", HTML_FLOAT, c->base_scale, c->terms * c->base_rows);
    add_array(x, "upper", HTML_INT12, c->upper, c->answers * c->behind);
    add_array(x, "upper-scale", HTML_FLOAT, c->upper_scale, c->answers * c->behind_rows);
    add_array(x, "hidden", HTML_INT12, c->hidden, rows * c->answers * t->size[1]);
    add_array(x, "hidden-scale", HTML_FLOAT, c->hidden_scale, rows * c->answers);
    if (c->answers > 0)
        add_array(x, "omega", HTML_FLOAT, x->omega, (int64_t)x->v.draws * x->v.blocks);
}

static void add_predictions(report_explorer *x)
{
    const gallery *v = &x->v;
    int64_t values = (int64_t)v->points * v->rows * v->host.outputs;
    add_array(x, "plain", HTML_FLOAT, v->plain, values);
    add_array(x, "mean", HTML_FLOAT, v->mean, values);
    add_array(x, "draws", HTML_BYTES, x->draw_bytes, values * v->draws);
}

static void add_arrays(const session *s, report_explorer *x)
{
    const gallery *v = &x->v;
    int64_t inputs = s->g.spec.target.size[0];
    add_array(x, "rows", HTML_BYTES, v->host.bytes, v->rows * inputs);
    add_array(x, "rows", HTML_FLOAT, v->host.floats, v->rows * inputs);
    if (x->c.fits)
        add_generator(s, x);
    else
        add_predictions(x);
    int64_t units = (int64_t)x->points * x->units;
    add_array(x, "weights", HTML_BYTES, x->weight, units * inputs);
    add_array(x, "weights-scale", HTML_FLOAT, x->weight_scale, units);
}

/* ---- the gallery ------------------------------------------------------------------------------------------ */

/* ω − 1 as it stands in the features, and draws in 255ths. */
static am_status encode_gallery(const session *s, report_explorer *x, am_error *err)
{
    const gallery *v = &x->v;
    int64_t weights = (int64_t)v->draws * v->blocks;
    int64_t values = (int64_t)v->points * v->draws * v->rows * v->host.outputs;
    x->omega = am_alloc((size_t)weights + 1, sizeof *x->omega, "weights", err);
    x->draw_bytes = am_alloc((size_t)values + 1, 1, "predictions", err);
    if (x->omega == NULL || x->draw_bytes == NULL)
        return AM_ERR_MEMORY;
    for (int64_t i = 0; i < weights; i++)
        x->omega[i] = s->g.f.spec.omega_scale * (v->omega[i] - 1.0F);
    for (int64_t i = 0; v->draw != NULL && i < values; i++)
        x->draw_bytes[i] = (uint8_t)lrintf(255.0F * fminf(fmaxf(v->draw[i], 0.0F), 1.0F));
    return AM_OK;
}

/* Rows whose predictions over the draws stay within bounds, where they have to be precomputed. */
static int rows_that_fit(const session *s, const report_explorer *x, int draws)
{
    const target *t = &s->g.spec.target;
    int64_t each = (int64_t)x->points * AM_MAX(1, draws) * t->size[t->layers];
    return (int)AM_MIN((int64_t)GALLERY_ROWS, DRAW_BYTES / each);
}

static am_status open_gallery(session *s, const posterior_request *q, report_explorer *x,
                              am_error *err)
{
    const am_rows *host = s->test.be != NULL ? &s->data->test : &s->data->validation;
    AM_TRY(gallery_open(q, host, GALLERY_ROWS, &x->v, err));
    AM_TRY(compact_open(&s->g, &x->v, &x->c, err));
    if (x->c.fits)
        return AM_OK;
    int rows = rows_that_fit(s, x, x->v.draws);
    if (rows < x->v.rows) {
        gallery_close(&x->v);
        AM_TRY(gallery_open(q, host, rows, &x->v, err));
    }
    return x->v.rows > 0 ? gallery_predict(q, x->lambda, x->points, &x->v, err) : AM_OK;
}

/* ---- all of it ---------------------------------------------------------------------------------------------- */

/* The network and the draws at the chosen λ, judged where results are reported. */
static am_status judge_choice(session *s, const posterior_request *q, report_explorer *x,
                              am_error *err)
{
    model_set set;
    AM_TRY(models_at(&s->g, q->lambda, 1, &set, err));
    am_status status = evaluate(&set, q->evaluation, &x->plain, NULL, err);
    s->be->op->release(s->be, (void *)(uintptr_t)set.c);
    AM_TRY(status);
    x->row_count = q->evaluation->data.n;
    return features_use_omega(&s->g.f) ? posterior_compute(q, &x->post, err) : AM_OK;
}

static am_status explore_data(session *s, const report_curve *c, report_explorer *x, am_error *err)
{
    double lambda[AM_MAX_GROUPS];
    for (int i = 0; i < AM_MAX_GROUPS; i++)
        lambda[i] = c->chosen;
    posterior_request q = sampling_request(s, lambda, c->draws > 1 ? c->draws : REPORT_DRAWS);
    (void)session_report_rows(s, &x->rows);
    x->validation_rows = s->validation.data.n;
    AM_TRY(judge_choice(s, &q, x, err));
    AM_TRY(explore_positions(c->lambda, c->points, c->chosen, &x->e, err));
    AM_TRY(explore_evaluate(&s->g, &s->validation, &s->data->validation, &x->e, err));
    if (s->g.spec.target.loss == LOSS_CROSS_ENTROPY)
        return open_gallery(s, &q, x, err);
    return compact_open(&s->g, NULL, &x->c, err);
}

am_status report_explore(session *s, const report_curve *c, report_explorer *x, am_error *err)
{
    am_status status = choose_points(c, x, err);
    if (status == AM_OK)
        status =
            s->data != NULL ? explore_data(s, c, x, err) : compact_open(&s->g, NULL, &x->c, err);
    if (status == AM_OK && !x->c.fits)
        status = store_weights(s, x, err);
    if (status == AM_OK)
        status = encode_gallery(s, x, err);
    if (status == AM_OK)
        add_arrays(s, x);
    return status;
}

void report_explorer_close(report_explorer *x)
{
    exploration_free(&x->e);
    gallery_close(&x->v);
    compact_close(&x->c);
    posterior_free(&x->post);
    free(x->lambda);
    free(x->weight);
    free(x->weight_scale);
    free(x->draw_bytes);
    free(x->omega);
    *x = (report_explorer){0};
}
