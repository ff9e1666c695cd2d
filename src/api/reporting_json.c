/* The explorer element of the page; page/explorer.js says what it makes of it. */
#include "api/reporting.h"

#include <math.h>
#include <stdlib.h>

/* Numbers to six digits: what the page shows of them are four. */
static void add_numbers(cJSON *o, const char *key, const double *value, int count)
{
    cJSON *list = cJSON_AddArrayToObject(o, key);
    for (int i = 0; i < count; i++)
        cJSON_AddItemToArray(list, isfinite(value[i]) ? cJSON_CreateNumber(value[i])
                                                      : cJSON_CreateNull());
}

static bool any_finite(const double *value, int count)
{
    for (int i = 0; i < count; i++)
        if (isfinite(value[i]))
            return true;
    return false;
}

/* ---- along λ ------------------------------------------------------------------------------------------ */

static double metric_at(const metrics *m, int which)
{
    const double value[] = {m->nll, m->accuracy, m->ece};
    return value[which];
}

/* Counts, sums of confidences and correct rows of every bin. */
static cJSON *bins_json(const metrics *m)
{
    cJSON *list = cJSON_CreateArray();
    const double *part[] = {m->bin_count, m->bin_confidence, m->bin_correct};
    for (int j = 0; j < 3; j++)
        for (int b = 0; b < AM_ECE_BINS; b++)
            cJSON_AddItemToArray(list, cJSON_CreateNumber(round(1e3 * part[j][b]) / 1e3));
    return list;
}

static void add_confusion(cJSON *o, const exploration *e)
{
    int cells = e->classes * e->classes;
    cJSON *all = cJSON_AddArrayToObject(o, "confusion");
    for (int i = 0; i < e->positions; i++)
        cJSON_AddItemToArray(all, cJSON_CreateIntArray(e->confusion + (ptrdiff_t)i * cells, cells));
}

static void add_metrics(cJSON *o, const exploration *e)
{
    static const char *const key[] = {"nll", "acc", "ece"};
    for (int k = 0; k < (e->classes > 0 ? 3 : 1); k++) {
        cJSON *list = cJSON_AddArrayToObject(o, key[k]);
        for (int i = 0; i < e->positions; i++)
            cJSON_AddItemToArray(list, cJSON_CreateNumber(metric_at(&e->at[i], k)));
    }
    if (e->classes == 0)
        return;
    cJSON *bins = cJSON_AddArrayToObject(o, "bins");
    for (int i = 0; i < e->positions; i++)
        cJSON_AddItemToArray(bins, bins_json(&e->at[i]));
}

static int position_of(const double *lambda, int count, double wanted)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (fabs(log(lambda[i] / wanted)) < fabs(log(lambda[best] / wanted)))
            best = i;
    return best;
}

static void add_positions(cJSON *o, const double *lambda, int count, const report_curve *c)
{
    add_numbers(o, "lambda", lambda, count);
    cJSON_AddNumberToObject(o, "chosen", position_of(lambda, count, c->chosen));
    if (c->one_se > 0)
        cJSON_AddNumberToObject(o, "one_se", position_of(lambda, count, c->one_se));
}

/* The curve's own points: band, refits, shares of the draws. */
static void add_curve(cJSON *o, const report_curve *c)
{
    cJSON *curve = cJSON_AddObjectToObject(o, "curve");
    add_numbers(curve, "lambda", c->lambda, c->points);
    if (any_finite(c->nll_low, c->points)) {
        add_numbers(curve, "nll_low", c->nll_low, c->points);
        add_numbers(curve, "nll_high", c->nll_high, c->points);
    }
    if (any_finite(c->accuracy_low, c->points)) {
        add_numbers(curve, "acc_low", c->accuracy_low, c->points);
        add_numbers(curve, "acc_high", c->accuracy_high, c->points);
    }
    if (any_finite(c->refit_nll, c->points)) {
        cJSON *refits = cJSON_AddObjectToObject(o, "refits");
        add_numbers(refits, "lambda", c->lambda, c->points);
        add_numbers(refits, "nll", c->refit_nll, c->points);
        add_numbers(refits, "acc", c->refit_accuracy, c->points);
    }
    if (any_finite(c->share, c->points)) {
        cJSON *shares = cJSON_AddObjectToObject(o, "selection");
        add_numbers(shares, "lambda", c->lambda, c->points);
        add_numbers(shares, "share", c->share, c->points);
    }
}

/* ---- the generator and the gallery ------------------------------------------------------------------- */

static void add_sizes(cJSON *o, const target *t)
{
    cJSON_AddItemToObject(o, "sizes", cJSON_CreateIntArray(t->size, t->layers + 1));
    cJSON_AddStringToObject(o, "act", activation_name(t->act));
}

