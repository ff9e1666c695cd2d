/* what the generator of weighted M-estimation is used for: intervals, weights, data, uses. */
#include "support/estimation.h"

#include "classic/mest_interval.h"
#include "classic/mest_uses.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- intervals, by hand ------------------------------------------------------------------------ */

Test(classic_mest_uses, normal_distribution)
{
    cr_expect_float_eq(normal_quantile(0.975), 1.959963984540054, 1e-14);
    cr_expect_float_eq(normal_quantile(0.5), 0, 1e-15);
    cr_expect_float_eq(normal_quantile(0.1), -1.2815515655446004, 1e-14);
    cr_expect_float_eq(normal_quantile(1e-10), -6.361340902404056, 1e-12);
    cr_expect_float_eq(normal_cdf(1.959963984540054), 0.975, 1e-15);
}

Test(classic_mest_uses, interval_arithmetic_by_hand)
{
    const double sorted[5] = {1, 2, 4, 8, 16}, skew[3] = {-1, -1, 2}, none[2] = {0, 0};
    cr_expect_float_eq(interval_quantile(5, sorted, 0.5), 4, 1e-15);
    cr_expect_float_eq(interval_quantile(5, sorted, 0.6), 5.6, 1e-14); /* place 2.4 */
    cr_expect_float_eq(interval_quantile(5, sorted, 0), 1, 1e-15);
    cr_expect_float_eq(interval_quantile(5, sorted, 1), 16, 1e-15);
    cr_expect_float_eq(interval_acceleration(3, skew), 1 / (6 * sqrt(6.0)),
                       1e-15); /* 6/(6·6^1.5) */
    cr_expect_eq(interval_acceleration(2, none), 0.0);
    cr_expect_float_eq(interval_bias(5, sorted, 4), 0, 1e-15);                   /* 2½ of 5 */
    cr_expect_float_eq(interval_bias(5, sorted, 5), 0.2533471031357997, 1e-14);  /* Φ⁻¹(0.6) */
    cr_expect_float_eq(interval_bias(5, sorted, 99), 1.2815515655446004, 1e-14); /* 0.9, not 1 */
    cr_expect_float_eq(interval_bca_order(0.025, 0, 0), 0.025, 1e-15);
    cr_expect_float_eq(interval_bca_order(0.025, 0.1, 0.05), 0.05461007689835957, 1e-12);
    cr_expect_float_eq(interval_bca_order(0.975, 0.1, 0.05), 0.9917237368688839, 1e-12);
    cr_expect_eq(interval_bca_order(0.975, 3, 0.5), 1.0); /* beyond the pole */
}

/* ---- weights ------------------------------------------------------------------------------------ */

enum { K = 40, MANY = 400 };

static void moments(const double *omega, int draws, double *mean, double *variance)
{
    *mean = *variance = 0;
    for (int i = 0; i < K * draws; i++)
        *mean += omega[i] / (K * draws);
    for (int i = 0; i < K * draws; i++)
        *variance += (omega[i] - *mean) * (omega[i] - *mean) / (K * draws);
}

Test(classic_mest_uses, weights_have_mean_and_variance_one)
{
    static double omega[K * MANY];
    for (int kind = MEST_DIRICHLET; kind <= MEST_MULTINOMIAL; kind++) {
        double mean, variance;
        mest_weights_draw((mest_weight_kind)kind, 1, 7, 0, 0, MANY, K, omega);
        moments(omega, MANY, &mean, &variance);
        cr_expect_float_eq(mean, 1, 0.03);
        cr_expect_float_eq(variance, 1, 0.1);
        for (int m = 0; m < MANY && kind != MEST_EXPONENTIAL; m++) {
            double sum = 0;
            for (int b = 0; b < K; b++)
                sum += omega[m * K + b];
            cr_expect_float_eq(sum, K, 1e-9);
        }
    }
}

Test(classic_mest_uses, halves_are_complementary_and_folds_leave_one_out)
{
    double omega[7 * 4], fold[9];
    mest_weights_draw(MEST_HALVES, 1, 3, 0, 0, 4, 7, omega);
    for (int pair = 0; pair < 2; pair++) {
        double first = 0;
        for (int b = 0; b < 7; b++) {
            double a = omega[2 * pair * 7 + b], c = omega[(2 * pair + 1) * 7 + b];
            cr_expect(a + c == 2.0 && (a == 0 || a == 2));
            first += a;
        }
        cr_expect_eq(first, 8.0); /* four of seven */
    }
    mest_weights_folds(3, fold);
    const double expected[9] = {0, 1.5, 1.5, 1.5, 0, 1.5, 1.5, 1.5, 0};
    cr_expect_arr_eq(fold, expected, sizeof fold);
}

