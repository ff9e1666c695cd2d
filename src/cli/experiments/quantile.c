/* The quantile experiment: heteroscedastic data with known quantile curves, one generator over
 * (ω, q, λ), trained on the check loss exactly and through the variance–mean envelope (Polson and
 * Scott 2016), its tuning curve, its crossing, and exact solves at fresh points to hold it against. */
#include "cli/experiments/quantile.h"

#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

const double quantile_shown_q[Q_SHOWN] = {0.05, 0.25, 0.5, 0.75, 0.95};

static const amortized_options training = {.q_low = 0.05,
                                           .q_high = 0.95,
                                           .lambda_low = 1e-5,
                                           .lambda_high = 1e-1,
                                           .degree_q = 6,
                                           .degree_lambda = 5,
                                           .response_q = 2,
                                           .response_lambda = 1,
                                           .draws = 150,
                                           .response_draws = 400,
                                           .order_places = Q_ORDER,
                                           .order_draws = 300,
                                           .order_weight = 0.05};

static am_status train(quantile_result *r, const settings *set, am_error *err)
{
    for (int g = 0; g < 2; g++) {
        amortized_options o = training;
        o.seed = (uint64_t)set->seed;
        o.envelope = g == BY_ENVELOPE;
        o.tolerance = 1e-5;
        o.order_x = r->order_x;
        progress_note(set, "training %s",
                      o.envelope ? "through the variance–mean envelope" : "on the check loss");
        AM_TRY(amortized_fit(&r->generator[g], &r->data, &o, err));
    }
    return AM_OK;
}

/* ---- tuning curve ------------------------------------------------------------------------------ */

/* Mean check loss of the validation rows. */
static double validation_loss(const quantile_result *r, double q, const double *theta)
{
    double sum = 0;
    for (int i = 0; i < Q_ROWS; i++) {
        double residual = r->b_validation[i];
        for (int j = 0; j < Q_COLUMNS; j++)
            residual -= r->x_validation[linalg_at(i, j, Q_ROWS)] * theta[j];
        sum += fmax((q - 1) * residual, q * residual);
    }
    return sum / Q_ROWS;
}

/* Method 0: exact, 1: trained on the check loss, 2: through the envelope. */
static am_status curve_of(quantile_result *r, int method, am_error *err)
{
    for (int l = 0; l < Q_LAMBDAS; l++) {
        r->lambda[l] = training.lambda_low *
                       pow(training.lambda_high / training.lambda_low, l / (Q_LAMBDAS - 1.0));
        for (int k = 0; k < Q_LEVELS; k++) {
            amortized_point at = {0.05 * (k + 1), r->lambda[l]};
            double theta[Q_COLUMNS];
            piecewise_certificate ignored;
            if (method > 0)
                amortized_theta(&r->generator[method - 1], at, NULL, theta);
            else
                AM_TRY(amortized_exact(&r->data, at, NULL, 1e-8, theta, &ignored, err));
            r->validation[method][l] += validation_loss(r, at.q, theta) / Q_LEVELS;
        }
        if (r->validation[method][l] < r->validation[method][r->choice[method]])
            r->choice[method] = l;
    }
    return AM_OK;
}

/* Curves of the figure, and the distance from the truth over all levels of q. */
static am_status show_curves(quantile_result *r, am_error *err)
{
    double lambda = r->lambda[r->choice[1]], square[2] = {0};
    for (int k = 0; k < Q_LEVELS; k++) {
        double q = 0.05 * (k + 1), theta[2][Q_COLUMNS];
        piecewise_certificate ignored;
        amortized_point at = {q, lambda};
        AM_TRY(amortized_exact(&r->data, at, NULL, 1e-8, theta[0], &ignored, err));
        amortized_theta(&r->generator[BY_CHECK], at, NULL, theta[1]);
        for (int i = 0; i < Q_GRID; i++) {
            double truth = quantile_truth((double)i / (Q_GRID - 1), q);
            for (int m = 0; m < 2; m++) {
                double f = 0;
                for (int j = 0; j < Q_COLUMNS; j++)
                    f += r->grid[linalg_at(i, j, Q_GRID)] * theta[m][j];
                square[m] += (f - truth) * (f - truth) / (Q_GRID * Q_LEVELS);
                for (int s = 0; s < Q_SHOWN; s++)
                    if (fabs(quantile_shown_q[s] - q) < 1e-9) {
                        r->shown[m][s][i] = f;
                        r->shown[2][s][i] = truth;
                    }
            }
        }
    }
    for (int m = 0; m < 2; m++)
        r->truth[m] = sqrt(square[m]);
    return AM_OK;
}

static am_status run_all(quantile_result *r, const settings *set, am_error *err)
{
    uint64_t seed = (uint64_t)set->seed;
    AM_TRY(quantile_simulate(r, seed, err));
    AM_TRY(train(r, set, err));
    for (int m = 0; m < 3; m++) {
        double begin = am_seconds();
        AM_TRY(curve_of(r, m, err));
        if (m < 2)
            r->curve_seconds[m] = am_seconds() - begin;
    }
    AM_TRY(show_curves(r, err));
    progress_note(set, "exact solves at %d fresh (ω, q, λ)", Q_AUDITED);
    AM_TRY(quantile_run_audit(r, seed, err));
    return quantile_run_crossing(r, seed, err);
}

am_status experiment_quantile(const settings *set, am_error *err)
{
    const char *folder = out_or(set, "results/quantile");
    double begin = am_seconds();
    linalg_one_thread();
    quantile_result *r = am_alloc(1, sizeof *r, "experiment quantile", err);
    if (r == NULL)
        return AM_ERR_MEMORY;
    am_status status = am_check_writable(folder, err);
    if (status == AM_OK)
        status = run_all(r, set, err);
    r->total_seconds = am_seconds() - begin;
    if (status == AM_OK)
        status = quantile_report(set, r, folder, err);
    amortized_free(&r->generator[0]);
    amortized_free(&r->generator[1]);
    free(r->memory);
    free(r->block);
    free(r);
    return status;
}
