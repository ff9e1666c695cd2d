#include "classic/design.h"
#include "data/csv_scan.h"
#include "linalg/linalg.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256, SHOWN = 32 };

typedef struct {
    const char *path;
    csv_scan scan;
    int rows, columns, room;
    double *value; /* (room × columns), row by row while the number of rows is unknown */
} number_reader;

static am_status bad_field(const number_reader *r, int column, const char *field, am_error *err)
{
    return am_fail(err, AM_ERR_INPUT, "%s:%" PRId64 ": field %d %s%.*s%s; give a finite number",
                   r->path, r->scan.line, column + 1, *field ? "holds '" : "is empty", SHOWN, field,
                   *field ? "'" : "");
}

static am_status grow(number_reader *r, am_error *err)
{
    if (r->rows < r->room)
        return AM_OK;
    int room = r->room == 0 ? FIRST_ROOM : r->room;
    size_t row = (size_t)r->columns * sizeof *r->value;
    double *value = NULL;
    if (room <= INT_MAX / 2) {
        room = r->room == 0 ? room : 2 * room;
        value = realloc(r->value, (size_t)room * row);
    }
    if (value == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory for %d rows of %d numbers", r->path, room,
                       r->columns);
    r->value = value;
    r->room = room;
    return AM_OK;
}

static am_status read_row(number_reader *r, am_error *err)
{
    if (r->columns == 0)
        r->columns = r->scan.fields;
    if (r->scan.fields != r->columns)
        return am_fail(err, AM_ERR_INPUT,
                       "%s:%" PRId64 ": %d fields, the lines before it have %d; mend the line",
                       r->path, r->scan.line, r->scan.fields, r->columns);
    AM_TRY(grow(r, err));
    double *row = r->value + (size_t)r->rows * (size_t)r->columns;
    for (int j = 0; j < r->columns; j++) {
        const char *field = csv_field(&r->scan, j);
        if (!am_parse_double(field, &row[j]))
            return bad_field(r, j, field, err);
    }
    r->rows++;
    return AM_OK;
}

static am_status read_header(number_reader *r, const char *first, am_error *err)
{
    bool more;
    if (first == NULL)
        return AM_OK;
    AM_TRY(csv_scan_next(&r->scan, &more, err));
    if (!more || strcmp(csv_field(&r->scan, 0), first) != 0)
        return am_fail(err, AM_ERR_INPUT, "%s: no header that begins with '%s'; add one", r->path,
                       first);
    r->columns = r->scan.fields;
    return AM_OK;
}

/* Blank lines may stand at the end only. */
static am_status read_rows(number_reader *r, am_error *err)
{
    bool more = true, blank = false;
    while (more) {
        AM_TRY(csv_scan_next(&r->scan, &more, err));
        if (!more)
            break;
        if (blank && !r->scan.blank)
            return am_fail(err, AM_ERR_INPUT, "%s:%" PRId64 ": a blank line before it; remove it",
                           r->path, r->scan.line);
        blank |= r->scan.blank;
        if (!blank)
            AM_TRY(read_row(r, err));
    }
    if (r->rows == 0)
        return am_fail(err, AM_ERR_INPUT, "%s: no numbers; add data", r->path);
    return AM_OK;
}

static am_status transpose(const number_reader *r, number_table *table, am_error *err)
{
    table->value =
        am_alloc((size_t)r->rows * (size_t)r->columns, sizeof *table->value, r->path, err);
    if (table->value == NULL)
        return AM_ERR_MEMORY;
    table->rows = r->rows;
    table->columns = r->columns;
    for (int i = 0; i < r->rows; i++)
        for (int j = 0; j < r->columns; j++)
            table->value[linalg_at(i, j, r->rows)] = r->value[linalg_at(j, i, r->columns)];
    return AM_OK;
}

am_status numbers_read(const char *path, const char *first, number_table *table, am_error *err)
{
    number_reader r = {.path = path};
    *table = (number_table){0};
    am_status status = csv_scan_open(&r.scan, path, err);
    if (status == AM_OK)
        status = read_header(&r, first, err);
    if (status == AM_OK)
        status = read_rows(&r, err);
    if (status == AM_OK)
        status = transpose(&r, table, err);
    csv_scan_close(&r.scan);
    free(r.value);
    return status;
}

