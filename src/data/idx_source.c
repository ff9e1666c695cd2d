/* Reads a folder of IDX files in the layout of MNIST. */
#include "data/source.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which file ------------------------------------------------------------------------------ */

/* Length of a file name without a final ".gz". */
static size_t stem_length(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".gz") == 0 ? length - 3 : length;
}

/* Leftovers of downloads and editors are no data. */
static bool is_leftover(const char *name)
{
    const char *dot = strrchr(name, '.');
    return (dot != NULL && (strcmp(dot, ".part") == 0 || strcmp(dot, ".tmp") == 0)) ||
           name[strlen(name) - 1] == '~';
}

/* Keeps the better of *best and `name`: X goes before X.gz. */
static am_status choose(const char *folder, const char *prefix, char **best, const char *name,
                        am_error *err)
{
    if (*best != NULL) {
        const size_t length = stem_length(name);
        if (length != stem_length(*best) || strncmp(name, *best, length) != 0)
            return am_fail(err, AM_ERR_INPUT,
                           "%s: several files begin with %s (%s, %s); leave one of them", folder,
                           prefix, *best, name);
        if (name[length] != '\0')
            return AM_OK;
    }
    char *copy = am_strdup(name, err);
    if (copy == NULL)
        return err->status;
    free(*best);
    *best = copy;
    return AM_OK;
}

am_status idx_source_find(const char *folder, const char *prefix, char **path, am_error *err)
{
    char *best = NULL;
    am_status status = AM_OK;
    *path = NULL;
    DIR *list = opendir(folder);
    if (list == NULL)
        return am_fail(err, AM_ERR_INPUT, "%s: cannot be opened (%s); check the path", folder,
                       strerror(errno));
    for (struct dirent *entry; status == AM_OK && (entry = readdir(list)) != NULL;)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && !is_leftover(entry->d_name))
            status = choose(folder, prefix, &best, entry->d_name, err);
    closedir(list);
    if (status == AM_OK && best != NULL) {
        *path = am_format("%s/%s", folder, best);
        if (*path == NULL)
            status = am_fail(err, AM_ERR_MEMORY, "%s: no memory for a path", folder);
    }
    free(best);
    return status;
}

/* ---- one pair of files ----------------------------------------------------------------------- */

typedef struct {
    char *image_path, *label_path;
    idx_array image, label;
} idx_pair;

static void pair_free(idx_pair *pair)
{
    free(pair->image_path);
    free(pair->label_path);
    idx_free(&pair->image);
    idx_free(&pair->label);
}

static am_status check_pair(const idx_pair *pair, am_error *err)
{
    const idx_array *image = &pair->image, *label = &pair->label;
    if (image->type == IDX_I32)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: holds 32-bit integers; write inputs as bytes or 32-bit floats",
                       pair->image_path);
    if (image->rank < 2)
        return am_fail(err, AM_ERR_INPUT, "%s: has rank 1; inputs need rows and columns",
                       pair->image_path);
    if (image->count / image->extent[0] > INT_MAX)
        return am_fail(err, AM_ERR_INPUT, "%s: %" PRId64 " inputs a row; at most %d are possible",
                       pair->image_path, image->count / image->extent[0], INT_MAX);
    if (label->type != IDX_U8 || label->rank != 1)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: has type 0x%02x and rank %d; labels are bytes (0x08) of rank 1",
                       pair->label_path, (unsigned)label->type, label->rank);
    if (image->extent[0] != label->extent[0])
        return am_fail(err, AM_ERR_INPUT,
                       "%s holds %" PRId64 " rows but %s holds %" PRId64
                       " labels; get files that belong together",
                       pair->image_path, image->extent[0], pair->label_path, label->extent[0]);
    const float *value = image->values;
    const int64_t inputs = image->count / image->extent[0];
    for (int64_t i = 0; image->type == IDX_F32 && i < image->count; i++)
        if (!isfinite(value[i]))
            return am_fail(err, AM_ERR_INPUT,
                           "%s: row %" PRId64 ", column %" PRId64
                           " is not a finite number; mend or remove the row",
                           pair->image_path, i / inputs + 1, i % inputs + 1);
    return AM_OK;
}

/* Moves the pair's arrays into raw rows. */
static am_status take_rows(idx_pair *pair, raw_rows *rows, am_error *err)
{
    const uint8_t *label = pair->label.values;
    rows->n = pair->image.extent[0];
    rows->label = am_alloc((size_t)rows->n, sizeof *rows->label, "labels", err);
    if (rows->label == NULL)
        return err->status;
    for (int64_t i = 0; i < rows->n; i++)
        rows->label[i] = label[i];
    if (pair->image.type == IDX_U8)
        rows->bytes = pair->image.values;
    else
        rows->floats = pair->image.values;
    pair->image.values = NULL;
    return AM_OK;
}

