/* design — the data of a regression: read from CSV files, checked, or simulated.
 *
 * Files are plain numbers: no header unless asked for, the same number of fields in every line, no
 * missing value. Blanks round a number, a byte order mark, gzip and \r\n are fine. Everything that
 * is read here is finite. */
#ifndef AM_CLASSIC_DESIGN_H
#define AM_CLASSIC_DESIGN_H

#include "base/base.h"

/* ---- numbers in a file (design_read.c) --------------------------------------------------------- */

typedef struct {
    int rows, columns;
    double *value; /* (rows × columns), column-major, owned */
} number_table;

/* `first`: what the first field of the header line says, or NULL for a file without a header.
 * AM_ERR_INPUT names file, line and fault; *table is then empty. */
am_status numbers_read(const char *path, const char *first, number_table *table, am_error *err);
void numbers_free(number_table *table); /* safe on a zeroed one */

/* A file of one column with a label 1..K in each of its n lines → label[i] in 0..K−1, fresh.
 * AM_ERR_INPUT when there are not n, when one is no whole number, or when a label below the
 * largest has no row. */
am_status labels_read(const char *path, int n, int **label, int *groups, am_error *err);

/* ---- a design ---------------------------------------------------------------------------------- */

typedef struct {
    int n, p;
    double *x; /* (n × p), column-major, owned: p covariates, no intercept */
    double *y; /* (n), owned */
} design;

/* A file without header: p covariates, then y. */
am_status design_read(const char *path, design *d, am_error *err);
am_status design_alloc(int n, int p, design *d, am_error *err);
void design_free(design *d);
/* Rows i with (group[i] == g) == inside, in their order. AM_ERR_INPUT when there are none. */
am_status design_rows(const design *d, const int *group, int g, bool inside, design *part,
                      am_error *err);

/* ---- simulated data (simulate.c) --------------------------------------------------------------- */

/* y = Xβ + σε; the columns of X a stationary chain, x_1 ~ N(0,1), x_j = ρ·x_{j−1} + √(1−ρ²)·N(0,1),
 * so that corr(x_j, x_k) = ρ^|j−k|; β = (b, …, b, 0, …, 0) with `active` coefficients b. */
typedef struct {
    int n, p, active;
    double b, rho, sigma;
} linear_model;

/* Data set `set` (0: training, 1: test, …) of replication `replication`, in d (fresh). */
am_status simulate_linear(const linear_model *model, uint64_t seed, uint32_t replication,
                          uint32_t set, design *d, am_error *err);

/* n labels in 0..groups−1, as equal in number as can be, in random order; fresh. AM_ERR_INPUT when
 * n < groups, or groups < 2: `what` says what is divided. */
am_status simulate_folds(const char *what, int n, int groups, uint64_t seed, uint32_t replication,
                         int **label, am_error *err);

#endif