void numbers_free(number_table *table)
{
    free(table->value);
    *table = (number_table){0};
}

/* ---- labels ------------------------------------------------------------------------------------ */

static am_status check_labels(const char *path, const number_table *t, int n, int *groups,
                              am_error *err)
{
    if (t->columns != 1 || t->rows != n)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: %d lines of %d fields; give one label for each of "
                       "the %d rows of data",
                       path, t->rows, t->columns, n);
    *groups = 0;
    for (int i = 0; i < n; i++) {
        double label = t->value[i];
        if (!(label >= 1 && label <= n && label == (int)label))
            return am_fail(err, AM_ERR_INPUT, "%s:%d: %g is no label; give whole numbers 1..%d",
                           path, i + 1, label, n);
        *groups = AM_MAX(*groups, (int)label);
    }
    return AM_OK;
}

static am_status check_none_empty(const char *path, const int *label, int n, int groups,
                                  am_error *err)
{
    for (int g = 0; g < groups; g++) {
        int i = 0;
        while (i < n && label[i] != g)
            i++;
        if (i == n)
            return am_fail(err, AM_ERR_INPUT, "%s: no row has label %d of %d; number them 1..K",
                           path, g + 1, groups);
    }
    return AM_OK;
}

am_status labels_read(const char *path, int n, int **label, int *groups, am_error *err)
{
    number_table t;
    *label = NULL;
    AM_TRY(numbers_read(path, NULL, &t, err));
    am_status status = check_labels(path, &t, n, groups, err);
    if (status == AM_OK) {
        *label = am_alloc((size_t)n, sizeof **label, path, err);
        status = *label != NULL ? AM_OK : AM_ERR_MEMORY;
    }
    for (int i = 0; status == AM_OK && i < n; i++)
        (*label)[i] = (int)t.value[i] - 1;
    numbers_free(&t);
    if (status == AM_OK)
        status = check_none_empty(path, *label, n, *groups, err);
    if (status != AM_OK) {
        free(*label);
        *label = NULL;
    }
    return status;
}

/* ---- a design ---------------------------------------------------------------------------------- */

am_status design_alloc(int n, int p, design *d, am_error *err)
{
    *d = (design){.n = n, .p = p};
    d->x = am_alloc((size_t)n * (size_t)p, sizeof *d->x, "data", err);
    d->y = am_alloc((size_t)n, sizeof *d->y, "data", err);
    if (d->x != NULL && d->y != NULL)
        return AM_OK;
    design_free(d);
    return AM_ERR_MEMORY;
}

void design_free(design *d)
{
    free(d->x);
    free(d->y);
    *d = (design){0};
}

am_status design_read(const char *path, design *d, am_error *err)
{
    number_table t;
    *d = (design){0};
    AM_TRY(numbers_read(path, NULL, &t, err));
    am_status status = t.columns >= 2 ? design_alloc(t.rows, t.columns - 1, d, err)
                                      : am_fail(err, AM_ERR_INPUT,
                                                "%s: one column; give covariates, then y", path);
    if (status == AM_OK) {
        size_t covariates = (size_t)d->n * (size_t)d->p;
        memcpy(d->x, t.value, covariates * sizeof *d->x);
        memcpy(d->y, t.value + covariates, (size_t)d->n * sizeof *d->y);
    }
    numbers_free(&t);
    return status;
}

am_status design_rows(const design *d, const int *group, int g, bool inside, design *part,
                      am_error *err)
{
    int n = 0, row = 0;
    for (int i = 0; i < d->n; i++)
        n += (group[i] == g) == inside;
    *part = (design){0};
    if (n == 0)
        return am_fail(err, AM_ERR_INPUT, "group %d: %s; divide the rows into more groups", g + 1,
                       inside ? "has no rows" : "has all the rows");
    AM_TRY(design_alloc(n, d->p, part, err));
    for (int i = 0; i < d->n; i++) {
        if ((group[i] == g) != inside)
            continue;
        for (int j = 0; j < d->p; j++)
            part->x[linalg_at(row, j, n)] = d->x[linalg_at(i, j, d->n)];
        part->y[row++] = d->y[i];
    }
    return AM_OK;
}