/* ---- the folder ------------------------------------------------------------------------------ */

/* The largest label + 1. When most classes below it have no row, though the others have ten each, it
 * is a damaged label or a code such as 255. */
static am_status count_classes(const idx_pair *pair, int *classes, am_error *err)
{
    const uint8_t *label = pair->label.values;
    bool seen[256] = {false};
    int64_t row = 0; /* of the largest label */
    for (int64_t i = 0; i < pair->label.count; i++) {
        seen[label[i]] = true; // NOLINT: a read array has values
        row = label[i] > label[row] ? i : row;
    }
    int top = label[row], missing = 0; // NOLINT: as above
    if (top == 0)
        return am_fail(err, AM_ERR_INPUT, "%s: every label is 0; two classes at least are needed",
                       pair->label_path);
    for (int c = 0; c < top; c++)
        missing += !seen[c];
    if (2 * missing > top + 1 && pair->label.count >= (int64_t)10 * (top + 1 - missing))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: row %" PRId64
                       " has label %d, but %d of the classes 0 to %d have no row; "
                       "mend the label, or number the classes 0, 1, 2, …",
                       pair->label_path, row + 1, top, missing, top);
    *classes = top + 1;
    return AM_OK;
}

/* Sets shape and classes from the training pair. */
static am_status describe(const idx_pair *pair, raw_source *source, am_error *err)
{
    const idx_array *image = &pair->image;
    AM_TRY(count_classes(pair, &source->outputs, err));
    source->inputs = (int)(image->count / image->extent[0]); // NOLINT: extents are positive
    if (image->rank == 3) {
        source->image_rows = (int)image->extent[1];
        source->image_columns = (int)image->extent[2];
    }
    return AM_OK;
}

/* The test pair must look like the training pair. */
static am_status compare(const idx_pair *train, const idx_pair *test, const raw_source *source,
                         am_error *err)
{
    const idx_array *a = &train->image, *b = &test->image;
    bool same = a->type == b->type && a->rank == b->rank;
    for (int i = 1; same && i < a->rank; i++)
        same = a->extent[i] == b->extent[i];
    if (!same)
        return am_fail(
            err, AM_ERR_INPUT,
            "%s: rows of another type or shape (%" PRId64 " inputs) than %s (%d inputs); "
            "get files that belong together",
            test->image_path, b->count / b->extent[0], train->image_path, source->inputs);
    const uint8_t *label = test->label.values;
    for (int64_t i = 0; i < test->label.count; i++)
        if (label[i] >= source->outputs)
            return am_fail(err, AM_ERR_INPUT,
                           "%s: row %" PRId64
                           " has label %d, but the training labels end at %d; mend the label",
                           test->label_path, i + 1, label[i], source->outputs - 1);
    return AM_OK;
}

/* Reads and checks a pair; an optional one that is absent altogether keeps its paths NULL. */
static am_status read_pair(const char *folder, const char *images, const char *labels,
                           bool required, idx_pair *pair, am_error *err)
{
    AM_TRY(idx_source_find(folder, images, &pair->image_path, err));
    AM_TRY(idx_source_find(folder, labels, &pair->label_path, err));
    if (pair->image_path == NULL && pair->label_path == NULL && !required)
        return AM_OK;
    if (pair->image_path == NULL || pair->label_path == NULL)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: no file in it begins with %s; an IDX folder holds train-images…, "
                       "train-labels… and, both or neither, t10k-images…, t10k-labels…",
                       folder, pair->image_path == NULL ? images : labels);
    AM_TRY(idx_read(pair->label_path, &pair->label, err));
    AM_TRY(idx_read(pair->image_path, &pair->image, err));
    return check_pair(pair, err);
}

static am_status read_folder(raw_source *source, idx_pair *train, idx_pair *test, am_error *err)
{
    AM_TRY(read_pair(source->path, "train-images", "train-labels", true, train, err));
    AM_TRY(describe(train, source, err));
    AM_TRY(read_pair(source->path, "t10k-images", "t10k-labels", false, test, err));
    if (test->image_path != NULL) {
        AM_TRY(compare(train, test, source, err));
        AM_TRY(take_rows(test, &source->test, err));
    }
    return take_rows(train, &source->train, err);
}

am_status idx_source_read(const data_request *request, raw_source *source, am_error *err)
{
    idx_pair train = {0}, test = {0};
    if (request->label != NULL || request->test != NULL)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: a folder of IDX files has labels and test rows of its own; a label "
                       "column or test file goes with a CSV only",
                       source->path);
    if (request->task != NULL && strcmp(request->task, "regression") == 0)
        return am_fail(err, AM_ERR_USAGE,
                       "%s: labels of IDX files are classes; use a CSV for regression",
                       source->path);
    am_status status = read_folder(source, &train, &test, err);
    pair_free(&train);
    pair_free(&test);
    return status;
}
