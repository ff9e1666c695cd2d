/* The SVM experiment: the hinge loss with a penalty λ and weights ω, exactly, by the EM of data
 * augmentation, and as one generator over (ω, λ); λ by validation and by ECME; on simulated data and
 * on two classes of images. */
#include "cli/experiments/svm.h"

#include "data/data.h"
#include "linalg/linalg.h"

#include <math.h>
#include <stdlib.h>

static const svm_prior prior = {1, 1};

static const amortized_options training = {.lambda_low = 1e-5,
                                           .lambda_high = 1,
                                           .degree_lambda = 8,
                                           .response_lambda = 1,
                                           .draws = 40,
                                           .response_draws = 120,
                                           .tolerance = 1e-5};

static am_status train(svm_result *r, const settings *set, am_error *err)
{
    for (int g = 0; g < 2; g++) {
        amortized_options o = training;
        o.seed = (uint64_t)set->seed;
        o.envelope = g == BY_AUGMENTATION;
        progress_note(set, "%s: training %s", r->data.name,
                      o.envelope ? "by data augmentation" : "on the hinge loss");
        AM_TRY(amortized_fit(&r->generator[g], &r->data.data, &o, err));
    }
    return AM_OK;
}

/* Mean hinge loss and error rate. */
static void score(const svm_rows *rows, int p, const double *beta, double *loss, double *error)
{
    double sum = 0;
    int wrong = 0;
    for (int i = 0; i < rows->n; i++) {
        double f = 0;
        for (int j = 0; j < p; j++)
            f += rows->x[linalg_at(i, j, rows->n)] * beta[j];
        sum += fmax(0, 1 - rows->label[i] * f);
        wrong += rows->label[i] * f <= 0;
    }
    *loss = sum / rows->n;
    *error = (double)wrong / rows->n;
}

/* θ at λ: method 0 exact, 1 the generator. */
static am_status at_lambda(const svm_result *r, int method, double lambda, double *theta,
                           am_error *err)
{
    amortized_point at = {.lambda = lambda};
    piecewise_certificate ignored;
    if (method == 0)
        return amortized_exact(&r->data.data, at, NULL, 1e-8, theta, &ignored, err);
    amortized_theta(&r->generator[BY_HINGE], at, NULL, theta);
    return AM_OK;
}

static am_status tune(svm_result *r, am_error *err)
{
    double theta[SVM_COLUMNS], ignored;
    for (int l = 0; l < SVM_LAMBDAS; l++)
        r->lambda[l] = training.lambda_low *
                       pow(training.lambda_high / training.lambda_low, l / (SVM_LAMBDAS - 1.0));
    for (int m = 0; m < 2; m++) {
        double begin = am_seconds();
        for (int l = 0; l < SVM_LAMBDAS; l++) {
            AM_TRY(at_lambda(r, m, r->lambda[l], theta, err));
            score(&r->data.validation, r->data.p, theta, &r->loss[m][l], &r->error[m][l]);
            if (r->loss[m][l] < r->loss[m][r->choice[m]])
                r->choice[m] = l;
            if (m == 0 && l == 0)
                score(&r->data.train, r->data.p, theta, &ignored, &r->separable);
        }
        r->curve_seconds[m] = am_seconds() - begin;
        r->edge[m] = r->choice[m] == 0 || r->choice[m] == SVM_LAMBDAS - 1;
        AM_TRY(at_lambda(r, m, r->lambda[r->choice[m]], theta, err));
        score(&r->data.test, r->data.p, theta, &ignored, &r->test_error[m]);
    }
    return AM_OK;
}

/* λ by ECME, with fits and along the generator. */
static am_status choose_by_ecme(svm_result *r, am_error *err)
{
    double theta[SVM_COLUMNS], ignored, begin = am_seconds();
    AM_TRY(svm_ecme(&r->data.data, prior, NULL, 1e-7, theta, &r->ecme, err));
    r->ecme_seconds = am_seconds() - begin;
    score(&r->data.test, r->data.p, theta, &ignored, &r->ecme_test_error[0]);
    begin = am_seconds();
    AM_TRY(svm_ecme_amortized(&r->generator[BY_HINGE], prior, NULL, &r->ecme_amortized, err));
    r->ecme_amortized_seconds = am_seconds() - begin;
    AM_TRY(at_lambda(r, 1, r->ecme_amortized.lambda, theta, err));
    score(&r->data.test, r->data.p, theta, &ignored, &r->ecme_test_error[1]);
    return AM_OK;
}

static am_status run_part(svm_result *r, const settings *set, am_error *err)
{
    progress_note(set, "%s: %d training, %d validation, %d %s rows, %d columns", r->data.name,
                  r->data.train.n, r->data.validation.n, r->data.test.n, r->data.test_name,
                  r->data.p);
    AM_TRY(train(r, set, err));
    AM_TRY(tune(r, err));
    AM_TRY(choose_by_ecme(r, err));
    progress_note(set, "%s: exact solves at %d fresh (ω, λ)", r->data.name, r->audited);
    return svm_run_audit(r, (uint64_t)set->seed, err);
}

static bool can_be_found(const char *source)
{
    char *path = NULL;
    am_error ignored = {0};
    bool found = data_find(source, &path, &ignored) == AM_OK;
    free(path);
    return found;
}

static am_status run_all(svm_experiment *e, const settings *set, am_error *err)
{
    uint64_t seed = (uint64_t)set->seed;
    const char *source = set->dataset != NULL ? set->dataset : "mnist";
    bool given = settings_given(set, "dataset");
    if (given || can_be_found(source)) {
        e->part[1].audited = 20;
        e->parts = 2;
        AM_TRY(svm_images(&e->part[1].data, source, seed, err));
    } else {
        e->parts = 1;
        progress_note(set, "%s is not here, so only simulated data; get it with: datasets/get %s",
                      source, source);
    }
    e->part[0].audited = 100;
    AM_TRY(svm_simulate(&e->part[0].data, seed, err));
    for (int i = 0; i < e->parts; i++)
        AM_TRY(run_part(&e->part[i], set, err));
    return AM_OK;
}

am_status experiment_svm(const settings *set, am_error *err)
{
    const char *folder = out_or(set, "results/svm");
    double begin = am_seconds();
    linalg_one_thread();
    svm_experiment *e = am_alloc(1, sizeof *e, "experiment svm", err);
    if (e == NULL)
        return AM_ERR_MEMORY;
    am_status status = am_check_writable(folder, err);
    if (status == AM_OK)
        status = run_all(e, set, err);
    e->total_seconds = am_seconds() - begin;
    if (status == AM_OK)
        status = svm_report(set, e, folder, err);
    for (int i = 0; i < 2; i++) {
        amortized_free(&e->part[i].generator[0]);
        amortized_free(&e->part[i].generator[1]);
        svm_data_free(&e->part[i].data);
    }
    free(e);
    return status;
}