static void add_generator(cJSON *o, const session *s, const report_explorer *x)
{
    const features *f = &s->g.f;
    cJSON *g = cJSON_AddObjectToObject(o, "generator");
    add_sizes(g, &s->g.spec.target);
    cJSON_AddStringToObject(g, "basis",
                            f->spec.basis == BASIS_CHEBYSHEV ? "chebyshev" : "monomial");
    cJSON_AddNumberToObject(g, "terms", x->c.terms);
    cJSON_AddNumberToObject(g, "low", s->g.spec.lambda_low);
    cJSON_AddNumberToObject(g, "high", s->g.spec.lambda_high);
    cJSON_AddNumberToObject(g, "knee", s->g.spec.knee);
    cJSON_AddNumberToObject(g, "nodes", f->spec.nodes);
    cJSON_AddNumberToObject(g, "answers", x->c.answers);
    cJSON_AddNumberToObject(g, "blocks", x->v.blocks);
    cJSON_AddNumberToObject(g, "draws", x->v.draws);
    cJSON_AddNumberToObject(g, "rows", x->v.rows);
}

static void add_gallery(cJSON *o, const report_explorer *x)
{
    static const char *const kind[GALLERY_KINDS] = {"least sure", "wrong", "typical"};
    const gallery *v = &x->v;
    cJSON *g = cJSON_AddObjectToObject(o, "gallery");
    cJSON *row = cJSON_AddArrayToObject(g, "row"), *kinds = cJSON_AddArrayToObject(g, "kind");
    for (int i = 0; i < v->rows; i++) {
        cJSON_AddItemToArray(row, cJSON_CreateNumber((double)v->row[i]));
        cJSON_AddItemToArray(kinds, cJSON_CreateString(kind[v->kind[i]]));
    }
    cJSON_AddItemToObject(g, "label", cJSON_CreateIntArray(v->host.label, v->rows));
    cJSON_AddBoolToObject(g, "bytes", v->host.bytes != NULL);
    cJSON_AddNumberToObject(g, "scale", (double)v->host.scale);
    cJSON_AddNumberToObject(g, "shift", (double)v->host.shift);
    cJSON_AddNumberToObject(g, "draws", v->draws);
    cJSON_AddItemToObject(g, "rows", cJSON_CreateString(x->rows));
    if (v->points > 0)
        add_numbers(g, "lambda", v->lambda, v->points);
}

static void add_names(cJSON *o, const session *s, int classes)
{
    cJSON *names = cJSON_AddArrayToObject(o, "class_names");
    for (int i = 0; i < classes; i++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", i);
        bool named = s->data != NULL && s->data->class_name != NULL;
        cJSON_AddItemToArray(names, cJSON_CreateString(named ? s->data->class_name[i] : number));
    }
}

static void add_model(cJSON *o, const session *s, const report_explorer *x)
{
    const target *t = &s->g.spec.target;
    if (t->loss == LOSS_CROSS_ENTROPY)
        add_names(o, s, t->size[t->layers]);
    cJSON_AddNumberToObject(o, "inputs", t->size[0]);
    if (x->rows != NULL)
        cJSON_AddStringToObject(o, "rows", x->rows);
    if (s->data != NULL && s->data->image_rows > 0) {
        cJSON *image = cJSON_AddObjectToObject(o, "image");
        cJSON_AddNumberToObject(image, "rows", s->data->image_rows);
        cJSON_AddNumberToObject(image, "columns", s->data->image_columns);
    }
    if (x->c.fits)
        add_generator(o, s, x);
    if (x->units > 0) {
        cJSON *weights = cJSON_AddObjectToObject(o, "weights");
        add_numbers(weights, "lambda", x->lambda, x->points);
        cJSON_AddNumberToObject(weights, "units", x->units);
    }
    if (x->v.rows > 0)
        add_gallery(o, x);
    if (x->post.draws > 0 && t->loss == LOSS_CROSS_ENTROPY)
        cJSON_AddItemToObject(o, "posterior_bins", bins_json(&x->post.mean));
}

cJSON *report_explorer_json(const session *s, const report_results *r, const report_curve *c,
                            const report_explorer *x)
{
    const cJSON *history = cJSON_GetObjectItemCaseSensitive(r->summary, "history");
    cJSON *o = cJSON_CreateObject();
    if (x->e.positions > 0) {
        add_positions(o, x->e.lambda, x->e.positions, c);
        add_metrics(o, &x->e);
        if (x->e.confusion != NULL)
            add_confusion(o, &x->e);
    } else {
        add_positions(o, c->lambda, c->points, c);
        add_numbers(o, "nll", c->nll, c->points);
        if (c->classes)
            add_numbers(o, "acc", c->accuracy, c->points);
    }
    add_curve(o, c);
    if (s != NULL)
        add_model(o, s, x);
    if (cJSON_IsObject(history))
        cJSON_AddItemToObject(o, "history", cJSON_Duplicate(history, true));
    return o;
}
