#include "classic/mest_data.h"

#include "linalg/cholesky.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void mest_data_free(mest_data *d)
{
    for (int j = 0; d->name != NULL && j < d->q; j++)
        free(d->name[j]);
    free(d->name);
    free(d->x);
    free(d->y);
    free(d->mean);
    free(d->label);
    free(d->class_name);
    *d = (mest_data){0};
}

/* ---- the response ------------------------------------------------------------------------------ */

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts x; the middle one, or the mean of the middle two. */
static double median_of(int n, double *x)
{
    qsort(x, (size_t)n, sizeof *x, compare_numbers);
    return 0.5 * (x[(n - 1) / 2] + x[n / 2]);
}

static am_status bad_classes(const mest_table *t, int classes, am_error *err)
{
    if (classes < 2)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: column '%s' holds one class only; two are needed for this loss",
                       t->source, t->label);
    return am_fail(err, AM_ERR_INPUT,
                   "%s: column '%s' holds more than two classes; keep two of them, or give another "
                   "--loss",
                   t->source, t->label);
}

/* The larger of two values is class 1; hinge wants −1 and 1. */
static am_status take_classes(const mest_table *t, classic_loss_kind loss, mest_data *d,
                              am_error *err)
{
    double low = t->y[0], high = t->y[0];
    for (int i = 0; i < t->n; i++) {
        low = fmin(low, t->y[i]);
        high = fmax(high, t->y[i]);
    }
    for (int i = 0; i < t->n; i++)
        if (t->y[i] != low && t->y[i] != high)
            return bad_classes(t, 3, err);
    if (low == high)
        return bad_classes(t, 1, err);
    for (int i = 0; i < t->n; i++)
        d->y[i] = t->y[i] == high ? 1.0 : loss == CLASSIC_HINGE ? -1.0 : 0.0;
    char number[AM_NUMBER_TEXT];
    am_number_text(high, number);
    d->class_name = am_strdup(t->class_name != NULL ? t->class_name[(int)high] : number, err);
    return d->class_name != NULL ? AM_OK : AM_ERR_MEMORY;
}

static am_status take_response(const mest_table *t, classic_loss_kind loss, mest_data *d,
                               am_error *err)
{
    const classic_loss kind = {.kind = loss};
    if (loss_is_binary(&kind))
        return take_classes(t, loss, d, err);
    if (t->class_name != NULL)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: column '%s' holds text; name a column of numbers with --label, or give "
                       "--loss logistic or hinge",
                       t->source, t->label);
    memcpy(d->y, t->y, (size_t)t->n * sizeof *d->y);
    d->shift = d->intercept ? median_of(t->n, d->y) : 0.0;
    for (int i = 0; i < t->n; i++)
        d->y[i] = t->y[i] - d->shift;
    return AM_OK;
}

/* ---- the design -------------------------------------------------------------------------------- */

static am_status take_column(const mest_table *t, int from, int to, bool standardise, mest_data *d,
                             am_error *err)
{
    const double *x = t->x + linalg_at(0, from, t->n);
    double mean = 0, square = 0, largest = 0;
    for (int i = 0; i < t->n && d->intercept; i++)
        mean += x[i] / t->n;
    for (int i = 0; i < t->n; i++) {
        square += (x[i] - mean) * (x[i] - mean) / t->n;
        largest = fmax(largest, fabs(x[i]));
    }
    double sd = sqrt(square);
    if (!isfinite(sd))
        return am_fail(err, AM_ERR_INPUT, "%s: column '%s' holds numbers too large; rescale it",
                       t->source, t->name[from]);
    if (!(sd > 1e-13 * largest))
        return am_fail(err, AM_ERR_INPUT, "%s: column '%s' is constant; remove it%s", t->source,
                       t->name[from], d->intercept ? ", the intercept stands for it" : "");
    d->mean[to] = standardise ? mean : 0.0;
    d->sd[to] = standardise ? sd : 1.0;
    for (int i = 0; i < t->n; i++)
        d->x[linalg_at(i, to, t->n)] = (x[i] - d->mean[to]) / d->sd[to];
    d->name[to] = am_strdup(t->name[from], err);
    return d->name[to] != NULL ? AM_OK : AM_ERR_MEMORY;
}

