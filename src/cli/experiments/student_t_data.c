#include "cli/experiments/student_t.h"

#include "classic/block_weights.h"
#include "classic/design.h"
#include "cli/output.h"
#include "data/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TRUE_NU = 4, TRUE_MU = 2, TRUE_SIGMA = 1.5;

static am_status allocate(student_t_data *d, int train, int validation, int blocks, int pairs,
                          am_error *err)
{
    size_t n = (size_t)train + (size_t)validation, k = (size_t)blocks, m = (size_t)pairs;
    d->y = am_alloc(n, sizeof *d->y, "sample", err);
    d->block = am_alloc(n, sizeof *d->block, "sample", err);
    d->nu = am_alloc(m, sizeof *d->nu, "pairs", err);
    d->omega = am_alloc(m * k, sizeof *d->omega, "pairs", err);
    d->target = am_alloc(m, sizeof *d->target, "pairs", err);
    if (!d->y || !d->block || !d->nu || !d->omega || !d->target)
        return AM_ERR_MEMORY;
    d->train = (blocked_sample){train, blocks, d->y, d->block};
    d->validation = (blocked_sample){validation, 1, d->y + train, d->block + train};
    d->pairs = (student_t_pairs){pairs, blocks, d->nu, d->omega, d->target};
    return AM_OK;
}

/* Pairs of a ν on the grid and weights ω, both drawn, and the exact fit. */
static am_status fit_pairs(student_t_data *d, uint64_t seed, uint32_t replicate, am_error *err)
{
    double begin = am_seconds();
    for (uint32_t i = 0; i < PAIRS; i++) {
        double u = uniform_open(philox(seed, STREAM_LAMBDA, replicate, i, 0).x[0]);
        double *omega = d->omega + (size_t)i * (size_t)d->pairs.blocks;
        d->nu[i] = nu_at((int)(u * NU_POINTS));
        block_weights(seed, STREAM_OMEGA, replicate, i, d->pairs.blocks, omega);
        AM_TRY(student_t_fit(&d->train, omega, d->nu[i], &d->target[i], err));
    }
    d->pair_seconds = am_seconds() - begin;
    return AM_OK;
}

am_status student_t_simulate(student_t_data *d, uint64_t seed, int replicate, am_error *err)
{
    uint32_t step = (uint32_t)replicate;
    *d = (student_t_data){0};
    AM_TRY(allocate(d, TRAIN, VALIDATION, BLOCKS, PAIRS, err));
    for (uint32_t i = 0; i < TRAIN + VALIDATION; i++) {
        /* t_ν = N(0,1)/√(χ²_ν/ν), χ²_ν = 2·Gamma(ν/2) */
        double normal = draw_normal(seed, STREAM_SIMULATE, step, 0, i);
        double chi2 = 2 * draw_gamma(seed, STREAM_SIMULATE, step, 1, i, 0.5 * TRUE_NU);
        d->y[i] = TRUE_MU + TRUE_SIGMA * normal / sqrt(chi2 / TRUE_NU);
    }
    AM_TRY(blocks_assign(seed + step, TRAIN, BLOCKS, d->block, err));
    return fit_pairs(d, seed, step, err);
}

/* ---- published data ---------------------------------------------------------------------------- */

/* A file of `columns` columns (0: any number); *path is fresh, for messages. */
static am_status read_table(const char *folder, const char *name, const char *first, int columns,
                            number_table *table, char **path, am_error *err)
{
    *path = output_path(folder, name);
    if (*path == NULL) {
        (void)am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
        return AM_ERR_MEMORY;
    }
    am_status status = numbers_read(*path, first, table, err);
    if (status == AM_OK && columns > 0 && table->columns != columns)
        status = am_fail(err, AM_ERR_INPUT,
                         "%s: %d columns instead of %d; see the layout of the "
                         "published data",
                         *path, table->columns, columns);
    return status;
}

/* y_train.csv, y_val.csv, block_id.csv */
static am_status read_samples(student_t_data *d, const char *folder, am_error *err)
{
    number_table train = {0}, validation = {0};
    char *train_path = NULL, *validation_path = NULL, *block_path = NULL;
    int *label = NULL, blocks = 0;
    am_status status = read_table(folder, "y_train.csv", NULL, 1, &train, &train_path, err);
    if (status == AM_OK)
        status = read_table(folder, "y_val.csv", NULL, 1, &validation, &validation_path, err);
    if (status == AM_OK && (block_path = output_path(folder, "block_id.csv")) == NULL)
        status = am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    if (status == AM_OK)
        status = labels_read(block_path, train.rows, &label, &blocks, err);
    if (status == AM_OK)
        status = allocate(d, train.rows, validation.rows, blocks, PAIRS, err);
    if (status == AM_OK) {
        memcpy(d->y, train.value, (size_t)train.rows * sizeof *d->y);
        memcpy(d->y + train.rows, validation.value, (size_t)validation.rows * sizeof *d->y);
        for (int i = 0; i < train.rows; i++)
            d->block[i] = (uint32_t)label[i];
        status = student_t_check(train_path, &d->train, err);
    }
    numbers_free(&train);
    numbers_free(&validation);
    free(label);
    free(train_path);
    free(validation_path);
    free(block_path);
    return status;
}

