/* data — from files to rows: IDX (plain or gzip), CSV, known names; split and blocks by the seed.
 */
#ifndef AM_DATA_H
#define AM_DATA_H

#include "base/base.h"

/* idx.c — http://yann.lecun.com/exdb/mnist format: magic 00 00 TYPE RANK, u32 big-endian extents,
 * data. Types 0x08 u8, 0x0C i32, 0x0D f32. Values are in host byte order. Plain and gzip (zlib
 * reads both); the exact length is checked, a truncated or longer file is an error. */
typedef enum { IDX_U8 = 0x08, IDX_I32 = 0x0C, IDX_F32 = 0x0D } idx_type;
typedef struct {
    idx_type type;
    int rank;
    int64_t extent[4];
    int64_t count; /* product of the extents */
    void *values;  /* owned */
} idx_array;
am_status idx_read(const char *path, idx_array *array, am_error *err);
void idx_free(idx_array *array); /* safe on a zeroed one */

/* csv.c — RFC 4180 with header, plain or gzip; every field must be a finite number, only the label
 * column may hold text instead, in all its rows. Errors name file, line and column. `label` is the
 * label column's name; NULL: the last column. */
typedef struct {
    int64_t rows;
    int columns;
    char **name;       /* (columns), owned */
    double *value;     /* (rows, columns); for a text column: index of the class in `class_name` */
    int text_column;   /* the one column that holds text (only the label may), or −1 */
    char **class_name; /* names of the classes of the text column, sorted */
    int class_count;
} csv_table;
am_status csv_read(const char *path, const char *label, csv_table *table, am_error *err);
void csv_free(csv_table *table);

/* A set of examples in memory. Images stay bytes: x = scale·byte + shift. */
typedef struct {
    int64_t n;
    int inputs;     /* d */
    int outputs;    /* C classes, or number of real targets */
    uint8_t *bytes; /* (n, d) or NULL */
    float *floats;  /* (n, d) or NULL, already normalised; exactly one of the two when n > 0 */
    float scale, shift;
    int32_t *label; /* (n) in 0..C−1, or NULL */
    float *target;  /* (n, C), or NULL (exactly one of label and target) */
} am_rows;
void rows_free(am_rows *rows);

/* How raw inputs became network inputs; recorded in the model so that later data are treated alike.
 */
typedef struct {
    int inputs;
    bool per_column;                /* CSV: mean/sd per column; images: one mean/sd for x/255 */
    float mean, sd;                 /* images */
    float *column_mean, *column_sd; /* (inputs), owned, CSV and float IDX */
    double target_mean, target_sd;  /* regression: targets are left as they are; 0 and 1 */
} normalisation;

typedef struct {
    char *name;                      /* "mnist", or the file name without folder and ending */
    char *source;                    /* the folder or file that was read */
    am_rows train, validation, test; /* test.n = 0 when the source has none */
    normalisation norm;
    char **class_name;             /* (outputs) or NULL */
    int image_rows, image_columns; /* 28, 28; 0 when the inputs are no images */
} am_data;

typedef struct {
    const char *source; /* folder of IDX files, CSV file, or a known name (mnist, fashion-mnist) */
    const char *label;  /* CSV: the label column's name; NULL: the last column */
    const char *task;   /* "auto", "classification", "regression"; auto: IDX → classification,
                           CSV → classification when text or at most 20 distinct integers */
    const char *test;   /* CSV with test rows, or NULL */
    double validation;  /* < 1: fraction of the training rows; ≥ 1: number of rows */
    uint64_t seed;      /* decides the split */
    const normalisation *norm; /* NULL: measured on the training rows (mnist: 0.1307, 0.3081) */
} data_request;

/* Reads, checks, splits. The split is a keyed permutation (seed, STREAM_SPLIT) of the source's
 * rows: the first n − n_validation are training rows, in that order. AM_ERR_INPUT for every fault
 * of the files, AM_ERR_USAGE for an impossible request. */
am_status data_load(const data_request *request, am_data **data, am_error *err);
void data_free(am_data *data);

/* load.c — order[i] = π(i), i < n: the row of the source that stands at place i of the split; training
 * rows first, then validation rows. */
void data_order(uint64_t seed, int64_t n, int64_t *order);

/* arrays.c — rows handed over in memory instead of files; they are copied. */
typedef struct {
    int64_t n;
    const float *x;       /* (n, d) */
    const int32_t *label; /* (n) in 0..C−1, or NULL */
    const float *target;  /* (n, C), or NULL: exactly one of the two */
} data_array;
typedef struct {
    int inputs, outputs;    /* d, C; outputs 0: the largest label + 1, or 1 target */
    data_array train, test; /* test.n = 0: none */
    double validation;      /* as in data_request, like seed and norm */
    uint64_t seed;
    const normalisation *norm;
} data_arrays;
/* As data_load; the data are named "arrays". AM_ERR_USAGE for what cannot be a data set, AM_ERR_INPUT
 * for a value that is not finite or a label outside the classes, by its row and column from 1. */
am_status data_from_arrays(const data_arrays *arrays, am_data **data, am_error *err);

/* find.c — where a name or path lies: an existing folder or file as given; else a name in
 * $AMORTUNE_DATA/NAME, then datasets/NAME below the working folder, then below AM_SOURCE_FOLDER
 * (the program's source, defined by the build), and for fashion-mnist the distribution's
 * /usr/share/datasets/fashion-mnist. *path is fresh. The error says every place that was looked at
 * and the command that fetches the data. */
am_status data_find(const char *source, char **path, am_error *err);

/* normalise.c — x (n, d) as measured to z (n, d) as the network takes it: per column
 * (x_c − mean_c)/sd_c, images (x/255 − mean)/sd. AM_ERR_INPUT for a value that is not finite. */
am_status norm_inputs(const normalisation *norm, const float *x, int64_t n, float *z,
                      am_error *err);

/* blocks.c — block b(i) ∈ 0..K−1 of training row i, balanced to one, by the keyed permutation
 * (seed, STREAM_BLOCKS): b(i) = ⌊π(i)·K/n⌋. Error when K > n or K < 1. */
am_status blocks_assign(uint64_t seed, int64_t n, int64_t blocks, uint32_t *block, am_error *err);
/* A digest (64-bit FNV-1a, hex into text[17]) of the map, kept in models. */
void blocks_digest(const uint32_t *block, int64_t n, char text[17]);

#endif
