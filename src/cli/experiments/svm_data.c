#include "cli/experiments/svm.h"

#include "data/data.h"
#include "draw/draw.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static am_status open_rows(svm_rows *r, int n, int p, am_error *err)
{
    r->n = n;
    r->x = am_alloc((size_t)n * (size_t)p, sizeof *r->x, "rows", err);
    r->label = am_alloc((size_t)n, sizeof *r->label, "rows", err);
    if (r->x == NULL || r->label == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i < n; i++)
        r->x[i] = 1; /* the intercept */
    return AM_OK;
}

static am_status need_both(const svm_data *d, const svm_rows *r, const char *set, am_error *err)
{
    int positive = 0;
    for (int i = 0; i < r->n; i++)
        positive += r->label[i] > 0;
    if (positive > 0 && positive < r->n)
        return AM_OK;
    return am_fail(err, AM_ERR_INPUT,
                   "%s: the %s rows hold one class only, %d of %d positive; a support vector "
                   "machine needs two",
                   d->name, set, positive, r->n);
}

/* Rows times label, blocks, and the problem. */
static am_status finish(svm_data *d, uint64_t seed, am_error *err)
{
    int n = d->train.n;
    AM_TRY(need_both(d, &d->train, "training", err));
    AM_TRY(need_both(d, &d->validation, "validation", err));
    AM_TRY(need_both(d, &d->test, d->test_name, err));
    d->signed_x = am_alloc((size_t)n * (size_t)d->p, sizeof *d->signed_x, "rows", err);
    d->one = am_alloc((size_t)n, sizeof *d->one, "rows", err);
    d->block = am_alloc((size_t)n, sizeof *d->block, "rows", err);
    if (d->signed_x == NULL || d->one == NULL || d->block == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i < n; i++)
        d->one[i] = 1;
    for (int j = 0; j < d->p; j++) {
        d->penalised[j] = j > 0;
        for (int i = 0; i < n; i++)
            d->signed_x[linalg_at(i, j, n)] = d->train.label[i] * d->train.x[linalg_at(i, j, n)];
    }
    AM_TRY(blocks_assign(seed, n, SVM_BLOCKS, d->block, err));
    d->data = (amortized_data){HINGE_LOSS,  n,      d->p,         SVM_BLOCKS,
                               d->signed_x, d->one, d->penalised, d->block};
    return AM_OK;
}

/* ---- simulated --------------------------------------------------------------------------------- */

am_status svm_simulate(svm_data *d, uint64_t seed, am_error *err)
{
    enum { FEATURES = 10, INFORMATIVE = 6, ROWS = 500, TESTS = 10000 };
    static const double SHIFT = 0.35, WRONG = 0.05;
    *d = (svm_data){.name = "simulated", .p = 1 + FEATURES, .test_name = "test"};
    svm_rows *set[3] = {&d->train, &d->validation, &d->test};
    for (uint32_t s = 0; s < 3; s++) {
        int n = s == 2 ? TESTS : ROWS;
        AM_TRY(open_rows(set[s], n, d->p, err));
        for (int i = 0; i < n; i++) {
            philox4 u = philox(seed, STREAM_SIMULATE, s, 0, (uint32_t)i);
            double y = uniform_open(u.x[0]) < 0.5 ? -1 : 1;
            for (uint32_t j = 0; j < FEATURES; j++)
                set[s]->x[linalg_at(i, 1 + (int)j, n)] =
                    (j < INFORMATIVE ? SHIFT * y : 0) +
                    draw_normal(seed, STREAM_SIMULATE, s, 1 + j, (uint32_t)i);
            set[s]->label[i] = uniform_open(u.x[1]) < WRONG ? -y : y;
        }
    }
    return finish(d, seed, err);
}

/* ---- images ------------------------------------------------------------------------------------ */

static double input_at(const am_rows *r, int64_t i, int j)
{
    int64_t k = i * r->inputs + j;
    return r->bytes != NULL ? (double)r->scale * r->bytes[k] + (double)r->shift
                            : (double)r->floats[k];
}

/* The rows of two classes as a matrix (n × inputs); *matrix is fresh. Labels go to `rows`. */
static am_status pick(const am_rows *from, const int pair[2], int p, svm_rows *rows,
                      double **matrix, am_error *err)
{
    int n = 0;
    for (int64_t i = 0; i < from->n; i++)
        n += from->label[i] == pair[0] || from->label[i] == pair[1];
    AM_TRY(open_rows(rows, n, p, err));
    *matrix = am_alloc((size_t)n * (size_t)from->inputs, sizeof **matrix, "images", err);
    if (*matrix == NULL)
        return AM_ERR_MEMORY;
    for (int64_t i = 0, row = 0; i < from->n; i++) {
        if (from->label[i] != pair[0] && from->label[i] != pair[1])
            continue;
        rows->label[row] = from->label[i] == pair[1] ? 1 : -1;
        for (int j = 0; j < from->inputs; j++)
            (*matrix)[linalg_at((int)row, j, n)] = input_at(from, i, j);
        row++;
    }
    return AM_OK;
}

/* Directions of the training rows' principal components, scaled so that the features have mean square
 * 1 on average. */
typedef struct {
    int inputs, count;
    double *mean;   /* (inputs) */
    double *vector; /* (inputs × count) */
} components;