static am_status take_intercept(mest_data *d, am_error *err)
{
    for (int i = 0; i < d->n; i++)
        d->x[i] = 1.0;
    d->sd[0] = 1.0;
    d->name[0] = am_strdup("(intercept)", err);
    return d->name[0] != NULL ? AM_OK : AM_ERR_MEMORY;
}

static am_status make(const mest_table *t, classic_loss_kind loss, bool standardise, mest_data *d,
                      am_error *err)
{
    const size_t n = (size_t)d->n, q = (size_t)d->q;
    const int first = d->intercept ? 1 : 0;
    d->name = am_alloc(q, sizeof *d->name, "columns", err);
    d->x = am_alloc(n * q, sizeof *d->x, "columns", err);
    d->y = am_alloc(n, sizeof *d->y, "response", err);
    d->mean = am_alloc(2 * q, sizeof *d->mean, "columns", err);
    d->label = am_strdup(t->label, err);
    if (!d->name || !d->x || !d->y || !d->mean || !d->label)
        return AM_ERR_MEMORY;
    d->sd = d->mean + q;
    if (d->intercept)
        AM_TRY(take_intercept(d, err));
    for (int j = 0; j < t->columns; j++)
        AM_TRY(take_column(t, j, first + j, standardise, d, err));
    return take_response(t, loss, d, err);
}

am_status mest_data_make(const mest_table *t, classic_loss_kind loss, bool intercept,
                         bool standardise, mest_data *d, am_error *err)
{
    *d = (mest_data){.n = t->n, .q = t->columns + (intercept ? 1 : 0), .intercept = intercept};
    if (t->n < 2 || t->columns < 1)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: %d rows and %d columns beside the label; two rows and one column are "
                       "the least",
                       t->source, t->n, t->columns);
    am_status status = make(t, loss, standardise, d, err);
    if (status != AM_OK)
        mest_data_free(d);
    return status;
}

/* ---- CSV --------------------------------------------------------------------------------------- */

/* Parts the label's column from the rest, column by column. */
static void part(const csv_table *csv, int label, double *x, double *y, const char **name)
{
    int to = 0;
    for (int c = 0; c < csv->columns; c++) {
        double *out = c == label ? y : x + linalg_at(0, to, (int)csv->rows);
        for (int64_t i = 0; i < csv->rows; i++)
            out[i] = csv->value[i * csv->columns + c];
        if (c != label)
            name[to++] = csv->name[c];
    }
}

static am_status from_csv(const char *path, const char *label, const csv_table *csv,
                          classic_loss_kind loss, bool intercept, bool standardise, mest_data *d,
                          am_error *err)
{
    const size_t rows = (size_t)csv->rows, columns = (size_t)csv->columns;
    int at = csv->columns - 1;
    for (int c = 0; c < csv->columns && label != NULL; c++)
        if (strcmp(csv->name[c], label) == 0)
            at = c;
    if (csv->rows > INT32_MAX)
        return am_fail(err, AM_ERR_INPUT, "%s: more than 2^31 rows; take a sample", path);
    double *x = am_alloc(rows * columns, sizeof *x, path, err);
    double *y = am_alloc(rows, sizeof *y, path, err);
    const char **name = am_alloc(columns, sizeof *name, path, err);
    am_status status = x && y && name ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        part(csv, at, x, y, name);
        mest_table table = {.source = path,
                            .label = csv->name[at],
                            .n = (int)csv->rows,
                            .columns = csv->columns - 1,
                            .x = x,
                            .y = y,
                            .name = name,
                            .class_name =
                                csv->text_column >= 0 ? (const char *const *)csv->class_name : NULL,
                            .class_count = csv->class_count};
        status = mest_data_make(&table, loss, intercept, standardise, d, err);
    }
    free(x);
    free(y);
    free((void *)name);
    return status;
}

