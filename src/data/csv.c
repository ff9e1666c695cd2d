/* A CSV file as a table of numbers, one column of which (the label's) may hold text. */
#include "data/csv_scan.h"
#include "data/source.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CSV_FIRST_ROWS = 256, CSV_SHOWN = 40 /* bytes of a bad field in a message */ };

typedef struct {
    csv_scan scan;
    csv_table *table;
    int label;              /* its column */
    int64_t room;           /* rows that table->value can hold */
    char *text;             /* the text column's fields, one after the other, each ending in NUL; */
    size_t used, text_room; /* table->value holds where each begins until classes are known */
} csv_reader;

static const char *path_of(const csv_reader *r)
{
    return r->scan.in.path;
}

/* ---- header ---------------------------------------------------------------------------------- */

int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static am_status check_duplicates(const csv_reader *r, am_error *err)
{
    const csv_table *t = r->table;
    char **sorted = am_alloc((size_t)t->columns, sizeof *sorted, "column names", err);
    if (sorted == NULL)
        return err->status;
    memcpy(sorted, t->name, (size_t)t->columns * sizeof *sorted);
    qsort(sorted, (size_t)t->columns, sizeof *sorted, compare_names);
    am_status status = AM_OK;
    for (int i = 1; i < t->columns && status == AM_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status =
                am_fail(err, AM_ERR_INPUT, "%s:%" PRId64 ": two columns are named '%s'; rename one",
                        path_of(r), r->scan.line, sorted[i]);
    free(sorted);
    return status;
}

static am_status read_header(csv_reader *r, am_error *err)
{
    bool more;
    csv_table *t = r->table;
    AM_TRY(csv_scan_next(&r->scan, &more, err));
    if (!more || r->scan.blank)
        return am_fail(err, AM_ERR_INPUT, "%s:1: no header; the first line must name the columns",
                       path_of(r));
    t->name = am_alloc((size_t)r->scan.fields, sizeof *t->name, "column names", err);
    if (t->name == NULL)
        return err->status;
    bool numbers_only = true;
    for (; t->columns < r->scan.fields; t->columns++) {
        double ignored;
        const char *name = csv_field(&r->scan, t->columns);
        if (name[0] == '\0')
            return am_fail(err, AM_ERR_INPUT,
                           "%s:%" PRId64 ": column %d has no name; name it or remove it",
                           path_of(r), r->scan.line, t->columns + 1);
        numbers_only = numbers_only && am_parse_double(name, &ignored);
        t->name[t->columns] = am_strdup(name, err);
        if (t->name[t->columns] == NULL)
            return err->status;
    }
    if (numbers_only)
        return am_fail(err, AM_ERR_INPUT,
                       "%s:%" PRId64 ": numbers where the header should be; the first line must "
                       "name the columns",
                       path_of(r), r->scan.line);
    return check_duplicates(r, err);
}

/* "no column 'x'; there are a, b, c, …" */
static am_status no_such_column(const csv_reader *r, const char *label, am_error *err)
{
    enum { SHOWN = 8 };
    char list[200] = "";
    size_t used = 0;
    const csv_table *t = r->table;
    for (int i = 0; i < t->columns && i < SHOWN && used < sizeof list - 1; i++) {
        int n =
            snprintf(list + used, sizeof list - used, "%s%.30s", i == 0 ? "" : ", ", t->name[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return am_fail(err, AM_ERR_INPUT,
                   "%s: no column '%s' to take as label; name one of its %d columns: %s%s",
                   path_of(r), label, t->columns, list, t->columns > SHOWN ? ", …" : "");
}

static am_status find_label(csv_reader *r, const char *label, am_error *err)
{
    r->label = r->table->columns - 1;
    if (label == NULL)
        return AM_OK;
    for (int i = 0; i < r->table->columns; i++)
        if (strcmp(r->table->name[i], label) == 0) {
            r->label = i;
            return AM_OK;
        }
    return no_such_column(r, label, err);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* "nan", "inf", "1e999": meant as a number, but none to compute with. */
static bool is_not_finite(const char *field)
{
    char *end;
    return field[0] != '\0' && !isfinite(strtod(field, &end)) && *end == '\0';
}

static am_status bad_field(const csv_reader *r, int column, am_error *err)
{
    const char *field = csv_field(&r->scan, column);
    const char *name = r->table->name[column];
    if (field[0] == '\0')
        return am_fail(err, AM_ERR_INPUT,
                       "%s:%" PRId64 ": column '%s' is empty; fill in or remove the row",
                       path_of(r), r->scan.line, name);
    if (is_not_finite(field))
        return am_fail(err, AM_ERR_INPUT,
                       "%s:%" PRId64 ": column '%s' holds '%.*s', which is not finite; mend or "
                       "remove the row",
                       path_of(r), r->scan.line, name, CSV_SHOWN, field);
    return am_fail(err, AM_ERR_INPUT,
                   "%s:%" PRId64 ": column '%s' holds '%.*s', which is no number; only the label "
                   "column ('%s') may hold text",
                   path_of(r), r->scan.line, name, CSV_SHOWN, field, r->table->name[r->label]);
}

static am_status grow_rows(csv_reader *r, am_error *err)
{
    csv_table *t = r->table;
    if (t->rows < r->room)
        return AM_OK;
    const size_t row = (size_t)t->columns * sizeof *t->value;
    const size_t room = r->room == 0 ? CSV_FIRST_ROWS : 2 * (size_t)r->room;
    double *value = room > SIZE_MAX / row ? NULL : realloc(t->value, room * row);
    if (value == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory for %zu rows of %d columns", path_of(r),
                       room, t->columns);
    t->value = value;
    r->room = (int64_t)room;
    return AM_OK;
}

/* Keeps a text label; its value, for now, is where it begins. */
static am_status keep_text(csv_reader *r, const char *field, double *value, am_error *err)
{
    const size_t size = strlen(field) + 1;
    if (r->text_room - r->used < size) {
        const size_t room = 2 * r->text_room + size + 4096;
        char *text = realloc(r->text, room);
        if (text == NULL)
            return am_fail(err, AM_ERR_MEMORY, "%s: no memory for the labels", path_of(r));
        r->text = text;
        r->text_room = room;
    }
    memcpy(r->text + r->used, field, size);
    *value = (double)r->used;
    r->used += size;
    return AM_OK;
}

/* The first row decides whether labels are numbers or text; a mixture is an error either way. */
static am_status read_label(csv_reader *r, double *value, am_error *err)
{
    csv_table *t = r->table;
    const char *field = csv_field(&r->scan, r->label);
    const bool number = am_parse_double(field, value);
    if (!number && (field[0] == '\0' || is_not_finite(field)))
        return bad_field(r, r->label, err);
    if (t->rows == 0 && !number)
        t->text_column = r->label;
    if (number == (t->text_column >= 0))
        return am_fail(err, AM_ERR_INPUT,
                       "%s:%" PRId64 ": column '%s' holds '%.*s' after rows of %s; make its labels "
                       "all text or all numbers",
                       path_of(r), r->scan.line, t->name[r->label], CSV_SHOWN, field,
                       number ? "text" : "numbers");
    return number ? AM_OK : keep_text(r, field, value, err);
}

static am_status read_row(csv_reader *r, am_error *err)
{
    csv_table *t = r->table;
    if (r->scan.fields != t->columns)
        return am_fail(err, AM_ERR_INPUT,
                       "%s:%" PRId64 ": %d fields, the header names %d columns; mend the line",
                       path_of(r), r->scan.line, r->scan.fields, t->columns);
    AM_TRY(grow_rows(r, err));
    double *row = t->value + t->rows * t->columns;
    for (int i = 0; i < t->columns; i++) {
        if (i == r->label)
            AM_TRY(read_label(r, &row[i], err));
        else if (!am_parse_double(csv_field(&r->scan, i), &row[i]))
            return bad_field(r, i, err);
    }
    t->rows++;
    return AM_OK;
}

/* Blank lines may stand at the end only. */
static am_status read_rows(csv_reader *r, am_error *err)
{
    int64_t blank = 0;
    for (;;) {
        bool more;
        AM_TRY(csv_scan_next(&r->scan, &more, err));
        if (!more)
            break;
        if (r->scan.blank) {
            blank = blank == 0 ? r->scan.line : blank;
            continue;
        }
        if (blank != 0)
            return am_fail(err, AM_ERR_INPUT,
                           "%s:%" PRId64 ": a blank line between rows; remove it", path_of(r),
                           blank);
        AM_TRY(read_row(r, err));
    }
    if (r->table->rows == 0)
        return am_fail(err, AM_ERR_INPUT, "%s: a header but no rows; add data", path_of(r));
    return AM_OK;
}

/* ---- classes --------------------------------------------------------------------------------- */

/* Distinct labels, sorted, become class_name; each row's value becomes the index of its class. */
static am_status name_classes(csv_reader *r, const char **sorted, am_error *err)
{
    csv_table *t = r->table;
    const size_t rows = (size_t)t->rows;
    size_t classes = 0;
    for (size_t i = 0; i < rows; i++)
        sorted[i] = r->text + (size_t)t->value[i * (size_t)t->columns + (size_t)r->label];
    qsort(sorted, rows, sizeof *sorted, compare_names);
    for (size_t i = 0; i < rows; i++)
        if (i == 0 || strcmp(sorted[classes - 1], sorted[i]) != 0)
            sorted[classes++] = sorted[i];
    t->class_name = am_alloc(classes, sizeof *t->class_name, "class names", err);
    if (t->class_name == NULL)
        return err->status;
    for (; t->class_count < (int)classes; t->class_count++) {
        t->class_name[t->class_count] = am_strdup(sorted[t->class_count], err);
        if (t->class_name[t->class_count] == NULL)
            return err->status;
    }
    for (size_t i = 0; i < rows; i++) {
        double *value = &t->value[i * (size_t)t->columns + (size_t)r->label];
        const char *label = r->text + (size_t)*value;
        char **found =
            bsearch(&label, t->class_name, classes, sizeof *t->class_name, compare_names);
        *value = (double)(found - t->class_name);
    }
    return AM_OK;
}

static am_status read_classes(csv_reader *r, am_error *err)
{
    if (r->table->text_column < 0)
        return AM_OK;
    if (r->table->rows > INT32_MAX)
        return am_fail(err, AM_ERR_INPUT, "%s: more than 2^31 text labels; number the classes",
                       path_of(r));
    const char **sorted = am_alloc((size_t)r->table->rows, sizeof *sorted, "labels", err);
    if (sorted == NULL)
        return err->status;
    am_status status = name_classes(r, sorted, err);
    free(sorted);
    return status;
}

am_status csv_read(const char *path, const char *label, csv_table *table, am_error *err)
{
    csv_reader r = {.table = table};
    *table = (csv_table){.text_column = -1};
    am_status status = csv_scan_open(&r.scan, path, err);
    if (status == AM_OK)
        status = read_header(&r, err);
    if (status == AM_OK)
        status = find_label(&r, label, err);
    if (status == AM_OK)
        status = read_rows(&r, err);
    if (status == AM_OK)
        status = read_classes(&r, err);
    csv_scan_close(&r.scan);
    free(r.text);
    if (status != AM_OK)
        csv_free(table);
    return status;
}

void csv_free(csv_table *table)
{
    for (int i = 0; table->name != NULL && i < table->columns; i++)
        free(table->name[i]);
    for (int i = 0; table->class_name != NULL && i < table->class_count; i++)
        free(table->class_name[i]);
    free(table->name);
    free(table->value);
    free(table->class_name);
    *table = (csv_table){.text_column = -1};
}
