#include "cli/experiments/ridge.h"

#include "cli/output.h"
#include "draw/draw.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

void ridge_data_free(ridge_data *d)
{
    design_free(&d->train);
    design_free(&d->test);
    free(d->fold);
    free(d->lambda);
    free(d->expected);
    *d = (ridge_data){0};
}

/* log λ uniform over the range, drawn anew in every fold. */
static am_status draw_lambdas(ridge_data *d, uint64_t seed, uint32_t replication, am_error *err)
{
    d->nodes = GENERATOR_LAMBDAS;
    d->lambda = am_alloc((size_t)d->nodes * (size_t)d->folds, sizeof(double), "draws of λ", err);
    if (d->lambda == NULL)
        return AM_ERR_MEMORY;
    for (int f = 0; f < d->folds; f++)
        for (int i = 0; i < d->nodes; i++) {
            philox4 r = philox(seed, STREAM_LAMBDA, replication, (uint32_t)f, (uint32_t)i);
            d->lambda[linalg_at(i, f, d->nodes)] =
                lambda_of_u(2.0 * uniform_open(r.x[0]) - 1.0, log(LAMBDA_LOW), log(LAMBDA_HIGH));
        }
    return AM_OK;
}

am_status ridge_simulate(ridge_data *d, uint64_t seed, uint32_t replication, am_error *err)
{
    const linear_model model = {.n = 300, .p = 80, .active = 8, .b = 1.0, .rho = 0.2, .sigma = 1.0};
    *d = (ridge_data){.folds = FOLDS};
    AM_TRY(simulate_linear(&model, seed, replication, 0, &d->train, err));
    AM_TRY(simulate_linear(&model, seed, replication, 1, &d->test, err));
    AM_TRY(simulate_folds("--replications", model.n, FOLDS, seed, replication, &d->fold, err));
    return draw_lambdas(d, seed, replication, err);
}

/* ---- reference data ---------------------------------------------------------------------------- */

static am_status read_design(const char *folder, const char *name, design *d, am_error *err)
{
    char *path = output_path(folder, name);
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    am_status status = design_read(path, d, err);
    free(path);
    return status;
}

static am_status read_folds(const char *folder, ridge_data *d, am_error *err)
{
    char *path = output_path(folder, "fold_id.csv");
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    am_status status = labels_read(path, d->train.n, &d->fold, &d->folds, err);
    if (status == AM_OK && (d->folds < 2 || d->folds > MOST_FOLDS))
        status = am_fail(err, AM_ERR_INPUT, "%s: %d folds; number 2 to %d of them", path, d->folds,
                         MOST_FOLDS);
    free(path);
    return status;
}

/* The first file decides how many λ every fold has. */
static am_status take_lambdas(const char *path, const number_table *t, int fold, ridge_data *d,
                              am_error *err)
{
    if (t->columns != 1 || t->rows < 3 || (fold > 0 && t->rows != d->nodes))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: %d lines of %d fields; give one λ a line, at least 3 and as many for "
                       "every fold",
                       path, t->rows, t->columns);
    if (fold == 0) {
        d->nodes = t->rows;
        d->lambda = am_alloc((size_t)t->rows * (size_t)d->folds, sizeof(double), path, err);
        if (d->lambda == NULL)
            return AM_ERR_MEMORY;
    }
    for (int i = 0; i < t->rows; i++) {
        if (!(t->value[i] > 0))
            return am_fail(err, AM_ERR_INPUT, "%s:%d: λ = %g; give a positive number", path, i + 2,
                           t->value[i]);
        d->lambda[linalg_at(i, fold, d->nodes)] = t->value[i];
    }
    return AM_OK;
}

static am_status read_lambdas(const char *folder, ridge_data *d, uint64_t seed, am_error *err)
{
    for (int f = 0; f < d->folds; f++) {
        number_table t = {0};
        char *path = am_format("%s/generator_lambdas_fold%d.csv", folder, f + 1);
        if (path == NULL)
            return am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
        bool given = f > 0 || am_path_exists(path);
        am_status status = given ? numbers_read(path, "lambda", &t, err) : AM_OK;
        if (given && status == AM_OK)
            status = take_lambdas(path, &t, f, d, err);
        numbers_free(&t);
        free(path);
        if (!given)
            return draw_lambdas(d, seed, 0, err);
        AM_TRY(status);
    }
    return AM_OK;
}

/* Takes the numbers over when they stand on the experiment's own grid. */
static am_status take_expected(const char *path, number_table *t, ridge_data *d, am_error *err)
{
    double lambda[POINTS];
    lambda_grid(LAMBDA_LOW, LAMBDA_HIGH, POINTS, lambda);
    bool same = t->rows == POINTS && t->columns == 4;
    for (int i = 0; same && i < POINTS; i++)
        same = fabs(t->value[i] / lambda[i] - 1.0) < 1e-9;
    if (!same)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: not λ, GCV, CV and amortized CV at %d log-spaced λ from %g to %g; mend "
                       "or remove it",
                       path, POINTS, LAMBDA_LOW, LAMBDA_HIGH);
    d->expected = t->value;
    t->value = NULL;
    return AM_OK;
}

static am_status read_expected(const char *folder, ridge_data *d, am_error *err)
{
    number_table t = {0};
    char *path = output_path(folder, "expected_curves.csv");
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    bool given = am_path_exists(path);
    am_status status = given ? numbers_read(path, NULL, &t, err) : AM_OK;
    if (given && status == AM_OK)
        status = take_expected(path, &t, d, err);
    numbers_free(&t);
    free(path);
    return status;
}

am_status ridge_read(ridge_data *d, const char *folder, uint64_t seed, am_error *err)
{
    *d = (ridge_data){0};
    AM_TRY(read_design(folder, "train_x_then_y.csv", &d->train, err));
    AM_TRY(read_design(folder, "test_x_then_y.csv", &d->test, err));
    if (d->test.p != d->train.p)
        return am_fail(err, AM_ERR_INPUT,
                       "%s/test_x_then_y.csv: %d covariates, the training file has %d; give both "
                       "the same columns",
                       folder, d->test.p, d->train.p);
    AM_TRY(read_folds(folder, d, err));
    AM_TRY(read_lambdas(folder, d, seed, err));
    return read_expected(folder, d, err);
}