am_status mest_data_read(const char *path, const char *label, classic_loss_kind loss,
                         bool intercept, bool standardise, mest_data *d, am_error *err)
{
    csv_table csv;
    *d = (mest_data){0};
    AM_TRY(csv_read(path, label, &csv, err));
    am_status status = from_csv(path, label, &csv, loss, intercept, standardise, d, err);
    csv_free(&csv);
    return status;
}

/* ---- what the data say ------------------------------------------------------------------------- */

/* Whether the leading k columns are independent; gram (q × q), scratch (k × k). */
static bool is_independent(int q, int k, const double *gram, double *scratch)
{
    for (int j = 0; j < k; j++)
        memcpy(scratch + linalg_at(0, j, k), gram + linalg_at(0, j, q),
               (size_t)k * sizeof *scratch);
    return cholesky_factor(k, scratch);
}

am_status mest_data_check_rank(const mest_data *d, am_error *err)
{
    const size_t q = (size_t)d->q;
    if (d->q > d->n)
        return am_fail(err, AM_ERR_INPUT,
                       "%d coefficients cannot be told from %d rows; give --penalty l2, l1 or "
                       "elastic-net",
                       d->q, d->n);
    double *gram = am_alloc(2 * q * q, sizeof *gram, "design", err);
    if (gram == NULL)
        return AM_ERR_MEMORY;
    linalg_gram(d->n, d->q, d->x, gram);
    int low = 0,
        high = d->q + 1; /* the first `low` columns are independent, the first `high` not */
    if (is_independent(d->q, d->q, gram, gram + q * q))
        low = d->q;
    while (low < d->q && high - low > 1) {
        int middle = (low + high) / 2;
        if (is_independent(d->q, middle, gram, gram + q * q))
            low = middle;
        else
            high = middle;
    }
    free(gram);
    if (low == d->q)
        return AM_OK;
    return am_fail(err, AM_ERR_INPUT,
                   "column '%s' is a combination of the columns before it; remove it or give "
                   "--penalty l2",
                   d->name[high - 1]);
}

am_status mest_data_scale(const mest_data *d, double *scale, am_error *err)
{
    const mest_problem lad = {.n = d->n,
                              .q = d->q,
                              .intercept = d->intercept,
                              .x = d->x,
                              .y = d->y,
                              .loss = {.kind = CLASSIC_LAD}};
    const size_t n = (size_t)d->n, q = (size_t)d->q;
    double *r = am_alloc(n + q, sizeof *r, "scale", err);
    if (r == NULL)
        return AM_ERR_MEMORY;
    double *beta = r + n;
    mest_certificate certificate;
    am_error ignored = {0};
    mest_solver *solver = d->q < d->n ? mest_solver_new(&lad, &ignored) : NULL;
    if (solver != NULL && mest_solve(solver, NULL, 0, beta, &certificate, &ignored) != AM_OK)
        memset(beta, 0, q * sizeof *beta);
    mest_solver_free(solver);
    mest_predict(&lad, beta, r);
    for (int i = 0; i < d->n; i++)
        r[i] = d->y[i] - r[i];
    double middle = median_of(d->n, r), largest = 0;
    for (int i = 0; i < d->n; i++) {
        r[i] = fabs(r[i] - middle);
        largest = fmax(largest, fabs(d->y[i]));
    }
    *scale = 1.4826 * median_of(d->n, r);
    free(r);
    if (*scale > 1e-9 * largest) /* what the LAD fit leaves of rows that it passes through */
        return AM_OK;
    return am_fail(
        err, AM_ERR_INPUT,
        "more than half of the residuals are 0, so the data give no scale; give --scale");
}

void mest_data_restore(const mest_data *d, bool shift, double *beta)
{
    const int first = d->intercept ? 1 : 0;
    double offset = shift && d->intercept ? d->shift : 0.0;
    for (int j = first; j < d->q; j++) {
        beta[j] /= d->sd[j];
        offset -= beta[j] * d->mean[j];
    }
    if (d->intercept)
        beta[0] += offset;
}