/* Columns: ν, μ and σ by maximum likelihood, NLL of training and validation rows, μ, σ and
 * validation NLL of the published generator. */
static am_status take_expected(student_t_data *d, const number_table *t, const char *path,
                               am_error *err)
{
    if (t->rows != NU_POINTS)
        return am_fail(err, AM_ERR_INPUT, "%s: %d rows; ν = 1.5, 2.0, …, 15.0 needs %d", path,
                       t->rows, NU_POINTS);
    d->expected = am_alloc(NU_POINTS, sizeof *d->expected, "expected profile", err);
    if (d->expected == NULL)
        return AM_ERR_MEMORY;
    for (int i = 0; i < NU_POINTS; i++) {
        const double *v = t->value + i; /* column j at v[j·rows] */
        if (fabs(v[0] - nu_at(i)) > 1e-9)
            return am_fail(err, AM_ERR_INPUT, "%s: ν = %g in row %d; %g is expected", path, v[0],
                           i + 1, nu_at(i));
        enum { N = NU_POINTS };
        d->expected[i] = (expected_point){.mle = {v[N], v[2 * N]},
                                          .train_nll = v[3 * N],
                                          .val_nll = v[4 * N],
                                          .generator = {v[5 * N], v[6 * N]},
                                          .val_nll_generator = v[7 * N]};
    }
    return AM_OK;
}

/* Columns: ν, ω_1..ω_K, μ, σ. */
static am_status take_pairs(student_t_data *d, const number_table *t, const char *path,
                            am_error *err)
{
    size_t rows = (size_t)t->rows, k = (size_t)d->train.blocks;
    if (t->rows != PAIRS)
        return am_fail(err, AM_ERR_INPUT, "%s: %d rows instead of %d pairs", path, t->rows, PAIRS);
    for (size_t i = 0; i < rows; i++) {
        d->nu[i] = t->value[i];
        for (size_t b = 0; b < k; b++)
            d->omega[i * k + b] = t->value[(1 + b) * rows + i];
        d->target[i] = (location_scale){t->value[(1 + k) * rows + i], t->value[(2 + k) * rows + i]};
        if (!(d->nu[i] > 0) || !(d->target[i].sigma > 0))
            return am_fail(err, AM_ERR_INPUT, "%s: row %zu: ν and σ must be above 0", path, i + 1);
    }
    d->pairs_given = true;
    return AM_OK;
}

/* A file that may be missing. */
static am_status read_optional(student_t_data *d, const char *folder, const char *name,
                               const char *first, int columns,
                               am_status (*take)(student_t_data *, const number_table *,
                                                 const char *, am_error *),
                               am_error *err)
{
    char *path = output_path(folder, name);
    bool exists = path != NULL && am_path_exists(path);
    free(path);
    if (!exists)
        return AM_OK;
    number_table table = {0};
    am_status status = read_table(folder, name, first, columns, &table, &path, err);
    if (status == AM_OK)
        status = take(d, &table, path, err);
    numbers_free(&table);
    free(path);
    return status;
}

am_status student_t_read(student_t_data *d, const char *folder, uint64_t seed, am_error *err)
{
    *d = (student_t_data){0};
    if (!am_path_is_folder(folder))
        return am_fail(err, AM_ERR_USAGE,
                       "--reference %s: no such folder; give one with y_train.csv, y_val.csv and "
                       "block_id.csv",
                       folder);
    AM_TRY(read_samples(d, folder, err));
    AM_TRY(read_optional(d, folder, "expected_profile.csv", "nu", 8, take_expected, err));
    AM_TRY(read_optional(d, folder, "generator_training_pairs.csv", NULL, 3 + d->train.blocks,
                         take_pairs, err));
    return d->pairs_given ? AM_OK : fit_pairs(d, seed, 0, err);
}

void student_t_data_free(student_t_data *d)
{
    free(d->y);
    free(d->block);
    free(d->nu);
    free(d->omega);
    free(d->target);
    free(d->expected);
    *d = (student_t_data){0};
}