/* Inner weights stand to ω as ω to 1: mean ω_b, variance ω_b(1 − ω_b/K) about. */
Test(classic_mest_uses, inner_weights_scatter_round_the_outer_ones)
{
    static double inner[K * MANY];
    double omega[K];
    mest_weights_draw(MEST_DIRICHLET, 1, 5, 0, 0, 1, K, omega);
    for (int kind = MEST_DIRICHLET; kind <= MEST_MULTINOMIAL; kind++) {
        double square = 0, expected = 0;
        mest_weights_inner((mest_weight_kind)kind, 1, 5, 1, MANY, K, omega, inner);
        for (int b = 0; b < K; b++) {
            double mean = 0;
            for (int m = 0; m < MANY; m++) {
                mean += inner[m * K + b] / MANY;
                square += (inner[m * K + b] - omega[b]) * (inner[m * K + b] - omega[b]) / MANY;
            }
            cr_expect_float_eq(mean, omega[b], 5 * sqrt(omega[b] / MANY) + 0.01);
            expected += omega[b];
        }
        cr_expect_float_eq(square / expected, 1, 0.15);
    }
}

/* ---- data --------------------------------------------------------------------------------------- */

static const char *const names[] = {"a", "b", "c"};

static mest_table table_of(const double *x, const double *y, int n, int columns)
{
    return (mest_table){
        .source = "t.csv", .label = "y", .n = n, .columns = columns, .x = x, .y = y, .name = names};
}

/* y = 2 + 3a: standardised slope 3·sd(a); back in original units it is 3 again. */
Test(classic_mest_uses, data_are_standardised_and_restored)
{
    const double a[4] = {1, 2, 3, 6}, y[4] = {5, 8, 11, 20};
    mest_table t = table_of(a, y, 4, 1);
    mest_data d;
    am_error err = {0};
    cr_assert_eq(mest_data_make(&t, CLASSIC_SQUARED, true, true, &d, &err), AM_OK);
    cr_expect_float_eq(d.mean[1], 3, 1e-15);
    cr_expect_float_eq(d.sd[1], sqrt(3.5), 1e-15); /* (4 + 1 + 0 + 9)/4 */
    cr_expect_float_eq(d.shift, 9.5, 1e-15);
    double beta[2] = {11 - 9.5, 3 * sqrt(3.5)};
    mest_data_restore(&d, true, beta);
    cr_expect_float_eq(beta[0], 2, 1e-14);
    cr_expect_float_eq(beta[1], 3, 1e-14);
    mest_data_free(&d);
}

Test(classic_mest_uses, unfit_data_are_named)
{
    const double x[12] = {1, 2, 3, 4, 5, 5, 5, 5, 2, 4, 6, 8};
    const double one[4] = {1, 1, 1, 1}, three[4] = {0, 1, 2, 1};
    mest_data d;
    am_error err = {0};
    mest_table t = table_of(x, three, 4, 2);
    cr_expect_eq(mest_data_make(&t, CLASSIC_SQUARED, true, true, &d, &err), AM_ERR_INPUT);
    cr_expect_str_eq(err.message,
                     "t.csv: column 'b' is constant; remove it, the intercept stands for it");
    t = table_of(x, three, 4, 1);
    cr_expect_eq(mest_data_make(&t, CLASSIC_HINGE, true, true, &d, &err), AM_ERR_INPUT);
    cr_expect(strstr(err.message, "more than two classes") != NULL);
    t = table_of(x, one, 4, 1);
    cr_expect_eq(mest_data_make(&t, CLASSIC_LOGISTIC, true, true, &d, &err), AM_ERR_INPUT);
    cr_expect(strstr(err.message, "one class only") != NULL);
    double collinear[12];
    memcpy(collinear, x, 4 * sizeof *x);
    memcpy(collinear + 4, (const double[]){1, 0, 0, 1}, 4 * sizeof *x);
    for (int i = 0; i < 4; i++)
        collinear[8 + i] = 2 * collinear[i] - collinear[4 + i];
    t = table_of(collinear, three, 4, 3);
    cr_assert_eq(mest_data_make(&t, CLASSIC_SQUARED, true, true, &d, &err), AM_OK);
    cr_expect_eq(mest_data_check_rank(&d, &err), AM_ERR_INPUT);
    cr_expect(strstr(err.message, "column 'c' is a combination") == err.message, "%s", err.message);
    mest_data_free(&d);
}

