/* am_sample, am_draw_weights. */
#include "api/model.h"
#include "api/options.h"
#include "api/sampling.h"
#include "train/names.h"

#include <math.h>
#include <stdlib.h>

static am_posterior public_posterior(const am_model *m, const posterior *p)
{
    const char *rows;
    bool classes = m->s.record.spec.target.loss == LOSS_CROSS_ENTROPY;
    am_posterior out = {.draws = p->draws,
                        .from_generator = p->from_generator,
                        .steps = p->from_generator ? 0 : p->steps,
                        .test_rows = session_report_rows(&m->s, &rows) == &m->s.test,
                        .mean = {NAN, NAN, NAN, NAN, NAN, NAN},
                        .accuracy_mean = p->accuracy_mean,
                        .accuracy_sd = p->accuracy_sd,
                        .nll_mean = p->nll_mean};
    if (classes) /* regression has no average of probabilities */
        out.mean = public_metrics(&p->mean);
    return out;
}

am_status am_sample(am_model *model, const double *lambda, int draws, am_posterior *summary,
                    am_metrics *draw, float *theta, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    API_NEED(lambda, "give one λ for every penalty group");
    AM_TRY(options_int(draws, "draws", 2, 10000, err));
    AM_TRY(model_need_data(model, err));
    AM_TRY(model_check_draw(model, lambda, NULL, err));
    posterior p;
    posterior_request request = sampling_request(&model->s, lambda, draws);
    request.theta = theta;
    AM_TRY(posterior_compute(&request, &p, err));
    if (summary != NULL)
        *summary = public_posterior(model, &p);
    for (int d = 0; draw != NULL && d < draws; d++)
        draw[d] = public_metrics(&p.draw[d]);
    posterior_free(&p);
    return AM_OK;
}

am_status am_draw_weights(am_device *device, const char *kind, double alpha, int64_t blocks,
                          int draws, int64_t seed, float *omega, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(device, "open one with am_device_open");
    API_NEED(omega, "give an array of draws × blocks");
    AM_TRY(options_word(&kind, "dirichlet", "weights", omega_names, NULL, err));
    AM_TRY(options_real(alpha, "alpha", 0.05, 1e6, false, err));
    AM_TRY(options_int(blocks, "blocks", 1, INT32_MAX, err));
    AM_TRY(options_int(draws, "draws", 1, 10000, err));
    AM_TRY(options_int(seed, "seed", 0, INT64_MAX, err));
    float *drawn, *omega0;
    AM_TRY(posterior_omega(device->be, (omega_kind)name_index(omega_names, kind), alpha, blocks,
                           draws, (uint64_t)seed, &drawn, &omega0, err));
    for (int64_t i = 0; i < draws * blocks; i++)
        omega[i] = drawn[i];
    free(drawn);
    free(omega0);
    return AM_OK;
}
