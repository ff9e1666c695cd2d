/* Reads CSV files as examples: one column is the label, the others are inputs. */
#include "data/source.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AUTO_CLASSES = 20 /* more distinct integers than this are a quantity, not classes */ };

/* How a label becomes a class or a target; learnt from the training table. */
typedef struct {
    int column;
    bool classes;
    double *level; /* (levels) distinct numbers, ascending, owned; NULL when labels are text */
    int64_t levels;
} label_rule;

static double *label_at(const csv_table *table, int column, int64_t row)
{
    return &table->value[row * table->columns + column];
}

/* ---- classes --------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static am_status find_levels(const csv_table *table, label_rule *rule, am_error *err)
{
    rule->level = am_alloc((size_t)table->rows, sizeof *rule->level, "labels", err);
    if (rule->level == NULL)
        return err->status;
    for (int64_t i = 0; i < table->rows; i++)
        rule->level[i] = *label_at(table, rule->column, i);
    qsort(rule->level, (size_t)table->rows, sizeof *rule->level, compare_numbers);
    for (int64_t i = 0; i < table->rows; i++)
        if (i == 0 || rule->level[i] != rule->level[rule->levels - 1])
            rule->level[rule->levels++] = rule->level[i];
    return AM_OK;
}

/* Integers that print exactly. */
static bool is_integer(double x)
{
    return x == floor(x) && fabs(x) < 9007199254740992.0;
}

static am_status decide_task(const data_request *request, const raw_source *source,
                             const csv_table *table, label_rule *rule, am_error *err)
{
    const char *task = request->task != NULL ? request->task : "auto";
    const char *name = table->name[rule->column];
    if (table->text_column >= 0) {
        if (strcmp(task, "regression") == 0)
            return am_fail(err, AM_ERR_USAGE,
                           "%s: column '%s' holds text, regression needs numbers; choose another "
                           "label column or classification",
                           source->path, name);
        rule->classes = true;
        return AM_OK;
    }
    AM_TRY(find_levels(table, rule, err));
    const double *odd = NULL;
    for (int64_t i = 0; i < rule->levels && odd == NULL; i++)
        odd = is_integer(rule->level[i]) ? NULL : &rule->level[i];
    if (strcmp(task, "classification") == 0 && odd != NULL)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: column '%s' holds %g, classes are integers or text; choose regression "
                       "or another label column",
                       source->path, name, *odd);
    rule->classes = strcmp(task, "classification") == 0 ||
                    (strcmp(task, "auto") == 0 && odd == NULL && rule->levels <= AUTO_CLASSES);
    return AM_OK;
}

static am_status name_levels(const label_rule *rule, raw_source *source, am_error *err)
{
    source->class_name = am_alloc((size_t)rule->levels, sizeof *source->class_name, "classes", err);
    if (source->class_name == NULL)
        return err->status;
    for (; source->outputs < rule->levels; source->outputs++) {
        char *name = am_format("%.0f", rule->level[source->outputs] + 0.0); /* −0 prints as 0 */
        if (name == NULL)
            return am_fail(err, AM_ERR_MEMORY, "%s: no memory for class names", source->path);
        source->class_name[source->outputs] = name;
    }
    return AM_OK;
}

static am_status name_classes(const label_rule *rule, csv_table *table, raw_source *source,
                              am_error *err)
{
    if (rule->levels > INT32_MAX)
        return am_fail(err, AM_ERR_INPUT, "%s: more than 2^31 classes; choose regression",
                       source->path);
    if (rule->level != NULL)
        AM_TRY(name_levels(rule, source, err));
    else {
        source->class_name = table->class_name;
        source->outputs = table->class_count;
        table->class_name = NULL;
    }
    if (source->outputs < 2)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: every row has label '%s' in column '%s'; two classes at least are "
                       "needed",
                       source->path, source->class_name[0], table->name[rule->column]);
    return AM_OK;
}