enum { ROWS = 200, Q = 6, DRAWS = 300 };
static const double shares[4][2] = {{0, 0}, {0, 1}, {1, 0}, {0.5, 0.5}};

/* ---- uses ---------------------------------------------------------------------------------------- */

typedef struct {
    simulation s;
    mest_data d;
    mest_setup setup;
} study;

static void open_study(study *t, classic_loss_kind kind, int n, int penalty)
{
    am_error err = {0};
    static const char *const columns[] = {"a", "b", "c", "d", "e"};
    simulate(&t->s, kind, n, Q, 0, 0, 37);
    mest_table table = {.source = "t.csv",
                        .label = "y",
                        .n = n,
                        .columns = Q - 1,
                        .x = t->s.x + n,
                        .y = t->s.y,
                        .name = columns};
    cr_assert_eq(mest_data_make(&table, kind, true, true, &t->d, &err), AM_OK, "%s", err.message);
    t->setup = (mest_setup){.data = &t->d,
                            .loss = t->s.p.loss,
                            .l1 = shares[penalty][0],
                            .l2 = shares[penalty][1],
                            .blocks = K,
                            .alpha = 1,
                            .seed = 1,
                            .threads = 1,
                            .draws = DRAWS,
                            .level = 0.9};
}

Test(classic_mest_uses, bootstrap_intervals_are_those_of_the_refits)
{
    study t;
    mest_bootstrap r;
    am_error err = {0};
    open_study(&t, CLASSIC_LOGISTIC, ROWS, 0);
    t.setup.audit = DRAWS;
    cr_assert_eq(mest_bootstrap_run(&t.setup, 0, 20, &r, &err), AM_OK, "%s", err.message);
    cr_expect(r.audit.refits == DRAWS && r.audit.failed == 0);
    cr_expect_leq(r.audit.worst_end, 0.05);
    for (int j = 0; j < Q; j++) {
        const mest_interval *row = &r.row[j];
        const double *kinds[3] = {row->percentile, row->bca, row->calibrated};
        for (int k = 0; k < 3; k++)
            cr_expect(kinds[k][0] < kinds[k][1] && isfinite(kinds[k][0]) && isfinite(kinds[k][1]));
        cr_expect(row->percentile[0] < row->estimate && row->estimate < row->percentile[1]);
        cr_expect(row->se > 0.05 && row->se < 0.6);
    }
    mest_bootstrap_free(&r);
    mest_data_free(&t.d);
}

/* The interval of the squared loss's slope has about the width of theory, 2·1.645·σ/√n. */
Test(classic_mest_uses, bootstrap_of_squared_loss_has_the_width_of_theory)
{
    study t;
    mest_bootstrap r;
    am_error err = {0};
    open_study(&t, CLASSIC_SQUARED, ROWS, 0);
    for (int i = 0; i < ROWS; i++)
        t.d.y[i] = sim_normal(41, 2, (uint32_t)i);
    cr_assert_eq(mest_bootstrap_run(&t.setup, 0, 0, &r, &err), AM_OK, "%s", err.message);
    for (int j = 1; j < Q; j++) {
        double width = (r.row[j].percentile[1] - r.row[j].percentile[0]) * t.d.sd[j];
        cr_expect_float_eq(width / (2 * 1.645 / sqrt(ROWS)), 1, 0.35);
        cr_expect(isnan(r.row[j].calibrated[0]));
    }
    mest_bootstrap_free(&r);
    mest_data_free(&t.d);
}

