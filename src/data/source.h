/* source — examples as the files hold them, before split and normalisation; private to data. */
#ifndef AM_SOURCE_H
#define AM_SOURCE_H

#include "data/data.h"

/* n raw rows of d inputs: exactly one of bytes, floats and doubles, and one of label and target. */
typedef struct {
    int64_t n;
    uint8_t *bytes;  /* (n, d), owned, as all below */
    float *floats;   /* (n, d), finite */
    double *doubles; /* (n, d), finite */
    int32_t *label;  /* (n) in 0..C−1 */
    float *target;   /* (n, C), finite */
} raw_rows;

typedef struct {
    const char *path; /* what was read; the caller's */
    int inputs, outputs;
    raw_rows train, test; /* test.n = 0: none */
    char **class_name;    /* (outputs) or NULL */
    char **input_name;    /* (inputs) or NULL */
    int image_rows, image_columns;
} raw_source;

void raw_rows_free(raw_rows *rows);
void raw_source_free(raw_source *source);

/* load.c — what a request asks of any source: task and validation part. */
am_status source_check_request(const data_request *request, am_error *err);
/* Splits and normalises the rows into `data`, which already has its name, and moves the names of the
 * classes there. */
am_status source_split(const data_request *request, raw_source *source, am_data *data,
                       am_error *err);

/* idx_source.c — an IDX folder: files that begin with train-images, train-labels and, both or
 * neither, t10k-images, t10k-labels. */
am_status idx_source_read(const data_request *request, raw_source *source, am_error *err);
/* The file of `folder` whose name begins with `prefix`; X goes before X.gz. *path is fresh, NULL
 * when there is none; several different ones are an error. */
am_status idx_source_find(const char *folder, const char *prefix, char **path, am_error *err);

/* csv_source.c — CSV: the label column apart, classes numbered. */
am_status csv_source_read(const data_request *request, raw_source *source, am_error *err);

/* csv.c — strcmp of two char *, for qsort and bsearch. */
int compare_names(const void *a, const void *b);

/* normalise.c — `order` (count) picks rows; NULL takes them as they stand. */

/* From the picked training rows; the images of the data set `name` "mnist" have published ones. */
am_status norm_measure(const raw_source *source, const char *name, const int64_t *order,
                       int64_t count, normalisation *norm, am_error *err);
/* A copy of a model's record, refused when it does not fit the source. */
am_status norm_copy(const raw_source *source, const normalisation *from, normalisation *norm,
                    am_error *err);
void norm_free(normalisation *norm);
/* The picked rows as the network takes them. */
am_status norm_apply(const raw_source *source, const raw_rows *raw, const normalisation *norm,
                     const int64_t *order, int64_t count, am_rows *rows, am_error *err);

#endif