/* Index of the class of `row`, or −1 when the training rows have no such class. */
static int32_t class_of(const label_rule *rule, const raw_source *source, const csv_table *table,
                        int64_t row)
{
    const double *value = label_at(table, rule->column, row);
    if (rule->level != NULL) {
        const double *found =
            bsearch(value, rule->level, (size_t)rule->levels, sizeof *rule->level, compare_numbers);
        return found == NULL ? -1 : (int32_t)(found - rule->level);
    }
    if (table->class_name == NULL) /* the training table: already an index */
        return (int32_t)*value;
    char *const *found = bsearch(&table->class_name[(int)*value], source->class_name,
                                 (size_t)source->outputs, sizeof *found, compare_names);
    return found == NULL ? -1 : (int32_t)(found - source->class_name);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static am_status take_labels(const label_rule *rule, const raw_source *source, const char *path,
                             const csv_table *table, raw_rows *rows, am_error *err)
{
    rows->label = am_alloc((size_t)table->rows, sizeof *rows->label, "labels", err);
    if (rows->label == NULL)
        return err->status;
    for (int64_t i = 0; i < table->rows; i++) {
        rows->label[i] = class_of(rule, source, table, i);
        if (rows->label[i] < 0)
            return am_fail(err, AM_ERR_INPUT,
                           "%s: row %" PRId64 " has a label in column '%s' that no row of %s has; "
                           "mend or remove the row",
                           path, i + 1, table->name[rule->column], source->path);
    }
    return AM_OK;
}

static am_status take_targets(const label_rule *rule, const char *path, const csv_table *table,
                              raw_rows *rows, am_error *err)
{
    rows->target = am_alloc((size_t)table->rows, sizeof *rows->target, "targets", err);
    if (rows->target == NULL)
        return err->status;
    for (int64_t i = 0; i < table->rows; i++) {
        rows->target[i] = (float)*label_at(table, rule->column, i);
        if (!isfinite(rows->target[i]))
            return am_fail(err, AM_ERR_INPUT,
                           "%s: row %" PRId64 ": '%s' = %g is too large; scale the column", path,
                           i + 1, table->name[rule->column], *label_at(table, rule->column, i));
    }
    return AM_OK;
}

/* Moves the table into raw rows; the label's column is closed up in place. */
static am_status take_rows(const label_rule *rule, const raw_source *source, const char *path,
                           csv_table *table, raw_rows *rows, am_error *err)
{
    if (rule->classes)
        AM_TRY(take_labels(rule, source, path, table, rows, err));
    else
        AM_TRY(take_targets(rule, path, table, rows, err));
    double *to = table->value;
    for (int64_t i = 0; i < table->rows; i++)
        for (int c = 0; c < table->columns; c++)
            if (c != rule->column)
                *to++ = *label_at(table, c, i);
    rows->n = table->rows;
    rows->doubles = table->value;
    table->value = NULL;
    return AM_OK;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static am_status read_train(const data_request *request, csv_table *table, label_rule *rule,
                            raw_source *source, am_error *err)
{
    AM_TRY(csv_read(source->path, request->label, table, err));
    if (table->columns < 2)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: one column only; a label and at least one input are needed, separated "
                       "by commas",
                       source->path);
    rule->column = table->columns - 1;
    for (int i = 0; i < table->columns && request->label != NULL; i++)
        if (strcmp(table->name[i], request->label) == 0)
            rule->column = i;
    AM_TRY(decide_task(request, source, table, rule, err));
    source->inputs = table->columns - 1;
    source->outputs = rule->classes ? 0 : 1;
    if (rule->classes)
        AM_TRY(name_classes(rule, table, source, err));
    AM_TRY(take_rows(rule, source, source->path, table, &source->train, err));
    return AM_OK;
}

static am_status read_test(const data_request *request, const csv_table *train, csv_table *table,
                           const label_rule *rule, raw_source *source, am_error *err)
{
    AM_TRY(csv_read(request->test, request->label, table, err));
    if (table->columns != train->columns)
        return am_fail(err, AM_ERR_INPUT, "%s: %d columns, %s has %d; both need the same header",
                       request->test, table->columns, source->path, train->columns);
    for (int i = 0; i < table->columns; i++)
        if (strcmp(table->name[i], train->name[i]) != 0)
            return am_fail(err, AM_ERR_INPUT,
                           "%s: column %d is '%s', in %s it is '%s'; both need the same header",
                           request->test, i + 1, table->name[i], source->path, train->name[i]);
    if (table->text_column != train->text_column)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: column '%s' holds %s, in %s it holds %s; both need the same kind",
                       request->test, table->name[rule->column],
                       table->text_column >= 0 ? "text" : "numbers", source->path,
                       train->text_column >= 0 ? "text" : "numbers");
    return take_rows(rule, source, request->test, table, &source->test, err);
}

/* Moves the inputs' names into the source. */
static am_status take_names(csv_table *table, const label_rule *rule, raw_source *source,
                            am_error *err)
{
    source->input_name = am_alloc((size_t)source->inputs, sizeof *source->input_name, "names", err);
    if (source->input_name == NULL)
        return err->status;
    for (int c = 0, to = 0; c < table->columns; c++)
        if (c != rule->column) {
            source->input_name[to++] = table->name[c];
            table->name[c] = NULL;
        }
    return AM_OK;
}

am_status csv_source_read(const data_request *request, raw_source *source, am_error *err)
{
    csv_table train = {0}, test = {0};
    label_rule rule = {0};
    am_status status = read_train(request, &train, &rule, source, err);
    if (status == AM_OK && request->test != NULL)
        status = read_test(request, &train, &test, &rule, source, err);
    if (status == AM_OK)
        status = take_names(&train, &rule, source, err);
    free(rule.level);
    csv_free(&train);
    csv_free(&test);
    return status;
}