Test(classic_mest_uses, cross_validation_is_that_of_the_refits)
{
    static const classic_loss_kind kinds[] = {CLASSIC_SQUARED, CLASSIC_LOGISTIC, CLASSIC_HUBER};
    for (int k = 0; k < 3; k++) {
        study t;
        mest_cv r;
        am_error err = {0};
        double low, high, lambda[12];
        open_study(&t, kinds[k], ROWS, 2);
        t.setup.audit = 1;
        cr_assert_eq(mest_lambda_range(&t.setup, &low, &high, &err), AM_OK);
        mest_lambda_grid(low, high, 12, lambda);
        cr_assert_eq(mest_cv_run(&t.setup, 5, 12, lambda, &r, &err), AM_OK, "%s", err.message);
        double range = r.refit_mean[0] - r.refit_mean[r.refit_best];
        for (int i = 0; i < 12; i++)
            cr_expect_float_eq(r.mean[i], r.refit_mean[i], 0.01 * range);
        cr_expect(r.best == r.refit_best && r.one_se <= r.best);
        for (int j = 1; j < Q; j++) /* nothing at the largest λ */
            cr_expect_eq(r.beta[j], 0.0);
        mest_cv_free(&r);
        mest_data_free(&t.d);
    }
}

/* Leave-one-out of the mean: the fit to the others misses y_i by n/(n − 1)·(y_i − ȳ). */
Test(classic_mest_uses, folds_of_one_row)
{
    study t;
    mest_cv r;
    am_error err = {0};
    const double lambda[2] = {1e6, 1e5}; /* no coefficient but the intercept is left */
    open_study(&t, CLASSIC_SQUARED, 30, 2);
    cr_assert_eq(mest_cv_run(&t.setup, 30, 2, lambda, &r, &err), AM_OK, "%s", err.message);
    double mean = 0, expected = 0;
    for (int i = 0; i < 30; i++)
        mean += t.d.y[i] / 30;
    for (int i = 0; i < 30; i++)
        expected += pow(30.0 / 29 * (t.d.y[i] - mean), 2) / 30;
    cr_expect_float_eq(r.mean[0], expected, 1e-9 * expected);
    cr_expect(isfinite(r.se[0]));
    mest_cv_free(&r);
    cr_expect_eq(mest_cv_run(&t.setup, 31, 2, lambda, &r, &err), AM_ERR_USAGE);
    cr_expect(strstr(err.message, "30 rows can be cut into 2 to 30 folds") != NULL);
    mest_data_free(&t.d);
}

Test(classic_mest_uses, stability_prefers_columns_with_an_effect)
{
    study t;
    mest_stability r;
    am_error err = {0};
    double low, high, lambda[15];
    open_study(&t, CLASSIC_LOGISTIC, 400, 2);
    t.setup.draws = 60;
    cr_assert_eq(mest_lambda_range(&t.setup, &low, &high, &err), AM_OK);
    mest_lambda_grid(low, high, 15, lambda);
    cr_assert_eq(mest_stability_run(&t.setup, 0.75, INFINITY, 15, lambda, &r, &err), AM_OK);
    cr_expect_eq(r.points, 15);
    cr_expect(isnan(r.most[0]) && r.most[1] > 0.9 && r.most[2] > 0.9);
    for (int j = 1; j < Q; j++)
        for (int i = 0; i < 15; i++)
            cr_expect(r.frequency[i * Q + j] >= 0 && r.frequency[i * Q + j] <= 1 + 1e-12);
    cr_expect_float_eq(r.bound, r.selected * r.selected / (0.5 * (Q - 1)), 1e-12);
    double all = r.selected;
    mest_stability_free(&r);
    cr_assert_eq(mest_stability_run(&t.setup, 0.75, 1.0, 15, lambda, &r, &err), AM_OK);
    cr_expect(r.points < 15 && r.selected < all);
    mest_stability_free(&r);
    t.setup.l1 = 0;
    t.setup.l2 = 1;
    cr_expect_eq(mest_stability_run(&t.setup, 0.75, 1.0, 15, lambda, &r, &err), AM_ERR_USAGE);
    mest_data_free(&t.d);
}

Test(classic_mest_uses, paths_hold_their_bands)
{
    study t;
    mest_path r;
    am_error err = {0};
    double lambda[6];
    open_study(&t, CLASSIC_HUBER, ROWS, 3);
    mest_lambda_grid(1e-3, 1, 6, lambda);
    cr_expect_float_eq(lambda[2], pow(10, -1.2), 1e-12);
    cr_assert_eq(mest_path_run(&t.setup, 6, lambda, &r, &err), AM_OK, "%s", err.message);
    cr_expect_leq(r.residual, MEST_TOLERANCE);
    for (int i = 0; i < 6 * Q; i++)
        cr_expect(r.low[i] <= r.beta[i] + 1e-3 && r.beta[i] <= r.high[i] + 1e-3);
    mest_path_free(&r);
    mest_data_free(&t.d);
}
