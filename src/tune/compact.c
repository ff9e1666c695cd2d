#include "tune/explore.h"

#include <math.h>
#include <stdlib.h>

enum { FULL = 32767, SHORT = 2047 };

/* value (count) ≈ scale·code, |code| ≤ most. */
static float quantise(const float *value, int64_t count, int most, int16_t *code)
{
    float largest = 0.0F;
    for (int64_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(value[i]));
    float scale = largest / (float)most;
    for (int64_t i = 0; i < count; i++)
        code[i] = (int16_t)(scale > 0 ? lrintf(value[i] / scale) : 0);
    return scale;
}

/* Scales of the tensors from `first` on: a weight's one per unit, a bias's one. */
static int64_t count_rows(const target *t, int first)
{
    int64_t rows = 0;
    for (int i = first; i < t->tensor_count; i++)
        rows += t->tensor[i].rank == 2 ? t->tensor[i].shape[0] : 1;
    return rows;
}

/* θ's tensors from `first` on; code begins with the first of these. */
static void quantise_tensors(const target *t, int first, const float *theta, int most,
                             int16_t *code, float *scale)
{
    int64_t begin = t->tensor[first].offset;
    for (int i = first; i < t->tensor_count; i++) {
        const target_tensor *x = &t->tensor[i];
        int64_t rows = x->rank == 2 ? x->shape[0] : 1, width = x->count / rows;
        for (int64_t r = 0; r < rows; r++) {
            int64_t at = x->offset + r * width;
            *scale++ = quantise(theta + at, width, most, code + at - begin);
        }
    }
}

static float input_at(const am_rows *rows, int64_t i, int64_t j)
{
    int64_t at = i * rows->inputs + j;
    return rows->bytes != NULL ? rows->scale * (float)rows->bytes[at] + rows->shift
                               : rows->floats[at];
}

/* z (units) = x W1ᵀ + b1 of one feature, at row i. */
static void first_layer(const target *t, const float *theta, const float *x, float *z)
{
    const target_tensor *weight = target_weight(t, 0), *bias = target_bias(t, 0);
    for (int64_t u = 0; u < weight->shape[0]; u++) {
        const float *w = theta + weight->offset + u * weight->shape[1];
        double sum = (double)theta[bias->offset + u];
        for (int64_t j = 0; j < weight->shape[1]; j++)
            sum += (double)w[j] * (double)x[j];
        z[u] = (float)sum;
    }
}

/* Whether a browser can evaluate the features: fixed ones in one λ, ω linear and unembedded. */
static bool is_simple(const generator *g, const gallery *v)
{
    const features *f = &g->f;
    bool omega = features_use_omega(f);
    return g->networks == 1 && f->spec.layers == 0 && f->spec.basis != BASIS_NONE &&
           g->groups.count == 1 && !g->spec.omega0 && (!omega || f->embedding == f->blocks) &&
           (!omega || v == NULL || v->draws > 0 || v->rows == 0);
}

/* Characters of base64: 8 for 3 weights of 16 bits, 2 for one of 12. */
static bool is_small(const compact *c, const target *t, int rows)
{
    int64_t answers = c->answers * (c->behind + (int64_t)rows * t->size[1]);
    return (int64_t)c->terms * t->params * 8 / 3 + 2 * answers <= COMPACT_MOST;
}

static am_status allocate(compact *c, const target *t, int rows, am_error *err)
{
    size_t answers = (size_t)c->answers, units = (size_t)t->size[1];
    c->base = am_alloc((size_t)c->terms * (size_t)t->params, sizeof *c->base, "compact", err);
    c->base_scale = am_alloc((size_t)(c->terms * c->base_rows), sizeof(float), "compact", err);
    c->upper = am_alloc(answers * (size_t)c->behind + 1, sizeof *c->upper, "compact", err);
    c->upper_scale = am_alloc(answers * (size_t)c->behind_rows + 1, sizeof(float), "compact", err);
    c->hidden = am_alloc((size_t)rows * answers * units + 1, sizeof *c->hidden, "compact", err);
    c->hidden_scale = am_alloc((size_t)rows * answers + 1, sizeof(float), "compact", err);
    return err->status;
}

/* What the features of ω add to the first layer's units at the gallery's rows. */
static am_status answer_rows(const target *t, const float *answers, const gallery *v, compact *c,
                             am_error *err)
{
    int64_t units = t->size[1];
    float *z = am_alloc((size_t)(units + t->size[0]), sizeof *z, "compact", err);
    if (z == NULL)
        return AM_ERR_MEMORY;
    float *x = z + units;
    for (int i = 0; i < v->rows; i++) {
        for (int j = 0; j < t->size[0]; j++)
            x[j] = input_at(&v->host, i, j);
        for (int k = 0; k < c->answers; k++) {
            int64_t at = (int64_t)i * c->answers + k;
            first_layer(t, answers + k * t->params, x, z);
            c->hidden_scale[at] = quantise(z, units, SHORT, c->hidden + at * units);
        }
    }
    free(z);
    return AM_OK;
}

static am_status fill(const target *t, const float *head, const gallery *v, compact *c,
                      am_error *err)
{
    const float *answers = head + c->terms * t->params;
    AM_TRY(allocate(c, t, v != NULL ? v->rows : 0, err));
    for (int k = 0; k < c->terms; k++)
        quantise_tensors(t, 0, head + k * t->params, FULL, c->base + k * t->params,
                         c->base_scale + k * c->base_rows);
    for (int k = 0; k < c->answers && c->behind > 0; k++)
        quantise_tensors(t, 2, answers + k * t->params, SHORT, c->upper + k * c->behind,
                         c->upper_scale + k * c->behind_rows);
    return v != NULL && c->answers > 0 ? answer_rows(t, answers, v, c, err) : AM_OK;
}

am_status compact_open(const generator *g, const gallery *v, compact *c, am_error *err)
{
    const target *t = &g->spec.target;
    int rows = v != NULL ? v->rows : 0;
    *c = (compact){.terms = 1 + g->f.terms,
                   .answers = rows > 0 ? g->f.features - 1 - g->f.terms : 0,
                   .base_rows = count_rows(t, 0),
                   .behind = t->params - target_bias(t, 0)->offset - target_bias(t, 0)->count,
                   .behind_rows = count_rows(t, 2)};
    if (!is_simple(g, v) || !is_small(c, t, rows)) {
        *c = (compact){0};
        return AM_OK;
    }
    size_t values = (size_t)g->f.features * (size_t)t->params;
    float *head = am_alloc(values, sizeof *head, "generator", err);
    am_status status = head != NULL
                           ? g->be->op->download(g->be, head, g->head, values * sizeof *head, err)
                           : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = fill(t, head, v, c, err);
    c->fits = status == AM_OK;
    free(head);
    if (status != AM_OK)
        compact_close(c);
    return status;
}

void compact_close(compact *c)
{
    free(c->base);
    free(c->base_scale);
    free(c->upper);
    free(c->upper_scale);
    free(c->hidden);
    free(c->hidden_scale);
    *c = (compact){0};
}