static void centre(double *x, int n, const double *mean, int inputs)
{
    for (int j = 0; j < inputs; j++)
        for (int i = 0; i < n; i++)
            x[linalg_at(i, j, n)] -= mean[j];
}

/* x (n × inputs) is centred on the way. Components that do not vary are left out. */
static am_status find_components(components *c, double *x, int n, int inputs, am_error *err)
{
    size_t d = (size_t)inputs;
    *c = (components){.inputs = inputs};
    c->mean = am_alloc(d, sizeof *c->mean, "components", err);
    double *gram = am_alloc(d * d + d, sizeof *gram, "components", err);
    c->vector = am_alloc(d * SVM_COMPONENTS, sizeof *c->vector, "components", err);
    am_status status = c->mean && gram && c->vector ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        double *value = gram + d * d; /* ascending */
        for (int j = 0; j < inputs; j++)
            for (int i = 0; i < n; i++)
                c->mean[j] += x[linalg_at(i, j, n)] / n;
        centre(x, n, c->mean, inputs);
        linalg_gram(n, inputs, x, gram);
        status = linalg_eigen("principal components", inputs, gram, value, err);
        double largest = status == AM_OK ? value[inputs - 1] : 0, sum = 0, level = 0;
        for (int j = 0; j < inputs; j++)
            level += c->mean[j] * c->mean[j] * n;
        if (largest < 1e-20 * level) /* what rounding leaves of constant inputs */
            largest = INFINITY;
        int most = AM_MIN(SVM_COMPONENTS, AM_MAX(1, n / SVM_ROWS_EACH));
        for (int k = inputs - 1; k >= 0 && c->count < most; k--)
            if (value[k] > 1e-10 * largest) {
                memcpy(c->vector + d * (size_t)c->count++, gram + d * (size_t)k, d * sizeof *gram);
                sum += value[k];
            }
        double scale = c->count > 0 ? sqrt(sum / n / c->count) : 1;
        for (size_t j = 0; j < d * (size_t)c->count; j++)
            c->vector[j] /= scale;
        if (status == AM_OK && c->count == 0)
            status = am_fail(err, AM_ERR_INPUT,
                             "images: all inputs are constant; nothing tells "
                             "the classes apart");
    }
    free(gram);
    return status;
}

/* Columns 1..count of the rows; x (n × inputs) centred. */
static void project(const components *c, svm_rows *rows, const double *x)
{
    linalg_multiply('n', 'n', rows->n, c->count, c->inputs, x, c->vector, rows->x + rows->n);
}

static am_status fill_sets(svm_data *d, const am_data *source, const int pair[2], am_error *err)
{
    const am_rows *from[3] = {&source->train, &source->validation,
                              source->test.n > 0 ? &source->test : &source->validation};
    svm_rows *to[3] = {&d->train, &d->validation, &d->test};
    double *x[3] = {NULL};
    components c = {0};
    am_status status = AM_OK;
    for (int s = 0; s < 3 && status == AM_OK; s++)
        status = pick(from[s], pair, SVM_COLUMNS, to[s], &x[s], err);
    if (status == AM_OK && d->train.n < SVM_BLOCKS)
        status = am_fail(err, AM_ERR_INPUT, "%s: %d training rows of the two classes for %d blocks",
                         d->name, d->train.n, SVM_BLOCKS);
    if (status == AM_OK)
        status = find_components(&c, x[0], d->train.n, source->train.inputs, err);
    for (int s = 0; s < 3 && status == AM_OK; s++) {
        if (s > 0)
            centre(x[s], to[s]->n, c.mean, c.inputs);
        project(&c, to[s], x[s]);
    }
    d->p = 1 + c.count;
    for (int s = 0; s < 3; s++)
        free(x[s]);
    free(c.mean);
    free(c.vector);
    return status;
}

/* 3 against 5 of ten digits; of fewer classes the first two. */
static am_status choose_pair(const am_data *source, int pair[2], am_error *err)
{
    int classes = source->train.outputs;
    if (source->train.label == NULL || classes < 2)
        return am_fail(err, AM_ERR_INPUT, "%s: %s; a support vector machine needs two classes",
                       source->source,
                       source->train.label == NULL ? "has no classes" : "has one class only");
    pair[0] = classes > 5 ? 3 : 0;
    pair[1] = classes > 5 ? 5 : 1;
    return AM_OK;
}

am_status svm_images(svm_data *d, const char *source, uint64_t seed, am_error *err)
{
    const data_request request = {
        .source = source, .task = "classification", .validation = 1.0 / 6, .seed = seed};
    am_data *images = NULL;
    int pair[2] = {0, 0};
    *d = (svm_data){0};
    am_status status = data_load(&request, &images, err);
    if (status == AM_OK)
        status = choose_pair(images, pair, err);
    if (status == AM_OK) {
        d->test_name = images->test.n > 0 ? "test" : "validation";
        (void)snprintf(d->name, sizeof d->name, "%.64s, %d against %d", images->name, pair[0],
                       pair[1]);
        status = fill_sets(d, images, pair, err);
    }
    data_free(images);
    return status == AM_OK ? finish(d, seed, err) : status;
}

void svm_data_free(svm_data *d)
{
    svm_rows *set[3] = {&d->train, &d->validation, &d->test};
    for (int s = 0; s < 3; s++) {
        free(set[s]->x);
        free(set[s]->label);
    }
    free(d->signed_x);
    free(d->one);
    free(d->block);
    *d = (svm_data){0};
}
