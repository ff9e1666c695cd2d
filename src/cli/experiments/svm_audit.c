/* The SVM generator against exact solves at fresh (ω, λ). */
#include "classic/block_weights.h"
#include "cli/experiments/svm.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

typedef double vector[SVM_COLUMNS];

/* Sums of δ_g·δ, δ_g², δ² over audits and test rows, δ = xᵀ(β(ω) − β(1)). */
typedef struct {
    double cross, own, exact;
} response_sums;

/* Σ_i (x_iᵀa)(x_iᵀb) = aᵀGb with G = XᵀX of the test rows. */
static double inner(const double *gram, int p, const double *a, const double *b)
{
    double sum = 0;
    for (int k = 0; k < p; k++)
        for (int j = 0; j < p; j++)
            sum += a[j] * gram[linalg_at(j, k, p)] * b[k];
    return sum;
}

static am_status evaluate_method(const svm_result *r, svm_method method, amortized_point at,
                                 const double *omega, vector even, vector theta, am_error *err)
{
    const amortized_generator *g = &r->generator[method == BY_AUGMENTATION];
    amortized_response one;
    amortized_theta(g, at, NULL, even);
    if (method != BY_NEWTON) {
        amortized_theta(g, at, omega, theta);
        return AM_OK;
    }
    am_status status = amortized_response_open(&one, &r->data.data, at, even, err);
    if (status == AM_OK)
        amortized_respond(&one, omega, theta);
    amortized_response_free(&one);
    return status;
}

static void add_excess(const svm_result *r, double excess, double *mean, double *worst)
{
    *mean += excess / r->audited;
    *worst = fmax(*worst, excess);
}

static am_status solve_exactly(svm_result *r, amortized_point at, const double *omega,
                               vector exact[2], am_error *err)
{
    const amortized_data *d = &r->data.data;
    vector em = {0};
    piecewise_certificate c, ignored;
    for (int i = 0; i < 2; i++) { /* ω = 1, then ω */
        double begin = am_seconds();
        AM_TRY(amortized_exact(d, at, i == 0 ? NULL : omega, 1e-8, exact[i], &c, err));
        r->exact_seconds += (am_seconds() - begin) / (2 * r->audited);
        r->exact_gap = fmax(r->exact_gap, (c.primal - c.dual) / c.primal);
    }
    double begin = am_seconds();
    AM_TRY(amortized_envelope(d, at, omega, 1e-6, em, &ignored, err));
    r->em_seconds += (am_seconds() - begin) / r->audited;
    double excess =
        amortized_criterion(d, at, omega, em) / amortized_criterion(d, at, omega, exact[1]) - 1;
    r->em_excess = fmax(r->em_excess, excess);
    return AM_OK;
}

static am_status audit_point(svm_result *r, amortized_point at, const double *omega,
                             const double *gram, response_sums *sums, am_error *err)
{
    const amortized_data *d = &r->data.data;
    int p = r->data.p;
    vector exact[2], theta, even, moved, exact_moved;
    AM_TRY(solve_exactly(r, at, omega, exact, err));
    double least_even = amortized_criterion(d, at, NULL, exact[0]);
    double least = amortized_criterion(d, at, omega, exact[1]);
    for (int j = 0; j < p; j++)
        exact_moved[j] = exact[1][j] - exact[0][j];
    for (int m = 0; m < SVM_METHODS; m++) {
        svm_audit *a = &r->audit[m];
        double begin = am_seconds();
        AM_TRY(evaluate_method(r, (svm_method)m, at, omega, even, theta, err));
        a->seconds += (am_seconds() - begin) / r->audited;
        add_excess(r, amortized_criterion(d, at, NULL, even) / least_even - 1, &a->excess_mean,
                   &a->excess_worst);
        add_excess(r, amortized_criterion(d, at, omega, theta) / least - 1, &a->weighted_mean,
                   &a->weighted_worst);
        if (m == BY_HINGE)
            r->no_response += (amortized_criterion(d, at, omega, even) / least - 1) / r->audited;
        for (int j = 0; j < p; j++)
            moved[j] = theta[j] - even[j];
        sums[m].cross += inner(gram, p, moved, exact_moved);
        sums[m].own += inner(gram, p, moved, moved);
        sums[m].exact += inner(gram, p, exact_moved, exact_moved);
    }
    return AM_OK;
}

am_status svm_run_audit(svm_result *r, uint64_t seed, am_error *err)
{
    const amortized_options *o = &r->generator[0].o;
    int p = r->data.p;
    response_sums sums[SVM_METHODS] = {{0}};
    double omega[SVM_BLOCKS];
    double *gram = am_alloc((size_t)p * (size_t)p, sizeof *gram, "audit", err);
    am_status status = gram != NULL ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK)
        linalg_gram(r->data.test.n, p, r->data.test.x, gram);
    for (uint32_t i = 0; i < (uint32_t)r->audited && status == AM_OK; i++) {
        double u = uniform_open(philox(seed, STREAM_EVALUATION, 1, i, 0).x[0]);
        amortized_point at = {.lambda = o->lambda_low * pow(o->lambda_high / o->lambda_low, u)};
        block_weights(seed, STREAM_EVALUATION, 0, i, SVM_BLOCKS, omega);
        status = audit_point(r, at, omega, gram, sums, err);
    }
    for (int m = 0; m < SVM_METHODS; m++) {
        r->audit[m].captured = sums[m].cross / sums[m].exact;
        r->audit[m].spread = sums[m].own / sums[m].exact;
        r->audit[m].fidelity = sums[m].cross / sqrt(sums[m].own * sums[m].exact);
    }
    free(gram);
    return status;
}
