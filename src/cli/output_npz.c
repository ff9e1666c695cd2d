/* Curves and draws as arrays for NumPy. */
#include "cli/output_sample.h"

#include <stdlib.h>
#include <string.h>

bool output_ends(const char *path, const char *ending)
{
    size_t length = path != NULL ? strlen(path) : 0, tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

/* ---- metrics as columns ---------------------------------------------------------------------- */

enum { METRIC_COLUMNS = 6 };

/* Column j of `count` metrics. */
static void metric_column(const metrics *m, int64_t count, int j, double *value)
{
    for (int64_t i = 0; i < count; i++) {
        const double all[METRIC_COLUMNS] = {m[i].nll,         m[i].nll_se, m[i].accuracy,
                                            m[i].accuracy_se, m[i].brier,  m[i].ece};
        value[i] = all[j];
    }
}

/* array[0..METRIC_COLUMNS) of shape (count), in `value` (METRIC_COLUMNS, count). */
static void metric_arrays(const metrics *m, int64_t count, const char *const name[METRIC_COLUMNS],
                          double *value, npz_array *array)
{
    for (int j = 0; j < METRIC_COLUMNS; j++) {
        metric_column(m, count, j, value + j * count);
        array[j] = (npz_array){name[j], NPZ_F64, 1, {count}, value + j * count};
    }
}

/* ---- curve ----------------------------------------------------------------------------------- */

am_status output_curve_npz(const tuning_curve *curve, const char *path, am_error *err)
{
    static const char *const name[METRIC_COLUMNS] = {"val_nll",    "val_nll_se", "val_acc",
                                                     "val_acc_se", "val_brier",  "val_ece"};
    int64_t points = curve->points, draws = curve->draws;
    npz_array array[METRIC_COLUMNS + 3];
    size_t values = (size_t)(points * METRIC_COLUMNS + 2 * points * draws);
    double *value = am_alloc(values, sizeof *value, "curve", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    int count = 0;
    array[count++] = (npz_array){"lambda", NPZ_F64, 1, {points}, curve->lambda};
    metric_arrays(curve->at, points, name, value, array + count);
    count += METRIC_COLUMNS;
    if (draws > 0) {
        double *nll = value + points * METRIC_COLUMNS, *accuracy = nll + points * draws;
        metric_column(curve->draw, points * draws, 0, nll);
        metric_column(curve->draw, points * draws, 2, accuracy);
        array[count++] = (npz_array){"val_nll_draws", NPZ_F64, 2, {points, draws}, nll};
        array[count++] = (npz_array){"val_acc_draws", NPZ_F64, 2, {points, draws}, accuracy};
    }
    am_status status = npz_write(path, array, count, err);
    free(value);
    return status;
}

/* ---- draws ----------------------------------------------------------------------------------- */

enum { DOUBT_COLUMNS = 4 };

/* How sure the draws are of n rows, in `value` (DOUBT_COLUMNS, n). */
static void doubt_arrays(const row_uncertainty *row, int64_t n,
                         const char *const name[DOUBT_COLUMNS], double *value, npz_array *array)
{
    for (int64_t i = 0; i < n; i++) {
        value[i] = row[i].confidence;
        value[n + i] = row[i].entropy;
        value[2 * n + i] = row[i].expected;
        value[3 * n + i] = row[i].information;
    }
    for (int j = 0; j < DOUBT_COLUMNS; j++)
        array[j] = (npz_array){name[j], NPZ_F64, 1, {n}, value + j * n};
}

/* array, from what r holds; value has room for all numbers that are not arrays yet. */
static int sample_arrays(const sample_result *r, double *value, npz_array *array)
{
    static const char *const metric[METRIC_COLUMNS] = {"nll",    "nll_se", "acc",
                                                       "acc_se", "brier",  "ece"};
    static const char *const own[DOUBT_COLUMNS] = {"confidence", "entropy", "expected_entropy",
                                                   "mutual_information"};
    static const char *const other[DOUBT_COLUMNS] = {
        "ood_confidence", "ood_entropy", "ood_expected_entropy", "ood_mutual_information"};
    int64_t draws = r->p.draws;
    int count = 0;
    array[count++] = (npz_array){"lambda", NPZ_F64, 1, {r->choice.groups}, r->choice.lambda};
    metric_arrays(r->p.draw, draws, metric, value, array + count);
    value += METRIC_COLUMNS * draws;
    count += METRIC_COLUMNS;
    if (r->classes) {
        doubt_arrays(r->row, r->n, own, value, array + count);
        value += DOUBT_COLUMNS * r->n;
        count += DOUBT_COLUMNS;
    }
    if (r->has_other) {
        doubt_arrays(r->other.row, r->other.n, other, value, array + count);
        count += DOUBT_COLUMNS;
    }
    if (r->omega != NULL)
        array[count++] = (npz_array){"omega", NPZ_F32, 2, {draws, r->blocks}, r->omega};
    if (r->theta != NULL)
        array[count++] = (npz_array){"theta", NPZ_F32, 2, {draws, r->params}, r->theta};
    return count;
}

am_status output_sample_npz(const sample_result *r, const char *path, am_error *err)
{
    npz_array array[METRIC_COLUMNS + 2 * DOUBT_COLUMNS + 3];
    int64_t values = METRIC_COLUMNS * r->p.draws + DOUBT_COLUMNS * (r->n + r->other.n);
    double *value = am_alloc((size_t)values, sizeof *value, "draws", err);
    if (value == NULL)
        return AM_ERR_MEMORY;
    am_status status = npz_write(path, array, sample_arrays(r, value, array), err);
    free(value);
    return status;
}
